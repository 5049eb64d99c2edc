//! Texts of a recording, word by word, and what stands in their place: remarks and forms of companies that the script knows
//! stay, and so does what stands between words.

use super::Pseudonyms;
use super::maker::{Token, runs, tokens};
use super::numbers::within;

impl Pseudonyms<'_> {
    /// Words, codes and short numbers; between them everything stays. A number in parts is one number: nothing of it stays.
    pub(super) fn text(&mut self, core: &str, personal: bool) -> String {
        let Some(number) = within(core) else {
            return self.words(core, personal);
        };
        let before = core.get(..number.start).unwrap_or_default();
        let after = core.get(number.end..).unwrap_or_default();
        let before = self.words(before, personal);
        let made = self.long_number(core.get(number).unwrap_or_default());
        before + &made + &self.text(after, personal)
    }

    fn words(&mut self, core: &str, personal: bool) -> String {
        let (link, rest) = match core.find("://") {
            Some(at) => core.split_at(at + 3),
            None => ("", core),
        };
        let mut made = link.to_owned();
        let words = tokens(rest)
            .filter(|token| matches!(token, Token::Word(_)))
            .count();
        let mut number = 0;
        let mut at = 0;
        for token in tokens(rest) {
            let word = match token {
                Token::Between(text) => {
                    made += text;
                    at += text.len();
                    continue;
                }
                Token::Word(word) => word,
            };
            number += 1;
            let form = words > 1 && number == words && !self.known.is_name(word);
            if link.is_empty() && self.is_remark(rest, at) || form && self.known.is_word(word) {
                made += word;
            } else {
                made += &self.part(word, personal);
            }
            at += word.len();
        }
        made
    }

    /// Whether the word at `at` stands in a remark that the script knows: `*Moved Out*`, `(former)`.
    fn is_remark(&self, text: &str, at: usize) -> bool {
        [("*", "*"), ("(", ")"), ("[", "]")]
            .iter()
            .any(|(opens, closes)| {
                let (before, after) = text.split_at(at);
                let remark = before.rsplit_once(opens).and_then(|(_, inside)| {
                    let (rest, _) = after.split_once(closes)?;
                    Some(format!("{inside}{rest}").trim().to_lowercase())
                });
                remark.is_some_and(|remark| {
                    self.known.is_word(&remark) && !self.known.is_name(&remark)
                })
            })
    }

    fn part(&mut self, word: &str, personal: bool) -> String {
        let is_digit = |c: char| c.is_ascii_digit();
        if word.chars().all(is_digit) {
            return if word.len() > 3 || personal {
                self.maker.digits(word)
            } else {
                word.to_owned()
            };
        }
        if !word.contains(is_digit) {
            return self.maker.word(word);
        }
        // A letter beside a number: t0012345, 12B.
        let mut letters = word.chars().filter(|c| !is_digit(*c));
        let (letter, more) = (letters.next(), letters.next());
        let middle = word.trim_matches(|c: char| !is_digit(c));
        if more.is_none() && letter.is_some_and(|c| c.is_ascii()) && middle.chars().all(is_digit) {
            let (before, after) = word.split_once(middle).unwrap_or_default();
            let made = if middle.len() > 3 {
                self.maker.digits(middle)
            } else {
                middle.to_owned()
            };
            return format!("{before}{made}{after}");
        }
        let known = |run: &&str| run.len() > 3 && self.known.is_word(run);
        let first = runs(word).next();
        match first.filter(known) {
            Some(known) => {
                let rest = word.strip_prefix(known).unwrap_or_default();
                format!("{known}{}", self.maker.code(rest, false))
            }
            None => self.maker.code(word, false),
        }
    }
}
