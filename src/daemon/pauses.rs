//! When pauses by hand are over (R45). Pure: the time comes in as an argument, and a wall clock that is set makes no pause
//! longer or shorter than it was asked for.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::{IntegrationId, Pause};

/// The pauses that end by themselves.
#[derive(Debug, Default)]
pub(super) struct Pauses(BTreeMap<IntegrationId, (Pause, Timestamp)>);

impl Pauses {
    /// Takes in how an integration is paused now. One that is known keeps its end; of another what is left counts by
    /// the wall clock once, and no more than was asked for.
    pub(super) fn set(
        &mut self,
        id: &IntegrationId,
        pause: Option<&Pause>,
        wall: Timestamp,
        now: Timestamp,
    ) {
        let Some((pause, until)) = pause.and_then(|pause| Some((pause, pause.until?))) else {
            self.0.remove(id);
            return;
        };
        if self.0.get(id).is_some_and(|(known, _)| known == pause) {
            return;
        }
        let whole = until.duration_since(pause.at).max(SignedDuration::ZERO);
        let left = until
            .duration_since(wall)
            .clamp(SignedDuration::ZERO, whole);
        let end = now.checked_add(left).unwrap_or(Timestamp::MAX);
        self.0.insert(id.clone(), (pause.clone(), end));
    }

    /// Forgets integrations that `keep` does not keep.
    pub(super) fn retain(&mut self, keep: impl Fn(&IntegrationId) -> bool) {
        self.0.retain(|id, _| keep(id));
    }

    /// Those that are over.
    pub(super) fn over(&self, now: Timestamp) -> Vec<(IntegrationId, Pause)> {
        let over = self.0.iter().filter(|(_, (_, end))| *end <= now);
        over.map(|(id, (pause, _))| (id.clone(), pause.clone()))
            .collect()
    }

    /// Those that are over could not be ended: it is tried again in a minute.
    pub(super) fn again(&mut self, now: Timestamp) {
        let later = now.checked_add(SignedDuration::from_mins(1));
        let later = later.unwrap_or(Timestamp::MAX);
        for (_, end) in self.0.values_mut().filter(|(_, end)| *end <= now) {
            *end = later;
        }
    }

    /// When the next one is over.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.0.values().map(|(_, end)| *end).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Actor;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn elm() -> IntegrationId {
        IntegrationId::new("elm")
    }

    fn pause(from: i64, until: Option<i64>) -> Pause {
        Pause {
            by: Actor::User(1000),
            at: at(from),
            until: until.map(at),
            reason: String::new(),
        }
    }

    #[test]
    fn a_pause_is_over_after_as_long_as_it_was_asked_for() {
        let mut pauses = Pauses::default();
        let two_hours = pause(0, Some(7200));
        pauses.set(&elm(), Some(&two_hours), at(0), at(0));
        assert_eq!(
            (pauses.over(at(7199)), pauses.next()),
            (vec![], Some(at(7200)))
        );
        assert_eq!(pauses.over(at(7200)), [(elm(), two_hours)]);
        pauses.set(&elm(), None, at(7200), at(7200));
        assert_eq!(pauses.next(), None);
    }

    #[test]
    fn one_that_nobody_ends_is_never_over() {
        let mut pauses = Pauses::default();
        pauses.set(&elm(), Some(&pause(0, None)), at(0), at(0));
        assert_eq!((pauses.over(Timestamp::MAX), pauses.next()), (vec![], None));
    }

    #[test]
    fn r45_a_clock_that_is_set_makes_none_longer_or_shorter() {
        let mut pauses = Pauses::default();
        let hour = pause(0, Some(3600));
        pauses.set(&elm(), Some(&hour), at(0), at(0));
        // The wall clock is a day ahead, and files are loaded.
        pauses.set(&elm(), Some(&hour), at(86_400), at(60));
        assert_eq!(pauses.next(), Some(at(3600)));
        // A daemon starts while the clock is a day behind.
        let mut pauses = Pauses::default();
        pauses.set(&elm(), Some(&hour), at(-86_400), at(-86_400));
        assert_eq!(pauses.next(), Some(at(-86_400 + 3600)));
    }

    #[test]
    fn another_pause_takes_the_place_of_the_one_before() {
        let mut pauses = Pauses::default();
        pauses.set(&elm(), Some(&pause(0, Some(3600))), at(0), at(0));
        pauses.set(&elm(), Some(&pause(60, Some(120))), at(60), at(60));
        assert_eq!(pauses.next(), Some(at(120)));
        pauses.retain(|_| false);
        assert_eq!(pauses.next(), None);
    }
}
