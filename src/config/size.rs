//! Sizes of memory as people write them: `64MiB`, `1GiB`.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer};

/// A size in a file: a whole number and one of `KiB`, `MiB`, `GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(title = "size")]
pub struct Size(#[schemars(with = "String", regex(pattern = "^[0-9]+[KMG]iB$"))] u64);

impl Size {
    /// So many mebibytes.
    pub const fn mebibytes(many: u64) -> Size {
        Size(many << 20)
    }

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

const UNITS: [(&str, u32); 3] = [("KiB", 10), ("MiB", 20), ("GiB", 30)];

fn parse(text: &str) -> Option<Size> {
    let (digits, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let (_, shift) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let bytes = digits.parse::<u64>().ok()?.checked_mul(1 << shift)?;
    Some(Size(bytes))
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "`{text}` is not a size; write a whole number and its unit, such as `64MiB` or `1GiB`"
            ))
        })
    }
}

impl Serialize for Size {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = UNITS
            .iter()
            .rev()
            .find(|(_, shift)| self.0.is_multiple_of(1 << shift));
        let (unit, shift) = fits.unwrap_or(&UNITS[0]);
        write!(f, "{}{unit}", self.0 >> shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        assert_eq!(parse("64MiB"), Some(Size::mebibytes(64)));
        assert_eq!(parse("1GiB"), Some(Size::mebibytes(1024)));
        for text in ["512KiB", "64MiB", "3GiB", "1500MiB"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        let too_large = "99999999999999999GiB";
        for wrong in [
            "", "64", "MiB", "64 MiB", "64MB", "-1MiB", "1.5GiB", too_large,
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
