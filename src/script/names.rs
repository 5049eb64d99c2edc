//! Whole names, taken apart: the function for it that scripts may call. What a shipped script makes of names besides is its
//! own.

use rhai::{Dynamic, Engine, Map};

use super::described::Described;
use super::helpers::as_text;

/// What stands before a name and is none of it, without full stops.
const TITLES: [&str; 17] = [
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "sir", "sr", "sra", "srta", "dra",
    "herr", "frau", "mme", "mlle",
];

/// What stands behind a name and is none of it. What may be a name as well, such as Md or JD, is not among them.
const DEGREES: [&str; 13] = [
    "phd", "dds", "dvm", "esq", "cpa", "mba", "dmd", "rn", "lpn", "bsn", "msn", "lcsw", "pharmd",
];

/// What may be a name or the beginnings of two, and in capitals behind a whole name is none.
const DEGREES_BEHIND: [&str; 6] = ["md", "jd", "do", "np", "pa", "pe"];

/// What tells a son from his father. `V` may be an initial, and `Vi` a name.
const SUFFIXES: [&str; 5] = ["jr", "sr", "ii", "iii", "iv"];

pub(super) fn register(engine: &mut Engine) {
    Described(engine).function(
        "split_name",
        &["value", "Map"],
        "First and last name of `Last, First Middle` or of `First Middle Last`. A suffix such as Jr. or III stands behind the last \
         name, however it was written: it may be all that tells two people apart. Titles and degrees, such as Dr. or PhD, are no part \
         of a name: they are `title`, where there is one.
         split_name(\"Ortiz, Ana Maria\") → #{\"first_name\": \"Ana Maria\", \"last_name\": \"Ortiz\"}
         split_name(\"Ana Ortiz\").last_name → \"Ortiz\"
         split_name(\"Dr. Bo Ortiz Jr.\") → #{\"first_name\": \"Bo\", \"last_name\": \"Ortiz Jr.\", \"title\": \"Dr.\"}
         split_name(\"Ortiz, Bo, III\").last_name → \"Ortiz III\"
         split_name(\"Bo Ortiz, MD\").title → \"MD\"",
        |value: Dynamic| split_name(&value),
    );
}

/// A word of a name, as the lists have it.
fn plain(word: &str) -> String {
    let letters = word.chars().filter(|c| !matches!(c, '.' | ','));
    letters.flat_map(char::to_lowercase).collect()
}

fn is_title(word: &str) -> bool {
    TITLES.contains(&plain(word).as_str())
}

fn is_degree(word: &str) -> bool {
    DEGREES.contains(&plain(word).as_str())
}

/// Whether it is one behind a comma. Behind two, first and last name are there already; behind one, `De la Cruz, JD` may be
/// of somebody called JD, and where all is in capitals MD may be a name as well.
fn is_degree_behind(word: &str, commas: usize, in_capitals: bool) -> bool {
    let plain = plain(word);
    let is_one = DEGREES_BEHIND.contains(&plain.as_str()) && !word.contains(char::is_lowercase);
    is_degree(word) || is_one && (commas > 1 || plain == "md" && !in_capitals)
}

fn is_suffix(word: &str) -> bool {
    let plain = plain(word);
    // Iv and Ii are names.
    let is_number = plain.starts_with('i');
    SUFFIXES.contains(&plain.as_str()) && (!is_number || !word.contains(char::is_lowercase))
}

/// What was taken from around a name.
#[derive(Default)]
struct Around<'a> {
    titles: Vec<&'a str>,
    suffixes: Vec<&'a str>,
}

impl<'a> Around<'a> {
    /// Takes a title from the front as long as a word stays.
    fn front(&mut self, words: &mut Vec<&'a str>) {
        while words.len() > 1 && is_title(words[0]) {
            self.titles.push(words.remove(0));
        }
    }

    /// Takes suffixes and degrees from the end as long as so many words stay.
    fn end(&mut self, words: &mut Vec<&'a str>, stay: usize) {
        self.end_by(words, stay, is_degree);
    }

    fn end_by(&mut self, words: &mut Vec<&'a str>, stay: usize, is_degree: impl Fn(&str) -> bool) {
        while words.len() > stay
            && let Some(word) = words.pop_if(|word| is_suffix(word) || is_degree(word))
        {
            let of = if is_suffix(word) {
                &mut self.suffixes
            } else {
                &mut self.titles
            };
            of.push(word);
        }
    }

    /// `First Middle Last`.
    fn straight(&mut self, words: &mut Vec<&'a str>) -> (String, String) {
        self.front(words);
        self.end(words, 2);
        // A title with one word is one with a last name.
        let last = if words.len() > 1 || !self.titles.is_empty() {
            words.pop()
        } else {
            None
        };
        (words.join(" "), last.unwrap_or_default().to_owned())
    }

    /// `Last, First Middle`.
    fn turned(&mut self, last: &mut Vec<&'a str>, first: &mut [Vec<&'a str>]) -> (String, String) {
        for words in std::iter::once(&mut *last).chain(&mut *first) {
            self.front(words);
            self.end(words, 1);
        }
        let first: Vec<String> = first.iter().map(|words| words.join(" ")).collect();
        (first.join(", "), last.join(" "))
    }
}

/// `Last, First Middle` or `First Middle Last`, as first and last name.
fn split_name(value: &Dynamic) -> Map {
    let name = as_text(value).unwrap_or_default();
    let mut around = Around::default();
    let mut parts: Vec<Vec<&str>> = name
        .split(',')
        .map(|part| part.split_whitespace().collect())
        .collect();
    let in_capitals = !name.contains(char::is_lowercase);
    // `Ortiz, Bo, III` and `Bo Ortiz, Jr.`; in `Ortiz, Jr.` it would be the only first name.
    while parts.len() > 2 || parts.len() == 2 && parts[0].len() > 1 {
        let mut part = parts.pop().unwrap_or_default();
        let (was_empty, commas) = (part.is_empty(), parts.len());
        around.end_by(&mut part, 0, |word| {
            is_degree_behind(word, commas, in_capitals)
        });
        if was_empty || !part.is_empty() {
            parts.push(part);
            break;
        }
    }
    let (first, mut last) = match parts.as_mut_slice() {
        [words] => around.straight(words),
        [last, first @ ..] => around.turned(last, first),
        [] => Default::default(),
    };
    around.suffixes.reverse();
    let suffix = around.suffixes.join(" ");
    if !suffix.is_empty() {
        last = format!("{last} {suffix}");
    }
    let mut split = Map::from([
        ("first_name".into(), first.into()),
        ("last_name".into(), last.trim().into()),
    ]);
    if !around.titles.is_empty() {
        split.insert("title".into(), around.titles.join(" ").into());
    }
    split
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::searching;

    fn split(name: &str) -> [String; 3] {
        let split = split_name(&name.into());
        ["first_name", "last_name", "title"]
            .map(|part| split.get(part).map(ToString::to_string).unwrap_or_default())
    }

    #[test]
    fn a_name_comes_apart_without_titles_and_with_the_suffix_behind_the_last_name() {
        for (name, wanted) in [
            ("Ortiz, Ana Maria", ["Ana Maria", "Ortiz", ""]),
            ("Ana Maria Ortiz", ["Ana Maria", "Ortiz", ""]),
            ("Dr. Ana Ortiz", ["Ana", "Ortiz", "Dr."]),
            ("Prof. Dr. Ana Ortiz", ["Ana", "Ortiz", "Prof. Dr."]),
            ("Mrs Ortiz", ["", "Ortiz", "Mrs"]),
            ("Ortiz, Mrs. Ana", ["Ana", "Ortiz", "Mrs."]),
            ("Dr. Ortiz, Ana", ["Ana", "Ortiz", "Dr."]),
            ("Bo Ortiz Jr.", ["Bo", "Ortiz Jr.", ""]),
            ("Bo Ortiz, Jr.", ["Bo", "Ortiz Jr.", ""]),
            ("Ortiz Jr., Bo", ["Bo", "Ortiz Jr.", ""]),
            ("Ortiz, Bo Jr.", ["Bo", "Ortiz Jr.", ""]),
            ("Ortiz, Bo, III", ["Bo", "Ortiz III", ""]),
            ("De La Cruz, Bo III", ["Bo", "De La Cruz III", ""]),
            ("Ana Ortiz, PhD", ["Ana", "Ortiz", "PhD"]),
            ("Bo Ortiz, RN", ["Bo", "Ortiz", "RN"]),
            ("Bo Ortiz, MD", ["Bo", "Ortiz", "MD"]),
            ("Bo Ortiz, M.D.", ["Bo", "Ortiz", "M.D."]),
            ("Ortiz, Bo, MD", ["Bo", "Ortiz", "MD"]),
            ("ORTIZ, BO, MD", ["BO", "ORTIZ", "MD"]),
            ("Ortiz, Bo, JD", ["Bo", "Ortiz", "JD"]),
            ("Bo Ortiz, Jr., MD", ["Bo", "Ortiz Jr.", "MD"]),
            ("Ortiz, Bo RN", ["Bo", "Ortiz", "RN"]),
            ("Sr. Juan Ortiz Sr.", ["Juan", "Ortiz Sr.", "Sr."]),
            // What may be a name is one.
            ("Smith, JD", ["JD", "Smith", ""]),
            ("Rahman, Md", ["Md", "Rahman", ""]),
            ("Rahman Ali, Md", ["Md", "Rahman Ali", ""]),
            ("RAHMAN ALI, MD", ["MD", "RAHMAN ALI", ""]),
            ("De La Cruz, JD", ["JD", "De La Cruz", ""]),
            ("Tran Thi Vi", ["Tran Thi", "Vi", ""]),
            ("Bo Ortiz Iv", ["Bo Ortiz", "Iv", ""]),
            ("Ortiz, Jr.", ["Jr.", "Ortiz", ""]),
            ("Ana", ["Ana", "", ""]),
            ("Dr.", ["Dr.", "", ""]),
            ("Ana Ortiz,", ["", "Ana Ortiz", ""]),
            (", Ana", ["Ana", "", ""]),
            (" ", ["", "", ""]),
        ] {
            assert_eq!(split(name), wanted, "{name}");
        }
    }

    proptest! {
        #![proptest_config(searching(256))]

        #[test]
        fn no_word_of_a_name_is_lost(name in "((Dr\\.|Ana|Jr|III|PhD|Ortiz|,| ){0,8}|\\PC{0,20})") {
            let sorted = |text: &str| {
                let mut words: Vec<String> = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty()).map(str::to_owned).collect();
                words.sort();
                words
            };
            prop_assert_eq!(sorted(&split(&name).join(" ")), sorted(&name));
        }
    }
}
