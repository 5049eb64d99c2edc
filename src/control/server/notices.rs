//! Whether somebody can be told, tried over the socket.

use axum::Json;
use axum::extract::{ConnectInfo, State};

use crate::control::protocol::{NotifyTest, NotifyTested};

use super::acts::ToldOrNothing;
use super::{Answer, App, Backend, Peer};

pub(super) async fn test<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    ToldOrNothing(asked): ToldOrNothing<NotifyTest>,
) -> Answer<Json<NotifyTested>> {
    app.backend.notify_test(asked, peer).await.map(Json)
}
