//! The alerts of a target: what is refused, does not converge, was found there, is held, wants a visit, or has no place. One
//! for each kind and target, and for each unit without a place; each closes itself when its cause is gone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{Alert, AlertId, AlertKind, AlertState, IntegrationId, RunId, TargetId};
use crate::store::{Store, Write};

use super::desk::{Desk, NOBODY};
use super::error::DeliverError;
use super::index::Index;

/// So many stand in an alert as examples.
const EXAMPLES: usize = 5;

/// What an alert tells, by what it is about.
type Wanted = BTreeMap<(AlertKind, IntegrationId, String), (String, u64, Vec<String>)>;

/// The kinds that are raised and closed here.
pub(super) const KINDS: [AlertKind; 6] = [
    AlertKind::DeliveryFailed,
    AlertKind::NotConverging,
    AlertKind::FoundAtTarget,
    AlertKind::RevocationsHeld,
    AlertKind::VisitNeeded,
    AlertKind::UnmappedPlace,
];

impl Desk {
    /// Raises, refreshes and closes the target's alerts, where what they tell is another than before. `trouble` is what is
    /// wrong with the target itself.
    pub fn alert(&self, trouble: Option<&str>, now: Timestamp) -> Result<(), DeliverError> {
        let wanted = {
            let index = self.index();
            self.wanted(&index, trouble)
        };
        let view = self.store.read()?;
        let open = view.open_alerts(None)?;
        drop(view);
        let target = self.id().as_str();
        let is_ours = |alert: &Alert| {
            let of_target = alert.subject == target
                || alert
                    .subject
                    .strip_prefix(target)
                    .is_some_and(|rest| rest.starts_with(' '));
            KINDS.contains(&alert.kind) && of_target && alert.subject != of_files(self.id())
        };
        let open: Vec<Alert> = open.into_iter().filter(is_ours).collect();
        let known: BTreeSet<_> = open.iter().map(cause).collect();
        let mut changed = open.iter().filter(|alert| match wanted.get(&cause(alert)) {
            None => true,
            Some((detail, count, _)) => alert.detail != *detail || alert.count != Some(*count),
        });
        if changed.next().is_none() && wanted.keys().all(|one| known.contains(one)) {
            return Ok(());
        }
        let write = self.store.write()?;
        let gone = open
            .into_iter()
            .filter(|one| !wanted.contains_key(&cause(one)));
        for alert in gone.filter_map(|alert| Alert::closed(Some(alert), now)) {
            write.put_alert(&alert)?;
        }
        for ((kind, integration, subject), (detail, count, examples)) in wanted {
            let before = write.alert_of(&integration, kind, &subject)?;
            let alert = raise(
                &write,
                before,
                (kind, integration, subject),
                (detail, count, examples),
                now,
            )?;
            write.put_alert(&alert)?;
        }
        write.commit()?;
        Ok(())
    }

