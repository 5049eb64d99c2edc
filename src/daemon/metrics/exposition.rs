//! Everything that is told of the daemon, as OpenMetrics text. Its labels are ids of integrations and targets that
//! have a file, and words of this program: no personal data, and no more series than the config asks for.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeMetric, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::control::protocol::{IntegrationState, IntegrationStatus, Status};
use crate::model::{
    AlertKind, BackupsKept, DeliveryState, IntegrationId, NamedBy, Problem, Tally, TargetState,
    TargetStatus,
};

use super::{BOUNDS, Counted, Feed, Metrics};

/// By what somebody is known over the network, or behind a proxy.
const WAYS: [NamedBy; 5] = [
    NamedBy::Account,
    NamedBy::Oidc,
    NamedBy::Proxy,
    NamedBy::Token,
    NamedBy::Hook,
];

/// What the store and the catalog say at one moment.
#[derive(Debug)]
pub(in crate::daemon) struct Scrape {
    /// The daemon and all of its integrations.
    pub status: Status,
    /// Open alerts by integration and kind.
    pub alerts: BTreeMap<(IntegrationId, AlertKind), u64>,
    /// Every target.
    pub targets: Vec<TargetStatus>,
    /// How often each integration is to run, in seconds.
    pub intervals: BTreeMap<IntegrationId, f64>,
    /// Runs that were given up and keep a thread, by integration.
    pub stuck: BTreeMap<IntegrationId, u64>,
    /// How long the store's file is, in bytes.
    pub store: u64,
    /// The backups that are made of it.
    pub backup: Option<BackupsKept>,
    /// Pages that are live.
    pub live: usize,
}

/// One scrape, to be encoded.
#[derive(Debug)]
struct Told {
    scrape: Scrape,
    counted: Counted,
    /// Those that have a file, with what was counted of them.
    feeds: Vec<(IntegrationStatus, Feed)>,
}

impl Metrics {
    /// The text of one scrape.
    pub(in crate::daemon) fn exposition(&self, mut scrape: Scrape) -> Result<String, fmt::Error> {
        let counted = self.counted();
        let feeds = std::mem::take(&mut scrape.status.integrations)
            .into_iter()
            // Gone, and not come back wrong: nobody waits for it.
            .filter(|one| one.state != IntegrationState::Removed || !one.problems.is_empty())
            .map(|one| {
                let feed = counted.integrations.get(&one.id).cloned();
                (one, feed.unwrap_or_default())
            })
            .collect();
        let mut registry = Registry::with_prefix("epms");
        registry.register_collector(Box::new(Told {
            scrape,
            counted,
            feeds,
        }));
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

impl Collector for Told {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let mut page = Page(encoder);
        self.daemon(&mut page)?;
        self.runs(&mut page)?;
        self.people(&mut page)?;
        self.files(&mut page)?;
        self.credentials(&mut page)?;
        self.deliveries(&mut page)?;
        self.notices(&mut page)?;
        self.web(&mut page)
    }
}

impl Told {
    fn daemon(&self, page: &mut Page) -> fmt::Result {
        let Scrape { status, store, .. } = &self.scrape;
        let about = [("version", status.version.as_str())];
        page.family("build", "The program that runs", None, MetricType::Info)?
            .encode_info(&about)?;
        page.gauge(
            "start_timestamp",
            "When the daemon started",
            Some(&Unit::Seconds),
        )?
        .alone(status.started.as_second())?;
        page.gauge(
            "store_epoch",
            "Restores and new beginnings of the store, and one",
            None,
        )?
        .alone(count(status.store.epoch))?;
        page.gauge("people", "People in the store", None)?
            .alone(count(status.people))?;
        page.gauge(
            "store_size",
            "How long the file of the store is",
            Some(&Unit::Bytes),
        )?
        .alone(count(*store))?;

        self.backups(page)?;
        page.counter("clock_jumps", "Times that the wall clock was set")?
            .alone(self.counted.clock_jumps)?;
        let mut reloads = page.counter(
            "reloads",
            "Times that the files were loaded anew: all of them right, or not",
        )?;
        reloads.one(&[("outcome", "succeeded")], self.counted.reloads_succeeded)?;
        reloads.one(&[("outcome", "failed")], self.counted.reloads_failed)?;
        let problems = |problems: &[Problem]| count(problems.len() as u64);
        let right =
            status.problems.is_empty() && self.feeds.iter().all(|(one, _)| one.problems.is_empty());
        page.gauge(
            "last_reload_successful",
            "Whether all files were right when they were loaded last",
            None,
        )?
        .alone(i64::from(right))?;
        page.gauge(
            "last_reload_success_timestamp",
            "When all files were right last; there is none before they were",
            Some(&Unit::Seconds),
        )?
        .alone_at(self.counted.last_good_load)?;
        page.gauge(
            "config_problems",
            "Problems of files that belong to no single integration",
            None,
        )?
        .alone(problems(&status.problems))
    }

