//! Whole syncs, each in a process of its own, beside what somebody would write by hand, in the same run.

use crate::support::by_hand::{ByHand, Read, by_hand_in_python};
use crate::support::child::{Task, run};
use crate::support::feed::Feed;
use crate::support::home::Home;
use crate::support::invented::Round;
use crate::support::plot::Panel;
use crate::support::report::{Report, Table, Unit};
use crate::support::sync::{Sync, Synced, Which};
use crate::support::usage::{Usage, median};

use super::grouped;

/// Sizes of the feed, and how often each is measured; what is told is the median.
const SIZES: [(u64, usize); 3] = [(1_000, 5), (10_000, 5), (100_000, 3)];
/// Also these, when everything is asked for.
const LARGE: [(u64, usize); 2] = [(300_000, 1), (1_000_000, 1)];

fn sizes() -> Vec<u64> {
    let sizes = SIZES.iter().chain(&LARGE);
    sizes.map(|(residents, _)| *residents).collect()
}

pub(crate) fn measure(report: &mut Report, all: bool) {
    let large = LARGE.iter().filter(|_| all);
    for (residents, times) in SIZES.iter().chain(large) {
        of(report, *residents, *times);
    }
}

pub(crate) fn tables(report: &Report) -> Vec<(&'static str, Table)> {
    vec![
        ("Beside each other, 100,000 residents", beside(report)),
        ("Whole syncs", whole(report)),
        ("By hand, in the same run", by_hand(report)),
    ]
}

pub(crate) fn panels(report: &Report) -> Vec<Panel> {
    let sizes = sizes();
    let line = |label, of: &'static str, what: &'static str| {
        super::line(report, label, &sizes, |size| {
            let (kind, rest) = of.split_once('/').unwrap();
            format!("{kind}/{size}/{rest}/{what}")
        })
    };
    let panel = |title, unit, what| Panel {
        title,
        across: "residents",
        unit,
        lines: vec![
            line("first sync", "syncs/first", what),
            line("1 % changed", "syncs/changed", what),
            line("nothing changed", "syncs/unchanged", what),
            line("by hand in Python", "by_hand/python/first", what),
        ],
    };
    vec![
        panel("Time of a sync", Unit::Seconds, "wall"),
        panel("Peak memory of a sync", Unit::Bytes, "peak"),
    ]
}

fn of(report: &mut Report, residents: u64, times: usize) {
    let feed = Feed::start(residents);
    let mut syncs: Vec<Vec<Synced>> = vec![Vec::new(); Which::ALL.len()];
    let mut hands: Vec<(&str, Vec<Usage>)> = Vec::new();
    let mut hand = |name, usage: Usage| match hands.iter_mut().find(|(known, _)| *known == name) {
        Some((_, usages)) => usages.push(usage),
        None => hands.push((name, vec![usage])),
    };
    for _ in 0..times {
        let home = Home::new(&feed.url);
        feed.turn(Round::First);
        for (which, took) in Which::ALL.into_iter().zip(&mut syncs) {
            if which == Which::Changed {
                feed.turn(Round::Changed);
            }
            took.push(run(&Task::Sync(Sync {
                home: home.root().to_owned(),
                which,
                residents,
                one_thread: false,
            })));
        }
        let read = Read {
            url: feed.url.clone(),
            residents,
        };
        hand("read", run(&Task::Read(read.clone())));
        let rust = ByHand {
            read: read.clone(),
            file: home.path("by-hand.redb"),
        };
        let python = ByHand {
            read,
            file: home.path("by-hand.sqlite"),
        };
        hand("rust/first", run(&Task::ByHand(rust.clone())));
        hand("rust/again", run(&Task::ByHand(rust)));
        for name in ["python/first", "python/again"] {
            match by_hand_in_python(&python) {
                Some(usage) => hand(name, usage),
                None => eprintln!("  there is no python3: its rows stay empty"),
            }
        }
    }
    for (which, took) in Which::ALL.into_iter().zip(syncs) {
        let name = |what: &str| format!("syncs/{residents}/{}/{what}", which.name());
        let of = |value: fn(&Synced) -> f64| median(took.iter().map(value).collect());
        report.seconds(&name("wall"), of(|took| took.usage.wall));
        report.seconds(&name("cpu"), of(|took| took.usage.cpu));
        report.seconds(&name("reading"), of(|took| took.reading));
        report.bytes(&name("peak"), of(|took| took.usage.peak));
        report.bytes(&name("store"), of(|took| took.store));
    }
    for (hand, took) in hands {
        let name = |what: &str| format!("by_hand/{residents}/{hand}/{what}");
        let of = |value: fn(&Usage) -> f64| median(took.iter().map(value).collect());
        report.seconds(&name("wall"), of(|took| took.wall));
        report.seconds(&name("cpu"), of(|took| took.cpu));
        report.bytes(&name("peak"), of(|took| took.peak));
    }
}

