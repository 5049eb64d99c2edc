//! Files that are tried over the socket before they are live: their contents come with the request, and no request names
//! a file.

use axum::Json;
use axum::extract::{ConnectInfo, State};

use crate::control::protocol::ProblemDocument;
use crate::model::{Difference, IntegrationId, Preview, TriedFiles};

use super::acts::{Told, ToldOrNothing};
use super::{Answer, App, Backend, Named, Peer};

pub(super) async fn preview<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(name): Named,
    ToldOrNothing(files): ToldOrNothing<Option<TriedFiles>>,
) -> Answer<Json<Preview>> {
    let id = IntegrationId::new(name);
    let preview = async {
        match files {
            None => app.backend.preview(id, peer).await,
            Some(files) => app.backend.preview_with(id, files, peer).await,
        }
    };
    tokio::select! {
        preview = preview => preview.map(Json),
        () = app.stop.cancelled() => Err(ProblemDocument::stopping()),
    }
}

pub(super) async fn diff<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(name): Named,
    Told(files): Told<TriedFiles>,
) -> Answer<Json<Difference>> {
    let difference = app.backend.diff(IntegrationId::new(name), files, peer);
    tokio::select! {
        difference = difference => difference.map(Json),
        () = app.stop.cancelled() => Err(ProblemDocument::stopping()),
    }
}
