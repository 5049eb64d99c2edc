//! How long daemons were up, counted in the store. What is old is told by these hours and not by a clock, which may be
//! wrong (R45): hours without a daemon are no age, and a clock that is ahead makes nothing old.

use jiff::{SignedDuration, Timestamp};
use redb::ReadableTable;
use serde::{Deserialize, Serialize};

use crate::model::{Change, Run, RunId};

use super::value::{as_json, from_bytes, to_bytes};
use super::write::Done;
use super::{View, Write, tables};

/// How long a process has been up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uptime {
    /// The process, by a number that no other has.
    pub process: u64,
    /// For how many seconds.
    pub seconds: u64,
}

/// Meta: [`Up`].
const UP: &str = "up";

/// Meta: [`Begin`].
const BEGIN: &str = "up-from";

/// How long daemons were up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Up {
    /// The process that was up last.
    process: u64,
    /// The seconds of that one.
    seconds: u64,
    /// The seconds of all before.
    earlier: u64,
}

impl Up {
    fn plus(self, now: Uptime) -> Up {
        if self.process == now.process {
            let seconds = self.seconds.max(now.seconds);
            Up { seconds, ..self }
        } else {
            Up {
                process: now.process,
                seconds: now.seconds,
                earlier: self.earlier.saturating_add(self.seconds),
            }
        }
    }

    fn hour(self) -> i64 {
        let hours = self.earlier.saturating_add(self.seconds) / 3600;
        i64::try_from(hours).unwrap_or(i64::MAX)
    }
}

as_json!(Numbers, Begin, Up);

/// The numbers that are given next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Numbers {
    change: u64,
    run: u64,
}

/// When counting began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Begin {
    /// The time of the newest that was there.
    at: Timestamp,
    /// What was there has lower numbers.
    numbers: Numbers,
}

/// What is older than an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Older {
    /// It has lower numbers.
    numbers: Numbers,
    /// Or it was there when counting began, and was written before this time.
    early: Option<Begin>,
}

impl Older {
    /// Whether a run is.
    pub fn has_run(
        &self,
        run: RunId,
        started: impl FnOnce() -> Done<Option<Timestamp>>,
    ) -> Done<bool> {
        self.has(|numbers| numbers.run, run.0, started)
    }

    /// Whether a change is.
    pub fn has_change(&self, seq: u64, at: impl FnOnce() -> Done<Option<Timestamp>>) -> Done<bool> {
        self.has(|numbers| numbers.change, seq, at)
    }

    fn has(
        &self,
        of: impl Fn(Numbers) -> u64,
        number: u64,
        time: impl FnOnce() -> Done<Option<Timestamp>>,
    ) -> Done<bool> {
        if number < of(self.numbers) {
            return Ok(true);
        }
        match self.early {
            Some(early) if number < of(early.numbers) => Ok(time()?.is_none_or(|at| at < early.at)),
            _ => Ok(false),
        }
    }
}

impl Write {
    /// Counts for how long the daemon has been up: at most one hour for each that it was.
    pub fn count_hours(&self, now: Uptime) -> Done<()> {
        let before = self.up()?;
        let up = before.plus(now);
        if up == before {
            return Ok(());
        }
        self.put_meta(UP, &up)?;
        if up.hour() > before.hour() {
            self.put_hour(up.hour(), self.numbers()?)?;
        }
        Ok(())
    }

    /// The hour that it is.
    pub(super) fn hour(&self) -> Done<i64> {
        Ok(self.up()?.hour())
    }

    /// What is older than so many hours.
    pub fn older_than(&self, hours: u64) -> Done<Older> {
        let since = self.since(hours)?;
        let table = self.transaction.open_table(tables::HOURS)?;
        let numbers = numbers_before(&table, since)?.map_or_else(Numbers::default, |(_, it)| it);
        let begin: Option<Begin> = self.meta(BEGIN)?;
        // Of the age, the hours are counted that were before counting began.
        let early = begin.filter(|_| since < 0).map(|begin| {
            let age = SignedDuration::from_hours(since.max(-10_000_000));
            let at = begin.at.saturating_add(age).unwrap_or(Timestamp::MIN);
            Begin { at, ..begin }
        });
        Ok(Older { numbers, early })
    }

    /// The hour that was so many hours ago.
    pub(super) fn since(&self, hours: u64) -> Done<i64> {
        let hours = i64::try_from(hours).unwrap_or(i64::MAX);
        Ok(self.hour()?.saturating_sub(hours))
    }

