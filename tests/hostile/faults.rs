//! Every fault on every PMS, through whole runs: how the run ends, what it says, and that nobody is lost by it.

use std::sync::Arc;

use crate::support::Feed;
use epms::model::{AlertKind, Person, Run};
use epms::sandbox::{Fault, FaultKind, Kind};
use epms::source::Reader;

/// The fault as it is tried here: not longer than it must.
fn soon(fault: FaultKind) -> FaultKind {
    match fault {
        FaultKind::TooMany {
            retry_after: Some(_),
        } => FaultKind::TooMany {
            retry_after: Some(1),
        },
        other => other,
    }
}

const NEXT: &str = "the next run tries again";

/// How the run ends where the fault begins with the second page.
fn expected_half_way(kind: Kind, fault: FaultKind) -> (&'static str, &'static str, &'static str) {
    match fault {
        // The first page said how many there are in all. It is read again, and then the PMS says that there is nobody: that
        // is complete, and held (R27).
        FaultKind::Empty if matches!(kind, Kind::Entrata | Kind::RentManager) => {
            ("held", "the feed is empty", "epms approve")
        }
        // A last page without records is nothing odd, and absence proves nothing (R25).
        FaultKind::Empty => ("committed", "", ""),
        other => expected(kind, other),
    }
}

/// Whether a run gets over a fault that hits one of its requests.
fn passes(kind: Kind, fault: FaultKind) -> bool {
    match fault {
        FaultKind::TooMany { .. }
        | FaultKind::ServerError
        | FaultKind::Unavailable
        | FaultKind::CutConnection
        | FaultKind::Truncated
        | FaultKind::Html => true,
        // MRI says the same of a property that there is not.
        FaultKind::Maintenance => kind != Kind::Mri,
        _ => false,
    }
}

/// How the run ends, what happened and what to do; nothing is told of a run that went well.
fn expected(kind: Kind, fault: FaultKind) -> (&'static str, &'static str, &'static str) {
    use Kind::{AppFolio, Entrata, Mri, RealPage, RentManager, ResMan, Yardi};
    match fault {
        // It is got anew.
        FaultKind::ExpiredToken if kind == RentManager => ("unchanged", "", ""),
        FaultKind::LoginFailed | FaultKind::ExpiredToken => {
            let fields = match kind {
                AppFolio => "check client_id, client_secret and developer_id",
                Entrata => "check api_key",
                Mri => "check client_id, database, web_user, partner_key and password",
                ResMan => "check partner_id, api_key and account_id",
                RentManager => "check username, password and location_id",
                RealPage if fault == FaultKind::LoginFailed => "check pmc_id, username, password",
                Yardi if fault == FaultKind::LoginFailed => "check username, password, server_name",
                RealPage | Yardi => "check the credential",
            };
            ("failed", "the PMS refuses the login", fields)
        }
        FaultKind::TooMany { .. } => ("incomplete", "there were too many requests (", NEXT),
        FaultKind::ServerError => ("incomplete", "the PMS failed with status 500", NEXT),
        FaultKind::Unavailable => ("incomplete", "the PMS failed with status 503", NEXT),
        FaultKind::Maintenance => match kind {
            Entrata => ("incomplete", "closed or busy", NEXT),
            Mri => ("incomplete", "an error in place of records", NEXT),
            ResMan | RentManager => expected(kind, FaultKind::Html),
            _ => ("incomplete", "the PMS is closed for maintenance", NEXT),
        },
        FaultKind::Html => match kind {
            Yardi | RealPage => ("incomplete", "the PMS is closed for maintenance", NEXT),
            _ => (
                "incomplete",
                "the answer is a page of HTML, and no JSON",
                NEXT,
            ),
        },
        FaultKind::Delay(_) | FaultKind::Drip(_) => ("incomplete", "no answer within 1s", NEXT),
        FaultKind::CutConnection => ("incomplete", "the connection broke off", NEXT),
        FaultKind::Truncated => ("incomplete", "it ends too early", NEXT),
        FaultKind::RepeatedPage => ("incomplete", "page 2 is the same as one before it", NEXT),
        // Entrata's pages are counted, and its links are not followed.
        // Nor is a status missed that it says in other words as well.
        FaultKind::EndlessNext | FaultKind::ChangedField if kind == Entrata => {
            ("unchanged", "", "")
        }
        // Rent Manager's pages are counted until there is none.
        FaultKind::EndlessNext if kind == RentManager => ("unchanged", "", ""),
        FaultKind::EndlessNext => ("incomplete", "only pages without records", NEXT),
        FaultKind::Empty => (
            "held",
            "the feed is empty, and ",
            "check `pms_properties` and the rights of the credential",
        ),
        FaultKind::NoResult => match kind {
            Yardi => (
                "incomplete",
                "there is no result in the answer",
                "check server_name, database",
            ),
            RealPage => (
                "incomplete",
                "there is no result in the answer",
                "ask RealPage whether our contract",
            ),
            RentManager => ("incomplete", "the answer is not readable as JSON", NEXT),
            _ => ("incomplete", "there is nothing at `", "nothing was written"),
        },
        // Everybody keeps the last known status, and an alert is written.
        FaultKind::ChangedField => ("committed", "", ""),
        FaultKind::WrongTotal => (
            "incomplete",
            "the PMS declares ",
            "nothing was written; the next run tries again",
        ),
    }
}

