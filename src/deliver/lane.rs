//! One person's lane at one target: how far each grant has come, and what is done next. Pure: the times come in, the
//! requests are somebody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::outbound::pause;

use super::moments::after;
use super::plan::{Cause, Deed, Grant, Planned, Print, Wish};

/// How far a grant has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantState {
    /// The target took it; it was not read back yet.
    Sent,
    /// Read back, as it was sent.
    Confirmed,
    /// Whether the target did it is not known: it is looked at before anything else is done.
    Unknown,
    /// The target has it, and a door has not heard of it yet: somebody must go there.
    Visit,
    /// Not tried again until the person, the files or somebody's hand changes it.
    Parked {
        /// What the target said, or what does not come to rest.
        why: String,
        /// The target took it, twice, and still has something else.
        does_not_converge: bool,
    },
}

/// What is known of one grant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Granted {
    /// How far it has come.
    pub state: GrantState,
    /// Since when.
    pub since: Timestamp,
    /// The target's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What the target had when it was looked at last; none where it had nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub there: Option<Map<String, Value>>,
    /// What was sent last; none where that was to take it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Map<String, Value>>,
    /// How often it was sent since it was as it should be.
    #[serde(default)]
    pub tries: u32,
    /// How often it was gone though nobody here had taken it away.
    #[serde(default)]
    pub repairs: u32,
    /// It was there and ours, and nobody here knew of it.
    #[serde(default)]
    pub is_found: bool,
    /// A door of it does not hear by itself: what is taken away there is over once somebody has been there.
    #[serde(default)]
    pub is_unheard: bool,
    /// Tells the files by which it was wanted.
    pub files: u128,
}

impl Granted {
    /// Whether the target has it no more, and a door may still let somebody in by it.
    pub fn is_left_at_a_door(&self) -> bool {
        self.state == GrantState::Visit && self.there.is_none()
    }

    /// Whether something was sent for it that was not looked at since.
    pub fn is_under_way(&self) -> bool {
        matches!(self.state, GrantState::Sent | GrantState::Unknown)
    }

    /// What was sent with a doubtful end was not done: it is as if it had not been sent, and says nothing of the target.
    pub(super) fn was_not_done(&mut self) {
        if self.state == GrantState::Unknown {
            self.tries = self.tries.saturating_sub(1);
        }
    }

    /// From a look on, as if it had never been sent.
    fn try_again(&mut self) {
        self.state = GrantState::Unknown;
        self.tries = 0;
        self.repairs = 0;
    }

    /// Whether it is not tried again for now.
    pub fn is_parked(&self) -> bool {
        matches!(self.state, GrantState::Parked { .. })
    }
}

/// What a target has of a person, as its script words it.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The grant that it is.
    pub grant: Grant,
    /// The target's id of it.
    pub id: String,
    /// Somebody else granted it: it is left alone.
    pub is_others: bool,
    /// A door has not heard of it yet.
    pub needs_visit: bool,
    /// It is there and opens nothing: made another where it is wanted, and as good as none where it is not.
    pub is_off: bool,
}

impl Held {
    /// As it counts for a wish; none where it is somebody else's, or opens nothing that is wanted.
    pub(super) fn counts(&self, wish: &Wish<'_>) -> Option<Held> {
        if self.is_others {
            return None;
        }
        let mut held = self.clone();
        if self.is_off {
            wish.wanted
                .iter()
                .find(|grant| grant.key == self.grant.key)?;
            // Whatever is wanted is not that.
            held.grant.fields.insert("off".to_owned(), true.into());
        }
        Some(held)
    }
}

/// What is done next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Nothing, before that moment or before something happens.
    Rest {
        /// When to come back; none where only something that happens makes a difference.
        until: Option<Timestamp>,
    },
    /// Ask the target what the person has there.
    Look,
    /// Send this.
    Act(Planned),
}

/// What came of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The target did it; with its id of it, where it told one.
    Done(Option<String>),
    /// It is not there, or it is there already: the target has something else than was thought.
    Otherwise,
    /// It will not do it, however often it is asked.
    Refused(String),
    /// It may have done it or not.
    Doubtful,
    /// It did nothing, and may later.
    Later(Option<Duration>),
}

/// What a look brought to light that somebody should know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Ours, there, and nobody here knew of it.
    More(String),
    /// Gone, though nobody here had taken it away, for the second time.
    Less(String),
    /// Sent twice, and the target still has something else.
    NotConverging(String),
}

/// How long things take; all of it for one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How soon a grant that was sent is looked at.
    pub confirm: Duration,
    /// After how long whatever was sent has been done, or never will be: longer than any request may take.
    pub settle: Duration,
    /// How long a look is believed before a new grant is sent.
    pub fresh: Duration,
    /// The first pause after a failure.
    pub pause: Duration,
    /// The longest.
    pub longest: Duration,
}

