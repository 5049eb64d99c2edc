//! `epms alerts`: what somebody must look at, counted, as a list, or with both sides beside each other.

mod groups;
mod show;
mod suggested;

use std::fmt::Write;
use std::io::BufRead;

use clap::{Args, Subcommand, ValueEnum};

use crate::control::client::{AlertFilter, Client};
use crate::control::protocol::{AlertAct, Page};
use crate::model::{
    Alert, AlertId, AlertKind, AlertState, Confidence, Field, IntegrationId, PersonId, Resolution,
    Side,
};

use super::pages::{self, Fits, Length};
use super::table::{Cell, Column, Table, below_each, paragraph};
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
    Resolve(ResolveArguments),
    /// hear no more of an alert until either side changes, or of all of a kind
    Dismiss(DismissArguments),
    /// say something about an alert; `show` and the list tell it
    #[command(
        after_help = "examples\n  epms alerts comment a5 'asked the office, they call back on Monday'"
    )]
    Comment {
        /// the alert's id, such as a5
        alert: AlertId,
        /// what is said
        text: String,
    },
    /// say who looks after an alert
    #[command(
        after_help = "examples\n  epms alerts assign a5 'Ada Quill'\n  epms alerts assign a5 --none"
    )]
    Assign(AssignArguments),
    /// undo what was last done to an alert, while nothing newer touched the same
    Undo {
        /// the alert's id, such as a5
        alert: AlertId,
    },
}

/// Which alerts to resolve, and how.
#[derive(Debug, Args)]
#[command(
    subcommand_required = false,
    after_help = "\
--suggested maps each PMS unit onto the unit here that its alert suggests: it
shows them and asks on a terminal; elsewhere it needs --yes. each is an act of
its own, and `epms alerts undo` takes it back. ends with 1 when one was refused

examples
  epms alerts resolve a5 merge
  epms alerts resolve --kind unmapped_unit --suggested
  epms alerts resolve --kind unmapped_unit --suggested --integration elm --yes"
)]
pub struct ResolveArguments {
    /// the alert's id, such as a5
    #[arg(required_unless_present = "suggested")]
    pub alert: Option<AlertId>,
    /// all that are open and have a suggestion, each as it suggests
    #[arg(long, requires = "kind", conflicts_with = "alert")]
    pub suggested: bool,
    /// of which kind: unmapped_unit
    #[arg(long, value_parser = kind, requires = "suggested")]
    pub kind: Option<AlertKind>,
    /// only those of this integration
    #[arg(long, value_name = "ID", value_parser = super::integration_id, requires = "suggested")]
    pub integration: Option<IntegrationId>,
    /// do not ask
    #[arg(long, requires = "suggested")]
    pub yes: bool,
    /// How.
    #[command(subcommand)]
    pub how: Option<How>,
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
    /// `erased_returned`: let somebody who was erased in again, as somebody new
    Admit,
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
            How::Admit => Resolution::Admit,
            How::MapUnit { unit, force } => Resolution::MapUnit {
                unit: unit.clone(),
                force: *force,
            },
        }
    }
}

/// What to dismiss.
#[derive(Debug, Args)]
#[command(after_help = "\
with --kind all open alerts of the kind, all of them or none; on a terminal it
shows how many they are, and asks

examples
  epms alerts dismiss a5
  epms alerts dismiss --kind missing_email --integration 123-building-name")]
#[command(group(clap::ArgGroup::new("what").required(true).args(["alert", "kind"])))]
pub struct DismissArguments {
    /// the alert's id, such as a5
    pub alert: Option<AlertId>,
    /// all open alerts of this kind
    #[arg(long, value_parser = kind)]
    pub kind: Option<AlertKind>,
    /// only those of this integration
    #[arg(long, value_name = "ID", value_parser = super::integration_id, requires = "kind")]
    pub integration: Option<IntegrationId>,
    /// do not ask
    #[arg(long, requires = "kind")]
    pub yes: bool,
}

