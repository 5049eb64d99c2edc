//! Every line of every shipped connector, and of those of the invented PMSs, removed, misspelt, or with another value, one
//! at a time, and run against its sandbox: `check` says so, the run says so, or people come in as they did.
//!
//! `EPMS_MUTATIONS=1 cargo test --test language mutation -- --nocapture` tries all of them; without it some are tried.

use std::collections::BTreeMap;
use std::sync::Arc;

use epms::catalog;
use epms::config;
use epms::model::{AlertState, Cause, IntegrationId, Person, RunId};
use epms::sandbox::Kind;
use epms::store::Store;
use epms::sync::{Job, Tools, run};
use jiff::Timestamp;

use crate::support::invented::{Beacon, Bureau};
use crate::support::{Feed, Home, tools};

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// `check` tells of it.
    Check,
    /// The run wrote nothing and says why.
    Run,
    /// An alert or a note of the run tells of it.
    Told,
    /// The same people came in.
    Same,
    /// Other people came in, or fewer; where they were there before, the next runs tell of it.
    Later,
    /// Other people came in, or fewer, and nothing was said.
    Silent,
}

/// The connector with one line changed, and what was done to it.
fn changes(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut changes = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let mut change = |what: &str, with: Option<String>| {
            let mut all: Vec<String> = lines.iter().map(ToString::to_string).collect();
            match with {
                Some(with) if with == *line => return,
                Some(with) => all[at] = with,
                None => drop(all.remove(at)),
            }
            changes.push((
                format!("line {}, {what}: {trimmed}", at + 1),
                all.join("\n") + "\n",
            ));
        };
        change("removed", None);
        // The first word is a key, or an element's name.
        let word = line
            .find(|c: char| c.is_alphanumeric())
            .unwrap_or(line.len());
        let mut misspelt = (*line).to_owned();
        misspelt.insert(word, 'x');
        change("misspelt", Some(misspelt));
        // The last letter of the line belongs to a value: of a path, a text, a verdict.
        if let Some(last) = line.rfind(char::is_alphanumeric) {
            let mut other = (*line).to_owned();
            other.insert(last + 1, 'x');
            change("another value", Some(other));
        }
        // Values in the middle: of `{ path: a, text: b, is: c }`.
        for (place, _) in trimmed.match_indices(", ") {
            let place = line.len() - trimmed.len() + place;
            let mut other = (*line).to_owned();
            other.insert(place, 'x');
            change("another value within", Some(other));
        }
    }
    changes
}

/// Who is there, without what differs from run to run.
fn told(people: Vec<Person>) -> Vec<String> {
    let mut all: Vec<String> = people
        .into_iter()
        .map(|one| {
            let stays: Vec<_> = one.stays.values().collect();
            format!(
                "{} {} {:?} {:?} {stays:?}",
                one.first_name, one.last_name, one.email, one.phone
            )
        })
        .collect();
    all.sort();
    all
}

/// What came of a run.
struct Came {
    fate: Fate,
    said: String,
    people: Vec<String>,
    /// Open alerts by their kinds, and notes of the run.
    words: BTreeMap<String, u64>,
}

/// A home with one integration, and what runs it.
struct Ground<'a> {
    home: &'a Home,
    tools: &'a Tools,
    integration: &'static str,
    /// The connector that is changed.
    connector: String,
}

/// What a run makes of the files as they are, into a new store or into one that knows everybody.
async fn run_of(ground: &Ground<'_>, store: &Arc<Store>, number: u64) -> Came {
    let home = config::Home::at(ground.home.root());
    let catalog = catalog::load(&home, None, Timestamp::now());
    let slot = &catalog.integrations[&IntegrationId::new(ground.integration)];
    let nothing = |fate, said| Came {
        fate,
        said,
        people: Vec::new(),
        words: BTreeMap::new(),
    };
    if let Some(problem) = catalog.problems.iter().chain(&slot.problems).next() {
        return nothing(Fate::Check, problem.to_string());
    }
    let tools = Tools {
        store: Arc::clone(store),
        ..ground.tools.clone()
    };
    let job = Job {
        integration: Arc::clone(slot.current.as_ref().unwrap()),
        run: RunId(number),
        cause: Cause::Manual,
    };
    let report = run(job, tools, Arc::new(|_| ())).await.unwrap();
    if !report.outcome.is_success() {
        return nothing(
            Fate::Run,
            report.outcome.reason().unwrap_or_default().into(),
        );
    }
    let view = store.read().unwrap();
    let mut words = report.notes;
    let open = view.alerts(None, usize::MAX, |alert| alert.state == AlertState::Open);
    for alert in open.unwrap() {
        *words.entry(alert.kind.as_str().to_owned()).or_insert(0) += 1;
    }
    Came {
        fate: Fate::Same,
        said: String::new(),
        people: told(view.people(None, usize::MAX, |_| true).unwrap()),
        words,
    }
}

