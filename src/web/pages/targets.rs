//! Targets and deliveries: what people may open where, how far it has come, and what waits for approval.

use minijinja::context;

use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, Backend};
use crate::model::{DeliveryState, TargetId};

use super::super::asked::Asked;
use super::super::lists;
use super::super::look::{Page, value};

/// So much of what is to be done stands on a page.
const PLAN: usize = 500;

pub(super) async fn list<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    let targets = asked.backend().targets().await?;
    Ok(Page {
        title: "Targets".to_owned(),
        part: "targets",
        template: "targets.html",
        values: context! { targets => value(&targets) },
    })
}

pub(super) async fn one<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    let id = TargetId::new(asked.name("id"));
    let targets = asked.backend().targets().await?;
    let target = targets.into_iter().find(|target| target.id == id);
    let target = target.ok_or_else(|| ProblemDocument::no_target(&id))?;
    // A target that never came into effect has no plan.
    let plan = asked.backend().delivery_plan(id.clone()).await;
    let (digest, mut deeds) = match plan {
        Ok(plan) => (plan.digest, plan.deeds),
        Err(problem) if problem.status == 404 || problem.status == 409 => (None, Vec::new()),
        Err(problem) => return Err(problem),
    };
    let total = deeds.len();
    deeds.truncate(PLAN);
    Ok(Page {
        title: format!("Target {id}"),
        part: "targets",
        template: "target.html",
        values: context! {
            target => value(&target),
            digest => value(&digest),
            deeds => value(&deeds),
            more => total - deeds.len(),
        },
    })
}

pub(super) async fn deliveries<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    let query = lists::deliveries(&asked.query)?;
    let (target, person, state) = (query.target.clone(), query.person, query.state);
    let found = asked.backend().deliveries(query).await?;
    let targets = asked.backend().targets().await?;
    let targets: Vec<&TargetId> = targets.iter().map(|target| &target.id).collect();
    Ok(Page {
        title: "Deliveries".to_owned(),
        part: "targets",
        template: "deliveries.html",
        values: context! {
            deliveries => value(&found.items),
            targets => value(&targets),
            states => value(&DeliveryState::ALL.map(DeliveryState::as_str)),
            target => value(&target),
            person => value(&person),
            state_asked => value(&state),
            pages => value(&lists::pager(&asked.query, found.next.as_deref())),
        },
    })
}
