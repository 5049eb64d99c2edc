//! Instructions per record, counted by callgrind and compared with `benches/instructions.json`: the same on a busy
//! machine as on an idle one. `cargo bench --bench instructions`; with `-- --renew` the counts become the baseline.

#![allow(clippy::unwrap_used, reason = "a benchmark may fail anywhere")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table goes to the one, what is under way to the other"
)]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use support::child::{self, Task};
use support::feed::Feed;
use support::home::Home;
use support::invented::Round;
use support::report::Table;
use support::shipped;
use support::stages::{Repeat, Stage};
use support::sync::{Sync, Synced, Which};

/// Counts, and compares with the baseline.
#[derive(Parser)]
struct Arguments {
    /// Makes the counts the baseline.
    #[arg(long)]
    renew: bool,
    /// Compares nothing: callgrind's profile of a whole sync of 5,000 residents, `first` or `unchanged`.
    #[arg(long, value_name = "SYNC")]
    profile: Option<Which>,
    /// `cargo bench` says so.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The count of a stage may be so much above the baseline.
const MARGIN: f64 = 0.15;

/// That of a whole sync may be so much above it: it varies by a fourteenth from run to run, as answers come in
/// different pieces.
const MARGIN_OF_SYNCS: f64 = 0.25;

/// Records that go through a stage.
const RECORDS: u64 = 2_000;

/// Residents of the two syncs whose difference is counted: what happens once falls out of it.
const SYNCS: [u64; 2] = [1_000, 5_000];

/// The stages that are counted.
const STAGES: [Stage; 6] = [
    Stage::Split,
    Stage::Map,
    Stage::Normal,
    Stage::PlanFirst,
    Stage::CommitFirst,
    Stage::PlanUnchanged,
];

/// Nothing else is counted.
const COUNTED: &str = "--toggle-collect=*stages*counted*";

/// Instructions per record, by what was counted.
type Counts = BTreeMap<String, u64>;

fn main() -> ExitCode {
    if child::is_done() {
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::parse();
    let valgrind = std::process::Command::new("valgrind")
        .arg("--version")
        .output();
    if valgrind.is_err() {
        eprintln!("there is no valgrind on this machine; install it to count instructions");
        return ExitCode::FAILURE;
    }
    if let Some(which) = arguments.profile {
        let file = format!("{}.callgrind", which.name());
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
        sync(which, SYNCS[1], &out);
        println!("callgrind_annotate {}", out.display());
        return ExitCode::SUCCESS;
    }
    let baseline = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.json");
    let counts = count();
    if arguments.renew {
        let text = serde_json::to_string_pretty(&counts).unwrap();
        std::fs::write(&baseline, text + "\n").unwrap();
    }
    let before: Counts = serde_json::from_slice(&std::fs::read(&baseline).unwrap()).unwrap();
    let mut table = Table::new(&[
        "instructions per record",
        "baseline",
        "now",
        "now / baseline",
    ]);
    let mut above = Vec::new();
    for (name, now) in &counts {
        let then = before.get(name).copied();
        let ratio = then.map(|then| ratio(*now, then));
        table.row([
            name.clone(),
            then.map_or_else(|| "–".to_owned(), |then| then.to_string()),
            now.to_string(),
            ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.3}")),
        ]);
        let margin = if name.starts_with("sync_") {
            MARGIN_OF_SYNCS
        } else {
            MARGIN
        };
        if ratio.is_none_or(|ratio| ratio > 1.0 + margin) {
            above.push(name.as_str());
        }
    }
    println!("{table}");
    if above.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "more than {:.0} % ({:.0} % for a whole sync) above benches/instructions.json, or not in it: {}; make it cheaper, or, where it is worth \
         that, say so in the commit and renew the baseline: cargo bench --bench instructions -- --renew",
        MARGIN * 100.0,
        MARGIN_OF_SYNCS * 100.0,
        above.join(", ")
    );
    ExitCode::FAILURE
}

fn ratio(now: u64, then: u64) -> f64 {
    let float = |count: u64| f64::from(u32::try_from(count).unwrap());
    float(now) / float(then)
}

fn count() -> Counts {
    let mut counts = Counts::new();
    let home = Home::new("http://127.0.0.1:9");
    for stage in STAGES {
        let task = Task::Repeat(Repeat {
            home: home.root().to_owned(),
            records: RECORDS,
            stage,
        });
        let out = home.path("callgrind.out");
        let total = counted(&task, &out, &[COUNTED]);
        told(&mut counts, stage.name(), total / RECORDS);
    }
    for (connector, kind) in shipped::ways() {
        let (map, records) = shipped::given(&connector, kind, home.root(), 1);
        let out = home.path("callgrind.out");
        let total = counted(&Task::Map(map), &out, &[COUNTED]);
        told(&mut counts, &format!("map_{connector}"), total / records);
    }
    for which in [Which::First, Which::Unchanged] {
        let [few, many] = SYNCS.map(|residents| {
            let out = home.path("callgrind.out");
            sync(which, residents, &out)
        });
        let per_record = (many - few) / (SYNCS[1] - SYNCS[0]);
        told(&mut counts, &format!("sync_{}", which.name()), per_record);
    }
    counts
}

fn told(counts: &mut Counts, name: &str, count: u64) {
    eprintln!("  {name}: {count}");
    counts.insert(name.to_owned(), count);
}

/// The instructions of a whole sync; their profile goes to `out`.
fn sync(which: Which, residents: u64, out: &Path) -> u64 {
    let feed = Feed::start(residents);
    let home = Home::new(&feed.url);
    let task = |which| {
        Task::Sync(Sync {
            home: home.root().to_owned(),
            which,
            residents,
            one_thread: true,
        })
    };
    if which != Which::First {
        let _: Synced = child::run(&task(Which::First));
    }
    if which == Which::Changed {
        feed.turn(Round::Changed);
    }
    counted(&task(which), out, &[])
}

/// The instructions of a task, as callgrind counts them; their profile goes to `out`.
fn counted(task: &Task, out: &Path, options: &[&str]) -> u64 {
    let done = child::counted(task, out, options).output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    // A machine that is very busy may let a script miss its deadline.
    assert!(done.status.success(), "{task:?} failed: {told}");
    let text = std::fs::read_to_string(out).unwrap();
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = totals.unwrap().trim().parse().unwrap();
    assert!(total > 0, "nothing was counted: {told}");
    total
}
