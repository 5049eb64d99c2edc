//! What a leasing office does in each PMS, and what arrives here of it, hour by hour: played against the local PMS, through
//! whole runs at a clock's hours. The tables stand in the manual's pages, `docs/connectors/*.md`, and are true.
//!
//! `INSTA_UPDATE=always cargo test --test language office` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use epms::model::{Alert, AlertState, Change, ChangeKind, Fate, Field, Outcome, Run};
use epms::sandbox::{Act, Kind, OFFICE, PropertySpec, World, WorldOptions};
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};

use crate::support::Feed;

const FIRST: Date = date(2026, 3, 10);

/// A clock for each kind, as a run takes the time from a function that knows nothing else.
static CLOCKS: [AtomicI64; 8] = [const { AtomicI64::new(0) }; 8];

fn clock<const AT: usize>() -> Timestamp {
    Timestamp::from_second(CLOCKS[AT].load(Ordering::SeqCst)).unwrap()
}

const HANDS: [fn() -> Timestamp; 8] = [
    clock::<0>, clock::<1>, clock::<2>, clock::<3>, clock::<4>, clock::<5>, clock::<6>, clock::<7>,
];

/// What arrived at one reading.
struct Arrival {
    when: String,
    what: Vec<String>,
}

/// An office at work, read every hour for some hours of each day.
struct Office {
    feed: Feed,
    clock: &'static AtomicI64,
    /// Of everybody whom the act is about, how the PMS calls them, and their names.
    about: BTreeMap<String, String>,
    decided: BTreeMap<String, String>,
    alerts: BTreeSet<u64>,
}

impl Office {
    async fn open(kind: Kind, act: &Act) -> Office {
        let at = Kind::ALL.iter().position(|one| *one == kind).unwrap();
        let mut world = World::seeded(WorldOptions {
            seed: 5,
            properties: vec![PropertySpec {
                code: "elm".into(),
                name: "Elm Court".into(),
            }],
            residents: 60,
            today: FIRST,
        });
        (act.before)(&mut world).unwrap();
        let mut office = Office {
            feed: Feed::over(kind, world, HANDS[at]).await,
            clock: &CLOCKS[at],
            about: BTreeMap::new(),
            decided: BTreeMap::new(),
            alerts: BTreeSet::new(),
        };
        office.read(0, 8).await;
        office
    }

    /// Who they are now: some PMSs call somebody otherwise who takes over a lease.
    fn meet(&mut self) {
        let world = self.feed.pms.world().clone();
        for one in world.of_the_office() {
            let (_, person) = world.person(one).unwrap();
            let name = match &person.company {
                Some(_) => "the company".to_owned(),
                None => person.first.clone(),
            };
            self.about
                .insert(self.feed.pms.person_id(one).unwrap(), name);
        }
    }

    /// The name of a resident whom the act is about. Some scripts put something before the PMS's id.
    fn name(&self, resident: &str) -> Option<&String> {
        let called = |id: &str| resident == id || resident.ends_with(&format!("-{id}"));
        self.about
            .iter()
            .find(|(id, _)| called(id))
            .map(|(_, name)| name)
    }

    /// One run, at an hour of a day counted from 0, as it is where the property stands.
    async fn read(&mut self, day: i64, hour: i8) -> Vec<String> {
        let at = FIRST.saturating_add(day.days()).at(hour, 0, 0, 0);
        let at = at.in_tz(epms::sandbox::TIMEZONE).unwrap().timestamp();
        self.clock.store(at.as_second(), Ordering::SeqCst);
        self.meet();
        let before = self.feed.tools.store.read().unwrap().last_change().unwrap();
        let run = self.feed.run().await;
        self.arrived(&run, before)
    }

    fn arrived(&mut self, run: &Run, before: u64) -> Vec<String> {
        let view = self.feed.tools.store.read().unwrap();
        let mut told = Vec::new();
        if !matches!(run.outcome, Outcome::Committed | Outcome::Unchanged) {
            let why = run.outcome.reason().unwrap_or_default();
            told.push(format!("the run is {}: {why}", run.outcome.as_str()));
        }
        for change in view.changes(before, usize::MAX).unwrap() {
            let resident = change.resident.as_deref().unwrap_or_default();
            if let Some(name) = self.name(resident) {
                told.push(format!("{name}: {}", changed(&change)));
            }
        }
        let mut decided = BTreeMap::new();
        for one in view.decisions(run.id).unwrap() {
            let Some(name) = self.name(&one.subject) else {
                continue;
            };
            let (fate, rule, reason) = (one.fate, one.rule, one.reason);
            let line = format!("{name}: {} {rule} {reason}", fate.as_str());
            let is_told = matches!(
                fate,
                Fate::Held | Fate::Flagged | Fate::Excluded | Fate::Ineligible | Fate::Rejected
            );
            if is_told && self.decided.get(&one.subject) != Some(&line) {
                told.push(line.trim().to_owned());
            }
            decided.insert(one.subject, line);
        }
        for (subject, _) in self
            .decided
            .iter()
            .filter(|(one, _)| !decided.contains_key(*one))
        {
            if let Some(name) = self.name(subject) {
                told.push(format!("{name}: is in the feed no more"));
            }
        }
        self.decided = decided;
        let open = |alert: &Alert| alert.state == AlertState::Open;
        for alert in view.alerts(None, usize::MAX, open).unwrap() {
            let text = serde_json::to_string(&alert).unwrap();
            let named = |id: &String| {
                text.contains(&format!("\"{id}\"")) || text.contains(&format!("-{id}\""))
            };
            if self.alerts.insert(alert.id.0) && self.about.keys().any(named) {
                told.push(format!("alert {}", alert.kind));
            }
        }
        told
    }
}

