//! Readings of a request that gives the residents of all PMS properties at once: one serves every integration of the
//! credential whose run asked for nothing newer. Kept in memory, for a while and up to a size. A reading serves an
//! integration once, and none that has taken a newer one: absence is counted by readings (R25).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::config::Per;
use crate::model::Reading;
use crate::outbound::Fingerprint;

use super::SourceError;
use super::call::Call;
use super::changes::{tell, tell_nameless};
use super::compiled::Source;
use super::granted::Notes;
use super::reader::{Handed, Of, Reader};

/// Readings of more bytes than this are not kept, and all that are kept have no more.
const KEPT_AT_MOST: usize = 64 * 1024 * 1024;

/// No reading serves for longer; what a run may take is for the run to say.
const SERVES_FOR: Duration = Duration::from_hours(1);

/// For whom a reading may serve that another integration began.
#[derive(Debug, Clone)]
pub struct Sharing {
    /// The integration.
    pub integration: String,
    /// What began before is too old for its run.
    pub fresh_from: Instant,
}

/// The readings that serve, by credential and request.
#[derive(Debug, Default)]
pub(super) struct Readings(Mutex<BTreeMap<(String, String), Arc<Feed>>>);

/// The readings of one request with one credential.
#[derive(Debug, Default)]
struct Feed {
    /// Whose turn it is to read.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kept: Option<Arc<Kept>>,
    failed: Option<Failed>,
    /// When the last reading began that an integration took.
    taken: BTreeMap<String, Instant>,
}

/// What decides what is asked and what comes.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    fingerprint: Fingerprint,
    fields: BTreeMap<String, String>,
    today: Date,
}

struct Kept {
    asked: Asked,
    begun: Instant,
    /// All records, those of properties that are not attached included.
    records: Vec<Arc<str>>,
    bytes: usize,
    pages: u64,
    notes: Notes,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

/// A reading that came to nothing, for those who waited for it.
#[derive(Debug)]
struct Failed {
    asked: Asked,
    begun: Instant,
    ended: Instant,
    error: SourceError,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Readings {
    fn feed(&self, call: &Call<'_>) -> Arc<Feed> {
        let place = (call.account.name.clone(), call.request.to_owned());
        Arc::clone(lock(&self.0).entry(place).or_default())
    }

    /// Lets go what is too old, and the oldest until there is room for so many bytes.
    fn make_room(&self, bytes: usize) {
        let feeds: Vec<Arc<Feed>> = lock(&self.0).values().cloned().collect();
        let mut kept = Vec::new();
        for feed in &feeds {
            let mut state = lock(&feed.state);
            let is_old = |kept: &mut Arc<Kept>| kept.begun.elapsed() > SERVES_FOR;
            state.kept.take_if(is_old);
            if let Some(one) = &state.kept {
                kept.push((one.begun, one.bytes, feed));
            }
        }
        kept.sort_by_key(|(begun, ..)| *begun);
        let mut all: usize = kept.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, of_it, feed) in kept {
            if all + bytes <= KEPT_AT_MOST {
                return;
            }
            lock(&feed.state).kept = None;
            all -= of_it;
        }
    }
}

impl State {
    /// The kept reading, where it serves this run; it does so once.
    fn serves(&mut self, asked: &Asked, sharing: &Sharing) -> Option<Arc<Kept>> {
        let last = self.taken.get(&sharing.integration);
        let kept = self.kept.as_ref().filter(|kept| {
            kept.asked == *asked
                && kept.begun >= sharing.fresh_from
                && last.is_none_or(|last| kept.begun > *last)
        })?;
        let kept = Arc::clone(kept);
        self.taken.insert(sharing.integration.clone(), kept.begun);
        Some(kept)
    }

    /// Why the reading failed that somebody waited for since then.
    fn failed(
        &self,
        asked: &Asked,
        sharing: &Sharing,
        waited_since: Instant,
    ) -> Option<SourceError> {
        let failed = self.failed.as_ref().filter(|failed| {
            failed.asked == *asked
                && failed.begun >= sharing.fresh_from
                && failed.ended >= waited_since
        })?;
        Some(failed.error.clone())
    }
}

impl Source {
    /// Whether its residents are read for all PMS properties at once, so that one reading may serve several integrations.
    pub fn is_read_for_all(&self) -> bool {
        self.feeds().any(|request| self.may_share(request))
    }

    fn may_share(&self, request: &str) -> bool {
        let spec = self.connector.request(request);
        spec.is_some_and(|spec| {
            // A feed of changes keeps what it has; details are a reading for each.
            spec.per == Per::Once
                && spec.property.is_some()
                && spec.since.is_none()
                && spec.each.is_none()
        })
    }
}

impl Call<'_> {
    /// Whether a reading of the request may serve others too. A script that judges answers may judge them otherwise for each
    /// integration.
    pub(super) fn may_share(&self) -> bool {
        self.source.may_share(self.request) && self.scope.judge.is_none()
    }
}

