//! What is known of a recording before anything is made up: words that stay, names of fields, and how people are called.

use std::collections::BTreeSet;

use crate::config::Recorded;

use super::maker::{Token, tokens};

/// What is known before anything is made up.
#[derive(Debug, Default)]
pub(in crate::cases) struct Known<'a> {
    /// Words that stay, as [`folded`].
    words: BTreeSet<String>,
    /// Names of fields that somebody reads, in lower case.
    fields: BTreeSet<String>,
    /// First and last names, in lower case.
    names: BTreeSet<String>,
    /// The words in them.
    name_words: BTreeSet<String>,
    pub(super) rules: Option<&'a Recorded>,
    pub(super) placeholders: &'a [String],
}

/// A word as scripts compare it: whatever its case, and where its parts are held apart, by what.
fn folded(word: &str) -> String {
    let apart = |c: char| c.is_whitespace() || "-_.".contains(c);
    let lower = word.to_lowercase();
    let plain: String = lower.chars().filter(|c| !apart(*c)).collect();
    // Of "-" nothing would be left.
    if plain.is_empty() {
        lower.trim().to_owned()
    } else {
        plain
    }
}

impl<'a> Known<'a> {
    pub(in crate::cases) fn new(
        words: impl IntoIterator<Item = String>,
        rules: &'a Recorded,
        placeholders: &'a [String],
    ) -> Known<'a> {
        let words = words.into_iter().map(|word| folded(&word));
        Known {
            words: words.filter(|word| !word.is_empty()).collect(),
            rules: Some(rules),
            placeholders,
            ..Known::default()
        }
    }

    /// Learns how somebody is called.
    pub(in crate::cases) fn name(&mut self, name: &str) {
        let name = name.trim().to_lowercase();
        for token in tokens(&name) {
            if let Token::Word(word) = token
                && word.chars().count() > 1
            {
                self.name_words.insert(word.to_owned());
            }
        }
        if !name.is_empty() {
            self.names.insert(name);
        }
    }

    /// Learns a word that says how things stand.
    pub(in crate::cases) fn word(&mut self, word: &str) {
        self.words.insert(folded(word));
    }

    /// Learns a name that a script or the connector reads.
    pub(in crate::cases) fn field(&mut self, name: &str) {
        self.fields.insert(name.trim().to_lowercase());
    }

    /// Whether a text is a word that says how things stand.
    pub(super) fn is_word(&self, text: &str) -> bool {
        self.words.contains(&folded(text))
    }

    /// Whether somebody is called so.
    pub(super) fn is_name(&self, text: &str) -> bool {
        self.names.contains(&text.trim().to_lowercase())
    }

    /// Whether a word, in lower case, stands in somebody's name.
    pub(super) fn is_in_a_name(&self, word: &str) -> bool {
        self.name_words.contains(word)
    }

    /// Whether the name of a member is somebody's, as of an object that is keyed by people. What somebody reads is the PMS's
    /// own word, whoever is called so.
    pub(super) fn is_key_of_somebody(&self, key: &str) -> bool {
        let lower = key.trim().to_lowercase();
        if self.fields.contains(&lower) || self.is_word(key) {
            return false;
        }
        let mut words = tokens(&lower).filter_map(|token| match token {
            Token::Word(word) if word.chars().count() > 1 => Some(word),
            Token::Word(_) | Token::Between(_) => None,
        });
        let is_written_out = lower.contains([' ', ',']);
        if is_written_out {
            return words.any(|word| self.is_in_a_name(word));
        }
        let mut any = false;
        words.all(|word| {
            any = true;
            self.is_in_a_name(word)
        }) && any
    }
}
