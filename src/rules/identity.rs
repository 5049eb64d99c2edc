//! Whose record it is: whether names and emails can be one human's (R21, R21a). Says nothing about who a newcomer
//! is; that is `matching`. Pure.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::model::{Field, Person, Resident};

use super::normal::same;

/// Whether the record of a linked PMS id is somebody else's than the person's: another first and last name, and not
/// the same email (R21a). `email` is what the PMS gave last.
pub(crate) fn is_somebody_else(resident: &Resident, person: &Person, email: Option<&str>) -> bool {
    let theirs = [person.email.as_deref(), email];
    let same_email = resident
        .email
        .as_deref()
        .is_some_and(|email| theirs.contains(&Some(email)));
    if same_email {
        return false;
    }
    // A name that somebody locked is not what the PMS said, and says nothing about its record.
    let of = |field, name| {
        if person.locks.contains(&field) {
            ""
        } else {
            name
        }
    };
    have_other_names(
        [&resident.first_name, &resident.last_name],
        [
            of(Field::FirstName, &person.first_name),
            of(Field::LastName, &person.last_name),
        ],
    )
}

/// Whether two leases under one PMS id are of two people: first and last names differ, and the emails too (R21).
pub(crate) fn are_two(one: &Resident, other: &Resident) -> bool {
    let same_email = one.email.is_some() && one.email == other.email;
    !same_email
        && have_other_names(
            [&one.first_name, &one.last_name],
            [&other.first_name, &other.last_name],
        )
}

/// Whether no part of the names is the same. A part that one side leaves out says nothing. Accents that came or went,
/// and a first name in the place of the last, are corrections of one name.
fn have_other_names(one: [&str; 2], other: [&str; 2]) -> bool {
    let [first, last] = one;
    let [other_first, other_last] = other;
    let mut compared = [(first, other_first), (last, other_last)]
        .into_iter()
        .filter(|(one, other)| !one.is_empty() && !other.is_empty())
        .peekable();
    let is_swapped = alike(first, other_last) && alike(last, other_first);
    compared.peek().is_some() && !is_swapped && compared.all(|(one, other)| !alike(one, other))
}

fn alike(one: &str, other: &str) -> bool {
    same(one, other)
        || !(one.is_ascii() && other.is_ascii())
            && same(&without_accents(one), &without_accents(other))
}

fn without_accents(name: &str) -> String {
    name.nfd().filter(|c| !is_combining_mark(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Origin, PersonId};

    fn resident(first: &str, last: &str, email: Option<&str>) -> Resident {
        let mut resident: Resident =
            serde_json::from_str(r#"{"id":"1","status":"current"}"#).unwrap();
        resident.first_name = first.into();
        resident.last_name = last.into();
        resident.email = email.map(String::from);
        resident
    }

    fn person(first: &str, last: &str, email: Option<&str>) -> Person {
        Person {
            first_name: first.into(),
            last_name: last.into(),
            email: email.map(String::from),
            ..Person::new(PersonId(1), Origin::Sync, jiff::Timestamp::UNIX_EPOCH)
        }
    }

    #[test]
    fn r21a_only_other_first_and_last_names_without_the_email_are_somebody_else() {
        let ana = person("Ana", "Ortiz", Some("ana@x.com"));
        for (first, last, email, other) in [
            ("Bo", "Lind", None, true),
            ("Bo", "Lind", Some("bo@x.com"), true),
            // The same mailbox: a renaming, which R27 counts.
            ("Bo", "Lind", Some("ana@x.com"), false),
            // What the PMS gave last, while the person has another one by hand.
            ("Bo", "Lind", Some("old@x.com"), false),
            // A married name, a nickname, a name that was typed the wrong way round, an accent.
            ("Ana", "Lind", Some("new@x.com"), false),
            ("Annie", "Ortiz", Some("new@x.com"), false),
            ("Ortiz", "Ana", None, false),
            ("ANÁ", "Órtiz", None, false),
            // What is left out says nothing, the rest does.
            ("", "", None, false),
            ("", "Lind", None, true),
            ("", "Ortiz", None, false),
        ] {
            let found = is_somebody_else(&resident(first, last, email), &ana, Some("old@x.com"));
            assert_eq!(found, other, "{first} {last} {email:?}");
        }
    }

    #[test]
    fn r21a_a_name_that_somebody_locked_does_not_make_the_record_somebody_elses() {
        let mut bob = person("Bob", "Smythe", None);
        bob.locks = [Field::FirstName, Field::LastName].into();
        assert!(!is_somebody_else(
            &resident("Robert", "Smith", None),
            &bob,
            None
        ));
    }

    #[test]
    fn r21_two_leases_of_one_id_are_of_two_people_where_names_and_emails_differ() {
        let ana = resident("Ana", "Ortiz", Some("ana@x.com"));
        assert!(are_two(&ana, &resident("Bo", "Lind", Some("bo@x.com"))));
        assert!(are_two(&ana, &resident("Bo", "Lind", None)));
        assert!(!are_two(&ana, &resident("Bo", "Lind", Some("ana@x.com"))));
        assert!(!are_two(&ana, &resident("Ana", "Lind", Some("bo@x.com"))));
    }
}
