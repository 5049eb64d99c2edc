//! Names in what people write: first and last names, each for itself, however they are written. Pure: asks no table.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::traces::{GONE, Whole};

/// So much may stand between two names that go together: `Quill, Ada`.
const BETWEEN: usize = 3;

/// Part of a name that is shorter goes with the whole only.
const PART: usize = 3;

/// A name that is shorter is none.
const NAME: usize = 2;

/// What a text is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// Somebody who is erased: first and last names go, in whatever case they stand there, also where they could be words.
    Them,
    /// Anything: last names go where they begin with a capital, and first names beside them.
    Anything,
}

impl About {
    pub(super) fn of(is_theirs: bool) -> About {
        if is_theirs {
            About::Them
        } else {
            About::Anything
        }
    }
}

/// A word of a text.
struct Word {
    at: Range<usize>,
    plain: String,
    is_capital: bool,
}

/// Names, each as its words without case and accents.
#[derive(Debug, Default)]
pub(super) struct Names {
    first: Vec<Vec<String>>,
    last: Vec<Vec<String>>,
}

impl Names {
    pub(super) fn of(humans: &[Whole]) -> Names {
        let mut names = Names::default();
        for human in humans {
            let parts = |name: &String| parts(name);
            names.first.extend(human.first_names.iter().flat_map(parts));
            names.last.extend(human.last_names.iter().flat_map(parts));
        }
        // The longest first: what it covers is not looked for again.
        for names in [&mut names.first, &mut names.last] {
            names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        }
        names
    }

    /// A text without these names; none where it has none of them.
    pub(super) fn clean(&self, text: &str, about: About) -> Option<String> {
        let words = words(text);
        let first = ranges(&self.first, &words);
        let mut gone = ranges(&self.last, &words);
        match about {
            About::Them => gone.extend(first),
            About::Anything => {
                let begins = |range: &Range<usize>| {
                    let word = words.iter().find(|word| word.at.start == range.start);
                    word.is_some_and(|word| word.is_capital)
                };
                gone.retain(begins);
                let beside: Vec<Range<usize>> = first
                    .into_iter()
                    .filter(|one| gone.iter().any(|other| go_together(text, one, other)))
                    .collect();
                gone.extend(beside);
            }
        }
        if gone.is_empty() {
            return None;
        }
        gone.sort_by_key(|range| (range.start, range.end));
        Some(without(text, gone))
    }
}

/// The text with one mark in the place of each of these, or of several that go together.
fn without(text: &str, gone: Vec<Range<usize>>) -> String {
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in gone {
        match merged.last_mut() {
            Some(last) if range.start <= last.end || go_together(text, last, &range) => {
                last.end = last.end.max(range.end);
            }
            _ => merged.push(range),
        }
    }
    let (mut clean, mut end) = (String::with_capacity(text.len()), 0);
    for range in merged {
        clean.push_str(text.get(end..range.start).unwrap_or_default());
        clean.push_str(GONE);
        end = range.end;
    }
    clean.push_str(text.get(end..).unwrap_or_default());
    clean
}

/// Whether nothing but a space, a comma or a hyphen stands between two places of a text.
fn go_together(text: &str, one: &Range<usize>, other: &Range<usize>) -> bool {
    let (from, to) = if one.start < other.start {
        (one.end, other.start)
    } else {
        (other.end, one.start)
    };
    let between = text.get(from..to);
    between.is_some_and(|between| {
        between.len() <= BETWEEN && between.chars().all(|c| " ,-'’".contains(c))
    })
}

/// Where these names stand.
fn ranges(names: &[Vec<String>], words: &[Word]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(rest) = words.get(from..).filter(|rest| !rest.is_empty()) {
        let stands = |name: &&Vec<String>| {
            let here = rest.get(..name.len());
            here.is_some_and(|here| here.iter().map(|word| &word.plain).eq(name.iter()))
        };
        let Some(name) = names.iter().find(stands) else {
            from += 1;
            continue;
        };
        let last = rest.get(name.len() - 1).or(rest.first());
        if let Some((first, last)) = rest.first().zip(last) {
            found.push(first.at.start..last.at.end);
        }
        from += name.len();
    }
    found
}

/// A name as a whole, and its parts: of `de la Cruz` also `Cruz`.
fn parts(name: &str) -> Vec<Vec<String>> {
    let whole: Vec<String> = words(name).into_iter().map(|word| word.plain).collect();
    let length = |words: &[String]| words.iter().map(|word| word.chars().count()).sum::<usize>();
    let mut all: Vec<Vec<String>> = Vec::new();
    if whole.len() > 1 {
        let parts = whole.iter().filter(|part| part.chars().count() >= PART);
        all.extend(parts.map(|part| vec![part.clone()]));
    }
    if length(&whole) >= NAME {
        all.push(whole);
    }
    all
}

/// The words of a text, without case and accents.
fn words(text: &str) -> Vec<Word> {
    let is_part = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    let mut words: Vec<Word> = Vec::new();
    let mut is_inside = false;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        if !is_part(c) {
            is_inside = false;
            continue;
        }
        if !is_inside {
            words.push(Word {
                at: at..end,
                plain: String::new(),
                is_capital: !c.is_lowercase() && !c.is_numeric(),
            });
        }
        is_inside = true;
        if let Some(word) = words.last_mut() {
            word.at.end = end;
            let plain = c.to_lowercase().nfd().filter(|c| !is_combining_mark(*c));
            word.plain.extend(plain);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(first: &[&str], last: &[&str]) -> Names {
        let set = |all: &[&str]| all.iter().map(ToString::to_string).collect();
        Names::of(&[Whole {
            first_names: set(first),
            last_names: set(last),
            ..Whole::default()
        }])
    }

    #[test]
    fn of_a_text_about_somebody_each_name_goes_however_it_is_written() {
        let names = names(
            &["Éva", "Will"],
            &["Petrescu", "de la Cruz", "O'Brien", "Ng"],
        );
        for (text, clean) in [
            ("Ms Petrescu asked", "Ms (erased) asked"),
            ("PETRESCU's ask", "(erased)'s ask"),
            ("eva petrescu, by phone", "(erased), by phone"),
            ("Petrescu, Éva and E\u{301}va", "(erased) and (erased)"),
            (
                "Mrs Cruz; de la Cruz; O’Brien",
                "Mrs (erased); (erased); (erased)",
            ),
            ("will called, then ng", "(erased) called, then (erased)"),
            ("E\u{301}va", "(erased)"),
        ] {
            assert_eq!(
                names.clean(text, About::Them).as_deref(),
                Some(clean),
                "{text}"
            );
        }
        for text in ["Petrescus asked", "willing", "12B, 555", "", "Évaline"] {
            assert_eq!(names.clean(text, About::Them), None, "{text}");
        }
    }

    #[test]
    fn of_any_other_text_last_names_go_and_first_names_beside_them() {
        let names = names(&["May"], &["Long", "Petrescu"]);
        for (text, clean) in [
            (
                "let through, Petrescu is right",
                "let through, (erased) is right",
            ),
            ("as MAY PETRESCU said in May", "as (erased) said in May"),
        ] {
            let cleaned = names.clean(text, About::Anything);
            assert_eq!(cleaned.as_deref(), Some(clean), "{text}");
        }
        for text in ["in May, before long", "May I?", "may long"] {
            assert_eq!(names.clean(text, About::Anything), None, "{text}");
        }
    }
}
