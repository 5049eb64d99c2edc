//! `epms alerts`: what somebody must look at, as a list or with both sides beside each other.

use std::collections::BTreeSet;
use std::fmt::Write;

use clap::{Args, Subcommand, ValueEnum};

use crate::control::client::{AlertFilter, Client};
use crate::control::protocol::{ActDetail, AlertAct, AlertDetail, Page};
use crate::model::{
    Alert, AlertId, AlertKind, AlertState, Confidence, Field, IntegrationId, LeaseStatus, PersonId,
    Resolution, RunId, Side, Way,
};

use super::pages::{self, Fits, Length};
use super::table::{Cell, Column, Table, Tone, below_each, clean, paragraph};
use super::view::View;
use super::{Exit, Failure, Screen};

/// What to do with alerts.
#[derive(Debug, Subcommand)]
pub enum AlertsVerb {
    /// list alerts
    List(ListArguments),
    /// show one alert: both sides, field by field, and how it can be resolved
    Show {
        /// the alert's id, such as a5
        alert: AlertId,
    },
    /// resolve an alert; `show` tells in which ways
    Resolve {
        /// the alert's id, such as a5
        alert: AlertId,
        /// How.
        #[command(subcommand)]
        how: How,
    },
    /// hear no more of an alert until either side changes
    Dismiss {
        /// the alert's id, such as a5
        alert: AlertId,
    },
    /// undo what was last done to an alert, while nothing newer touched the same
    Undo {
        /// the alert's id, such as a5
        alert: AlertId,
    },
}

/// How to resolve an alert.
#[derive(Debug, Clone, Subcommand)]
pub enum How {
    /// `name_mismatch`: take the PMS's name and link · `duplicate_accounts`: make one person of several
    #[command(verbatim_doc_comment)]
    Merge {
        /// the person who stays, such as p17
        #[arg(long, value_name = "PERSON")]
        into: Option<PersonId>,
    },
    /// `email_mismatch`, `name_mismatch`: make the resident a person of their own
    CreateSeparate,
    /// `email_mismatch`: give the person the PMS's email
    ReplaceEmail,
    /// `duplicate_accounts`: the resident is none of the people of the same name
    NotDuplicate,
    /// `identity_changed`, `duplicate_ids`: the record is the linked person's all the same
    SamePerson,
    /// `identity_changed`: the record is somebody else's than the linked person's
    SomebodyElse,
    /// `unmapped_unit`: the PMS's unit is this unit here
    MapUnit {
        /// the unit here
        unit: String,
        /// although another unit of the PMS is mapped onto it
        #[arg(long)]
        force: bool,
    },
}

impl From<&How> for Resolution {
    fn from(how: &How) -> Resolution {
        match how {
            How::Merge { into } => Resolution::Merge { into: *into },
            How::CreateSeparate => Resolution::CreateSeparate,
            How::ReplaceEmail => Resolution::ReplaceEmail,
            How::NotDuplicate => Resolution::NotDuplicate,
            How::SamePerson => Resolution::SamePerson,
            How::SomebodyElse => Resolution::SomebodyElse,
            How::MapUnit { unit, force } => Resolution::MapUnit {
                unit: unit.clone(),
                force: *force,
            },
        }
    }
}

/// Which alerts to list.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
examples
  epms alerts list
  epms alerts list --kind name_mismatch --integration 123-building-name")]
pub struct ListArguments {
    /// in which state
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
    /// those that somebody dismissed
    Dismissed,
    /// those that somebody resolved
    Resolved,
    /// those whose cause went away
    #[value(name = "auto_closed")]
    AutoClosed,
    /// all of them
    All,
}

impl StateChoice {
    fn state(self) -> Option<AlertState> {
        match self {
            StateChoice::Open => Some(AlertState::Open),
            StateChoice::Dismissed => Some(AlertState::Dismissed),
            StateChoice::Resolved => Some(AlertState::Resolved),
            StateChoice::AutoClosed => Some(AlertState::AutoClosed),
            StateChoice::All => None,
        }
    }
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
                state: arguments.state.state(),
                kind: arguments.kind,
                integration: arguments.integration.clone(),
            };
            let page = pages::read(&arguments.length, async |cut| {
                client.alerts(&filter, &cut).await
            });
            let page = page.await?;
            let integration = filter.integration.as_ref();
            pages::nothing_of(integration, page.items.is_empty(), client).await?;
            // That an integration which is there has none is what many hope for.
            let is_filtered = filter.kind.is_some() || arguments.state != StateChoice::Open;
            let fits = Fits::of(&page.items, is_filtered);
            screen.show(json, &page, |page, view| list(page, fits, view))?;
            return Ok(fits.exit());
        }
        AlertsVerb::Show { alert } => screen.show(json, &client.alert(*alert).await?, show)?,
        AlertsVerb::Resolve { alert, how } => {
            let act = AlertAct::Resolve(how.into());
            let done = client.to_alert(*alert, &act).await?;
            screen.show(json, &done, super::done::show)?;
        }
        AlertsVerb::Dismiss { alert } => {
            let done = client.to_alert(*alert, &AlertAct::Dismiss).await?;
            screen.show(json, &done, super::done::show)?;
        }
        AlertsVerb::Undo { alert } => {
            let done = client.to_alert(*alert, &AlertAct::Undo).await?;
            screen.show(json, &done, super::done::show)?;
        }
    }
    Ok(Exit::Done)
}

