//! What runs would do by files that are tried, beside what they would do by those that run: the same records, read once
//! as the running files say, mapped by each, and planned in transactions that are dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::catalog::Integration;
use crate::model::{Cause, Outcome, Preview, Reading, Record, Run, RunId, SpoolError};
use crate::script::Lookups;
use crate::source::{Handed, Scope, Sharing, SourceError};
use crate::store::{Lookup, Store, StoreError, Uptime};

use super::commit::{self, Stop};
use super::mapping::Mapping;
use super::memory::{Basis, Earlier, MappedBy};
use super::retention::Forgetting;
use super::run::{
    LookedUp, Mapped, RunError, Tools, account, in_vain, lookups, not_spooled, stop, too_late,
    unnamed, unread,
};
use super::workers::AtWork;

/// What the next run of `reads` would do by each of `maps`, from one reading: which PMS properties are asked for, with
/// which credential and by which requests, is for `reads` alone to say. A reading that is kept for several integrations
/// serves where it began after `fresh_from`. Nothing remains in the store.
pub async fn trial(
    reads: Arc<Integration>,
    maps: Vec<Arc<Integration>>,
    fresh_from: Option<Instant>,
    tools: Tools,
) -> Result<Vec<Preview>, RunError> {
    let started = (tools.now)();
    let sharing = fresh_from.map(|fresh_from| Sharing {
        // What a trial takes serves the runs of the integration all the same.
        integration: format!("{} as it is tried", reads.id),
        fresh_from,
    });
    let read = read(&reads, &maps, &tools, started, sharing).await?;
    let mapped: Vec<Result<Mapped, Outcome>> = match read {
        Ok(mapped) => mapped
            .into_iter()
            .map(|one| one.map_err(Outcome::from))
            .collect(),
        Err(stop) => {
            let outcome = Outcome::from(stop);
            maps.iter().map(|_| Err(outcome.clone())).collect()
        }
    };
    let plan = move || {
        let each = maps.iter().zip(mapped);
        each.map(|(by, mapped)| foreseen(&tools.store, tools.now, by, mapped, started))
            .collect::<Result<Vec<_>, StoreError>>()
    };
    Ok(tokio::task::spawn_blocking(plan).await??)
}

/// What a run would do with what was mapped.
fn foreseen(
    store: &Store,
    now: impl Fn() -> Timestamp,
    by: &Arc<Integration>,
    mapped: Result<Mapped, Outcome>,
    started: Timestamp,
) -> Result<Preview, StoreError> {
    let mut report = report(by, RunId::NONE, started);
    let outcome = match mapped {
        Ok(mapped) => {
            mapped.tell(&mut report);
            let work = mapped.work(by, started);
            match commit::preview(store, &now, report.clone(), work)? {
                Ok(preview) => return Ok(preview),
                Err(stop) => stop.into(),
            }
        }
        Err(outcome) => outcome,
    };
    report.ended = Some(now());
    report.outcome = outcome;
    Ok(Preview::of(report))
}

fn report(of: &Integration, run: RunId, started: Timestamp) -> Run {
    Run::begun(run, of.id.clone(), Cause::Manual, of.generation, started)
}

/// What each made of the reading, or why there is none.
type Read = Result<Vec<Result<Mapped, Stop>>, Stop>;

/// Reads and maps all, within the time that a run of `reads` may take.
async fn read(
    reads: &Arc<Integration>,
    maps: &[Arc<Integration>],
    tools: &Tools,
    started: Timestamp,
    sharing: Option<Sharing>,
) -> Result<Read, RunError> {
    let (at_work, _waiter) = tools.workers.begin(&reads.id, RunId::NONE);
    let task = {
        let (reads, maps, tools) = (Arc::clone(reads), maps.to_vec(), tools.clone());
        async move { read_all(&reads, &maps, &tools, started, sharing.as_ref(), at_work).await }
    };
    let task = AbortOnDropHandle::new(tokio::spawn(task));
    match tokio::time::timeout(reads.deadline.0, task).await {
        Ok(read) => read?,
        Err(_) => Ok(Err(too_late(reads.deadline))),
    }
}

