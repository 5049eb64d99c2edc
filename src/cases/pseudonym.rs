//! Values of a recording and what stands in their place: made up where they may be about somebody, themselves where
//! they say nothing but how things stand. Reads no answer and writes none.
//!
//! Everything is made up but: words that the script writes out (it compares with them), words of status, yes and no,
//! dates, numbers of up to three digits that are no part of a longer one, texts of fields named as a status or a type,
//! placeholders for emails, and what the connector keeps. Words are compared whatever their case, and whatever holds their
//! parts apart: `Co-Signer` is `cosigner`. Names of members stay, but for those that somebody is called by. A word of the script stays no word of it where somebody bears it as a name. Letters become
//! letters, digits digits; what stands between them, capitals and accents stay; so do remarks such as `*Moved Out*` and
//! forms of companies such as LLC. Of a birthday only the year stays. Digits alone are a date only in a field that is
//! called like one.

mod dated;
mod emails;
mod known;
mod maker;
mod numbers;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Rewrite;

use dated::Dated;
use maker::{Maker, Token, runs, tokens};
use numbers::{is_phone, is_ssn};

pub(in crate::cases) use known::Known;

/// Looks at a recording before it is written anew.
pub(super) struct Survey<'a> {
    known: Known<'a>,
    maker: Maker,
    /// How many values a path has, and how many of them are names.
    paths: BTreeMap<String, (usize, usize)>,
}

impl<'a> Survey<'a> {
    pub(super) fn new(known: Known<'a>, key: [u8; 32]) -> Survey<'a> {
        Survey {
            known,
            maker: Maker::new(key),
            paths: BTreeMap::new(),
        }
    }

    pub(super) fn ended(self) -> Pseudonyms<'a> {
        let named =
            |(path, (all, names)): (String, (usize, usize))| (names * 2 > all).then_some(path);
        Pseudonyms {
            known: self.known,
            maker: self.maker,
            name_paths: self.paths.into_iter().filter_map(named).collect(),
        }
    }
}

impl Rewrite for Survey<'_> {
    fn value(&mut self, path: &str, text: &str) -> String {
        self.maker.avoid(text);
        let lower = text.trim().to_lowercase();
        if !lower.is_empty() {
            let (all, names) = self.paths.entry(path.to_owned()).or_default();
            *all += 1;
            *names += usize::from(self.known.is_name(&lower));
        }
        text.to_owned()
    }

    fn name(&mut self, name: &str) -> String {
        if self.known.is_key_of_somebody(name) {
            self.maker.avoid(name);
        }
        name.to_owned()
    }
}

/// Writes a recording anew.
pub(super) struct Pseudonyms<'a> {
    known: Known<'a>,
    maker: Maker,
    /// Where names stand.
    name_paths: BTreeSet<String>,
}

impl Rewrite for Pseudonyms<'_> {
    fn value(&mut self, path: &str, text: &str) -> String {
        let core = text.trim();
        let (before, after) = text.split_once(core).unwrap_or_default();
        if core.is_empty() {
            return text.to_owned();
        }
        let field = path.rsplit('/').next().unwrap_or(path);
        let field = field.strip_prefix('@').unwrap_or(field);
        let listed = |list: &[String]| list.iter().any(|name| name == field);
        let rules = self.known.rules;
        if rules.is_some_and(|rules| listed(&rules.keep)) {
            return text.to_owned();
        }
        if rules.is_some_and(|rules| listed(&rules.personal)) {
            return format!("{before}{}{after}", self.whole(&field.to_lowercase(), core));
        }
        let personal = self.name_paths.contains(path);
        let made = self.made(&field.to_lowercase(), &path.to_lowercase(), core, personal);
        format!("{before}{made}{after}")
    }

    /// Names with digits are ids that something is keyed by, and people's are people; any other is the PMS's own word.
    fn name(&mut self, name: &str) -> String {
        let long =
            runs(name).any(|run| run.len() > 3 && run.starts_with(|c: char| c.is_ascii_digit()));
        if long || name.contains('@') && name.len() > 1 && !name.starts_with('@') {
            self.value("", name)
        } else if self.known.is_key_of_somebody(name) {
            self.text(name, true)
        } else {
            name.to_owned()
        }
    }
}

impl Pseudonyms<'_> {
    /// What stands for a text wherever it stands.
    pub(super) fn of(&mut self, text: &str) -> String {
        self.value("", text)
    }

    fn made(&mut self, field: &str, path: &str, core: &str, personal: bool) -> String {
        if core.contains('@') {
            return self.emails(core);
        }
        if self.stays(field, core, personal) {
            return core.to_owned();
        }
        if let Some(dated) = Dated::of(core, field) {
            let births = ["birth", "dob", "born"];
            return if births.iter().any(|word| field.contains(word)) {
                self.birthday(&dated, core)
            } else {
                core.to_owned()
            };
        }
        if is_uuid(core) {
            return self.maker.code(core, true);
        }
        if is_ssn(core) {
            return self.long_number(core);
        }
        if is_phone(path, core) {
            return self.phone(core);
        }
        if let Some(number) = self.number(core) {
            return number;
        }
        self.text(core, personal)
    }

    /// What stands for a text of which nothing may stay, whatever it is.
    fn whole(&mut self, field: &str, core: &str) -> String {
        if core.contains('@') {
            return self.emails(core);
        }
        if let Some(dated) = Dated::of(core, field) {
            return self.birthday(&dated, core);
        }
        let mut made = String::new();
        for token in tokens(core) {
            made += &match token {
                Token::Between(text) => text.to_owned(),
                Token::Word(word) if word.chars().all(|c| c.is_ascii_digit()) => {
                    self.maker.digits(word)
                }
                Token::Word(word) if !word.contains(|c: char| c.is_ascii_digit()) => {
                    self.maker.word(word)
                }
                Token::Word(word) => self.maker.code(word, false),
            };
        }
        made
    }

    /// Whether it says nothing about anybody.
    fn stays(&self, field: &str, core: &str, personal: bool) -> bool {
        let lower = core.to_lowercase();
        if personal && self.known.is_name(core) {
            return false;
        }
        let single = core.chars().count() == 1 && !personal;
        let yes_or_no = ["true", "false", "yes", "no"].contains(&lower.as_str());
        if single || yes_or_no || self.known.is_word(core) {
            return true;
        }
        // Free text that was put into such a field may name somebody.
        let clean = tokens(&lower).all(|token| match token {
            Token::Word(word) => {
                let long = runs(word)
                    .any(|run| run.len() > 3 && run.starts_with(|c: char| c.is_ascii_digit()));
                !long && !self.known.is_in_a_name(word)
            }
            Token::Between(_) => true,
        });
        let said = field.contains("status") || field.contains("type");
        said && !personal && clean && core.chars().count() <= 60
    }

    /// The year says how old somebody is; the day is made up.
    fn birthday(&mut self, dated: &Dated, core: &str) -> String {
        let random = self.maker.code(&format!("birthday{core}"), false);
        let chance = random.bytes().fold(0_u32, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        match dated.with_another_day(core, chance) {
            Some(made) => made,
            None => self.text(core, true),
        }
    }
}

fn is_uuid(core: &str) -> bool {
    let parts: Vec<usize> = core.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && core.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
