//! Feeds of changes: a PMS is asked for what changed since the last reading, and what it said before is kept, so that
//! everybody else sees all of it each time. Nobody is absent because they did not change (R24 to R26).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::config::Since;
use crate::model::Record;
use crate::outbound::{Fingerprint, shorten};

use super::SourceError;
use super::call::Call;
use super::presence::{Named, Presence};
use super::reader::{Handed, Reader, collected};
use super::template::Before;

/// So many records are handed over at once.
const PAGE: usize = 500;

/// What feeds of changes have said so far: by credential, request and PMS property.
#[derive(Debug, Default)]
pub(super) struct Said(Mutex<BTreeMap<(String, String, String), Known>>);

/// What one of them has said.
#[derive(Clone)]
struct Known {
    /// With which credential and connector, and for which fields of the integration: others may be told something else.
    fingerprint: Fingerprint,
    fields: BTreeMap<String, String>,
    /// When all of it was read.
    all_read: Instant,
    /// When the last reading began.
    begun: Timestamp,
    records: BTreeMap<String, Arc<str>>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

impl Said {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, String, String), Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    /// Reads what has changed for a property, or all of it where that is due, and hands over all that there is; gives the
    /// number of pages and of records.
    pub(super) async fn read_changes(
        &self,
        call: &Call<'_>,
        since: &Since,
        taker: &mpsc::Sender<Handed>,
        presence: &mut Presence,
    ) -> Result<(u64, u64), SourceError> {
        let (name, request, property) = (&call.account.name, call.request, call.property);
        let place = (name.clone(), request.to_owned(), property.to_owned());
        let known = self.said.lock().get(&place).cloned();
        let known = known.filter(|known| {
            known.fingerprint == call.account.fingerprint
                && known.fields == call.scope.fields
                && known.all_read.elapsed() < since.full.0
        });
        let begun = Timestamp::try_from(SystemTime::now()).map_err(|_| SourceError::Stopped)?;
        let overlap = SignedDuration::try_from(since.overlap.0).unwrap_or(SignedDuration::MAX);
        let from = known
            .as_ref()
            .and_then(|known| known.begun.checked_sub(overlap).ok());
        let before = Before {
            since: from,
            ..call.before
        };
        let asked = Call {
            before,
            known: None,
            ..*call
        };
        let before_it = presence.seen();
        let (sender, pages) = mpsc::channel(1);
        let reading = async {
            // The channel ends with the reading.
            let sender = sender;
            self.read_property(&asked, &sender, presence).await
        };
        let (read, came) = tokio::join!(reading, collected(pages));
        let (pages, _) = read?;
        if from.is_some() {
            // What a few changes do not have is no path that leads nowhere.
            presence.restore(before_it);
        }
        let mut known = match (known, from) {
            (Some(known), Some(_)) => known,
            _ => Known {
                fingerprint: call.account.fingerprint,
                fields: call.scope.fields.clone(),
                all_read: Instant::now(),
                begun,
                records: BTreeMap::new(),
            },
        };
        known.begun = begun;
        for (number, record) in came.into_iter().enumerate() {
            let id = call.source.record_id(request, &record.json);
            let Some(id) = id else {
                let what = format!(
                    "record {} has no id, by which a change is known",
                    number + 1
                );
                let remedy = "nothing was written; correct `id` of the request, or remove `since`";
                return Err(SourceError::Unexpected(call.told(&what, None, remedy)));
            };
            let json: Arc<str> = record.json.into();
            let before = known.records.insert(id.clone(), Arc::clone(&json));
            // Of two of one id the next change would be which one's?
            if from.is_none() && before.is_some_and(|before| before != json) {
                let what = format!(
                    "two records have the id `{}`, by which a change is known",
                    shorten(&id)
                );
                let remedy = "nothing was written; let `id` of the request lead to what one record has alone, or remove `since`";
                return Err(SourceError::Unexpected(call.told(&what, None, remedy)));
            }
        }
        let records: Vec<Arc<str>> = known.records.values().cloned().collect();
        self.said.lock().insert(place, known);
        let (records, nameless) = call.hand_over(records, taker).await?;
        tell_nameless(nameless, taker).await?;
        Ok((pages, records))
    }
}

/// Hands something over, as long as somebody takes it.
pub(super) async fn tell(what: Handed, taker: &mpsc::Sender<Handed>) -> Result<(), SourceError> {
    taker.send(what).await.map_err(|_| SourceError::Stopped)
}

/// Tells how many records name no PMS property.
pub(super) async fn tell_nameless(
    nameless: u64,
    taker: &mpsc::Sender<Handed>,
) -> Result<(), SourceError> {
    if nameless == 0 {
        return Ok(());
    }
    tell(Handed::Nameless(nameless), taker).await
}

/// A record that counts, behind the PMS property that it is of.
type Attached = (Arc<str>, Arc<str>);

impl Call<'_> {
    /// Hands those of these records over that count; gives how many these are, and how many of the others name no PMS
    /// property.
    pub(super) async fn hand_over(
        &self,
        records: impl IntoIterator<Item = Arc<str>>,
        taker: &mpsc::Sender<Handed>,
    ) -> Result<(u64, u64), SourceError> {
        let (records, nameless) = self.attached(records);
        let request: Arc<str> = self.request.into();
        for page in records.chunks(PAGE) {
            let page = page.iter().map(|(property, json)| Record {
                request: Arc::clone(&request),
                property: Arc::clone(property),
                json: Box::from(&**json),
                known: None,
            });
            tell(Handed::Page(page.collect()), taker).await?;
        }
        Ok((records.len() as u64, nameless))
    }

    /// The records that count, each with its PMS property: those that were asked for, or those of the attached ones where
    /// all were asked for at once. And how many of these name none.
    fn attached(&self, records: impl IntoIterator<Item = Arc<str>>) -> (Vec<Attached>, u64) {
        let request = self.source.requests.get(self.request);
        let path = request.and_then(|request| request.property.as_ref());
        let asked: Arc<str> = self.property.into();
        let (mut attached, mut nameless) = (Vec::new(), 0);
        for json in records {
            match path.filter(|_| asked.is_empty()) {
                None => attached.push((Arc::clone(&asked), json)),
                Some(path) => match self.whose(path.text_in(&json).as_deref()) {
                    Named::Attached(property) => attached.push((property, json)),
                    Named::Nobody => nameless += 1,
                    Named::Other(_) => {}
                },
            }
        }
        (attached, nameless)
    }
}
