//! The address in a text where an email is expected, in the one form in which addresses are compared (R10, R13a). Knows
//! no placeholders, and asks no server.

use email_address::EmailAddress;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;

/// Domains at the top that can receive nothing (RFC 2606).
const RESERVED: [&str; 4] = ["invalid", "test", "example", "localhost"];

/// A text that is not empty, and is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAddress;

/// The address that a text is, be it with a name or a remark beside it; none where it is empty. Several are none: which
/// one counts is not ours to say.
pub fn address(text: &str) -> Result<Option<String>, NoAddress> {
    let mut found = Vec::new();
    let mut parts = 0;
    each_part(text, &mut |part| {
        parts += 1;
        found.extend(of_part(part));
    });
    match (parts, found.pop()) {
        (0, _) => Ok(None),
        (1, Some(address)) => Ok(Some(address)),
        _ => Err(NoAddress),
    }
}

/// The addresses of a text that may hold several, with `;`, a comma, a blank or the end of a line between them. Where
/// something between commas or blanks is none, nothing beside it is one either: in `ana de la cruz@…` the last word is
/// somebody else's mailbox, and in `ana@mail,com` the comma is a slip.
pub fn addresses(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    each_part(text, &mut |part| found.extend(of_part(part)));
    found
}

/// Calls `take` with everything in a text that has to be an address as a whole.
fn each_part<'a>(text: &'a str, take: &mut dyn FnMut(&'a str)) {
    for group in split(text, &[';', '\n', '\r']) {
        if !group.contains(|c: char| c == ',' || c.is_whitespace()) {
            take(group);
            continue;
        }
        let commas = split(group, &[',']);
        let words: Vec<&str> = group.split_whitespace().collect();
        let is_list = |parts: &[&str]| parts.iter().all(|part| of_part(part).is_some());
        if is_list(&commas) {
            commas.into_iter().for_each(&mut *take);
        } else if is_list(&words) {
            words.into_iter().for_each(&mut *take);
        } else {
            take(group);
        }
    }
}

/// The parts between separators that stand in no quotation marks, without those that are empty.
fn split<'a>(text: &'a str, separators: &[char]) -> Vec<&'a str> {
    let mut quoted = false;
    let parts = text.split(|c: char| {
        quoted ^= c == '"';
        !quoted && separators.contains(&c)
    });
    parts.map(trim).filter(|part| !part.is_empty()).collect()
}

/// What nobody sees: it comes in with what is pasted.
fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// The address of `ana@mail.com`, `Ana <ana@mail.com>`, `mailto:ana@mail.com` or `ana@mail.com (at work)`.
fn of_part(part: &str) -> Option<String> {
    let part = without_remark(part);
    let address = match part.split_once('<') {
        None => part,
        Some((name, rest)) => {
            let address = trim(rest.strip_suffix('>')?);
            let name = trim(name).trim_matches('"');
            let again = name.eq_ignore_ascii_case(without_scheme(address));
            if name.contains('@') && !again {
                return None;
            }
            address
        }
    };
    of_address(without_scheme(address))
}

/// Without what stands in brackets at its end.
fn without_remark(part: &str) -> &str {
    let remark = part.strip_suffix(')').and_then(|rest| rest.rfind('('));
    remark.map_or(part, |begin| trim(part.get(..begin).unwrap_or_default()))
}

fn without_scheme(text: &str) -> &str {
    const SCHEME: &str = "mailto:";
    match text.split_at_checked(SCHEME.len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => {
            rest.split_once('?').map_or(rest, |(address, _)| address)
        }
        _ => text,
    }
}

/// Lower case, NFC, and the domain as the DNS has it: `ana@bücher.de` and `ana@xn--bcher-kva.de` are one.
fn of_address(text: &str) -> Option<String> {
    let plain = text.is_ascii();
    let text = if plain {
        text.to_ascii_lowercase()
    } else {
        text.nfc()
            .collect::<String>()
            .to_lowercase()
            .nfc()
            .collect()
    };
    let (local, domain) = text.rsplit_once('@')?;
    if local.contains(|c: char| c.is_whitespace() || is_invisible(c)) {
        return None;
    }
    let address = if plain && !domain.contains("xn--") {
        text
    } else {
        let (list, hyphens, length) = (AsciiDenyList::STD3, Hyphens::Allow, DnsLength::Verify);
        let domain = Uts46::new().to_ascii(domain.as_bytes(), list, hyphens, length);
        format!("{local}@{}", domain.ok()?)
    };
    (can_receive(&address) && EmailAddress::is_valid(&address)).then_some(address)
}

/// Whether its domain has a dot, and is no address of a machine and none that is reserved.
fn can_receive(address: &str) -> bool {
    let top = address.rsplit(['@', '.']).next().unwrap_or_default();
    let domain = address.rsplit('@').next().unwrap_or_default();
    domain.contains('.')
        && !domain.starts_with('[')
        && !top.bytes().all(|byte| byte.is_ascii_digit())
        && !RESERVED.contains(&top)
}

#[cfg(test)]
mod tests {
    use crate::testing::searching;
    use proptest::prelude::*;

    use super::*;