async fn every_fault_of(kind: Kind) {
    let mut feed = Feed::start(kind).await;
    let first = feed.run().await;
    assert_eq!(first.outcome.as_str(), "committed", "{kind}: {first:?}");
    let people = feed.people();
    assert!(people.len() > 20, "{}", people.len());
    let connector = format!("config/connectors/{kind}.yaml");
    let patient = feed.home.read(&connector);
    let lines: Vec<&str> = patient
        .lines()
        .map(|line| {
            let times = line.starts_with("timeout:");
            if times { "timeout: 1s" } else { line }
        })
        .collect();
    let impatient = lines.join("\n");
    let mut wrong = Vec::new();
    for (name, fault) in FaultKind::NAMED {
        if !fault.shows_on(kind) {
            continue;
        }
        feed.pms.fault(Fault::new(soon(fault)));
        if matches!(fault, FaultKind::Delay(_) | FaultKind::Drip(_)) {
            feed.home.write(&connector, &impatient);
        }
        let run = feed.run().await;
        let told = run.outcome.reason().unwrap_or_default();
        let (outcome, what, remedy) = expected(kind, fault);
        if run.outcome.as_str() != outcome || !told.contains(what) || !told.contains(remedy) {
            wrong.push(format!("{name}: {} {told}", run.outcome.as_str()));
        }
        // It writes nothing but what there is to do.
        if fault == FaultKind::ChangedField && outcome == "committed" {
            let told = feed.open(AlertKind::UnknownStatus);
            if !matches!(&told[..], [one] if one.contains("finds no status word") && one.contains("correct the script"))
            {
                wrong.push(format!("{name}: {told:?}"));
            }
        }
        for (before, after) in people.iter().zip(feed.people()) {
            if *before != after {
                wrong.push(format!("{name}: {before:?}\n  became {after:?}"));
            }
        }
        assert_eq!(feed.people().len(), people.len(), "{kind} {name}");

        feed.pms.clear_faults();
        feed.home.write(&connector, &patient);
        // A login that was refused is not tried again at once.
        feed.tools.reader = Arc::new(Reader::new().unwrap());
        let next = feed.run().await;
        if !next.outcome.is_success() || feed.people() != people {
            wrong.push(format!("{name}: the next run: {:?}", next.outcome));
        }
    }
    assert!(wrong.is_empty(), "{kind}\n{}", wrong.join("\n"));
}

impl Feed {
    /// One run with a fault and one after it: nobody may change by either.
    async fn survives(&mut self, fault: Fault, people: &[Person]) -> Run {
        let name = format!("{} {}", self.pms.kind(), fault.kind);
        self.pms.fault(fault);
        let run = self.run().await;
        assert!(self.people() == people, "{name}: {run:?}");
        self.pms.clear_faults();
        // A login that was refused is not tried again at once.
        self.tools.reader = Arc::new(Reader::new().unwrap());
        let next = self.run().await;
        assert!(next.outcome.is_success(), "{name}: the next run: {next:?}");
        assert!(self.people() == people, "{name}: the next run");
        run
    }
}

#[tokio::test]
async fn no_fault_half_way_through_the_pages_costs_anybody() {
    // The others answer with everybody at once.
    for kind in [Kind::AppFolio, Kind::Entrata, Kind::Mri, Kind::RentManager] {
        let mut feed = Feed::start(kind).await;
        feed.run().await;
        let people = feed.people();
        for (name, fault) in FaultKind::NAMED {
            if !fault.shows_on(kind) || matches!(fault, FaultKind::Delay(_) | FaultKind::Drip(_)) {
                continue;
            }
            let half_way = Fault::new(soon(fault)).after(1);
            let run = feed.survives(half_way, &people).await;
            let told = run.outcome.reason().unwrap_or_default();
            let (outcome, what, remedy) = expected_half_way(kind, fault);
            assert_eq!(run.outcome.as_str(), outcome, "{kind} {name}: {told}");
            assert!(
                told.contains(what) && told.contains(remedy),
                "{kind} {name}: {told}"
            );
        }
    }
}

#[tokio::test]
async fn a_fault_that_passes_is_got_over_within_the_run() {
    for kind in Kind::ALL {
        let mut feed = Feed::start(kind).await;
        feed.run().await;
        let people = feed.people();
        for (name, fault) in FaultKind::NAMED {
            if passes(kind, fault) {
                let run = feed
                    .survives(Fault::new(soon(fault)).times(1), &people)
                    .await;
                assert_eq!(run.outcome.as_str(), "unchanged", "{kind} {name}: {run:?}");
            }
        }
    }
}

#[tokio::test]
async fn no_fault_of_appfolio_costs_anybody() {
    every_fault_of(Kind::AppFolio).await;
}

#[tokio::test]
async fn no_fault_of_yardi_costs_anybody() {
    every_fault_of(Kind::Yardi).await;
}

#[tokio::test]
async fn no_fault_of_realpage_costs_anybody() {
    every_fault_of(Kind::RealPage).await;
}

#[tokio::test]
async fn no_fault_of_entrata_costs_anybody() {
    every_fault_of(Kind::Entrata).await;
}

#[tokio::test]
async fn no_fault_of_mri_costs_anybody() {
    every_fault_of(Kind::Mri).await;
}

#[tokio::test]
async fn no_fault_of_resman_costs_anybody() {
    every_fault_of(Kind::ResMan).await;
}

#[tokio::test]
async fn no_fault_of_rent_manager_costs_anybody() {
    every_fault_of(Kind::RentManager).await;
}