fn list(page: &Page<Alert>, fits: Fits, view: &View) -> String {
    match fits {
        Fits::Some => {}
        Fits::NothingThere => return "no alerts\n".to_owned(),
        Fits::NothingFits => return "no alerts fit\n".to_owned(),
    }
    // R15: those who are probably namesakes stand apart, so that they do not hide the others.
    let is_low = |alert: &&Alert| alert.confidence == Some(Confidence::Low);
    let (low, others): (Vec<&Alert>, Vec<&Alert>) = page.items.iter().partition(is_low);
    let mut text = if others.is_empty() {
        String::new()
    } else {
        table_of(&others, view)
    };
    if !low.is_empty() {
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = write!(text, "{gap}probably namesakes\n{}", table_of(&low, view));
    }
    text += &pages::more(page.items.len(), page.next.as_deref());
    text
}

/// Alerts, one below the other.
pub(super) fn table(alerts: &[Alert], view: &View) -> String {
    table_of(&alerts.iter().collect::<Vec<_>>(), view)
}

/// Below this width what an alert says would be a column of single words.
const WIDE: u16 = 120;

fn table_of(alerts: &[&Alert], view: &View) -> String {
    let facts = |alert: &Alert| -> [Cell; 5] {
        let since = match alert.state {
            // What a preview would raise is of the moment when it was made, a little after the command began.
            AlertState::Open => view.relative(alert.first_seen.min(view.now)),
            state => state.to_string(),
        };
        [
            alert.id.into(),
            alert.kind.into(),
            Cell::id(&alert.integration),
            about(alert),
            since.into(),
        ]
    };
    let columns = [
        ("ID", Column::Whole),
        ("KIND", Column::Whole),
        ("INTEGRATION", Column::Cut),
        ("ABOUT", Column::Cut),
        ("SINCE", Column::Whole),
    ];
    if view.width.is_none_or(|width| width >= WIDE) {
        let [id, kind, integration, about, since] = columns;
        let what = ("WHAT", Column::Wrap);
        let mut table = Table::new([id, kind, integration, about, since, what]);
        for alert in alerts {
            let [id, kind, integration, about, since] = facts(alert);
            let what = told(alert).into();
            table.row([id, kind, integration, about, since, what]);
        }
        return table.render(view);
    }
    let mut table = Table::new(columns);
    for alert in alerts {
        table.row(facts(alert));
    }
    // None of its columns goes on in a next line: a line is an alert.
    let what = alerts.iter().map(|alert| paragraph(6, &told(alert), view));
    below_each(&table.render(view), what)
}

/// What an alert says; where it stands for many, how many, and some of them.
fn told(alert: &Alert) -> String {
    let Alert {
        detail, examples, ..
    } = alert;
    match alert.count {
        None => detail.clone(),
        Some(count) if examples.is_empty() => format!("{count}: {detail}"),
        Some(count) => {
            let rest = if count > examples.len() as u64 {
                ", …"
            } else {
                ""
            };
            format!("{count} ({}{rest}): {detail}", examples.join(", "))
        }
    }
}

/// A subject of so many characters at most is an id that somebody may copy.
const AN_ID: usize = 40;

/// Whom an alert is about, as people would say it; else what it is about.
fn about(alert: &Alert) -> Cell {
    let name = |side: &Side| {
        let names = [Field::FirstName, Field::LastName].map(|field| side.values.get(&field));
        let names: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(" "))
    };
    let subject = &alert.subject;
    match alert.sides.first().and_then(name) {
        Some(name) => name.into(),
        None if subject.len() <= AN_ID && !subject.contains(' ') => Cell::id(subject),
        None => subject.into(),
    }
}

