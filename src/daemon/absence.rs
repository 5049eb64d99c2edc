//! How long files, and PMS properties in them, have been gone while people of theirs are linked (R46). Pure: the time
//! comes in as an argument, and only the time in which somebody looked counts: a machine that slept, or a clock that
//! was set, makes nothing older.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::catalog::{Catalog, Slot};
use crate::model::{Absence, Attachment, Feeds, Holding, Holdings, IntegrationId};

/// Somebody looks at least once a minute. What lies between two looks counts for so long at most.
const LONGEST_STEP: SignedDuration = SignedDuration::from_mins(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Gone {
    /// For so long.
    since: SignedDuration,
    /// It is told when it has been gone for so long, and again each rhythm.
    due: SignedDuration,
    rhythm: SignedDuration,
}

/// What is gone, and for how long.
#[derive(Debug, Default)]
pub(super) struct Absences {
    gone: BTreeMap<Absence, Gone>,
    looked: Option<Timestamp>,
}

impl Absences {
    /// What is gone now, and the rhythm of each. What is back is forgotten.
    pub(super) fn set(&mut self, gone: BTreeMap<Absence, SignedDuration>, now: Timestamp) {
        self.grow(now);
        let mut before = std::mem::take(&mut self.gone);
        for (absence, rhythm) in gone {
            let new = Gone {
                since: SignedDuration::ZERO,
                due: rhythm,
                rhythm,
            };
            let one = before.remove(&absence).unwrap_or(new);
            self.gone.insert(absence, one);
        }
    }

    /// Those of which it is time to tell.
    pub(super) fn look(&mut self, now: Timestamp) -> Vec<Absence> {
        self.grow(now);
        let mut due = Vec::new();
        for (absence, one) in &mut self.gone {
            if one.since >= one.due {
                one.due = one.since.saturating_add(one.rhythm);
                due.push(absence.clone());
            }
        }
        due
    }

    /// It could not be told: the next look gives it again.
    pub(super) fn again(&mut self, absence: &Absence) {
        if let Some(one) = self.gone.get_mut(absence) {
            one.due = one.since;
        }
    }

    /// How long there is nothing to tell.
    pub(super) fn rest(&self) -> Option<SignedDuration> {
        let left = self
            .gone
            .values()
            .map(|one| one.due.saturating_sub(one.since));
        left.min()
    }

    fn grow(&mut self, now: Timestamp) {
        let step = self
            .looked
            .map_or(SignedDuration::ZERO, |last| now.duration_since(last))
            .clamp(SignedDuration::ZERO, LONGEST_STEP);
        self.looked = Some(now);
        for one in self.gone.values_mut() {
            one.since = one.since.saturating_add(step);
        }
    }
}

/// What is gone of what the store holds, with the rhythm of each.
pub(super) fn absent(catalog: &Catalog, holdings: &Holdings) -> BTreeMap<Absence, SignedDuration> {
    let mut gone = BTreeMap::new();
    for (id, holding) in holdings {
        let slot = catalog.integrations.get(id);
        let current = slot.and_then(|slot| slot.current.as_ref());
        let schedule = current.map_or(catalog.settings.schedule, |one| one.schedule);
        let rhythm = SignedDuration::try_from(schedule.every.0).unwrap_or(SignedDuration::MAX);
        gone.extend(of(id, slot, holding).into_iter().map(|one| (one, rhythm)));
    }
    gone
}

/// Everything that may be, or may have been, gone of an integration.
pub(super) fn known(catalog: &Catalog, holdings: &Holdings) -> BTreeSet<Absence> {
    let mut known = BTreeSet::new();
    for (id, slot) in &catalog.integrations {
        known.insert(whole(id));
        let feeds = slot.feeds.iter().flat_map(|feeds| &feeds.properties);
        known.extend(feeds.map(|property| part(id, property)));
    }
    for (id, holding) in holdings {
        known.insert(whole(id));
        let held = holding.attachment.iter().flat_map(|one| &one.properties);
        known.extend(held.map(|property| part(id, property)));
    }
    known
}

fn of(id: &IntegrationId, slot: Option<&Slot>, holding: &Holding) -> Vec<Absence> {
    let attachment = holding.attachment.as_ref();
    if attachment.is_some_and(|one| one.retired.is_some()) {
        return Vec::new();
    }
    let Some(slot) = slot.filter(|slot| !slot.removed) else {
        let linked = holding.linked > 0;
        return linked.then(|| whole(id)).into_iter().collect();
    };
    // A file that is not right still names what ran.
    let running = slot.running().map(|one| one.feeds());
    let Some((attachment, feeds)) = attachment.zip(slot.feeds.clone().or(running)) else {
        return Vec::new();
    };
    if attachment.account != feeds.account {
        return Vec::new();
    }
    left(attachment, &feeds)
        .map(|property| part(id, property))
        .collect()
}

/// The PMS properties whose people are there, and which the file names in no case.
fn left<'a>(attachment: &'a Attachment, feeds: &'a Feeds) -> impl Iterator<Item = &'a str> {
    let properties = attachment.properties.iter().map(String::as_str);
    properties.filter(|property| !feeds.names(property))
}

fn whole(id: &IntegrationId) -> Absence {
    Absence {
        integration: id.clone(),
        property: None,
    }
}

fn part(id: &IntegrationId, property: &str) -> Absence {
    Absence {
        integration: id.clone(),
        property: Some(property.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn elm() -> Absence {
        whole(&IntegrationId::new("elm"))
    }

    fn gone() -> BTreeMap<Absence, SignedDuration> {
        BTreeMap::from([(elm(), HOUR)])
    }

    /// Looks once a minute, and gives the minutes at which something was told.
    fn minutes(absences: &mut Absences, minutes: std::ops::Range<i64>) -> Vec<i64> {
        let told = |minute: &i64| !absences.look(at(minute * 60)).is_empty();
        minutes.filter(told).collect()
    }

    #[test]
    fn r46_what_is_gone_for_a_rhythm_is_told_and_again_each_rhythm() {
        let mut absences = Absences::default();
        absences.set(gone(), at(0));
        assert_eq!(minutes(&mut absences, 1..200), [60, 120, 180]);
    }

    /// E9: a deploy takes the files away and puts them back.
    #[test]
    fn r46_what_is_back_before_a_rhythm_is_over_is_forgotten() {
        let mut absences = Absences::default();
        absences.set(gone(), at(0));
        assert_eq!(minutes(&mut absences, 1..59), [0; 0]);
        absences.set(BTreeMap::new(), at(59 * 60));
        absences.set(gone(), at(60 * 60));
        assert_eq!(minutes(&mut absences, 60..119), [0; 0]);
        assert_eq!(minutes(&mut absences, 119..125), [120]);
    }

    /// E9: a laptop that slept for three weeks; a clock that was set.
    #[test]
    fn r46_time_in_which_nobody_looked_does_not_count() {
        let mut absences = Absences::default();
        absences.set(gone(), at(0));
        let week = 7 * 24 * 3600;
        assert_eq!(absences.look(at(3 * week)), []);
        assert_eq!(absences.look(at(-week)), []);
        assert_eq!(absences.look(at(2 * week)), []);
        assert!(absences.rest().unwrap() > SignedDuration::from_mins(45));
    }

    #[test]
    fn r46_a_property_that_is_written_in_another_case_is_not_gone() {
        let set = |all: &[&str]| all.iter().map(ToString::to_string).collect();
        let attachment = Attachment {
            properties: set(&["oak", "elm", "ash"]),
            ..Attachment::default()
        };
        let feeds = Feeds {
            account: String::new(),
            secrets: String::new(),
            properties: set(&["OAK", "elm"]),
        };
        assert_eq!(left(&attachment, &feeds).collect::<Vec<_>>(), ["ash"]);
    }

    #[test]
    fn what_could_not_be_told_is_told_at_the_next_look() {
        let mut absences = Absences::default();
        absences.set(gone(), at(0));
        assert_eq!(minutes(&mut absences, 1..61), [60]);
        absences.again(&elm());
        assert_eq!(minutes(&mut absences, 61..70), [61]);
    }
}
