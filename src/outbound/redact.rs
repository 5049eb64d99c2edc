//! What may be shown of what was sent and of what came back: no secret of the credential, in whatever form. Pure.

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, PROXY_AUTHORIZATION, SET_COOKIE};
use serde::Serialize;

use super::account::Account;
use super::echo::{Echo, Share};

/// What stands in the place of a line that holds a secret in a form that cannot be cut out of it.
const LINE: &str = "‹a line that repeats the credential›";
/// The same of a text as a whole.
const ALL: &str = "‹not shown: it repeats the credential in a form that cannot be cut out›";
/// A text is looked through in pieces of this size, so that all that is looked for is looked for in all of it.
const PIECE: usize = 48 << 10;
/// What two pieces have in common: no form of a secret is longer.
const COMMON: usize = 8 << 10;

/// A text without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Redacted {
    /// The text, or as much of it as was asked for.
    pub text: String,
    /// How many bytes of it are left out at the end.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde asks it")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// A header without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RedactedHeader {
    /// In lower case.
    pub name: String,
    /// What may be shown of its value.
    pub value: String,
}

impl Account {
    /// A text without the credential's secrets, its tokens, and what was made of them; at most so many bytes of it.
    pub(crate) fn redacted(&self, text: &str, most: Option<usize>) -> Redacted {
        let struck = self.strike(text);
        let end = most.map_or(struck.len(), |most| struck.floor_char_boundary(most));
        let (shown, rest) = struck.split_at(end);
        self.with_secrets(|secrets| {
            let echo = Echo::of(secrets.iter().copied());
            Redacted {
                text: without(&echo, shown),
                left_out: rest.len(),
            }
        })
    }

    /// Headers without secrets, in the order of their names. A cookie is a secret, whoever made it, and so is what
    /// proves who asks.
    pub(crate) fn redacted_headers(&self, headers: &HeaderMap) -> Vec<RedactedHeader> {
        let mut redacted: Vec<RedactedHeader> = headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes());
                let value = match name {
                    &SET_COOKIE | &COOKIE => match value.split_once('=') {
                        Some((cookie, _)) => format!("{cookie}=***"),
                        None => "***".to_owned(),
                    },
                    &AUTHORIZATION | &PROXY_AUTHORIZATION => match value.split_once(' ') {
                        Some((scheme, _)) => format!("{scheme} ***"),
                        None => "***".to_owned(),
                    },
                    _ => value.into_owned(),
                };
                RedactedHeader {
                    name: name.as_str().to_owned(),
                    value: self.redacted(&value, None).text,
                }
            })
            .collect();
        redacted.sort_by(|one, other| one.name.cmp(&other.name));
        redacted
    }
}

/// A text without the lines that repeat a secret, or nothing of it where they do so together.
fn without(echo: &Echo, text: &str) -> String {
    if !repeats(echo, text) {
        return text.to_owned();
    }
    let lines = text.split_inclusive('\n').map(|line| {
        if repeats(echo, line) {
            let ends = if line.ends_with('\n') { "\n" } else { "" };
            format!("{LINE}{ends}")
        } else {
            line.to_owned()
        }
    });
    let rest: String = lines.collect();
    if repeats(echo, &rest) {
        return ALL.to_owned();
    }
    rest
}

fn repeats(echo: &Echo, text: &str) -> bool {
    let mut from = 0;
    loop {
        let to = text.floor_char_boundary(from + PIECE);
        if echo.stands_in(&text[from..to], Share::Half) {
            return true;
        }
        if to >= text.len() {
            return false;
        }
        from = text.floor_char_boundary(to - COMMON);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_repeats_a_secret_is_left_out_and_the_others_stay() {
        let echo = Echo::of(["hunter2-Sesame"]);
        let text = "first\nkey 68756e746572322d536573616d65\nlast";
        assert_eq!(without(&echo, text), format!("first\n{LINE}\nlast"));
        assert_eq!(without(&echo, "nothing of it\n"), "nothing of it\n");
    }

    #[test]
    fn a_secret_over_several_lines_leaves_nothing_of_the_text() {
        let echo = Echo::of(["hunter2-Sesame"]);
        assert_eq!(without(&echo, "hunt\ner2-\nSesa\nme"), ALL);
    }

    #[test]
    fn a_secret_is_found_wherever_it_stands_in_a_long_text() {
        let echo = Echo::of(["hunter2-Sesame"]);
        for before in [PIECE - 9, PIECE + COMMON, 3 * PIECE - 7] {
            let text = format!("{}\naHVudGVyMi1TZXNhbWU=\n", "é ".repeat(before / 3));
            assert!(
                without(&echo, &text).ends_with(&format!("{LINE}\n")),
                "{before}"
            );
        }
    }
}
