//! What a message says: troubles as lines, and the templates that make a subject and a text of them. No personal data
//! unless somebody asked for it. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Serialize;

use crate::config::{Notify, stands_alone};
use crate::model::{Alert, AlertKind, AlertState, Field, Outcome, Run, Side};
use crate::outbound::without_said;

use super::due::News;
use super::kept::{Cause, Trouble};

/// So many troubles are told one by one in a message, of those that are new, over, and both.
const EACH: usize = 20;

/// A subject is no longer.
const SUBJECT: usize = 200;

/// A template that does more than this goes round in circles.
const FUEL: u64 = 200_000;

const DEFAULT_SUBJECT: &str = include_str!("subject.txt");
const DEFAULT_TEXT: &str = include_str!("text.txt");

/// What is said of one trouble.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// The alert, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// The run, where it is about runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The kind of alert, or how runs end.
    pub kind: String,
    /// What is wrong, in a sentence.
    pub what: String,
    /// What was found.
    pub detail: String,
    /// What to do.
    pub remedy: String,
    /// Whom it is about, where personal data is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Since when.
    pub since: String,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// How it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
}

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Matter {
    /// The integration.
    pub integration: String,
    /// The name of its property; empty where its file is gone.
    pub property: String,
    /// What is said.
    pub says: Vec<(News, Line)>,
    /// That it is a test.
    pub is_test: bool,
}

/// A subject, a text, and the same for machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// The subject: one line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same for machines.
    pub data: serde_json::Value,
    /// What is wrong with the templates of the file: those that come with epms were taken.
    pub wrong: Option<String>,
}

