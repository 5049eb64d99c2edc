//! `epms people erase`: asks once more where somebody is at a terminal, and says what was done and what still holds it.

use std::fmt::Write as _;
use std::io::IsTerminal;

use clap::Args;

use crate::control::client::Client;
use crate::control::protocol::EraseAsk;
use crate::model::{Erasure, ErasureState, LeftAt, PersonId};

use super::super::status::number;
use super::super::table::clean;
use super::super::{Exit, Failure, Screen};

/// Whom to erase.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Ids, counts, and who did what and when stay. A tombstone, from which nobody can
be told, keeps the feed from bringing them back; somebody who is current again
is an alert, erased_returned, and comes in with `epms alerts resolve ID admit`.
Where a target has something of theirs, that is taken away first, and the
daemon erases them once it is gone: `epms people show` says how far it is

examples
  epms people erase p17 --reason \"asked for on March 3\"
  epms people erase p17 --yes --force    a target that is gone is not waited for")]
pub struct EraseArguments {
    /// the person's id, such as p17
    pub person: PersonId,
    /// why, for the record; without who it is
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// erase at once, whatever targets still have: it stays there
    #[arg(long)]
    pub force: bool,
    /// do not ask once more
    #[arg(long, short)]
    pub yes: bool,
}

pub(super) async fn run(
    arguments: &EraseArguments,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let person = arguments.person;
    if !arguments.yes {
        if !screen.progress || !std::io::stdin().is_terminal() {
            return Err(Failure::other(
                Exit::Invalid,
                format!(
                    "erasing {person} cannot be undone, and nobody is here to be asked; say so with --yes"
                ),
            ));
        }
        let detail = client.person(person).await?.person;
        let name = format!("{} {}", detail.first_name, detail.last_name);
        write!(
            screen.err,
            "erase {person} {}? This cannot be undone. [y/N] ",
            clean(name.trim())
        )?;
        screen.err.flush()?;
        if !is_yes(&mut std::io::stdin().lock())? {
            writeln!(screen.err, "nothing was done")?;
            return Ok(Exit::Failed);
        }
    }
    let asked = EraseAsk {
        reason: arguments.reason.clone(),
        force: arguments.force,
    };
    let erasure = client.erase_person(person, &asked).await?;
    screen.show(json, &erasure, |erasure, _| told(erasure))?;
    Ok(Exit::Done)
}

fn is_yes(input: &mut dyn std::io::BufRead) -> Result<bool, Failure> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

fn told(erasure: &Erasure) -> String {
    let mut text = String::new();
    let people: Vec<String> = erasure.people.iter().map(PersonId::to_string).collect();
    let what = match erasure.state {
        ErasureState::Erased => "erased",
        ErasureState::Erasing => "erasing",
    };
    let _ = writeln!(text, "{} {what} {}", erasure.done.act, people.join(", "));
    for one in &erasure.waits_for {
        let _ = writeln!(text, "waits for {}", at(one));
    }
    for one in &erasure.stays_at {
        let _ = writeln!(text, "stays at {}", at(one));
    }
    for copy in &erasure.copies {
        let _ = writeln!(
            text,
            "still in {}, an earlier store: delete it once it is not needed",
            clean(copy)
        );
    }
    for sentence in &erasure.still {
        let _ = writeln!(text, "{sentence}");
    }
    text
}

/// What somebody has at a target: `doors: 2 grants; the target is switched off`.
pub(super) fn at(left: &LeftAt) -> String {
    let grants = number(left.grants, "grant", "grants");
    let why = left
        .why
        .as_deref()
        .map_or_else(String::new, |why| format!("; {}", clean(why)));
    format!(
        "{}: {grants} of {}{why}",
        clean(left.target.as_str()),
        left.person
    )
}
