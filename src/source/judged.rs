//! What an answer is judged to be, and whether its records can be taken: the same for a run, `epms probe` and the cases
//! of `epms test`. Pure; knows no credential and words no error of a run.

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;

use crate::config::{Format, Operation, Verdict};
use crate::outbound::impersonal;

use super::alone::AnswerTo;
use super::answer::{
    BEGINNING, By, Content, Judge, Judgement, Rule, Ruling, Said, by_rules, by_status,
};
use super::compiled::Request;
use super::compiled::Source;
use super::decode::{DecodeError, Decoded, Shape, text, whole};
use super::media;
use super::trouble::tells_an_error;

/// So many characters of what a script says about an answer are told.
const HINT: usize = 400;

/// Who judges, and what was asked.
#[derive(Clone, Copy)]
pub(super) struct Judging<'a> {
    pub(super) rules: &'a [Rule],
    pub(super) judge: Option<&'a dyn Judge>,
    pub(super) request: &'a str,
    /// The PMS property; empty where it is asked once.
    pub(super) property: &'a str,
}

/// An answer but for its body.
#[derive(Clone, Copy)]
pub(super) struct Reply<'a> {
    pub(super) status: u16,
    pub(super) headers: &'a HeaderMap,
    /// That only a part was asked for.
    pub(super) of_part: bool,
}

/// By the rules, by the judge where none matched, or as usual. An error is one of the judge.
pub(super) fn judged(
    judging: Judging<'_>,
    reply: Reply<'_>,
    content: &Content<'_>,
) -> Result<Judgement, String> {
    if let Some(judgement) = by_rules(judging.rules, reply.status, reply.headers, content) {
        return Ok(judgement);
    }
    let around = content.around();
    let usual = by_status(reply.status, reply.of_part, around);
    let Some(judge) = judging.judge else {
        return Ok(usual);
    };
    let raw = content.text();
    let ruling = judge.judge(&Said {
        request: judging.request,
        property: judging.property,
        status: reply.status,
        headers: joined(reply.headers),
        body: around,
        records: content.records(),
        text: raw.get(..raw.floor_char_boundary(BEGINNING)).unwrap_or(raw),
    })?;
    Ok(match ruling {
        None => usual,
        Some(Ruling { verdict, hint }) => Judgement {
            verdict,
            said: usual.said,
            // A script may say more than it should of what the answer says.
            hint: hint.map(|hint| impersonal(&hint).chars().take(HINT).collect()),
            by: By::Judge,
        },
    })
}

/// Several values of one name stand behind each other.
fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(name.as_str().to_owned())
            .and_modify(|values| {
                values.push_str(", ");
                values.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    joined
}

/// Why no records can be taken from an answer.
pub(super) enum Wrong {
    /// It was judged so.
    Refused,
    /// It broke off, or is of another form.
    Unreadable(DecodeError),
    /// It is not what the connector says it is.
    Unexpected { what: String, remedy: &'static str },
}

/// Why an answer without records is taken all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Presumed {
    /// It says that there is nobody, by whom.
    Nobody(By),
    /// What was asked for is there no more.
    Gone,
}

/// What was taken of an answer.
pub(super) struct Taken {
    pub(super) decoded: Decoded,
    pub(super) presumed: Option<Presumed>,
}

impl From<Decoded> for Taken {
    fn from(decoded: Decoded) -> Taken {
        Taken {
            decoded,
            presumed: None,
        }
    }
}

/// Which question an answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// One for a page that is there.
    There,
    /// One behind a full page, which may have been the last.
    BehindFull,
    /// One behind what is the last page, as far as it can be seen.
    BehindLast,
}

/// What of an answer decides whether its records can be taken, besides them.
#[derive(Clone)]
pub(super) struct Came<'a> {
    pub(super) status: u16,
    /// How many records were seen by whoever judged.
    pub(super) records: usize,
    /// Its text.
    pub(super) raw: &'a str,
    /// What it answers.
    pub(super) asked: Asked,
    /// Who says that there is nobody, where nothing is at the records.
    pub(super) nobody: Option<By>,
    /// That it answers a question about one record of a list.
    pub(super) is_detail: bool,
}

