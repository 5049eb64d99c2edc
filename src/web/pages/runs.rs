//! Runs: a list, and one with every decision by what became of it, and the plan that waits for somebody's approval.

use std::collections::BTreeMap;

use minijinja::context;
use serde::Serialize;

use crate::control::server::{Answer, Backend};
use crate::model::{
    Decision, Fate, Guarded, GuardedKind, HeldPlan, IntegrationId, OutcomeAsked, Run, RunId,
    RunQuery,
};

use super::super::asked::Asked;
use super::super::chart::{self, Week};
use super::super::lists::{self, ROWS};
use super::super::look::{Page, value};

/// So much of a plan stands on a page.
const PLAN: usize = 500;

pub(super) async fn list<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    const OUTCOMES: [OutcomeAsked; 9] = [
        OutcomeAsked::Running,
        OutcomeAsked::Committed,
        OutcomeAsked::Unchanged,
        OutcomeAsked::Held,
        OutcomeAsked::Incomplete,
        OutcomeAsked::NotUnderstood,
        OutcomeAsked::Postponed,
        OutcomeAsked::Failed,
        OutcomeAsked::Interrupted,
    ];
    let query = lists::runs(&asked.query)?;
    let integration = query.integration.clone();
    // Of the first page alone: the others go on with the list.
    let (of_week, week_limit) = match query.cursor {
        None => week(&asked, integration.clone()).await?,
        Some(_) => (None, None),
    };
    let outcome = query.outcome.map(OutcomeAsked::as_str);
    let found = asked.backend().runs(query).await?;
    let integrations = asked.backend().integrations();
    Ok(Page {
        title: "Runs".to_owned(),
        part: "runs",
        template: "runs.html",
        values: context! {
            of_week => value(&of_week),
            week_limit => value(&week_limit),
            runs => value(&found.items),
            integrations => value(&integrations),
            integration => value(&integration),
            outcomes => value(&OUTCOMES.map(OutcomeAsked::as_str)),
            outcome => outcome.unwrap_or_default(),
            pages => value(&lists::pager(&asked.query, found.next.as_deref())),
        },
    })
}

/// So many runs are looked at for the chart of a week.
const WEEK: usize = 1_000;

/// The chart of the last seven days, and of how many runs it is where there were more.
pub(super) async fn week<B: Backend>(
    asked: &Asked<B>,
    integration: Option<IntegrationId>,
) -> Answer<(Option<Week>, Option<usize>)> {
    let query = RunQuery {
        integration,
        limit: Some(WEEK),
        ..RunQuery::default()
    };
    let found = asked.backend().runs(query).await?;
    let has_more = found.next.is_some();
    let runs: Vec<Run> = found
        .items
        .into_iter()
        .filter_map(|run| run.report)
        .collect();
    let begins = chart::begins(asked.now());
    let is_cut = has_more && runs.last().is_some_and(|run| run.started >= begins);
    let limit = is_cut.then_some(runs.len());
    Ok((chart::week(&runs, asked.now()), limit))
}

/// What waits for approval.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Plan {
    digest: String,
    /// How much of what: `closing 6`.
    counts: Vec<(&'static str, usize)>,
    items: Vec<Item>,
    /// How many are not shown.
    more: usize,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Item {
    what: &'static str,
    #[serde(flatten)]
    of: Guarded,
}

fn plan(plan: HeldPlan) -> Plan {
    let mut kinds: BTreeMap<GuardedKind, usize> = BTreeMap::new();
    for item in &plan.items {
        *kinds.entry(item.kind).or_default() += 1;
    }
    Plan {
        digest: plan.digest,
        counts: kinds
            .into_iter()
            .map(|(kind, count)| (kind.as_str(), count))
            .collect(),
        more: plan.items.len().saturating_sub(PLAN),
        items: plan
            .items
            .into_iter()
            .take(PLAN)
            .map(|of| Item {
                what: of.kind.as_str(),
                of,
            })
            .collect(),
    }
}

/// How many of a fate, and how people are told it.
#[derive(Serialize)]
struct OfFate {
    fate: Fate,
    told: &'static str,
    count: u64,
    address: String,
}

pub(super) async fn one<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    let id: RunId = asked.id("id")?;
    let detail = asked.backend().run(id).await?;
    let report = detail.state.report.as_ref();
    let fate: Option<Fate> = asked.query.word("fate")?;
    let counts = report.map(|report| report.counts).unwrap_or_default();
    let fates: Vec<OfFate> = Fate::ALL
        .into_iter()
        .filter(|fate| counts.of(*fate) > 0)
        .map(|fate| OfFate {
            fate,
            told: fate.told(),
            count: counts.of(fate),
            address: asked.query.with("fate", Some(fate.as_str())),
        })
        .collect();
    let q = asked.query.get("q").unwrap_or_default();
    let fits = |one: &&Decision| {
        let of_fate = fate.is_none_or(|fate| one.fate == fate);
        of_fate && (one.subject.starts_with(q) || one.reason.contains(q))
    };
    let from: usize = asked.query.parsed("cursor")?.unwrap_or_default();
    let mut rest = detail.decisions.iter().filter(fits).skip(from);
    let decisions: Vec<&Decision> = rest.by_ref().take(ROWS).collect();
    let next = rest.next().map(|_| (from + ROWS).to_string());
    let outcome = report.map(|report| &report.outcome);
    let has_decisions = !detail.decisions.is_empty();
    let digest = outcome.and_then(|outcome| outcome.digest());
    let rejected = report.and_then(|report| report.rejected_by.as_ref());
    let took =
        report.and_then(|report| Some(report.ended?.as_second() - report.started.as_second()));
    let held = detail.held.clone().map(plan);
    // Of another plan, or of one that was carried out, nothing waits any more.
    let not_understood = outcome.filter(|outcome| outcome.as_str() == "not_understood");
    let waits = held.is_some() || not_understood.is_some();
    Ok(Page {
        title: format!("Run {id}"),
        part: "runs",
        template: "run.html",
        values: context! {
            id => id.to_string(),
            run => value(&detail.state),
            outcome => outcome.map_or("queued", |outcome| outcome.as_str()),
            reason => value(&outcome.and_then(|outcome| outcome.reason())),
            digest => value(&digest),
            waits => waits,
            rejected_by => value(&rejected.map(ToString::to_string)),
            approved_by => value(&report.and_then(|report| report.approved_by.as_ref()).map(ToString::to_string)),
            took => value(&took.map(super::super::times::length)),
            held => value(&held),
            since_upgrade => value(&detail.since_upgrade.clone().map(plan)),
            fates => value(&fates),
            fate => value(&fate),
            all => asked.query.with("fate", None),
            q => q,
            decisions => value(&decisions),
            has_decisions => has_decisions,
            pages => value(&lists::pager(&asked.query, next.as_deref())),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_how_much_of_what_and_how_many_are_not_shown() {
        let item = |kind| Guarded::of_feed(kind, "p");
        let mut items = vec![item(GuardedKind::Closing); PLAN];
        items.push(item(GuardedKind::UnitChange));
        let plan = plan(HeldPlan {
            run: RunId(1),
            digest: "d".into(),
            items,
        });
        assert_eq!(plan.counts, [("closing", PLAN), ("unit change", 1)]);
        assert_eq!((plan.items.len(), plan.more), (PLAN, 1));
    }
}
