//! What is asked of a target: to say what is there, and to do one thing, once. Decides nothing about what is to be done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc;

use crate::config::{Method, Operation, Verdict};
use crate::model::Reading;
use crate::outbound::{Account, Answer, CHECK_IT, Failure, Prepared, Token, Told};

use super::SourceError;
use super::answer::{By, Content};
use super::call::Call;
use super::compiled::{Gives, Request, Source};
use super::decode::whole;
use super::media;
use super::reader::{Of, Reader, Scope, collected};
use super::template::{About, Before};
use super::verdict::unreadable;

/// What is asked of a target.
#[derive(Debug, Clone, Copy)]
pub struct Errand<'a> {
    /// What is to be done.
    pub operation: Operation,
    /// The grant or the event that it is about, an object; of no matter where all is looked at.
    pub about: &'a Value,
}

/// What became of something that was to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acted {
    /// It is done, or the target said that it will be.
    Done {
        /// The target's id of the grant, where its answer gives one.
        id: Option<String>,
    },
    /// It contradicts what is there: most likely the same is there already.
    There,
    /// What it was about is there no more.
    Gone,
    /// It is not done, and would not be another time.
    Refused(Told),
    /// It is not done, and may be later; after so long, where the target says it.
    Later(Told, Option<Duration>),
    /// Whether it is done is not known: only looking there tells.
    Doubtful(Told),
}

impl Reader {
    /// What is there: all records of `list`, `find` or `places`, or an error.
    pub async fn look(
        &self,
        source: &Source,
        account: &Account,
        scope: &Scope,
        errand: Errand<'_>,
    ) -> Result<Vec<Box<str>>, SourceError> {
        let call = errand.call(source, account, scope, false)?;
        let (taker, pages) = mpsc::channel(1);
        let reading = async {
            // The channel ends with the reading.
            let taker = taker;
            self.read_alone(&call, Of::All, &taker).await
        };
        let (reading, records) = tokio::join!(reading, collected(pages));
        match reading {
            Reading::Complete { .. } => Ok(records.into_iter().map(|one| one.json).collect()),
            Reading::Partial { reason } => Err(without_runs(reason)),
        }
    }

    /// Does one thing at a target: one request, sent once, behind those that it names in `after`. Only with a new token it
    /// is sent once more, where the kept one was refused and so nothing was done.
    pub async fn act(
        &self,
        source: &Source,
        account: &Account,
        scope: &Scope,
        errand: Errand<'_>,
    ) -> Result<Acted, SourceError> {
        let call = errand.call(source, account, scope, true)?;
        let (_, spec) = call.spec()?;
        let Some(request) = source.requests.get(call.request) else {
            return Err(SourceError::Stopped);
        };
        let wrote = spec.after.iter().any(|step| source.writes(step));
        let given = match self.steps(&call, &spec.after).await {
            Ok(given) => given,
            Err(error) => return before_it(error, wrote),
        };
        let before = Before {
            given: Some(&given),
            ..Before::default()
        };
        let call = Call { before, ..call };
        // What cannot be written for this grant is told before anything is asked for it.
        match call.once(None) {
            Err(SourceError::Unexpected(told)) => return Ok(Acted::Refused(told)),
            tried => drop(tried?),
        }
        let said = Said::default();
        let made = |token: Option<&Token>| call.once(token);
        let read = |answer: &Answer| call.ended(request, answer, &said);
        match self.ask_once(&call, made, read).await {
            Ok((acted, _)) => Ok(acted),
            Err(failure) => failed(failure, &said, wrote).map_err(without_runs),
        }
    }
}

/// What is known of an answer besides what became of it.
#[derive(Debug, Default)]
struct Said {
    /// That the connector or the script says what it means, and not the status alone.
    by_rule: AtomicBool,
    /// That it refuses the login.
    of_login: AtomicBool,
}