    /// R13a, B8.
    #[test]
    fn an_email_is_an_address_or_it_is_nothing() {
        for (text, wanted) in [
            ("ana@mail.com", Some("ana@mail.com")),
            (" Ana.O+tag@Mail.COM\u{a0}", Some("ana.o+tag@mail.com")),
            ("\u{feff}ana@mail.com\u{200b}", Some("ana@mail.com")),
            ("Ana Ortiz <ana@mail.com>", Some("ana@mail.com")),
            ("\"Ortiz, Ana\" <ana@mail.com>", Some("ana@mail.com")),
            ("Ortiz, Ana <ana@mail.com>", Some("ana@mail.com")),
            ("<ana@mail.com>", Some("ana@mail.com")),
            ("ana@mail.com <mailto:ana@mail.com>", Some("ana@mail.com")),
            ("MAILTO:ana@mail.com?subject=Hi", Some("ana@mail.com")),
            ("ana@mail.com (do not use)", Some("ana@mail.com")),
            ("jose\u{301}@mail.com", Some("josé@mail.com")),
            ("JOSÉ@mail.com", Some("josé@mail.com")),
            ("ana@bücher.de", Some("ana@xn--bcher-kva.de")),
            ("ana@BU\u{308}CHER.de", Some("ana@xn--bcher-kva.de")),
            ("ana@XN--bcher-kva.DE", Some("ana@xn--bcher-kva.de")),
            ("ana@163.com", Some("ana@163.com")),
            ("ana de la cruz@mail.com", None),
            ("gi ek@mail.com", None),
            ("bo@ mail.com", None),
            ("bo @mail.com", None),
            ("bo@mail. com", None),
            ("ana, ortiz@mail.com", None),
            ("ana,ortiz@mail.com", None),
            ("ana@mail.yahoo,com", None),
            ("ana@mail,com", None),
            ("ana@mail", None),
            ("ana@localhost", None),
            ("ana@mail.", None),
            ("ana@.com", None),
            ("ana@10.0.0.1", None),
            ("ana@[10.0.0.1]", None),
            ("none@none.invalid", None),
            ("ana@mail.test", None),
            ("ana@mail.EXAMPLE", None),
            ("ana@mail.localhost", None),
            ("ana@mail.test\u{200b}", None),
            ("ana@mail.ｔｅｓｔ", None),
            ("a\u{200b}na@mail.com", None),
            ("old:ana@mail.com", None),
            ("ana@mail.com/mother@mail.org", None),
            ("bo@mail.org <ana@mail.com>", None),
            ("Ana <ana ortiz@mail.com>", None),
            ("Ana <ana@mail.com> Ortiz", None),
            ("ana@xn--.com", None),
            ("n/a", None),
            ("@", None),
        ] {
            assert_eq!(
                address(text),
                wanted.map(|it| Some(it.into())).ok_or(NoAddress),
                "{text}"
            );
        }
        for empty in ["", " ", "\u{200b}", ";", "\n"] {
            assert_eq!(address(empty), Ok(None));
        }
        let two = "ana@mail.com; bo@mail.com";
        assert_eq!(address(two), Err(NoAddress));
    }

    #[test]
    fn of_several_each_is_an_address_or_none_beside_it_is() {
        for (text, wanted) in [
            ("a@mail.com; b@mail.com", &["a@mail.com", "b@mail.com"][..]),
            ("a@mail.com,b@mail.com", &["a@mail.com", "b@mail.com"]),
            ("a@mail.com b@mail.com", &["a@mail.com", "b@mail.com"]),
            (
                "a@mail.com\r\nB <b@mail.com>",
                &["a@mail.com", "b@mail.com"],
            ),
            (
                "A <a@mail.com>, \"B, C\" <b@mail.com>",
                &["a@mail.com", "b@mail.com"],
            ),
            (
                "a@mail.com (work), b@mail.com (home)",
                &["a@mail.com", "b@mail.com"],
            ),
            ("none; b@mail.com", &["b@mail.com"]),
            ("none, b@mail.com", &[]),
            ("a@mail.com or b@mail.com", &[]),
            ("ana de la cruz@mail.com; b@mail.com", &["b@mail.com"]),
            ("ana@mail,com@mail.com", &[]),
            ("none", &[]),
        ] {
            assert_eq!(addresses(text), wanted, "{text}");
        }
    }

    proptest! {
        #![proptest_config(searching(256))]

        #[test]
        fn an_address_is_its_own_normal_form(text in "\\PC{0,12}@?[a-zA-Zü0-9. -]{0,12}\\.[a-z]{2,3}[;, >)]{0,2}") {
            if let Ok(Some(once)) = address(&text) {
                prop_assert_eq!(address(&once), Ok(Some(once.clone())));
                prop_assert_eq!(addresses(&once), vec![once]);
            }
        }

        /// What is taken stands there as a whole: a blank, a comma or a bracket, or an end, on both its sides.
        #[test]
        fn an_address_is_never_a_part_of_what_stands_there(text in "[a-c ,;<>@.()\"]{0,24}") {
            for one in addresses(&text) {
                let bounds = |c: char| " ,;<>()\"".contains(c);
                let whole = text.match_indices(&one).any(|(at, _)| {
                    text[..at].chars().next_back().is_none_or(bounds)
                        && text[at + one.len()..].chars().next().is_none_or(bounds)
                });
                prop_assert!(whole, "{one}");
            }
        }
    }
}