fn whole(report: &Report) -> Table {
    let mut table = Table::new(&[
        "residents",
        "sync",
        "time",
        "until mapped",
        "processor",
        "peak memory",
        "store",
    ]);
    for residents in sizes() {
        for which in Which::ALL {
            let name = |what: &str| format!("syncs/{residents}/{}/{what}", which.name());
            let cell = |what: &str| report.cell(&name(what));
            if report.get(&name("wall")).is_none() {
                continue;
            }
            table.row([
                grouped(residents),
                which.name().to_owned(),
                cell("wall"),
                cell("reading"),
                cell("cpu"),
                cell("peak"),
                cell("store"),
            ]);
        }
    }
    table
}

fn by_hand(report: &Report) -> Table {
    let mut table = Table::new(&["residents", "by hand", "time", "processor", "peak memory"]);
    for residents in sizes() {
        for (hand, told) in [
            ("read", "reading the bytes"),
            ("rust/first", "Rust, first"),
            ("rust/again", "Rust, again"),
            ("python/first", "Python, first"),
            ("python/again", "Python, again"),
        ] {
            let name = |what: &str| format!("by_hand/{residents}/{hand}/{what}");
            let cell = |what: &str| report.cell(&name(what));
            if report.get(&name("wall")).is_none() {
                let was_asked = report.get(&format!("by_hand/{residents}/read/wall"));
                if was_asked.is_some() {
                    let told = format!("{told}: there is no python3");
                    let none = || "–".to_owned();
                    table.row([grouped(residents), told, none(), none(), none()]);
                }
                continue;
            }
            table.row([
                grouped(residents),
                told.to_owned(),
                cell("wall"),
                cell("cpu"),
                cell("peak"),
            ]);
        }
    }
    table
}

/// The table of what is promised.
fn beside(report: &Report) -> Table {
    let mut table = Table::new(&[
        "",
        "first sync",
        "of Python",
        "nothing changed",
        "of Python",
        "peak memory",
    ]);
    for (told, first, again) in [
        ("epms", "syncs/100000/first", "syncs/100000/unchanged"),
        (
            "by hand: Python",
            "by_hand/100000/python/first",
            "by_hand/100000/python/again",
        ),
        (
            "by hand: Rust",
            "by_hand/100000/rust/first",
            "by_hand/100000/rust/again",
        ),
        (
            "reading the bytes",
            "by_hand/100000/read",
            "by_hand/100000/read",
        ),
    ] {
        let wall = |name: &str| format!("{name}/wall");
        table.row([
            told.to_owned(),
            report.cell(&wall(first)),
            report.ratio(&wall(first), "by_hand/100000/python/first/wall"),
            report.cell(&wall(again)),
            report.ratio(&wall(again), "by_hand/100000/python/again/wall"),
            report.cell(&format!("{first}/peak")),
        ]);
    }
    table
}
