//! What a person's stays open, and from when until when (R38, R39). Pure: knows no target and no grant; the script of a
//! target words what comes out of this.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::moments::after;
use crate::model::{IntegrationId, LeaseStatus, Person, Stay, Unit};

/// What a target's file says about times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// How long after somebody was seen to live there access starts (R38).
    pub start_delay: Duration,
    /// Days before moving in that access starts.
    pub early: u16,
    /// Days after the stay is over that access ends.
    pub late: u16,
    /// Whether access ends with the day of moving out where notice was given, and not only once the status says so.
    pub ends_with_move_out: bool,
}

/// Where a stay stands, as far as access goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// They will move in.
    Ahead,
    /// They live there.
    Here,
    /// They do not live there, and will not.
    Over,
}

/// Where a stay stood when it was looked at last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Where it stood.
    pub standing: Standing,
    /// Since when it is known to.
    pub since: Timestamp,
    /// When access by it started, or will; none where it never did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
}

/// What one stay opens: the doors of a unit, or of the property alone where the stay has no unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The integration, and so the property.
    pub integration: IntegrationId,
    /// The unit.
    pub unit: Option<Unit>,
    /// From when.
    pub start: Timestamp,
    /// Until when; without it until the status says so (R39).
    pub end: Option<Timestamp>,
}

/// What a person's stays open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// What is open or will be, by property and unit.
    pub openings: Vec<Opening>,
    /// The properties where a stay rests while it is current (R8): whoever has access there keeps it.
    pub resting: Vec<IntegrationId>,
    /// When it is to be looked at again, though nothing has happened.
    pub again: Option<Timestamp>,
    /// Every stay that was looked at, now or before, is over by its status, or gone from the person.
    pub is_over: bool,
}

impl Access {
    /// Those that are open by now.
    pub fn open(&self, now: Timestamp) -> impl Iterator<Item = &Opening> {
        self.openings.iter().filter(move |one| one.start <= now)
    }
}

/// What a person's stays open now and later, by the properties that a target serves, each with its time zone. `seen` is
/// what the last look at the same person left, and becomes what this one leaves; `detected` is when the store learned of
/// what is new in it.
///
/// Status decides and not the calendar (R39): the end of a lease closes nothing. A stay that is gone from the person
/// opens nothing either: it was ended, untied or moved by hand, and never by silence. Where the person has an open stay
/// somewhere that the target does not serve, it may have gone there with its file (R46), and what it opened is kept.
pub fn access(
    person: &Person,
    seen: &mut BTreeMap<IntegrationId, Seen>,
    policy: &Policy,
    zones: &BTreeMap<IntegrationId, TimeZone>,
    detected: Timestamp,
    now: Timestamp,
) -> Access {
    let mut access = Access::default();
    // A stay that is gone may have gone on somewhere else (R46): what it opened is not taken away for that.
    let mut stays = person.stays.iter();
    let is_elsewhere =
        stays.any(|(integration, stay)| !zones.contains_key(integration) && !stay.is_closed());
    if is_elsewhere {
        let gone = seen.keys().filter(|id| !person.stays.contains_key(*id));
        access.resting.extend(gone.cloned());
    } else {
        seen.retain(|integration, _| person.stays.contains_key(integration));
    }
    for (integration, zone) in zones {
        let Some(stay) = person.stay(integration) else {
            continue;
        };
        // A store keeps the last known status in the place of an unknown one; if it ever did not, nobody loses anything.
        let is_unknown = stay.status == LeaseStatus::Unknown;
        if is_unknown || (stay.excluded && !stay.is_closed()) {
            access.resting.push(integration.clone());
            continue;
        }
        let before = seen.get(integration).copied();
        let after = stood(stay, before, policy, zone, detected, now);
        seen.insert(integration.clone(), after);
        let Some(start) = after.start else { continue };
        let end = ends(stay, &after, policy, zone);
        if end.is_some_and(|end| end <= now) {
            continue;
        }
        let units = stay.unit.iter().chain(&stay.more_units);
        let mut units: Vec<Option<Unit>> = units.cloned().map(Some).collect();
        if units.is_empty() {
            units.push(None);
        }
        access
            .openings
            .extend(units.into_iter().map(|unit| Opening {
                integration: integration.clone(),
                unit,
                start,
                end,
            }));
    }
    // A property that the target's file does not name any more says nothing: what it opened is for the file to answer.
    let is_over = |stay: &Stay| stay.is_closed();
    let mut seen = seen.keys().map(|integration| person.stay(integration));
    access.is_over = access.openings.is_empty()
        && access.resting.is_empty()
        && seen.all(|stay| stay.is_none_or(is_over));
    let moments = access.openings.iter();
    let moments = moments.flat_map(|one| std::iter::once(one.start).chain(one.end));
    access.again = moments.filter(|moment| *moment > now).min();
    access
}

/// Where a stay stands now, since when, and from when it opens anything.
fn stood(
    stay: &Stay,
    before: Option<Seen>,
    policy: &Policy,
    zone: &TimeZone,
    detected: Timestamp,
    now: Timestamp,
) -> Seen {
    let standing = match stay.status {
        LeaseStatus::Current => Standing::Here,
        LeaseStatus::Pending => Standing::Ahead,
        LeaseStatus::Past | LeaseStatus::Applicant | LeaseStatus::Void | LeaseStatus::Unknown => {
            Standing::Over
        }
    };
    let same = before.filter(|before| before.standing == standing);
    let since = same.map_or(detected, |before| before.since);
    let started = before.and_then(|before| before.start);
    let start = match standing {
        Standing::Ahead => early(stay, policy, zone),
        Standing::Here => {
            let delayed = Some(after(since, policy.start_delay));
            match before.map(|before| before.standing) {
                // What was to start before they were seen to live there starts no later for it.
                Some(Standing::Ahead) => started.into_iter().chain(delayed).min(),
                // What has not started yet starts as the file says by now.
                Some(Standing::Here) => started.filter(|start| *start <= now).or(delayed),
                Some(Standing::Over) | None => delayed,
            }
        }
        // Grace days are for whoever had access, or was to have it by now.
        Standing::Over => started.filter(|start| *start <= since),
    };
    Seen {
        standing,
        since,
        start,
    }
}

/// When access starts that begins some days before moving in; none where it does not, or the day is not known.
fn early(stay: &Stay, policy: &Policy, zone: &TimeZone) -> Option<Timestamp> {
    let day = stay.move_in.or(stay.lease_start)?;
    (policy.early > 0).then(|| midnight(day, -i64::from(policy.early), zone))?
}

/// When access by a stay ends, where that is known.
fn ends(stay: &Stay, seen: &Seen, policy: &Policy, zone: &TimeZone) -> Option<Timestamp> {
    let late = i64::from(policy.late);
    match seen.standing {
        Standing::Ahead => None,
        Standing::Here => {
            let day = stay.move_out.filter(|_| stay.notice)?;
            policy
                .ends_with_move_out
                .then(|| midnight(day, late + 1, zone))?
        }
        Standing::Over if policy.late == 0 => Some(seen.since),
        Standing::Over => midnight(seen.since.to_zoned(zone.clone()).date(), late + 1, zone),
    }
}

/// The beginning of the day that is so many days from another, at the property.
fn midnight(day: Date, days: i64, zone: &TimeZone) -> Option<Timestamp> {
    let day = day.checked_add(Span::new().try_days(days).ok()?).ok()?;
    Some(day.to_zoned(zone.clone()).ok()?.timestamp())
}