    fn web(&self, page: &mut Page) -> fmt::Result {
        let listening = page.gauge(
            "web_listening",
            "Whether the page is where `web.listen` says, with the certificate that lies on disk; there is none where that names nothing",
            None,
        )?;
        if let Some(web) = &self.scrape.status.web {
            listening.alone(i64::from(web.problem.is_none()))?;
        }
        let mut sign_ins = page.counter(
            "web_sign_ins",
            "Times that somebody was let in over the network or by a proxy, and was not, by what says who they are",
        )?;
        for by in WAYS {
            let counts = self.counted.sign_ins.get(&by).copied().unwrap_or_default();
            let labels = |outcome| [("by", by.as_str()), ("outcome", outcome)];
            sign_ins.one(&labels("succeeded"), counts.succeeded)?;
            sign_ins.one(&labels("failed"), counts.failed)?;
        }
        let mut requests = page.counter(
            "web_requests",
            "Requests over the network, by the class of their answer's status",
        )?;
        for (digit, class) in (2..).zip(["2xx", "3xx", "4xx", "5xx"]) {
            let answered = self.counted.requests.get(&digit).copied();
            requests.one(&[("class", class)], answered.unwrap_or_default())?;
        }
        page.gauge(
            "web_live_pages",
            "Pages that are kept as things are now",
            None,
        )?
        .alone(count(self.scrape.live as u64))
    }

    /// Nothing where none are to be made.
    fn backups(&self, page: &mut Page) -> fmt::Result {
        let Some(kept) = &self.scrape.backup else {
            return Ok(());
        };
        page.gauge(
            "backup_interval",
            "How often a backup of the store is to be made",
            Some(&Unit::Seconds),
        )?
        .alone(count(kept.every))?;
        page.gauge(
            "backup_failing",
            "Whether the backup of the store failed when it was tried last",
            None,
        )?
        .alone(i64::from(kept.failing.is_some()))?;
        let age = page.gauge(
            "backup_age",
            "How old the last good backup of the store is; there is none before one was made",
            Some(&Unit::Seconds),
        )?;
        let last = kept.last.as_ref();
        last.map_or(Ok(()), |last| age.alone(count(last.age)))
    }

