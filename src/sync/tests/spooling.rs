//! What a run cannot keep in memory lies in a spool until it commits: one that is full, or cannot be read again, ends
//! the run, and nothing is lost.

use std::io::{Error, ErrorKind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;
use crate::model::{Kept, SpoolError};

/// Fails at a step, and from there on.
#[derive(Debug)]
struct Failing {
    below: Arc<dyn Spool>,
    /// What is written is no more from this one on.
    writes: u64,
    /// What is read is no more from this one on.
    reads: u64,
    written: AtomicU64,
    read: AtomicU64,
    is_full: AtomicBool,
}

impl Failing {
    fn from(store: &Store, writes: u64, reads: u64) -> Arc<Failing> {
        Arc::new(Failing {
            below: store.spool(),
            writes,
            reads,
            written: AtomicU64::new(0),
            read: AtomicU64::new(0),
            is_full: AtomicBool::new(false),
        })
    }

    fn has_failed(&self) -> bool {
        let reads = self.read.load(Ordering::SeqCst);
        self.is_full.load(Ordering::SeqCst) || reads > self.reads
    }
}

impl Spool for Failing {
    fn keep(&self, bytes: Vec<u8>) -> Kept {
        if self.written.fetch_add(1, Ordering::SeqCst) >= self.writes {
            self.is_full.store(true, Ordering::SeqCst);
            return Kept::Here(bytes.into());
        }
        self.below.keep(bytes)
    }

    fn read(&self, at: u64, into: &mut [u8]) -> Result<(), SpoolError> {
        if self.read.fetch_add(1, Ordering::SeqCst) >= self.reads {
            return Err(SpoolError::Read {
                name: "the spool".into(),
                source: Error::other("the disk fails"),
            });
        }
        self.below.read(at, into)
    }

    fn sound(&self) -> Result<(), SpoolError> {
        if !self.is_full.load(Ordering::SeqCst) {
            return self.below.sound();
        }
        Err(SpoolError::Write {
            name: "the spool".into(),
            source: Error::from(ErrorKind::StorageFull),
        })
    }
}

fn tenant(number: usize, unit_of: usize) -> Resident {
    let (id, email) = (format!("t{number}"), format!("t{number}@example.com"));
    Resident {
        unit: unit(&unit_of.to_string()),
        ..resident(&id, "Ana", &format!("Ortiz{number}"), &email)
    }
}

/// After thirty people, a feed in which some of them have moved, some are gone, and thirty more have come.
fn before() -> (World, Vec<Item>) {
    let mut world = World::new();
    world.guard.limit = 1000;
    world.guard.newcomers = 1000;
    world.runs((0..30).map(|number| tenant(number, number)));
    let feed = (3..60).map(|number| tenant(number, number + number % 2));
    (world, feed.map(Item::Here).collect())
}

fn tried(writes: impl Fn(u64) -> u64, reads: impl Fn(u64) -> u64, says: &str) -> u64 {
    let (mut expected, feed) = before();
    expected.runs(feed.clone());
    let mut step = 0;
    loop {
        let (mut world, feed) = before();
        let (people, links) = (world.people(), world.links());
        let failing = Failing::from(&world.store, writes(step), reads(step));
        world.spool = Some(failing.clone());
        let report = world.try_run(feed.clone()).unwrap();
        if !failing.has_failed() {
            assert!(report.outcome.is_success(), "{report:?}");
            return step;
        }
        let Outcome::Failed { reason } = &report.outcome else {
            panic!("step {step}: {report:?}")
        };
        assert!(
            reason.contains(says) && reason.contains("nothing was written"),
            "{reason}"
        );
        assert_eq!(
            (world.people(), world.links()),
            (people, links),
            "step {step}"
        );
        world.spool = None;
        world.runs(feed);
        assert_eq!(world.people().len(), expected.people().len());
        let of = |world: &World| -> Vec<_> {
            let people = world.people().into_iter();
            people.map(|one| (one.email, one.stays)).collect()
        };
        assert_eq!(of(&world), of(&expected), "step {step}");
        let found = world.store.read().unwrap().verify().unwrap();
        assert_eq!((found.flaws, found.lost), (vec![], vec![]));
        step += 1;
    }
}

#[test]
fn a_disk_that_is_full_while_a_run_spools_ends_the_run_and_nothing_is_lost() {
    let tried = tried(|step| step, |_| u64::MAX, "cannot be written");
    assert!(tried > 20, "{tried}");
}

#[test]
fn what_was_spooled_and_cannot_be_read_again_ends_the_run_and_nothing_is_lost() {
    let tried = tried(|_| u64::MAX, |step| step, "cannot be read again");
    assert!(tried > 20, "{tried}");
}

/// So small lists go to a file, in tests.
#[test]
fn what_a_run_spools_has_no_name_in_the_state_folder_and_is_gone_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::on(Store::open(folder.path()).unwrap());
    world.guard.newcomers = 1000;
    let names = || -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder.path()).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    let before = names();
    let spool = world.store.spool();
    let kept = (0..20).map(|_| spool.keep(vec![7; 500]));
    let away = kept.filter_map(|kept| match kept {
        Kept::Here(_) => None,
        Kept::Away { at, length } => Some((at, length)),
    });
    let away: Vec<(u64, usize)> = away.collect();
    assert!(!away.is_empty());
    assert_eq!(names(), before);
    let (at, length) = away[0];
    let mut read = vec![0; length];
    spool.read(at, &mut read).unwrap();
    assert_eq!(read, vec![7; 500]);
    spool.sound().unwrap();
    world.spool = Some(spool);
    world.runs((0..60).map(|number| tenant(number, number)));
    assert_eq!(names(), before);
    assert_eq!(world.people().len(), 60);
}
