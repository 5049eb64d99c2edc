//! What says who somebody is, and where a text says it. Pure: asks no table.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;

use crate::model::{IntegrationId, PersonId};

/// What stands in a text in the place of what was erased.
pub(super) const GONE: &str = "(erased)";

/// One human who is erased: everything that says who they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Whole {
    /// The people of the store that they are.
    pub(super) people: BTreeSet<PersonId>,
    /// The residents that are tied to these.
    pub(super) residents: BTreeSet<(IntegrationId, String)>,
    pub(super) emails: BTreeSet<String>,
    /// Emails of theirs that are somebody else's by now: those are told of nobody.
    pub(super) handed_on: BTreeSet<String>,
    pub(super) phones: BTreeSet<String>,
    pub(super) first_names: BTreeSet<String>,
    pub(super) last_names: BTreeSet<String>,
}

impl Whole {
    /// Every first name with every last one.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.first_names.iter().flat_map(|first| {
            let last = self.last_names.iter();
            last.map(|last| (first.as_str(), last.as_str()))
        })
    }

    /// The names as texts have them.
    pub(super) fn called(&self) -> impl Iterator<Item = String> {
        self.names().flat_map(|(first, last)| {
            [
                format!("{first} {last}"),
                format!("{last}, {first}"),
                format!("{last} {first}"),
            ]
        })
    }
}

/// Where in texts it says who somebody is.
#[derive(Debug)]
pub(super) struct Traces {
    /// Emails, phones and whole names.
    words: AhoCorasick,
    /// What may not stand before or behind a word, or it is part of another one.
    kinds: Vec<Kind>,
    emails: AhoCorasick,
    /// First and last names of each human.
    parts: Vec<(AhoCorasick, AhoCorasick)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Email,
    Phone,
    Name,
}

/// Finds these texts, whatever case their letters have. Too many of them are found by nobody: there never are.
fn finder(texts: impl IntoIterator<Item = String>) -> AhoCorasick {
    let texts: Vec<String> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    let made = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(texts);
    made.unwrap_or_else(|_| unreachable!("a few hundred words are never too many"))
}

impl Traces {
    pub(super) fn of(humans: &[Whole]) -> Traces {
        let mut words = Vec::new();
        for human in humans {
            let emails = human.emails.difference(&human.handed_on);
            words.extend(emails.map(|email| (Kind::Email, email.clone())));
            words.extend(
                human
                    .phones
                    .iter()
                    .map(|phone| (Kind::Phone, phone.clone())),
            );
            words.extend(human.called().map(|name| (Kind::Name, name)));
        }
        words.retain(|(_, word)| !word.is_empty());
        let emails = humans.iter();
        let emails = emails.flat_map(|human| human.emails.difference(&human.handed_on).cloned());
        let parts = humans.iter().map(|human| {
            let names = |of: &BTreeSet<String>| finder(of.iter().cloned());
            (names(&human.first_names), names(&human.last_names))
        });
        Traces {
            kinds: words.iter().map(|(kind, _)| *kind).collect(),
            emails: finder(emails),
            parts: parts.collect(),
            words: finder(words.into_iter().map(|(_, word)| word)),
        }
    }

    /// Whether these bytes may say who somebody is.
    pub(super) fn touch(&self, bytes: &[u8]) -> bool {
        self.words.is_match(bytes)
    }

    /// Whether they may have an email of somebody.
    pub(super) fn touch_by_email(&self, bytes: &[u8]) -> bool {
        self.emails.is_match(bytes)
    }

    /// The same, also where first and last name stand apart.
    pub(super) fn touch_in_parts(&self, bytes: &[u8]) -> bool {
        let both = |(first, last): &(AhoCorasick, AhoCorasick)| {
            first.is_match(bytes) && last.is_match(bytes)
        };
        self.touch(bytes) || self.parts.iter().any(both)
    }

