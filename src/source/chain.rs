//! Requests that follow from others: steps whose answers give something to the next, asked again until they are ready, and
//! one request for each record of another. Reads no page itself.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::config::Verdict;
use crate::outbound::{Answer, Prepared, Token};

use super::answer::{Content, is_ready};
use super::call::Call;
use super::compiled::{Gives, Request};
use super::decode::{decode, whole};
use super::granted::Notes;
use super::media;
use super::presence::{Amiss, Presence};
use super::reader::{Handed, Reader, collected};
use super::template::{Before, PageValues};
use super::{Path, SourceError, newest};

/// A list of more records is none whose details are asked for one by one.
const DETAILS_AT_MOST: usize = 100_000;

/// What an answer to a step gave; none where it is not ready.
type Gave = Option<BTreeMap<String, String>>;

impl Reader {
    /// Reads a request for a property, with what comes before it; gives the number of pages and of records.
    pub(super) async fn read_chain(
        &self,
        call: &Call<'_>,
        taker: &mpsc::Sender<Handed>,
        presence: &mut Presence,
    ) -> Result<(u64, u64), SourceError> {
        let (_, spec) = call.spec()?;
        let given = Box::pin(self.steps(call, &spec.after)).await?;
        let before = Before {
            given: Some(&given),
            ..Before::default()
        };
        let call = Call { before, ..*call };
        if let Some(since) = &spec.since {
            return self.read_changes(&call, since, taker, presence).await;
        }
        let Some(list) = &spec.each else {
            return self.read_property(&call, taker, presence).await;
        };
        let (mut pages, mut records) = (0, 0);
        let (listed, notes) = self.listed(&call, list).await?;
        presence.granted.of_list(notes);
        let gone_before = presence.granted.gone;
        // A detail of another property's record has nobody who counts.
        let counts = !(call.property.is_empty() && call.source.tells_properties(call.request));
        for record in &listed {
            let before = Before {
                record: Some(record),
                ..before
            };
            let detail = Call { before, ..call };
            let silent_before = presence.granted.answered_nobody();
            let (more, came) = self.read_property(&detail, taker, presence).await?;
            if counts && came == 0 && presence.granted.answered_nobody() == silent_before {
                presence.granted.empty_details += 1;
            }
            pages += more;
            records += came;
        }
        let gone = presence.granted.gone - gone_before;
        if gone > 0 && gone == listed.len() as u64 {
            let what = format!("all {gone} that `{list}` lists are said to be there no more");
            let remedy = "nothing was written; see whether `url` leads to the details of a record of the list";
            return Err(SourceError::Unexpected(call.told(&what, None, remedy)));
        }
        Ok((pages, records))
    }

    /// What the steps before a request give, each asked after the one before.
    pub(super) async fn steps(
        &self,
        call: &Call<'_>,
        steps: &[String],
    ) -> Result<BTreeMap<String, String>, SourceError> {
        let mut given = BTreeMap::new();
        for step in steps {
            let call = Call {
                request: step,
                known: None,
                before: Before {
                    given: Some(&given),
                    ..Before::default()
                },
                ..*call
            };
            let mut gave = self.step(&call).await?;
            if let Some(request) = call.source.requests.get(call.request)
                && request.paging.is_some()
            {
                gave.extend(self.newest_of_all(&call, request).await?);
            }
            given.extend(gave);
        }
        Ok(given)
    }

    /// One step, until it is ready.
    async fn step(&self, call: &Call<'_>) -> Result<BTreeMap<String, String>, SourceError> {
        let (_, spec) = call.spec()?;
        let Some(request) = call.source.requests.get(call.request) else {
            return Err(SourceError::Stopped);
        };
        let begun = Instant::now();
        let made = |token: Option<&Token>| call.step(token);
        loop {
            let read = |answer: &Answer| call.gave(request, answer);
            if let (Some(gave), answer) = self.ask(call, made, read).await? {
                call.hear_until(&answer, None).await;
                return Ok(gave);
            }
            let (every, at_most) = match &spec.poll {
                Some(poll) => (poll.every.0, poll.at_most.0),
                None => (Duration::ZERO, Duration::ZERO),
            };
            if begun.elapsed() + every > at_most {
                let seconds = at_most.as_secs();
                let what = format!("it is not ready after {seconds} s");
                let remedy = "the next run asks again; where it takes longer, raise `poll.at_most` of the request";
                return Err(SourceError::Unavailable(call.told(&what, None, remedy)));
            }
            call.account.waits_for(tokio::time::sleep(every)).await;
        }
    }

