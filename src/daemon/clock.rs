//! Time as the schedule counts it (R45): the wall clock as it was when the daemon started, and what has gone by since on
//! a clock that nobody sets and that goes on while the machine sleeps. Tells when the wall clock jumped. Decides nothing.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A wall clock that moved by so much more or less than time went by was set. One that is only put right is not.
const JUMP: SignedDuration = SignedDuration::from_secs(30);

/// Time that only goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steady {
    wall: fn() -> Timestamp,
    /// How long the machine has been on.
    since_boot: fn() -> Duration,
    /// Both as they were when it began.
    began: (Timestamp, Duration),
    /// How far the wall clock was ahead when it was looked at last.
    ahead: SignedDuration,
}

impl Steady {
    pub(super) fn new(wall: fn() -> Timestamp, since_boot: fn() -> Duration) -> Steady {
        Steady {
            wall,
            since_boot,
            began: (wall(), since_boot()),
            ahead: SignedDuration::ZERO,
        }
    }

    /// The moment, by this clock alone.
    pub(super) fn now(&self) -> Timestamp {
        let (wall, since_boot) = self.began;
        let gone = (self.since_boot)().saturating_sub(since_boot);
        let gone = SignedDuration::try_from(gone).unwrap_or(SignedDuration::MAX);
        wall.checked_add(gone).unwrap_or(Timestamp::MAX)
    }

    /// How far the wall clock is ahead of this one now.
    fn ahead(&self) -> SignedDuration {
        (self.wall)().duration_since(self.now())
    }

    /// What the wall clock will say at a moment of this one, if nobody sets it.
    pub(super) fn on_the_wall(&self, moment: Timestamp) -> Timestamp {
        let shown = moment.checked_add(self.ahead());
        shown.unwrap_or(moment)
    }

    /// By how much the wall clock was set since this was asked last; none where it was not.
    pub(super) fn jumped(&mut self) -> Option<SignedDuration> {
        let ahead = self.ahead();
        let by = ahead.saturating_sub(std::mem::replace(&mut self.ahead, ahead));
        (by.abs() >= JUMP).then_some(by)
    }
}

/// How long the machine has been on, asleep or not.
pub(super) fn since_boot() -> Duration {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME);
    now.map(Duration::from).unwrap_or_default()
}

#[cfg(test)]
pub(super) mod testing {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static WALL: Cell<i64> = const { Cell::new(1_772_323_200) };
        static BOOT: Cell<u64> = const { Cell::new(1_000) };
    }

    /// The wall clock of this thread.
    pub(in crate::daemon) fn wall() -> Timestamp {
        Timestamp::from_second(WALL.get()).unwrap()
    }

    fn boot() -> Duration {
        Duration::from_secs(BOOT.get())
    }

    /// A clock of this thread.
    pub(in crate::daemon) fn steady() -> Steady {
        Steady::new(wall, boot)
    }

    /// Time goes by.
    pub(in crate::daemon) fn goes_by(seconds: u32) {
        WALL.set(WALL.get() + i64::from(seconds));
        BOOT.set(BOOT.get() + u64::from(seconds));
    }

    /// The wall clock is set.
    pub(in crate::daemon) fn is_set(by: i64) {
        WALL.set(WALL.get() + by);
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{goes_by, is_set, steady, wall};
    use super::*;

    const HOUR: i64 = 3600;

    #[test]
    fn r45_time_goes_on_whatever_the_wall_clock_is_set_to() {
        let mut clock = steady();
        let began = clock.now();
        for (by, told) in [
            (3 * HOUR, true),
            (-3 * HOUR, true),
            (2, false),
            (-86_400, true),
            (63_072_000, true),
        ] {
            let before = clock.now();
            goes_by(60);
            is_set(by);
            assert_eq!(clock.now().duration_since(before).as_secs(), 60);
            let jumped = clock.jumped();
            assert_eq!(jumped.map(|by| by.as_secs()), told.then_some(by));
            assert_eq!(clock.jumped(), None, "it is told once");
            // What is shown is what the wall clock will say.
            assert_eq!(clock.on_the_wall(clock.now()), wall());
        }
        assert_eq!(clock.now().duration_since(began).as_secs(), 300);
    }

    #[test]
    fn r45_a_clock_that_is_only_put_right_little_by_little_has_not_jumped() {
        let mut clock = steady();
        for _ in 0..1_000 {
            goes_by(60);
            is_set(1);
            assert_eq!(clock.jumped(), None);
        }
    }

    #[test]
    fn the_machine_s_own_clock_goes_on() {
        let before = since_boot();
        assert!(before > Duration::ZERO && since_boot() >= before);
    }
}