/// Who looks after an alert.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("who").required(true).args(["name", "none"])))]
pub struct AssignArguments {
    /// the alert's id, such as a5
    pub alert: AlertId,
    /// their name
    pub name: Option<String>,
    /// nobody
    #[arg(long)]
    pub none: bool,
}

/// Which alerts to list.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
what is open is counted by kind and integration; with --all, --kind, --state or
--limit each alert is a line

examples
  epms alerts list
  epms alerts list --all
  epms alerts list --kind name_mismatch --integration 123-building-name")]
pub struct ListArguments {
    /// each of them, and not how many there are
    #[arg(long)]
    pub all: bool,
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

impl ListArguments {
    /// Whether what is open is only counted.
    fn is_grouped(&self) -> bool {
        let is_narrowed = self.kind.is_some() || self.state != StateChoice::Open;
        !self.all && !is_narrowed && self.length == Length::default()
    }
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
    input: Option<&mut dyn BufRead>,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    match verb {
        AlertsVerb::List(arguments) if arguments.is_grouped() => {
            groups::list(arguments.integration.as_ref(), json, client, screen).await?;
        }
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
        AlertsVerb::Show { alert } => {
            screen.show(json, &client.alert(*alert).await?, show::show)?;
        }
        AlertsVerb::Resolve(arguments) => {
            let (Some(alert), Some(how)) = (arguments.alert, &arguments.how) else {
                return suggested::run(arguments, json, client, input, screen).await;
            };
            let act = AlertAct::Resolve(how.into());
            let done = client.to_alert(alert, &act).await?;
            screen.show(json, &done, super::done::show)?;
        }
        AlertsVerb::Dismiss(arguments) => {
            return dismiss(arguments, json, client, input, screen).await;
        }
        AlertsVerb::Comment { alert, text } => {
            let act = AlertAct::Comment(text.clone());
            let done = client.to_alert(*alert, &act).await?;
            screen.show(json, &done, super::done::show)?;
        }
        AlertsVerb::Assign(AssignArguments { alert, name, .. }) => {
            let act = AlertAct::Assign(name.clone());
            let done = client.to_alert(*alert, &act).await?;
            screen.show(json, &done, super::done::show)?;
        }
        AlertsVerb::Undo { alert } => {
            let done = client.to_alert(*alert, &AlertAct::Undo).await?;
            screen.show(json, &done, super::done::show)?;
        }
    }
    Ok(Exit::Done)
}

async fn dismiss(
    arguments: &DismissArguments,
    json: bool,
    client: &Client,
    input: Option<&mut dyn BufRead>,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    if let Some(kind) = arguments.kind {
        let integration = arguments.integration.as_ref();
        let input = input.filter(|_| !arguments.yes && !json);
        return groups::dismiss(kind, integration, json, client, input, screen).await;
    }
    let Some(alert) = arguments.alert else {
        return Ok(Exit::Invalid);
    };
    let done = client.to_alert(alert, &AlertAct::Dismiss).await?;
    screen.show(json, &done, super::done::show)?;
    Ok(Exit::Done)
}

fn list(page: &Page<Alert>, fits: Fits, view: &View) -> String {
    match fits {
        Fits::Some => {}
        Fits::NothingThere => return "no alerts\n".to_owned(),
        Fits::NoneOfThem => return "no alerts fit\n".to_owned(),
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
            let what = noted(alert).into();
            table.row([id, kind, integration, about, since, what]);
        }
        return table.render(view);
    }
    let mut table = Table::new(columns);
    for alert in alerts {
        table.row(facts(alert));
    }
    // None of its columns goes on in a next line: a line is an alert.
    let what = alerts.iter().map(|alert| paragraph(6, &noted(alert), view));
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

/// What an alert says, who looks after it, and what was said about it last.
fn noted(alert: &Alert) -> String {
    let mut text = told(alert);
    if let Some(assigned) = &alert.assigned {
        let _ = write!(text, " · assigned to {}", assigned.to);
    }
    if let Some(comment) = alert.comments.last() {
        let first = comment.text.lines().next().unwrap_or_default();
        let _ = write!(text, " · said: {first}");
    }
    text
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
