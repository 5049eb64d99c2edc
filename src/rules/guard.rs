//! The mass-change guard (R27): whether a plan takes too much, and what of it waits. Pure but for questions to the
//! people of the store. Feeds that are empty are in `silent`; what a plan takes and whom it lets in is in `parts`;
//! everybody at the moments that count in `census`; the counts in `takes` and `arrivals`; what is left of a plan that is
//! held in `held`; what the next run must know in `memory`.

mod window;
mod ties;
mod parts;
mod silent;
mod census;
mod renaming;
mod takes;
mod arrivals;
mod month;
mod held;
mod memory;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::config::{Guard, OnTrip, Span};
use crate::model::{
    Actor, Approval, Approved, AtLeast, GuardState, Guarded, GuardedKind, HeldPlan, IntegrationId,
    Link, PersonId, RunId,
};

use super::People;
use super::plan::Plan;
use census::Census;
use parts::Found;
use takes::Counting;
use window::Window;

pub(crate) use held::{cut, stop};
pub(crate) use memory::Written;
pub(crate) use month::Drain;

/// What the guard judges a plan by.
pub(crate) struct Facts<'a, P: People> {
    pub(crate) integration: &'a IntegrationId,
    pub(crate) run: RunId,
    pub(crate) now: Timestamp,
    /// The day at the property.
    pub(crate) today: Date,
    pub(crate) limits: &'a Guard,
    pub(crate) state: &'a GuardState,
    /// The links as they are before the plan, of everybody whom the plan may concern.
    pub(crate) links: &'a BTreeMap<String, Link>,
    /// All links, for where people are counted.
    pub(crate) all_links: &'a dyn Fn() -> Result<BTreeMap<String, Link>, P::Error>,
    /// The households of residents, as the feed says now; asked for where somebody comes into an occupied unit.
    pub(crate) households: &'a Households<'a, P::Error>,
    pub(crate) people: &'a P,
    /// How many records the PMS sent.
    pub(crate) records: u64,
    /// It sent nothing at all, or nobody in any of its records.
    pub(crate) empty: bool,
    /// Linked people whose records came as ever, with nobody in them any more.
    pub(crate) emptied: &'a BTreeSet<PersonId>,
    /// The PMS properties that feed the integration.
    pub(crate) attached: &'a BTreeSet<String>,
    /// Those of them that sent nothing.
    pub(crate) silent: &'a BTreeSet<String>,
    /// People whose records are as they were: what the first run by new rules takes from them, only the rules take. It
    /// is a plan of its own.
    pub(crate) retroactive: &'a BTreeSet<PersonId>,
}

/// Gives the households of residents, where the feed names them.
pub(crate) type Households<'a, E> =
    dyn Fn(&BTreeSet<String>) -> Result<BTreeMap<String, String>, E> + 'a;

/// What the guard says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The plan may be carried out.
    Passes {
        /// Who approved what would have been too much.
        approved_by: Option<Actor>,
    },
    /// It waits for approval.
    Trips {
        /// What an approval names.
        plan: HeldPlan,
        /// What was too much, without what to do.
        reason: String,
        /// Nothing of the run is written; else only these people wait.
        stops: bool,
        /// Whom it takes something from, and whom it lets in, as the plan calls them.
        people: BTreeSet<PersonId>,
    },
}

/// A plan, judged.
pub(crate) struct Judged<'a> {
    pub(crate) verdict: Verdict,
    /// What is told in the report and holds nothing.
    pub(crate) notes: BTreeMap<String, u64>,
    window: Window<'a>,
    found: Found,
    /// Everybody was counted.
    was_counted: bool,
    /// Whether each loss of `found` counts.
    counts: Vec<bool>,
    /// What the plan takes with approval.
    approved: Option<Approved>,
    /// Who arrives, arrives with approval.
    arrivals_approved: bool,
    at_least: Option<AtLeast>,
}

