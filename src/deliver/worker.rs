//! One target's worker: asks the target what the desk says is to be asked, many at once and no person twice, and waits for
//! what comes next. What is to be done is decided elsewhere.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::model::PersonId;
use crate::outbound::{Account, without_said};
use crate::script::{HeldRecord, missed};
use crate::source::{Acted, Errand, Operation, Reader, Scope, SourceError};

use super::desk::{Ask, Desk, Heard, NOBODY};
use super::error::DeliverError;
use super::lookups::Known;
use super::{Answer, Deed, Grant, Held};

/// So many are asked about at once, where the connector says nothing of it.
const AT_ONCE: usize = 32;

/// So many failures in a row are the target's, and not a person's.
const FAILURES: u32 = 5;

/// What is due and cannot be asked for yet is looked at again after so long.
const LEAST: Duration = Duration::from_millis(50);

/// The pause after a failure that may be one person's alone, times how often in a row there was one.
const AT_FIRST: Duration = Duration::from_millis(200);

/// The first pause of a target that takes nothing, and the longest.
const PAUSE: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(30);

/// A login that was refused is not tried again before.
const AFTER_LOGIN: Duration = Duration::from_mins(30);

/// A credential's secrets are read anew after so long.
const ACCOUNT: Duration = Duration::from_mins(1);

/// What is wrong with a target itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Since when.
    pub since: Timestamp,
    /// What it said, without personal data.
    pub what: String,
}

/// A worker, and the target that it delivers to.
pub struct Worker {
    /// The store's side of it.
    pub desk: Arc<Desk>,
    /// What it works with.
    pub around: Surroundings,
}

/// What whoever asks a target works with.
pub struct Surroundings {
    /// The way to the target.
    pub reader: Arc<Reader>,
    /// The clock.
    pub now: fn() -> Timestamp,
    /// Chance, in 0..1.
    pub random: fn() -> f64,
    /// Told of every commit.
    pub commits: watch::Receiver<u64>,
    /// Somebody approved something, or lets it be tried again.
    pub wake: Arc<Notify>,
    /// What is wrong with the target.
    pub trouble: watch::Sender<Option<Trouble>>,
    /// Ends it, once what is under way has been heard.
    pub stop: CancellationToken,
}

/// How a target has answered lately.
#[derive(Default)]
struct Answers {
    failures: u32,
    /// Nothing is asked before.
    until: Option<Instant>,
    /// It took nothing for a while, and answers again.
    recovers: bool,
}

/// How something asked ended, as far as the target itself goes.
enum Said {
    /// It answered.
    Something,
    /// It did not, or takes nothing for now.
    Nothing(String),
    /// It refuses the login, or the connector asks for what is not allowed: trying again is of no use.
    Never(String),
}

impl Worker {
    /// Delivers until it is stopped.
    pub async fn run(mut self) -> Result<(), DeliverError> {
        let mut flights: JoinSet<(PersonId, Vec<Heard>, Said)> = JoinSet::new();
        let mut under_way: BTreeSet<PersonId> = BTreeSet::new();
        let mut account: Option<(Instant, Arc<Account>)> = None;
        let mut answers = Answers::default();
        // Whether the change log may have something that was not taken in.
        let mut is_new = true;
        let known = Arc::new(Known::default());
        let most = self
            .desk
            .target
            .limits()
            .concurrent
            .unwrap_or(AT_ONCE)
            .max(1);
        loop {
            let mut heard = Vec::new();
            while let Some(Ok((who, more, said))) = flights.try_join_next() {
                under_way.remove(&who);
                heard.extend(more);
                self.take(&mut answers, said);
            }
            if answers.until.is_some() {
                account = None;
            }
            let is_stopping = self.around.stop.is_cancelled();
            is_new |= self.around.commits.has_changed().unwrap_or(true);
            self.around.commits.mark_unchanged();
            let room = Worker::room(&answers, most, flights.len());
            let recovers = std::mem::take(&mut answers.recovers);
            let work = self.work(heard, &under_way, room, is_new, recovers);
            let (asks, is_more) = work.await?;
            is_new = is_more;
            let asked = asks.len();
            if asked > 0
                && account
                    .as_ref()
                    .is_none_or(|(read, _)| read.elapsed() > ACCOUNT)
            {
                match self.account().await {
                    Ok(read) => account = Some((Instant::now(), Arc::new(read))),
                    Err(what) => self.take(&mut answers, Said::Never(what)),
                }
            }
            for ask in asks {
                let who = person(&ask);
                under_way.insert(who);
                let (desk, reader, now) = (
                    Arc::clone(&self.desk),
                    Arc::clone(&self.around.reader),
                    self.around.now,
                );
                let account = account.as_ref().map(|(_, account)| Arc::clone(account));
                let known = Arc::clone(&known);
                flights.spawn(async move {
                    let (heard, said) = match account {
                        Some(account) => {
                            let asked = Asked {
                                desk: &desk,
                                reader: &reader,
                                account: &account,
                                known: &known,
                                now,
                            };
                            asked.for_it(ask).await
                        }
                        None => (not_asked(ask), Said::Something),
                    };
                    (who, heard, said)
                });
            }
            if is_stopping && flights.is_empty() {
                return Ok(());
            }
            if asked > 0 || is_more {
                continue;
            }
            let has_room = flights.len() < most;
            is_new |= self
                .wait(&mut flights, &mut under_way, &mut answers, has_room)
                .await?;
        }
    }

