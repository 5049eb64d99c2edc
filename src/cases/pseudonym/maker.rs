//! Made-up words and numbers: the same original gives the same one for one key, two originals never give one, and none
//! holds a word or a number of the recording. Judges nothing.

use std::collections::{HashMap, HashSet};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Letters that hardly stand together in anybody's name.
const CONSONANTS: &[u8] = b"bdfgjkpqvwxz";
const VOWELS: &[u8] = b"ouy";

/// After so many tries a word becomes a letter longer: there may be no other left.
const TRIES: u32 = 200;

/// Parts of the recording that are shorter stand everywhere.
const LETTERS: usize = 3;
const DIGITS: usize = 5;

/// Makes things up.
pub(super) struct Maker {
    key: [u8; 32],
    originals: HashSet<String>,
    given: HashMap<(Kind, String), String>,
    taken: HashSet<(Kind, String)>,
}

/// What is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Word,
    Digits,
    Phone,
    Code,
    Email,
}

impl Maker {
    /// `key` decides everything.
    pub(super) fn new(key: [u8; 32]) -> Maker {
        Maker {
            key,
            originals: HashSet::new(),
            given: HashMap::new(),
            taken: HashSet::new(),
        }
    }

    /// Learns what stands in a text of the recording: none of it is made up again.
    pub(super) fn avoid(&mut self, text: &str) {
        for token in tokens(text) {
            let Token::Word(token) = token else { continue };
            let lower: String = bare(token);
            for run in runs(&lower) {
                let enough = if run.starts_with(|c: char| c.is_ascii_digit()) {
                    DIGITS
                } else {
                    LETTERS
                };
                if run.chars().count() >= enough {
                    self.originals.insert(run.to_owned());
                }
            }
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        // A country's code may stand before a phone, an extension or another phone behind it.
        for from in 0..digits.len().min(64).saturating_sub(9) {
            let national = digits.get(from..from + 10).unwrap_or_default();
            self.originals.insert(national.to_owned());
        }
    }

    /// A word of the same length, capitals and accents.
    pub(super) fn word(&mut self, word: &str) -> String {
        let mut letters: Vec<(char, String)> = Vec::new();
        for c in word.nfd() {
            match letters.last_mut() {
                Some((_, marks)) if is_combining_mark(c) => marks.push(c),
                _ => letters.push((c, String::new())),
            }
        }
        let key: String = word.to_lowercase().nfd().collect();
        let plain = self.unique(Kind::Word, &key, |random, attempt| {
            let longer = usize::try_from(attempt / TRIES).unwrap_or_default();
            let mut made = String::new();
            let mut vowel = true;
            for index in 0..letters.len() + longer {
                let letter = letters.get(index);
                let marked = letter.is_some_and(|(_, marks)| !marks.is_empty());
                vowel = marked || !vowel;
                let from = if vowel { VOWELS } else { CONSONANTS };
                let c = match letter {
                    Some((c, _)) if !c.is_ascii() => 'ø',
                    _ => char::from(from[usize::from(random[index % 64]) % from.len()]),
                };
                made.push(c);
                made.extend(letter.into_iter().flat_map(|(_, marks)| marks.chars()));
            }
            made
        });
        let shouted = letters.len() > 1 && letters.iter().all(|(c, _)| !c.is_lowercase());
        let mut upper = letters.iter().map(|(c, _)| c.is_uppercase());
        let mut written = String::new();
        for c in plain.chars() {
            if !is_combining_mark(c) && upper.next().unwrap_or(shouted) {
                written.extend(c.to_uppercase());
            } else {
                written.push(c);
            }
        }
        if word.nfc().eq(word.chars()) {
            written.nfc().collect()
        } else {
            written
        }
    }

    /// A number of as many digits, with zeros before it where it had some.
    pub(super) fn digits(&mut self, digits: &str) -> String {
        let zeros = digits.bytes().take_while(|digit| *digit == b'0').count();
        if zeros == digits.len() {
            return digits.to_owned();
        }
        // Of 0000000007 there are too few others with as many zeros.
        let zeros = zeros.min(digits.len().saturating_sub(DIGITS).max(1));
        self.unique(Kind::Digits, digits, |random, attempt| {
            let longer = usize::try_from(attempt / (TRIES * 10)).unwrap_or_default();
            let mut made = "0".repeat(zeros);
            for index in 0..digits.len() - zeros + longer {
                let random = random[index % 64];
                made.push(char::from(if index == 0 {
                    b'1' + random % 9
                } else {
                    b'0' + random % 10
                }));
            }
            made
        })
    }

    /// Ten digits that somebody in North America could be called by, were they not kept for fiction: `AAA55501NN`.
    pub(super) fn phone(&mut self, national: &str) -> String {
        self.unique(Kind::Phone, national, |random, attempt| {
            let second = random[1] % 9;
            let third = random[2] % 10;
            // Area codes do not end in 11.
            let third = if second == 1 && third == 1 { 2 } else { third };
            // All that are kept for fiction may be given already.
            let line = match attempt {
                0..TRIES => 100 + u32::from(random[3]) % 100,
                _ => u32::from(random[3]) * 256 + u32::from(random[4]),
            };
            format!(
                "{}{second}{third}555{:04}",
                2 + random[0] % 8,
                line % 10_000
            )
        })
    }

    /// Letters for letters, digits for digits; hexadecimal stays hexadecimal.
    pub(super) fn code(&mut self, code: &str, hexadecimal: bool) -> String {
        let key = code.to_lowercase();
        let made = self.unique(Kind::Code, &key, |random, attempt| {
            let longer = usize::try_from(attempt / TRIES).unwrap_or_default();
            let last = key.chars().next_back();
            let signs = key.chars().chain(last.into_iter().cycle().take(longer));
            signs
                .enumerate()
                .map(|(index, c)| {
                    let random = usize::from(random[index % 64]);
                    let from: &[u8] = match c {
                        c if hexadecimal && c.is_ascii_hexdigit() => b"0123456789abcdef",
                        c if c.is_ascii_digit() => b"0123456789",
                        c if c.is_alphabetic() => CONSONANTS,
                        c => return c,
                    };
                    char::from(from[random % from.len()])
                })
                .collect()
        });
        let cased = made.chars().zip(code.chars().chain(std::iter::repeat('a')));
        cased
            .map(|(made, c)| {
                if c.is_uppercase() {
                    made.to_ascii_uppercase()
                } else {
                    made
                }
            })
            .collect()
    }

    /// Remembers what stands for a whole that others made parts of; what is taken already gets a number.
    pub(super) fn whole(
        &mut self,
        kind: Kind,
        original: &str,
        made: impl Fn(u32) -> String,
    ) -> String {
        self.unique(kind, original, |_, attempt| made(attempt))
    }

    fn unique(
        &mut self,
        kind: Kind,
        original: &str,
        make: impl Fn(&[u8; 64], u32) -> String,
    ) -> String {
        let original = (kind, original.to_owned());
        if let Some(given) = self.given.get(&original) {
            return given.clone();
        }
        let mut attempt: u32 = 0;
        loop {
            let mut random = [0; 64];
            blake3::Hasher::new_keyed(&self.key)
                .update(&[kind as u8])
                .update(original.1.as_bytes())
                .update(&attempt.to_le_bytes())
                .finalize_xof()
                .fill(&mut random);
            let made = make(&random, attempt);
            let made_up = (kind, made.clone());
            // Of an email the parts were looked at; in the end, another one than everybody's must do.
            let look = kind != Kind::Email && attempt < TRIES * 20;
            let shows = look && self.shows(&made);
            if made != original.1 && !shows && !self.taken.contains(&made_up) {
                self.taken.insert(made_up);
                self.given.insert(original, made.clone());
                return made;
            }
            attempt += 1;
        }
    }

    /// Whether something of the recording stands in it.
    fn shows(&self, made: &str) -> bool {
        let signs: Vec<char> = bare(made).chars().collect();
        (0..signs.len()).any(|from| {
            let mut part = String::new();
            signs.iter().skip(from).any(|c| {
                part.push(*c);
                self.originals.contains(&part)
            })
        })
    }
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Letters and digits.
    Word(&'a str),
    /// Anything else.
    Between(&'a str),
}

/// A text in its parts.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let is_word = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    let mut rest = text;
    std::iter::from_fn(move || {
        let word = is_word(rest.chars().next()?);
        let end = rest.find(|c| is_word(c) != word).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(if word {
            Token::Word(token)
        } else {
            Token::Between(token)
        })
    })
}

/// Runs of letters and runs of digits.
pub(super) fn runs(token: &str) -> impl Iterator<Item = &str> {
    let mut rest = token;
    std::iter::from_fn(move || {
        let digit = rest.chars().next()?.is_ascii_digit();
        let end = rest
            .find(|c: char| c.is_ascii_digit() != digit)
            .unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        Some(run)
    })
}

/// In lower case and without accents.
fn bare(text: &str) -> String {
    let lower = text.to_lowercase();
    lower.nfd().filter(|c| !is_combining_mark(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::searching;
    use proptest::prelude::*;

    fn maker() -> Maker {
        Maker::new([7; 32])
    }

    #[test]
    fn a_word_keeps_its_length_capitals_and_accents() {
        let mut maker = maker();
        let made = maker.word("José");
        assert_eq!(made.chars().count(), 4);
        assert!(made.starts_with(char::is_uppercase), "{made}");
        assert!(!made.is_ascii(), "{made}");
        assert_eq!(maker.word("JOSÉ"), made.to_uppercase());
        assert_ne!(maker.word("Jose"), made);
        let made = maker.word("Łucja");
        assert!(made.starts_with('Ø'), "{made}");
    }

    #[test]
    fn a_phone_can_be_one_and_belongs_to_nobody() {
        let mut maker = maker();
        for number in 0..500 {
            let made = maker.phone(&format!("503555{number:04}"));
            assert_eq!((made.len(), &made[3..8]), (10, "55501"), "{made}");
            assert!((b'2'..=b'9').contains(&made.as_bytes()[0]) && &made[1..3] != "11");
        }
    }

    #[test]
    fn digits_keep_their_zeros_and_hexadecimal_stays() {
        let mut maker = maker();
        let made = maker.digits("0000004121");
        assert!(
            made.starts_with("00000") && !made.starts_with("000000"),
            "{made}"
        );
        let uuid = maker.code("5B0E9f36-0000-4000-8000-0123456789ab", true);
        assert!(
            uuid.chars().all(|c| c == '-' || c.is_ascii_hexdigit()),
            "{uuid}"
        );
        assert_eq!(uuid.len(), 36);
    }

    #[test]
    fn where_all_others_are_given_something_longer_is_made_up() {
        let mut maker = maker();
        let each = |made: Vec<String>| {
            let all: HashSet<&String> = made.iter().collect();
            assert_eq!(all.len(), made.len(), "{made:?}");
        };
        each((0..10).map(|n| maker.code(&n.to_string(), false)).collect());
        each((1..10).map(|n| maker.digits(&n.to_string())).collect());
        each(('a'..='z').map(|c| maker.word(&c.to_string())).collect());
        let padded: Vec<String> = (1..2000)
            .map(|n| maker.digits(&format!("{n:010}")))
            .collect();
        assert!(padded.iter().all(|made| made.len() == 10));
        each(padded);
    }

    proptest! {
        #![proptest_config(searching(256))]

        #[test]
        fn equal_stays_equal_different_stays_different_and_nothing_of_the_recording_is_made_up(
            words in proptest::collection::vec("[a-z]{1,6}", 2..60)
        ) {
            let mut maker = maker();
            for word in &words {
                maker.avoid(word);
            }
            let made: Vec<String> = words.iter().map(|word| maker.word(word)).collect();
            for (one, of_one) in words.iter().zip(&made) {
                for (other, of_other) in words.iter().zip(&made) {
                    prop_assert_eq!(one == other, of_one == of_other);
                    prop_assert!(other.len() < 3 || !of_one.contains(other.as_str()));
                }
            }
        }
    }
}
