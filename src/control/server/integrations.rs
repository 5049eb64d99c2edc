//! What is done by hand to integrations as a whole over the socket.

use axum::Json;
use axum::extract::{ConnectInfo, State};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::control::protocol::NewName;
use crate::model::{Done, IntegrationId, Retirement};

use super::acts::Told;
use super::{Answer, App, Asked, Backend, Named, Peer};

pub(super) async fn rename<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(name): Named,
    Told(new): Told<NewName>,
) -> Answer<Json<Done>> {
    let renamed = app.backend.rename(IntegrationId::new(name), new.to, peer);
    renamed.await.map(Json)
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RetireQuery {
    /// Only the people of this PMS property, which its file does not name any more.
    property: Option<String>,
    /// Only tell whom it would take.
    dry_run: Option<bool>,
}

pub(super) async fn retire<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(name): Named,
    Asked(asked): Asked<RetireQuery>,
) -> Answer<Json<Retirement>> {
    let dry_run = asked.dry_run.unwrap_or(false);
    let id = IntegrationId::new(name);
    let retired = app.backend.retire(id, asked.property, dry_run, peer);
    retired.await.map(Json)
}

pub(super) async fn undo<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(name): Named,
) -> Answer<Json<Done>> {
    let undone = app.backend.undo_integration(IntegrationId::new(name), peer);
    undone.await.map(Json)
}
