//! `epms alerts`: what somebody must look at, as a list or with both sides beside each other.

use std::collections::BTreeSet;
use std::fmt::Write;

use clap::{Args, Subcommand, ValueEnum};

use crate::control::client::{AlertFilter, Client};
use crate::control::protocol::Page;
use crate::model::{Alert, AlertId, AlertKind, AlertState, Field, IntegrationId, Side};

use super::pages::{self, Length};
use super::table::{Cell, Column, Table, Tone, clean, paragraph};
use super::view::View;
use super::{Exit, Failure, Screen};

/// What to do with alerts.
#[derive(Debug, Subcommand)]
pub enum AlertsVerb {
    /// list alerts
    List(ListArguments),
    /// show one alert: both sides, field by field
    Show {
        /// the alert's id, such as a5
        alert: AlertId,
    },
}

/// Which alerts to list.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
examples
  epms alerts list
  epms alerts list --kind name_mismatch --integration 123-building-name")]
pub struct ListArguments {
    /// open ones, or all
    #[arg(long, value_enum, default_value_t = StateChoice::Open)]
    pub state: StateChoice,
    /// only this kind, such as name_mismatch
    #[arg(long, value_parser = kind)]
    pub kind: Option<AlertKind>,
    /// only alerts of this integration
    #[arg(long, value_name = "ID", value_parser = super::integration_id)]
    pub integration: Option<IntegrationId>,
    /// How many.
    #[command(flatten)]
    pub length: Length,
}

/// Which states to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum StateChoice {
    /// those that wait for somebody
    #[default]
    Open,
    /// those whose cause went away, too
    All,
}

/// A kind by its word, as the model writes it.
fn kind(text: &str) -> Result<AlertKind, String> {
    // The model's own words: serde lists them when the given one is not among them.
    serde_json::from_value(serde_json::Value::from(text)).map_err(|error| error.to_string())
}

pub(super) async fn run(
    verb: &AlertsVerb,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    match verb {
        AlertsVerb::List(arguments) => {
            let filter = AlertFilter {
                closed_too: arguments.state == StateChoice::All,
                kind: arguments.kind,
                integration: arguments.integration.clone(),
            };
            let page = pages::read(&arguments.length, async |cut| {
                client.alerts(&filter, &cut).await
            });
            screen.show(json, &page.await?, list)?;
        }
        AlertsVerb::Show { alert } => screen.show(json, &client.alert(*alert).await?, show)?,
    }
    Ok(Exit::Done)
}

fn list(page: &Page<Alert>, view: &View) -> String {
    if page.items.is_empty() {
        return "no alerts\n".to_owned();
    }
    let mut text = table(&page.items, view);
    text += &pages::more(page);
    text
}

/// Alerts, one below the other.
pub(super) fn table(alerts: &[Alert], view: &View) -> String {
    let mut table = Table::new([
        ("ID", Column::Whole),
        ("KIND", Column::Whole),
        ("INTEGRATION", Column::Cut),
        ("ABOUT", Column::Cut),
        ("SINCE", Column::Whole),
        ("WHAT", Column::Wrap),
    ]);
    for alert in alerts {
        let since = match alert.state {
            AlertState::Open => view.relative(alert.first_seen),
            AlertState::AutoClosed => "closed".to_owned(),
        };
        table.row([
            alert.id.into(),
            alert.kind.into(),
            alert.integration.to_string().into(),
            about(alert).into(),
            since.into(),
            alert.detail.clone().into(),
        ]);
    }
    table.render(view)
}

/// Whom an alert is about, as people would say it; else what it is about.
fn about(alert: &Alert) -> String {
    let name = |side: &Side| {
        let names = [Field::FirstName, Field::LastName].map(|field| side.values.get(&field));
        let names: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(" "))
    };
    alert
        .sides
        .first()
        .and_then(name)
        .unwrap_or_else(|| alert.subject.clone())
}

fn show(alert: &Alert, view: &View) -> String {
    let mut text = format!(
        "{} {} at {}: {}\n",
        alert.id,
        alert.kind,
        clean(alert.integration.as_str()),
        alert.state
    );
    text += &paragraph(2, &alert.detail, view);
    text.push('\n');
    let mut facts = Table::of_pairs(0);
    facts.pair("subject", &alert.subject);
    facts.pair(
        "raised",
        format!("{} by {}", view.both(alert.first_seen), alert.raised_by),
    );
    facts.pair("last seen", view.both(alert.last_seen));
    text += &facts.render(view);
    let Some((first, others)) = alert.sides.split_first() else {
        return text;
    };
    // More than three columns of values do not fit; then the first side is set against two at a time.
    if others.is_empty() {
        let _ = write!(text, "\n{}", beside(&[first], view));
    }
    for some in others.chunks(2) {
        let sides: Vec<&Side> = std::iter::once(first).chain(some).collect();
        let _ = write!(text, "\n{}", beside(&sides, view));
    }
    text
}

/// Sides beside each other, field by field; `≠` marks what differs.
fn beside(sides: &[&Side], view: &View) -> String {
    let mut table = Table::of_sides(sides.len());
    let mut names = vec!["".into(), "".into()];
    names.extend(sides.iter().map(|side| Cell::new(who(side), Tone::Faint)));
    table.row_of(names);
    let fields: BTreeSet<Field> = sides
        .iter()
        .flat_map(|side| side.values.keys().copied())
        .collect();
    for field in fields {
        let values: Vec<Option<&String>> =
            sides.iter().map(|side| side.values.get(&field)).collect();
        let differs = values.windows(2).any(|pair| pair[0] != pair[1]);
        let tone = if differs {
            Tone::Attention
        } else {
            Tone::Plain
        };
        let mut row = vec![
            Cell::new(if differs { "≠" } else { "" }, tone),
            field.into(),
        ];
        row.extend(
            values
                .iter()
                .map(|value| Cell::new(value.map_or("–", String::as_str), tone)),
        );
        table.row_of(row);
    }
    table.render(view)
}

fn who(side: &Side) -> String {
    match (&side.resident, side.person) {
        (Some(resident), Some(person)) => format!("resident {resident}, person {person}"),
        (Some(resident), None) => format!("resident {resident} of the PMS"),
        (None, Some(person)) => format!("person {person} of the store"),
        (None, None) => "the PMS".to_owned(),
    }
}
