//! A target that is told what happens and nothing else (`send`): one event after the other, in the order of the change log,
//! each until it is taken. Compares nothing and reads nothing back.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::catalog::Target;
use crate::model::{Alert, AlertKind, Change, IntegrationId, Tally, TargetId};
use crate::outbound;
use crate::source::{Acted, Errand, Operation, Scope};
use crate::store::{Store, View};

use super::alerts::raise;
use super::error::DeliverError;
use super::moments::after;
use super::told::Counted;
use super::worker::{Surroundings, Trouble};

/// So many changes are read at once.
const AT_ONCE: usize = 100;

/// The first pause after an event that was not taken, and the longest.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_hours(1);

/// How far a subscriber has been told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    /// The last change that it took, or that is none of its own.
    pub seq: u64,
    /// Of this epoch of the store.
    pub epoch: u64,
    /// It was told to take everybody, where the log alone does not say.
    pub has_begun: bool,
    /// The place behind which it goes on once it has taken everybody, as long as it has not taken that event.
    pub resync: Option<u64>,
    /// It wants to hear no more.
    pub is_off: bool,
    /// How often in a row it did not take the event at hand.
    pub failures: u32,
    /// Nothing is sent before.
    pub due: Option<Timestamp>,
}

/// A subscriber's work with the store.
pub struct Events {
    /// The target.
    pub target: Arc<Target>,
    store: Arc<Store>,
}

/// An event at hand, and the change behind which it is over.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    about: Value,
    seq: u64,
}

impl Events {
    /// For a target.
    pub fn new(target: Arc<Target>, store: Arc<Store>) -> Events {
        Events { target, store }
    }

    fn id(&self) -> &TargetId {
        &self.target.id
    }

    fn told(&self, view: &View) -> Result<Told, DeliverError> {
        Ok(view.target_state(self.id())?.unwrap_or_default())
    }

    /// The next events, and how far it was told; none where there is nothing new.
    fn next(&self) -> Result<(Told, Vec<Event>), DeliverError> {
        let view = self.store.read()?;
        let mut told = self.told(&view)?;
        if told.is_off {
            return Ok((told, Vec::new()));
        }
        let epoch = view.identity()?.epoch;
        let (from, end) = (view.changes_from()?, view.last_change()?);
        let goes_on = told.has_begun
            && told.epoch == epoch
            && told.seq <= end
            && told.seq.saturating_add(1) >= from;
        if !goes_on {
            // However often it is sent, it is one event.
            let end = told.resync.filter(|_| told.epoch == epoch).unwrap_or(end);
            (told.epoch, told.resync) = (epoch, Some(end));
            let about = json!({
                "id": format!("resync_{epoch}_{end}"),
                "kind": "resync", "seq": end, "epoch": epoch,
                "person": null, "integration": null, "state": null,
            });
            return Ok((told, vec![Event { about, seq: end }]));
        }
        let mut events = Vec::new();
        let mut last = told.seq;
        for change in view.changes(told.seq, AT_ONCE)? {
            last = change.seq;
            if self.is_asked_for(&change) {
                events.push(self.event(&view, &change, epoch)?);
            }
        }
        if events.is_empty() && last > told.seq {
            // What is of others only is over at once.
            told.seq = last;
            self.keep(&told)?;
        }
        Ok((told, events))
    }

    /// Whether a change is of an integration that the target's file names, or of none.
    fn is_asked_for(&self, change: &Change) -> bool {
        let integration = change.integration.as_ref();
        integration.is_none_or(|id| self.target.serves.contains_key(id))
    }

    fn event(&self, view: &View, change: &Change, epoch: u64) -> Result<Event, DeliverError> {
        let wants_state = self.target.config.fields.get("state");
        let wants_state = wants_state.is_some_and(|word| matches!(word.as_str(), "true" | "yes"));
        let person = if wants_state {
            view.person(change.person)?
        } else {
            None
        };
        let seq = change.seq;
        Ok(Event {
            about: json!({
                "id": format!("change_{epoch}_{seq}"),
                "kind": change.kind, "seq": seq, "epoch": epoch,
                "person": change.person, "integration": change.integration, "state": person,
            }),
            seq,
        })
    }