impl Timing {
    /// The pause after so many failures in a row; `random` is in 0..1.
    fn pause(&self, failures: u32, random: f64) -> Duration {
        pause(self.pause, failures, random).min(self.longest)
    }
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            confirm: Duration::from_secs(2),
            settle: Duration::from_mins(2),
            fresh: Duration::from_mins(1),
            pause: Duration::from_secs(5),
            longest: Duration::from_hours(1),
        }
    }
}

/// So often something is sent that is never as it was sent.
pub(super) const MOST_TRIES: u32 = 2;

/// One person's lane at one target.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Lane {
    /// The grants, by their keys: what is there, was sent, or was refused.
    #[serde(default)]
    pub grants: BTreeMap<String, Granted>,
    /// The target's ids of grants that are there beside the same one, each with its key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub twins: BTreeMap<String, String>,
    /// When the target was last asked what the person has; none where that must be asked before anything is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked: Option<Timestamp>,
    /// When each of its grants was looked for by itself; none where a list told of them all: that may have come short, and
    /// nothing is granted by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Timestamp>,
    /// Nothing is asked before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// How often in a row something failed that may succeed later.
    #[serde(default)]
    pub failures: u32,
    /// What somebody approved, and is not done yet.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub approved: BTreeSet<Print>,
}

impl Lane {
    /// What is done next: of what is planned, `goes` says what may be done now.
    pub fn next(
        &self,
        planned: &[Planned],
        goes: impl Fn(&Planned) -> bool,
        timing: &Timing,
        now: Timestamp,
    ) -> Step {
        let under_way = self.grants.values().any(Granted::is_under_way);
        let may = planned.iter().filter(|planned| goes(planned));
        // A person who moves has the new before the old is taken away; whoever is to have nothing waits for nothing.
        let is_opening =
            |planned: &Planned| matches!(planned.deed, Deed::Create(_) | Deed::Change(_));
        let opens = planned.iter().any(is_opening);
        let waits_for_new = |planned: &Planned| {
            matches!(planned.cause, Cause::Moved | Cause::Files) && (opens || self.has_parked_new())
        };
        let mut may = may.filter(|planned| !waits_for_new(planned)).peekable();
        let is_unknown = |granted: &Granted| granted.state == GrantState::Unknown;
        let has_doubt = self.grants.values().any(is_unknown);
        if may.peek().is_none() && !under_way && self.looked.is_some() {
            return Step::Rest { until: None };
        }
        if let Some(due) = self.due.filter(|due| *due > now) {
            return Step::Rest { until: Some(due) };
        }
        if has_doubt || self.looked.is_none() {
            return Step::Look;
        }
        let is_fresh = |found| after(found, timing.fresh) >= now;
        let is_fresh = self.found.is_some_and(is_fresh);
        match may.next() {
            Some(first) if is_opening(first) && !is_fresh => Step::Look,
            Some(first) if is_opening(first) => Step::Act(first.clone()),
            // What was sent is confirmed before anything is taken away.
            Some(_) | None if under_way => Step::Look,
            Some(first) => Step::Act(first.clone()),
            None => Step::Rest { until: None },
        }
    }

    /// Whether something new is wanted that the target refuses.
    fn has_parked_new(&self) -> bool {
        let mut granted = self.grants.values();
        granted
            .any(|granted| granted.is_parked() && granted.sent.is_some() && granted.there.is_none())
    }

    /// Notes that an act is sent, before it is: whatever happens then, the next step is a look.
    pub fn sends(&mut self, planned: &Planned, files: u128, timing: &Timing, now: Timestamp) {
        // Should nothing be heard of it, a look before this may come too soon.
        self.due = Some(after(now, timing.settle));
        let Some(key) = planned.deed.key() else {
            // A twin is looked for again.
            self.looked = None;
            return;
        };
        let sent = match &planned.deed {
            Deed::Create(grant) | Deed::Change(grant) => Some(grant.fields.clone()),
            Deed::Remove { .. } | Deed::RemoveTwin { .. } => None,
        };
        let granted = self
            .grants
            .entry(key.to_owned())
            .or_insert_with(|| Granted {
                state: GrantState::Unknown,
                since: now,
                id: None,
                there: None,
                sent: None,
                tries: 0,
                repairs: 0,
                is_found: false,
                is_unheard: false,
                files,
            });
        if granted.sent == sent {
            granted.tries += 1;
        } else {
            granted.tries = 1;
            granted.repairs = 0;
        }
        granted.state = GrantState::Unknown;
        granted.since = now;
        granted.sent = sent;
        if granted.sent.is_some() {
            granted.files = files;
        }
    }