    /// How many more may be asked about now.
    fn room(answers: &Answers, most: usize, under_way: usize) -> usize {
        if answers.until.is_some_and(|until| until > Instant::now()) {
            return 0;
        }
        // Of a target that took nothing one is asked, to see whether it does again.
        let most = if answers.until.is_some() { 1 } else { most };
        most.saturating_sub(under_way)
    }

    /// What the desk does, off the threads that wait: takes in what was heard and what is new, and says what is asked next.
    async fn work(
        &self,
        heard: Vec<Heard>,
        under_way: &BTreeSet<PersonId>,
        room: usize,
        is_new: bool,
        recovers: bool,
    ) -> Result<(Vec<Ask>, bool), DeliverError> {
        let is_stopping = self.around.stop.is_cancelled();
        let (desk, now, random) = (
            Arc::clone(&self.desk),
            (self.around.now)(),
            (self.around.random)(),
        );
        let under_way = under_way.clone();
        let trouble = self
            .around
            .trouble
            .borrow()
            .as_ref()
            .map(|one| one.what.clone());
        let work = move || {
            if !heard.is_empty() {
                desk.hear(heard, now, random)?;
            }
            if is_stopping {
                return Ok((Vec::new(), false));
            }
            if recovers {
                desk.recover(now)?;
            }
            let is_more = (is_new && desk.take_in(now)?) | desk.moments(now)?;
            let asks = if room > 0 {
                desk.steps(&under_way, room, now)?
            } else {
                Vec::new()
            };
            let has_news = desk.index().take_news();
            if has_news || trouble.is_some() {
                desk.alert(trouble.as_deref(), now)?;
            }
            Ok((asks, is_more))
        };
        tokio::task::spawn_blocking(work).await?
    }

    /// Waits for an answer, a commit, somebody, or the next moment. Whether there was a commit.
    async fn wait(
        &mut self,
        flights: &mut JoinSet<(PersonId, Vec<Heard>, Said)>,
        under_way: &mut BTreeSet<PersonId>,
        answers: &mut Answers,
        has_room: bool,
    ) -> Result<bool, DeliverError> {
        let (desk, without) = (Arc::clone(&self.desk), under_way.clone());
        let next = move || {
            let next = desk.index().next(&without);
            Ok::<_, DeliverError>(next.into_iter().chain(desk.next_list()?).min())
        };
        let next = tokio::task::spawn_blocking(next).await??;
        let now = (self.around.now)();
        let mut pause = next.map_or(Duration::from_mins(5), |next| {
            let left = now.duration_until(next);
            Duration::try_from(left).unwrap_or_default()
        });
        // A clock that is set is noticed in time.
        pause = pause.min(Duration::from_mins(5));
        if let Some(until) = answers.until {
            pause = pause.max(until.saturating_duration_since(Instant::now()));
        }
        // What is due and cannot be asked for yet waits for those under way.
        if !has_room {
            pause = Duration::from_mins(5);
        }
        let pause = pause.max(LEAST);
        let is_stopping = self.around.stop.is_cancelled();
        let mut joined = None;
        let mut is_new = false;
        tokio::select! {
            Some(Ok(one)) = flights.join_next(), if !flights.is_empty() => joined = Some(one),
            () = self.around.stop.cancelled(), if !is_stopping => {}
            changed = self.around.commits.changed(), if !is_stopping => match changed {
                Ok(()) => is_new = true,
                Err(_) => self.around.stop.cancel(),
            },
            () = self.around.wake.notified() => answers.until = None,
            () = tokio::time::sleep(pause) => {}
        }
        if let Some((who, heard, said)) = joined {
            under_way.remove(&who);
            self.take(answers, said);
            let (desk, now, random) = (
                Arc::clone(&self.desk),
                (self.around.now)(),
                (self.around.random)(),
            );
            tokio::task::spawn_blocking(move || desk.hear(heard, now, random)).await??;
        }
        Ok(is_new)
    }

