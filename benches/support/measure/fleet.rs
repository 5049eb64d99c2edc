//! Many integrations in one daemon: what all runs of an hour take, by how many there are.

use crate::support::child::{Task, run};
use crate::support::feed::{Feed, OF_A_BUILDING};
use crate::support::fleet::{Fleet, Hour};
use crate::support::home::Home;
use crate::support::plot::Panel;
use crate::support::report::{Report, Table, Unit};

use super::grouped;

/// How many integrations, each with a building of its own.
const SIZES: [u64; 3] = [100, 500, 2_000];

const HOURS: [&str; 2] = ["first", "unchanged"];

pub(crate) fn measure(report: &mut Report) {
    let feed = Feed::start(0);
    for integrations in SIZES {
        let home = Home::new(&feed.url).without_all();
        for number in 0..integrations {
            home.building(number);
        }
        for name in HOURS {
            let hour: Hour = run(&Task::Fleet(Fleet {
                home: home.root().to_owned(),
                is_first: name == HOURS[0],
            }));
            let name = |what: &str| format!("fleet/{integrations}/{name}/{what}");
            let of = |share: f64| super::quantile(&hour.runs, share);
            report.seconds(&name("wall"), hour.usage.wall);
            report.seconds(&name("cpu"), hour.usage.cpu);
            report.seconds(&name("run_p50"), of(0.5));
            report.seconds(&name("run_p99"), of(0.99));
            report.bytes(&name("peak"), hour.usage.peak);
            report.bytes(&name("store"), hour.store);
        }
    }
}

pub(crate) fn tables(report: &Report) -> Vec<(&'static str, Table)> {
    let title = "Many integrations, all runs of an hour, two at once";
    vec![(title, table(report))]
}

pub(crate) fn panels(report: &Report) -> Vec<Panel> {
    let line = |label, hour: &'static str, what: &'static str| {
        super::line(report, label, &SIZES, |size| {
            format!("fleet/{size}/{hour}/{what}")
        })
    };
    let panel = |title, unit, what| Panel {
        title,
        across: "integrations of 500 residents",
        unit,
        lines: vec![
            line("first hour", "first", what),
            line("an hour without changes", "unchanged", what),
        ],
    };
    vec![
        panel("All runs of an hour", Unit::Seconds, "wall"),
        panel("Peak memory of the hour", Unit::Bytes, "peak"),
    ]
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(&[
        "integrations",
        "residents",
        "hour",
        "all runs",
        "processor",
        "a run, p50",
        "p99",
        "peak memory",
        "store",
    ]);
    for integrations in SIZES {
        for hour in HOURS {
            let name = |what: &str| format!("fleet/{integrations}/{hour}/{what}");
            let cell = |what: &str| report.cell(&name(what));
            if report.get(&name("wall")).is_none() {
                continue;
            }
            table.row([
                grouped(integrations),
                grouped(integrations * OF_A_BUILDING),
                hour.to_owned(),
                cell("wall"),
                cell("cpu"),
                cell("run_p50"),
                cell("run_p99"),
                cell("peak"),
                cell("store"),
            ]);
        }
    }
    table
}
