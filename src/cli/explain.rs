//! `epms explain`: one resident from the PMS's record to the decision, each step with its values.

use std::fmt::Write;
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use serde_json::Value;

use crate::control::client::Client;
use crate::model::{
    Considered, Decision, Explanation, Field, IntegrationId, Live, Mapping, Outcome, Resident,
    Step, Unit, rule_text,
};

use super::deliveries::told as deliveries;
use super::preview::unnumbered;
use super::table::{Cell, Column, Table, Tone, clean, paragraph};
use super::view::View;
use super::{Exit, Failure, Screen, alerts, people, status};

/// Whom to explain.
#[derive(Debug, Args)]
#[command(after_help = "\
without --live it tells what the last run decided and what the store knows;
with it the PMS is read again, as a run reads it, and nothing is written. of a
record that could not be mapped all is shown that the PMS sent

examples
  epms explain 123-building-name t0012345
  epms explain 123-building-name t0012345 --live
  epms explain 123-building-name 'Ada Quill'
  epms explain 123-building-name p17")]
pub struct ExplainArguments {
    /// the integration: the name of a file in config/integrations, without .yaml
    #[arg(value_parser = super::integration_id)]
    pub integration: IntegrationId,
    /// the resident's PMS id or its beginning, or the id (p17), email or name of the person who is linked to it; for a
    /// record that could not be mapped, the record's id
    pub resident: String,
    /// read the PMS now, and show each step from its record on
    #[arg(long)]
    pub live: bool,
}

pub(super) async fn run(
    arguments: &ExplainArguments,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let bar = if screen.progress && arguments.live {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    bar.set_message("reading the PMS");
    bar.enable_steady_tick(Duration::from_millis(120));
    let told = client
        .explain(&arguments.integration, &arguments.resident, arguments.live)
        .await;
    bar.finish_and_clear();
    let told = told?;
    screen.show(json, &told, render)?;
    let has_steps = |live: &Live| !live.steps.is_empty();
    let known = !told.decisions.is_empty()
        || told.link.is_some()
        || told.live.as_ref().is_some_and(has_steps);
    Ok(if known { Exit::Done } else { Exit::Failed })
}

fn render(told: &Explanation, view: &View) -> String {
    let mut text = format!(
        "resident {} of {}\n",
        clean(&told.resident),
        clean(told.integration.as_str())
    );
    if let Some(erased) = told.erased {
        let told = format!(
            "somebody of this PMS id was erased {}: nothing of them is kept, and a record that is theirs stays out",
            view.both(erased)
        );
        text += &paragraph(0, &told, view);
    }
    if let Some(live) = &told.live {
        // No run has a number that could be approved.
        text += &unnumbered(way(live, &told.resident, view));
    }
    text += &last_run(told, view);
    text += &person(told, view);
    if !told.deliveries.is_empty() {
        let _ = write!(text, "\n{}", deliveries::lines(&told.deliveries, view));
    }
    if !told.alerts.is_empty() {
        let _ = write!(text, "\nopen alerts\n{}", alerts::table(&told.alerts, view));
    }
    if !told.changes.is_empty() {
        let _ = write!(
            text,
            "\nwhat it caused, newest first\n{}",
            people::changes(&told.changes, view)
        );
    }
    let settings = status::settings(&told.settings, view);
    if !settings.is_empty() {
        let _ = write!(text, "\nwhat applies, and where it stands\n{settings}");
    }
    text
}

fn last_run(told: &Explanation, view: &View) -> String {
    let Some(run) = told.run else {
        return "\nno run has decided anything here yet; `epms sync` runs one\n".to_owned();
    };
    if !told.decisions.is_empty() {
        return format!(
            "\nthe last run, {run}\n{}",
            decisions(&told.decisions, view)
        );
    }
    let mut text = "\n".to_owned();
    text += &paragraph(
        0,
        &format!(
            "the last run, {run}, decided nothing about this id: the PMS did not send it, or the script gives \
             it another one"
        ),
        view,
    );
    if told.live.is_none() {
        text += "`--live` reads the PMS now and shows each record that speaks of it\n";
    }
    text
}

fn person(told: &Explanation, view: &View) -> String {
    let mut text = String::new();
    match (&told.link, &told.person) {
        (Some(link), Some(person)) => {
            let misses = match link.misses {
                0 => String::new(),
                1 => ", not in the last feed".to_owned(),
                runs => format!(", not in the last {runs} feeds"),
            };
            let _ = writeln!(
                text,
                "\nlinked to {} since {}; last known {}{misses}",
                person.id,
                view.relative(link.since),
                link.status,
            );
            let one = std::slice::from_ref(person);
            text += &people::people(one, Some(&told.integration), view);
        }
        (None, Some(person)) => {
            let _ = writeln!(text, "\nnot linked; it was held against {}", person.id);
        }
        _ => text += "\nnot linked to anybody\n",
    }
    if let Some(ruling) = &told.ruling {
        let apart: Vec<String> = ruling.apart.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "somebody said that it is not {}", apart.join(", "));
    }
    text
}