    /// One step, behind those before it, whether it is ready or not.
    pub(super) async fn step_once(
        &self,
        call: &Call<'_>,
        request: &Request,
    ) -> Result<(), SourceError> {
        let steps = call.source.steps_before(call.request);
        let given = self.steps(call, steps).await?;
        let before = Before {
            given: Some(&given),
            ..Before::default()
        };
        let call = Call { before, ..*call };
        let made = |token: Option<&Token>| call.step(token);
        let read = |answer: &Answer| call.gave(request, answer);
        let (_, answer) = self.ask(&call, made, read).await?;
        call.hear_until(&answer, None).await;
        Ok(())
    }

    /// What the newest of the records of all pages gives.
    async fn newest_of_all(
        &self,
        call: &Call<'_>,
        request: &Request,
    ) -> Result<BTreeMap<String, String>, SourceError> {
        let mut gave = BTreeMap::new();
        let newest = request
            .gives
            .iter()
            .filter_map(|(name, gives)| match gives {
                Gives::Newest { path, by } => Some((name, path, by)),
                Gives::Path(_) | Gives::Header(_) => None,
            });
        let newest: Vec<_> = newest.collect();
        if newest.is_empty() {
            return Ok(gave);
        }
        let (records, _) = self.listed(call, call.request).await?;
        for (name, path, by) in newest {
            gave.insert(name.clone(), call.newest(&records, name, path, by)?);
        }
        Ok(gave)
    }

    /// The records of a list whose details are asked for, and what the reading of it took for granted.
    pub(super) async fn listed(
        &self,
        call: &Call<'_>,
        list: &str,
    ) -> Result<(Vec<Value>, Notes), SourceError> {
        let call = Call {
            request: list,
            known: None,
            ..*call
        };
        let (taker, pages) = mpsc::channel(1);
        let mut presence = Presence::default();
        let reading = async {
            // The channel ends with the reading.
            let taker = taker;
            self.read_property(&call, &taker, &mut presence).await
        };
        let (read, records) = tokio::join!(reading, collected(pages));
        read?;
        let wrong = call.missing(&presence);
        if let Some(wrong) = wrong.or_else(|| call.not_granted(&presence.granted)) {
            return Err(wrong);
        }
        if records.len() > DETAILS_AT_MOST {
            let what = format!("it has more than {DETAILS_AT_MOST} records");
            let remedy = "nothing was written; ask for them in fewer requests";
            return Err(SourceError::Unexpected(call.told(&what, None, remedy)));
        }
        let values = records
            .iter()
            .map(|record| serde_json::from_str(&record.json));
        let values = values.collect::<Result<_, _>>();
        let values = values.map_err(|_| SourceError::Stopped)?;
        Ok((values, presence.granted.notes(list)))
    }
}

