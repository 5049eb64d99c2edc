//! For tests: made-up values of the protocol, about noon of 2026-03-01.

use std::collections::BTreeMap;

use crate::control::protocol::{
    Health, IntegrationState, IntegrationStatus, LinkDetail, PersonDetail, RunDetail, RunState,
    Severity, Status,
};
use crate::model::{
    Actor, Alert, AlertId, AlertKind, AlertState, Cause, Change, ChangeKind, Code, Counts,
    Decision, Delivery, DeliveryState, Fate, Field, FieldChange, IntegrationId, LeaseStatus,
    Origin, Outcome, Person, PersonId, Place, Problem, Run, RunId, Side, Stay, StoreIdentity,
    Tally, TargetId, TargetState, TargetStatus, Unit,
};

use super::testing::at;

pub(super) const BUILDING: &str = "123-building-name";

pub(super) fn integration(id: &str) -> IntegrationStatus {
    IntegrationStatus {
        id: IntegrationId::new(id),
        property: "123 Building Name".into(),
        connector: "yardi".into(),
        state: IntegrationState::Idle,
        health: Health::Ok,
        because: None,
        severity: Severity::Ok,
        pause: None,
        waits_for: None,
        slowed_by: None,
        stuck: None,
        took_over: None,
        generation: Some(4),
        loaded: Some(at("2026-03-01T09:30:00Z")),
        problems: Vec::new(),
        last_started: Some(at("2026-03-01T11:55:30Z")),
        last_success: Some(at("2026-03-01T11:55:42Z")),
        last_error: None,
        not_understood: None,
        failures: 0,
        next: Some(at("2026-03-01T12:51:00Z")),
        linked: 312,
        open_alerts: 2,
        running: None,
        settings: Vec::new(),
    }
}

/// A target at which all is well.
pub(super) fn target(id: &str) -> TargetStatus {
    TargetStatus {
        id: TargetId::new(id),
        state: TargetState::Ok,
        connector: "opendoor".into(),
        mode: "approve".into(),
        from: vec![IntegrationId::new(BUILDING)],
        people: 312,
        grants: Tally {
            confirmed: 598,
            ..Tally::default()
        },
        oldest_wanted: None,
        behind: 0,
        others: 0,
        late: 0,
        read_back: Some(at("2026-03-01T03:00:00Z")),
        error: None,
        failing_since: None,
        digest: None,
        problems: Vec::new(),
    }
}

/// A grant that is there as it was sent.
pub(super) fn delivery(key: &str) -> Delivery {
    Delivery {
        target: TargetId::new("acme-door"),
        person: PersonId(17),
        key: key.into(),
        state: DeliveryState::Confirmed,
        since: at("2026-02-27T12:00:00Z"),
        deed: None,
        cause: None,
        waits_for: None,
        next: None,
        id: Some("ac-4711".into()),
        why: None,
    }
}

pub(super) fn problem(message: &str) -> Problem {
    Problem {
        file: "config/integrations/123-building-name.yaml".into(),
        place: Some(Place { line: 9, column: 1 }),
        field: "scrpt".into(),
        message: message.into(),
        code: Code::UnknownField,
    }
}

pub(super) fn status(integrations: Vec<IntegrationStatus>) -> Status {
    Status {
        credentials: Vec::new(),
        web: None,
        version: "0.1.0".into(),
        started: at("2026-03-01T09:00:00Z"),
        up: 10_800,
        offline: false,
        store: StoreIdentity {
            id: "6c904edf6c904edf6c904edf6c904edf".into(),
            epoch: 1,
        },
        people: 1204,
        open_alerts: 2,
        problems: Vec::new(),
        loading_since: None,
        integrations,
    }
}

pub(super) fn report(id: u64, integration: &str, outcome: Outcome) -> Run {
    Run {
        id: RunId(id),
        integration: IntegrationId::new(integration),
        cause: Cause::Manual,
        generation: 4,
        started: at("2026-03-01T11:55:30Z"),
        ended: Some(at("2026-03-01T11:55:42Z")),
        outcome,
        pages: 3,
        requests: 3,
        records: 55,
        counts: Counts {
            seen: 55,
            created: 3,
            updated: 1,
            unchanged: 8,
            flagged: 1,
            excluded: 42,
            ..Counts::default()
        },
        changes: 4,
        approved_by: None,
        rejected_by: None,
        excluded_by: BTreeMap::from([("Canceled".into(), 2), ("Past".into(), 40)]),
        notes: BTreeMap::from([("phone dropped".into(), 4)]),
    }
}

/// A run that was asked for.
pub(super) fn queued(id: u64, integration: &str) -> RunState {
    RunState {
        id: RunId(id),
        integration: IntegrationId::new(integration),
        report: None,
        progress: None,
    }
}

