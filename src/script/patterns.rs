//! Patterns: the function for them that scripts may call. Each is compiled once, and neither compiling nor matching one can
//! take long, whatever it is and whatever it is held against.

use std::collections::BTreeMap;
use std::sync::{LazyLock, PoisonError, RwLock};

use regex::{Regex, RegexBuilder};
use rhai::{Dynamic, Engine, EvalAltResult};

use super::described::Described;
use super::error::FieldError;
use super::helpers::as_text;

/// How many bytes a pattern may have.
const MAX_PATTERN: usize = 1_000;

/// How many bytes a pattern may have when it is compiled: matching takes as long as this and the text together.
const MAX_COMPILED: usize = 256 * 1024;

/// How many bytes a text may have that is held against a pattern.
const MAX_MATCHED: usize = 4_000;

/// So many patterns are kept. A script has some; one that makes patterns of what the PMS sends has no end of them.
const KEPT: usize = 64;

static COMPILED: LazyLock<RwLock<BTreeMap<String, Regex>>> = LazyLock::new(RwLock::default);

pub(super) fn register(engine: &mut Engine) {
    Described(engine).function(
        "matches",
        &["value", "pattern: &str", "bool"],
        "Whether a pattern, a regular expression, fits anywhere in a text; `^` and `$` are its ends, `(?i)` before it makes case not \
         matter. Written between backticks or as #\"…\"#, a pattern needs no backslashes doubled. What is absent fits none.
         matches(\"A-305\", `^[A-Z]-\\d{3}$`) → true
         matches(\"Model unit\", `(?i)\\bmodel\\b`) → true
         matches((), `.`) → false
         matches(\"a\", \"(\") → error: matches: `(` is no pattern: unclosed group",
        |value: Dynamic, pattern: &str| matches(&value, pattern),
    );
}

fn matches(value: &Dynamic, pattern: &str) -> Result<bool, Box<EvalAltResult>> {
    let thrown = |message: String| FieldError::thrown("matches", message);
    let fits = |pattern: &Regex, text: &str| {
        if text.len() > MAX_MATCHED {
            return Err(thrown(format!(
                "the limit `matched_bytes` is {MAX_MATCHED} bytes of text, and this is longer; take a part of it with sub_string"
            )));
        }
        Ok(pattern.is_match(text))
    };
    let text = as_text(value).unwrap_or_default();
    let absent = text.is_empty();
    {
        let compiled = COMPILED.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(pattern) = compiled.get(pattern) {
            return if absent {
                Ok(false)
            } else {
                fits(pattern, &text)
            };
        }
    }
    let new = compile(pattern).map_err(thrown)?;
    let fits = if absent { Ok(false) } else { fits(&new, &text) };
    let mut compiled = COMPILED.write().unwrap_or_else(PoisonError::into_inner);
    if compiled.len() >= KEPT {
        compiled.clear();
    }
    compiled.insert(pattern.to_owned(), new);
    fits
}

/// A pattern that is small enough, or what is wrong with it.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_PATTERN {
        return Err(format!(
            "the limit `pattern_bytes` is {MAX_PATTERN} bytes, and this pattern is longer; make several of it"
        ));
    }
    RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .nest_limit(50)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => format!(
                "`{pattern}` is too large: the limit `compiled_pattern` is {} KiB; repeat less, or fewer kinds of characters",
                MAX_COMPILED / 1024
            ),
            error => {
                let told = error.to_string();
                let what = told.rsplit("error: ").next().unwrap_or_default();
                format!("`{pattern}` is no pattern: {}", what.trim())
            }
        })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_pattern_fits_or_is_told_and_is_compiled_once() {
        let fits = |text: &str, pattern: &str| matches(&text.into(), pattern).unwrap();
        assert!(fits("Bldg A - 12B", r"^Bldg [A-Z] - \d+[A-Z]?$"));
        assert!(!fits("Bldg A", r"\d"));
        assert!(matches(&305_i64.into(), r"^\d+$").unwrap());
        let pattern = "only here (once|twice)";
        assert!(fits("only here twice", pattern));
        assert!(COMPILED.read().unwrap().contains_key(pattern));
        assert_eq!(
            compile("(a").unwrap_err(),
            "`(a` is no pattern: unclosed group"
        );
        assert_eq!(
            compile("a{2,1}").unwrap_err(),
            "`a{2,1}` is no pattern: invalid repetition count range, the start must be <= the end"
        );
    }

    #[test]
    fn a_pattern_is_bounded_in_size_and_in_time_whatever_it_is_held_against() {
        let long = compile(&"a".repeat(MAX_PATTERN + 1)).unwrap_err();
        assert!(long.contains("`pattern_bytes` is 1000"), "{long}");
        let large = compile(r"\w{500}").unwrap_err();
        assert!(large.contains("`compiled_pattern` is 256 KiB"), "{large}");
        let longer: Dynamic = "a".repeat(MAX_MATCHED + 1).into();
        assert!(matches(&longer, "a").is_err());
        let text: Dynamic = "ab ".repeat(MAX_MATCHED / 3).into();
        for pattern in [r"(\w+\s?)+$", "(a|b|ab| )*c", r"(?i)(.*)(.*)(.*)d$"] {
            let begun = Instant::now();
            assert!(matches(&text, pattern).is_ok(), "{pattern}");
            assert!(begun.elapsed() < Duration::from_secs(5), "{pattern}");
        }
        for number in 0..2 * KEPT {
            assert!(!matches(&"a".into(), &format!("b{number}")).unwrap());
        }
        assert!(COMPILED.read().unwrap().len() <= KEPT);
    }
}
