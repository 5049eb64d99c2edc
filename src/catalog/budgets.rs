//! What a credential may ask in a day and a month (R43): the share of each integration that hangs on it, and whether it
//! lasts for their schedules, or for reading targets back. Reads no files, and counts no requests.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::config::Limits;
use crate::model::IntegrationId;
use crate::outbound::{apart, for_the_clock};
use crate::source::Operation;

use super::{Catalog, Integration, Slot, Target, TargetSlot};

const DAY: Duration = Duration::from_hours(24);
const MONTH: Duration = Duration::from_hours(31 * 24);

/// What an integration has of the budget of a day and a month that its credential has (R43).
pub struct Share {
    credential: String,
    limits: Limits,
    /// So many integrations share it.
    sharing: usize,
    /// So far apart its runs begin.
    pub apart: SignedDuration,
}

impl Share {
    /// Why its runs are so far apart, in words.
    pub fn told(&self, apart: SignedDuration) -> String {
        let of = |most: Option<u32>, name| most.map(|most| format!("{most} requests {name}"));
        let limits = [
            of(self.limits.per_day, "a day"),
            of(self.limits.per_month, "a month"),
        ];
        let limits: Vec<String> = limits.into_iter().flatten().collect();
        format!(
            "the budget of the credential `{}` ({}, shared by {}) lasts for a run every {} min; ask the PMS's owner for more requests, or sync fewer PMS properties with it",
            self.credential,
            limits.join(", "),
            self.sharing,
            apart.as_mins()
        )
    }
}

impl Catalog {
    /// The share of an integration whose runs make so many requests; none where there is no such budget.
    pub fn share(&self, id: &IntegrationId, requests: u64) -> Option<Share> {
        let integration = self.integrations.get(id)?.current.as_ref()?;
        let limits = integration.limits();
        if limits.per_day.is_none() && limits.per_month.is_none() {
            return None;
        }
        let credential = &integration.config.credential;
        let sharing = switched_on(self).filter(|one| one.config.credential == *credential);
        let sharing = sharing.count();
        Some(Share {
            apart: apart(&limits, sharing, requests),
            credential: credential.clone(),
            limits,
            sharing,
        })
    }
}

impl Catalog {
    /// Whether one reading of residents may serve this integration and another one.
    pub fn shares_readings(&self, integration: &Integration) -> bool {
        let credential = &integration.config.credential;
        let of_it = switched_on(self).filter(|one| one.config.credential == *credential);
        integration.source.is_read_for_all() && of_it.count() > 1
    }
}

/// Those that are to run.
fn switched_on(catalog: &Catalog) -> impl Iterator<Item = &Integration> {
    let running = catalog.integrations.values().filter_map(Slot::running);
    running.map(AsRef::as_ref).filter(|one| one.config.enabled)
}

/// A budget that does not last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TooShort {
    pub(super) credential: String,
    /// As the file has it.
    pub(super) limit: &'static str,
    most: u32,
    /// What is asked in that time at least, a login not counted.
    asked: u64,
    by: Asking,
}

/// Who asks with a credential, and how many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    Integrations(usize),
    Targets(usize),
}

impl fmt::Display for TooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TooShort {
            most, asked, by, ..
        } = self;
        let (name, field) = match self.limit {
            "limits.per_day" => ("a day", "per_day"),
            _ => ("a month", "per_month"),
        };
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let integrations = match *by {
            Asking::Integrations(count) => count,
            Asking::Targets(count) => {
                let are = if count == 1 { "is" } else { "are" };
                return write!(
                    f,
                    "{count} target{} of this credential {are} read back {asked} times {name}, with a request each time at least, and `{field}` is {most}, of which a tenth is kept for what is done by hand: nothing is left to deliver with; make `read_back` longer, or ask the target's owner for more requests",
                    plural(count)
                );
            }
        };
        let one = plural(integrations);
        write!(
            f,
            "{integrations} integration{one} of this credential ask {asked} times {name} at least, and `{field}` is {most}, of which a tenth is kept for manual syncs: they run less often than their `schedule` says; make `schedule.every` longer, or ask the PMS's owner for more requests"
        )
    }
}

/// The budgets that do not last, by credential.
pub(super) fn too_short(catalog: &Catalog) -> Vec<TooShort> {
    let mut by_credential: BTreeMap<&str, Vec<&Integration>> = BTreeMap::new();
    for integration in switched_on(catalog) {
        let credential = integration.config.credential.as_str();
        by_credential
            .entry(credential)
            .or_default()
            .push(integration);
    }
    let of_integrations = by_credential
        .into_iter()
        .flat_map(|(credential, integrations)| of_integrations(credential, &integrations));
    of_integrations.chain(of_targets(catalog)).collect()
}

fn of_integrations(credential: &str, integrations: &[&Integration]) -> Vec<TooShort> {
    let Some(first) = integrations.first() else {
        return Vec::new();
    };
    let asked = |period| integrations.iter().map(|one| asked(one, period)).sum();
    let by = Asking::Integrations(integrations.len());
    of(credential, &first.limits(), by, asked)
}

/// The budgets of credentials by which targets are read back so often that nothing is left for anything else.
fn of_targets(catalog: &Catalog) -> Vec<TooShort> {
    let mut by_credential: BTreeMap<&str, Vec<&Target>> = BTreeMap::new();
    let running = catalog.targets.values().filter_map(TargetSlot::running);
    // What is only told of changes is never read back.
    let read_back = |target: &&Arc<Target>| target.source.can(Operation::List);
    for target in running.filter(|one| one.config.enabled).filter(read_back) {
        let credential = target.config.credential.as_str();
        by_credential.entry(credential).or_default().push(target);
    }
    let found = by_credential.into_iter().flat_map(|(credential, targets)| {
        let limits = targets.first().map(|target| target.limits());
        let times = |target: &&Target, period: Duration| {
            period.as_secs() / target.config.read_back.0.as_secs().max(1)
        };
        let asked = |period| targets.iter().map(|one| times(one, period)).sum();
        let by = Asking::Targets(targets.len());
        of(credential, &limits.unwrap_or_default(), by, asked)
    });
    found.collect()
}

/// The budgets of a credential of which more is asked than may be.
fn of(
    credential: &str,
    limits: &Limits,
    by: Asking,
    asked: impl Fn(Duration) -> u64,
) -> Vec<TooShort> {
    let short = |most: Option<u32>, limit, period: Duration| {
        let (most, asked) = (most?, asked(period));
        (asked > u64::from(for_the_clock(most))).then(|| TooShort {
            credential: credential.to_owned(),
            limit,
            most,
            asked,
            by,
        })
    };
    let limits = [
        short(limits.per_day, "limits.per_day", DAY),
        short(limits.per_month, "limits.per_month", MONTH),
    ];
    limits.into_iter().flatten().collect()
}

/// What an integration asks in a time at least.
fn asked(integration: &Integration, period: Duration) -> u64 {
    let every = integration.schedule.every.0.as_secs().max(1);
    let properties = integration.config.pms_properties.len();
    (period.as_secs() / every) * integration.source.least_requests(properties)
}
