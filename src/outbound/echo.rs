//! Whether a text of the server repeats a secret, in whatever form it was sent or may have been written since. Pure.

use std::collections::HashMap;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use xxhash_rust::xxh3::xxh3_64;

use crate::config::Zeroizing;

/// How many bytes tell where a form of a secret may begin.
const GRAM: usize = 6;
/// Shorter pieces of a secret are found in any text.
const FEWEST: usize = 8;
/// Shorter secrets are looked for as whole words, and in no encoding but those that are undone.
const SHORT: usize = 4;
/// So much of an answer is looked at as it is, in bytes, and so much of any text where an encoding is undone.
const LOOKED_AT: usize = 256 << 10;
const UNDONE: usize = 64 << 10;
/// So many encodings one around the other are undone.
const DEPTH: usize = 3;
/// Shorter runs of letters and digits are no base64 of a secret.
const RUN: usize = 8;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How much of a secret makes a text one that repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// Half of it: whoever sees that can guess the rest.
    Half,
    /// All of it.
    Whole,
}

/// Secrets, and the forms that they may be found in. Everything is wiped when it is dropped.
pub(super) struct Echo {
    /// Too short to be looked for in pieces; in lower case.
    short: Vec<Zeroizing<String>>,
    /// Letters and digits alone, in lower case: so a form is found whatever stands between its parts.
    forms: Vec<Zeroizing<Vec<u8>>>,
    /// By the print of each [`GRAM`] bytes: of which form they are, and where in it.
    grams: HashMap<u64, Vec<(usize, usize)>>,
}

impl Echo {
    /// Looks for these.
    pub(super) fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Echo {
        let mut echo = Echo {
            short: Vec::new(),
            forms: Vec::new(),
            grams: HashMap::new(),
        };
        for secret in secrets {
            echo.add(secret);
        }
        echo
    }

    fn add(&mut self, secret: &str) {
        let plain = squeezed(secret);
        if plain.len() < FEWEST {
            self.short.push(Zeroizing::new(secret.to_lowercase()));
        } else {
            self.form(plain);
        }
        if secret.len() < SHORT {
            return;
        }
        let wide: Zeroizing<Vec<u8>> =
            Zeroizing::new(secret.encode_utf16().flat_map(u16::to_le_bytes).collect());
        for bytes in [secret.as_bytes(), &wide] {
            self.form(hexadecimal(bytes));
            for before in 0..3 {
                self.form(squeezed(&base64_behind(before, bytes)));
            }
        }
        let decimal: String = secret.bytes().map(|byte| byte.to_string()).collect();
        self.form(Zeroizing::new(decimal.into_bytes()));
    }

    fn form(&mut self, form: Zeroizing<Vec<u8>>) {
        if form.len() < GRAM {
            return;
        }
        for (at, gram) in form.windows(GRAM).enumerate() {
            let places = self.grams.entry(xxh3_64(gram)).or_default();
            places.push((self.forms.len(), at));
        }
        self.forms.push(form);
    }

    /// Whether so much of a secret stands in a text.
    pub(super) fn stands_in(&self, text: &str, share: Share) -> bool {
        let text = match share {
            Share::Half => head(text, LOOKED_AT),
            Share::Whole => text,
        };
        if self.is_seen_in(text, share) {
            return true;
        }
        let mut texts = vec![head(text, UNDONE).to_owned()];
        for _ in 0..DEPTH {
            texts = texts
                .iter()
                .flat_map(|text| {
                    let escapes = ['%', '&', '\\'].map(|begins| unescaped(text, begins));
                    escapes.into_iter().chain([decoded(text)])
                })
                .flatten()
                .map(|text| head(&text, UNDONE).to_owned())
                .collect();
            if texts.iter().any(|text| self.is_seen_in(text, share)) {
                return true;
            }
        }
        false
    }

    fn is_seen_in(&self, text: &str, share: Share) -> bool {
        let lower = text.to_lowercase();
        if self.short.iter().any(|short| is_word(&lower, short)) {
            return true;
        }
        let text = squeezed(text);
        // Lists of bytes as programs print them.
        let bare = lower
            .contains("0x")
            .then(|| squeezed(&lower.replace("0x", "")));
        self.is_formed_in(&text, share) || bare.is_some_and(|bare| self.is_formed_in(&bare, share))
    }