/// Judges a plan.
pub(crate) fn judge<'a, P: People>(
    plan: &Plan,
    facts: &Facts<'a, P>,
) -> Result<Judged<'a>, P::Error> {
    let window = Window::before(facts)?;
    let mut found = parts::find(plan, facts, &window)?;
    let silent = silent::silent(facts)?;
    if silent.is_empty() && !matters(&found, facts, &window) {
        return Ok(Judged {
            verdict: Verdict::Passes { approved_by: None },
            notes: std::mem::take(&mut found.notes),
            was_counted: false,
            counts: found.losses.iter().map(|loss| loss.is_sure).collect(),
            approved: None,
            arrivals_approved: false,
            at_least: None,
            window,
            found,
        });
    }
    let census = Census::take(plan, facts, &window, &found)?;
    let counting = Counting::new(&census, &found, &window, facts.limits);
    let mut tripped = Tripped::default();
    for (property, reason) in silent {
        tripped.whole(GuardedKind::EmptyFeed, property, reason);
    }
    let other_databases = arrivals::other_database(&census, &found, facts.limits);
    let is_other_database = !other_databases.is_empty();
    for (property, reason) in other_databases {
        tripped.whole(GuardedKind::OtherDatabase, property, reason);
    }
    let reasons = counting.judge();
    let takes_too_much = !reasons.is_empty();
    tripped.reasons.extend(reasons);
    tripped.stops |= takes_too_much && facts.limits.on_trip == OnTrip::Stop;
    // Whoever looks at a plan that waits as a whole sees all of it.
    let shows_what_it_takes = takes_too_much || is_other_database;
    if shows_what_it_takes {
        tripped.items.extend(counting.items());
        let losses = found.losses.iter().filter(|loss| counting.is_counted(loss));
        tripped.people.extend(losses.map(|loss| loss.person));
    }
    let arrivals = arrivals::judge(&census, &counting, &found, facts)?;
    let too_many_arrive = is_other_database || !arrivals.people.is_empty();
    if is_other_database {
        tripped.items.extend(arrivals::replaced(&census, &found));
    } else {
        tripped.items.extend(arrivals.items);
    }
    tripped.reasons.extend(arrivals.reasons);
    tripped.people.extend(arrivals.people);

    let mut notes = found.notes.clone();
    let renamed = census.renaming.count(&census.people);
    if renamed > 0 {
        notes.insert("renamed_units".to_owned(), renamed);
    }
    let verdict = tripped.verdict(facts);
    let is_approved = matches!(
        verdict,
        Verdict::Passes {
            approved_by: Some(_)
        }
    );
    Ok(Judged {
        verdict,
        notes,
        was_counted: true,
        counts: found
            .losses
            .iter()
            .map(|loss| counting.is_counted(loss))
            .collect(),
        approved: (is_approved && shows_what_it_takes).then(|| counting.approved(facts.now)),
        arrivals_approved: is_approved && too_many_arrive,
        at_least: Some(counting.at_least(facts.now)),
        window,
        found,
    })
}

/// What is too much of a plan.
#[derive(Default)]
struct Tripped {
    items: Vec<Guarded>,
    reasons: Vec<String>,
    people: BTreeSet<PersonId>,
    /// The whole run waits.
    stops: bool,
}

impl Tripped {
    /// The feed itself cannot be right.
    fn whole(&mut self, kind: GuardedKind, property: String, reason: String) {
        self.items.push(Guarded::of_feed(kind, property));
        self.reasons.push(reason);
        self.stops = true;
    }

    fn verdict<P: People>(mut self, facts: &Facts<'_, P>) -> Verdict {
        if self.items.is_empty() {
            return Verdict::Passes { approved_by: None };
        }
        self.items.sort();
        if let Some(by) = approval(facts.state.approval.as_ref(), &self.items, facts.now) {
            return Verdict::Passes {
                approved_by: Some(by.clone()),
            };
        }
        Verdict::Trips {
            plan: HeldPlan {
                run: facts.run,
                digest: digest(&self.items),
                items: self.items,
            },
            reason: self.reasons.join("; "),
            stops: self.stops,
            people: self.people,
        }
    }
}

/// Whose approval covers all of these, where it still counts.
fn approval<'a>(
    approval: Option<&'a Approval>,
    items: &[Guarded],
    now: Timestamp,
) -> Option<&'a Actor> {
    let approval = approval.filter(|one| now < one.expires)?;
    items
        .iter()
        .all(|item| covers(&approval.plan.items, item))
        .then_some(&approval.by)
}

/// Whether a plan could be too much, as far as one can say without counting everybody.
fn matters<P: People>(found: &Found, facts: &Facts<'_, P>, window: &Window<'_>) -> bool {
    let known = facts.state.at_least.as_ref();
    // A clock that was put back says nothing of how long it holds.
    let known = known.filter(|known| {
        let left = known.until.duration_since(facts.now);
        left > SignedDuration::ZERO && left <= length(facts.limits.window)
    });
    let linked = known.map_or(0, |known| number(known.linked));
    let occupied = known.map_or(0, |known| number(known.occupied));
    if !found.losses.is_empty() {
        let now = found.losses.iter().map(|loss| loss.item.subject.as_str());
        let before = window.passed.iter().map(|one| one.subject.as_str());
        let people: BTreeSet<&str> = now.chain(before).collect();
        let now = found.losses.iter().flat_map(|loss| &loss.lived_in);
        let before = window.passed.iter().flat_map(|one| &one.units);
        let units: BTreeSet<_> = now
            .chain(before)
            .map(|one| (&one.property, &one.id))
            .collect();
        if people.len() > allowed(facts.limits, linked)
            || units.len() > allowed(facts.limits, occupied)
            || occupied < takes::SMALL && units.len() > takes::ALWAYS
        {
            return true;
        }
    }
    if found.arrivals.is_empty() {
        return false;
    }
    let (newcomers, units) = found.came();
    let came = |of: fn(&crate::model::Came) -> u64| window.came.iter().map(of).sum::<u64>();
    let newcomers_before = number(came(|one| one.newcomers));
    let units_before = number(came(|one| one.units));
    // Of those, some may be linked no more: it is now that they must be absent.
    let left: BTreeSet<&str> = window
        .passed
        .iter()
        .map(|one| one.subject.as_str())
        .collect();
    let still_linked = linked.saturating_sub(left.len() + number(window.gone(None).linked));
    let absent = found.absent.len();
    units > 0 && units + units_before > arrivals::allowed(facts.limits, occupied)
        || newcomers > 0 && arrivals::is_flood(facts.limits, newcomers + newcomers_before, linked)
        || absent > takes::ALWAYS && absent * 2 > still_linked
}

