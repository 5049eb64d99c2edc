//! Normal forms (R10–R12): what is compared is compared in these, and what is stored is stored in these.

use std::collections::BTreeMap;

use email_address::EmailAddress;
use serde::{Deserialize, Serialize};
use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;

use crate::model::{Resident, Unit};
use crate::script::SENTINELS;

/// A resident in the normal forms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Normal {
    /// The resident.
    pub resident: Resident,
    /// The PMS has a phone that is none: the one here stays (R11).
    pub keep_phone: bool,
}

/// Why a resident cannot be brought into the normal forms: a mapping error of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotNormal {
    /// The resident's field.
    pub field: &'static str,
    /// What is wrong, and what to do.
    pub message: &'static str,
}

/// What was dropped on the way, by kind.
pub type Notes = BTreeMap<String, u64>;

/// Brings a resident into the normal forms.
pub fn normalise(
    mut resident: Resident,
    country: &str,
    placeholders: &[String],
    notes: &mut Notes,
) -> Result<Normal, NotNormal> {
    resident.first_name = name(&resident.first_name);
    resident.last_name = name(&resident.last_name);
    if resident.first_name.is_empty() && resident.last_name.is_empty() {
        return Err(NotNormal {
            field: "last_name",
            message: "is empty, and so is first_name; correct it in the PMS, or map another field",
        });
    }
    for date in [
        &mut resident.lease_start,
        &mut resident.lease_end,
        &mut resident.move_in,
        &mut resident.move_out,
    ] {
        // A script may give a date as it stands in the PMS.
        *date = date.filter(|date| !SENTINELS.contains(date));
    }
    if let (Some(start), Some(end)) = (resident.lease_start, resident.lease_end)
        && end < start
    {
        return Err(NotNormal {
            field: "lease_end",
            message: "lies before lease_start (R12); correct the lease in the PMS",
        });
    }
    let mut note = |kind: &str| *notes.entry(kind.to_owned()).or_default() += 1;
    resident.email = resident
        .email
        .as_deref()
        .and_then(|text| match email(text, placeholders) {
            Ok(email) => email,
            Err(kind) => {
                note(kind);
                None
            }
        });
    let given = resident.phone.take().filter(|text| !text.trim().is_empty());
    resident.phone = given.as_deref().and_then(|text| phone(text, country));
    let keep_phone = given.is_some() && resident.phone.is_none();
    if keep_phone {
        note("invalid_phone");
    }
    resident.unit = resident.unit.map(|unit| Unit {
        id: name(&unit.id),
        label: name(&unit.label),
    });
    resident.unit = resident.unit.filter(|unit| !unit.id.is_empty());
    resident.status_word = name(&resident.status_word);
    Ok(Normal {
        resident,
        keep_phone,
    })
}

/// Trimmed, NFC, inner white space collapsed (R10).
pub(super) fn name(text: &str) -> String {
    text.nfc()
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether two texts are equal but for case; one that is empty is absent, and equals nothing (R10).
pub(super) fn same(one: &str, other: &str) -> bool {
    !one.is_empty() && UniCase::unicode(one) == UniCase::unicode(other)
}

/// Trimmed and lower case (R10); none when it is empty; an error tells why it counts as absent (R11).
pub(super) fn email(text: &str, placeholders: &[String]) -> Result<Option<String>, &'static str> {
    let email = text.trim().to_lowercase();
    if email.is_empty() {
        return Ok(None);
    }
    let is_placeholder =
        placeholders
            .iter()
            .any(|placeholder| match placeholder.strip_suffix("@*") {
                Some(local) => email.split('@').next() == Some(&local.to_lowercase()),
                None => email == placeholder.to_lowercase(),
            });
    if is_placeholder {
        return Err("placeholder_email");
    }
    if EmailAddress::is_valid(&email) {
        Ok(Some(email))
    } else {
        Err("invalid_email")
    }
}

/// Countries that share the North American Numbering Plan.
const NANP: [&str; 25] = [
    "US", "CA", "PR", "VI", "GU", "AS", "MP", "BS", "BB", "AG", "AI", "VG", "KY", "BM", "GD", "TC",
    "JM", "MS", "SX", "LC", "DM", "VC", "DO", "TT", "KN",
];

