//! What passed within the window before a run, and who came within it without being an arrival. Pure but for the
//! question which PMS properties were ever read.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Admitted, Approved, Came, Gone, Passed};

use super::super::People;
use super::{Facts, length};

/// The window of a run.
#[derive(Debug)]
pub(super) struct Window<'a> {
    now: Timestamp,
    length: SignedDuration,
    /// What passed unasked, oldest first.
    pub(super) passed: Vec<&'a Passed>,
    /// How many came unasked.
    pub(super) came: Vec<Came>,
    /// What was approved.
    pub(super) approved: Vec<&'a Approved>,
    /// Who came and is no arrival; those of this run, too.
    pub(super) admitted: Vec<Admitted>,
    /// The PMS properties that were read completely, this run's included.
    pub(super) read: BTreeSet<String>,
}

impl<'a> Window<'a> {
    pub(super) fn before<P: People>(facts: &Facts<'a, P>) -> Result<Window<'a>, P::Error> {
        let (now, length) = (facts.now, length(facts.limits.window));
        let within = |at: Timestamp| now.duration_since(at) < length;
        let state = facts.state;
        let known = known(facts)?;
        let heard = facts
            .attached
            .iter()
            .filter(|one| !facts.silent.contains(*one));
        let read = match &known {
            None => heard.cloned().collect(),
            Some(known) => {
                let still = known.intersection(facts.attached);
                still.chain(heard).cloned().collect()
            }
        };
        let first = |property: Option<String>| Admitted {
            at: now,
            property,
            first: true,
        };
        let firsts: Vec<Admitted> = match known {
            None => vec![first(None)],
            Some(known) => BTreeSet::difference(&read, &known)
                .map(|one| first(Some(one.clone())))
                .collect(),
        };
        let earlier = state.admitted.iter().filter(|one| within(one.at));
        Ok(Window {
            now,
            length,
            passed: state.passed.iter().filter(|one| within(one.at)).collect(),
            came: state
                .came
                .iter()
                .filter(|one| within(one.at))
                .copied()
                .collect(),
            approved: state.approved.iter().filter(|one| within(one.at)).collect(),
            admitted: earlier.cloned().chain(firsts).collect(),
            read,
        })
    }

    /// Whether nothing was ever read of the feed: whoever comes was there before.
    pub(super) fn is_first_of_all(&self) -> bool {
        let mut admitted = self.admitted.iter();
        admitted.any(|one| one.at == self.now && one.property.is_none() && one.first)
    }

    /// Whether something at this time is within the window.
    pub(super) fn has(&self, at: Timestamp) -> bool {
        self.now.duration_since(at) < self.length
    }

    /// By what somebody is no arrival who was linked at `at`, as a resident of these PMS properties. Where the PMS
    /// is asked for all properties at once, nobody can tell whose a resident is.
    pub(super) fn admits<'p>(
        &self,
        at: Timestamp,
        mut properties: impl Iterator<Item = Option<&'p str>>,
    ) -> Option<&Admitted> {
        let mut admitted = self.admitted.iter().filter(|one| one.at == at).peekable();
        admitted.peek()?;
        let admitted: Vec<&Admitted> = admitted.collect();
        properties.find_map(|of| {
            admitted.iter().copied().find(|one| {
                let property = one.property.as_deref();
                property.is_none() || of.is_none() || of == property
            })
        })
    }

    /// How many linked people and occupied units approved plans took within the window: of a PMS property, or of all.
    pub(super) fn gone(&self, property: Option<&str>) -> Gone {
        let mut all = Gone::default();
        for approved in &self.approved {
            let gone = match property {
                None => Some(&approved.all),
                Some(property) => approved.of_each.get(property),
            };
            all.linked += gone.map_or(0, |gone| gone.linked);
            all.occupied += gone.map_or(0, |gone| gone.occupied);
        }
        all
    }
}

/// The PMS properties that were read before; none where none ever was. Earlier versions did not say: there, those
/// that somebody is linked of, and where links name none, all that are attached.
fn known<P: People>(facts: &Facts<'_, P>) -> Result<Option<BTreeSet<String>>, P::Error> {
    if let Some(known) = &facts.state.attached {
        return Ok(Some(known.clone()));
    }
    if facts.state.excluded_by.is_none() {
        return Ok(None);
    }
    let links = (facts.all_links)()?;
    let named: BTreeSet<String> = links
        .values()
        .filter_map(|link| link.property.clone())
        .collect();
    Ok(Some(if named.is_empty() {
        facts.attached.clone()
    } else {
        named
    }))
}