impl Reader {
    /// Takes a reading that serves, or reads for all who wait for one.
    pub(super) async fn read_shared(
        &self,
        call: &Call<'_>,
        sharing: &Sharing,
        taker: &mpsc::Sender<Handed>,
    ) -> Reading<SourceError> {
        let asked = Asked {
            fingerprint: call.account.fingerprint,
            fields: call.scope.fields.clone(),
            today: call.scope.today,
        };
        let feed = self.readings.feed(call);
        let waited_since = Instant::now();
        let turn = call.account.waits_for(feed.turn.lock()).await;
        let kept = {
            let mut state = lock(&feed.state);
            if let Some(reason) = state.failed(&asked, sharing, waited_since) {
                return Reading::Partial { reason };
            }
            state.serves(&asked, sharing)
        };
        if let Some(kept) = kept {
            drop(turn);
            tracing::debug!(
                integration = %sharing.integration,
                request = call.request,
                "a reading that another integration began serves"
            );
            return call.give(&kept, taker).await;
        }
        let begun = Instant::now();
        {
            let mut state = lock(&feed.state);
            state.kept = None;
            state.failed = None;
            state.taken.insert(sharing.integration.clone(), begun);
        }
        let (sender, pages) = mpsc::channel(1);
        let reading = async {
            // The channel ends with the reading.
            let sender = sender;
            self.read_alone(call, Of::All, &sender).await
        };
        let passing = pass_on(call, pages, taker, turn);
        let (reading, passed) = tokio::join!(reading, passing);
        match (reading, passed) {
            (Reading::Partial { reason }, passed) => {
                // Whoever reads on their own was waited for by nobody.
                let is_shared = matches!(
                    reason,
                    SourceError::Unavailable(_)
                        | SourceError::Unexpected(_)
                        | SourceError::Denied(_)
                );
                if is_shared && matches!(passed, Ok(Passed::All { .. })) {
                    lock(&feed.state).failed = Some(Failed {
                        asked,
                        begun,
                        ended: Instant::now(),
                        error: reason.clone(),
                    });
                }
                Reading::Partial { reason }
            }
            (Reading::Complete { .. }, Err(reason)) => Reading::Partial { reason },
            (Reading::Complete { pages, notes, .. }, Ok(Passed::Streamed(records))) => {
                Reading::Complete {
                    pages,
                    records,
                    notes,
                }
            }
            (
                Reading::Complete { pages, notes, .. },
                Ok(Passed::All {
                    records,
                    bytes,
                    turn,
                }),
            ) => {
                let kept = Arc::new(Kept {
                    asked,
                    begun,
                    records,
                    bytes,
                    pages,
                    notes,
                });
                self.readings.make_room(bytes);
                lock(&feed.state).kept = Some(Arc::clone(&kept));
                // The others need not wait until it is mapped.
                drop(turn);
                call.give(&kept, taker).await
            }
        }
    }
}

/// What became of the records of a reading.
enum Passed<T> {
    /// All are here.
    All {
        records: Vec<Arc<str>>,
        bytes: usize,
        turn: T,
    },
    /// There were too many to keep: so many counted, and were handed over.
    Streamed(u64),
}

/// Collects the records of a reading, whoseever they are. Where they are too many to be kept, they are handed over as they
/// come, and it is another's turn to read.
async fn pass_on<T>(
    call: &Call<'_>,
    mut pages: mpsc::Receiver<Handed>,
    taker: &mpsc::Sender<Handed>,
    turn: T,
) -> Result<Passed<T>, SourceError> {
    let mut turn = Some(turn);
    let (mut all, mut bytes, mut counts) = (Vec::new(), 0, (0, 0));
    while let Some(handed) = pages.recv().await {
        match handed {
            Handed::Page(records) => {
                for record in records {
                    bytes += record.json.len();
                    all.push(Arc::from(record.json));
                }
                if bytes > KEPT_AT_MOST || turn.is_none() {
                    turn = None;
                    let (records, nameless) = call.hand_over(all.drain(..), taker).await?;
                    counts.0 += records;
                    counts.1 += nameless;
                }
            }
            // There is one, at the beginning.
            Handed::Begin => tell(Handed::Begin, taker).await?,
            Handed::Again => {
                all.clear();
                counts = (0, 0);
                if turn.is_none() {
                    tell(Handed::Again, taker).await?;
                } else {
                    bytes = 0;
                }
            }
            Handed::Nameless(_) => {}
        }
    }
    let (records, nameless) = counts;
    if let Some(turn) = turn {
        return Ok(Passed::All {
            records: all,
            bytes,
            turn,
        });
    }
    tell_nameless(nameless, taker).await?;
    Ok(Passed::Streamed(records))
}

impl Call<'_> {
    /// Gives a run what of a reading is its own.
    async fn give(&self, kept: &Kept, taker: &mpsc::Sender<Handed>) -> Reading<SourceError> {
        let handed = async {
            let records = kept.records.iter().cloned();
            let (records, nameless) = self.hand_over(records, taker).await?;
            tell_nameless(nameless, taker).await?;
            Ok(records)
        };
        match handed.await {
            Ok(records) => Reading::Complete {
                pages: kept.pages,
                records,
                notes: kept.notes.clone(),
            },
            Err(reason) => Reading::Partial { reason },
        }
    }
}