impl<'a> Errand<'a> {
    /// The request of it; `acts` says whether something is to be done, or looked at.
    fn call(
        self,
        source: &'a Source,
        account: &'a Account,
        scope: &'a Scope,
        acts: bool,
    ) -> Result<Call<'a>, SourceError> {
        let Errand { operation, about } = self;
        let name = operation.about();
        let call = Call {
            about: name.map(|name| About { name, value: about }),
            ..Call::of(source, account, scope, operation.request(), "")
        };
        call.spec()?;
        if operation.acts() != acts {
            let what = if acts {
                "it looks at what is there, and does nothing"
            } else {
                "it does something, and does not look"
            };
            return Err(SourceError::NotAllowed(call.told(what, None, "")));
        }
        Ok(call)
    }
}

impl Source {
    /// Whether a request does something, or may do so.
    pub(super) fn writes(&self, name: &str) -> bool {
        let spec = self.connector.request(name);
        spec.is_some_and(|spec| spec.method != Method::Get && !spec.reads)
    }
}

impl Call<'_> {
    /// The request, as it is sent now, and never again by itself.
    fn once(&self, token: Option<&Token>) -> Result<Prepared, SourceError> {
        Ok(Prepared {
            repeatable: false,
            ..self.step(token)?
        })
    }

    /// What an answer says about what was done.
    fn ended(&self, request: &Request, answer: &Answer, said: &Said) -> Result<Acted, SourceError> {
        let charset = media::charset(&answer.headers);
        let shape = &request.shape;
        let text = shape.text(&answer.body, charset.as_deref());
        let text = text.unwrap_or_default();
        let around = whole(shape.format, &text);
        let content = Content::uncut(around.as_ref().ok(), shape, &text);
        let judgement = self.judgement(&request.rules, answer, &content);
        // Whoever judges it failed: the target may have done it.
        let judgement = judgement.map_err(|error| match error {
            SourceError::Unexpected(told) => SourceError::Unavailable(told),
            error => error,
        })?;
        let is_usual = judgement.by == By::Usual;
        let of_login = judgement.verdict == Verdict::LoginFailed;
        said.by_rule.store(!is_usual, Ordering::Relaxed);
        said.of_login.store(of_login, Ordering::Relaxed);
        match judgement.verdict {
            Verdict::Ok | Verdict::Empty | Verdict::Accepted => {}
            Verdict::Conflict => return Ok(Acted::There),
            Verdict::Gone => return Ok(Acted::Gone),
            _ => return Err(self.failure(&judgement, &text, answer.status)),
        }
        // A page of something in between says nothing about the target.
        if let Err(error) = &around
            && is_usual
            && !text.trim().is_empty()
        {
            let what = self.unreadable(error, &text);
            let told = self.told(&what, None, &unreadable(shape, &text));
            return Err(SourceError::Unavailable(told));
        }
        let around = around.unwrap_or_default();
        let id = self.id_given(request, &around, answer);
        if id.is_none() && !request.gives.is_empty() && judgement.verdict == Verdict::Ok {
            tracing::warn!(
                request = self.request,
                status = answer.status,
                "the answer has nothing for `id` of its `gives`; correct `gives` of the connector"
            );
        }
        Ok(Acted::Done { id })
    }

    /// The target's id of a grant, where the answer gives one.
    fn id_given(&self, request: &Request, around: &Value, answer: &Answer) -> Option<String> {
        let (_, gives) = request.gives.iter().find(|(name, _)| name == "id")?;
        let id = match gives {
            Gives::Path(path) => path.text(around)?.into_owned(),
            Gives::Header(name) => self.header_gives(answer, name)?,
            Gives::Newest { .. } => return None,
        };
        Some(id).filter(|id| !id.trim().is_empty())
    }
}

