//! What a look at a target does to a lane: each grant that is there, and each that is not. Decides what is known, not what is
//! done about it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::lane::{Found, GrantState, Granted, Held, Lane, MOST_TRIES, Timing};
use super::moments::{after, within};
use super::plan::Wish;

impl Lane {
    /// Takes over what the target has of the person, all of it, and says what of it somebody should know.
    pub fn looked(
        &mut self,
        wish: &Wish<'_>,
        held: &[Held],
        timing: &Timing,
        now: Timestamp,
    ) -> Vec<Found> {
        let mut found = Vec::new();
        self.due = None;
        self.looked = Some(now);
        self.found = Some(now);
        self.twins.clear();
        let held: Vec<Held> = held.iter().filter_map(|held| held.counts(wish)).collect();
        let mut ours: BTreeMap<&str, Vec<&Held>> = BTreeMap::new();
        for held in &held {
            ours.entry(&held.grant.key).or_default().push(held);
        }
        for (key, held) in &ours {
            let known = self
                .grants
                .get(*key)
                .and_then(|granted| granted.id.as_deref());
            let kept = held.iter().find(|held| Some(held.id.as_str()) == known);
            // The same one of two is kept whatever order the target lists them in.
            let Some(kept) = kept.or_else(|| held.iter().min_by_key(|held| &held.id)) else {
                continue;
            };
            let twins = held.iter().filter(|held| held.id != kept.id);
            let twins = twins.map(|held| (held.id.clone(), held.grant.key.clone()));
            self.twins.extend(twins);
            found.extend(self.is_there(kept, wish, timing, now));
        }
        let gone = self
            .grants
            .keys()
            .filter(|key| !ours.contains_key(key.as_str()));
        let gone: Vec<String> = gone.cloned().collect();
        for key in gone {
            found.extend(self.is_not_there(&key, wish, timing, now));
        }
        if self.is_as_wanted(wish) {
            self.failures = 0;
        }
        found
    }

    /// Whether there is what is wanted, and nothing under way.
    fn is_as_wanted(&self, wish: &Wish<'_>) -> bool {
        let mut wanted = wish.wanted.iter();
        wanted.all(|grant| {
            let granted = self.grants.get(&grant.key);
            granted.is_some_and(|granted| granted.there.as_ref() == Some(&grant.fields))
        }) && self
            .grants
            .values()
            .filter(|one| !one.is_left_at_a_door())
            .count()
            == wish.wanted.len()
    }

    /// One grant is there.
    fn is_there(
        &mut self,
        held: &Held,
        wish: &Wish<'_>,
        timing: &Timing,
        now: Timestamp,
    ) -> Option<Found> {
        let key = &held.grant.key;
        let wanted = wish.wanted.iter().find(|grant| grant.key == *key);
        let Some(granted) = self.grants.get_mut(key) else {
            // Ours by the target's word: from before a restore, or from somebody with our credential.
            let is_found = wanted.is_none();
            self.grants.insert(
                key.clone(),
                Granted {
                    state: there(held),
                    since: now,
                    id: Some(held.id.clone()),
                    there: Some(held.grant.fields.clone()),
                    sent: wanted.map(|_| held.grant.fields.clone()),
                    tries: 0,
                    repairs: 0,
                    is_found,
                    is_unheard: held.needs_visit,
                    files: wish.files,
                },
            );
            return is_found.then(|| Found::More(key.clone()));
        };
        granted.id = Some(held.id.clone());
        granted.there = Some(held.grant.fields.clone());
        granted.is_unheard = held.needs_visit;
        let is_as_wanted = wanted.is_some_and(|wanted| wanted.fields == held.grant.fields);
        if is_as_wanted {
            granted.files = wish.files;
            granted.sent = granted.there.clone();
            granted.tries = 0;
            granted.is_found = false;
            settle(granted, there(held), now);
            return None;
        }
        if granted.is_parked() {
            return None;
        }
        // It took something, and does not show it yet.
        if granted.state == GrantState::Sent && within(granted.since, timing.settle, now) {
            self.due = Some(after(now, timing.confirm));
            self.looked = None;
            return None;
        }
        let is_sent = match (&granted.sent, wanted) {
            (Some(sent), Some(wanted)) => *sent == wanted.fields,
            (None, None) => true,
            _ => false,
        };
        if granted.state == GrantState::Sent && is_sent && granted.tries >= MOST_TRIES {
            let why = "it was sent twice, and the target still has something else".to_owned();
            granted.state = GrantState::Parked {
                why,
                does_not_converge: true,
            };
            granted.since = now;
            return Some(Found::NotConverging(key.clone()));
        }
        granted.was_not_done();
        settle(granted, there(held), now);
        None
    }

    /// One grant is not there.
    fn is_not_there(
        &mut self,
        key: &str,
        wish: &Wish<'_>,
        timing: &Timing,
        now: Timestamp,
    ) -> Option<Found> {
        let is_wanted = wish.wanted.iter().any(|grant| grant.key == key);
        let granted = self.grants.get_mut(key)?;
        let had = granted.there.take();
        granted.id = None;
        if granted.is_parked() {
            if !is_wanted {
                self.grants.remove(key);
            }
            return None;
        }
        if !is_wanted {
            // Taken away at the target, and still open at a door that has not heard of it.
            let was_taken = granted.sent.is_none() && had.is_some();
            if granted.is_left_at_a_door() || granted.is_unheard && was_taken {
                settle(granted, GrantState::Visit, now);
            } else {
                self.grants.remove(key);
            }
            return None;
        }
        match granted.state {
            // The target took it and does not show it yet.
            GrantState::Sent if within(granted.since, timing.settle, now) => {
                granted.there = had;
                self.due = Some(after(now, timing.confirm));
                self.looked = None;
                None
            }
            GrantState::Sent if granted.tries >= MOST_TRIES => {
                let why = "it was sent twice, and the target does not have it".to_owned();
                granted.state = GrantState::Parked {
                    why,
                    does_not_converge: true,
                };
                granted.since = now;
                Some(Found::NotConverging(key.to_owned()))
            }
            GrantState::Confirmed | GrantState::Visit if had.is_some() => {
                granted.repairs += 1;
                if granted.repairs < 2 {
                    settle(granted, GrantState::Confirmed, now);
                    return None;
                }
                let why = "it was put back once, and is gone again".to_owned();
                granted.state = GrantState::Parked {
                    why,
                    does_not_converge: false,
                };
                granted.since = now;
                Some(Found::Less(key.to_owned()))
            }
            _ => {
                granted.was_not_done();
                settle(granted, GrantState::Confirmed, now);
                None
            }
        }
    }
}

fn there(held: &Held) -> GrantState {
    if held.needs_visit {
        GrantState::Visit
    } else {
        GrantState::Confirmed
    }
}

fn settle(granted: &mut Granted, state: GrantState, now: Timestamp) {
    if granted.state != state {
        granted.state = state;
        granted.since = now;
    }
}