async fn read_all(
    reads: &Arc<Integration>,
    maps: &[Arc<Integration>],
    tools: &Tools,
    started: Timestamp,
    sharing: Option<&Sharing>,
    at_work: AtWork,
) -> Result<Read, RunError> {
    let account = match account(reads, tools).await? {
        Ok(account) => account.asked_by_hand(true),
        Err(stop) => return Ok(Err(stop)),
    };
    let today = reads.today(started);
    let scope = Scope {
        properties: reads.config.pms_properties.clone(),
        fields: reads.config.fields.clone(),
        today,
        // What an answer means is not for a script to say that is only tried: it could call the login refused.
        judge: reads.judge(today),
        // By other files every record is mapped anew.
        known: None,
    };
    let scripts: Vec<_> = maps.iter().map(|by| by.script.as_ref()).collect();
    let looked_up = match lookups(reads, &scripts, tools, &account, &scope, started).await? {
        Ok(looked_up) => looked_up,
        Err(stop) => return Ok(Err(stop)),
    };
    let (mappers, looked_up) = {
        let (reads, maps, store) = (Arc::clone(reads), maps.to_vec(), Arc::clone(&tools.store));
        let begin = move || {
            let known = Arc::new(looked_up.known.clone());
            let mappers = maps.iter().map(|by| {
                let today = by.today(started);
                Mapper::begin(&store, &reads, by, today, &known, &looked_up.failed)
            });
            let mappers = mappers.collect::<Result<Vec<_>, StoreError>>();
            mappers.map(|mappers| (mappers, looked_up))
        };
        tokio::task::spawn_blocking(begin).await??
    };
    let (taker, pages) = mpsc::channel::<Handed>(2);
    let dropped = CancellationToken::new();
    let _waits = dropped.clone().drop_guard();
    let mapping = tokio::task::spawn_blocking(move || {
        let _at_work = at_work;
        map(mappers, pages, &dropped)
    });
    let reading = tools
        .reader
        .residents(&reads.source, &account, &scope, sharing, taker)
        .await;
    let (mappers, nameless) = match mapping.await? {
        Ok(mapped) => mapped,
        Err(error) => return Ok(Err(not_spooled(&error))),
    };
    Ok(match reading {
        Reading::Partial { reason } => Err(stop(&reason, &reads.config.credential)),
        Reading::Complete {
            pages,
            records,
            notes,
        } => {
            let (read, notes) = ((pages, records), noted(&looked_up, notes, nameless));
            let ended = mappers.into_iter();
            let ended = ended.map(|one| one.end(read, &notes, &looked_up.fresh, &looked_up.failed));
            Ok(ended.collect())
        }
    })
}

/// What reading tells in the report.
fn noted(
    looked_up: &LookedUp,
    granted: BTreeMap<String, u64>,
    nameless: u64,
) -> BTreeMap<String, u64> {
    let mut notes = looked_up.noted.clone();
    notes.extend(granted);
    let failed = looked_up.failed.keys();
    notes.extend(failed.map(|lookup| (format!("unread_lookup:{lookup}"), 1)));
    if nameless > 0 {
        notes.insert("without_property".into(), nameless);
    }
    notes
}

/// Maps what is handed over, by each.
fn map(
    mut mappers: Vec<Mapper>,
    mut pages: mpsc::Receiver<Handed>,
    dropped: &CancellationToken,
) -> Result<(Vec<Mapper>, u64), SpoolError> {
    let mut nameless = 0;
    while let Some(handed) = pages.blocking_recv() {
        for one in &mut mappers {
            match &handed {
                Handed::Page(records) => one.map(records, dropped),
                Handed::Begin => one.mapping.begin(),
                Handed::Again => drop(one.mapping.forget()?),
                Handed::Nameless(_) => {}
            }
        }
        if let Handed::Nameless(count) = handed {
            nameless += count;
        }
    }
    Ok((mappers, nameless))
}

/// Maps records by one set of files.
struct Mapper {
    by: Arc<Integration>,
    mapping: Mapping,
    earlier: Option<Earlier>,
    basis: Basis,
    seed: u64,
    today: Date,
    /// The PMS properties whose records count, where some are read that do not.
    only: Option<BTreeSet<String>>,
}