/// The records of an answer that was judged.
pub(super) fn taken(
    shape: &Shape,
    judgement: &Judgement,
    decoded: Result<Decoded, DecodeError>,
    came: Came<'_>,
) -> Result<Taken, Wrong> {
    let Came {
        status,
        records: came,
        raw,
        asked,
        nobody,
        is_detail,
    } = came;
    let is_behind = asked != Asked::There;
    let is_blank = raw.trim().is_empty();
    let presumed = |decoded: Result<Decoded, DecodeError>, presumed: Presumed| Taken {
        decoded: Decoded {
            around: decoded.map(|decoded| decoded.around).unwrap_or_default(),
            ..Decoded::nothing()
        },
        presumed: Some(presumed),
    };
    match judgement.verdict {
        Verdict::Ok => {}
        Verdict::Empty if came > 0 => {
            return Err(Wrong::Unexpected {
                what: format!("a rule says that there are no records, and {came} came"),
                remedy: "nothing was written; correct the rule, so that it does not match an answer with records",
            });
        }
        Verdict::Empty => return Ok(presumed(decoded, Presumed::Nobody(judgement.by.clone()))),
        // A detail that went since its list came.
        Verdict::Gone if is_detail => return Ok(presumed(decoded, Presumed::Gone)),
        // What the connector itself calls fatal is no end.
        Verdict::Fatal if is_behind && status == 404 && judgement.by == By::Usual => {
            if is_blank || decoded.is_ok() {
                return Ok(Decoded::nothing().into());
            }
            return Err(Wrong::Unexpected {
                what: "behind a full page came status 404, and no answer of the form that the others have"
                    .into(),
                remedy: "nothing was written; the next run tries again; where it means that there are no more records, say so with a rule that is `empty`",
            });
        }
        _ => return Err(Wrong::Refused),
    }
    match decoded {
        // No rule and no script has looked at it, and the list may go on behind it.
        Ok(decoded)
            if decoded.found
                && asked == Asked::BehindFull
                && decoded.records.is_empty()
                && judgement.by == By::Usual
                && nobody.is_none()
                && tells_an_error(&decoded.around) =>
        {
            Err(Wrong::Unexpected {
                what: "behind a full page came an empty list, and an error beside it".into(),
                remedy: "nothing was written; the next run tries again; where it means that there are no more records, say so with a rule that is `empty`",
            })
        }
        Ok(decoded) if decoded.found => Ok(decoded.into()),
        Ok(decoded)
            if nobody.is_some() && decoded.broken.is_none() && decoded.records.is_empty() =>
        {
            let by = nobody.unwrap_or(By::Usual);
            Ok(presumed(Ok(decoded), Presumed::Nobody(by)))
        }
        Ok(decoded)
            if is_behind
                && shape.place().is_null(&decoded.around)
                && !tells_an_error(&decoded.around) =>
        {
            Ok(Decoded::nothing().into())
        }
        Ok(Decoded {
            broken: Some(error),
            ..
        }) => Err(Wrong::Unreadable(error)),
        Ok(decoded) => {
            let (what, key) = shape.nothing_in(&decoded.around, decoded.records.len());
            Err(Wrong::Unexpected {
                what,
                remedy: if key == "records" {
                    "nothing was written; correct `records` of the request, or say by its `missing` what an answer has that means an empty list"
                } else {
                    "nothing was written; correct `inner.path` of the request, or say by its `missing` what an answer has that means an empty list"
                },
            })
        }
        // An answer that broke off at once has no body either; status 204 says that it is meant.
        Err(_)
            if is_blank
                && (asked == Asked::BehindLast
                    || is_behind && (status == 204 || shape.is_of(Format::Csv))) =>
        {
            Ok(Decoded::nothing().into())
        }
        Err(_) if status == 204 => Err(Wrong::Unexpected {
            what: "the answer has no body (status 204)".into(),
            remedy: "nothing was written; if this means an empty list, say so with the rule `{ status: 204, is: empty }`",
        }),
        Err(error) => Err(Wrong::Unreadable(error)),
    }
}

/// What an answer means to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// The verdict.
    pub verdict: Verdict,
    /// What to do about it, from whoever decided.
    pub hint: Option<String>,
    /// Who decided.
    pub by: By,
    /// The records that a run would take.
    pub records: usize,
    /// Why a run would be incomplete although the verdict is `ok` or `empty`. It may quote the answer.
    pub wrong: Option<String>,
}

/// An answer that was looked at.
pub(super) struct Looked {
    pub(super) meaning: Meaning,
    pub(super) judgement: Judgement,
    /// Its records, or why none can be taken; none of a request that has none.
    pub(super) taken: Option<Result<Taken, Wrong>>,
    pub(super) raw: String,
}

impl Source {
    /// What an answer to the first page of a request means.
    pub(super) fn meaning_of(
        &self,
        asked: AnswerTo<'_>,
        judge: Option<&dyn Judge>,
        reply: Reply<'_>,
        body: &[u8],
    ) -> Result<Meaning, String> {
        Ok(self.looked(asked, judge, reply, body)?.meaning)
    }

