//! `epms verify`: every table of the store held against every other, through the daemon or, where none runs, in
//! the store itself.

use std::fmt::Write;

use crate::config::{Environment, Home};
use crate::control::client::Client;
use crate::model::{Flaw, Soundness};
use crate::store::Store;

use super::table::{Column, Table, clean};
use super::view::View;
use super::{Exit, Failure, Screen, care};

pub(super) async fn run(
    json: bool,
    client: &Client,
    home: &Home,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let found = match client.verify().await {
        Err(error) if care::nobody_runs(&error) => {
            let folder = care::folder(home, environment)?;
            let store = Store::open_thoroughly(care::with_store(&folder)?)?;
            care::tell(store.notes(), screen)?;
            store.read()?.verify()?
        }
        found => found?,
    };
    screen.show(json, &found, show)?;
    Ok(if found.flaws.is_empty() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// How much there is: `87 people, 27 alerts`.
pub(super) fn summary(found: &Soundness) -> String {
    let of = |table: &str| found.entries.get(table).copied().unwrap_or_default();
    format!(
        "{} people, {} links, {} alerts, {} changes, {} runs",
        of("people-1"),
        of("links-1"),
        of("alerts-1"),
        of("changes-1"),
        of("runs-1")
    )
}

fn show(found: &Soundness, view: &View) -> String {
    let mut text = format!("{}\n", summary(found));
    if !found.lost.is_empty() {
        list(&mut text, "WHAT IS MISSING OF REPORTS", &found.lost, view);
        text += "\nnothing hangs on the reports of runs that are over: people, links, alerts and changes are whole\n";
    }
    if found.flaws.is_empty() {
        text += "the store is sound: every table fits every other\n";
        return text;
    }
    list(&mut text, "WHAT DOES NOT FIT", &found.flaws, view);
    text += "\nthe store is not sound; keep its file, and restore a backup from before: `epms restore FILE`\n";
    text
}

fn list(text: &mut String, title: &'static str, flaws: &[Flaw], view: &View) {
    let mut table = Table::new([("TABLE", Column::Whole), (title, Column::Wrap)]);
    for flaw in flaws {
        table.row([flaw.table.clone().into(), clean(&flaw.what).into()]);
    }
    let _ = write!(text, "\n{}", table.render(view));
}