    fn is_formed_in(&self, text: &[u8], share: Share) -> bool {
        text.windows(GRAM).enumerate().any(|(at, gram)| {
            let places = self.grams.get(&xxh3_64(gram));
            places.into_iter().flatten().any(|&(form, from)| {
                let form = &self.forms[form];
                let same = form[from..].iter().zip(&text[at..]);
                same.take_while(|(one, other)| one == other).count() >= enough(form.len(), share)
            })
        })
    }
}

fn enough(length: usize, share: Share) -> usize {
    match share {
        Share::Half => length.div_ceil(2).max(FEWEST).min(length),
        Share::Whole => length,
    }
}

/// Its letters and digits, in lower case.
fn squeezed(text: &str) -> Zeroizing<Vec<u8>> {
    let mut squeezed = String::with_capacity(text.len());
    for c in text.chars().filter(|c| c.is_alphanumeric()) {
        squeezed.extend(c.to_lowercase());
    }
    Zeroizing::new(squeezed.into_bytes())
}

/// Whether a short secret stands there; one that is very short only as a word of its own.
fn is_word(text: &str, short: &str) -> bool {
    let alone = short.len() < SHORT;
    text.match_indices(short).any(|(at, found)| {
        let joins = |c: Option<char>| alone && c.is_some_and(char::is_alphanumeric);
        let (before, behind) = (&text[..at], &text[at + found.len()..]);
        !joins(before.chars().next_back()) && !joins(behind.chars().next())
    })
}

fn hexadecimal(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Zeroizing::new(digits.map(|digit| DIGITS[usize::from(digit)]).collect())
}

/// What base64 makes of bytes whatever stands before and behind them, where so many bytes of a group of three stand
/// before.
fn base64_behind(before: usize, bytes: &[u8]) -> Zeroizing<String> {
    let padded = Zeroizing::new([&vec![0; before], bytes].concat());
    let whole = Zeroizing::new(BASE64.encode(&*padded));
    let from = [0, 2, 3][before];
    let to = whole.len() - usize::from(padded.len() % 3 != 0);
    Zeroizing::new(whole.get(from..to).unwrap_or_default().to_owned())
}

fn head(text: &str, length: usize) -> &str {
    text.get(..text.floor_char_boundary(length)).unwrap_or(text)
}

/// Bytes as text, be it in the encoding of old pages.
fn as_text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        error
            .as_bytes()
            .iter()
            .map(|&byte| char::from(byte))
            .collect()
    })
}

/// The text behind escapes that begin so: those of URLs, of XML and HTML, or of JSON and programs. One layer of them is
/// undone; none where there are none.
pub(super) fn unescaped(text: &str, begins: char) -> Option<String> {
    let mut made = Vec::with_capacity(text.len());
    let mut rest = text;
    let mut any = false;
    while let Some(at) = rest.find(begins) {
        made.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        let (length, bytes) = escape(rest).unwrap_or((1, rest.as_bytes()[..1].to_vec()));
        any |= length > 1;
        made.extend_from_slice(&bytes);
        rest = &rest[length..];
    }
    made.extend_from_slice(rest.as_bytes());
    any.then(|| as_text(made))
}

