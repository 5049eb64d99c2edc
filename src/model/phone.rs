//! Phone numbers (R11): one in its normal form, and those in a text with words around. Where a number stands in a record is
//! not known here.
//!
//! Numbers of the North American Numbering Plan are judged here, by its rules of form: which area codes are in use changes
//! all the time. Those of other countries are read by `phonenumber`, which knows how each writes them.

use phonenumber::Mode;
use phonenumber::country::Id;

/// Countries that share the North American Numbering Plan.
const NANP: [&str; 25] = [
    "US", "CA", "PR", "VI", "GU", "AS", "MP", "BS", "BB", "AG", "AI", "VG", "KY", "BM", "GD", "TC",
    "JM", "MS", "SX", "LC", "DM", "VC", "DO", "TT", "KN",
];

/// So many digits a number has that can be called from everywhere.
const LONGEST: usize = 15;

/// So many, where it begins neither with `+` nor with a zero.
const LONGEST_HERE: usize = 11;

/// A number with fewer digits is a part of one.
const SHORTEST: usize = 7;

/// So many characters of a text are searched for numbers: nobody has more phones.
const SEARCHED: usize = 2_000;

/// What stands before an extension. Behind it stand as many digits as an extension may have.
const EXTENSION: [&str; 8] = [
    "x",
    "ext",
    "extn",
    "extension",
    "anexo",
    "poste",
    "dw",
    "durchwahl",
];

/// As many digits an extension may have.
const LONGEST_EXTENSION: usize = 6;

/// E.164 when it is valid for the country, an ISO 3166 code (R11). Outside of the North American Numbering Plan a number
/// with `+` or `00` counts as one also where `phonenumber` does not know it: numbering plans change.
pub fn phone(text: &str, country: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    // An extension is nobody's phone.
    let text = text
        .split(['x', ';', '#'])
        .next()?
        .trim_end_matches('e')
        .trim();
    let international = text.starts_with('+');
    let digits = digits(text);
    if text.chars().any(char::is_alphabetic) {
        return None;
    }
    let nanp = NANP.contains(&country);
    let international = if international {
        Some(digits.as_str())
    } else if nanp {
        digits.strip_prefix("011")
    } else {
        digits.strip_prefix("00")
    };
    match international {
        Some(number) => match number.strip_prefix('1') {
            Some(national) => is_nanp(national).then(|| format!("+1{national}")),
            None => abroad(number),
        },
        None if nanp => {
            let national = if digits.len() == 11 {
                digits.strip_prefix('1')?
            } else {
                &digits
            };
            is_nanp(national).then(|| format!("+1{national}"))
        }
        None => national(&digits, country),
    }
}

/// A number behind its `+`, without the zero that is for calls within its country.
fn abroad(digits: &str) -> Option<String> {
    if digits.starts_with('0') || digits.len() > LONGEST + 1 {
        return None;
    }
    let number = format!("+{digits}");
    let known = phonenumber::parse(None, &number).ok();
    known
        .filter(phonenumber::PhoneNumber::is_valid)
        .map(|known| known.format().mode(Mode::E164).to_string())
        .or_else(|| (8..=LONGEST).contains(&digits.len()).then_some(number))
}

/// A number as it is called within its country.
fn national(digits: &str, country: &str) -> Option<String> {
    if !(SHORTEST..=LONGEST).contains(&digits.len()) {
        return None;
    }
    let country: Id = country.parse().ok()?;
    let number = phonenumber::parse(Some(country), digits).ok()?;
    number
        .is_valid()
        .then(|| number.format().mode(Mode::E164).to_string())
}

/// Area code `[2-9][0-8]x`, not `x11`; exchange `[2-9]xx`, not `x11`.
fn is_nanp(national: &str) -> bool {
    let digit = |index: usize| national.as_bytes().get(index).copied().unwrap_or_default();
    national.len() == 10
        && (b'2'..=b'9').contains(&digit(0))
        && digit(1) != b'9'
        && national.get(1..3).is_none_or(|rest| rest != "11")
        && (b'2'..=b'9').contains(&digit(3))
        && national.get(4..6).is_none_or(|rest| rest != "11")
}

/// The numbers of a text, as they are written, without words and extensions: what has the digits of one. Which country's
/// they are is not asked.
pub fn phones(text: &str) -> Vec<String> {
    let is_one = |text: &str| {
        let digits = digits(text);
        let is_abroad = text.starts_with('+') || digits.starts_with('0');
        let longest = if is_abroad { LONGEST } else { LONGEST_HERE };
        (SHORTEST..=longest)
            .contains(&digits.len())
            .then(|| text.to_owned())
    };
    each(text, is_one)
}

/// A country as its ISO 3166 code is written; none where phones of no such country are known.
pub fn country_of(text: &str) -> Option<String> {
    let country = text.trim().to_ascii_uppercase();
    let is_known = NANP.contains(&country.as_str()) || country.parse::<Id>().is_ok();
    is_known.then_some(country)
}

/// The numbers of a text in their normal form, without those that are none in the country.
pub fn phones_of(text: &str, country: &str) -> Vec<String> {
    each(text, |text| phone(text, country))
}

