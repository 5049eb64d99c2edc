//! The mass-change guard (R27): whether a plan takes away from too many at once. Pure but for questions to
//! the people of the store. Which parts of a plan take away, is in `parts`; whom they are counted among, in
//! `properties`; what is left of a plan that is held, in `held`.

mod parts;
mod properties;
mod held;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::config::{Guard, Span};
use crate::model::{
    Actor, GuardState, Guarded, GuardedKind, HeldPlan, IntegrationId, Link, Passed, RunId,
};
use crate::store::StoreError;

use super::matching::People;
use super::plan::Plan;

pub(super) use held::{stage, stop};

/// What the guard judges a plan by.
pub(super) struct Facts<'a, P> {
    pub(super) integration: &'a IntegrationId,
    pub(super) run: RunId,
    pub(super) now: Timestamp,
    pub(super) limits: &'a Guard,
    pub(super) state: &'a GuardState,
    /// The links as they are before the plan, of everybody whom the plan may concern.
    pub(super) links: &'a BTreeMap<String, Link>,
    /// All links, for where people are counted.
    pub(super) all_links: &'a dyn Fn() -> Result<BTreeMap<String, Link>, StoreError>,
    pub(super) people: &'a P,
    /// Residents seen by the run.
    pub(super) seen: u64,
    /// The PMS sent nothing at all.
    pub(super) empty: bool,
    /// Attached PMS properties that sent nothing.
    pub(super) silent: &'a BTreeSet<String>,
}

/// What the guard says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The plan may be carried out.
    Passes {
        /// Who approved what would have been too much.
        approved_by: Option<Actor>,
        /// What counts for the runs to come.
        passed: Vec<Passed>,
    },
    /// It waits for approval.
    Trips {
        /// What an approval names.
        plan: HeldPlan,
        /// What was too much, without what to do.
        reason: String,
    },
}

/// Judges a plan.
pub(super) fn judge<P: People>(plan: &Plan, facts: &Facts<'_, P>) -> Result<Verdict, StoreError> {
    let recent: Vec<&Passed> = facts
        .state
        .passed
        .iter()
        .filter(|passed| facts.now.duration_since(passed.at) < length(facts.limits.window))
        .collect();
    let mut items = parts::of_people(plan, facts)?;
    let mut reasons = Vec::new();

    let now: BTreeSet<&str> = items.iter().map(|item| item.subject.as_str()).collect();
    let before = subjects(&recent, GuardedKind::is_of_person);
    // How many there are is only asked where so few could be too many.
    let counts = now.union(&before).count() > facts.allowed(0);
    let linked = if counts || facts.empty || !facts.silent.is_empty() {
        properties::linked(&(facts.all_links)()?)
    } else {
        properties::AllLinked::default()
    };
    if counts {
        reasons.extend(facts.too_many(&now, &before, &linked.all, ""));
    }
    if counts && reasons.is_empty() {
        for (property, of_property) in &linked.of_each {
            let of = format!(" of the PMS property `{property}`");
            reasons.extend(facts.too_many(&now, &before, of_property, &of));
        }
    }

    let left: BTreeSet<String> = parts::left(plan, facts)?.into_values().flatten().collect();
    let before = subjects(&recent, |kind| kind == GuardedKind::Vacancy);
    // Who else lives in a unit is only asked where so many were left that it could matter.
    if !left.is_empty() && left.len() + before.len() > facts.allowed(0) {
        let units = parts::vacancies(plan, facts, &left, &before)?;
        let vacated = units.now.len() + units.before;
        if !units.now.is_empty() && vacated > facts.allowed(units.occupied) {
            reasons.push(format!(
                "{vacated} of {} occupied units would lose their last resident{}",
                units.occupied,
                facts.within(units.now.len(), vacated)
            ));
        }
        items.extend(units.now.into_iter().map(|unit| Guarded {
            kind: GuardedKind::Vacancy,
            subject: unit,
            mark: String::new(),
            count: 0,
        }));
    }

    for exclusion in parts::exclusions(plan, facts) {
        reasons.push(grows(&exclusion, facts.state.excluded_by.as_ref()));
        items.push(exclusion);
    }
    for (property, open) in properties::silent(facts, &linked) {
        let what = if property.is_empty() {
            String::new()
        } else {
            format!(" of the PMS property `{property}`")
        };
        reasons.push(format!(
            "the feed{what} is empty, and {open} people of it are linked; check `pms_properties` and the rights of \
             the credential"
        ));
        items.push(Guarded {
            kind: GuardedKind::EmptyFeed,
            subject: property,
            mark: String::new(),
            count: 0,
        });
    }
    items.sort();

    if reasons.is_empty() {
        let passed = passed(&items, left, facts.now);
        return Ok(Verdict::Passes {
            approved_by: None,
            passed: recent.into_iter().cloned().chain(passed).collect(),
        });
    }
    if let Some(approval) = &facts.state.approval
        && facts.now < approval.expires
        && items.iter().all(|item| covers(&approval.plan.items, item))
    {
        return Ok(Verdict::Passes {
            approved_by: Some(approval.by.clone()),
            passed: recent.into_iter().cloned().collect(),
        });
    }
    Ok(Verdict::Trips {
        plan: HeldPlan {
            run: facts.run,
            digest: digest(&items),
            items,
        },
        reason: reasons.join("; "),
    })
}