    /// The text without what says who somebody is; none where it says nothing of it.
    pub(super) fn clean(&self, text: &str) -> Option<String> {
        let mut ranges: Vec<(usize, usize)> = self
            .words
            .find_overlapping_iter(text)
            .filter(|found| {
                let kind = self.kinds.get(found.pattern().as_usize());
                let (before, behind) = (text.get(..found.start()), text.get(found.end()..));
                kind.zip(before.zip(behind))
                    .is_some_and(|(kind, (before, behind))| stands_alone(*kind, before, behind))
            })
            .map(|found| (found.start(), found.end()))
            .collect();
        if ranges.is_empty() {
            return None;
        }
        ranges.sort_unstable();
        let (mut clean, mut end) = (String::with_capacity(text.len()), 0);
        for (from, to) in ranges {
            if from >= end {
                clean.push_str(text.get(end..from).unwrap_or_default());
                clean.push_str(GONE);
            }
            end = end.max(to);
        }
        clean.push_str(text.get(end..).unwrap_or_default());
        Some(clean)
    }
}

/// Whether a word is not a part of a longer one: `ada@example.com` is none of `nada@example.com`.
fn stands_alone(kind: Kind, before: &str, behind: &str) -> bool {
    let ends_in_an_escape = || {
        // In JSON `\n` stands before the word, and not an `n`.
        let short = before.len().checked_sub(2).and_then(|at| before.get(at..));
        let long = before.len().checked_sub(6).and_then(|at| before.get(at..));
        short.is_some_and(|text| text.starts_with('\\'))
            || long.is_some_and(|text| text.starts_with("\\u"))
    };
    let last = before.chars().next_back().filter(|_| !ends_in_an_escape());
    let mut behind = behind.chars();
    let (first, second) = (behind.next(), behind.next());
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    match kind {
        Kind::Name => !is_word(last) && !is_word(first),
        Kind::Phone => !is_digit(last) && !is_digit(first),
        Kind::Email => {
            let goes_on = matches!(first, Some('.' | '-')) && is_word(second);
            let begins_before = last.is_some_and(|c| c.is_alphanumeric() || "._%+-'".contains(c));
            !begins_before && !is_word(first) && !goes_on
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces() -> Traces {
        let set = |all: &[&str]| all.iter().map(ToString::to_string).collect();
        Traces::of(&[Whole {
            emails: set(&["ada@example.com"]),
            phones: set(&["+12125550142"]),
            first_names: set(&["Ada", "Adé"]),
            last_names: set(&["Quill"]),
            ..Whole::default()
        }])
    }

    #[test]
    fn what_says_who_somebody_is_goes_out_of_a_text_and_the_rest_stays() {
        let traces = traces();
        for (text, clean) in [
            ("mail to ADA@example.com.", "mail to (erased)."),
            (
                "ada quill in 12B, call +12125550142",
                "(erased) in 12B, call (erased)",
            ),
            ("Quill, Ada and Adé Quill", "(erased) and (erased)"),
            (
                r#"{"a":"x\nAda Quill","b":1}"#,
                r#"{"a":"x\n(erased)","b":1}"#,
            ),
            (r#"["\u001fAda Quill"]"#, r#"["\u001f(erased)"]"#),
        ] {
            assert!(traces.touch(text.as_bytes()), "{text}");
            assert_eq!(traces.clean(text).as_deref(), Some(clean), "{text}");
        }
    }

    #[test]
    fn what_is_part_of_another_word_is_somebody_elses() {
        let traces = traces();
        for text in [
            "nada@example.com",
            "x.ada@example.com",
            "ada@example.com.au",
            "+121255501421",
            "Ada Quillan",
            "Nevada Quill",
            "Ada",
            "Quill",
            "",
        ] {
            assert_eq!(traces.clean(text), None, "{text}");
        }
    }

    #[test]
    fn names_that_stand_apart_are_found_where_both_do() {
        let traces = traces();
        assert!(traces.touch_in_parts(b"..Ada..Quill.."));
        assert!(!traces.touch_in_parts(b"..Ada..Quirk.."));
        assert!(!Traces::of(&[Whole::default()]).touch_in_parts(b"anything"));
    }
}