    /// The same, with what could be taken of it.
    pub(super) fn looked(
        &self,
        asked: AnswerTo<'_>,
        judge: Option<&dyn Judge>,
        reply: Reply<'_>,
        body: &[u8],
    ) -> Result<Looked, String> {
        let request = asked.request;
        let Some(compiled) = self.requests.get(request) else {
            return Err(format!("the connector has no request `{request}`"));
        };
        let judging = Judging {
            rules: &compiled.rules,
            judge,
            request,
            property: asked.property,
        };
        let charset = media::charset(reply.headers);
        let charset = charset.as_deref();
        let shape = asked.shape.unwrap_or(&compiled.shape);
        if self.has_no_records(request) {
            let raw = text(body, charset, shape.encoding).unwrap_or_default();
            let decoded = whole(shape.format(), &raw);
            let content = Content::uncut(decoded.as_ref().ok(), shape, &raw);
            let judgement = judged(judging, reply, &content)?;
            return Ok(Looked {
                meaning: judgement.clone().means(0, None),
                judgement,
                taken: None,
                raw: raw.into_owned(),
            });
        }
        let unpacked = shape.unpacked(body);
        let (decoded, raw) = shape.opened(charset, &unpacked, None, false);
        let content = Content::of(&decoded, shape, &raw);
        let judgement = judged(judging, reply, &content)?;
        let nobody = by_rules(&compiled.missing, reply.status, reply.headers, &content);
        let spec = self.connector.request(request);
        let came = Came {
            status: reply.status,
            records: content.records(),
            raw: &raw,
            asked: Asked::There,
            nobody: nobody.map(|nobody| nobody.by),
            is_detail: spec.is_some_and(|spec| spec.each.is_some())
                || request == Operation::Find.request(),
        };
        drop(content);
        let taken = taken(shape, &judgement, decoded, came);
        let (records, wrong) = match &taken {
            Ok(taken) => (taken.decoded.records.len(), None),
            Err(Wrong::Refused) => (0, None),
            Err(Wrong::Unreadable(error)) => (0, Some(error.to_string())),
            Err(Wrong::Unexpected { what, .. }) => (0, Some(what.clone())),
        };
        Ok(Looked {
            meaning: judgement.clone().means(records, wrong),
            judgement,
            taken: Some(taken),
            raw: raw.into_owned(),
        })
    }
}

impl Judgement {
    /// Which rule took records for none, behind what is to be done about it.
    pub(super) fn place(&self, request: &Request) -> String {
        match &self.by {
            By::Rule(at) if self.verdict == Verdict::Empty => {
                format!(" (it is {})", request.rule_named(at))
            }
            _ => String::new(),
        }
    }

    fn means(self, records: usize, wrong: Option<String>) -> Meaning {
        Meaning {
            verdict: self.verdict,
            hint: self.hint,
            by: self.by,
            records,
            wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Path;
    use super::super::decode::decode;
    use super::*;

    fn came(raw: &str, asked: Asked, by: By) -> Result<usize, String> {
        let shape = Shape::new(Format::Json, Path::parse("rows").unwrap());
        let judgement = Judgement {
            verdict: Verdict::Ok,
            said: None,
            hint: None,
            by,
        };
        let decoded = decode(&shape, None, raw.as_bytes());
        let came = Came {
            status: 200,
            records: 0,
            raw,
            asked,
            nobody: None,
            is_detail: false,
        };
        match taken(&shape, &judgement, decoded, came) {
            Ok(taken) => Ok(taken.decoded.records.len()),
            Err(Wrong::Unexpected { what, .. }) => Err(what),
            Err(_) => Err(String::new()),
        }
    }

    #[test]
    fn an_error_beside_an_empty_list_behind_a_full_page_is_not_the_end() {
        for error in [
            r#""error":"Timeout""#,
            r#""error":{"code":5}"#,
            r#""errors":["Timeout"]"#,
        ] {
            let answer = format!("{{\"rows\":[],{error}}}");
            let told = came(&answer, Asked::BehindFull, By::Usual).unwrap_err();
            assert!(told.contains("an error beside it"), "{told}");
            // Elsewhere, and where the connector says what it means, it is an empty list as ever.
            assert_eq!(came(&answer, Asked::There, By::Usual), Ok(0));
            let rule = By::Rule("errors.0".into());
            assert_eq!(came(&answer, Asked::BehindFull, rule), Ok(0));
            let with = format!("{{\"rows\":[{{\"id\":1}}],{error}}}");
            assert_eq!(came(&with, Asked::BehindFull, By::Usual), Ok(1));
        }
        for none in [
            r#"{"rows":[]}"#,
            r#"{"rows":[],"error":null,"errors":[]}"#,
            r#"{"rows":[],"error":{"code":0,"message":"OK"},"success":true}"#,
            r#"{"rows":[],"sort":{"default":"name"}}"#,
        ] {
            assert_eq!(came(none, Asked::BehindFull, By::Usual), Ok(0), "{none}");
        }
    }
}