    fn keep(&self, told: &Told) -> Result<(), DeliverError> {
        let write = self.store.write()?;
        write.put_target_state(self.id(), told)?;
        write.commit()?;
        Ok(())
    }

    /// Lets it be told again that wanted to hear no more, and at once.
    pub fn retry(&self) -> Result<(), DeliverError> {
        let told = self.told(&self.store.read()?)?;
        self.keep(&Told {
            is_off: false,
            failures: 0,
            due: None,
            ..told
        })
    }

    /// How many events are behind.
    pub fn counted(&self) -> Result<Counted, DeliverError> {
        let view = self.store.read()?;
        let told = self.told(&view)?;
        let behind = view.last_change()?.saturating_sub(told.seq);
        let oldest = view.changes(told.seq, 1)?.first().map(|change| change.at);
        Ok(Counted {
            behind,
            grants: Tally {
                wanted: behind,
                parked: u64::from(told.is_off),
                ..Tally::default()
            },
            oldest_wanted: oldest,
            ..Counted::default()
        })
    }

    fn alert(&self, what: Option<&str>, now: Timestamp) -> Result<(), DeliverError> {
        let Some(integration) = self.target.serves.keys().next() else {
            return Ok(());
        };
        let subject = self.id().as_str();
        let view = self.store.read()?;
        let before = view.alert_of(integration, AlertKind::DeliveryFailed, subject)?;
        drop(view);
        let detail = what.map(|what| {
            format!(
                "the target `{subject}` does not take what happens: {what}; mend it, then `epms deliveries retry {subject}`"
            )
        });
        self.write_alert(integration, before, detail, now)
    }

    fn write_alert(
        &self,
        integration: &IntegrationId,
        before: Option<Alert>,
        detail: Option<String>,
        now: Timestamp,
    ) -> Result<(), DeliverError> {
        let write = self.store.write()?;
        if let Some(detail) = detail {
            let about = (
                AlertKind::DeliveryFailed,
                integration.clone(),
                self.id().to_string(),
            );
            let alert = raise(&write, before, about, (detail, 1, Vec::new()), now)?;
            write.put_alert(&alert)?;
        } else {
            let Some(closed) = Alert::closed(before, now) else {
                return Ok(());
            };
            write.put_alert(&closed)?;
        }
        write.commit()?;
        Ok(())
    }
}

/// Tells a subscriber what happens.
pub struct Teller {
    /// The store's side of it.
    pub events: Arc<Events>,
    /// What it works with.
    pub around: Surroundings,
}

impl Teller {
    /// Tells until it is stopped.
    pub async fn run(mut self) -> Result<(), DeliverError> {
        while !self.around.stop.is_cancelled() {
            self.around.commits.mark_unchanged();
            let events = Arc::clone(&self.events);
            let next = tokio::task::spawn_blocking(move || events.next()).await;
            let (told, events) = next??;
            let now = (self.around.now)();
            let pause = told.due.map(|due| now.duration_until(due));
            let pause = pause.and_then(|pause| Duration::try_from(pause).ok());
            if events.is_empty() || pause.is_some_and(|pause| !pause.is_zero()) {
                self.wait(pause).await;
                continue;
            }
            self.tell(told, events).await?;
        }
        Ok(())
    }

    async fn wait(&mut self, pause: Option<Duration>) {
        let patience = pause.unwrap_or(LONGEST);
        tokio::select! {
            () = self.around.stop.cancelled() => {}
            changed = self.around.commits.changed(), if pause.is_none() => {
                if changed.is_err() {
                    self.around.stop.cancel();
                }
            }
            () = self.around.wake.notified() => {}
            () = tokio::time::sleep(patience) => {}
        }
    }