impl Call<'_> {
    /// The request of a step, as it is sent now.
    pub(super) fn step(&self, token: Option<&Token>) -> Result<Prepared, SourceError> {
        let values = PageValues::default().as_of_now();
        let url = self.url(&values)?;
        self.permitted(&url)?;
        self.prepare(&url, &url, &values, token)
    }

    /// What the answer to a step gives; none where it is not ready.
    fn gave(&self, request: &Request, answer: &Answer) -> Result<Gave, SourceError> {
        let charset = media::charset(&answer.headers);
        let shape = &request.shape;
        let text = shape
            .text(&answer.body, charset.as_deref())
            .unwrap_or_default();
        let around = whole(shape.format, &text).ok();
        let content = Content::uncut(around.as_ref(), shape, &text);
        let judgement = self.judgement(&request.rules, answer, &content)?;
        match judgement.verdict {
            Verdict::Ok => {}
            Verdict::Accepted => return Ok(None),
            _ => return Err(self.failure(&judgement, &text, answer.status)),
        }
        if !is_ready(&request.until, answer.status, &answer.headers, &content) {
            return Ok(None);
        }
        let mut gave = BTreeMap::new();
        for (name, gives) in &request.gives {
            let found = match gives {
                Gives::Path(path) => around.as_ref().and_then(|around| path.text(around)),
                Gives::Header(name) => self.header_gives(answer, name).map(Into::into),
                // It is sought on all pages, once they are there.
                Gives::Newest { .. } if request.paging.is_some() => continue,
                Gives::Newest { path, by } => {
                    let decoded = decode(shape, charset.as_deref(), &answer.body);
                    let records = decoded.map(|decoded| decoded.records).unwrap_or_default();
                    let records: Vec<Value> = records
                        .iter()
                        .filter_map(|json| serde_json::from_str(json).ok())
                        .collect();
                    Some(self.newest(&records, name, path, by)?.into())
                }
            };
            let found = found.ok_or_else(|| self.gives_nothing(name))?;
            gave.insert(name.clone(), found.into_owned());
        }
        Ok(Some(gave))
    }

    /// What a header of an answer gives. Where it says where something is, that may be a path alone (RFC 9110, 10.2.2).
    pub(super) fn header_gives(&self, answer: &Answer, name: &str) -> Option<String> {
        let said = answer.header(name)?;
        let places = ["location", "content-location"];
        if places.iter().any(|place| name.eq_ignore_ascii_case(place)) {
            let asked = self.url(&PageValues::default().as_of_now()).ok()?;
            return asked.join(said).ok().map(Into::into);
        }
        Some(said.to_owned())
    }

    /// What the newest of the records of a step has.
    fn newest(
        &self,
        records: &[Value],
        name: &str,
        path: &Path,
        by: &Path,
    ) -> Result<String, SourceError> {
        let keys: Vec<_> = records.iter().map(|record| by.text(record)).collect();
        let keys: Vec<_> = keys.iter().map(Option::as_deref).collect();
        let wrong = |what: &str| {
            let what = format!("`{name}` of its `gives` is sought by `{by}`: {what}");
            let remedy = "nothing was written; name by `by` what tells the newest";
            SourceError::Unexpected(self.told(&what, None, remedy))
        };
        let newest = newest::newest(&keys).map_err(|what| wrong(&what))?;
        let newest = newest.iter().filter_map(|place| records.get(*place));
        let mut found = newest.map(|record| path.text(record));
        let first = found.next().flatten();
        // Which one is read must not hang on their order.
        if found.any(|other| other != first) {
            return Err(wrong(&format!(
                "several records are the newest alike, and differ at `{path}`"
            )));
        }
        let first = first.map(Cow::into_owned);
        first.ok_or_else(|| self.gives_nothing(name))
    }

    fn gives_nothing(&self, name: &str) -> SourceError {
        self.amiss(&gives_nothing(name))
    }
}

fn gives_nothing(name: &str) -> Amiss {
    Amiss {
        what: format!("its answer has nothing for `{name}` of its `gives`"),
        remedy: "nothing was written; correct `gives`, or say by a rule or by `poll` what such an answer means".into(),
    }
}

/// What is amiss with an answer to a step, as far as one answer tells; `around` is the whole of it.
pub(super) fn amiss_with_step(
    request: &Request,
    status: u16,
    headers: &HeaderMap,
    around: Option<&Value>,
    text: &str,
) -> Option<Amiss> {
    let content = Content::plain(around, text);
    if !is_ready(&request.until, status, headers, &content) {
        return None;
    }
    let is_there = |gives: &Gives| match gives {
        Gives::Path(path) => around.and_then(|around| path.text(around)).is_some(),
        Gives::Header(name) => headers.contains_key(name.as_str()),
        // What is the newest is known of all records alone.
        Gives::Newest { .. } => true,
    };
    let missing = request.gives.iter().find(|(_, gives)| !is_there(gives));
    missing.map(|(name, _)| gives_nothing(name))
}
