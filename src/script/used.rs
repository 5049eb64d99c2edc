//! What one call of a script may use, whatever it calls: of a processor's time and of memory. Scripts ask here at every
//! operation, which costs a glance at a counter; only when that has moved do they look at the clock and at the memory.
//! A native function is not interrupted: it is over before it is asked again.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// How much of a processor's time a script may take for one record. A record takes some 20 µs. Time in which the
/// machine does something else is not the script's.
pub(super) const MOST_TIME: Duration = Duration::from_millis(200);

/// By how many megabytes the process may grow while a script looks at one record, once that takes long enough to be
/// noticed at all. Whatever a PMS gives for one record is a hundredth of it.
pub(super) const MOST_MEMORY: u64 = 128;

/// Who has worked for less than this took no such memory: others in the process did.
const AT_LEAST: Duration = Duration::from_millis(5);

/// So often is looked at what a script uses.
const TICK: Duration = Duration::from_millis(5);

/// Nobody looks any more when no script ran for so many ticks.
const IDLE: u32 = 200;

static TICKS: AtomicU64 = AtomicU64::new(0);
/// A script ran since the last tick.
static BUSY: AtomicBool = AtomicBool::new(false);
/// Nobody counts ticks.
static ASLEEP: AtomicBool = AtomicBool::new(false);
static COUNTER: OnceLock<Option<Thread>> = OnceLock::new();

/// Why a script is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TooMuch {
    Time,
    Memory,
}

/// What this thread and this process had used when a call was looked at first.
#[derive(Debug, Clone, Copy)]
struct Before {
    time: Duration,
    pages: u64,
}

thread_local! {
    static SEEN: Cell<u64> = const { Cell::new(0) };
    static BEFORE: Cell<Option<Before>> = const { Cell::new(None) };
    static WHY: Cell<Option<TooMuch>> = const { Cell::new(None) };
}

/// A call begins: what it uses counts from here.
pub(super) fn begin() {
    BEFORE.set(None);
    WHY.set(None);
    wake();
    SEEN.set(TICKS.load(Ordering::Relaxed));
}

/// The last call of this thread that counts was ended so.
pub(super) fn ended(why: Option<TooMuch>) {
    WHY.set(why);
}

/// Why the last call of this thread was ended.
pub(super) fn why() -> Option<TooMuch> {
    WHY.get()
}

/// Whether the call under way has used too much.
pub(super) fn is_too_much() -> bool {
    let tick = TICKS.load(Ordering::Relaxed);
    if SEEN.replace(tick) == tick {
        return false;
    }
    BUSY.store(true, Ordering::Relaxed);
    let now = Before {
        time: time(),
        pages: pages(),
    };
    let Some(before) = BEFORE.get() else {
        BEFORE.set(Some(now));
        return false;
    };
    let why = too_much(before, now);
    WHY.set(why);
    why.is_some()
}

fn too_much(before: Before, now: Before) -> Option<TooMuch> {
    let pages = now.pages.saturating_sub(before.pages);
    let time = now.time.saturating_sub(before.time);
    if time > MOST_TIME {
        Some(TooMuch::Time)
    } else if pages / 256 > MOST_MEMORY && time >= AT_LEAST {
        Some(TooMuch::Memory)
    } else {
        None
    }
}

/// How much of a processor's time this thread has used.
fn time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// How many pages of 4 KiB the process has in memory; 0 where the system does not tell.
fn pages() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let resident = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    resident.unwrap_or(0)
}

/// Ticks are counted from here on, as long as scripts run.
fn wake() {
    BUSY.store(true, Ordering::Relaxed);
    let counter = COUNTER.get_or_init(|| {
        let counter = thread::Builder::new().name("script-ticks".into());
        let counter = counter.spawn(count).ok()?;
        Some(counter.thread().clone())
    });
    match counter {
        Some(counter) if ASLEEP.swap(false, Ordering::AcqRel) => counter.unpark(),
        Some(_) => {}
        // Without a counter every call is looked at once, and then at each of its operations.
        None => {
            TICKS.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn count() {
    let mut idle = 0;
    loop {
        thread::park_timeout(TICK);
        TICKS.fetch_add(1, Ordering::Relaxed);
        idle = if BUSY.swap(false, Ordering::AcqRel) {
            0
        } else {
            idle + 1
        };
        if idle >= IDLE {
            ASLEEP.store(true, Ordering::Release);
            if !BUSY.load(Ordering::Acquire) {
                thread::park();
            }
            ASLEEP.store(false, Ordering::Release);
            idle = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_memory_of_one_call_count_and_nothing_before_it() {
        let at = |milliseconds, megabytes: u64| Before {
            time: Duration::from_millis(milliseconds),
            pages: megabytes * 256,
        };
        let before = at(10_000, 800);
        assert_eq!(too_much(before, at(10_200, 928)), None);
        assert_eq!(too_much(before, at(10_201, 800)), Some(TooMuch::Time));
        assert_eq!(too_much(before, at(10_005, 929)), Some(TooMuch::Memory));
        assert_eq!(too_much(before, at(10_005, 100)), None, "others gave back");
        assert_eq!(too_much(before, at(10_004, 999)), None, "others took it");
    }

    /// The limit on operations is no part of this: it is taken away.
    #[test]
    fn a_script_is_ended_by_what_it_uses_whatever_it_calls() {
        let mut engine = super::super::engine::engine();
        engine.set_max_operations(0);
        begin();
        assert!(engine.run("loop { }").is_err());
        assert_eq!(why(), Some(TooMuch::Time));
    }

    #[test]
    fn the_system_tells_both() {
        assert!(pages() > 256);
        assert!(time() > Duration::ZERO);
    }
}
