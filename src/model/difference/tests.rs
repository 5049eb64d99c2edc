//! What two previews make of each other.

use jiff::Timestamp;

use super::*;
use crate::model::{
    Actor, AlertId, AlertState, Cause, GuardedKind, HeldPlan, IntegrationId, Run, RunId,
};

fn preview(decisions: &[(&str, Fate, &str)]) -> Preview {
    let elm = IntegrationId::new("elm");
    let mut report = Run::begun(RunId::NONE, elm, Cause::Manual, 1, Timestamp::UNIX_EPOCH);
    report.outcome = Outcome::Committed;
    let mut preview = Preview::of(report);
    let decisions = decisions.iter().map(|(subject, fate, rule)| Decision {
        subject: (*subject).to_owned(),
        fate: *fate,
        rule: (*rule).to_owned(),
        reason: String::new(),
        person: None,
    });
    preview.decisions = decisions.collect();
    preview
}

fn change(resident: &str, kind: ChangeKind, fields: &[(Field, &str, &str)]) -> Change {
    let value = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let fields = fields.iter().map(|(field, before, after)| FieldChange {
        field: *field,
        before: value(before),
        after: value(after),
    });
    Change {
        seq: 0,
        at: Timestamp::UNIX_EPOCH,
        person: PersonId(1),
        kind,
        integration: None,
        from: None,
        resident: Some(resident.to_owned()),
        run: None,
        rule: "R18".into(),
        fields: fields.collect(),
        actor: Actor::Sync,
        act: None,
    }
}

fn effects(now: &Preview, with: &Preview) -> Vec<(String, Effect)> {
    let difference = Difference::between(now, with, Tried::default());
    let people = difference.people.into_iter();
    people.map(|one| (one.resident, one.effect)).collect()
}

#[test]
fn what_both_do_is_no_difference() {
    let mut one = preview(&[("t1", Fate::Created, "R17"), ("t2", Fate::Updated, "R18")]);
    let fields = [(Field::Phone, "1", "2")];
    one.changes = vec![change("t2", ChangeKind::Updated, &fields)];
    let difference = Difference::between(&one, &one, Tried::default());
    assert!(!difference.is_any(), "{difference:?}");
}

#[test]
fn who_comes_in_and_who_does_not_is_told_from_the_decisions() {
    let now = preview(&[
        ("t1", Fate::Ineligible, "R7"),
        ("t2", Fate::Created, "R17"),
        ("t3", Fate::Created, "R17"),
        ("t4", Fate::Excluded, "R6"),
        ("t5", Fate::Unchanged, ""),
        ("t6", Fate::Unchanged, ""),
        ("t8", Fate::Rejected, ""),
    ]);
    let with = preview(&[
        ("t1", Fate::Created, "R17"),
        ("t2", Fate::Ineligible, "R7"),
        ("t3", Fate::Excluded, "R6"),
        ("t4", Fate::Ineligible, "R7"),
        ("t5", Fate::Excluded, "R8"),
        ("t7", Fate::Created, "R17"),
        ("t8", Fate::Flagged, "R14"),
    ]);
    let expected = [
        ("t1", Effect::ComesIn),
        ("t7", Effect::ComesIn),
        ("t2", Effect::StaysOut),
        ("t3", Effect::LeftOut),
        ("t5", Effect::LeftOut),
        ("t4", Effect::NotLeftOut),
        ("t6", Effect::NotNamed),
        ("t8", Effect::Otherwise),
    ];
    let expected = expected.map(|(resident, effect)| (resident.to_owned(), effect));
    assert_eq!(effects(&now, &with), expected);
}

#[test]
fn whose_stay_ends_and_whose_values_are_others_is_told_from_the_changes() {
    let decided = [
        ("t1", Fate::Updated, "R8"),
        ("t2", Fate::Updated, "R8"),
        ("t3", Fate::Updated, "R18"),
    ];
    let (mut now, mut with) = (preview(&decided), preview(&decided));
    now.changes = vec![
        change("t1", ChangeKind::Updated, &[(Field::Unit, "1", "2")]),
        change("t2", ChangeKind::Closed, &[]),
        change("t3", ChangeKind::Updated, &[(Field::Unit, "1", "2")]),
    ];
    with.changes = vec![
        change("t1", ChangeKind::Closed, &[]),
        change("t3", ChangeKind::Updated, &[(Field::Phone, "7", "8")]),
    ];
    let difference = Difference::between(&now, &with, Tried::default());
    let told: Vec<_> = difference.people.iter().map(|one| one.effect).collect();
    assert_eq!(told, [Effect::Goes, Effect::Stays, Effect::Changes]);
    let text = |one: &FieldChange| (one.field, one.before.clone(), one.after.clone());
    let fields: Vec<_> = difference.people[2].fields.iter().map(text).collect();
    let value = |text: &str| Some(text.to_owned());
    // The one writes the unit, and the other leaves it; the phone the other way round.
    assert!(fields.contains(&(Field::Unit, value("2"), value("1"))));
    assert!(fields.contains(&(Field::Phone, value("7"), value("8"))));
}

#[test]
fn what_the_guard_holds_is_told_once_with_the_name_that_it_knows() {
    let now = preview(&[("t1", Fate::Unchanged, "")]);
    let mut with = preview(&[("t1", Fate::Held, "R27")]);
    with.decisions[0].person = Some(PersonId(7));
    let item = |subject: &str, person| Guarded {
        kind: GuardedKind::Closing,
        subject: subject.to_owned(),
        mark: String::new(),
        count: 0,
        person,
        name: "Ada Quill".into(),
        unit: "12B".into(),
        from: "current".into(),
        to: "past".into(),
    };
    with.held = Some(HeldPlan {
        run: RunId::NONE,
        digest: "d".into(),
        items: vec![item("p7", Some(PersonId(7))), item("p9", Some(PersonId(9)))],
    });
    with.report.outcome = Outcome::Held {
        reason: String::new(),
        digest: "d".into(),
    };
    let difference = Difference::between(&now, &with, Tried::default());
    assert!(difference.is_held() && difference.is_any());
    let told: Vec<_> = difference
        .people
        .iter()
        .map(|one| {
            (
                one.resident.as_str(),
                one.name.as_str(),
                one.reason.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("p9", "Ada Quill", "closing"),
            ("t1", "Ada Quill", "closing")
        ]
    );
    assert!(!Difference::between(&with, &with, Tried::default()).is_any());
}

#[test]
fn an_alert_that_one_raises_and_the_other_does_not_is_told_either_way() {
    let alert = |subject: &str| Alert {
        id: AlertId(0),
        kind: AlertKind::UnknownStatus,
        integration: IntegrationId::new("elm"),
        subject: subject.to_owned(),
        state: AlertState::Open,
        sides: Vec::new(),
        detail: "nobody knows the word".into(),
        confidence: None,
        count: None,
        examples: Vec::new(),
        suggestion: None,
        assigned: None,
        comments: Vec::new(),
        raised_by: RunId::NONE,
        first_seen: Timestamp::UNIX_EPOCH,
        last_seen: Timestamp::UNIX_EPOCH,
        acts: Vec::new(),
    };
    let (mut now, mut with) = (preview(&[]), preview(&[]));
    now.raised = vec![alert("one"), alert("both")];
    with.raised = vec![alert("both"), alert("other")];
    let difference = Difference::between(&now, &with, Tried::default());
    let told: Vec<_> = difference
        .alerts
        .iter()
        .map(|one| (one.subject.as_str(), one.would))
        .collect();
    assert_eq!(
        told,
        [("other", AlertWould::Open), ("one", AlertWould::NotOpen)]
    );
}
