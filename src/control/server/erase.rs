//! Erasing a person over the socket.

use axum::Json;
use axum::extract::{ConnectInfo, State};

use crate::control::protocol::EraseAsk;
use crate::model::Erasure;

use super::acts::ToldOrNothing;
use super::{Answer, App, Backend, Named, Peer, id};

pub(super) async fn erase<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
    ToldOrNothing(asked): ToldOrNothing<EraseAsk>,
) -> Answer<Json<Erasure>> {
    let erased = app.backend.erase_person(id(&person)?, asked, peer);
    erased.await.map(Json)
}