/// What only the rules of a new version take, as a plan of its own, and from whom; what waits of it since an earlier run,
/// too.
pub(crate) fn since_upgrade<P: People>(
    plan: &Plan,
    facts: &Facts<'_, P>,
) -> Result<Option<(HeldPlan, BTreeSet<PersonId>)>, P::Error> {
    let waits = facts.state.since_upgrade.as_ref();
    if facts.retroactive.is_empty() && waits.is_none() {
        return Ok(None);
    }
    let waits = waits.map_or(&[][..], |plan| plan.items.as_slice());
    let window = Window::before(facts)?;
    let found = parts::find(plan, facts, &window)?;
    let losses = found.losses.into_iter();
    let (mut items, mut people) = (Vec::new(), BTreeSet::new());
    for loss in losses.filter(|loss| loss.is_sure) {
        if facts.retroactive.contains(&loss.person) || covers(waits, &loss.item) {
            people.insert(loss.person);
            items.push(loss.item);
        }
    }
    items.sort();
    let held = HeldPlan {
        run: facts.run,
        digest: digest(&items),
        items,
    };
    Ok((!held.items.is_empty()).then_some((held, people)))
}

/// What a plan takes of what was there, for the runs after its approval.
pub(crate) fn taken<P: People>(plan: &Plan, facts: &Facts<'_, P>) -> Result<Approved, P::Error> {
    let window = Window::before(facts)?;
    let found = parts::find(plan, facts, &window)?;
    let census = Census::take(plan, facts, &window, &found)?;
    let counting = Counting::new(&census, &found, &window, facts.limits);
    Ok(counting.approved(facts.now))
}

/// Whether somebody approved what only the rules of a new version take.
pub(crate) fn is_approved_since_upgrade(
    state: &GuardState,
    held: &HeldPlan,
    now: Timestamp,
) -> bool {
    let approved = state.since_upgrade_approval.as_ref();
    approval(approved, &held.items, now).is_some()
}

/// R27: max(limit, percent of all).
fn allowed(limits: &Guard, all: usize) -> usize {
    let percent = usize::try_from(limits.percent).unwrap_or(usize::MAX);
    let limit = usize::try_from(limits.limit).unwrap_or(usize::MAX);
    limit.max(all.saturating_mul(percent) / 100)
}

/// Of which PMS property something is told.
fn of(property: Option<&str>) -> String {
    property.map_or_else(String::new, |one| format!(" of the PMS property `{one}`"))
}

/// How much of something this run does, where others within the window did some of it.
fn within(limits: &Guard, now: usize, all: usize) -> String {
    if now >= all {
        String::new()
    } else {
        format!(" within {}, {now} of them by this run", limits.window)
    }
}

/// What somebody reads who is to decide.
pub(crate) fn advice(reason: &str, run: RunId, stopped: bool) -> String {
    let written = if stopped {
        "nothing was written"
    } else {
        "the rest was written"
    };
    format!(
        "{reason}; {written}: look at `epms run {run}`, then `epms approve {run}`, `epms reject {run}`, or correct the \
         PMS"
    )
}

pub(crate) fn length(span: Span) -> SignedDuration {
    SignedDuration::try_from(span.0).unwrap_or(SignedDuration::MAX)
}

fn number(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Whether an approved plan has this part. Of an exclusion, one that takes as many or fewer.
fn covers(approved: &[Guarded], item: &Guarded) -> bool {
    approved.iter().any(|one| {
        one.kind == item.kind
            && one.subject == item.subject
            && one.mark == item.mark
            && one.count >= item.count
    })
}

/// The digest of guarded parts: the same for the same parts, whichever run planned them and when.
fn digest(items: &[Guarded]) -> String {
    let mut hasher = blake3::Hasher::new();
    for item in items {
        for part in [item.kind.as_str(), &item.subject, &item.mark] {
            hasher.update(part.as_bytes());
            hasher.update(&[0x1f]);
        }
        hasher.update(&item.count.to_le_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// A hash of values: the same for the same values.
fn mark(values: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for value in values {
        hasher.update(value.as_bytes());
        hasher.update(&[0x1f]);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}