fn decisions(decisions: &[Decision], view: &View) -> String {
    let mut text = String::new();
    for decision in decisions {
        let rule = match decision.rule.as_str() {
            "" => String::new(),
            rule => format!(" by {rule}"),
        };
        let reason = match decision.reason.as_str() {
            "" => String::new(),
            reason => format!(": {reason}"),
        };
        text += &paragraph(2, &format!("{}{rule}{reason}", decision.fate.told()), view);
        let says = rule_text(&decision.rule);
        if !says.is_empty() {
            text += &paragraph(4, &format!("{}: {says}", decision.rule), view);
        }
    }
    text
}

/// The way from the records of the PMS to what a run would decide now.
fn way(live: &Live, resident: &str, view: &View) -> String {
    let mut text = String::new();
    if let Outcome::Postponed { reason }
    | Outcome::Incomplete { reason }
    | Outcome::Failed { reason } = &live.outcome
    {
        text += "\nthe PMS could not be read\n";
        return text + &paragraph(2, reason, view);
    }
    if live.steps.is_empty() {
        text += "\nno record of the PMS speaks of this id now\n";
    }
    for (number, step) in live.steps.iter().enumerate() {
        let _ = writeln!(
            text,
            "\nrecord {} of {}: request `{}`, PMS property {}",
            number + 1,
            live.steps.len(),
            clean(&step.request),
            clean(&step.property)
        );
        if let Some(error) = &step.error {
            text += "  the script could not map it\n";
            text += &paragraph(4, error, view);
            text += "  the record, as the PMS sent it\n";
            text += &sent(&step.record);
        }
        let theirs = step
            .residents
            .iter()
            .filter(|one| one.mapped.id == resident);
        for one in theirs {
            text += &mapping(one, step, view);
        }
        if step.residents.is_empty() && step.error.is_none() {
            text += "  the script makes no resident of it\n";
        }
    }
    if !live.considered.is_empty() {
        let _ = write!(
            text,
            "\npeople it could be (R13–R15)\n{}",
            considered(&live.considered, view)
        );
    }
    if !live.decisions.is_empty() {
        text += "\na run now would decide\n";
        text += &decisions(&live.decisions, view);
    }
    match &live.outcome {
        Outcome::Held { reason, .. } => {
            text += &paragraph(2, &format!("and the run would be held: {reason}"), view);
        }
        Outcome::NotUnderstood { reason, .. } => {
            text += &paragraph(
                2,
                &format!("and the run would not be understood: {reason}"),
                view,
            );
        }
        _ => {}
    }
    text
}

/// A record, line by line.
fn sent(record: &Value) -> String {
    let text = serde_json::to_string_pretty(record).unwrap_or_default();
    let lines = text.lines().map(|line| format!("    {}\n", clean(line)));
    lines.collect()
}