fn show(detail: &AlertDetail, view: &View) -> String {
    let alert = &detail.alert;
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
    if !is_told_by_sides(alert) {
        facts.pair("subject", &alert.subject);
    }
    // What no run raised, such as what is about a target or the store, has none.
    let by = match alert.raised_by {
        RunId::NONE => String::new(),
        run => format!(" by {run}"),
    };
    facts.pair("raised", format!("{}{by}", view.both(alert.first_seen)));
    facts.pair("last seen", view.both(alert.last_seen));
    if let Some(count) = alert.count {
        facts.pair("count", count);
    }
    if !alert.examples.is_empty() {
        facts.pair("such as", alert.examples.join(", "));
    }
    if let Some(confidence) = alert.confidence {
        facts.pair("confidence", confidence);
    }
    text += &facts.render(view);
    if !detail.done.is_empty() {
        let _ = write!(text, "\ndone to it\n{}", done(&detail.done, view));
    }
    let Some((first, others)) = alert.sides.split_first() else {
        text += &ways(alert, view);
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
    text += &ways(alert, view);
    text
}

/// Whether the sides say whom it is about: the subject is the resident's id, or a hash of the email they share.
fn is_told_by_sides(alert: &Alert) -> bool {
    let is_subject = |side: &Side| side.resident.as_deref() == Some(&alert.subject);
    alert.kind == AlertKind::DuplicateEmails || alert.sides.iter().any(is_subject)
}

fn done(acts: &[ActDetail], view: &View) -> String {
    let mut table = Table::new([
        ("ACT", Column::Whole),
        ("WHAT", Column::Whole),
        ("WHEN", Column::Whole),
        ("BY", Column::Whole),
        ("UNDONE", Column::Whole),
    ]);
    for act in acts {
        let undone = act.undone_by.map(|by| format!("by {by}"));
        table.row([
            act.id.into(),
            act.kind.into(),
            view.relative(act.at).into(),
            super::people::actor(&act.by).into(),
            undone.unwrap_or_default().into(),
        ]);
    }
    table.render(view)
}

/// The commands that would do something about an alert, ready to copy.
fn ways(alert: &Alert, view: &View) -> String {
    let id = alert.id;
    let mut lines: Vec<(String, &str)> = Vec::new();
    if alert.state == AlertState::Open {
        let people = alert.sides.iter().filter_map(|side| side.person);
        let resolve = format!("epms alerts resolve {id}");
        for way in alert.kind.facts().ways {
            let mut line = |command: String, what| lines.push((command, what));
            match way {
                // A mailbox is only handed on by somebody who has left.
                Way::CreateSeparate
                    if alert.kind == AlertKind::NameMismatch && !has_left(&alert.sides) => {}
                Way::Merge if alert.kind == AlertKind::DuplicateAccounts => {
                    for person in people.clone() {
                        line(
                            format!("{resolve} merge --into {person}"),
                            "one person, who keeps this id",
                        );
                    }
                }
                Way::Merge => line(format!("{resolve} merge"), "take the PMS's name, and link"),
                Way::ReplaceEmail => line(
                    format!("{resolve} replace-email"),
                    "the same person, with the PMS's email",
                ),
                Way::CreateSeparate => line(format!("{resolve} create-separate"), "somebody else"),
                Way::NotDuplicate => line(format!("{resolve} not-duplicate"), "different people"),
                Way::MapUnit => line(
                    format!("{resolve} map-unit UNIT"),
                    "this is the unit here; its people have it from the next run on",
                ),
                Way::SamePerson => line(
                    format!("{resolve} same-person"),
                    "the record is theirs: their name changed",
                ),
                Way::SomebodyElse => line(
                    format!("{resolve} somebody-else"),
                    "the link ends, and the record is matched anew",
                ),
            }
        }
        if alert.kind == AlertKind::MassChangeHeld {
            lines.push((
                format!("epms run {}", alert.raised_by),
                "what was held first, and why",
            ));
        }
        if !alert.kind.is_of_the_feed() {
            lines.push((
                format!("epms alerts dismiss {id}"),
                "hear no more of it until either side changes",
            ));
        }
    } else if !alert.acts.is_empty() && alert.state != AlertState::AutoClosed {
        lines.push((
            format!("epms alerts undo {id}"),
            "as it was before, while nothing newer touched it",
        ));
    }
    let mut text = String::new();
    for (line, what) in lines {
        let _ = write!(text, "\n  {line}\n      {what}");
    }
    if text.is_empty() && alert.state != AlertState::Open {
        return text;
    }
    let hint = match alert.state {
        AlertState::Open => {
            let remedy = format!("what to do: {}", alert.kind.facts().remedy);
            paragraph(0, &remedy, view)
        }
        _ => "what to do\n".to_owned(),
    };
    let lines = text.strip_prefix('\n').map(|text| format!("{text}\n"));
    format!("\n{hint}{}", lines.unwrap_or_default())
}

/// Whether the person of the store is past.
fn has_left(sides: &[Side]) -> bool {
    let mut people = sides.iter().filter(|side| side.person.is_some());
    people.any(|side| {
        let status = side.values.get(&Field::Status);
        status
            .and_then(|word| word.parse::<LeaseStatus>().ok())
            .is_some_and(LeaseStatus::is_closed)
    })
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
