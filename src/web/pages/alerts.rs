//! Alerts: counted by kind and integration, as a list, and one with both sides beside each other and each way out of it.

use std::collections::BTreeSet;

use minijinja::context;
use serde::Serialize;

use crate::control::protocol::{ActDetail, AlertGroup};
use crate::control::server::{Answer, Backend, GroupQuery};
use crate::model::{Alert, AlertKind, AlertState, Field, PersonId, Side, Way};

use super::super::asked::Asked;
use super::super::lists;
use super::super::look::{Page, value};

/// The alerts of a kind at an integration.
#[derive(Serialize)]
struct Group {
    #[serde(flatten)]
    of: AlertGroup,
    sentence: &'static str,
    /// Whether they can be dismissed by hand.
    dismisses: bool,
}

/// An alert in a list.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    alert: Alert,
    sentence: &'static str,
    /// Whom it is about, as the first side names them.
    about: String,
}

pub(super) async fn list<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    let query = lists::alerts(&asked.query)?;
    let (integration, kind) = (query.integration.clone(), query.kind);
    let state = asked.query.get("state").unwrap_or("open");
    // Unless something is asked for, the counts are enough.
    let mut narrows = ["integration", "kind", "each", "cursor"].iter();
    let each = state != "open" || narrows.any(|name| asked.query.get(name).is_some());
    let groups = GroupQuery {
        integration: integration.clone(),
        kind,
    };
    let groups = asked.backend().alert_groups(groups).await?.groups;
    let groups: Vec<Group> = groups
        .into_iter()
        .map(|group| Group {
            sentence: group.kind.facts().sentence,
            dismisses: !group.kind.is_of_the_feed(),
            of: group,
        })
        .collect();
    let found = asked.backend().alerts(query).await?;
    let rows: Vec<Row> = found
        .items
        .into_iter()
        .map(|alert| Row {
            sentence: alert.kind.facts().sentence,
            about: about(&alert),
            alert,
        })
        .collect();
    let integrations = asked.backend().integrations();
    Ok(Page {
        title: "Alerts".to_owned(),
        part: "alerts",
        template: "alerts.html",
        values: context! {
            groups => value(&groups),
            rows => value(&rows),
            kinds => value(&AlertKind::ALL.map(AlertKind::as_str)),
            integrations => value(&integrations),
            integration => value(&integration),
            kind => value(&kind),
            state => state,
            each => each,
            pages => value(&lists::pager(&asked.query, found.next.as_deref())),
        },
    })
}

/// Whom an alert is about: a name, or else what the alert names.
fn about(alert: &Alert) -> String {
    let name = |side: &Side| {
        let part = |field| side.values.get(&field).map(String::as_str);
        let name = [part(Field::FirstName), part(Field::LastName)];
        let name: Vec<&str> = name.into_iter().flatten().collect();
        (!name.is_empty()).then(|| name.join(" "))
    };
    let named = alert.sides.iter().find_map(name);
    let resident = alert.sides.iter().find_map(|side| side.resident.clone());
    match (named, resident) {
        (Some(name), _) => name,
        (None, Some(resident)) => resident,
        // The subject of this kind is a hash.
        (None, None) if alert.kind == AlertKind::DuplicateEmails => String::new(),
        (None, None) => alert.subject.clone(),
    }
}

/// A field of every side.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Compared {
    field: Field,
    differs: bool,
    values: Vec<Option<String>>,
}

/// Sides beside each other, field by field.
fn compared(sides: &[Side]) -> Vec<Compared> {
    let fields: BTreeSet<Field> = sides
        .iter()
        .flat_map(|side| side.values.keys().copied())
        .collect();
    let compared = fields.into_iter().map(|field| {
        let values = sides.iter().map(|side| side.values.get(&field).cloned());
        let values: Vec<Option<String>> = values.collect();
        Compared {
            field,
            differs: values.windows(2).any(|pair| pair[0] != pair[1]),
            values,
        }
    });
    compared.collect()
}

/// A way out of an alert, as a form.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Offered {
    how: &'static str,
    button: String,
    says: &'static str,
    /// Who stays, where people become one.
    into: Option<PersonId>,
    /// Whether a unit has to be named.
    unit: bool,
}

fn offered(alert: &Alert) -> Vec<Offered> {
    let people: Vec<PersonId> = alert.sides.iter().filter_map(|side| side.person).collect();
    let one = |how, button: &str, says| Offered {
        how,
        button: button.to_owned(),
        says,
        into: None,
        unit: false,
    };
    let mut all = Vec::new();
    for way in alert.ways() {
        match way {
            Way::Merge if alert.kind == AlertKind::DuplicateAccounts => {
                all.extend(people.iter().map(|person| Offered {
                    into: Some(*person),
                    ..one(
                        "merge",
                        &format!("Merge into {person}"),
                        "The accounts become one person, who keeps this id; the resident is linked to them.",
                    )
                }));
            }
            Way::Merge => all.push(one(
                "merge",
                "Same person: take the PMS's name",
                "The name of the PMS is written, and the resident is linked to the person.",
            )),
            Way::ReplaceEmail => all.push(one(
                "replace_email",
                "Same person: take the PMS's email",
                "The person gets the PMS's email, and keeps id, access and history.",
            )),
            Way::CreateSeparate => all.push(one(
                "create_separate",
                "Somebody else: make a person",
                "The resident becomes a person of their own; the one who is there stays as they are.",
            )),
            Way::NotDuplicate => all.push(one(
                "not_duplicate",
                "Different people",
                "The resident is none of them; it is remembered, and not asked again.",
            )),
            Way::MapUnit => all.push(Offered {
                unit: true,
                ..one(
                    "map_unit",
                    "Map the unit",
                    "The PMS's unit is this unit here; its people have it from the next run on.",
                )
            }),
            Way::SamePerson => all.push(one(
                "same_person",
                "Same person: their name changed",
                "The record is the linked person's all the same, and is written by the next run.",
            )),
            Way::SomebodyElse => all.push(one(
                "somebody_else",
                "Somebody else",
                "The link ends, and the next run matches the record anew.",
            )),
            Way::Admit => all.push(one(
                "admit",
                "Let them in again",
                "They come in again with the next run, as somebody new.",
            )),
        }
    }
    all
}

