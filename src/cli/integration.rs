//! `epms integration`: the life of an integration as a whole: another name, its end, and taking either back.

use std::fmt::Write;
use std::io::IsTerminal;

use clap::Subcommand;

use crate::control::client::Client;
use crate::model::{IntegrationId, Retirement};

use super::status::number;
use super::table::{Cell, Column, Table, Tone, clean};
use super::view::View;
use super::{Exit, Failure, Screen, done};

/// What to do with an integration as a whole.
#[derive(Debug, Subcommand)]
pub enum IntegrationVerb {
    /// give the people of one integration to another, whose file is there
    ///
    /// A file that gets another name, and reads the same of the PMS, takes its people along by itself. This is for where
    /// it cannot be told: the account has changed, too, or more than one file reads the same. While the old file is there,
    /// only the people of the PMS properties that both name go.
    #[command(
        verbatim_doc_comment,
        after_help = "\
examples
  mv config/integrations/elm.yaml config/integrations/elm-court.yaml
  epms integration rename elm elm-court
  epms integration undo elm-court"
    )]
    Rename {
        /// the name that the people know it by
        #[arg(value_name = "OLD", value_parser = super::integration_id)]
        old: IntegrationId,
        /// the name of its file now, without .yaml
        #[arg(value_name = "NEW", value_parser = super::integration_id)]
        new: IntegrationId,
    },
    /// end the stays of all people of an integration whose file is gone or switched off, and close its alerts
    ///
    /// Whoever is current or pending there is past from then on. It is the approval of that, and asks once more where
    /// somebody is at a terminal.
    #[command(
        verbatim_doc_comment,
        after_help = "\
examples
  epms integration retire elm --dry-run    whom it would take
  epms integration retire elm
  epms integration retire elm --property 4f1c
  epms integration undo elm"
    )]
    Retire {
        /// the integration
        #[arg(value_parser = super::integration_id)]
        integration: IntegrationId,
        /// only the people of this PMS property, which the file does not name any more
        #[arg(long, value_name = "ID")]
        property: Option<String>,
        /// only tell whom it would take
        #[arg(long)]
        dry_run: bool,
        /// do not ask once more
        #[arg(long, short)]
        yes: bool,
    },
    /// undo the last renaming or retirement of an integration, as long as nothing newer touched its people
    Undo {
        /// the integration that took people over, or that was retired
        #[arg(value_parser = super::integration_id)]
        integration: IntegrationId,
    },
}

pub(super) async fn run(
    verb: &IntegrationVerb,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    match verb {
        IntegrationVerb::Rename { old, new } => {
            let renamed = client.rename(old, new).await?;
            screen.show(json, &renamed, done::show)?;
        }
        IntegrationVerb::Undo { integration } => {
            let undone = client.undo_integration(integration).await?;
            screen.show(json, &undone, done::show)?;
        }
        IntegrationVerb::Retire {
            integration,
            property,
            dry_run,
            yes,
        } => {
            let property = property.as_deref();
            let somebody = screen.progress && std::io::stdin().is_terminal();
            if somebody && !*yes && !*dry_run && !json {
                let would = client.retire(integration, property, true).await?;
                screen
                    .err
                    .write_all(whom(&would, &screen.view).as_bytes())?;
                if !confirmed(&mut std::io::stdin().lock(), screen)? {
                    writeln!(screen.err, "nothing was done")?;
                    return Ok(Exit::Failed);
                }
                let did = client.retire(integration, property, false).await?;
                screen.show(json, &did, |did, _| outcome(did))?;
                return Ok(Exit::Done);
            }
            let told = client.retire(integration, property, *dry_run).await?;
            screen.show(json, &told, |told, view| whom(told, view) + &outcome(told))?;
        }
    }
    Ok(Exit::Done)
}

fn confirmed(input: &mut dyn std::io::BufRead, screen: &mut Screen<'_>) -> Result<bool, Failure> {
    write!(screen.err, "end all of them? [y/N] ")?;
    screen.err.flush()?;
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// Everybody whom it takes.
fn whom(retirement: &Retirement, view: &View) -> String {
    if retirement.people.is_empty() {
        return "nobody is current or pending there\n".to_owned();
    }
    let mut table = Table::new([
        ("PERSON", Column::Whole),
        ("NAME", Column::Wrap),
        ("UNIT", Column::Wrap),
        ("FROM", Column::Whole),
        ("TO", Column::Whole),
    ]);
    for one in &retirement.people {
        table.row([
            one.person.to_string().into(),
            clean(&one.name).into(),
            clean(one.unit.as_deref().unwrap_or("–")).into(),
            Cell::new(one.from.as_str(), Tone::Faint),
            one.to.as_str().into(),
        ]);
    }
    table.render(view)
}

fn outcome(retirement: &Retirement) -> String {
    let people = number(retirement.people.len() as u64, "stay", "stays");
    let alerts = number(retirement.alerts.len() as u64, "alert", "alerts");
    let id = clean(retirement.integration.as_str());
    let mut text = String::new();
    let _ = match &retirement.done {
        Some(done) => writeln!(
            text,
            "{}: {people} ended, {alerts} closed; `epms integration undo {id}` takes it back",
            done.act
        ),
        None => writeln!(text, "{people} would end, {alerts} would be closed"),
    };
    text
}

#[cfg(test)]
mod tests {
    use crate::model::{LeaseStatus, Leaver, PersonId};

    use super::super::testing::plain;
    use super::*;

    fn retirement() -> Retirement {
        Retirement {
            integration: IntegrationId::new("elm"),
            property: None,
            people: vec![Leaver {
                person: PersonId(17),
                name: "Ada Lovelace".into(),
                unit: Some("12B".into()),
                from: LeaseStatus::Current,
                to: LeaseStatus::Past,
            }],
            alerts: Vec::new(),
            done: None,
        }
    }

    #[test]
    fn whoever_is_taken_stands_there_with_name_unit_and_status() {
        let told = whom(&retirement(), &plain()) + &outcome(&retirement());
        for word in [
            "p17",
            "Ada Lovelace",
            "12B",
            "current",
            "past",
            "1 stay would end",
        ] {
            assert!(told.contains(word), "{word}: {told}");
        }
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        let ask = |answer: &str| {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut screen = Screen {
                out: &mut out,
                err: &mut err,
                view: plain(),
                progress: true,
            };
            confirmed(&mut answer.as_bytes(), &mut screen).unwrap()
        };
        assert!(ask("y\n") && ask("yes\n"));
        assert!(!ask("\n") && !ask("no\n") && !ask(""));
    }
}