/// A moment as people of a time zone write it.
fn moment(at: Timestamp, zone: &TimeZone) -> String {
    let here = at.to_zoned(zone.clone());
    here.strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// What is said of a trouble; `alert` and `run` are what the store has of it.
pub(super) fn line(
    trouble: &Trouble,
    alert: Option<&Alert>,
    run: Option<&Run>,
    personal: bool,
    zone: &TimeZone,
) -> Line {
    let dates = (
        moment(trouble.began, zone),
        trouble.ended.map(|at| moment(at, zone)),
    );
    match &trouble.cause {
        Cause::Alert(id) => of_alert(id.to_string(), trouble, alert, personal, dates),
        Cause::Runs(integration, end) => Line {
            alert: None,
            run: trouble.run.map(|run| run.to_string()),
            kind: end.as_str().to_owned(),
            what: format!("runs of {integration} are `{}`", end.as_str()),
            detail: run.map_or(String::new(), |run| detail_of_run(run, personal)),
            remedy: match trouble.run {
                Some(run) => format!("`epms run {run}` says more"),
                None => format!("`epms runs --integration {integration}` says more"),
            },
            about: None,
            since: dates.0,
            how: dates.1.is_some().then(|| "a run succeeded".to_owned()),
            until: dates.1,
        },
    }
}

fn of_alert(
    id: String,
    trouble: &Trouble,
    alert: Option<&Alert>,
    personal: bool,
    (since, until): (String, Option<String>),
) -> Line {
    let facts = trouble.kind.map(AlertKind::facts);
    let detail = alert.map_or(String::new(), |alert| detail_of_alert(alert, personal));
    let how = alert.map_or("it is gone", |alert| match alert.state {
        AlertState::Open => "it was over for a while",
        AlertState::AutoClosed => "its cause is gone",
        AlertState::Dismissed => "dismissed",
        AlertState::Resolved => "resolved",
    });
    Line {
        run: None,
        kind: facts.map_or(String::new(), |facts| facts.word.to_owned()),
        what: facts.map_or(String::new(), |facts| facts.sentence.to_owned()),
        remedy: format!(
            "{}; `epms alerts show {id}` says more",
            facts.map_or("", |facts| facts.remedy)
        ),
        detail,
        about: alert.filter(|_| personal).and_then(about),
        since,
        how: until.is_some().then(|| how.to_owned()),
        until,
        alert: Some(id),
    }
}

/// What was found. Without personal data it has nothing of what a PMS or a script said: names may stand in that.
fn detail_of_alert(alert: &Alert, personal: bool) -> String {
    let detail = if personal {
        alert.detail.as_str().into()
    } else {
        match alert.kind {
            AlertKind::RecordsRejected => format!("at {}", alert.subject).into(),
            // What is left of them without words of the PMS is the sentence of their kind.
            AlertKind::MappingFailed | AlertKind::UnknownStatus | AlertKind::ExcludedLinked => {
                "".into()
            }
            _ => without_said(&alert.detail),
        }
    };
    match (alert.count, &*detail) {
        (Some(count), "") => count.to_string(),
        (Some(count), detail) => format!("{count}: {detail}"),
        (None, detail) => detail.to_owned(),
    }
}

/// Why a run ended so, in the same way.
fn detail_of_run(run: &Run, personal: bool) -> String {
    let reason = run.outcome.reason().unwrap_or_default();
    if personal {
        return reason.to_owned();
    }
    match &run.outcome {
        // It repeats what the script says of records.
        Outcome::NotUnderstood { .. } => format!(
            "{} of {} could not be mapped, and nothing was written: correct the script, or the records in the PMS",
            run.counts.rejected, run.counts.seen
        ),
        _ => without_said(reason).into_owned(),
    }
}

/// Whom an alert is about.
fn about(alert: &Alert) -> Option<String> {
    let name = |side: &Side| {
        let fields = [Field::FirstName, Field::LastName, Field::Email];
        let words = fields
            .into_iter()
            .filter_map(|field| side.values.get(&field));
        let words: Vec<&str> = words.map(String::as_str).collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    let who: Vec<String> = alert.sides.iter().filter_map(name).collect();
    if who.is_empty() {
        let some = alert.examples.join(", ");
        return (!some.is_empty()).then_some(some);
    }
    Some(who.join(" / "))
}

/// Writes a message. Where a template of the file fails, that which comes with epms is taken in its place.
pub(super) fn written(notify: &Notify, matter: &Matter) -> Written {
    let values = values(notify, matter);
    let of = |own: &Option<String>, shipped: &str| match own {
        None => (rendered(shipped, &values).unwrap_or_default(), None),
        Some(own) => match rendered(own, &values) {
            Ok(text) => (text, None),
            Err(error) => (rendered(shipped, &values).unwrap_or_default(), Some(error)),
        },
    };
    let (subject, wrong_subject) = of(&notify.subject, DEFAULT_SUBJECT);
    let (text, wrong_text) = of(&notify.text, DEFAULT_TEXT);
    Written {
        subject: one_line(&subject),
        data: data(notify, matter),
        text,
        wrong: wrong_subject.or(wrong_text),
    }
}

fn rendered(template: &str, values: &Value) -> Result<String, String> {
    stands_alone(template)?;
    let mut environment = Environment::new();
    // A mail is no page: whatever the template is called, nothing of it is escaped.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let blocks = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    environment.set_syntax(blocks.map_err(|error| error.to_string())?);
    environment.set_fuel(Some(FUEL));
    let rendered = environment.render_str(template, values);
    rendered.map_err(|error| error.to_string())
}

fn some(matter: &Matter, news: News) -> Vec<&Line> {
    let of_it = matter.says.iter().filter(|(of, _)| *of == news);
    of_it.take(EACH).map(|(_, line)| line).collect()
}

fn values(notify: &Notify, matter: &Matter) -> Value {
    let [new, over, passed] = [News::New, News::Over, News::Passed].map(|news| some(matter, news));
    let shown = new.len() + over.len() + passed.len();
    context! {
        notification => notify.name(),
        integration => matter.integration.as_str(),
        property => matter.property.as_str(),
        more => matter.says.len() - shown,
        new => Value::from(Serde(new)),
        over => Value::from(Serde(over)),
        passed => Value::from(Serde(passed)),
        personal => notify.personal,
        test => matter.is_test,
    }
}

fn data(notify: &Notify, matter: &Matter) -> serde_json::Value {
    serde_json::json!({
        "notification": notify.name(),
        "integration": matter.integration,
        "property": matter.property,
        "test": matter.is_test,
        "new": some(matter, News::New),
        "over": some(matter, News::Over),
        "passed": some(matter, News::Passed),
        "in_all": matter.says.len(),
    })
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ").chars().take(SUBJECT).collect()
}
