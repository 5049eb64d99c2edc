//! Texts of others as they may be shown: what would steer a terminal, or turn the order of letters around, stands there
//! as an escape. Pure.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character does something to what is shown around it, and is not seen itself.
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            // Directions, and what joins or separates without being seen. A joiner that scripts need is none of them.
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// The text with such characters as escapes, `\u{202e}`; line breaks and tabs too.
pub fn shown(text: &str) -> Cow<'_, str> {
    escaped(text, |c| steers(c).then(|| c.escape_unicode().to_string()))
}

/// Of a text with its own lines: the same, without those.
pub fn shown_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| {
        (c != '\n' && steers(c)).then(|| c.escape_unicode().to_string())
    })
}

/// JSON that means the same, without such characters in its texts.
pub fn shown_json(json: &str) -> Cow<'_, str> {
    escaped(json, |c| {
        // Between the texts there are line breaks, and blanks.
        (!c.is_ascii_whitespace() && steers(c)).then(|| {
            let mut text = String::new();
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
            text
        })
    })
}

fn escaped(text: &str, escape: impl Fn(char) -> Option<String>) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut made = String::with_capacity(text.len());
    for c in text.chars() {
        match escape(c) {
            Some(escape) => made += &escape,
            None => made.push(c),
        }
    }
    Cow::Owned(made)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_steers_is_seen_and_everything_else_stays() {
        for (text, told) in [
            ("Ana Ortiz", "Ana Ortiz"),
            ("Zoë 🏠 אנה علی‌رضا", "Zoë 🏠 אנה علی‌رضا"),
            ("\u{1b}[2J\u{7}\u{9b}31m", "\\u{1b}[2J\\u{7}\\u{9b}31m"),
            ("\u{202e}zitrO\u{2069}", "\\u{202e}zitrO\\u{2069}"),
            ("a\nb\tc", "a\\u{a}b\\u{9}c"),
        ] {
            assert_eq!(shown(text), told);
        }
        assert_eq!(shown_lines("a\n\u{1b}b\n"), "a\n\\u{1b}b\n");
    }

    proptest! {
        #[test]
        fn json_means_the_same_without_what_steers(text in "\\PC*|[\u{0}-\u{ff}\u{200e}\u{202e}\u{e0041}\u{feff}]*") {
            let json = serde_json::to_string_pretty(&[&text]).unwrap();
            let shown = shown_json(&json);
            prop_assert!(!shown.chars().any(|c| c != '\n' && steers(c)), "{}", shown);
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&shown).unwrap(), [text]);
        }
    }
}
