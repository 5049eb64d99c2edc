//! Normal forms (R10–R12): what is compared is compared in these, and what is stored is stored in these.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;

use crate::model::{Field, NoAddress, Resident, Unit, address, is_sentinel, phone};

/// A resident in the normal forms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct Normal {
    /// The resident.
    #[n(0)]
    pub resident: Resident,
    /// The PMS has a phone that is none: the one here stays (R11).
    #[n(1)]
    pub keep_phone: bool,
    /// The lease ends before it starts: both days could be read, and cannot be (R12).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[n(2)]
    pub reversed: bool,
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
        *date = date.filter(|date| !is_sentinel(*date));
    }
    let days = resident.lease_start.zip(resident.lease_end);
    let reversed = days.is_some_and(|(start, end)| end < start);
    if reversed {
        // Nobody can say which of them is wrong.
        (resident.lease_start, resident.lease_end) = (None, None);
        let both = [Field::LeaseStart, Field::LeaseEnd];
        resident.unreadable.extend(both);
    }
    if !resident.unreadable.is_empty() {
        *notes.entry("unreadable_date".to_owned()).or_default() += resident.unreadable.len() as u64;
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
    resident.unit = resident.unit.map(unit).filter(|unit| !unit.id.is_empty());
    resident.status_word = name(&resident.status_word);
    Ok(Normal {
        resident,
        keep_phone,
        reversed,
    })
}

/// A resident as somebody expects one: texts in the normal forms, where they have one. What has none, and every date, stays
/// as it is written.
pub fn expected(mut resident: Resident, country: &str, placeholders: &[String]) -> Resident {
    resident.first_name = name(&resident.first_name);
    resident.last_name = name(&resident.last_name);
    resident.status_word = name(&resident.status_word);
    if let Some(text) = &resident.email
        && let Ok(email) = email(text, placeholders)
    {
        resident.email = email;
    }
    if let Some(text) = &resident.phone
        && let Some(phone) = phone(text, country)
    {
        resident.phone = Some(phone);
    }
    resident.unit = resident.unit.map(unit);
    resident
}

fn unit(unit: Unit) -> Unit {
    Unit {
        id: name(&unit.id),
        label: name(&unit.label),
        formerly: unit
            .formerly
            .as_deref()
            .map(name)
            .filter(|id| !id.is_empty()),
    }
}

/// Trimmed, NFC, inner white space collapsed (R10).
pub(crate) fn name(text: &str) -> String {
    let is_space = |byte: u8| byte.is_ascii_whitespace() || byte == 0x0b;
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    let blanks = ends.into_iter().flatten().any(|byte| is_space(*byte))
        || bytes.iter().any(|byte| is_space(*byte) && *byte != b' ')
        || bytes.windows(2).any(|two| two == b"  ");
    // Nearly every name is like this.
    if text.is_ascii() && !blanks {
        return text.to_owned();
    }
    let composed: String = text.nfc().collect();
    let mut name = String::with_capacity(composed.len());
    for word in composed.split_whitespace() {
        if !name.is_empty() {
            name.push(' ');
        }
        name += word;
    }
    name
}

/// Whether two texts are equal but for case; one that is empty is absent, and equals nothing (R10).
pub(crate) fn same(one: &str, other: &str) -> bool {
    !one.is_empty() && UniCase::unicode(one) == UniCase::unicode(other)
}

/// The address in its one form (R10, R13a); none when it is empty; an error tells why it counts as absent (R11).
pub(crate) fn email(text: &str, placeholders: &[String]) -> Result<Option<String>, &'static str> {
    let found = address(text);
    let told = match &found {
        Ok(None) => return Ok(None),
        Ok(Some(email)) => email,
        Err(NoAddress) => text.trim(),
    };
    let is_placeholder =
        placeholders
            .iter()
            .any(|placeholder| match placeholder.strip_suffix("@*") {
                Some(local) => told.split('@').next().is_some_and(|one| same(one, local)),
                None => same(told, placeholder),
            });
    if is_placeholder {
        return Err("placeholder_email");
    }
    found.map_err(|NoAddress| "invalid_email")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LeaseStatus;
    use crate::testing::searching;
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

    /// A8: the resident was rejected, and stayed current for ever.
    #[test]
    fn r12_a_lease_that_ends_before_it_starts_costs_both_dates_and_not_the_resident() {
        let day = |month| Some(jiff::civil::date(2026, month, 1));
        let given = Resident {
            lease_start: day(5),
            lease_end: day(4),
            move_in: day(3),
            unreadable: [Field::MoveOut].into(),
            ..resident()
        };
        let mut notes = Notes::new();
        let normal = normalise(given, "US", &[], &mut notes).unwrap();
        let (resident, reversed) = (normal.resident, normal.reversed);
        assert!(reversed);
        assert_eq!((resident.lease_start, resident.lease_end), (None, None));
        assert_eq!(resident.move_in, day(3));
        let unreadable = [Field::LeaseStart, Field::LeaseEnd, Field::MoveOut];
        assert_eq!(resident.unreadable, unreadable.into());
        assert_eq!(notes, BTreeMap::from([("unreadable_date".into(), 3)]));
    }

    #[test]
    fn r12_a_date_that_stands_for_none_is_absent_also_where_the_script_lets_it_through() {
        for text in [
            "1970-01-01",
            "0000-05-12",
            "1900-01-01",
            "0001-01-01",
            "9999-12-31",
        ] {
            let given = Resident {
                lease_start: Some("2026-05-01".parse().unwrap()),
                lease_end: Some(text.parse().unwrap()),
                ..resident()
            };
            let normal = normalise(given, "US", &[], &mut Notes::new()).unwrap();
            assert_eq!(normal.resident.lease_end, None, "{text}");
            assert!(normal.resident.unreadable.is_empty(), "{text}");
        }
    }

    #[test]
    fn somebody_without_any_name_is_nobody() {
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

    /// B8: the part behind the last blank was somebody else's mailbox.
    #[test]
    fn r13a_an_email_is_an_address_or_absent_with_a_note() {
        assert_eq!(
            email("Ana <Ana@mail.com>", &[]),
            Ok(Some("ana@mail.com".into()))
        );
        for text in [
            "ana de la cruz@mail.com",
            "ana@mail",
            "none@none.invalid",
            "a@mail.com; b@mail.com",
        ] {
            assert_eq!(email(text, &placeholders()), Err("invalid_email"), "{text}");
        }
        let listed = ["declined".to_owned(), "NoMail@*".to_owned()];
        assert_eq!(email(" Declined ", &listed), Err("placeholder_email"));
        assert_eq!(
            email("Ana <nomail@mail.com>", &listed),
            Err("placeholder_email")
        );
    }

    proptest! {
        #![proptest_config(searching(256))]

        #[test]
        fn normal_forms_are_stable(text in "([ -~]{0,30}|\\PC{0,30}|[a-b \\t\\x0b\\n]{0,8})") {
            let once = name(&text);
            prop_assert_eq!(name(&once), once.clone());
            let plainly = text.nfc().collect::<String>();
            prop_assert_eq!(&once, &plainly.split_whitespace().collect::<Vec<_>>().join(" "));
            if let Ok(Some(once)) = email(&text, &[]) {
                prop_assert_eq!(email(&once, &[]), Ok(Some(once.clone())));
            }
        }
    }
}