impl<P> Facts<'_, P> {
    /// R27: max(limit, percent of all).
    fn allowed(&self, all: usize) -> usize {
        let percent = usize::try_from(self.limits.percent).unwrap_or(usize::MAX);
        let limit = usize::try_from(self.limits.limit).unwrap_or(usize::MAX);
        limit.max(all.saturating_mul(percent) / 100)
    }

    /// What is told where more of these people lose something than may, with those who did before.
    fn too_many(
        &self,
        now: &BTreeSet<&str>,
        before: &BTreeSet<&str>,
        linked: &properties::Linked,
        of: &str,
    ) -> Option<String> {
        let here = |people: &BTreeSet<&str>| -> BTreeSet<String> {
            let here = people.iter().filter(|one| linked.ever.contains(**one));
            here.map(|one| (*one).to_owned()).collect()
        };
        let (now, before) = (here(now), here(before));
        let people = now.union(&before).count();
        let all = linked.open.union(&before).count();
        (!now.is_empty() && people > self.allowed(all)).then(|| {
            format!(
                "{people} of {all} linked people{of} would be closed, set back to pending, unlinked, excluded or \
                 given another email{}",
                self.within(now.len(), people)
            )
        })
    }

    fn within(&self, now: usize, all: usize) -> String {
        if now == all {
            String::new()
        } else {
            format!(" within {}, {now} of them by this run", self.limits.window)
        }
    }
}

/// What somebody reads who is to decide.
pub(super) fn advice(reason: &str, run: RunId, stopped: bool) -> String {
    let written = if stopped {
        "nothing was written"
    } else {
        "what takes nothing away was written"
    };
    format!(
        "{reason}; {written}: look at `epms run {run}`, then `epms approve {run}` or correct the PMS"
    )
}

pub(super) fn length(span: Span) -> SignedDuration {
    SignedDuration::try_from(span.0).unwrap_or(SignedDuration::MAX)
}

fn subjects<'a>(passed: &[&'a Passed], keep: impl Fn(GuardedKind) -> bool) -> BTreeSet<&'a str> {
    passed
        .iter()
        .filter(|passed| keep(passed.kind))
        .map(|passed| passed.subject.as_str())
        .collect()
}

/// What a staged plan that was cut down to what takes nothing away leaves all the same: units, one by one. They
/// count in the runs to come, or a plan that nobody approves would hide a slow drain.
pub(super) fn staged<P: People>(
    plan: &Plan,
    facts: &Facts<'_, P>,
) -> Result<Vec<Passed>, StoreError> {
    let left = parts::left(plan, facts)?.into_values().flatten().collect();
    Ok(passed(&[], left, facts.now))
}

/// How an exclusion has grown, in words.
fn grows(exclusion: &Guarded, before: Option<&BTreeMap<String, u64>>) -> String {
    let Guarded { subject, count, .. } = exclusion;
    let (what, before) = match before {
        Some(all) if subject.is_empty() => ("exclusions together take".into(), all.values().sum()),
        all => (
            format!("exclusion `{subject}` takes"),
            all.and_then(|all| all.get(subject)).copied().unwrap_or(0),
        ),
    };
    format!("the {what} {count} residents, and took {before} in the run before")
}

fn passed(items: &[Guarded], left: BTreeSet<String>, at: Timestamp) -> Vec<Passed> {
    let people = items
        .iter()
        .filter(|item| item.kind.is_of_person())
        .map(|item| (item.kind, item.subject.clone()));
    // A unit that somebody left counts when the last one has left: that is asked when it matters.
    let units = left.into_iter().map(|unit| (GuardedKind::Vacancy, unit));
    people
        .chain(units)
        .map(|(kind, subject)| Passed { at, kind, subject })
        .collect()
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
