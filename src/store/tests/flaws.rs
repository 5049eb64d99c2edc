//! Each thing that can stand in the store and fit nothing else, and what `verify` says to it.

use redb::WriteTransaction;

use super::*;
use crate::model::{
    Actor, AlertId, AlertKind, AlertState, Cause, Change, ChangeKind, Decision, Fate, LeaseStatus,
    Link, Stay,
};
use crate::store::tables;
use crate::store::value::to_bytes;

fn stay() -> Stay {
    Stay {
        status: LeaseStatus::Current,
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

fn change(person: u64) -> Change {
    Change {
        seq: 0,
        at: Timestamp::UNIX_EPOCH,
        person: PersonId(person),
        kind: ChangeKind::Created,
        integration: Some(elm()),
        from: None,
        resident: Some("t1".into()),
        run: Some(RunId(1)),
        rule: "R17".into(),
        fields: Vec::new(),
        actor: Actor::Sync,
        act: None,
    }
}

fn alert() -> crate::model::Alert {
    crate::model::Alert {
        id: AlertId(1),
        kind: AlertKind::MissingEmail,
        integration: elm(),
        subject: "t2".into(),
        state: AlertState::Open,
        sides: Vec::new(),
        detail: String::new(),
        confidence: None,
        count: None,
        examples: Vec::new(),
        suggestion: None,
        raised_by: RunId(1),
        first_seen: Timestamp::UNIX_EPOCH,
        last_seen: Timestamp::UNIX_EPOCH,
        acts: Vec::new(),
        assigned: None,
        comments: Vec::new(),
    }
}

fn elm() -> IntegrationId {
    IntegrationId::new("elm")
}

/// Two people, one of whom is linked, an alert, a change of each, and a run that decided on one.
fn sound() -> Store {
    let store = Store::in_memory().unwrap();
    let write = store.write().unwrap();
    for email in ["a@x.com", "b@x.com"] {
        let id = write.new_person_id().unwrap();
        let stays = BTreeMap::from([(elm(), Box::new(stay()))]);
        write
            .put_person(&Person {
                stays,
                ..person(id.0, Some(email))
            })
            .unwrap();
        write.append_change(change(id.0)).unwrap();
    }
    let link = Link {
        status: LeaseStatus::Current,
        ..Link::new(PersonId(1), Timestamp::UNIX_EPOCH)
    };
    write.put_link(&elm(), "t1", &link).unwrap();
    assert_eq!(write.new_alert_id().unwrap(), AlertId(1));
    write.put_alert(&alert()).unwrap();
    let mut run = Run::begun(RunId(1), elm(), Cause::Manual, 1, Timestamp::UNIX_EPOCH);
    run.outcome = Outcome::Committed;
    (run.counts.seen, run.counts.created) = (1, 1);
    write.put_run(&run).unwrap();
    let decision = Decision {
        subject: "t1".into(),
        fate: Fate::Created,
        rule: "R17".into(),
        reason: String::new(),
        person: Some(PersonId(1)),
    };
    write
        .put_decisions(&elm(), RunId(1), [Ok::<_, StoreError>(decision)], None, 24)
        .unwrap();
    let history = History {
        last_run: Some(RunId(1)),
        ..History::default()
    };
    write.put_history(&elm(), &history).unwrap();
    write.commit().unwrap();
    assert_eq!(store.read().unwrap().verify().unwrap().flaws, []);
    store
}

/// What verify says of anything, of what makes the store unsound and of what is lost of reports.
fn all_of(found: crate::model::Soundness) -> Vec<crate::model::Flaw> {
    found.flaws.into_iter().chain(found.lost).collect()
}

/// What verify says once something was done to the tables behind the store's back.
#[track_caller]
fn told(harm: impl FnOnce(&WriteTransaction)) -> Vec<String> {
    let store = sound();
    let write = store.write().unwrap();
    harm(&write.transaction);
    write.commit().unwrap();
    let found = all_of(store.read().unwrap().verify().unwrap());
    let told = found
        .iter()
        .map(|flaw| format!("{}: {}", flaw.table, flaw.what));
    told.collect()
}

#[test]
fn a_sound_store_is_counted() {
    let found = sound().read().unwrap().verify().unwrap();
    assert_eq!(found.entries["people-1"], 2);
    assert_eq!(found.entries["changes-by-person-1"], 2);
    assert_eq!(found.entries.len(), 41);
}

#[test]
fn an_alert_that_another_integration_raises_again_is_found_by_its_new_cause_alone() {
    let store = sound();
    let write = store.write().unwrap();
    let oak = IntegrationId::new("oak");
    let moved = crate::model::Alert {
        integration: oak.clone(),
        ..alert()
    };
    write.put_alert(&moved).unwrap();
    assert!(write.alerts(&elm()).unwrap().is_empty());
    assert_eq!(write.alerts(&oak).unwrap().len(), 1);
    assert_eq!(write.open_alerts(&oak).unwrap().len(), 1);
    write.commit().unwrap();
    assert_eq!(store.read().unwrap().verify().unwrap().flaws, []);
}

/// A sound store to which something was done behind its back, as an earlier version would have left it; then opened.
fn migrated(from: u64, harm: impl FnOnce(&crate::store::Write)) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let copy = folder.path().join("copy");
    let store = sound();
    let write = store.write().unwrap();
    harm(&write);
    write.put_schema(from).unwrap();
    write.commit().unwrap();
    let found = store.read().unwrap().verify().unwrap();
    assert_ne!(all_of(found), []);
    store.copy_to(&copy).unwrap();
    crate::store::open::make_folder(&state).unwrap();
    std::fs::copy(&copy, state.join("epms.redb")).unwrap();
    let store = Store::open(&state).unwrap();
    let found = store.read().unwrap().verify().unwrap();
    assert_eq!(all_of(found), []);
    (folder, store)
}

#[test]
fn migration_002_forgets_causes_that_lead_to_an_alert_of_another() {
    let (_folder, store) = migrated(2, |write| {
        let mut causes = write
            .transaction
            .open_table(tables::ALERTS_BY_CAUSE)
            .unwrap();
        causes.insert(("oak", "missing_email", "t2"), 1).unwrap();
    });
    let found = store.read().unwrap().verify().unwrap();
    assert_eq!(found.entries["alerts-by-cause-1"], 1);
}

#[test]
fn migration_004_counts_the_links_that_there_are() {
    let (_folder, store) = migrated(4, |write| {
        let mut counts = write.transaction.open_table(tables::LINK_COUNTS).unwrap();
        counts.remove("elm").unwrap();
    });
    assert_eq!(store.read().unwrap().count_links(&elm()).unwrap(), 1);
}

/// A later run that decided as the first, but for one.
fn decides_as_the_first(write: &crate::store::Write) {
    let mut run = Run::begun(RunId(2), elm(), Cause::Manual, 1, Timestamp::UNIX_EPOCH);
    run.outcome = Outcome::Unchanged;
    (run.counts.seen, run.counts.unchanged) = (1, 1);
    write.put_run(&run).unwrap();
    let standing = crate::store::Standing {
        base: RunId(1),
        gone: std::collections::BTreeSet::new(),
    };
    write
        .put_decisions::<StoreError>(&elm(), RunId(2), [], Some(&standing), 24)
        .unwrap();
}

/// C1.
#[test]
fn migration_005_drops_what_was_decided_in_part_and_tells() {
    let (_folder, store) = migrated(5, |write| {
        decides_as_the_first(write);
        let tables = &write.transaction;
        let mut decisions = tables.open_table(tables::DECISIONS).unwrap();
        decisions.remove(1).unwrap();
        let index = tables.open_table(tables::DECISIONS_BY_INTEGRATION);
        index.unwrap().retain(|_, ()| false).unwrap();
    });
    let [note] = store.notes() else {
        panic!("{:?}", store.notes())
    };
    assert!(
        note.starts_with("what 1 run of elm decided is not kept any more"),
        "{note}"
    );
    let view = store.read().unwrap();
    assert_eq!(view.decisions(RunId(2)).unwrap(), []);
    assert!(view.run(RunId(2)).unwrap().is_some(), "its report stays");
}

/// E12.
#[test]
fn migration_007_gives_emails_their_normal_form_and_nobody_anothers() {
    let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = sound();
    let write = store.write().unwrap();
    let ana = write.person(PersonId(1)).unwrap().unwrap();
    let of = |id: u64, email: &str| Person {
        id: PersonId(id),
        email: Some(email.into()),
        stays: std::collections::BTreeMap::new(),
        ..ana.clone()
    };
    let emails = [
        "bo@b\u{fc}cher.de",
        "cy@b\u{fc}cher.de",
        "cy@xn--bcher-kva.de",
        "dee@x.com",
    ];
    for (id, email) in (21..).zip(emails) {
        assert_ne!(write.new_person_id().unwrap(), PersonId(1));
        write.put_person(&of(id, email)).unwrap();
    }
    let link = write.links(&elm()).unwrap().remove("t1").unwrap();
    let email = Some(emails[0].to_owned());
    let link = crate::model::Link { email, ..link };
    write.put_link(&elm(), "t1", &link).unwrap();
    write.put_schema(7).unwrap();
    write.commit().unwrap();
    let state = folder.path().join("state");
    store.copy_to(&copy.path().join("copy")).unwrap();
    crate::store::open::make_folder(&state).unwrap();
    std::fs::copy(copy.path().join("copy"), state.join("epms.redb")).unwrap();

    let store = Store::open(&state).unwrap();
    let view = store.read().unwrap();
    let email = |id| view.person(PersonId(id)).unwrap().unwrap().email.unwrap();
    assert_eq!(email(21), "bo@xn--bcher-kva.de");
    assert_eq!(email(22), emails[1]);
    assert_eq!(email(23), emails[2]);
    assert_eq!(email(24), emails[3]);
    let write = store.write().unwrap();
    let holder = write.person_with_email("bo@xn--bcher-kva.de").unwrap();
    assert_eq!(holder, Some(PersonId(21)));
    assert_eq!(write.person_with_email(emails[0]).unwrap(), None);
    let link = write.links(&elm()).unwrap().remove("t1").unwrap();
    assert_eq!(link.email.as_deref(), Some("bo@xn--bcher-kva.de"));
    let [note] = store.notes() else {
        panic!("{:?}", store.notes())
    };
    assert!(note.starts_with("p22 kept the email"), "{note}");
}

/// C5.
#[test]
fn migration_009_finds_and_counts_the_alerts_that_are_open_and_knows_the_age_of_others() {
    let hour = 3600 * 1_000_000_000;
    let at = |hours: i128| Timestamp::from_nanosecond(hours * hour).unwrap();
    let closed = |id, hours| crate::model::Alert {
        id: AlertId(id),
        subject: format!("gone-{id}"),
        state: AlertState::AutoClosed,
        last_seen: at(hours),
        ..alert()
    };
    let (_folder, store) = migrated(9, |write| {
        for (id, hours) in [(2, 900), (3, 990)] {
            assert_eq!(write.new_alert_id().unwrap(), AlertId(id));
            write.put_alert(&closed(id, hours)).unwrap();
        }
        // The newest is of the hour 1000.
        let at = at(1000);
        write.append_change(Change { at, ..change(1) }).unwrap();
        let tables = &write.transaction;
        let open = tables.open_table(tables::OPEN_ALERTS);
        open.unwrap().retain(|_, ()| false).unwrap();
        let counts = tables.open_table(tables::OPEN_ALERT_COUNTS);
        counts.unwrap().retain(|_, _| false).unwrap();
        let closed = tables.open_table(tables::CLOSED_ALERTS);
        closed.unwrap().retain(|_, _| false).unwrap();
        let by_hour = tables.open_table(tables::CLOSED_ALERTS_BY_HOUR);
        by_hour.unwrap().retain(|_, ()| false).unwrap();
    });
    let view = store.read().unwrap();
    let counts = view.count_open_alerts().unwrap();
    assert_eq!(counts[&(elm(), AlertKind::MissingEmail)], 1);
    assert_eq!(view.open_alerts(None).unwrap(), [alert()]);
    let write = store.write().unwrap();
    write.forget_alerts(100, 9).unwrap();
    assert_eq!(write.alerts(&elm()).unwrap().len(), 3);
    write.forget_alerts(99, 9).unwrap();
    assert!(write.alert(AlertId(2)).unwrap().is_none());
    write.forget_alerts(9, 9).unwrap();
    assert!(write.alert(AlertId(3)).unwrap().is_none());
    write.commit().unwrap();
    assert_eq!(store.read().unwrap().verify().unwrap().flaws, []);
}

/// C5.
#[test]
fn an_alert_in_the_wrong_place_is_told() {
    let found = told(|tables| {
        let mut open = tables.open_table(tables::OPEN_ALERTS).unwrap();
        open.insert(("missing_email", "oak", 1), ()).unwrap();
        let mut closed = tables.open_table(tables::CLOSED_ALERTS).unwrap();
        closed.insert(1, 7).unwrap();
        let mut by_hour = tables.open_table(tables::CLOSED_ALERTS_BY_HOUR).unwrap();
        by_hour.insert((8, 1), ()).unwrap();
    });
    assert_eq!(
        found,
        [
            "open-alerts-1: a1 is not open at oak, and said to be",
            "open-alert-counts-1: 1 alerts of missing_email are open at oak, which nobody counted",
            "closed-alerts-1: a1 is not closed, and said to be",
            "closed-alerts-1: a1 is not found by its hour",
            "closed-alerts-by-hour-1: an hour leads to a1, which has another",
        ]
    );
    let found = told(|tables| {
        let mut open = tables.open_table(tables::OPEN_ALERTS).unwrap();
        open.remove(("missing_email", "elm", 1)).unwrap();
    });
    assert_eq!(
        found,
        [
            "alerts-1: a1 is not found among the open alerts",
            "open-alert-counts-1: 0 alerts of missing_email are open at elm, and are said to be 1",
        ]
    );
}

/// C1.
#[test]
fn what_is_lost_of_a_report_is_told_and_the_store_is_sound_and_copied_all_the_same() {
    let store = sound();
    let write = store.write().unwrap();
    decides_as_the_first(&write);
    {
        let mut decisions = write.transaction.open_table(tables::DECISIONS).unwrap();
        decisions.remove(1).unwrap();
        let mut runs = write.transaction.open_table(tables::RUNS).unwrap();
        runs.remove(1).unwrap();
    }
    write.commit().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    store.copy_to(&copy).unwrap();
    let found = crate::store::inspect(&copy).unwrap();
    assert_eq!(found.flaws, []);
    let lost: Vec<&str> = found.lost.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(
        lost,
        [
            "elm leads to r1, which is not its run",
            "there are no decisions of r1",
            "r2 decides as r1, whose decisions are not there",
            "r2 saw 1 and decided 0",
            "the last run of elm is r1, which is not its run",
        ]
    );
}

#[test]
fn links_are_counted_as_they_come_and_go() {
    let store = sound();
    let count = || store.read().unwrap().count_links(&elm()).unwrap();
    let link = store.read().unwrap().link(&elm(), "t1").unwrap().unwrap();
    let write = store.write().unwrap();
    write.put_link(&elm(), "t1", &link).unwrap();
    write.put_link(&elm(), "t2", &link).unwrap();
    write.commit().unwrap();
    assert_eq!(count(), 2);
    let write = store.write().unwrap();
    write.remove_link(&elm(), "t1").unwrap();
    write.remove_link(&elm(), "t1").unwrap();
    write.commit().unwrap();
    assert_eq!(count(), 1);
    assert_eq!(store.read().unwrap().verify().unwrap().flaws, []);
}

#[test]
fn a_wrong_count_of_links_is_told() {
    let found = told(|tables| {
        let mut counts = tables.open_table(tables::LINK_COUNTS).unwrap();
        counts.insert("elm", 5).unwrap();
    });
    assert_eq!(
        found,
        ["link-counts-1: elm has 1 links, and is said to have 5"]
    );
}

#[test]
fn an_email_that_leads_nowhere_or_to_somebody_else_is_told() {
    let found = told(|tables| {
        let mut emails = tables.open_table(tables::PEOPLE_BY_EMAIL).unwrap();
        emails.insert("a@x.com", 2).unwrap();
        emails.insert("c@x.com", 9).unwrap();
    });
    assert_eq!(
        found,
        [
            "people-1: p1 is not found by the email it has",
            "people-by-email-1: an email leads to p2, who does not have it",
            "people-by-email-1: an email leads to p9, who does not have it",
        ]
    );
}

#[test]
fn somebody_who_is_gone_is_missed_by_everything_that_names_them() {
    let found = told(|tables| {
        tables
            .open_table(tables::PEOPLE)
            .unwrap()
            .remove(1)
            .unwrap();
    });
    assert_eq!(
        found,
        [
            "people-by-email-1: an email leads to p1, who does not have it",
            "people-by-name-1: a name leads to p1 at elm, who is not called so there",
            "links-1: t1 at elm is tied to p1, who is not there any more",
            "changes-1: change 1 is about p1, who is not there",
            "decisions-1: r1 decided on p1, who is not there",
        ]
    );
}

#[test]
fn an_index_that_forgot_something_is_told() {
    let found = told(|tables| {
        let key = crate::store::name_key("Ana", "Straße");
        let mut names = tables.open_table(tables::PEOPLE_BY_NAME).unwrap();
        names.remove(("elm", key.as_str(), 1)).unwrap();
        let mut links = tables.open_table(tables::LINKS_BY_PERSON).unwrap();
        links.remove((1, "elm", "t1")).unwrap();
        let mut causes = tables.open_table(tables::ALERTS_BY_CAUSE).unwrap();
        causes.remove(("elm", "missing_email", "t2")).unwrap();
        let mut changes = tables.open_table(tables::CHANGES_BY_PERSON).unwrap();
        changes.remove((2, 2)).unwrap();
        let mut runs = tables.open_table(tables::RUNS_BY_INTEGRATION).unwrap();
        runs.remove(("elm", 1)).unwrap();
    });
    assert_eq!(
        found,
        [
            "people-1: p1 is not found by name at elm",
            "links-1: t1 at elm is not found by p1",
            "alerts-1: a1 is not found by its cause, or has a twin",
            "changes-1: change 2 is not found by p2",
            "runs-1: r1 is not found by elm",
        ]
    );
}

#[test]
fn what_is_counted_must_be_there() {
    let found = told(|tables| {
        tables
            .open_table(tables::CHANGES)
            .unwrap()
            .remove(1)
            .unwrap();
        tables.open_table(tables::RUNS).unwrap().remove(1).unwrap();
        let mut meta = tables.open_table(tables::META).unwrap();
        let number = to_bytes("meta-1", &2_u64).unwrap();
        meta.insert("next-person", number.as_slice()).unwrap();
    });
    assert_eq!(
        found,
        [
            "people-1: p2 has a number that is given again",
            "changes-1: there is a gap before change 2",
            "changes-by-person-1: p1 leads to change 1, which is not theirs",
            "runs-by-integration-1: elm leads to r1, which is not its run",
            "decisions-1: there are decisions of r1, which is not there",
            "histories-1: the last run of elm is r1, which is not its run",
        ]
    );
}

#[test]
fn a_run_that_decided_on_fewer_than_it_saw_is_told() {
    let found = told(|tables| {
        let mut decisions = tables.open_table(tables::DECISIONS).unwrap();
        let none = to_bytes("decisions-1", &Vec::<Decision>::new()).unwrap();
        decisions.insert(1, none.as_slice()).unwrap();
    });
    assert_eq!(found, ["decisions-1: r1 saw 1 and decided 0"]);
}

#[test]
fn what_cannot_be_read_is_told_without_what_it_says() {
    let found = told(|tables| {
        let mut alerts = tables.open_table(tables::ALERTS).unwrap();
        alerts.insert(1, [1, b'{', b'"'].as_slice()).unwrap();
        let mut people = tables.open_table(tables::PEOPLE).unwrap();
        people.insert(2, [7].as_slice()).unwrap();
    });
    assert!(
        found[0].contains("a value of form 7, which this epms does not know there"),
        "{found:?}"
    );
    assert!(
        found
            .iter()
            .any(|one| one.contains("alerts-1: ") && one.contains("JSON")),
        "{found:?}"
    );
}

/// In tests a part is small.
#[test]
fn decisions_in_several_parts_are_read_checked_replaced_and_forgotten_as_one() {
    let store = sound();
    let decided = |count: usize| {
        let decision = move |number| {
            Ok::<_, StoreError>(Decision {
                subject: format!("t{number}"),
                fate: Fate::Excluded,
                rule: "R6".into(),
                reason: "status Applicant".into(),
                person: None,
            })
        };
        (0..count).map(decision)
    };
    let parts = |store: &Store| {
        let found = store.read().unwrap().verify().unwrap();
        assert_eq!((found.flaws, found.lost), (vec![], vec![]));
        found.entries["more-decisions-1"]
    };
    let mut run = Run::begun(RunId(2), elm(), Cause::Manual, 1, Timestamp::UNIX_EPOCH);
    run.outcome = Outcome::Unchanged;
    for (count, several) in [(200, true), (3, false), (100, true), (0, false), (70, true)] {
        (run.counts.seen, run.counts.excluded) = (count as u64, count as u64);
        let write = store.write().unwrap();
        write.put_run(&run).unwrap();
        write
            .put_decisions(&elm(), RunId(2), decided(count), None, 24)
            .unwrap();
        let all: Vec<Decision> = decided(count).map(Result::unwrap).collect();
        assert_eq!(write.decisions(RunId(2)).unwrap(), all);
        write.commit().unwrap();
        assert_eq!(store.read().unwrap().decisions(RunId(2)).unwrap(), all);
        assert_eq!(parts(&store) > 3, several);
    }
    // When as many have decided since as are kept, all parts are gone.
    let write = store.write().unwrap();
    for number in 3..30 {
        run.id = RunId(number);
        (run.counts.seen, run.counts.excluded) = (0, 0);
        write.put_run(&run).unwrap();
        write
            .put_decisions::<StoreError>(&elm(), RunId(number), [], None, 24)
            .unwrap();
    }
    assert_eq!(write.decisions(RunId(2)).unwrap(), []);
    write.commit().unwrap();
    assert_eq!(parts(&store), 0);
}

#[test]
fn a_part_of_decisions_that_is_alone_is_told() {
    let found = told(|tables| {
        let mut more = tables.open_table(tables::MORE_DECISIONS).unwrap();
        let none = to_bytes("decisions-1", &Vec::<Decision>::new()).unwrap();
        more.insert((7, 1), none.as_slice()).unwrap();
    });
    assert_eq!(
        found,
        ["more-decisions-1: part 1 of the decisions of r7 is alone"]
    );
}
