//! `epms probe`: one request of a connector as it was sent, its answer as it came, and what a run would make of it. It asks
//! as a run would, and writes nothing, here or there.

use std::fmt::Write;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use crate::config::{Home, Verdict};
use crate::model::IntegrationId;
use crate::outbound::{Redacted, RedactedHeader};
use crate::setup::asking::Asking;
use crate::source::{By, Came, Ending, Meaning, Next, Probed, Reader, Sent, Source, SourceError};

use super::discover::find;
use super::table::{clean, paragraph};
use super::view::View;
use super::{Exit, Failure, Screen};

/// So many bytes of a body are shown.
const SHOWN: usize = 2048;

/// What to ask.
#[derive(Debug, Args)]
#[command(after_help = "\
asks the PMS itself, once, with the integration's credential, and needs no
daemon: the request as it was sent, the answer as it came, what the rules or
`verdict` made of it, its records, and where the next page would be. secrets
and tokens are struck out, in whatever form they stand there. what is said of
residents is not: look at it before you give it away

a request that the connector logs in with is shown without what it answers;
where it has one to log out with, that is asked at the end

examples
  epms probe 123-building-name
  epms probe 123-building-name units --property bldg124
  epms probe 123-building-name --all > answer.txt")]
pub struct ProbeArguments {
    /// the integration: the name of a file in config/integrations, without .yaml
    #[arg(value_name = "INTEGRATION", value_parser = super::integration_id)]
    pub integration: IntegrationId,
    /// the request, as the connector names it
    #[arg(default_value = "residents")]
    pub request: String,
    /// the PMS property to ask for, instead of the integration's first
    #[arg(long, value_name = "ID")]
    pub property: Option<String>,
    /// show all of the answer, however long it is
    #[arg(long)]
    pub all: bool,
}

#[derive(Serialize)]
struct Shown {
    request: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    property: String,
    sent: Vec<Sent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Judged>,
    /// The records of this page that a run would take.
    records: usize,
    /// How many there are in all, as the answer declares.
    #[serde(skip_serializing_if = "Option::is_none")]
    declared: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
    /// That nothing says that this is all, where nothing does.
    #[serde(skip_serializing_if = "Option::is_none")]
    silence: Option<String>,
    /// Why a run would end here.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Why the token was not given back.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_given_back: Option<String>,
    #[serde(skip)]
    has_records: bool,
}

#[derive(Serialize)]
struct Judged {
    verdict: Verdict,
    /// `rule`, `script` or `usual`.
    by: &'static str,
    /// Where the rule stands in the connector's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// How whoever wrote it knows it.
    #[serde(skip)]
    named: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

pub(super) async fn run(
    arguments: &ProbeArguments,
    json: bool,
    home: &Home,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let now = Timestamp::now();
    let integration = find(&arguments.integration, home, now)?;
    let asking = Asking::of(&integration, now);
    let property = property(arguments, asking.source, &asking.config.pms_properties)?;
    let failed = |told| Failure::other(Exit::Failed, told);
    let reader = Reader::new().map_err(|error| failed(error.to_string()))?;
    let account = asking.account(&reader).map_err(failed)?.asked_once();
    let (request, scope) = (arguments.request.as_str(), asking.scope());
    let most = (!arguments.all).then_some(SHOWN);
    let probed = reader.probe(asking.source, account, request, &property, &scope, most);
    let probed = probed.await;
    let exit = exit(&probed);
    let shown = Shown::of(probed, asking.source, request, property);
    screen.show(json, &shown, told)?;
    Ok(exit)
}

/// The PMS property to ask for; empty for a request that is asked once.
fn property(
    arguments: &ProbeArguments,
    source: &Source,
    attached: &[String],
) -> Result<String, Failure> {
    let request = &arguments.request;
    let invalid = |told: String| Err(Failure::other(Exit::Invalid, told));
    if !source.has(request) {
        let known: Vec<&str> = source.requests().collect();
        return invalid(format!(
            "the connector has no request `{request}`; it has: {}",
            known.join(", ")
        ));
    }
    match (&arguments.property, source.is_asked_once(request)) {
        (Some(_), true) => invalid(format!(
            "`{request}` is asked once, for no PMS property; leave --property out"
        )),
        (None, true) => Ok(String::new()),
        (Some(property), false) => Ok(property.clone()),
        (None, false) => Ok(attached.first().cloned().unwrap_or_default()),
    }
}

fn exit(probed: &Probed) -> Exit {
    let error = match &probed.page {
        Ok(ending) => ending.amiss.as_ref(),
        Err(error) => Some(error),
    };
    match error {
        None => Exit::Done,
        Some(SourceError::Unavailable(_) | SourceError::Postponed(_)) => Exit::OutOfReach,
        Some(SourceError::NotAllowed(_)) => Exit::Invalid,
        Some(_) => Exit::Failed,
    }
}

impl Shown {
    fn of(probed: Probed, source: &Source, request: &str, property: String) -> Shown {
        let Probed {
            sent,
            meaning,
            page,
            left,
        } = probed;
        let (ending, error) = match page {
            Ok(ending) => (ending, None),
            Err(error) => (Ending::default(), Some(error)),
        };
        let error = error.or(ending.amiss);
        Shown {
            request: request.to_owned(),
            property,
            sent,
            verdict: meaning.map(|meaning| Judged::of(meaning, source, request)),
            records: ending.records,
            declared: ending.declared,
            next: ending.next,
            silence: ending.silence,
            error: error.map(|error| error.to_string()),
            not_given_back: left.map(|error| error.to_string()),
            has_records: !source.has_no_records(request),
        }
    }
}

impl Judged {
    fn of(meaning: Meaning, source: &Source, request: &str) -> Judged {
        let (by, rule) = match meaning.by {
            By::Rule(at) => ("rule", Some(at)),
            By::Judge => ("script", None),
            By::Usual => ("usual", None),
        };
        let named = rule.as_deref().map(|at| source.rule_named(request, at));
        Judged {
            verdict: meaning.verdict,
            by,
            named: named.map(str::to_owned),
            rule,
            hint: meaning.hint,
        }
    }