/// The escape that a text begins with: its length, and what it stands for.
fn escape(text: &str) -> Option<(usize, Vec<u8>)> {
    let number = |from: usize, length: usize, base: u32| -> Option<u32> {
        let digits = text.get(from..from + length)?;
        let all = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base));
        all.then(|| u32::from_str_radix(digits, base).ok())?
    };
    let of_char = |number: u32| -> Vec<u8> {
        char::from_u32(number).map_or_else(Vec::new, |c| c.to_string().into_bytes())
    };
    // A half of a pair takes the other half along.
    let of_16 = |from: usize| -> Option<(usize, Vec<u8>)> {
        let first = number(from, 4, 16)?;
        let second = || number(from + 4 + from, 4, 16).filter(|low| (0xDC00..0xE000).contains(low));
        match first {
            0xD800..0xDC00 => {
                let low = second()?;
                let whole = 0x1_0000 + ((first - 0xD800) << 10) + (low - 0xDC00);
                Some((2 * (from + 4), of_char(whole)))
            }
            _ => Some((from + 4, of_char(first))),
        }
    };
    let of_byte = |from: usize, length: usize, base: u32| {
        let byte = u8::try_from(number(from, length, base)?).ok()?;
        Some((from + length, vec![byte]))
    };
    let braced = |from: usize, end: char, base: u32| {
        let digits = text.get(from..)?;
        let length = digits
            .find(|c: char| !c.is_digit(base))
            .unwrap_or(digits.len());
        let ends = text[from + length..].starts_with(end);
        let number = number(from, length.min(8), base)?;
        Some((from + length + usize::from(ends), of_char(number)))
    };
    let mut chars = text.chars();
    match (chars.next()?, chars.next()?) {
        ('%', 'u' | 'U') | ('\\', 'u') if number(2, 4, 16).is_some() => of_16(2),
        ('%', _) => of_byte(1, 2, 16),
        ('\\', 'u') => braced(3, '}', 16).filter(|_| text.starts_with("\\u{")),
        ('\\', 'x' | 'X') => of_byte(2, 2, 16),
        ('\\', '0'..='3') if number(1, 3, 8).is_some() => of_byte(1, 3, 8),
        ('\\', 'n' | 'r' | 't' | 'b' | 'f') => Some((2, vec![b' '])),
        ('\\', c) => Some((1 + c.len_utf8(), c.to_string().into_bytes())),
        ('&', '#') if matches!(chars.next(), Some('x' | 'X')) => braced(3, ';', 16),
        ('&', '#') => braced(2, ';', 10),
        ('&', _) => {
            let length = text[1..].find(|c: char| !c.is_ascii_alphanumeric())?;
            let (name, ends) = (&text[1..=length], text[1 + length..].starts_with(';'));
            // Others than these stand for no letter or digit of ASCII.
            let stands_for = quick_xml::escape::resolve_xml_entity(name).unwrap_or_default();
            (ends && !name.is_empty()).then(|| (length + 2, stands_for.into()))
        }
        _ => None,
    }
}

