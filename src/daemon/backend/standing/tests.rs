//! Each word, with its sentence.

use std::path::PathBuf;

use jiff::Timestamp;

use super::*;
use crate::config::Settings;
use crate::model::Actor;
use crate::model::{Feeds, Guarded, GuardedKind, HeldPlan, NotUnderstood, Problem, RunId};

/// An integration that is well, to be made worse.
struct Known {
    catalog: Catalog,
    slot: Slot,
    state: IntegrationState,
    at_rest: IntegrationState,
    waits_for: Option<&'static str>,
    attachment: Attachment,
    linked: u64,
    history: History,
    guard: GuardState,
    open: BTreeMap<AlertKind, u64>,
}

fn well() -> Known {
    Known {
        catalog: Catalog {
            settings: Settings::default(),
            integrations: BTreeMap::new(),
            targets: BTreeMap::new(),
            problems: Vec::new(),
            moves: Vec::new(),
            holdings: BTreeMap::new(),
        },
        slot: Slot {
            feeds: Some(feeds("acme", &["b1"])),
            ..Slot::default()
        },
        state: IntegrationState::Idle,
        at_rest: IntegrationState::Idle,
        waits_for: None,
        attachment: Attachment {
            account: "acme".into(),
            properties: ["b1".to_owned()].into(),
            ..Attachment::default()
        },
        linked: 3,
        history: History::default(),
        guard: GuardState::default(),
        open: BTreeMap::new(),
    }
}

fn feeds(account: &str, properties: &[&str]) -> Feeds {
    Feeds {
        account: account.to_owned(),
        secrets: String::new(),
        properties: properties.iter().map(ToString::to_string).collect(),
    }
}

impl Known {
    fn rests(mut self, state: IntegrationState) -> Known {
        (self.state, self.at_rest) = (state, state);
        self
    }

    fn with(mut self, kind: AlertKind) -> Known {
        self.open.insert(kind, 1);
        self
    }

    fn beside(mut self, id: &str, feeds: Feeds) -> Known {
        let slot = Slot {
            feeds: Some(feeds),
            ..Slot::default()
        };
        self.catalog
            .integrations
            .insert(IntegrationId::new(id), slot);
        self
    }

    fn stands(&self) -> (Health, Severity, String) {
        let facts = Facts {
            id: &IntegrationId::new("elm"),
            catalog: &self.catalog,
            slot: &self.slot,
            state: self.state,
            at_rest: self.at_rest,
            waits_for: self.waits_for,
            stuck: false,
            attachment: &self.attachment,
            linked: self.linked,
            history: &self.history,
            guard: &self.guard,
            open: &self.open,
        };
        let Standing {
            health,
            because,
            severity,
        } = standing(&facts);
        (health, severity, because.unwrap_or_default())
    }
}

fn plan() -> HeldPlan {
    let item = Guarded {
        kind: GuardedKind::Closing,
        subject: "p1".into(),
        mark: String::new(),
        count: 0,
        person: None,
        name: String::new(),
        unit: String::new(),
        from: String::new(),
        to: String::new(),
    };
    HeldPlan {
        run: RunId(7),
        digest: "d".into(),
        items: vec![item],
    }
}

#[test]
fn of_what_is_well_nothing_is_said() {
    assert_eq!(well().stands(), (Health::Ok, Severity::Ok, String::new()));
}

#[test]
fn a_run_under_way_hides_neither_the_sentence_nor_how_much_it_matters() {
    let mut known = well().with(AlertKind::SyncStale);
    known.state = IntegrationState::Running;
    let (health, severity, because) = known.stands();
    assert_eq!((health, severity), (Health::Syncing, Severity::Critical));
    assert!(because.starts_with("no run has ever succeeded; `epms doctor elm`"));
}

#[test]
fn what_waits_says_for_what() {
    let mut known = well();
    known.waits_for = Some("until the credential `acme` may ask again, 40s more");
    let (health, severity, because) = known.stands();
    assert_eq!((health, severity), (Health::Waiting, Severity::Ok));
    assert!(because.contains("40s more"));
}

#[test]
fn what_is_held_names_the_run_to_approve() {
    let mut known = well().with(AlertKind::MassChangeHeld);
    known.guard.held = Some(plan());
    let (health, severity, because) = known.stands();
    assert_eq!((health, severity), (Health::Held, Severity::Warning));
    assert!(because.contains("`epms approve r7`"), "{because}");
    known.guard.held = None;
    known.guard.since_upgrade = Some(plan());
    assert!(
        known
            .stands()
            .2
            .contains("`epms approve --all --since-upgrade`")
    );
}

#[test]
fn what_fails_says_where_to_look() {
    let mut known = well();
    known.history.failures = 3;
    let (health, severity, because) = known.stands();
    assert_eq!((health, severity), (Health::Failing, Severity::Warning));
    assert!(because.contains("the last 3 runs failed"), "{because}");
    let known = known.with(AlertKind::CredentialFailing);
    assert!(known.stands().2.contains("refuses the login"));
}

