//! `epms alerts`: what somebody must look at, counted, as a list, or with both sides beside each other.

mod groups;

mod suggested;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::BufRead;

use clap::{Args, Subcommand, ValueEnum};

use crate::control::client::{AlertFilter, Client};
use crate::control::protocol::{ActDetail, AlertAct, AlertDetail, Page};
use crate::model::{
    ActKind, Alert, AlertId, AlertKind, AlertState, Confidence, Field, IntegrationId, LeaseStatus,
    PersonId, Resolution, RunId, Side, Way,
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
        AlertsVerb::Show { alert } => screen.show(json, &client.alert(*alert).await?, show)?,
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
    if let Some(here) = &alert.suggestion {
        facts.pair("looks like", here);
    }
    if let Some(count) = alert.count {
        facts.pair("count", count);
    }
    if !alert.examples.is_empty() {
        facts.pair("such as", alert.examples.join(", "));
    }
    if let Some(confidence) = alert.confidence {
        facts.pair("confidence", confidence);
    }
    if let Some(assigned) = &alert.assigned {
        let by = &assigned.by;
        let told = format!("{}, by {by}, {}", assigned.to, view.relative(assigned.at));
        facts.pair("assigned to", told);
    }
    text += &facts.render(view);
    for comment in &alert.comments {
        let by = &comment.by;
        let _ = write!(text, "\n{by}, {}\n", view.relative(comment.at));
        for line in comment.text.lines() {
            text += &paragraph(2, line, view);
            text.push('\n');
        }
    }
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
            what(act).into(),
            view.relative(act.at).into(),
            act.by.to_string().into(),
            undone.unwrap_or_default().into(),
        ]);
    }
    table.render(view)
}

/// What was done; a comment's text stands elsewhere.
fn what(act: &ActDetail) -> String {
    match &act.said {
        Some(to) if act.kind == ActKind::Assign => format!("{} to {}", act.kind, clean(to)),
        _ => act.kind.to_string(),
    }
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
                Way::Admit => line(
                    format!("{resolve} admit"),
                    "they come in again, as somebody new",
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
    } else if matches!(alert.state, AlertState::Dismissed | AlertState::Resolved) {
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
