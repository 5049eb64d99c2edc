//! Who is erased by the rule of their properties: whoever has left all of them for long enough. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Change, Field, IntegrationId, Person};

/// Since when somebody has left, as far as the change log says: the last that it tells of where they stand, or else the last
/// that it tells of them, which is never earlier. `changes` are theirs, the newest first.
pub fn left_at(person: &Person, changes: &[Change]) -> Timestamp {
    let tells = |change: &&Change| change.fields.iter().any(|one| one.field == Field::Status);
    let told = changes.iter().find(tells).or(changes.first());
    told.map_or(person.created, |change| change.at)
}

/// Whether somebody who left then is to be erased: each of their properties has a rule, and the longest is over. Who is kept
/// from every run by hand, or lives or lived nowhere, is not.
pub fn is_due(
    person: &Person,
    left: Timestamp,
    after: impl Fn(&IntegrationId) -> Option<Duration>,
    now: Timestamp,
) -> bool {
    let is_somebody = person.merged_into.is_none() && !person.withdrawn && !person.erased;
    if !is_somebody || person.pinned || person.stays.is_empty() {
        return false;
    }
    let gone = u64::try_from(left.duration_until(now).as_secs());
    let gone = gone.map(Duration::from_secs).unwrap_or_default();
    let mut stays = person.stays.iter();
    stays.all(|(at, stay)| stay.is_closed() && after(at).is_some_and(|after| after <= gone))
}

#[cfg(test)]
mod tests {
    use crate::model::{Actor, ChangeKind, FieldChange, LeaseStatus, Origin, PersonId, Stay};

    use super::*;

    const YEAR: Duration = Duration::from_hours(366 * 24);

    fn at(year: i16) -> Timestamp {
        format!("{year}-06-01T00:00:00Z").parse().unwrap()
    }

    fn stay(status: LeaseStatus) -> Stay {
        Stay {
            status,
            unit: None,
            more_units: Vec::new(),
            lease_start: None,
            lease_end: None,
            move_in: None,
            move_out: None,
            notice: false,
            eviction: false,
            excluded: false,
        }
    }

    fn who(stays: &[(&str, LeaseStatus)]) -> Person {
        let mut person = Person::new(PersonId(1), Origin::Sync, at(2015));
        for (place, status) in stays {
            person
                .stays
                .insert(IntegrationId::new(*place), Box::new(stay(*status)));
        }
        person
    }

    fn change(year: i16, field: Field) -> Change {
        Change {
            seq: 1,
            at: at(year),
            person: PersonId(1),
            kind: ChangeKind::Updated,
            integration: None,
            from: None,
            resident: None,
            run: None,
            rule: "R18".into(),
            fields: vec![FieldChange {
                field,
                before: None,
                after: None,
            }],
            actor: Actor::Sync,
            act: None,
        }
    }

    fn elm(place: &IntegrationId) -> Option<Duration> {
        (place.as_str() == "elm").then_some(4 * YEAR)
    }

    #[test]
    fn whoever_has_left_for_as_long_as_the_property_says_is_due() {
        let past = who(&[("elm", LeaseStatus::Past)]);
        assert!(is_due(&past, at(2020), elm, at(2025)));
        assert!(!is_due(&past, at(2020), elm, at(2023)));
        assert!(
            !is_due(&past, at(2026), elm, at(2020)),
            "a clock that was set back"
        );
    }

    #[test]
    fn whoever_lives_anywhere_or_stayed_where_no_rule_is_is_never_due() {
        let long_ago = |person: &Person| is_due(person, at(2000), elm, at(2026));
        for status in [LeaseStatus::Current, LeaseStatus::Pending] {
            assert!(!long_ago(&who(&[("elm", status)])), "{status}");
        }
        assert!(!long_ago(&who(&[
            ("elm", LeaseStatus::Past),
            ("oak", LeaseStatus::Past)
        ])));
        assert!(!long_ago(&who(&[])));
        let mut person = who(&[("elm", LeaseStatus::Past)]);
        person.pinned = true;
        assert!(!long_ago(&person));
    }

    #[test]
    fn somebody_left_when_their_status_changed_last_or_when_anything_did() {
        let person = who(&[("elm", LeaseStatus::Past)]);
        let log = [change(2024, Field::Phone), change(2020, Field::Status)];
        assert_eq!(left_at(&person, &log), at(2020));
        assert_eq!(left_at(&person, &log[..1]), at(2024));
        assert_eq!(left_at(&person, &[]), at(2015));
    }
}
