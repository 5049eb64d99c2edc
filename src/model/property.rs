//! PMS properties by what they are called: which names are of one. Reads no file.

/// The name of a PMS property as it is compared: case and blanks around it do not matter.
pub fn folded_property(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Whether two names are of one PMS property.
pub fn is_same_property(one: &str, other: &str) -> bool {
    // Most are ASCII, and each record may name one.
    let is_ascii = one.is_ascii() && other.is_ascii();
    one.trim().eq_ignore_ascii_case(other.trim())
        || !is_ascii && folded_property(one) == folded_property(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_the_same_whatever_its_case() {
        for (one, other, same) in [
            ("oak", " OAK ", true),
            ("Öd-1", "öd-1", true),
            ("oak", "oak1", false),
            ("7", "07", false),
        ] {
            assert_eq!(is_same_property(one, other), same, "{one}, {other}");
            assert_eq!(is_same_property(other, one), same, "{other}, {one}");
            assert_eq!(
                folded_property(one) == folded_property(other),
                same,
                "{one}"
            );
        }
    }
}
