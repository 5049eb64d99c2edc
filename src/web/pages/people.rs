//! People: a list that is searched and narrowed by its address, and one person with all that is known of them.

use std::collections::BTreeMap;

use minijinja::context;
use serde::Serialize;

use crate::control::server::{Answer, Backend, ListQuery};
use crate::model::{
    ActId, Change, ChangeKind, Field, IntegrationId, LeaseStatus, Origin, Person, PersonId, Stay,
};

use super::super::asked::Asked;
use super::super::lists;
use super::super::look::{Page, value};

/// A person, as a row shows them: with their stay at the integration asked for, or else their first.
#[derive(Serialize)]
pub(super) struct Row {
    id: PersonId,
    name: String,
    email: Option<String>,
    integration: String,
    /// How many stays they have besides.
    more: usize,
    units: String,
    status: &'static str,
}

pub(super) fn row(person: &Person, integration: Option<&str>) -> Row {
    let named = person
        .stays
        .iter()
        .find(|(id, _)| integration.is_some_and(|integration| id.as_str() == integration));
    let stay = named.or_else(|| person.stays.first_key_value());
    Row {
        id: person.id,
        name: name(person),
        email: person.email.clone(),
        integration: stay.map_or_else(String::new, |(id, _)| id.to_string()),
        more: person.stays.len().saturating_sub(1),
        units: stay.map_or_else(String::new, |(_, stay)| units(stay)),
        status: match stay {
            _ if person.erased => "erased",
            _ if person.withdrawn => "withdrawn",
            _ if person.merged_into.is_some() => "merged",
            Some((_, stay)) if stay.excluded => "excluded",
            Some((_, stay)) => stay.status.as_str(),
            None => "no stay",
        },
    }
}

pub(super) fn name(person: &Person) -> String {
    let name = format!("{} {}", person.first_name, person.last_name);
    name.trim().to_owned()
}

fn units(stay: &Stay) -> String {
    let units = stay.unit.iter().chain(&stay.more_units);
    let labels: Vec<&str> = units.map(|unit| unit.label.as_str()).collect();
    labels.join(", ")
}

pub(super) async fn list<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    let query = lists::people(&asked.query, asked.now())?;
    let integration = query.integration.clone();
    let sort = query.sort.unwrap_or_default();
    let found = asked.backend().people(query).await?;
    let at = integration.as_ref().map(IntegrationId::as_str);
    let rows: Vec<Row> = found.items.iter().map(|person| row(person, at)).collect();
    let integrations = asked.backend().integrations();
    let statuses = LeaseStatus::ALL.into_iter();
    let statuses: Vec<&str> = statuses
        .filter(|status| *status != LeaseStatus::Unknown)
        .map(LeaseStatus::as_str)
        .collect();
    let asks = |name: &str| asked.query.get(name).unwrap_or_default();
    let narrowed = [
        "q",
        "integration",
        "status",
        "excluded",
        "alert",
        "updated",
        "target",
        "target_state",
    ]
    .iter()
    .any(|name| !asks(name).is_empty());
    Ok(Page {
        title: "People".to_owned(),
        part: "people",
        template: "people.html",
        values: context! {
            rows => value(&rows),
            integrations => value(&integrations),
            statuses => value(&statuses),
            stopped => value(&found.stopped),
            narrowed => narrowed,
            sort => sort.as_str(),
            by_name => asked.query.with("sort", Some("name")),
            by_id => asked.query.with("sort", Some("id")),
            pages => value(&lists::pager(&asked.query, found.next.as_deref())),
            q => asks("q"),
            place => asks("in"),
            integration => value(&integration),
            status => asks("status"),
            excluded => asks("excluded"),
            alert => asks("alert"),
            updated => asks("updated"),
            target => asks("target"),
            target_state => asks("target_state"),
        },
    })
}

/// A field of a person, and what wrote it last.
#[derive(Serialize)]
struct Shown {
    field: Field,
    value: Option<String>,
    locked: bool,
    from: Option<Change>,
    /// It is as it was when they were made, and that was by hand or by an import.
    by_hand: bool,
}

/// A change, and whether it may be undone from here.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    change: Change,
    undo: Option<ActId>,
}

/// So many changes are looked at for what wrote a field.
const LOOKED_AT: usize = 200;
/// So many stand on a page.
const CHANGES: usize = 25;