#[test]
fn r41_records_that_are_not_understood_are_no_good_standing() {
    let mut known = well();
    known.guard.understanding.waits = Some(NotUnderstood {
        run: RunId(9),
        digest: "d".into(),
        places: Vec::new(),
    });
    let (health, severity, because) = known.stands();
    assert_eq!((health, severity), (Health::Failing, Severity::Warning));
    assert!(because.contains("`epms run r9`"), "{because}");
}

#[test]
fn what_is_paused_says_by_whom_until_when_and_why() {
    let mut known = well().rests(IntegrationState::Paused);
    assert_eq!(
        known.stands(),
        (
            Health::Paused,
            Severity::Warning,
            "paused by hand; `epms resume elm` lets it sync again".into()
        )
    );
    known.history.pause = Some(Pause {
        by: Actor::User(1000),
        at: Timestamp::UNIX_EPOCH,
        until: Some(Timestamp::from_second(7200).unwrap()),
        reason: "the PMS moves".into(),
    });
    assert_eq!(
        known.stands(),
        (
            Health::Paused,
            Severity::Ok,
            "paused by uid 1000 until 1970-01-01T02:00:00Z (the PMS moves); `epms resume elm` lets it sync again".into()
        )
    );
}

#[test]
fn what_never_ran_and_what_still_runs_are_told_apart() {
    let problem = |code| Problem {
        file: PathBuf::from("config/integrations/elm.yaml"),
        place: None,
        field: String::new(),
        message: "is wrong".into(),
        code,
    };
    let mut known = well().rests(IntegrationState::Broken);
    known.slot.problems = vec![problem(Code::Value)];
    let (health, severity, because) = known.stands();
    assert_eq!((health, severity), (Health::Broken, Severity::Critical));
    assert!(because.contains("never right"), "{because}");
    known.slot.problems = vec![problem(Code::Conflict)];
    assert!(known.stands().2.contains("whose people they are"));
}

#[test]
fn r46_what_is_left_behind_names_who_may_take_the_people_and_the_command() {
    let known = || {
        let known = well().rests(IntegrationState::Removed);
        known.with(AlertKind::LeftBehind)
    };
    let (health, severity, because) = known().stands();
    assert_eq!((health, severity), (Health::LeftBehind, Severity::Critical));
    assert!(
        because.contains("`epms integration rename elm NAME`"),
        "{because}"
    );
    let (.., because) = known().beside("oak", feeds("acme", &["B1 "])).stands();
    assert!(because.contains("`oak` reads the same"), "{because}");
    assert!(
        because.contains("`epms integration rename elm oak`"),
        "{because}"
    );
    assert!(
        because.contains("`epms integration retire elm`"),
        "{because}"
    );
    // One of the same account goes before one that only has a property of the same name.
    let two = known().beside("ash", feeds("bell", &["b1"]));
    let (.., because) = two.beside("oak", feeds("acme", &["b1"])).stands();
    assert!(!because.contains("ash"), "{because}");
    let (.., because) = known().beside("fir", feeds("acme", &["b9"])).stands();
    assert!(because.contains("rename elm NAME"), "{because}");
}

#[test]
fn r46_a_file_that_is_gone_is_told_before_anybody_is_left_behind() {
    let mut known = well().rests(IntegrationState::Removed);
    let known_is = known.stands();
    assert_eq!((known_is.0, known_is.1), (Health::Off, Severity::Warning));
    assert!(known_is.2.contains("put it back"), "{known_is:?}");
    known.linked = 0;
    assert_eq!(known.stands().1, Severity::Ok);
    let off = well().rests(IntegrationState::Disabled).stands();
    assert_eq!((off.0, off.1), (Health::Off, Severity::Ok));
}

#[test]
fn r46_a_property_that_no_file_names_is_told_with_the_command() {
    let mut known = well().with(AlertKind::LeftBehind);
    known.attachment.properties.insert("b2".into());
    let (health, _, because) = known.stands();
    assert_eq!(health, Health::LeftBehind);
    assert!(
        because.contains("`epms integration retire elm --property b2`"),
        "{because}"
    );
    let (.., because) = known.beside("oak", feeds("acme", &["b2"])).stands();
    assert!(
        because.contains("`epms integration rename elm oak`"),
        "{because}"
    );
}

#[test]
fn what_was_given_up_stays_so() {
    let mut known = well().rests(IntegrationState::Removed);
    known.attachment.retired = Some(Timestamp::UNIX_EPOCH);
    let (health, severity, because) = known.stands();
    assert_eq!((health, severity), (Health::Retired, Severity::Ok));
    assert!(because.contains("`epms integration undo elm`"), "{because}");
}
