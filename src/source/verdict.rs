//! An answer to records or a token, or to the error that it means.

use std::borrow::Cow;

use encoding_rs::Encoding;
use reqwest::header::{HeaderMap, SET_COOKIE};
use serde_json::Value;

use crate::config::{Format, Operation, Verdict};
use crate::outbound::{Answer, CHECK_IT, Lasts, NOT_QUOTED, Told};

use super::answer::{By, Content, Judgement, Rule, by_rules};
use super::call::Call;
use super::compiled::{Request, TokenAnswer, TokenAt};
use super::decode::{DecodeError, text, whole};
use super::fetch::Ask;
use super::judged::{Asked, Came, Judging, Reply, Taken, Wrong, judged, taken};
use super::media;
use super::page::Why;
use super::presence::Amiss;
use super::{Shape, SourceError};

impl Call<'_> {
    /// What an answer means: by the rules, by the judge where none matched, or as usual.
    pub(super) fn judgement(
        &self,
        rules: &[Rule],
        answer: &Answer,
        content: &Content<'_>,
    ) -> Result<Judgement, SourceError> {
        let judging = Judging {
            rules,
            judge: self.scope.judge.as_deref(),
            request: self.request,
            property: self.property,
        };
        let reply = Reply {
            status: answer.status,
            headers: &answer.headers,
            of_part: answer.of_part,
        };
        let judged = judged(judging, reply, content).map_err(|error| {
            let remedy = "nothing was written; correct the function `verdict`";
            SourceError::Unexpected(self.told(&error, None, remedy))
        })?;
        Ok(Judgement {
            // A rule's hint is the connector's own; a script may have made one of the answer.
            hint: judged
                .hint
                .filter(|hint| judged.by != By::Judge || !self.account.is_repeated_in(hint)),
            ..judged
        })
    }

    /// The records of the answer to a question for a page, or why there are none.
    pub(super) fn records(
        &self,
        request: &Request,
        ask: &Ask<'_>,
        answer: &Answer,
    ) -> Result<Taken, SourceError> {
        let charset = media::charset(&answer.headers);
        let charset = charset.as_deref();
        let known = self
            .known
            .map(|known| (known, known.printer(self.request, self.property)));
        let shape = &request.shape;
        let unpacked = shape.unpacked(&answer.body);
        let (decoded, raw) = shape.opened(charset, &unpacked, known, ask.keeps_texts);
        let content = Content::of(&decoded, shape, &raw);
        let judgement = self.judgement(&request.rules, answer, &content)?;
        let nobody = by_rules(&request.missing, answer.status, &answer.headers, &content);
        let came = Came {
            status: answer.status,
            records: content.records(),
            raw: &raw,
            asked: match ask.why {
                Why::There => Asked::There,
                Why::BehindFull => Asked::BehindFull,
                Why::BehindShort(_) | Why::BehindAll => Asked::BehindLast,
            },
            nobody: nobody.map(|nobody| nobody.by),
            // What a grant has there is looked for by it.
            is_detail: self.before.record.is_some() || self.request == Operation::Find.request(),
        };
        drop(content);
        let wrong = match taken(shape, &judgement, decoded, came) {
            Ok(taken) => return Ok(taken),
            Err(wrong) => wrong,
        };
        let told = |what: &str, remedy: &str| {
            let remedy = judgement.hint.as_deref().unwrap_or(remedy);
            self.told(what, self.said(&judgement, &raw), remedy)
        };
        Err(match wrong {
            Wrong::Refused => self.failure(&judgement, &raw, answer.status),
            Wrong::Unreadable(error) => SourceError::Unavailable(told(
                &self.unreadable(&error, &raw),
                &unreadable(shape, &raw),
            )),
            Wrong::Unexpected { what, remedy } => SourceError::Unexpected(told(
                &what,
                &format!("{remedy}{}", judgement.place(request)),
            )),
        })
    }

    /// What may be quoted of what was judged: nothing, where anything in the answer repeats a secret.
    fn said<'j>(&self, judgement: &'j Judgement, raw: &str) -> Option<&'j str> {
        let said = judgement.said.as_deref()?;
        if self.account.is_repeated_in(raw) {
            return Some(NOT_QUOTED);
        }
        Some(said)
    }

    /// Why an answer cannot be read: what the reader says of it may quote it.
    pub(super) fn unreadable(&self, error: &DecodeError, raw: &str) -> String {
        if self.account.is_repeated_in(raw) {
            return format!("the answer is not readable {NOT_QUOTED}");
        }
        error.to_string()
    }

    /// Whether a token was given back. Where the PMS does not know it any more, it was over.
    pub(super) fn is_logged_out(&self, answer: &Answer) -> Result<(), SourceError> {
        let Some(request) = self.source.requests.get(self.request) else {
            return Err(SourceError::Stopped);
        };
        let charset = media::charset(&answer.headers);
        let raw = request.shape.text(&answer.body, charset.as_deref());
        let raw = raw.unwrap_or_default();
        let around = whole(request.shape.format, &raw).ok();
        let content = Content::plain(around.as_ref(), &raw);
        let judgement = self.judgement(&request.rules, answer, &content)?;
        match judgement.verdict {
            Verdict::Ok
            | Verdict::Empty
            | Verdict::Accepted
            | Verdict::Gone
            | Verdict::LoginFailed => Ok(()),
            _ => Err(self.failure(&judgement, &raw, answer.status)),
        }
    }

    /// The token in an answer, and how long it serves, where the answer says so.
    pub(super) fn token_of(
        &self,
        format: Format,
        reading: &TokenAnswer,
        rules: &[Rule],
        encoding: Option<&'static Encoding>,
        answer: &Answer,
    ) -> Result<(String, Lasts), SourceError> {
        let charset = media::charset(&answer.headers);
        let raw = text(&answer.body, charset.as_deref(), encoding).unwrap_or_default();
        let decoded = whole(format, &raw);
        let content = Content::plain(decoded.as_ref().ok(), &raw);
        let judgement = self.judgement(rules, answer, &content)?;
        if judgement.verdict != Verdict::Ok {
            return Err(self.failure(&judgement, &raw, answer.status));
        }
        let around = match (&reading.place, decoded) {
            (TokenAt::Path(_), Ok(around)) => around,
            (TokenAt::Path(_), Err(error)) => {
                let what = self.unreadable(&error, &raw);
                let told = self.told(&what, None, "the next run tries again");
                return Err(SourceError::Unavailable(told));
            }
            _ => Value::Null,
        };
        // What stands around a token may be another: nothing of it is told.
        let Some(token) = reading.place.token(&around, &raw, &answer.headers) else {
            return Err(self.amiss(&reading.place.missing()));
        };
        let seconds = super::Path::parse("expires_in")
            .ok()
            .and_then(|path| path.text(&around)?.parse::<f64>().ok())
            .filter(|seconds| *seconds >= 0.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let lasts = Lasts::expires_in(seconds.map(|seconds| seconds as u64));
        Ok((token, lasts))
    }

    pub(super) fn failure(&self, judgement: &Judgement, raw: &str, status: u16) -> SourceError {
        let Judgement { verdict, hint, .. } = judgement;
        let said = self.said(judgement, raw);
        let name = &self.account.name;
        let whose = self.source.whose();
        let told = |what: String, remedy: &str| -> Told {
            self.told(&what, said, hint.as_deref().unwrap_or(remedy))
        };
        match verdict {
            Verdict::LoginFailed => SourceError::LoginFailed(told(
                format!(
                    "the {whose} refuses the login of the credential `{name}` (status {status})"
                ),
                CHECK_IT,
            )),
            Verdict::Denied => SourceError::Denied(told(
                format!("the {whose} denies this to the credential `{name}` (status {status})"),
                &format!(
                    "ask the {whose}'s administrator for the right that the credential `{name}` lacks"
                ),
            )),
            verdict => {
                let (what, remedy) = refused(whose, *verdict, status);
                match verdict {
                    Verdict::Retry
                    | Verdict::RateLimited
                    | Verdict::Maintenance
                    | Verdict::Accepted => SourceError::Unavailable(told(what, remedy)),
                    _ => SourceError::Unexpected(told(what, remedy)),
                }
            }
        }
    }
}