    /// Sends events until one is not taken. What was taken is kept, so that it is not sent again.
    async fn tell(&self, mut told: Told, events: Vec<Event>) -> Result<(), DeliverError> {
        let mut wrong = None;
        for event in events {
            let now = (self.around.now)();
            match self.send(&event, now).await {
                Ok(()) => {
                    told.seq = event.seq;
                    told.has_begun = true;
                    told.resync = None;
                    told.failures = 0;
                    told.due = None;
                }
                Err(Untaken {
                    what,
                    pause,
                    is_off,
                }) => {
                    told.failures += 1;
                    told.is_off = is_off;
                    let pause = pause.unwrap_or_default();
                    let grown = outbound::pause(PAUSE, told.failures, (self.around.random)());
                    told.due = Some(after(now, grown.min(LONGEST).max(pause)));
                    wrong = Some(what);
                    break;
                }
            }
            if self.around.stop.is_cancelled() {
                break;
            }
        }
        let now = (self.around.now)();
        // What goes wrong once may be over by the next try.
        let is_told = told.is_off || told.failures >= 3;
        let changed = {
            let known = self.around.trouble.borrow();
            match &wrong {
                Some(what) => is_told && known.as_ref().is_none_or(|known| known.what != *what),
                None => known.is_some(),
            }
        };
        if changed {
            let since = self
                .around
                .trouble
                .borrow()
                .as_ref()
                .map(|known| known.since);
            self.around
                .trouble
                .send_replace(wrong.clone().map(|what| Trouble {
                    since: since.unwrap_or(now),
                    what,
                }));
        }
        let events = Arc::clone(&self.events);
        let keep = move || {
            events.keep(&told)?;
            if changed {
                events.alert(wrong.as_deref(), now)?;
            }
            Ok::<_, DeliverError>(())
        };
        tokio::task::spawn_blocking(keep).await?
    }

    async fn send(&self, event: &Event, now: Timestamp) -> Result<(), Untaken> {
        let target = &self.events.target;
        let (reader, of) = (Arc::clone(&self.around.reader), Arc::clone(target));
        let account = tokio::task::spawn_blocking(move || {
            let name = &of.config.credential;
            reader.account(name, &of.credential, &of.source, &of.home)
        });
        let account = match account.await {
            Ok(Ok(account)) => account.asked_once(),
            Ok(Err(error)) => return Err(Untaken::because(error.to_string())),
            Err(error) => return Err(Untaken::because(error.to_string())),
        };
        let scope = Scope {
            properties: Vec::new(),
            fields: target.config.fields.clone(),
            today: now.to_zoned(jiff::tz::TimeZone::UTC).date(),
            judge: None,
            known: None,
        };
        let errand = Errand {
            operation: Operation::Send,
            about: &event.about,
        };
        let acted = self
            .around
            .reader
            .act(&target.source, &account, &scope, errand)
            .await;
        match acted {
            Ok(Acted::Done { .. } | Acted::There) => Ok(()),
            Ok(Acted::Gone) => Err(Untaken {
                what: "it wants to hear no more of it (410), and is switched off".to_owned(),
                pause: None,
                is_off: true,
            }),
            Ok(Acted::Later(told, pause)) => Err(Untaken {
                pause,
                ..Untaken::because(told.to_string())
            }),
            Ok(Acted::Refused(told) | Acted::Doubtful(told)) => {
                Err(Untaken::because(told.to_string()))
            }
            Err(error) => Err(Untaken::because(error.to_string())),
        }
    }
}

/// Why an event was not taken.
struct Untaken {
    what: String,
    pause: Option<Duration>,
    is_off: bool,
}

impl Untaken {
    fn because(what: String) -> Untaken {
        Untaken {
            what: outbound::without_said(&what).into_owned(),
            pause: None,
            is_off: false,
        }
    }
}
