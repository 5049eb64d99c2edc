//! What the guard must know in the runs to come, after a plan was carried out, in part, or not at all.

use std::collections::BTreeSet;

use crate::model::{Admitted, Came, GuardState, GuardedKind, Passed, PersonId};

use super::super::People;
use super::parts::{Arrival, Loss};
use super::ties::is_open;
use super::{Drain, Facts, Judged, month};

/// How much of a plan was written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Written<'a> {
    /// All of it.
    All,
    /// All but these people.
    Without(&'a BTreeSet<PersonId>),
    /// Nothing.
    Nothing,
}

impl Written<'_> {
    fn has(&self, person: PersonId) -> bool {
        match self {
            Written::All => true,
            Written::Without(people) => !people.contains(&person),
            Written::Nothing => false,
        }
    }
}

impl Judged<'_> {
    /// The state after the run; what is held, rejected and approved stays as it was. And what the month took.
    pub(crate) fn remembered<P: People>(
        &self,
        facts: &Facts<'_, P>,
        written: Written<'_>,
    ) -> Result<(GuardState, Drain), P::Error> {
        let window = &self.window;
        let mut state = facts.state.clone();
        state.passed = window.passed.iter().copied().cloned().collect();
        state.came.clone_from(&window.came);
        state.approved = window.approved.iter().copied().cloned().collect();
        state.at_least = self.at_least.clone().or(state.at_least);
        let mut taken = Vec::new();
        if !matches!(written, Written::Nothing) {
            state.admitted.clone_from(&window.admitted);
            state.attached = Some(window.read.clone());
            state.approved.extend(self.approved.clone());
            if self.approved.is_none() {
                let losses = self.found.losses.iter().zip(&self.counts);
                let losses: Vec<(&Loss, bool)> = losses
                    .filter(|(loss, _)| written.has(loss.person))
                    .map(|(loss, counts)| (loss, *counts))
                    .collect();
                state.passed.extend(
                    losses
                        .iter()
                        .filter(|(loss, counts)| self.may_count(loss, *counts))
                        .map(|(loss, _)| passed(facts.now, loss)),
                );
                let counted = losses.iter().filter(|(_, counts)| *counts);
                taken.extend(counted.map(|(loss, _)| loss.person));
            }
            self.arrivals(facts.now, written, &mut state);
        }
        let linked = |month: &[crate::model::TakenFrom]| {
            let links = (facts.all_links)()?;
            let open = links.values().filter(|link| is_open(link));
            let mut people: BTreeSet<PersonId> = open.map(|link| link.person).collect();
            people.extend(month.iter().map(|one| one.person));
            Ok::<_, P::Error>(people.len())
        };
        let drain = month::judge(&mut state, facts.limits, facts.now, taken, linked)?;
        Ok((state, drain))
    }

    /// Whether a loss counts, or may count when more is known: a notice counts where half of the others give theirs,
    /// and of what was not counted against everybody nobody knows.
    fn may_count(&self, loss: &Loss, counts: bool) -> bool {
        counts || !self.was_counted || loss.item.kind == GuardedKind::Notice
    }

    fn arrivals(&self, now: jiff::Timestamp, written: Written<'_>, state: &mut GuardState) {
        if self.arrivals_approved {
            state.admitted.push(Admitted {
                at: now,
                property: None,
                first: false,
            });
            return;
        }
        let arrivals = self.found.arrivals.iter();
        let arrivals: Vec<&Arrival> = arrivals.filter(|one| written.has(one.person)).collect();
        if arrivals.is_empty() {
            return;
        }
        let homes = arrivals.iter().flat_map(|one| &one.lives_in);
        let units: BTreeSet<_> = homes.map(|one| (&one.property, &one.id)).collect();
        state.came.push(Came {
            at: now,
            newcomers: arrivals.iter().filter(|one| one.is_new).count() as u64,
            units: units.len() as u64,
        });
        let back = arrivals.iter().filter(|one| !one.is_new);
        state.passed.extend(back.map(|one| Passed {
            at: now,
            kind: GuardedKind::Arrival,
            subject: one.item.subject.clone(),
            units: Vec::new(),
            phones: None,
        }));
    }
}

fn passed(at: jiff::Timestamp, loss: &Loss) -> Passed {
    Passed {
        at,
        kind: loss.item.kind,
        subject: loss.item.subject.clone(),
        units: loss.lived_in.clone(),
        phones: loss.phones.clone(),
    }
}