    fn wanted(&self, index: &Index, trouble: Option<&str>) -> Wanted {
        let mut wanted = Wanted::new();
        let Some(first) = self.target.serves.keys().next() else {
            return wanted;
        };
        let target = self.id().as_str();
        let mut refused: Vec<String> = Vec::new();
        let mut why: Option<&str> = None;
        let (mut failed, mut turning, mut found, mut visit) =
            (0, Vec::new(), Vec::new(), Vec::new());
        for (person, told) in index.told() {
            // Keys may have emails in them: `epms deliveries` tells them to whoever may ask.
            let who = match person {
                NOBODY => "nobody".to_owned(),
                person => person.to_string(),
            };
            for (_, text) in &told.refused {
                failed += 1;
                why = why.or(Some(text));
                refused.push(who.clone());
            }
            if let Some(text) = &told.wrong {
                failed += 1;
                why = why.or(Some(text));
                refused.push(who.clone());
            }
            turning.extend(told.not_converging.iter().map(|_| who.clone()));
            found.extend(told.found.iter().map(|_| who.clone()));
            visit.extend(told.visit.iter().map(|_| who.clone()));
            for (integration, unit) in &told.unmapped {
                let subject = format!("{target} {unit}");
                let entry = wanted
                    .entry((AlertKind::UnmappedPlace, integration.clone(), subject))
                    .or_insert_with(|| {
                        let detail = format!(
                            "unit `{unit}` has no place at the target `{target}`, and what people there have stays as it is: write it into `places.map` of config/targets/{target}.yaml; `epms discover {target}` lists the places"
                        );
                        (detail, 0, Vec::new())
                    });
                entry.1 += 1;
                entry.2.push(person.to_string());
            }
        }
        let mut tell = |kind: AlertKind, detail: String, about: &[String], count: u64| {
            let examples: BTreeSet<&String> = about.iter().collect();
            let examples = examples.into_iter().take(EXAMPLES).cloned().collect();
            wanted.insert(
                (kind, first.clone(), target.to_owned()),
                (detail, count, examples),
            );
        };
        match trouble {
            Some(trouble) => tell(
                AlertKind::DeliveryFailed,
                format!("the target `{target}` takes nothing: {trouble}"),
                &refused,
                failed.max(1),
            ),
            None if failed > 0 => tell(
                AlertKind::DeliveryFailed,
                format!(
                    "{failed} at the target `{target}` cannot be done; the first says: {}; mend it, then `epms deliveries retry {target}`",
                    crate::outbound::without_said(why.unwrap_or_default())
                ),
                &refused,
                failed,
            ),
            None => {}
        }
        if !turning.is_empty() {
            let detail = format!(
                "{} at the target `{target}` were sent twice and are still something else there: see `epms deliveries list --target {target} --state parked`; where the target words them otherwise, correct `held` of its script",
                turning.len()
            );
            tell(
                AlertKind::NotConverging,
                detail,
                &turning,
                turning.len() as u64,
            );
        }
        if !found.is_empty() {
            let detail = format!(
                "{} are at the target `{target}`, are ours, and nobody should have them: taking them away waits for `epms deliveries approve {target}`",
                found.len()
            );
            tell(AlertKind::FoundAtTarget, detail, &found, found.len() as u64);
        }
        if index.is_held {
            let held = index.tally().held;
            let detail = format!(
                "too much would be taken away at the target `{target}` at once: {held} wait; see `epms deliveries preview {target}`, then `epms deliveries approve {target} --digest D`"
            );
            tell(AlertKind::RevocationsHeld, detail, &[], held);
        }
        if !visit.is_empty() {
            let detail = format!(
                "{} grants of the target `{target}` are of doors that have not heard of them, or not that they are over: somebody must go there with a phone that is online; then `epms deliveries retry {target}` for those that are over",
                visit.len()
            );
            tell(AlertKind::VisitNeeded, detail, &visit, visit.len() as u64);
        }
        wanted
    }
}

/// The subject of the alert about a target's files.
fn of_files(target: &TargetId) -> String {
    format!("{target} files")
}

/// Tells that a target's files are not right, or that they are again; at an integration whose people it gets.
pub fn tell_of_files(
    store: &Store,
    target: &TargetId,
    integration: &IntegrationId,
    what: Option<&str>,
    now: Timestamp,
) -> Result<(), DeliverError> {
    let subject = of_files(target);
    let write = store.write()?;
    let before = write.alert_of(integration, AlertKind::DeliveryFailed, &subject)?;
    let is_told = before
        .as_ref()
        .is_some_and(|alert| alert.state == AlertState::Open && what == Some(&*alert.detail));
    let alert = match what {
        Some(_) if is_told => return Ok(()),
        Some(what) => {
            let about = (AlertKind::DeliveryFailed, integration.clone(), subject);
            Some(raise(
                &write,
                before,
                about,
                (what.to_owned(), 1, Vec::new()),
                now,
            )?)
        }
        None => Alert::closed(before, now),
    };
    if let Some(alert) = alert {
        write.put_alert(&alert)?;
        write.commit()?;
    }
    Ok(())
}

fn cause(alert: &Alert) -> (AlertKind, IntegrationId, String) {
    (alert.kind, alert.integration.clone(), alert.subject.clone())
}

/// The alert as it is open now: the one before, refreshed, or a new one.
pub(super) fn raise(
    write: &Write,
    before: Option<Alert>,
    about: (AlertKind, IntegrationId, String),
    (detail, count, examples): (String, u64, Vec<String>),
    now: Timestamp,
) -> Result<Alert, DeliverError> {
    let run = write.history(&about.1)?.last_run.unwrap_or(RunId(0));
    let mut alert = Alert::opened(before, about, run, &detail, now);
    if alert.id == AlertId(0) {
        alert.id = write.new_alert_id()?;
    }
    alert.count = Some(count);
    alert.examples = examples.into_iter().take(EXAMPLES).collect();
    Ok(alert)
}
