//! The benchmarks as one table: `cargo bench --bench table`. What is measured and under which conditions stands in
//! `benches/README.md`.

#![allow(clippy::unwrap_used, reason = "a benchmark may fail anywhere")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table goes to the one, what is under way to the other"
)]

mod support;

use std::path::PathBuf;

use clap::Parser;

use support::measure::Section;
use support::report::Report;
use support::{child, measure, plot};

/// Measures, prints the tables, draws the plot, and writes what they are made of as JSON.
#[derive(Parser)]
struct Arguments {
    /// What to measure; everything when none is named.
    sections: Vec<Section>,
    /// Also with a million residents, which takes minutes and gigabytes.
    #[arg(long)]
    all: bool,
    /// Measures nothing: the tables and the plot of this JSON.
    #[arg(long, value_name = "JSON")]
    from: Option<PathBuf>,
    /// The JSON of an earlier run to compare with.
    #[arg(long, value_name = "JSON")]
    against: Option<PathBuf>,
    /// Where the JSON goes.
    #[arg(long, value_name = "JSON", default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/table.json"))]
    out: PathBuf,
    /// Where the plot goes.
    #[arg(long, value_name = "SVG", default_value = concat!(env!("CARGO_TARGET_TMPDIR"), "/growth.svg"))]
    plot: PathBuf,
    /// `cargo bench` says so.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    if child::is_done() {
        return;
    }
    let arguments = Arguments::parse();
    let before = arguments.against.as_deref().map(Report::read);
    let report = if let Some(from) = &arguments.from {
        Report::read(from)
    } else {
        let report = measured(&arguments);
        report.write(&arguments.out);
        report
    };
    println!("{}", report.conditions);
    for (title, table) in Section::ALL.iter().flat_map(|one| one.tables(&report)) {
        if !table.is_empty() {
            println!("\n{title}\n\n{table}");
        }
    }
    if let Some(before) = before {
        let table = report.against(&before);
        println!("\nbefore: {}\n\n{table}", before.conditions);
    }
    std::fs::write(&arguments.plot, plot::svg(&measure::panels(&report))).unwrap();
    eprintln!("wrote {}", arguments.plot.display());
}

fn measured(arguments: &Arguments) -> Report {
    let mut report = Report::begin();
    let asked =
        |section: &Section| arguments.sections.is_empty() || arguments.sections.contains(section);
    for section in Section::ALL.into_iter().filter(asked) {
        eprintln!("{section:?}");
        section.measure(&mut report, arguments.all);
    }
    report.end();
    report
}
