//! What a record costs in each stage, beside hand-written Rust for the same record.

use crate::support::child::{Task, run};
use crate::support::home::Home;
use crate::support::report::{Report, Table};
use crate::support::stages::{Stage, Stages};
use crate::support::usage::median;

const RECORDS: u64 = 10_000;
const TIMES: usize = 5;

pub(crate) fn measure(report: &mut Report) {
    let home = Home::new("http://127.0.0.1:9");
    let task = Task::Stages(Stages {
        home: home.root().to_owned(),
        records: RECORDS,
    });
    let runs: Vec<Vec<(Stage, f64)>> = (0..TIMES).map(|_| run(&task)).collect();
    for stage in Stage::ALL {
        let of = |run: &Vec<(Stage, f64)>| {
            let found = run.iter().find(|(one, _)| *one == stage);
            found.unwrap().1
        };
        report.seconds(&name(stage), median(runs.iter().map(of).collect()));
    }
}

pub(crate) fn tables(report: &Report) -> Vec<(&'static str, Table)> {
    vec![("One record, on one core", table(report))]
}

fn name(stage: Stage) -> String {
    format!("stages/{}", stage.name())
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(&["stage", "epms", "by hand in Rust", "ratio"]);
    for (told, stage, by_hand) in [
        ("split the answer", Stage::Split, Some(Stage::SplitByHand)),
        (
            "decode and map by the script",
            Stage::Map,
            Some(Stage::MapByHand),
        ),
        ("normal forms", Stage::Normal, None),
        ("plan, newcomers", Stage::PlanFirst, None),
        (
            "commit, newcomers",
            Stage::CommitFirst,
            Some(Stage::CommitByHand),
        ),
        (
            "plan, linked people, all looked at again",
            Stage::PlanUnchanged,
            None,
        ),
        (
            "commit of that, the decisions alone",
            Stage::CommitUnchanged,
            None,
        ),
    ] {
        let hand = by_hand.map(name);
        table.row([
            told.to_owned(),
            report.cell(&name(stage)),
            hand.as_ref()
                .map_or_else(|| "–".to_owned(), |hand| report.cell(hand)),
            hand.map_or_else(|| "–".to_owned(), |hand| report.ratio(&name(stage), &hand)),
        ]);
    }
    table
}