/// Why a run is incomplete for an answer that is judged so, and what to do; the login and the right are matters of the
/// credential.
pub(super) fn refused(whose: &str, verdict: Verdict, status: u16) -> (String, &'static str) {
    match verdict {
        Verdict::Retry => (
            format!("the {whose} failed with status {status}"),
            "the next run tries again",
        ),
        Verdict::RateLimited => (
            format!("the {whose} says there were too many requests (status {status})"),
            "the next run tries again; lower the connector's `limits` if it comes often",
        ),
        Verdict::Maintenance => (
            format!("the {whose} is closed for maintenance (status {status})"),
            "the next run tries again",
        ),
        Verdict::Fatal if status == 206 => (
            format!(
                "the {whose} sent a part of the answer (status 206), and was asked for all of it"
            ),
            "nothing was written; correct the connector's request, or say with the rule `{ status: 206, is: ok }` that it is all",
        ),
        Verdict::Accepted => (
            format!("the {whose} is not ready with it (status {status})"),
            "the next run asks again; where it takes its time, ask again by `poll`",
        ),
        Verdict::Gone => (
            format!("what was asked for is there no more (status {status})"),
            "nothing was written; check the connector's request",
        ),
        Verdict::Conflict => (
            format!("the {whose} says that this contradicts what it has (status {status})"),
            "nothing was written; check the connector's request",
        ),
        Verdict::Ok | Verdict::Empty | Verdict::Fatal | Verdict::LoginFailed | Verdict::Denied => (
            format!("the {whose} answered with status {status}"),
            "nothing was written; check the connector's request",
        ),
    }
}