/// A change in one line.
fn changed(change: &Change) -> String {
    let fields = change.fields.iter().filter(|one| {
        change.kind != ChangeKind::Created
            || !matches!(
                one.field,
                Field::FirstName | Field::LastName | Field::Email | Field::Phone
            )
    });
    let fields: Vec<String> = fields
        .map(|one| {
            let field = one.field.as_str().replace('_', " ");
            let after = one.after.as_deref().unwrap_or("none");
            match &one.before {
                Some(before) => format!("{field} {before} → {after}"),
                None => format!("{field} {after}"),
            }
        })
        .collect();
    format!("{} ({}) {}", change.kind, change.rule, fields.join(", "))
        .trim()
        .to_owned()
}

/// The steps of an act, each with what arrived of it.
async fn played(kind: Kind, act: &Act) -> Vec<(String, Vec<Arrival>)> {
    let mut office = Office::open(kind, act).await;
    let mut rows = Vec::new();
    for (at, step) in act.steps.iter().enumerate() {
        let until = act.steps.get(at + 1).map_or(step.day + 3, |next| next.day);
        let mut arrivals = Vec::new();
        for day in step.day..until {
            {
                let mut world = office.feed.pms.world();
                world.advance_to(FIRST.saturating_add(day.days()));
                if day == step.day {
                    (step.happens)(&mut world).unwrap();
                }
            }
            for hour in [10, 11, 12] {
                let what = office.read(day, hour).await;
                if !what.is_empty() {
                    let when = format!("day {}, {hour}:00", day + 1);
                    arrivals.push(Arrival { when, what });
                }
            }
        }
        if arrivals.is_empty() {
            let what = if step.is_nothing {
                "nothing, as nothing is different"
            } else {
                "nothing: the PMS does not say it"
            };
            arrivals.push(Arrival {
                when: format!("until day {until}"),
                what: vec![what.to_owned()],
            });
        }
        rows.push((format!("day {}: {}", step.day + 1, step.what), arrivals));
    }
    rows
}

/// The whole table, as it stands in a page of the manual.
async fn table(kind: Kind) -> String {
    let mut text = "| The office | Read at | What arrives here |\n|---|---|---|\n".to_owned();
    for act in &OFFICE {
        let mut first = format!("**{}**<br>", act.name);
        for (step, arrivals) in played(kind, act).await {
            let mut what_is_done = format!("{first}{step}");
            first.clear();
            for Arrival { when, what } in arrivals {
                text += &format!("| {what_is_done} | {when} | {} |\n", what.join("<br>"));
                what_is_done.clear();
            }
        }
    }
    text
}

const BEGINS: &str = "<!-- office: from here on it is what the test `office` has played -->\n";
const ENDS: &str = "<!-- office: to here -->\n";

async fn the_page_is_true(kind: Kind) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/connectors/{kind}.md"));
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGINS).expect("the page has a table");
    let (written, after) = rest.split_once(ENDS).expect("the table ends");
    let played = table(kind).await;
    if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
        std::fs::write(&path, format!("{before}{BEGINS}{played}{ENDS}{after}")).unwrap();
        return;
    }
    for (written, played) in written.lines().zip(played.lines()) {
        assert_eq!(written, played, "{}", path.display());
    }
    assert_eq!(written, played, "{}", path.display());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_office_does_in_resman_arrives_as_its_page_says() {
    the_page_is_true(Kind::ResMan).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_office_does_in_rent_manager_arrives_as_its_page_says() {
    the_page_is_true(Kind::RentManager).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_office_does_in_realpage_arrives_as_its_page_says() {
    the_page_is_true(Kind::RealPage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_office_does_in_entrata_arrives_as_its_page_says() {
    the_page_is_true(Kind::Entrata).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_office_does_in_yardi_arrives_as_its_page_says() {
    the_page_is_true(Kind::Yardi).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_office_does_in_appfolio_arrives_as_its_page_says() {
    the_page_is_true(Kind::AppFolio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_office_does_in_mri_arrives_as_its_page_says() {
    the_page_is_true(Kind::Mri).await;
}