/// What `read` makes of each stretch of a text that is written as a number. Where several groups of digits stand beside each
/// other, the longest that is one goes first.
fn each(text: &str, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    let end = text.char_indices().nth(SEARCHED).map(|(at, _)| at);
    let stretches = stretches(text.get(..end.unwrap_or(text.len())).unwrap_or_default());
    for stretch in stretches.iter().flat_map(|one| by_slashes(one, &read)) {
        let groups = stretch.split_whitespace();
        let groups: Vec<&str> = groups.flat_map(|one| by_slashes(one, &read)).collect();
        let mut at = 0;
        while at < groups.len() {
            // More groups than a number has digits are not one number.
            let most = groups.len().min(at + LONGEST);
            // An area code in brackets begins another one, where a whole number stands before it.
            let most = (at + 1..most)
                .find(|next| {
                    let before = groups.get(at..*next).unwrap_or_default().concat();
                    groups
                        .get(*next)
                        .is_some_and(|group| group.starts_with('('))
                        && digits(&before).len() >= SHORTEST
                })
                .unwrap_or(most);
            let longest = (at + 1..=most).rev().find_map(|end| {
                let written = groups.get(at..end)?.join(" ");
                let written = trimmed(&written);
                if is_day(written) {
                    return None;
                }
                Some((end, read(written)?))
            });
            match longest {
                Some((end, number)) => {
                    if !found.contains(&number) {
                        found.push(number);
                    }
                    at = end;
                }
                None => at += 1,
            }
        }
    }
    found
}

/// A text, taken apart at its slashes where a number stands on each side of them; `030/123456` is one number.
fn by_slashes<'a>(text: &'a str, read: &impl Fn(&str) -> Option<String>) -> Vec<&'a str> {
    let mut parts = text.split('/');
    if parts.all(|part| read(trimmed(part)).is_some()) {
        text.split('/').collect()
    } else {
        vec![text]
    }
}

/// Without what stands around a number: its own brackets stay.
fn trimmed(text: &str) -> &str {
    let is_sign = |c: char| c.is_whitespace() || "-./".contains(c);
    let text = text.trim_matches(is_sign);
    let text = text.trim_end_matches(|c| c == '(' || is_sign(c));
    let text = text.trim_start_matches(|c| c == ')' || is_sign(c));
    match (text.contains('('), text.contains(')')) {
        (true, false) => text.trim_start_matches('('),
        (false, true) => text.trim_end_matches(')'),
        _ => text,
    }
}

