//! What is asked about targets and deliveries over the socket, and what is done to them by hand.

use axum::Json;
use axum::extract::{ConnectInfo, State};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::control::protocol::{
    ApproveDeliveries, Page, ProblemDocument, RetryDeliveries, Targets,
};
use crate::model::{
    DeliveriesTouched, Delivery, DeliveryPlan, DeliveryState, PersonId, TargetId, TargetStatus,
};

use super::acts::ToldOrNothing;
use super::{Answer, App, Asked, Backend, Named, Peer};

/// Which deliveries, and how many.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryQuery {
    /// Only at this target.
    pub target: Option<TargetId>,
    /// Only of this person.
    pub person: Option<PersonId>,
    /// Only those that have come this far.
    pub state: Option<DeliveryState>,
    /// At most so many; 1 to 1,000.
    pub limit: Option<usize>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

impl DeliveryQuery {
    /// How many items a page has.
    pub fn size(&self) -> usize {
        self.limit.unwrap_or(100).clamp(1, 1_000)
    }
}

pub(super) async fn targets<B: Backend>(State(app): State<App<B>>) -> Answer<Json<Targets>> {
    let items = app.backend.targets().await?;
    Ok(Json(Targets { items }))
}

pub(super) async fn target<B: Backend>(
    State(app): State<App<B>>,
    Named(name): Named,
) -> Answer<Json<TargetStatus>> {
    let id = TargetId::new(name);
    let mut targets = app.backend.targets().await?.into_iter();
    let target = targets.find(|target| target.id == id);
    target
        .map(Json)
        .ok_or_else(|| ProblemDocument::no_target(&id))
}

pub(super) async fn list<B: Backend>(
    State(app): State<App<B>>,
    Asked(query): Asked<DeliveryQuery>,
) -> Answer<Json<Page<Delivery>>> {
    app.backend.deliveries(query).await.map(Json)
}

pub(super) async fn preview<B: Backend>(
    State(app): State<App<B>>,
    Named(name): Named,
) -> Answer<Json<DeliveryPlan>> {
    let plan = app.backend.delivery_plan(TargetId::new(name));
    plan.await.map(Json)
}

pub(super) async fn approve<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(name): Named,
    ToldOrNothing(told): ToldOrNothing<ApproveDeliveries>,
) -> Answer<Json<DeliveriesTouched>> {
    let approved = app
        .backend
        .approve_deliveries(TargetId::new(name), told.digest, peer);
    approved.await.map(Json)
}

pub(super) async fn retry<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(name): Named,
    ToldOrNothing(told): ToldOrNothing<RetryDeliveries>,
) -> Answer<Json<DeliveriesTouched>> {
    let retried = app
        .backend
        .retry_deliveries(TargetId::new(name), told.person, peer);
    retried.await.map(Json)
}