    /// Notes how the target answered.
    fn take(&self, answers: &mut Answers, said: Said) {
        let what = match said {
            Said::Something => {
                *answers = Answers::default();
                if self.around.trouble.borrow().is_some() {
                    tracing::info!(target_id = %self.desk.target.id, "the target takes deliveries again");
                    self.around.trouble.send_replace(None);
                    answers.recovers = true;
                    self.desk.index().tell_again();
                }
                return;
            }
            Said::Nothing(what) => {
                answers.failures += 1;
                if answers.failures < FAILURES && self.around.trouble.borrow().is_none() {
                    let pause = AT_FIRST.saturating_mul(answers.failures);
                    answers.until = Some(Instant::now() + pause);
                    return;
                }
                let times = answers.failures.saturating_sub(FAILURES).min(16);
                let pause = PAUSE
                    .saturating_mul(2_u32.saturating_pow(times))
                    .min(LONGEST);
                answers.until = Some(Instant::now() + pause);
                what
            }
            Said::Never(what) => {
                answers.failures += 1;
                answers.until = Some(Instant::now() + AFTER_LOGIN);
                what
            }
        };
        let since = self.around.trouble.borrow().as_ref().map(|one| one.since);
        if since.is_none() {
            tracing::warn!(target_id = %self.desk.target.id, what = %without_said(&what), "the target takes no deliveries");
        }
        self.around.trouble.send_replace(Some(Trouble {
            since: since.unwrap_or_else(self.around.now),
            what: without_said(&what).into_owned(),
        }));
    }

