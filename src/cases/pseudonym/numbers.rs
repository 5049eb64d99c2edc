//! Phones and other numbers of a recording, and what stands in their place: digits for digits in the same notation.

use std::ops::Range;

use super::Pseudonyms;
use super::dated::Dated;

impl Pseudonyms<'_> {
    /// The notation stays. What nobody can be called by stays so.
    pub(super) fn phone(&mut self, core: &str) -> String {
        let end = core.find(['x', 'X', '#', ';']).unwrap_or(core.len());
        let (number, extension) = core.split_at(end);
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let national = match digits.len() {
            11 if digits.starts_with('1') => digits.get(1..),
            10 => Some(digits.as_str()),
            _ => None,
        };
        let first = digits.chars().next();
        if digits.chars().all(|digit| Some(digit) == first) {
            return core.to_owned();
        }
        let made = match national {
            Some(national) if is_nanp(national) => self.maker.phone(national),
            Some(national) => self.maker.digits(national),
            // The country stays.
            None => {
                let kept = digits.len().saturating_sub(7).min(2);
                let (country, rest) = digits.split_at(kept);
                format!("{country}{}", self.maker.digits(rest))
            }
        };
        let made = format!(
            "{}{made}",
            national.map_or("", |national| {
                digits.strip_suffix(national).unwrap_or_default()
            })
        );
        let mut made = made.chars();
        let number: String = number
            .chars()
            .map(|c| {
                if c.is_ascii_digit() {
                    made.next().unwrap_or(c)
                } else {
                    c
                }
            })
            .collect();
        format!("{number}{}", self.text(extension, false))
    }

    /// A number in parts, such as one of social security: no digit of it stays, and what stands between them does.
    pub(super) fn long_number(&mut self, written: &str) -> String {
        let digits: String = written.chars().filter(char::is_ascii_digit).collect();
        if digits.len() > 9 {
            return self.phone(written);
        }
        let made = if is_ssn(written) {
            self.maker.code(&digits, false)
        } else {
            self.maker.digits(&digits)
        };
        let mut made = made.chars();
        let mut put = |c: char| {
            if c.is_ascii_digit() {
                made.next().unwrap_or(c)
            } else {
                c
            }
        };
        let mut text: String = written.chars().map(&mut put).collect();
        text.extend(made);
        text
    }

    /// Short numbers say nothing; of longer ones the digits change.
    pub(super) fn number(&mut self, core: &str) -> Option<String> {
        let unsigned = core.trim_start_matches(['-', '+', '$']);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let plain: String = whole.chars().filter(|c| *c != ',').collect();
        let all = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        if plain.is_empty() || !all(&plain) || !all(fraction) {
            return None;
        }
        if plain.len() <= 3 {
            return Some(core.to_owned());
        }
        let made = self.maker.digits(&plain);
        let mut digits = made.chars();
        let mut written: String = whole
            .chars()
            .map(|c| {
                if c == ',' {
                    c
                } else {
                    digits.next().unwrap_or('0')
                }
            })
            .collect();
        written.extend(digits);
        let sign = core.strip_suffix(unsigned).unwrap_or_default();
        let rest = unsigned.strip_prefix(whole).unwrap_or_default();
        Some(format!("{sign}{written}{rest}"))
    }
}

/// By the name of its field, or by how it is written.
pub(super) fn is_phone(path: &str, core: &str) -> bool {
    let end = core.find(['x', 'X', '#']).unwrap_or(core.len());
    let number = core.get(..end).unwrap_or(core);
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let signs = |c: char| c.is_ascii_digit() || " ()-.+/".contains(c);
    if !(7..=15).contains(&digits) || !number.chars().all(signs) {
        return false;
    }
    let named = ["phone", "fax", "cell", "mobile", "telephone"]
        .iter()
        .any(|word| path.contains(word));
    let dots = number.matches('.').count();
    let written = number.contains(['(', '-', ' ']) && dots == 0 || dots > 1;
    named || digits > 9 && written && !number.contains('/')
}

/// As R11 has it.
fn is_nanp(national: &str) -> bool {
    let digit = |index: usize| national.as_bytes().get(index).copied().unwrap_or_default();
    let opens = |index: usize| (b'2'..=b'9').contains(&digit(index));
    opens(0) && digit(1) != b'9' && opens(3)
}

/// `123-45-6789`, as social security numbers are written.
pub(super) fn is_ssn(core: &str) -> bool {
    let mut parts = core.split(['-', ' ', '.']);
    let all = parts
        .by_ref()
        .all(|part| part.bytes().all(|c| c.is_ascii_digit()));
    let lengths: Vec<usize> = core.split(['-', ' ', '.']).map(str::len).collect();
    all && lengths == [3, 2, 4]
}

/// Where in a text a number stands that is written in parts: a phone behind its label, a number of social security.
/// Dates are none.
pub(super) fn within(text: &str) -> Option<Range<usize>> {
    let is_of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let begins = text.char_indices().filter(|(at, c)| {
        let before = text
            .get(..*at)
            .and_then(|before| before.chars().next_back());
        (c.is_ascii_digit() || "+(".contains(*c)) && !is_of_word(before)
    });
    begins.map(|(at, _)| at).find_map(|at| {
        let rest = text.get(at..)?;
        let end = rest.find(|c: char| !c.is_ascii_digit() && !" ()-.+".contains(c));
        let run = rest.get(..end.unwrap_or(rest.len()))?;
        let run = run.get(..=run.rfind(|c: char| c.is_ascii_digit())?)?;
        let behind = rest.get(run.len()..)?.chars().next();
        let is_whole = !is_of_word(behind) || behind.is_some_and(|c| "xX".contains(c));
        (is_whole && is_in_parts(run)).then(|| at..at + run.len())
    })
}

/// Whether a run of digits and what stands between them is one number.
fn is_in_parts(run: &str) -> bool {
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    let is_apart = run.contains(['-', '.', ' ', '(', '+']);
    let is_number = match digits {
        10..=15 => true,
        // Behind a point stand parts of a number, and with blanks other numbers stand behind each other.
        7..=9 => is_ssn(run) || run.contains('-') && !run.contains(['.', ' ']),
        _ => false,
    };
    is_apart && is_number && Dated::of(run, "").is_none()
}