impl Mapper {
    fn begin(
        store: &Store,
        reads: &Integration,
        by: &Arc<Integration>,
        today: Date,
        known: &Arc<Lookups>,
        failed: &BTreeMap<String, SourceError>,
    ) -> Result<Mapper, StoreError> {
        let view = store.read()?;
        let units = view.units(&by.id)?;
        let basis = Basis::of(&by.fingerprint(), &units, known);
        let shipped = by.is_as_shipped.then(|| by.script_print());
        let earlier = Earlier::read(&view.feed(&by.id)?, shipped.as_deref());
        let seed = earlier.as_ref().map(Earlier::seed);
        let seed = seed.unwrap_or_else(|| fastrand::u64(..));
        let mapping = Mapping::new(Arc::clone(by), today, Arc::clone(known), store.spool())
            .with_units(units)
            .without(unread(by, failed))
            .beside(seed, None);
        let (mine, all) = (&by.config.pms_properties, &reads.config.pms_properties);
        Ok(Mapper {
            by: Arc::clone(by),
            mapping,
            earlier,
            basis,
            seed,
            today,
            only: (mine != all).then(|| mine.iter().cloned().collect()),
        })
    }

    fn map(&mut self, records: &[Record], dropped: &CancellationToken) {
        let Some(only) = &self.only else {
            return self.mapping.map(records, dropped);
        };
        let counts = |one: &&Record| one.property.is_empty() || only.contains(&*one.property);
        let kept: Vec<Record> = records.iter().filter(counts).cloned().collect();
        self.mapping.map(&kept, dropped);
    }

    fn end(
        self,
        (pages, records): (u64, u64),
        notes: &BTreeMap<String, u64>,
        fresh: &[(String, Lookup)],
        failed: &BTreeMap<String, SourceError>,
    ) -> Result<Mapped, Stop> {
        let Mapper { by, mapping, .. } = self;
        if let Some(stop) = in_vain(&mapping, &by, failed) {
            return Err(stop);
        }
        let mut notes = notes.clone();
        notes.extend(unnamed(&by, &mapping.silent()));
        let mapped_by = MappedBy {
            basis: self.basis,
            script: by.script_print(),
            today: mapping.asked_today().then_some(self.today),
            seed: self.seed,
        };
        Ok(Mapped {
            mapping,
            memory: None,
            earlier: self.earlier,
            by: mapped_by,
            pages,
            records,
            lookups: fresh.to_vec(),
            notes,
        })
    }
}

/// Records that were recorded, in the place of a PMS.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The records.
    pub records: Vec<Record>,
    /// What scripts look up.
    pub lookups: Lookups,
    /// The day at the property on which they were recorded.
    pub today: Date,
}

/// What the next run by `with` would do after one by `reads` had taken the same recorded records into `store`, which is
/// that trial's own; beside it what one by `reads` would do.
pub fn rehearse(
    store: &Store,
    reads: &Arc<Integration>,
    with: &Arc<Integration>,
    recorded: &Recorded,
    started: Timestamp,
) -> Result<[Preview; 2], StoreError> {
    let known = Arc::new(recorded.lookups.clone());
    let nothing = BTreeMap::new();
    let mapped = |by: &Arc<Integration>| {
        let mut mapper = Mapper::begin(store, reads, by, recorded.today, &known, &nothing)?;
        mapper.map(&recorded.records, &CancellationToken::new());
        let read = (1, recorded.records.len() as u64);
        let mapped = mapper.end(read, &BTreeMap::new(), &[], &nothing);
        Ok::<_, StoreError>(mapped.map_err(Outcome::from))
    };
    if let Ok(first) = mapped(reads)? {
        let mut report = report(reads, RunId(1), started);
        first.tell(&mut report);
        let forgetting = Forgetting {
            retention: reads.retention,
            up: Uptime {
                process: 0,
                seconds: 0,
            },
        };
        let work = first.work(reads, started);
        // Where it does not come to its end, the previews say why.
        let _ = commit::commit(store, || started, report, work, &forgetting)?;
    }
    let now = foreseen(store, || started, reads, mapped(reads)?, started)?;
    let with = foreseen(store, || started, with, mapped(with)?, started)?;
    Ok([now, with])
}