    /// Notes what came of an act. `random` is in 0..1.
    pub fn answered(
        &mut self,
        deed: &Deed,
        answer: Answer,
        timing: &Timing,
        now: Timestamp,
        random: f64,
    ) {
        let Some(key) = deed.key() else {
            self.twin_answered(deed, &answer, timing, now, random);
            return;
        };
        let Some(granted) = self.grants.get_mut(key) else {
            return;
        };
        match answer {
            Answer::Done(id) => {
                granted.state = GrantState::Sent;
                granted.id = id.or_else(|| granted.id.take());
                self.failures = 0;
                self.due = Some(after(now, timing.confirm));
            }
            Answer::Otherwise if granted.tries >= MOST_TRIES => {
                let why = "it says that it has it already, or no more, and shows something else"
                    .to_owned();
                granted.state = GrantState::Parked {
                    why,
                    does_not_converge: true,
                };
                self.failures = 0;
                self.due = None;
            }
            Answer::Otherwise => {
                self.failures += 1;
                self.due = Some(after(now, timing.pause(self.failures, random)));
            }
            Answer::Refused(why) => {
                granted.state = GrantState::Parked {
                    why,
                    does_not_converge: false,
                };
                self.failures = 0;
                self.due = None;
            }
            Answer::Doubtful => {
                self.failures += 1;
                let pause = timing.pause(self.failures, random).max(timing.settle);
                self.due = Some(after(now, pause));
            }
            Answer::Later(asked) => {
                // Nothing was done: it is as it was.
                granted.tries = granted.tries.saturating_sub(1);
                self.failures += 1;
                let pause = timing.pause(self.failures, random);
                self.due = Some(after(now, asked.unwrap_or_default().max(pause)));
            }
        }
    }

    fn twin_answered(
        &mut self,
        deed: &Deed,
        answer: &Answer,
        timing: &Timing,
        now: Timestamp,
        random: f64,
    ) {
        let Deed::RemoveTwin { id } = deed else {
            return;
        };
        match answer {
            Answer::Done(_) | Answer::Refused(_) => {
                self.twins.remove(id);
                self.failures = 0;
            }
            Answer::Otherwise | Answer::Doubtful | Answer::Later(_) => {
                self.failures += 1;
                let pause = timing.pause(self.failures, random);
                self.due = Some(after(now, pause.max(timing.confirm)));
            }
        }
    }

    /// Notes that a look failed.
    pub fn look_failed(
        &mut self,
        asked: Option<Duration>,
        timing: &Timing,
        now: Timestamp,
        random: f64,
    ) {
        self.failures += 1;
        let pause = timing.pause(self.failures, random);
        self.due = Some(after(now, asked.unwrap_or_default().max(pause)));
    }

    /// Forgets what somebody approved and is not planned any more: the person changed since, or it is done.
    pub fn forget_approvals(&mut self, planned: &[Planned]) {
        let prints: BTreeSet<Print> = planned.iter().map(|one| one.deed.print()).collect();
        let is_done = |granted: &Granted| !granted.is_under_way();
        if self.grants.values().all(is_done) {
            self.approved.retain(|print| prints.contains(print));
        }
    }

    /// Lets be tried again what is parked and is to be otherwise by now: the person or the files changed it.
    pub fn heed(&mut self, wish: &Wish<'_>) {
        // What was to be put back, and is not wanted any more, is over.
        if self.looked.is_some() {
            self.grants.retain(|key, granted| {
                let is_gone = granted.state == GrantState::Confirmed && granted.there.is_none();
                !is_gone || wish.wanted.iter().any(|grant| grant.key == *key)
            });
        }
        for (key, granted) in &mut self.grants {
            let wanted = wish.wanted.iter().find(|grant| grant.key == *key);
            let wanted = wanted.map(|grant| &grant.fields);
            // What other files want, too, is not theirs to take away.
            if wanted.is_some() && granted.there.as_ref() == wanted {
                granted.files = wish.files;
            }
            if granted.is_parked()
                && (granted.sent.as_ref() != wanted || granted.files != wish.files)
            {
                granted.try_again();
                granted.files = wish.files;
            }
        }
    }

    /// Lets everything be tried again that is parked, as somebody says, and at once. Who says so has been at the doors that
    /// had not heard.
    pub fn unpark(&mut self) {
        self.grants
            .retain(|_, granted| !granted.is_left_at_a_door());
        // What may still be done by what was sent is waited for, whoever is in a hurry.
        if !self.grants.values().any(Granted::is_under_way) {
            self.due = None;
        }
        let parked = self
            .grants
            .values_mut()
            .filter(|granted| granted.is_parked());
        parked.for_each(Granted::try_again);
        self.failures = 0;
    }

    /// What was taken over last came by a list: before something is granted, it is looked for by itself.
    pub fn came_by_list(&mut self) {
        self.found = None;
    }

    /// Whether what is looked at is what is to be granted, and nothing else is in doubt.
    pub fn looks_before_it_grants(&self) -> bool {
        self.looked.is_some() && !self.grants.values().any(Granted::is_under_way)
    }

    /// What may be asked at once again, as the target answers: nothing of it is in doubt.
    pub fn recovers(&mut self) -> bool {
        let is_calm = !self.grants.values().any(Granted::is_under_way);
        let recovers = is_calm && self.failures > 0 && self.due.is_some();
        if recovers {
            self.due = None;
        }
        recovers
    }

    /// Nothing that is known of the target counts any more: it is asked before anything is sent (R47).
    pub fn forget_look(&mut self) {
        self.looked = None;
    }
}