pub(super) fn ended(run: Run) -> RunState {
    RunState {
        id: run.id,
        integration: run.integration.clone(),
        report: Some(run),
        progress: None,
    }
}

pub(super) fn run_detail() -> RunDetail {
    let decision = |record: &str, fate, rule: &str, reason: &str, person: Option<u64>| Decision {
        subject: format!("t000{record}"),
        fate,
        rule: rule.into(),
        reason: reason.into(),
        person: person.map(PersonId),
    };
    let mut decisions = vec![
        decision("1", Fate::Created, "R17", "nobody had this email", Some(17)),
        decision("2", Fate::Unchanged, "R18", "", Some(3)),
        decision(
            "3",
            Fate::Flagged,
            "R14",
            "the email is that of p4, but the name is another",
            Some(4),
        ),
        decision(
            "4",
            Fate::Excluded,
            "R6",
            "the status `Past` is on the exclude list",
            None,
        ),
    ];
    decisions.push(Decision {
        subject: "record 5".into(),
        fate: Fate::Rejected,
        rule: String::new(),
        reason: "scripts/yardi.rhai:12:9: `2026-13-01` is no date of the form %Y-%m-%d".into(),
        person: None,
    });
    RunDetail {
        state: ended(report(3, BUILDING, Outcome::Committed)),
        decisions,
        held: None,
        since_upgrade: None,
    }
}

pub(super) fn person() -> Person {
    let unit = |label: &str| Unit {
        id: label.to_lowercase(),
        label: label.into(),
        formerly: None,
    };
    let stay = Stay {
        status: LeaseStatus::Current,
        unit: Some(unit("12B")),
        more_units: Vec::new(),
        lease_start: Some("2025-06-01".parse().unwrap()),
        lease_end: Some("2026-05-31".parse().unwrap()),
        move_in: Some("2025-06-03".parse().unwrap()),
        move_out: None,
        notice: true,
        eviction: false,
        excluded: false,
    };
    Person {
        id: PersonId(17),
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
        email: Some("ada@example.com".into()),
        phone: Some("+12125550123".into()),
        stays: BTreeMap::from([(IntegrationId::new(BUILDING), Box::new(stay))]),
        locks: [Field::Phone].into(),
        pinned: false,
        merged_into: None,
        withdrawn: false,
        erased: false,
        origin: Origin::Sync,
        created: at("2026-02-27T12:00:00Z"),
    }
}

pub(super) fn change() -> Change {
    Change {
        seq: 121,
        at: at("2026-03-01T11:55:42Z"),
        person: PersonId(17),
        kind: ChangeKind::Updated,
        integration: Some(IntegrationId::new(BUILDING)),
        from: None,
        resident: Some("t0001".into()),
        run: Some(RunId(3)),
        rule: "R18".into(),
        fields: vec![FieldChange {
            field: Field::MoveOut,
            before: Some("2026-05-31".into()),
            after: None,
        }],
        actor: Actor::Sync,
        act: None,
    }
}

pub(super) fn person_detail() -> PersonDetail {
    PersonDetail {
        person: person(),
        links: vec![LinkDetail {
            integration: IntegrationId::new(BUILDING),
            resident: "t0001".into(),
            since: at("2026-02-27T12:00:00Z"),
            misses: 1,
        }],
        deliveries: Vec::new(),
        alerts: vec![alert()],
        changes: vec![change()],
        erasing: None,
    }
}

pub(super) fn side(resident: Option<&str>, person: Option<u64>, values: &[(Field, &str)]) -> Side {
    Side {
        resident: resident.map(str::to_owned),
        mapped: None,
        beside: None,
        person: person.map(PersonId),
        values: values
            .iter()
            .map(|(field, value)| (*field, (*value).to_owned()))
            .collect(),
    }
}

pub(super) fn alert() -> Alert {
    let email = (Field::Email, "ada@example.com");
    Alert {
        id: AlertId(5),
        kind: AlertKind::NameMismatch,
        integration: IntegrationId::new(BUILDING),
        subject: "t0003".into(),
        state: AlertState::Open,
        acts: Vec::new(),
        assigned: None,
        comments: Vec::new(),
        confidence: None,
        count: None,
        examples: Vec::new(),
        suggestion: None,
        sides: vec![
            side(
                Some("t0003"),
                None,
                &[
                    (Field::FirstName, "Augusta"),
                    (Field::LastName, "Lovelace"),
                    email,
                ],
            ),
            side(
                None,
                Some(17),
                &[
                    (Field::FirstName, "Ada"),
                    (Field::LastName, "Lovelace"),
                    email,
                    (Field::Unit, "12B"),
                ],
            ),
        ],
        detail: "a resident has the email of a person whose name is another".into(),
        raised_by: RunId(3),
        first_seen: at("2026-03-01T09:00:00Z"),
        last_seen: at("2026-03-01T11:55:42Z"),
    }
}