pub(super) async fn one<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    let id: PersonId = asked.id("id")?;
    let detail = asked.backend().person(id).await?;
    let all = ListQuery {
        limit: Some(LOOKED_AT),
        cursor: None,
    };
    let latest = asked.backend().history(id, all).await?.items;
    let history = ListQuery {
        limit: Some(CHANGES),
        cursor: asked.query.get("cursor").map(str::to_owned),
    };
    let history = asked.backend().history(id, history).await?;
    let person = &detail.person;
    let from = origins(&latest);
    let fields = [
        (Field::FirstName, Some(&person.first_name)),
        (Field::LastName, Some(&person.last_name)),
        (Field::Email, person.email.as_ref()),
        (Field::Phone, person.phone.as_ref()),
    ];
    let fields: Vec<Shown> = fields
        .into_iter()
        .map(|(field, value)| Shown {
            field,
            value: value.filter(|value| !value.is_empty()).cloned(),
            locked: person.locks.contains(&field),
            from: from.get(&field).map(|change| (*change).clone()),
            by_hand: is_made_by_hand(person, from.get(&field).copied()),
        })
        .collect();
    let told = told(history.items);
    let lockable = [
        Field::FirstName,
        Field::LastName,
        Field::Email,
        Field::Phone,
        Field::LeaseStart,
        Field::LeaseEnd,
        Field::MoveIn,
        Field::MoveOut,
        Field::Unit,
    ];
    let locks: Vec<(Field, bool)> = lockable
        .into_iter()
        .map(|field| (field, person.locks.contains(&field)))
        .collect();
    let integrations = asked.backend().integrations();
    let name = name(person);
    Ok(Page {
        title: if name.is_empty() {
            id.to_string()
        } else {
            name
        },
        part: "people",
        template: "person.html",
        values: context! {
            detail => value(&detail),
            fields => value(&fields),
            locks => value(&locks),
            changes => value(&told),
            integrations => value(&integrations),
            is_nobody => person.erased || person.withdrawn || person.merged_into.is_some(),
            pages => value(&lists::pager(&asked.query, history.next.as_deref())),
        },
    })
}

/// The change that wrote a field last, of those that are kept; they come latest first. What made the person wrote what none
/// after it did.
fn origins(changes: &[Change]) -> BTreeMap<Field, &Change> {
    let mut from = BTreeMap::new();
    for change in changes {
        for field in &change.fields {
            from.entry(field.field).or_insert(change);
        }
        if change.kind == ChangeKind::Created {
            for field in [
                Field::FirstName,
                Field::LastName,
                Field::Email,
                Field::Phone,
            ] {
                from.entry(field).or_insert(change);
            }
        }
    }
    from
}

/// Whether what a field says was told when somebody was made by hand or by an import, as far as changes are kept.
fn is_made_by_hand(person: &Person, from: Option<&Change>) -> bool {
    let is_first = from.is_none_or(|change| change.kind == ChangeKind::Created);
    person.origin == Origin::Hand && is_first
}

/// What was done by hand may be undone where it is told first.
fn told(changes: Vec<Change>) -> Vec<Told> {
    let mut seen = Vec::new();
    let told = changes.into_iter().map(|change| {
        let act = change.act.filter(|act| !seen.contains(act));
        seen.extend(act);
        Told {
            undo: act.filter(|_| change.kind != ChangeKind::Undone),
            change,
        }
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{Actor, FieldChange};

    fn change(seq: u64, kind: ChangeKind, act: Option<u64>, field: Field) -> Change {
        Change {
            seq,
            at: Timestamp::UNIX_EPOCH,
            person: PersonId(1),
            kind,
            integration: None,
            from: None,
            resident: None,
            run: None,
            rule: String::new(),
            fields: vec![FieldChange {
                field,
                before: None,
                after: None,
            }],
            actor: Actor::Sync,
            act: act.map(ActId),
        }
    }

    #[test]
    fn a_field_comes_from_the_latest_change_that_wrote_it() {
        let changes = [
            change(9, ChangeKind::Updated, None, Field::Phone),
            change(8, ChangeKind::Updated, None, Field::Email),
            change(7, ChangeKind::Created, None, Field::Email),
        ];
        let from = origins(&changes);
        assert_eq!(from[&Field::Email].seq, 8);
        assert_eq!(from[&Field::Phone].seq, 9);
        assert_eq!(from[&Field::LastName].seq, 7);
        assert!(!from.contains_key(&Field::Unit));
    }

    #[test]
    fn what_somebody_made_by_hand_began_with_says_so_also_when_no_change_is_kept() {
        let made = |origin| Person::new(PersonId(1), origin, Timestamp::UNIX_EPOCH);
        let of = |origin, from: Option<&Change>| is_made_by_hand(&made(origin), from);
        let created = change(1, ChangeKind::Created, Some(1), Field::Email);
        let updated = change(2, ChangeKind::Updated, None, Field::Email);
        assert!(of(Origin::Hand, None) && of(Origin::Hand, Some(&created)));
        assert!(!of(Origin::Hand, Some(&updated)));
        assert!(!of(Origin::Sync, None) && !of(Origin::Sync, Some(&created)));
    }

    #[test]
    fn each_act_is_undone_once_and_what_was_undone_is_not() {
        let told = told(vec![
            change(9, ChangeKind::Undone, Some(5), Field::Email),
            change(8, ChangeKind::Updated, Some(4), Field::Email),
            change(7, ChangeKind::Linked, Some(4), Field::Email),
            change(6, ChangeKind::Created, None, Field::Email),
        ]);
        let undo: Vec<Option<ActId>> = told.iter().map(|told| told.undo).collect();
        assert_eq!(undo, [None, Some(ActId(4)), None, None]);
    }
}