    fn told(&self) -> String {
        let word = serde_json::to_value(self.verdict).unwrap_or_default();
        let word = word.as_str().unwrap_or_default().to_owned();
        let by = match (&self.named, self.by) {
            (Some(rule), _) => format!("by the rule {rule} of the connector"),
            (None, "script") => "by the function `verdict` of the script".to_owned(),
            _ => "by its status, as no rule says otherwise".to_owned(),
        };
        match &self.hint {
            Some(hint) => format!("{word}, {by}: {hint}"),
            None => format!("{word}, {by}"),
        }
    }
}

fn told(shown: &Shown, view: &View) -> String {
    let mut text = String::new();
    for sent in &shown.sent {
        if sent.request != shown.request {
            let why = if sent.logs_in {
                "logs in"
            } else {
                "comes before it"
            };
            let _ = writeln!(text, "first, `{}`, which {why}", clean(&sent.request));
        }
        let _ = writeln!(text, "{} {}", sent.method, clean(&sent.url));
        headers(&mut text, &sent.headers);
        body(&mut text, sent.body.as_ref(), false);
        match &sent.answer {
            Some(answer) => answered(&mut text, answer),
            None => text += "\nno answer\n",
        }
        text.push('\n');
    }
    if let Some(verdict) = &shown.verdict {
        text += &paragraph(0, &format!("verdict    {}", verdict.told()), view);
    }
    if shown.error.is_none() && shown.has_records {
        let declared = shown.declared.map_or_else(String::new, |declared| {
            format!(", of {declared} that the answer declares")
        });
        let _ = writeln!(text, "records    {} on this page{declared}", shown.records);
        match (&shown.next, &shown.silence) {
            (None, Some(silence)) => {
                text += &paragraph(0, &format!("next page  none is named: {silence}"), view);
            }
            (None, None) => text += "next page  none: this is all\n",
            (Some(next), _) => {
                let _ = write!(text, "next page  {}", clean(&next.url));
                for (name, value) in &next.values {
                    let _ = write!(text, " with page.{name} {}", clean(value));
                }
                text.push('\n');
            }
        }
    }
    if let Some(error) = &shown.error {
        text += &paragraph(0, &format!("a run      would end here: {error}"), view);
    }
    if let Some(error) = &shown.not_given_back {
        text += &paragraph(0, &format!("log-out    failed: {error}"), view);
    }
    text
}

fn headers(text: &mut String, headers: &[RedactedHeader]) {
    for header in headers {
        let _ = writeln!(text, "  {}: {}", header.name, clean(&header.value));
    }
}

fn answered(text: &mut String, answer: &Came) {
    let _ = writeln!(text, "\nanswer {}", answer.status);
    headers(text, &answer.headers);
    match (&answer.body, answer.bytes) {
        (_, None) => text.push_str("\n  the rest did not come\n"),
        (None, Some(0)) => text.push_str("\n  no body\n"),
        (None, Some(bytes)) => {
            let _ = writeln!(
                text,
                "\n  {bytes} bytes, not shown: they are no text, or may hold a token"
            );
        }
        (Some(shown), Some(_)) => body(text, Some(shown), true),
    }
}

/// A body, indented; what is left out of an answer is shown by `--all`.
fn body(text: &mut String, body: Option<&Redacted>, of_answer: bool) {
    let Some(body) = body else { return };
    text.push('\n');
    for line in body.text.lines() {
        let _ = writeln!(text, "  {line}");
    }
    if body.left_out > 0 {
        let how = if of_answer { "; --all shows them" } else { "" };
        let _ = writeln!(text, "  … {} bytes more{how}", body.left_out);
    }
}