    async fn account(&self) -> Result<Account, String> {
        let (reader, target) = (
            Arc::clone(&self.around.reader),
            Arc::clone(&self.desk.target),
        );
        let name = target.config.credential.clone();
        let read = move || {
            let name = &target.config.credential;
            reader.account(name, &target.credential, &target.source, &target.home)
        };
        match tokio::task::spawn_blocking(read).await {
            Ok(Ok(account)) => Ok(account.asked_once()),
            Ok(Err(error)) => Err(format!("credential `{name}`: {error}")),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Whom something is asked about. Of a list that is nobody: while one is asked for, no other is.
fn person(ask: &Ask) -> PersonId {
    match ask {
        Ask::Look(person, _) | Ask::Act(person, _, _) => *person,
        Ask::List => NOBODY,
    }
}

/// What comes of what could not be asked.
fn not_asked(ask: Ask) -> Vec<Heard> {
    match ask {
        Ask::Look(person, _) => vec![Heard::Looked(person, Err(None))],
        Ask::Act(person, deed, _) => vec![Heard::Acted(person, deed, Answer::Later(None))],
        Ask::List => Vec::new(),
    }
}

/// One who asks a target.
struct Asked<'a> {
    desk: &'a Desk,
    reader: &'a Reader,
    account: &'a Account,
    known: &'a Known,
    now: fn() -> Timestamp,
}

/// Why a look came to nothing.
struct Failed {
    said: Said,
    pause: Option<Duration>,
}

impl Asked<'_> {
    /// Asks, and says what came of it.
    async fn for_it(&self, ask: Ask) -> (Vec<Heard>, Said) {
        let began = (self.now)();
        match ask {
            Ask::List => match self.looked(Operation::List, &Value::Null, began).await {
                Ok(held) => (vec![Heard::Listed(began, held)], Said::Something),
                Err(Failed { said, .. }) => (Vec::new(), said),
            },
            Ask::Look(person, abouts) => {
                let mut all: Vec<Held> = Vec::new();
                for about in &abouts {
                    match self.looked(Operation::Find, about, began).await {
                        Ok(held) => {
                            let ours = held.into_iter().filter(|held| is_one_of(held, &abouts));
                            for held in ours {
                                if !all.contains(&held) {
                                    all.push(held);
                                }
                            }
                        }
                        Err(Failed { said, pause }) => {
                            return (vec![Heard::Looked(person, Err(pause))], said);
                        }
                    }
                }
                (vec![Heard::Looked(person, Ok(all))], Said::Something)
            }
            Ask::Act(person, deed, about) => {
                let (answer, said) = self.act(&deed, &about, began).await;
                (vec![Heard::Acted(person, deed, answer)], said)
            }
        }
    }

    async fn act(&self, deed: &Deed, about: &Value, began: Timestamp) -> (Answer, Said) {
        let operation = match deed {
            Deed::Create(_) => Operation::Create,
            Deed::Change(_) => Operation::Change,
            Deed::Remove { .. } | Deed::RemoveTwin { .. } => Operation::Remove,
        };
        let (scope, source) = (scope(self.desk, began), &self.desk.target.source);
        let errand = Errand { operation, about };
        match self.reader.act(source, self.account, &scope, errand).await {
            Ok(acted) => answered(deed, acted),
            Err(error) => not_acted(&error),
        }
    }

    /// What a target has, in its script's words. What is not ours to look at is not among it.
    async fn looked(
        &self,
        operation: Operation,
        about: &Value,
        began: Timestamp,
    ) -> Result<Vec<Held>, Failed> {
        let (scope, source) = (scope(self.desk, began), &self.desk.target.source);
        let errand = Errand { operation, about };
        let asked = Instant::now();
        let looked = self.reader.look(source, self.account, &scope, errand).await;
        let records: Arc<[Box<str>]> = looked.map_err(failed)?.into();
        let mut fresh_from = None;
        loop {
            let known = self
                .known
                .of(self.desk, self.reader, self.account, &scope, fresh_from);
            let known = known.await.map_err(failed)?;
            let ctx = self.desk.context(operation.request(), known, about, began);
            let (script, all) = (Arc::clone(&self.desk.script), Arc::clone(&records));
            let mapped = tokio::task::spawn_blocking(move || {
                drop(missed());
                let each = all.iter().map(|record| script.held(record, &ctx));
                let mapped = each.collect::<Result<Vec<_>, _>>();
                (mapped, !missed().is_empty())
            });
            let (mapped, has_missed) = mapped.await.map_err(|error| wrong(error.to_string()))?;
            // Whoever is new there may not be in what was read before.
            if has_missed && fresh_from.is_none() {
                fresh_from = Some(asked);
                continue;
            }
            let mapped = mapped.map_err(|error| wrong(error.to_string()))?;
            let held = mapped.into_iter().flatten();
            return Ok(held.map(|one| self.held(one)).collect());
        }
    }

    fn held(&self, one: HeldRecord) -> Held {
        let mut fields = one.fields;
        fields.retain(|name, _| !self.desk.ways.write_only.contains(name));
        Held {
            grant: Grant {
                key: one.key,
                fields,
            },
            id: one.id,
            is_others: one.others,
            needs_visit: one.visit,
            is_off: one.off,
        }
    }
}

/// Why a look failed, as far as the target goes.
fn failed(error: SourceError) -> Failed {
    let what = error.to_string();
    Failed {
        said: match error {
            SourceError::LoginFailed(_) => Said::Never(what),
            _ => Said::Nothing(what),
        },
        pause: None,
    }
}

/// What was read could not be understood.
fn wrong(what: String) -> Failed {
    Failed {
        said: Said::Nothing(what),
        pause: None,
    }
}

/// What an answer means to a lane, and to the target.
fn answered(deed: &Deed, acted: Acted) -> (Answer, Said) {
    let takes = matches!(deed, Deed::Remove { .. } | Deed::RemoveTwin { .. });
    match acted {
        Acted::Done { id } => (Answer::Done(id), Said::Something),
        Acted::Gone if takes => (Answer::Done(None), Said::Something),
        Acted::There | Acted::Gone => (Answer::Otherwise, Said::Something),
        Acted::Refused(told) => (Answer::Refused(told.to_string()), Said::Something),
        Acted::Later(told, pause) => (Answer::Later(pause), Said::Nothing(told.to_string())),
        Acted::Doubtful(told) => (Answer::Doubtful, Said::Nothing(told.to_string())),
    }
}

/// What it means that nothing was asked. What the connector cannot say of one person is that person's alone.
fn not_acted(error: &SourceError) -> (Answer, Said) {
    let what = error.to_string();
    match error {
        SourceError::LoginFailed(_) => (Answer::Later(None), Said::Never(what)),
        SourceError::NotAllowed(_) | SourceError::Denied(_) | SourceError::Unexpected(_) => {
            (Answer::Refused(what), Said::Something)
        }
        SourceError::Unavailable(_) | SourceError::Postponed(_) | SourceError::Stopped => {
            (Answer::Later(None), Said::Nothing(what))
        }
    }
}

fn is_one_of(held: &Held, abouts: &[Value]) -> bool {
    let key = |about: &&Value| about.get("key").and_then(Value::as_str) == Some(&held.grant.key);
    abouts.iter().any(|about| key(&about))
}

fn scope(desk: &Desk, now: Timestamp) -> Scope {
    let zone = desk.target.serves.values().next().cloned();
    Scope {
        properties: Vec::new(),
        fields: desk.target.config.fields.clone(),
        today: now.to_zoned(zone.unwrap_or(jiff::tz::TimeZone::UTC)).date(),
        judge: None,
        known: None,
    }
}