async fn no_change_is_silent(kind: Kind) {
    let feed = Feed::start(kind).await;
    let ground = Ground {
        home: &feed.home,
        tools: &feed.tools,
        integration: "elm-court",
        connector: kind.to_string(),
    };
    let all = std::env::var_os("EPMS_MUTATIONS").is_some();
    none_is_silent(&ground, 50, if all { 1 } else { 9 }).await;
}

/// One of so many changes is tried, where more than so many people come in.
#[allow(clippy::print_stdout, reason = "the share is what is to be seen")]
async fn none_is_silent(ground: &Ground<'_>, people: usize, step: usize) {
    let kind = &ground.connector;
    let name = format!("config/connectors/{kind}.yaml");
    let text = ground.home.read(&name);
    let home = config::Home::at(ground.home.root());
    assert_eq!(catalog::check(&home, Timestamp::now()).0, []);
    let fresh = || Arc::new(Store::in_memory().unwrap());
    let usual = run_of(ground, &fresh(), 1).await;
    assert_eq!(usual.fate, Fate::Same, "{}", usual.said);
    assert!(usual.people.len() > people);
    let mut fates = BTreeMap::new();
    let mut silent = Vec::new();
    for (what, changed) in changes(&text).into_iter().step_by(step) {
        ground.home.write(&name, &changed);
        let mut came = run_of(ground, &fresh(), 1).await;
        if came.fate == Fate::Same && came.people != usual.people {
            came.fate = if came.words == usual.words {
                Fate::Silent
            } else {
                Fate::Told
            };
        }
        if came.fate == Fate::Silent && !catalog::check(&home, Timestamp::now()).0.is_empty() {
            came.fate = Fate::Check;
        }
        if came.fate == Fate::Silent {
            // What a request asks for, nobody but the PMS can judge; who was there before is missed.
            let store = fresh();
            ground.home.write(&name, &text);
            let before = run_of(ground, &store, 1).await;
            ground.home.write(&name, &changed);
            for number in 2..=30 {
                let after = run_of(ground, &store, number).await;
                if after.fate == Fate::Run || after.words != before.words {
                    came.fate = Fate::Later;
                    println!(
                        "{kind}: told by run {number} alone, where they were there before: {what}"
                    );
                    break;
                }
            }
        }
        if came.fate == Fate::Silent {
            silent.push(format!(
                "{what}: {} people, {} usually",
                came.people.len(),
                usual.people.len()
            ));
        }
        assert!(came.fate != Fate::Run || !came.said.is_empty(), "{what}");
        *fates.entry(came.fate).or_insert(0) += 1;
    }
    println!("{kind}: {fates:?}");
    assert!(
        silent.is_empty(),
        "{kind}: {fates:?}\n{}",
        silent.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_a_line_of_yardi_s_connector_is_silent() {
    no_change_is_silent(Kind::Yardi).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_a_line_of_realpage_s_connector_is_silent() {
    no_change_is_silent(Kind::RealPage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_a_line_of_entrata_s_connector_is_silent() {
    no_change_is_silent(Kind::Entrata).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_a_line_of_mri_s_connector_is_silent() {
    no_change_is_silent(Kind::Mri).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_a_line_of_appfolio_s_connector_is_silent() {
    no_change_is_silent(Kind::AppFolio).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_a_line_of_the_bureau_s_connector_is_silent() {
    let bureau = Bureau::start(12).await;
    let name = "config/connectors/bureau.yaml";
    bureau.home.edit(name, "at_most: 10m", "at_most: 3s");
    let ground = Ground {
        home: &bureau.home,
        tools: &tools(),
        integration: "sonnenhof",
        connector: "bureau".into(),
    };
    none_is_silent(&ground, 20, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_a_line_of_the_beacon_s_connector_is_silent() {
    let beacon = Beacon::start(30).await;
    let ground = Ground {
        home: &beacon.home,
        tools: &tools(),
        integration: "harbour",
        connector: "beacon".into(),
    };
    none_is_silent(&ground, 20, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_a_line_of_resman_s_connector_is_silent() {
    no_change_is_silent(Kind::ResMan).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_of_a_line_of_rent_manager_s_connector_is_silent() {
    no_change_is_silent(Kind::RentManager).await;
}
