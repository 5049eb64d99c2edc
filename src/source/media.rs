//! The parameters of a media type, as `Content-Type` carries them (RFC 9110, 8.3.1). Pure.

use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::link::outside_quotes;

/// The encoding that the headers of an answer name.
pub(super) fn charset(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    parameter(value, "charset")
}

/// The value of a parameter; its name has no case.
pub(super) fn parameter(media_type: &str, name: &str) -> Option<String> {
    let mut rest = media_type;
    while let Some(at) = outside_quotes(rest, ';') {
        rest = rest.get(at + 1..)?;
        let end = outside_quotes(rest, ';').unwrap_or(rest.len());
        let (key, value) = rest.get(..end)?.split_once('=').unwrap_or_default();
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(unquoted(value.trim()));
        }
    }
    None
}

fn unquoted(value: &str) -> String {
    let quoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    let Some(quoted) = quoted else {
        // Some servers write single quotes, or leave one of the two out.
        return value.trim_matches(['"', '\'']).to_owned();
    };
    let (mut text, mut escaped) = (String::new(), false);
    for character in quoted.chars() {
        escaped = character == '\\' && !escaped;
        if !escaped {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_whatever_its_case_its_blanks_and_its_quotes() {
        let charset = |text: &str| parameter(text, "charset");
        for text in [
            "text/csv; charset=windows-1252",
            "text/csv; Charset=windows-1252",
            "text/csv;header=present;CHARSET = \"windows-1252\" ; x=1",
            "text/csv; a=\"; charset=utf-8\"; charset=windows-1252",
            "text/csv; charset='windows-1252'",
            "text/csv; boundary; charset=\"windows\\-1252\"",
        ] {
            assert_eq!(charset(text).as_deref(), Some("windows-1252"), "{text}");
        }
        for none in ["text/csv", "text/csv; xcharset=a", "charset=utf-8", ""] {
            assert_eq!(charset(none), None, "{none}");
        }
    }
}
