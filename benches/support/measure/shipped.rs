//! What a record costs in each of the shipped scripts.

use tempfile::TempDir;

use crate::support::child::{Task, run};
use crate::support::report::{Report, Table};
use crate::support::shipped::{given, ways};
use crate::support::usage::median;

const TIMES: usize = 5;
const OVER: u32 = 10;

pub(crate) fn measure(report: &mut Report) {
    let folder = TempDir::new().unwrap();
    for (connector, kind) in ways() {
        let (map, records) = given(&connector, kind, folder.path(), OVER);
        let mapped = f64::from(u32::try_from(records).unwrap()) * f64::from(OVER);
        let runs = (0..TIMES).map(|_| run::<f64>(&Task::Map(map.clone())) / mapped);
        report.seconds(&name(&connector), median(runs.collect()));
    }
}

pub(crate) fn tables(report: &Report) -> Vec<(&'static str, Table)> {
    let mut table = Table::new(&["script", "a record"]);
    for (connector, _) in ways() {
        table.row([connector.clone(), report.cell(&name(&connector))]);
    }
    vec![("One record of a shipped PMS, on one core", table)]
}

fn name(connector: &str) -> String {
    format!("shipped/{connector}")
}