    fn runs(&self, page: &mut Page) -> fmt::Result {
        let mut runs = page.counter("runs", "Runs that ended, by how")?;
        for (id, feed) in self.counts() {
            for (outcome, count) in &feed.runs {
                runs.one(&[("integration", id), ("outcome", outcome)], *count)?;
            }
        }
        let mut seconds = page.family(
            "run_duration",
            "How long runs took",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for (id, feed) in self.counts() {
            let buckets: Vec<(f64, u64)> = BOUNDS.into_iter().zip(feed.buckets).collect();
            let labels = [("integration", id)];
            seconds.encode_family(&labels)?.encode_histogram(
                feed.seconds,
                feed.buckets.iter().sum(),
                &buckets,
                None::<&HashMap<usize, Exemplar<NoLabelSet, f64>>>,
            )?;
        }
        let mut records = page.counter("records", "Residents in runs, by what became of them")?;
        for (id, feed) in self.counts() {
            for (fate, count) in &feed.records {
                let labels = [("integration", id), ("fate", fate.as_str())];
                records.one(&labels, *count)?;
            }
        }
        let mut changes = page.counter("changes", "Entries that runs wrote to the change log")?;
        for (id, feed) in self.counts() {
            changes.one(&[("integration", id)], feed.changes)?;
        }

        let mut running = page.gauge("run_in_progress", "Whether a run is under way", None)?;
        for (id, one) in self.states() {
            running.one(&[("integration", id)], i64::from(one.running.is_some()))?;
        }
        let mut waiting = page.gauge(
            "run_waiting",
            "Whether a run, or the next one, waits: for its PMS, or for its file",
            None,
        )?;
        for (id, one) in self.states() {
            waiting.one(&[("integration", id)], i64::from(one.waits_for.is_some()))?;
        }
        let mut stuck = page.gauge(
            "stuck_runs",
            "Runs that were given up, and whose script still keeps a thread",
            None,
        )?;
        for (id, one) in self.states() {
            let runs = self.scrape.stuck.get(&one.id).copied();
            stuck.one(&[("integration", id)], count(runs.unwrap_or_default()))?;
        }
        let mut success = page.gauge(
            "last_success_timestamp",
            "When a run succeeded last; there is none before one did",
            Some(&Unit::Seconds),
        )?;
        for (id, one) in self.states() {
            success.maybe(&[("integration", id)], one.last_success)?;
        }
        let mut failures = page.gauge(
            "consecutive_failures",
            "Runs in a row whose source failed",
            None,
        )?;
        for (id, one) in self.states() {
            failures.one(&[("integration", id)], i64::from(one.failures))?;
        }
        let mut understood = page.gauge(
            "not_understood",
            "Whether its records cannot be mapped: nothing is written until they can, or it is approved",
            None,
        )?;
        for (id, one) in self.states() {
            understood.one(
                &[("integration", id)],
                i64::from(one.not_understood.is_some()),
            )?;
        }
        let mut scheduled = page.gauge(
            "scheduled",
            "Whether it is to run: its files were right once, and it is neither paused nor switched off",
            None,
        )?;
        for (id, one) in self.states() {
            let runs = matches!(
                one.state,
                IntegrationState::Idle | IntegrationState::Queued | IntegrationState::Running
            );
            scheduled.one(&[("integration", id)], i64::from(runs))?;
        }
        let mut interval = page.gauge(
            "schedule_interval",
            "How often it is to run",
            Some(&Unit::Seconds),
        )?;
        for (id, one) in self.states() {
            if let Some(seconds) = self.scrape.intervals.get(&one.id) {
                interval.one(&[("integration", id)], *seconds)?;
            }
        }
        let mut next = page.gauge(
            "next_run_timestamp",
            "When the next run is due",
            Some(&Unit::Seconds),
        )?;
        for (id, one) in self.states() {
            next.maybe(&[("integration", id)], one.next)?;
        }
        Ok(())
    }

    fn people(&self, page: &mut Page) -> fmt::Result {
        let mut alerts = page.gauge("open_alerts", "Open alerts, by kind", None)?;
        for (id, one) in self.states() {
            for kind in AlertKind::ALL {
                let open = self.scrape.alerts.get(&(one.id.clone(), kind));
                let labels = [("integration", id), ("kind", kind.as_str())];
                alerts.one(&labels, count(open.copied().unwrap_or_default()))?;
            }
        }
        let mut linked = page.gauge("linked_residents", "Residents linked to people", None)?;
        for (id, one) in self.states() {
            linked.one(&[("integration", id)], count(one.linked))?;
        }
        Ok(())
    }

    fn files(&self, page: &mut Page) -> fmt::Result {
        let mut generation = page.gauge(
            "generation",
            "The generation that runs; there is none while its files were never right",
            None,
        )?;
        for (id, one) in self.states() {
            if let Some(number) = one.generation {
                generation.one(&[("integration", id)], count(number))?;
            }
        }
        let mut loaded = page.gauge(
            "generation_loaded_timestamp",
            "Since when that generation runs",
            Some(&Unit::Seconds),
        )?;
        for (id, one) in self.states() {
            loaded.maybe(&[("integration", id)], one.loaded)?;
        }
        let mut problems = page.gauge(
            "integration_problems",
            "Why the files on disk are not what runs; 0 when they are",
            None,
        )?;
        for (id, one) in self.states() {
            problems.one(&[("integration", id)], count(one.problems.len() as u64))?;
        }
        let mut reloads = page.counter(
            "integration_reloads",
            "Reloads that gave it a new generation, and such that found its files not right",
        )?;
        for (id, feed) in self.counts() {
            let labels = |outcome| [("integration", id), ("outcome", outcome)];
            reloads.one(&labels("loaded"), feed.loaded)?;
            reloads.one(&labels("rejected"), feed.rejected)?;
        }
        Ok(())
    }

    fn credentials(&self, page: &mut Page) -> fmt::Result {
        let all = &self.scrape.status.credentials;
        let mut expires = page.gauge(
            "credential_expires_timestamp",
            "The end of the last day on which a credential is taken, where its file or the PMS says it",
            Some(&Unit::Seconds),
        )?;
        for one in all {
            let next = one.expires.and_then(|day| day.tomorrow().ok());
            let end = next.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
            let end = end.map(|end| end.timestamp());
            expires.maybe(&[("credential", &one.name)], end)?;
        }
        let mut left = page.gauge(
            "credential_requests_left",
            "How many requests may still be made with a credential in a day, or a month",
            None,
        )?;
        for one in all {
            for budget in &one.budgets {
                let labels = [
                    ("credential", one.name.as_str()),
                    ("per", budget.per.as_str()),
                ];
                left.one(&labels, count(budget.left))?;
            }
        }
        let mut limits = page.gauge(
            "credential_requests_limit",
            "How many requests may be made with a credential in a day, or a month",
            None,
        )?;
        for one in all {
            for budget in &one.budgets {
                let labels = [
                    ("credential", one.name.as_str()),
                    ("per", budget.per.as_str()),
                ];
                limits.one(&labels, count(budget.limit))?;
            }
        }
        Ok(())
    }

    fn deliveries(&self, page: &mut Page) -> fmt::Result {
        let mut grants = page.gauge(
            "deliveries",
            "Grants at targets, by how far they came",
            None,
        )?;
        for (id, one) in self.targets() {
            for state in DeliveryState::ALL {
                let labels = [("target", id), ("state", state.as_str())];
                grants.one(&labels, count(of_state(&one.grants, state)))?;
            }
        }
        let mut waiting = page.gauge(
            "deliveries_waiting",
            "Deliveries that wait for an approval, those among them that the guard holds",
            None,
        )?;
        for (id, one) in self.targets() {
            let waits = one.grants.waiting.saturating_add(one.grants.held);
            waiting.one(&[("target", id)], count(waits))?;
        }
        let mut oldest = page.gauge(
            "delivery_oldest_wanted_timestamp",
            "Since when the oldest delivery that may be sent was not; there is none where nothing is late",
            Some(&Unit::Seconds),
        )?;
        for (id, one) in self.targets() {
            oldest.maybe(&[("target", id)], one.oldest_wanted)?;
        }
        let mut late = page.gauge(
            "delivery_late",
            "By how much the latest start or end was missed",
            Some(&Unit::Seconds),
        )?;
        for (id, one) in self.targets() {
            late.one(&[("target", id)], count(one.late))?;
        }
        let mut up = page.gauge(
            "target_up",
            "Whether it is delivered to: its files were right once, and it let us in when it was asked last; there is none while it is switched off",
            None,
        )?;
        for (id, one) in self.targets() {
            if let Some(is_up) = is_up(one.state) {
                up.one(&[("target", id)], i64::from(is_up))?;
            }
        }
        Ok(())
    }

    fn notices(&self, page: &mut Page) -> fmt::Result {
        let mut sent = page.counter(
            "notices",
            "Messages that were sent to somebody, and tries that failed, by notification",
        )?;
        for (name, told) in &self.counted.notices {
            let labels = |outcome| [("notification", name.as_str()), ("outcome", outcome)];
            sent.one(&labels("succeeded"), told.succeeded)?;
            sent.one(&labels("failed"), told.failed)?;
        }
        let mut waiting = page.gauge(
            "notices_waiting",
            "Messages that have not come to all yet, by notification",
            None,
        )?;
        for (name, told) in &self.counted.notices {
            let labels = [("notification", name.as_str())];
            waiting.one(&labels, count(told.waiting as u64))?;
        }
        Ok(())
    }

    /// Those that have a file. Of one whose file is gone nothing is expected any more.
    fn targets(&self) -> impl Iterator<Item = (&str, &TargetStatus)> {
        let targets = self.scrape.targets.iter();
        let here = targets.filter(|one| one.state != TargetState::Removed);
        here.map(|one| (one.id.as_str(), one))
    }

    fn counts(&self) -> impl Iterator<Item = (&str, &Feed)> {
        self.feeds.iter().map(|(one, feed)| (one.id.as_str(), feed))
    }

    fn states(&self) -> impl Iterator<Item = (&str, &IntegrationStatus)> {
        self.feeds.iter().map(|(one, _)| (one.id.as_str(), one))
    }
}

fn of_state(grants: &Tally, state: DeliveryState) -> u64 {
    match state {
        DeliveryState::Wanted => grants.wanted,
        DeliveryState::Sent => grants.sent,
        DeliveryState::Confirmed => grants.confirmed,
        DeliveryState::Unknown => grants.unknown,
        DeliveryState::Parked => grants.parked,
        DeliveryState::Visit => grants.visit,
    }
}

/// Whether a target is delivered to; none where it is not to be.
fn is_up(state: TargetState) -> Option<bool> {
    match state {
        TargetState::Ok | TargetState::Waiting | TargetState::Held => Some(true),
        TargetState::Failing | TargetState::Broken => Some(false),
        TargetState::Off | TargetState::Removed => None,
    }
}

/// A number of things as gauges have it.
fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The text as it grows, family by family.
struct Page<'a>(DescriptorEncoder<'a>);

struct Gauges<'a>(MetricEncoder<'a>);