/// The stretches of a text that are written as numbers are, without extensions.
fn stretches(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut word = String::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let is_sign = "()-./".contains(character) || is_dash(character);
        let is_blank = character.is_whitespace() && !"\n\r".contains(character);
        if character.is_ascii_digit() || is_sign || is_blank {
            if let Some(stretch) = found.last_mut() {
                stretch.push(if is_dash(character) { '-' } else { character });
            }
            if character.is_ascii_digit() {
                word.clear();
            }
            continue;
        }
        // Another one begins.
        found.push(if character == '+' { "+" } else { "" }.to_owned());
        word.extend(character.to_lowercase());
        let goes_on = rest.peek().is_some_and(|next| next.is_alphabetic());
        if character == '#' || !goes_on && EXTENSION.contains(&word.trim()) {
            while rest
                .next_if(|c| c.is_whitespace() || ".:".contains(*c))
                .is_some()
            {}
            for _ in 0..LONGEST_EXTENSION {
                if rest.next_if(char::is_ascii_digit).is_none() {
                    break;
                }
            }
        }
        if !goes_on {
            word.clear();
        }
    }
    found
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Dashes that are none of the keyboard's.
fn is_dash(character: char) -> bool {
    matches!(character, '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// `2026-03-01` has as many digits as a number.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    matches!(parts.as_slice(), [year, month, day] | [month, day, year]
        if year.len() == 4 && (1..=2).contains(&month.len()) && (1..=2).contains(&day.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::searching;

    #[test]
    fn r11_phones_are_e164_for_the_country_or_dropped() {
        for (text, country, wanted) in [
            ("(415) 555-0100", "US", Some("+14155550100")),
            ("1-415-555-0100 x22", "US", Some("+14155550100")),
            ("415.555.0100 ext 5", "US", Some("+14155550100")),
            ("+44 20 7946 0000", "US", Some("+442079460000")),
            ("011 44 20 7946 0000", "CA", Some("+442079460000")),
            ("0044 20 7946 0000", "GB", Some("+442079460000")),
            ("999-999-9999", "US", None),
            ("(999) 999-9999", "US", None),
            ("555-0100", "US", None),
            ("911", "US", None),
            ("call me", "US", None),
        ] {
            assert_eq!(phone(text, country).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn r11_a_number_of_another_country_is_understood_as_it_is_written_there() {
        for (text, country, wanted) in [
            ("020 7946 0000", "GB", Some("+442079460000")),
            ("+44 (0)20 7946 0000", "US", Some("+442079460000")),
            ("+49 (0)30 123456", "US", Some("+4930123456")),
            ("030/123456", "DE", Some("+4930123456")),
            ("+49 (0)151 23456789", "DE", Some("+4915123456789")),
            // The zero of Italy is part of the number.
            ("06 6982 1234", "IT", Some("+390669821234")),
            ("+39 06 6982 1234", "US", Some("+390669821234")),
            ("01 42 68 53 00", "FR", Some("+33142685300")),
            ("55 1234 5678", "MX", Some("+525512345678")),
            ("0151 234", "DE", None),
            ("12345678", "GB", None),
            ("020 7946 0000", "ZZ", None),
            ("020 7946 0000", "", None),
            // Nothing is known of such a country, and nothing is lost.
            ("+999 1234 5678", "US", Some("+99912345678")),
            ("+49 30", "US", None),
        ] {
            assert_eq!(
                phone(text, country).as_deref(),
                wanted,
                "{text} in {country}"
            );
        }
    }

    #[test]
    fn r11_numbers_are_found_among_words_without_extensions_and_days() {
        for (text, as_written, in_us) in [
            (
                "Cell: 212-555-0100 (after 5pm), home 212 555 0101 ext. 4",
                vec!["212-555-0100", "212 555 0101"],
                vec!["+12125550100", "+12125550101"],
            ),
            (
                "212-555-0100 x 4 / 212.555.0101",
                vec!["212-555-0100", "212.555.0101"],
                vec!["+12125550100", "+12125550101"],
            ),
            (
                "(212) 555-0100 (646) 555-0101",
                vec!["(212) 555-0100", "(646) 555-0101"],
                vec!["+12125550100", "+16465550101"],
            ),
            (
                "212-555-0100 since 2026-03-01",
                vec!["212-555-0100"],
                vec!["+12125550100"],
            ),
            (
                "+49 (0)30 123456, mobil +49 151 23456789",
                vec!["+49 (0)30 123456", "+49 151 23456789"],
                vec!["+4930123456", "+4915123456789"],
            ),
            (
                "212\u{2013}555\u{2013}0100",
                vec!["212-555-0100"],
                vec!["+12125550100"],
            ),
            (
                "212-555-0100\n212-555-0100",
                vec!["212-555-0100"],
                vec!["+12125550100"],
            ),
            (
                "2125550100#123456",
                vec!["2125550100"],
                vec!["+12125550100"],
            ),
            (
                "212-555-0100/212-555-0101",
                vec!["212-555-0100", "212-555-0101"],
                vec!["+12125550100", "+12125550101"],
            ),
            (
                "(212) 555-0100/(646) 555-0101",
                vec!["(212) 555-0100", "(646) 555-0101"],
                vec!["+12125550100", "+16465550101"],
            ),
            (
                "212 555 0100/646 555 0101",
                vec!["212 555 0100", "646 555 0101"],
                vec!["+12125550100", "+16465550101"],
            ),
            (
                "2125550100/6465550101 9175550102",
                vec!["2125550100", "6465550101", "9175550102"],
                vec!["+12125550100", "+16465550101", "+19175550102"],
            ),
            ("030/123456", vec!["030/123456"], vec![]),
            (
                "030/123456 / 0151/23456789",
                vec!["030/123456", "0151/23456789"],
                vec![],
            ),
            ("555-0100", vec!["555-0100"], vec![]),
            ("no phone", vec![], vec![]),
            ("unit 12, 5 pm", vec![], vec![]),
            ("", vec![], vec![]),
        ] {
            assert_eq!(phones(text), as_written, "{text}");
            assert_eq!(phones_of(text, "US"), in_us, "{text}");
        }
    }

    #[test]
    fn a_text_without_end_is_searched_to_a_limit() {
        let text = format!("212-555-0100, {}212-555-0101", "1 ".repeat(SEARCHED));
        assert_eq!(phones_of(&text, "US"), ["+12125550100"]);
        assert!(phones_of(&"7 ".repeat(60_000), "DE").len() < SEARCHED);
    }

    proptest! {
        #![proptest_config(searching(256))]

        #[test]
        fn a_phone_is_e164_or_nothing(text in "[0-9+() x.-]{0,24}", country in "(US|DE|GB|IT|MX|AR|BR|ZZ|[A-Z]{0,3})") {
            if let Some(found) = phone(&text, &country) {
                prop_assert!(found.starts_with('+') && found.len() <= 16, "{}", found);
                prop_assert!(found.bytes().skip(1).all(|b| b.is_ascii_digit()));
                prop_assert_eq!(phone(&found, &country), Some(found.clone()));
                prop_assert_eq!(phone(&found, "US"), Some(found));
            }
        }

        #[test]
        fn whatever_a_text_holds_its_numbers_are_stretches_of_it(text in "([0-9+() x#.,/-]{0,60}|\\PC{0,40})") {
            for found in phones(&text) {
                prop_assert!((7..=15).contains(&digits(&found).len()));
                prop_assert!(digits(&text).contains(&digits(&found)));
            }
            for found in phones_of(&text, "DE") {
                prop_assert_eq!(phone(&found, "DE"), Some(found));
            }
        }
    }
}
