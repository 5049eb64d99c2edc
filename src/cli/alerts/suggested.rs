//! `epms alerts resolve --suggested`: all alerts that suggest what they could be resolved by, each by an act of its own.

use std::io::BufRead;

use serde::Serialize;

use crate::control::client::{AlertFilter, Client, ClientError};
use crate::control::protocol::AlertAct;
use crate::model::{ActId, Alert, AlertId, AlertKind, AlertState, IntegrationId, Resolution};

use super::super::pages::{self, Length};
use super::super::status::number;
use super::super::table::{Cell, Column, Table, Tone, paragraph};
use super::super::view::View;
use super::super::{Exit, Failure, Screen};
use super::ResolveArguments;

/// What became of all of them.
#[derive(Debug, Serialize)]
struct Resolved {
    #[serde(rename = "resolved")]
    done: u64,
    refused: u64,
    /// Open alerts of the kind that suggest nothing.
    without: u64,
    items: Vec<One>,
}

/// What became of one.
#[derive(Debug, Serialize)]
struct One {
    alert: AlertId,
    integration: IntegrationId,
    /// The PMS's unit.
    unit: String,
    /// The unit here.
    here: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<ActId>,
    /// Why it was not resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

pub(super) async fn run(
    arguments: &ResolveArguments,
    json: bool,
    client: &Client,
    input: Option<&mut dyn BufRead>,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let kind = wanted(arguments)?;
    let filter = AlertFilter {
        state: Some(AlertState::Open),
        kind: Some(kind),
        integration: arguments.integration.clone(),
    };
    let alerts = all(&filter, client).await?;
    let integration = filter.integration.as_ref();
    pages::nothing_of(integration, alerts.is_empty(), client).await?;
    let without = alerts.iter().filter(|one| one.suggestion.is_none()).count();
    let found: Vec<One> = alerts.into_iter().filter_map(one).collect();
    if !found.is_empty() && !arguments.yes {
        agreed(&found, input, screen)?;
    }
    let mut items = Vec::new();
    for one in found {
        items.push(resolved(one, client).await?);
    }
    let count = |is: fn(&&One) -> bool| items.iter().filter(is).count() as u64;
    let done = Resolved {
        done: count(|one| one.act.is_some()),
        refused: count(|one| one.refused.is_some()),
        without: without as u64,
        items,
    };
    screen.show(json, &done, told)?;
    Ok(if done.refused == 0 {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// The kind, where it is one that suggests anything.
fn wanted(arguments: &ResolveArguments) -> Result<AlertKind, Failure> {
    let invalid = |told: &str| Failure::other(Exit::Invalid, told);
    if !arguments.suggested {
        let told = "say how: `epms alerts show` names the ways in which this alert can be resolved";
        return Err(invalid(told));
    }
    match arguments.kind {
        _ if arguments.how.is_some() => Err(invalid(
            "--suggested is a way by itself; leave the other one away",
        )),
        Some(AlertKind::UnmappedUnit) => Ok(AlertKind::UnmappedUnit),
        _ => Err(invalid(
            "only `unmapped_unit` suggests anything; write --kind unmapped_unit",
        )),
    }
}

async fn all(filter: &AlertFilter, client: &Client) -> Result<Vec<Alert>, Failure> {
    let (mut alerts, mut length) = (Vec::new(), Length::ample());
    loop {
        let page = pages::read(&length, async |cut| client.alerts(filter, &cut).await);
        let page = page.await?;
        alerts.extend(page.items);
        if page.next.is_none() {
            return Ok(alerts);
        }
        length.cursor = page.next;
    }
}

fn one(alert: Alert) -> Option<One> {
    Some(One {
        here: alert.suggestion?,
        alert: alert.id,
        integration: alert.integration,
        unit: alert.subject,
        act: None,
        refused: None,
    })
}

/// Shows what would be done, and asks.
fn agreed(
    found: &[One],
    input: Option<&mut dyn BufRead>,
    screen: &mut Screen<'_>,
) -> Result<(), Failure> {
    let count = number(found.len() as u64, "alert", "alerts");
    let Some(input) = input else {
        let told = format!(
            "{count} would be resolved as suggested; look at them by `epms alerts list --kind unmapped_unit`, then add --yes"
        );
        return Err(Failure::other(Exit::Invalid, told));
    };
    let shown = table(found, &screen.view);
    screen.complain(shown.trim_end())?;
    write!(screen.err, "resolve {count} like this? [y/N] ")?;
    screen.err.flush()?;
    let mut line = String::new();
    input.read_line(&mut line)?;
    match line.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::other(
            Exit::Failed,
            "nothing was resolved, as you said",
        )),
    }
}

/// Maps one. What the daemon refuses of it is no reason to leave the others.
async fn resolved(one: One, client: &Client) -> Result<One, Failure> {
    let resolution = Resolution::MapUnit {
        unit: one.here.clone(),
        force: false,
    };
    match client
        .to_alert(one.alert, &AlertAct::Resolve(resolution))
        .await
    {
        Ok(done) => Ok(One {
            act: Some(done.act),
            ..one
        }),
        Err(ClientError::Refused(problem)) if problem.status == 409 => Ok(One {
            refused: Some(problem.detail),
            ..one
        }),
        Err(error) => Err(error.into()),
    }
}

fn table(all: &[One], view: &View) -> String {
    let mut table = Table::new([
        ("ALERT", Column::Whole),
        ("INTEGRATION", Column::Cut),
        ("PMS UNIT", Column::Whole),
        ("UNIT HERE", Column::Cut),
        ("ACT", Column::Whole),
    ]);
    for one in all {
        let act = match (one.act, &one.refused) {
            (Some(act), _) => Cell::from(act),
            (None, Some(_)) => Cell::new("refused", Tone::Attention),
            (None, None) => "".into(),
        };
        table.row([
            one.alert.into(),
            one.integration.to_string().into(),
            one.unit.clone().into(),
            one.here.clone().into(),
            act,
        ]);
    }
    table.render(view)
}

fn told(done: &Resolved, view: &View) -> String {
    let mut text = String::new();
    if !done.items.is_empty() {
        text += &table(&done.items, view);
        text.push('\n');
    }
    text += &format!("{} resolved", number(done.done, "alert", "alerts"));
    if done.refused > 0 {
        text += &format!(", {} refused", done.refused);
    }
    if done.without > 0 {
        text += &format!("; {} without a suggestion stay open", done.without);
    }
    text.push('\n');
    for one in &done.items {
        if let Some(why) = &one.refused {
            text += &paragraph(2, &format!("{}: {why}", one.alert), view);
        }
    }
    text
}