/// What to do about an answer that cannot be read.
pub(super) fn unreadable(shape: &Shape, raw: &str) -> String {
    of_another_form(shape, raw).map_or_else(
        || "nothing was written; the next run tries again".to_owned(),
        |form| {
            format!("nothing was written; it begins like {form}: where it always does, correct `format` of the request")
        },
    )
}

/// A token is no longer than this, in bytes.
const TOKEN_AT_MOST: usize = 16 << 10;

impl TokenAt {
    /// Whether this can be a token: a page of HTML in the place of one is none.
    fn may_be(&self, token: &str) -> bool {
        let is_one = !token.is_empty() && token.len() <= TOKEN_AT_MOST;
        let is_plain = !token.contains(|c: char| c.is_whitespace() || c.is_control() || c == '<');
        is_one && (is_plain || matches!(self, TokenAt::Path(_)))
    }

    /// The token in an answer.
    pub(super) fn token(&self, around: &Value, raw: &str, headers: &HeaderMap) -> Option<String> {
        let token = match self {
            TokenAt::Path(path) => path.text(around).map(Cow::into_owned),
            TokenAt::Header(name) => {
                let value = headers.get(name)?;
                value.to_str().ok().map(str::to_owned)
            }
            TokenAt::Cookie(name) => cookie(headers, name),
            TokenAt::Text => Some(raw.trim().to_owned()),
        };
        token.filter(|token| self.may_be(token))
    }

    /// That there is none.
    pub(super) fn missing(&self) -> Amiss {
        let what = match self {
            TokenAt::Path(path) if path.is_root() => {
                "the answer is no text, and so no token".into()
            }
            TokenAt::Path(path) => format!("there is no token at `{path}` in the answer"),
            TokenAt::Header(name) => format!("the answer has no token in the header `{name}`"),
            TokenAt::Cookie(name) => format!("the answer sets no cookie `{name}`"),
            TokenAt::Text => "the answer is no token: it is empty, or more than one word".into(),
        };
        let remedy = "correct where `auth` of the connector looks for it, or say with a rule what such an answer means".into();
        Amiss { what, remedy }
    }
}

/// What an answer begins like that is not of the form that it should be of. A page is none of them.
fn of_another_form(shape: &Shape, text: &str) -> Option<&'static str> {
    if shape.inner().is_some() {
        return None;
    }
    let text = text.trim_start().to_lowercase();
    let is_page = ["<!doctype", "<html"]
        .iter()
        .any(|page| text.starts_with(page));
    let form = match text.bytes().next()? {
        b'<' if !is_page => "XML",
        b'{' | b'[' => "JSON",
        _ => return None,
    };
    let wanted = match shape.format() {
        Format::Json => "JSON",
        Format::Xml | Format::Soap => "XML",
        Format::Csv => "CSV",
    };
    (form != wanted).then_some(form)
}

/// The value of a cookie that an answer sets (RFC 6265, 5.2); the last where it is set several times.
fn cookie(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let set = headers.get_all(SET_COOKIE).iter().rev();
    let mut found = set.filter_map(|value| {
        let pair = value.to_str().ok()?.split(';').next()?;
        let (name, value) = pair.split_once('=')?;
        (name.trim() == wanted).then(|| value.trim().to_owned())
    });
    found.next()
}