pub(super) async fn one<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    let detail = asked.backend().alert(asked.id("id")?).await?;
    let alert = &detail.alert;
    let facts = alert.kind.facts();
    let undoes = detail.done.iter().any(ActDetail::is_undone_with_alert);
    let done: Vec<_> = detail
        .done
        .iter()
        .map(|act| context! { can_be_undone => act.can_be_undone(), ..value(act) })
        .collect();
    let is_open = alert.state == AlertState::Open;
    // What is about a hash, or about who stands beside it, is told by its sides.
    let told_by_sides = alert.kind == AlertKind::DuplicateEmails
        || alert
            .sides
            .iter()
            .any(|side| side.resident.as_deref() == Some(&alert.subject));
    Ok(Page {
        title: format!("Alert {}", alert.id),
        part: "alerts",
        template: "alert.html",
        values: context! {
            alert => value(alert),
            done => done,
            sentence => facts.sentence,
            remedy => facts.remedy,
            compared => value(&compared(&alert.sides)),
            offered => value(&offered(alert)),
            is_open => is_open,
            dismisses => is_open && !alert.kind.is_of_the_feed(),
            undoes => undoes,
            told_by_sides => told_by_sides,
            by_run => alert.raised_by != crate::model::RunId::NONE,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;
    use crate::model::{IntegrationId, RunId};

    fn side(person: Option<u64>, values: &[(Field, &str)]) -> Side {
        let values = values.iter();
        Side {
            resident: person.is_none().then(|| "t1".to_owned()),
            person: person.map(PersonId),
            values: values
                .map(|(field, value)| (*field, (*value).to_owned()))
                .collect::<BTreeMap<_, _>>(),
            mapped: None,
            beside: None,
        }
    }

    fn alert(kind: AlertKind, sides: Vec<Side>) -> Alert {
        let key = (kind, IntegrationId::new("elm"), "t1".to_owned());
        let mut alert = Alert::opened(None, key, RunId(1), "", Timestamp::UNIX_EPOCH);
        alert.sides = sides;
        alert
    }

    #[test]
    fn what_differs_between_the_sides_is_known_also_where_one_has_nothing() {
        let sides = [
            side(
                None,
                &[(Field::LastName, "Quill"), (Field::Email, "a@mail.test")],
            ),
            side(Some(7), &[(Field::LastName, "Quill")]),
        ];
        let compared = compared(&sides);
        let differs: Vec<_> = compared
            .iter()
            .map(|one| (one.field, one.differs))
            .collect();
        assert_eq!(differs, [(Field::LastName, false), (Field::Email, true)]);
        assert_eq!(compared[1].values, [Some("a@mail.test".to_owned()), None]);
    }

    #[test]
    fn each_way_is_a_button_and_a_mailbox_is_only_handed_on_by_who_has_left() {
        let of = |kind, status| {
            let person = side(Some(7), &[(Field::Status, status)]);
            let other = side(Some(9), &[]);
            let offered = offered(&alert(kind, vec![side(None, &[]), person, other]));
            offered
                .iter()
                .map(|one| (one.how, one.into.map(|into| into.0)))
                .collect::<Vec<_>>()
        };
        assert_eq!(of(AlertKind::NameMismatch, "current"), [("merge", None)]);
        assert_eq!(
            of(AlertKind::NameMismatch, "past"),
            [("merge", None), ("create_separate", None)]
        );
        assert_eq!(
            of(AlertKind::DuplicateAccounts, "current"),
            [
                ("merge", Some(7)),
                ("merge", Some(9)),
                ("not_duplicate", None)
            ]
        );
        let mut closed = alert(AlertKind::NameMismatch, Vec::new());
        closed.state = AlertState::Resolved;
        assert_eq!(offered(&closed), []);
    }

    #[test]
    fn a_list_says_whom_an_alert_is_about_and_never_a_hash() {
        let named = side(
            None,
            &[(Field::FirstName, "Ada"), (Field::LastName, "Quill")],
        );
        assert_eq!(
            about(&alert(AlertKind::NameMismatch, vec![named])),
            "Ada Quill"
        );
        assert_eq!(about(&alert(AlertKind::UnmappedUnit, vec![])), "t1");
        assert_eq!(about(&alert(AlertKind::DuplicateEmails, vec![])), "");
    }
}