/// E.164 when it is valid for the country (R11). National numbers are understood for the countries of the
/// North American Numbering Plan; elsewhere a number must be written with `+` or `00`.
pub(super) fn phone(text: &str, country: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    // An extension is nobody's phone.
    let text = text
        .split(['x', ';', '#'])
        .next()?
        .trim_end_matches('e')
        .trim();
    let international = text.starts_with('+');
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
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
            None => ((8..=15).contains(&number.len()) && !number.starts_with('0'))
                .then(|| format!("+{number}")),
        },
        None if nanp => {
            let national = if digits.len() == 11 {
                digits.strip_prefix('1')?
            } else {
                &digits
            };
            is_nanp(national).then(|| format!("+1{national}"))
        }
        None => None,
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LeaseStatus;
    use proptest::prelude::*;

    fn placeholders() -> Vec<String> {
        crate::config::Settings::default().placeholder_emails
    }

    fn resident() -> Resident {
        serde_json::from_str(
            r#"{"id":"1","first_name":"Ana","last_name":"Ortiz","status":"current"}"#,
        )
        .unwrap()
    }

    #[test]
    fn r10_names_are_trimmed_composed_and_collapsed_and_compared_without_case() {
        assert_eq!(name("  Jose\u{301}   María "), "José María");
        assert!(same("STRASSE", "Straße"));
        assert!(same("ÉLAN", "élan"));
        assert!(!same("Ana", "Anna"));
        assert!(!same("", ""));
    }

    #[test]
    fn r10_emails_are_lower_case_and_keep_dots_and_tags() {
        assert_eq!(email(" A.B+c@X.com ", &[]), Ok(Some("a.b+c@x.com".into())));
        assert_eq!(email("  ", &[]), Ok(None));
    }

    #[test]
    fn r11_placeholders_and_what_is_no_email_count_as_absent() {
        assert_eq!(
            email("None@None.com", &placeholders()),
            Err("placeholder_email")
        );
        assert_eq!(
            email("noemail@acme.com", &placeholders()),
            Err("placeholder_email")
        );
        assert_eq!(email("n/a", &placeholders()), Err("invalid_email"));
    }

    #[test]
    fn r11_phones_are_e164_for_the_country_or_dropped() {
        for (text, country, wanted) in [
            ("(415) 555-0100", "US", Some("+14155550100")),
            ("1-415-555-0100 x22", "US", Some("+14155550100")),
            ("415.555.0100 ext 5", "US", Some("+14155550100")),
            ("+44 20 7946 0000", "US", Some("+442079460000")),
            ("011 44 20 7946 0000", "CA", Some("+442079460000")),
            ("0044 20 7946 0000", "GB", Some("+442079460000")),
            ("020 7946 0000", "GB", None),
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
    fn r11_a_phone_that_is_none_leaves_the_resident_in_and_a_note() {
        let mut notes = Notes::new();
        let given = Resident {
            phone: Some("555".into()),
            email: Some("none@none.com".into()),
            ..resident()
        };
        let normal = normalise(given, "US", &placeholders(), &mut notes).unwrap();
        assert_eq!(
            (
                normal.resident.phone,
                normal.resident.email,
                normal.keep_phone
            ),
            (None, None, true)
        );
        assert_eq!(
            notes,
            BTreeMap::from([("invalid_phone".into(), 1), ("placeholder_email".into(), 1)])
        );
    }

    #[test]
    fn r12_a_lease_that_ends_before_it_starts_is_a_mapping_error() {
        let day = |month| Some(jiff::civil::date(2026, month, 1));
        let given = Resident {
            lease_start: day(5),
            lease_end: day(4),
            ..resident()
        };
        assert_eq!(
            normalise(given, "US", &[], &mut Notes::new())
                .unwrap_err()
                .field,
            "lease_end"
        );
        let nobody = Resident {
            first_name: " ".into(),
            last_name: String::new(),
            status: LeaseStatus::Current,
            ..resident()
        };
        assert_eq!(
            normalise(nobody, "US", &[], &mut Notes::new())
                .unwrap_err()
                .field,
            "last_name"
        );
    }

    proptest! {
        #[test]
        fn normal_forms_are_stable(text in "\\PC{0,30}") {
            let once = name(&text);
            prop_assert_eq!(name(&once), once.clone());
            if let Ok(Some(once)) = email(&text, &[]) {
                prop_assert_eq!(email(&once, &[]), Ok(Some(once.clone())));
            }
        }

        #[test]
        fn a_phone_is_e164_or_nothing(text in "[0-9+() x.-]{0,24}") {
            if let Some(phone) = phone(&text, "US") {
                prop_assert!(phone.starts_with('+') && phone.len() <= 16);
                prop_assert!(phone.bytes().skip(1).all(|b| b.is_ascii_digit()));
                prop_assert_eq!(super::phone(&phone, "US"), Some(phone.clone()));
            }
        }
    }
}