/// The fields of a resident, each with where in the record the same value stands.
fn mapping(one: &Mapping, step: &Step, view: &View) -> String {
    let mut table = Table::new([
        ("FIELD", Column::Whole),
        ("THE SCRIPT GIVES", Column::Wrap),
        ("NORMAL FORM", Column::Wrap),
        ("SAME IN THE RECORD", Column::Wrap),
    ]);
    let normal = one.normal.as_ref().map(fields);
    for (index, (name, value)) in fields(&one.mapped).into_iter().enumerate() {
        let after = normal.as_ref().and_then(|normal| normal.get(index));
        let after = after.map_or("", |(_, value)| value.as_str());
        if value.is_empty() && after.is_empty() {
            continue;
        }
        let tone = if value == after {
            Tone::Faint
        } else {
            Tone::Attention
        };
        let places = places(&step.record, &value);
        table.row([
            name.to_owned().into(),
            value.into(),
            Cell::new(after, tone),
            places.join(", ").into(),
        ]);
    }
    let mut text = table.render(view);
    if let Some(error) = &one.error {
        text += &paragraph(2, &format!("no normal form: {error}"), view);
    }
    let mut rules = Table::new([
        ("EXCLUSION RULE", Column::Wrap),
        ("SAW", Column::Wrap),
        ("VERDICT", Column::Wrap),
    ]);
    for rule in &one.exclusions {
        let verdict = match &rule.takes {
            _ if rule.error.is_some() => Cell::new("fails: not mapped", Tone::Bad),
            Some(reason) => Cell::new(format!("leaves it out: {reason}"), Tone::Attention),
            None => Cell::new("passes", Tone::Faint),
        };
        let from = rule.from.as_ref().map(|file| format!(" of {file}"));
        let named = format!("{}{}", rule.rule, from.unwrap_or_default());
        rules.row([named.into(), rule.saw.clone().into(), verdict]);
    }
    let _ = write!(text, "\n{}", rules.render(view));
    for error in one.exclusions.iter().filter_map(|rule| rule.error.as_ref()) {
        text += &paragraph(2, error, view);
    }
    text
}

fn considered(people: &[Considered], view: &View) -> String {
    let mut table = Table::new([
        ("PERSON", Column::Whole),
        ("NAME", Column::Cut),
        ("EMAIL", Column::Cut),
        ("SAME", Column::Wrap),
    ]);
    for one in people {
        let name = format!("{} {}", one.first_name, one.last_name);
        let apart = if one.apart {
            " (said not to be them)"
        } else {
            ""
        };
        table.row([
            one.person.into(),
            name.trim().to_owned().into(),
            one.email.clone().unwrap_or_default().into(),
            format!("{}{apart}", one.same.join(", ")).into(),
        ]);
    }
    table.render(view)
}

/// The fields of a resident as texts, always in the same order.
fn fields(one: &Resident) -> Vec<(&'static str, String)> {
    let date = |field: Field, date: Option<jiff::civil::Date>| {
        let is_unreadable = one.unreadable.contains(&field);
        let unreadable = is_unreadable.then(|| "unreadable".to_owned());
        unreadable
            .or_else(|| date.map(|date| date.to_string()))
            .unwrap_or_default()
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let unit = |of: fn(&Unit) -> &str| one.unit.as_ref().map(of).unwrap_or_default().to_owned();
    let flag = |set: bool| if set { "yes" } else { "" }.to_owned();
    vec![
        ("id", one.id.clone()),
        ("lease_id", text(&one.lease_id)),
        ("household", text(&one.household)),
        ("relationship", one.relationship.as_str().to_owned()),
        ("first_name", one.first_name.clone()),
        ("last_name", one.last_name.clone()),
        ("email", text(&one.email)),
        ("phone", text(&one.phone)),
        ("unit.id", unit(|unit| unit.id.as_str())),
        ("unit.label", unit(|unit| unit.label.as_str())),
        ("lease_start", date(Field::LeaseStart, one.lease_start)),
        ("lease_end", date(Field::LeaseEnd, one.lease_end)),
        ("move_in", date(Field::MoveIn, one.move_in)),
        ("move_out", date(Field::MoveOut, one.move_out)),
        ("status", one.status.to_string()),
        ("status_word", one.status_word.clone()),
        ("notice", flag(one.notice)),
        ("eviction", flag(one.eviction)),
    ]
}

/// So many places of a value are shown.
const PLACES: usize = 3;

/// Where in a record a value stands, as text.
fn places(record: &Value, value: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !value.is_empty() {
        walk(record, "", value, &mut found);
    }
    found
}

fn walk(value: &Value, path: &str, wanted: &str, found: &mut Vec<String>) {
    if found.len() >= PLACES {
        return;
    }
    let below = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}/{key}")
        }
    };
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                walk(value, &below(key), wanted, found);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                walk(value, &below(&index.to_string()), wanted, found);
            }
        }
        Value::String(text) if text.trim() == wanted => found.push(path.to_owned()),
        Value::Number(number) if number.to_string() == wanted => found.push(path.to_owned()),
        _ => {}
    }
}