/// Every run of base64 in a text, as text, wherever in the run it begins; none where there is no run.
fn decoded(text: &str) -> Option<String> {
    let mut made = Vec::new();
    let is_of_run = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
    for run in text.split(|c| !is_of_run(c)).filter(|run| run.len() >= RUN) {
        let run = run.replace('-', "+").replace('_', "/");
        for from in 0..4 {
            let run = &run.as_bytes()[from..];
            // A single letter at the end stands for nothing whole.
            let length = run.len() - usize::from(run.len() % 4 == 1);
            if let Ok(bytes) = BASE64.decode(&run[..length]) {
                made.extend_from_slice(&as_text(bytes).into_bytes());
                made.push(b'\n');
            }
        }
    }
    (!made.is_empty()).then(|| as_text(made))
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use proptest::prelude::*;

    use super::*;

    fn percent(text: &str) -> String {
        format!("%{}", hex(text, "%").to_lowercase())
    }

    fn hex(text: &str, between: &str) -> String {
        let bytes: Vec<String> = text.bytes().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(between)
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    /// Every way in which an answer was seen to write what it was sent, and more.
    fn forms(secret: &str) -> Vec<String> {
        let references = |base: &str| -> String {
            let chars = secret.chars().map(u32::from);
            chars
                .map(|c| match base {
                    "x" => format!("&#x{c:X};"),
                    _ => format!("&#{c};"),
                })
                .collect()
        };
        let escapes: Vec<String> = secret
            .encode_utf16()
            .map(|c| format!("\\u{c:04x}"))
            .collect();
        let bytes: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
        let letters: Vec<String> = secret.chars().map(String::from).collect();
        let json = serde_json::to_string(secret).unwrap();
        let mut forms = vec![
            secret.to_owned(),
            secret.to_uppercase(),
            url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
            quick_xml::escape::escape(secret).into_owned(),
            quick_xml::escape::escape(percent(secret)).into_owned(),
            serde_json::to_string(&json).unwrap(),
            json,
            percent(secret),
            percent(&percent(secret)),
            references("x"),
            references(""),
            percent(&references("")),
            escapes.concat(),
            bytes.join(", "),
            letters.join("\n"),
            letters.join("-"),
            hex(secret, ""),
            hex(secret, ":"),
            format!("0x{}", hex(secret, ", 0x")),
            STANDARD.encode(wide(secret)),
            STANDARD.encode(STANDARD.encode(secret)),
            percent(&STANDARD.encode(secret)),
        ];
        for before in ["", "u", "us", "user:"] {
            let joined = format!("{before}{secret}:x");
            forms.extend([STANDARD.encode(&joined), URL_SAFE.encode(&joined)]);
            forms.push(STANDARD.encode(percent(&joined)));
        }
        forms
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        for secret in [
            "hunter2-Sesame",
            "p&ss w\"rd<é>/+%=1",
            "0123456789abcdef",
            "Кошка-и-дом",
        ] {
            let echo = Echo::of([secret]);
            for form in forms(secret) {
                let said = format!("Your request: Authorization=[{form}] was not understood.");
                assert!(echo.stands_in(&said, Share::Whole), "{secret} in {said}");
                assert!(echo.stands_in(&said, Share::Half), "{secret} in {said}");
            }
        }
    }

    #[test]
    fn half_of_a_secret_is_too_much_and_a_word_of_it_is_not() {
        let echo = Echo::of(["correct-horse-battery-staple"]);
        let stands = |said: &str| echo.stands_in(said, Share::Half);
        assert!(stands(
            "the token that begins with correct horse bat… is over"
        ));
        assert!(stands("…ttery-staple-correct horse battery is no word"));
        assert!(!stands("that is not correct; is your horse on battery?"));
        let whole = "the token that begins with correct horse bat… is over";
        assert!(!echo.stands_in(whole, Share::Whole));
    }

    #[test]
    fn a_short_secret_is_found_and_does_not_silence_everything() {
        let echo = Echo::of(["abc", "7&x9", "pass1"]);
        for said in [
            "no abc.",
            "?p=7%26X9",
            "(7&amp;x9)",
            "pass1234",
            "cGFzczE=",
            "70617373 31",
        ] {
            assert!(echo.stands_in(said, Share::Half), "{said}");
        }
        for said in [
            "abcd is no name",
            "Wrong password. Try again in 7 minutes",
            "",
        ] {
            assert!(!echo.stands_in(said, Share::Half), "{said}");
        }
    }

    #[test]
    fn what_a_pms_says_as_usual_repeats_nothing() {
        let echo = Echo::of([
            "Wh2x-9Qz4-Lm7t",
            "4f9a1c02-77de-4b1c-9a53-0c1de2f4a6b8",
            "YW5hOldoMng5",
        ]);
        for said in [
            "Login failed for user 'epms'. The password is wrong or has expired (code 18456, 0x80040E4D).",
            "{\"error\":\"invalid_client\",\"trace\":\"8f14e45fceea167a5a36dedd4bea2543\",\"at\":\"2026-10-31T23:00:00Z\"}",
            "%PDF-1.4 100% &nbsp; C:\\new\\users \\u00",
            "&#x110000000000; &#; &; \\u{ %u12 \\ud800 \\ud800\\u0041 %",
        ] {
            assert!(!echo.stands_in(said, Share::Half), "{said}");
        }
    }

    proptest! {
        #[test]
        fn a_secret_is_found_whatever_it_is_and_whatever_stands_around_it(
            secret in "[!-~]{8,40}",
            before in "[ -~]{0,9}",
            behind in "[ -~]{0,9}",
        ) {
            let echo = Echo::of([secret.as_str()]);
            let joined = format!("{before}{secret}{behind}");
            let base64 = STANDARD.encode(&joined);
            prop_assert!(echo.stands_in(&joined, Share::Half));
            prop_assert!(echo.stands_in(&base64, Share::Half), "{}", base64);
            prop_assert!(echo.stands_in(&percent(&base64), Share::Half));
            prop_assert!(echo.stands_in(&serde_json::to_string(&joined).unwrap(), Share::Half));
            prop_assert!(echo.stands_in(&quick_xml::escape::escape(&joined), Share::Half));
        }

        #[test]
        fn no_text_is_too_odd(said in "(\\PC|[%&#;ux0-9{}\\\\]){0,60}") {
            Echo::of(["hunter2-Sesame"]).stands_in(&said, Share::Half);
        }
    }
}
