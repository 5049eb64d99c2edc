//! Lengths of time as people write them: `90s`, `5m`, `1h`, `2d`.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer};

/// A length of time in a file: a whole number and one of `s`, `m`, `h`, `d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(title = "duration")]
pub struct Span(#[schemars(with = "String", regex(pattern = "^[0-9]+[smhd]$"))] pub Duration);

impl Span {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Span {
        Span(Duration::from_secs(seconds))
    }
}

const UNITS: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];

fn parse(text: &str) -> Option<Span> {
    let (digits, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let seconds = UNITS.iter().find(|(name, _)| *name == unit)?.1;
    digits
        .parse::<u64>()
        .ok()?
        .checked_mul(seconds)
        .filter(|total| *total <= 366 * 86_400)
        .map(Span::seconds)
}

/// Parts that are written one behind the other, or in tenths: `1.5h` and `1h30m` → `90m`.
fn added(text: &str) -> Option<Span> {
    let mut seconds = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at_checked(end)?;
        let number: f64 = number.parse().ok()?;
        let behind = behind.trim_start();
        let end = behind.find(|c: char| !c.is_ascii_alphabetic());
        let (word, behind) = behind.split_at_checked(end.unwrap_or(behind.len()))?;
        let word = word.to_ascii_lowercase();
        let (_, unit) = UNITS.iter().find(|(unit, _)| word.starts_with(unit))?;
        seconds += number * Duration::from_secs(*unit).as_secs_f64();
        rest = behind.trim_start();
    }
    let whole = Duration::try_from_secs_f64(seconds.round()).ok()?;
    (!whole.is_zero() && whole.as_secs() <= 366 * 86_400).then_some(Span(whole))
}

/// What was probably meant by a text that is no length of time: `5 minutes` → `5m`.
fn guess(text: &str) -> Option<String> {
    let numbers = text.split(|c: char| !c.is_ascii_digit());
    if numbers.filter(|part| !part.is_empty()).count() > 1 {
        return added(text).map(|span| span.to_string());
    }
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let word = text.get(digits.len()..)?.trim().to_ascii_lowercase();
    let unit = UNITS
        .iter()
        .map(|(unit, _)| *unit)
        .find(|unit| word.starts_with(unit))
        .unwrap_or("m");
    (!digits.is_empty()).then(|| format!("{digits}{unit}"))
}

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Span, String> {
        parse(text).ok_or_else(|| wrong(text))
    }
}

/// Why a text is no length of time, and what to write.
fn wrong(text: &str) -> String {
    let remedy = guess(text).unwrap_or_else(|| "30s, 5m, 1h or 2d".to_owned());
    if remedy == text {
        format!("`{text}` is longer than any duration here; write `366d` or less")
    } else {
        format!("`{text}` is not a duration; write `{remedy}`")
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (unit, size) = UNITS
            .iter()
            .rev()
            .find(|(_, size)| seconds.is_multiple_of(*size))
            .unwrap_or(&("s", 1));
        write!(f, "{}{unit}", seconds / size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!(parse("90s"), Some(Span::seconds(90)));
        assert_eq!(parse("1h"), Some(Span::seconds(3600)));
        for wrong in [
            "",
            "5",
            "m",
            "5 m",
            "-5m",
            "1.5h",
            "99999999999999999999d",
            "400d",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_remedy_is_what_was_probably_meant() {
        assert_eq!(guess("5 minutes").as_deref(), Some("5m"));
        assert_eq!(guess("2 Hours").as_deref(), Some("2h"));
        assert_eq!(guess("15").as_deref(), Some("15m"));
        assert_eq!(guess("often"), None);
    }

    #[test]
    fn what_is_a_duration_but_too_long_is_told_as_that() {
        let told = |text: &str| {
            let read: Result<Span, _> = serde_json::from_value(text.into());
            read.unwrap_err().to_string()
        };
        assert!(told("99999999999d").contains("write `366d` or less"));
        assert!(told("400d").contains("write `366d` or less"));
        assert!(told("5 m").contains("is not a duration; write `5m`"));
    }

    #[test]
    fn a_duration_is_written_in_its_largest_whole_unit() {
        assert_eq!(Span::seconds(7200).to_string(), "2h");
        assert_eq!(Span::seconds(90).to_string(), "90s");
    }

    #[test]
    fn what_is_written_in_tenths_or_parts_is_guessed_as_what_it_is_in_all() {
        for (text, meant) in [
            ("1.5h", "write `90m`"),
            ("1h30m", "write `90m`"),
            ("1 hour 30 minutes", "write `90m`"),
            ("0.5d", "write `12h`"),
            ("1.x", "write `1m`"),
            ("1.5", "write `30s, 5m, 1h or 2d`"),
        ] {
            let told = text.parse::<Span>().unwrap_err();
            assert!(told.contains(meant), "{text}: {told}");
        }
    }
}
