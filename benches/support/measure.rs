//! The sections of the table: each measures, and says how its part of the table looks.

mod fleet;
mod latencies;
mod pages;
mod shipped;
mod stages;
mod syncs;

use clap::ValueEnum;

use super::plot::{Line, Panel};
use super::report::{Report, Table};

/// A part of the table that can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Section {
    /// Whole syncs, beside the yardsticks.
    Syncs,
    /// What a record costs in each stage.
    Stages,
    /// What a record costs in the shipped scripts.
    Shipped,
    /// Many integrations in one daemon.
    Fleet,
    /// How long the daemon lets others wait.
    Latencies,
    /// What lists of many people take, and what those pay whom browsers look at.
    Pages,
}

impl Section {
    pub(crate) const ALL: [Section; 6] = [
        Section::Syncs,
        Section::Stages,
        Section::Shipped,
        Section::Fleet,
        Section::Latencies,
        Section::Pages,
    ];

    /// Measures it; with `all` also what takes minutes and gigabytes.
    pub(crate) fn measure(self, report: &mut Report, all: bool) {
        match self {
            Section::Syncs => syncs::measure(report, all),
            Section::Stages => stages::measure(report),
            Section::Shipped => shipped::measure(report),
            Section::Fleet => fleet::measure(report),
            Section::Latencies => latencies::measure(report, all),
            Section::Pages => pages::measure(report),
        }
    }

    /// Its tables with their titles, as far as they were measured.
    pub(crate) fn tables(self, report: &Report) -> Vec<(&'static str, Table)> {
        match self {
            Section::Syncs => syncs::tables(report),
            Section::Stages => stages::tables(report),
            Section::Shipped => shipped::tables(report),
            Section::Fleet => fleet::tables(report),
            Section::Latencies => latencies::tables(report),
            Section::Pages => pages::tables(report),
        }
    }
}

/// What grows with what: drawn by `plot`.
pub(crate) fn panels(report: &Report) -> Vec<Panel> {
    [syncs::panels(report), fleet::panels(report)].concat()
}

/// A line of a panel: the values that were measured at these sizes.
fn line(report: &Report, label: &'static str, sizes: &[u64], name: impl Fn(u64) -> String) -> Line {
    let float = |size: u64| f64::from(u32::try_from(size).unwrap());
    let points = sizes
        .iter()
        .filter_map(|size| Some((float(*size), report.get(&name(*size))?.value)));
    Line {
        label,
        points: points.collect(),
    }
}

/// 100000 as `100,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Of sorted values the one below which that share of them lies.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let last = f64::from(u32::try_from(sorted.len() - 1).unwrap());
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the length"
    )]
    let place = (last * share).round() as usize;
    sorted[place]
}