    /// Forgets the hours that no age of so many hours needs.
    pub fn forget_hours_before(&self, hours: u64) -> Done<()> {
        let since = self.since(hours)?;
        let mut table = self.transaction.open_table(tables::HOURS)?;
        if let Some((last, _)) = numbers_before(&table, since)? {
            table.retain_in(..last, |_, _| false)?;
        }
        Ok(())
    }

    /// Begins to count, in a store that has something in it or has not. Returns the time of the newest in it.
    pub(super) fn begin_hours(&self) -> Done<Timestamp> {
        let mut newest = Timestamp::UNIX_EPOCH;
        if let Some(entry) = self.transaction.open_table(tables::CHANGES)?.last()? {
            let change: Change = from_bytes("changes-1", entry.1.value())?;
            newest = newest.max(change.at);
        }
        if let Some(entry) = self.transaction.open_table(tables::RUNS)?.last()? {
            let run: Run = from_bytes("runs-1", entry.1.value())?;
            newest = newest.max(run.started);
        }
        let numbers = self.numbers()?;
        self.put_meta(
            BEGIN,
            &Begin {
                at: newest,
                numbers,
            },
        )?;
        self.put_hour(0, numbers)?;
        Ok(newest)
    }

    fn up(&self) -> Done<Up> {
        Ok(self.meta(UP)?.unwrap_or_default())
    }

    fn put_hour(&self, hour: i64, numbers: Numbers) -> Done<()> {
        let mut table = self.transaction.open_table(tables::HOURS)?;
        table.insert(hour, to_bytes("hours-1", &numbers)?.as_slice())?;
        Ok(())
    }

    fn numbers(&self) -> Done<Numbers> {
        let [_, _, change, run, _] = self.next_numbers()?.0;
        Ok(Numbers { change, run })
    }
}

impl View {
    /// The hour that it is.
    pub(super) fn hour(&self) -> Done<i64> {
        Ok(self.meta::<Up>(UP)?.unwrap_or_default().hour())
    }
}

/// The last hour up to `hour` that is known, and which changes and runs were next when it began.
pub(super) fn at_hour(
    table: &impl ReadableTable<i64, &'static [u8]>,
    hour: i64,
) -> Done<Option<(i64, (u64, u64))>> {
    let known = numbers_before(table, hour)?;
    Ok(known.map(|(hour, numbers)| (hour, (numbers.change, numbers.run))))
}

/// The first hour that is known, in the same way.
pub(super) fn first_hour(
    table: &impl ReadableTable<i64, &'static [u8]>,
) -> Done<Option<(i64, (u64, u64))>> {
    let Some((hour, _)) = table.first()? else {
        return Ok(None);
    };
    at_hour(table, hour.value())
}

/// The numbers of the last hour up to `hour`.
fn numbers_before(
    table: &impl ReadableTable<i64, &'static [u8]>,
    hour: i64,
) -> Done<Option<(i64, Numbers)>> {
    let last = table.range(..=hour)?.next_back().transpose()?;
    last.map(|(hour, numbers)| Ok((hour.value(), from_bytes("hours-1", numbers.value())?)))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(process: u64, hours: u64) -> Uptime {
        Uptime {
            process,
            seconds: hours * 3600,
        }
    }

    #[test]
    fn an_hour_is_counted_once_whoever_was_up_and_never_taken_back() {
        let hours = [
            (up(1, 2), 2),
            (up(1, 2), 2),
            (up(1, 1), 2),
            (up(2, 0), 2),
            (up(2, 5), 7),
            (up(1, 1), 8),
        ];
        let mut all = Up::default();
        for (now, counted) in hours {
            all = all.plus(now);
            assert_eq!(all.hour(), counted, "{now:?}");
        }
    }

    #[test]
    fn what_was_there_before_counting_began_is_told_by_its_time() {
        let at = |hour: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour);
        let numbers = |change: u64| Numbers {
            change,
            run: change,
        };
        let older = Older {
            numbers: numbers(5),
            early: Some(Begin {
                at: at(100),
                numbers: numbers(10),
            }),
        };
        let is_old = |seq, hour: Option<i64>| older.has_change(seq, || Ok(hour.map(at))).unwrap();
        assert!(is_old(4, Some(500)), "by its number");
        assert!(is_old(9, Some(99)), "by its time");
        assert!(!is_old(9, Some(100)));
        assert!(is_old(9, None), "it is gone");
        assert!(!is_old(10, Some(1)), "whatever its time says");
    }
}
