//! How long somebody has been gone, as people write it: `90d`, `4y`.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer};

/// Days or years in a file: a whole number and one of `d`, `y`. A year has 366 days, so that none is too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(title = "age")]
pub struct Age(#[schemars(with = "String", regex(pattern = "^[0-9]+[dy]$"))] pub u32);

/// Nobody is erased sooner: who moves out is asked about for weeks.
const SHORTEST: u32 = 30;

const YEAR: u32 = 366;

/// A hundred years.
const LONGEST: u32 = 100 * YEAR;

impl Age {
    /// How long that is.
    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.0) * 86_400)
    }

    /// Whether it is neither too short nor too long to be meant.
    pub(super) fn is_in_range(self) -> bool {
        (SHORTEST..=LONGEST).contains(&self.0)
    }
}

fn parse(text: &str) -> Option<Age> {
    let (digits, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let days = match unit {
        "d" => 1,
        "y" => YEAR,
        _ => return None,
    };
    let number: u32 = digits.parse().ok()?;
    number.checked_mul(days).map(Age)
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "`{text}` is neither days nor years; write `90d` or `4y`"
            ))
        })
    }
}

impl Serialize for Age {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / YEAR, self.0 % YEAR) {
            (years, 0) if years > 0 => write!(f, "{years}y"),
            _ => write!(f, "{}d", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_number_of_days_or_years() {
        assert_eq!(parse("90d"), Some(Age(90)));
        assert_eq!(parse("4y"), Some(Age(4 * 366)));
        for wrong in ["", "4", "y", "4 y", "4h", "4m", "-4y", "99999999999y"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(Age(4 * 366).to_string(), "4y");
        assert_eq!(Age(90).to_string(), "90d");
    }

    #[test]
    fn a_slip_of_days_for_years_is_out_of_range() {
        assert!(!Age(4).is_in_range());
        assert!(Age(30).is_in_range() && Age(4 * 366).is_in_range());
        assert!(!Age(200 * 366).is_in_range());
    }
}