struct Counters<'a>(MetricEncoder<'a>);

impl Page<'_> {
    fn family<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        unit: Option<&'s Unit>,
        kind: MetricType,
    ) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.0.encode_descriptor(name, help, unit, kind)
    }

    fn gauge<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        unit: Option<&'s Unit>,
    ) -> Result<Gauges<'s>, fmt::Error> {
        let family = self.family(name, help, unit, MetricType::Gauge)?;
        Ok(Gauges(family))
    }

    fn counter<'s>(&'s mut self, name: &'s str, help: &str) -> Result<Counters<'s>, fmt::Error> {
        let family = self.family(name, help, None, MetricType::Counter)?;
        Ok(Counters(family))
    }
}

impl Gauges<'_> {
    /// The only one of its family.
    fn alone(self, value: i64) -> fmt::Result {
        ConstGauge::new(value).encode(self.0)
    }

    fn alone_at(self, at: Option<Timestamp>) -> fmt::Result {
        at.map_or(Ok(()), |at| self.alone(at.as_second()))
    }

    fn one<N>(&mut self, labels: &impl EncodeLabelSet, value: N) -> fmt::Result
    where
        ConstGauge<N>: EncodeMetric,
    {
        ConstGauge::new(value).encode(self.0.encode_family(labels)?)
    }

    fn maybe(&mut self, labels: &impl EncodeLabelSet, at: Option<Timestamp>) -> fmt::Result {
        at.map_or(Ok(()), |at| self.one(labels, at.as_second()))
    }
}

impl Counters<'_> {
    /// The only one of its family.
    fn alone(self, value: u64) -> fmt::Result {
        ConstCounter::new(value).encode(self.0)
    }

    fn one(&mut self, labels: &impl EncodeLabelSet, value: u64) -> fmt::Result {
        ConstCounter::new(value).encode(self.0.encode_family(labels)?)
    }
}