/// What becomes of something where what comes before it failed. Where that does something itself, it may be half done.
fn before_it(error: SourceError, wrote: bool) -> Result<Acted, SourceError> {
    match error {
        SourceError::Unavailable(told) | SourceError::Postponed(told) => {
            Ok(later(told, None, wrote))
        }
        SourceError::Unexpected(told) | SourceError::Denied(told) => Ok(refused(told)),
        error @ (SourceError::LoginFailed(_)
        | SourceError::NotAllowed(_)
        | SourceError::Stopped) => Err(error),
    }
}

/// What becomes of something whose request failed.
fn failed(failure: Failure, said: &Said, wrote: bool) -> Result<Acted, SourceError> {
    let Failure {
        error,
        status,
        was_sent,
        wait,
    } = failure;
    let is = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
    match error {
        SourceError::Unavailable(told) | SourceError::Postponed(told) if !was_sent => {
            Ok(later(told, None, wrote))
        }
        // Of what was not sent, that is a matter of the credential.
        error if !was_sent => Err(error),
        SourceError::Unavailable(told) | SourceError::Postponed(told) => match status {
            Some(status) if is(&said.by_rule) || is_for_later(status) => {
                Ok(later(told, wait, wrote))
            }
            _ => Ok(doubtful(told)),
        },
        // A login that was let in before: nobody's grant is wrong for it.
        SourceError::Denied(told) if is(&said.of_login) => Err(SourceError::LoginFailed(told)),
        SourceError::Denied(told) => Ok(refused(told)),
        SourceError::Unexpected(told) if status.is_some() => Ok(refused(told)),
        // It came, and was more than can be read.
        SourceError::Unexpected(told) => Ok(doubtful(told)),
        // It is done, and the answer to it stands elsewhere (RFC 9110, 15.4.4).
        SourceError::NotAllowed(told) if status == Some(303) => Ok(doubtful(told)),
        error @ (SourceError::LoginFailed(_)
        | SourceError::NotAllowed(_)
        | SourceError::Stopped) => Err(error),
    }
}

/// Whether a status says of itself that nothing was done, and that it may be later.
fn is_for_later(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 503)
}

/// An error as it is told of a target, which nobody syncs: it is asked again by itself.
fn without_runs(error: SourceError) -> SourceError {
    let again = |told| otherwise(told, "it is tried again");
    match error {
        SourceError::Unavailable(told) => SourceError::Unavailable(again(told)),
        SourceError::Postponed(told) => SourceError::Postponed(again(told)),
        SourceError::Unexpected(told) => SourceError::Unexpected(again(told)),
        SourceError::Denied(told) => SourceError::Denied(again(told)),
        SourceError::LoginFailed(told) if told.remedy == CHECK_IT => {
            let remedy = "check the credential; it is asked again when its values have changed, or after an hour";
            SourceError::LoginFailed(Told {
                remedy: remedy.to_owned(),
                ..told
            })
        }
        error @ (SourceError::LoginFailed(_)
        | SourceError::NotAllowed(_)
        | SourceError::Stopped) => error,
    }
}

/// What errors of readings say that is to be done.
const NEXT_RUN: &str = "the next run";

fn later(told: Told, wait: Option<Duration>, wrote: bool) -> Acted {
    if wrote {
        return doubtful(told);
    }
    Acted::Later(otherwise(told, "it is tried again"), wait)
}

fn refused(told: Told) -> Acted {
    Acted::Refused(otherwise(
        told,
        "it is not done; correct what it says, there or here, or the connector's request",
    ))
}

fn doubtful(told: Told) -> Acted {
    Acted::Doubtful(otherwise(
        told,
        "it may be done: what is there is looked at before anything else",
    ))
}

/// The same with another remedy, where nobody said a better one.
fn otherwise(told: Told, remedy: &str) -> Told {
    let of_readings = [
        "",
        "nothing was written; the next run tries again",
        "nothing was written; check the connector's request",
    ];
    let is_of_readings =
        of_readings.contains(&told.remedy.as_str()) || told.remedy.starts_with(NEXT_RUN);
    if !is_of_readings {
        return told;
    }
    Told {
        remedy: remedy.to_owned(),
        ..told
    }
}
