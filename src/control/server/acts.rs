//! What is done by hand over the socket: approvals, previews, alerts, people. Who does it is the peer of the
//! connection, never what the request says.

use axum::Router;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequest, Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, body::Bytes};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::control::protocol::{AlertAct, Page, PersonAct, ProblemDocument};
use crate::model::{Change, Done, Enrolment, Field, Imported, IntegrationId, Preview, Resolution};

use super::{Answer, App, Asked, Backend, ListQuery, Named, Peer, Wait, answer_sync, id};

pub(super) fn routes<B: Backend>() -> Router<App<B>> {
    Router::new()
        .route("/v1/integrations/{id}/preview", post(preview::<B>))
        .route("/v1/integrations/{id}/pause", post(pause::<B>))
        .route("/v1/integrations/{id}/resume", post(resume::<B>))
        .route("/v1/runs/{id}/approve", post(approve::<B>))
        .route("/v1/alerts/{id}/resolve", post(resolve::<B>))
        .route("/v1/alerts/{id}/dismiss", post(dismiss::<B>))
        .route("/v1/alerts/{id}/undo", post(undo::<B>))
        .route("/v1/people/{id}/history", get(history::<B>))
        .route("/v1/people/{id}/link", post(link::<B>))
        .route("/v1/people/{id}/unlink", post(unlink::<B>))
        .route("/v1/people/{id}/lock", post(lock::<B>))
        .route("/v1/people/{id}/unlock", post(unlock::<B>))
        .route("/v1/people/{id}/pin", post(pin::<B>))
        .route("/v1/people/{id}/unpin", post(unpin::<B>))
}

/// A file of people is larger than any other body: so many bytes at most.
const FILE: usize = 16 * 1024 * 1024;

pub(super) fn import_route<B: Backend>() -> Router<App<B>> {
    Router::new()
        .route("/v1/people/import", post(import_people::<B>))
        .layer(DefaultBodyLimit::max(FILE))
}

/// The JSON body of a request; what does not fit is told as a problem.
pub(super) struct Told<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Told<T> {
    type Rejection = ProblemDocument;

    async fn from_request(request: Request, state: &S) -> Result<Self, ProblemDocument> {
        // What kind of text it is need not be said: nothing but JSON is understood.
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| ProblemDocument::bad_request(error.body_text()))?;
        match Json::<T>::from_bytes(&bytes) {
            Ok(Json(told)) => Ok(Told(told)),
            Err(JsonRejection::JsonDataError(error)) => {
                Err(ProblemDocument::bad_request(error.body_text()))
            }
            Err(error) => Err(ProblemDocument::bad_request(error.body_text())),
        }
    }
}

async fn preview<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(name): Named,
) -> Answer<Json<Preview>> {
    let preview = app.backend.preview(IntegrationId::new(name), peer);
    tokio::select! {
        preview = preview => preview.map(Json),
        () = app.stop.cancelled() => Err(ProblemDocument::stopping()),
    }
}

async fn pause<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(name): Named,
) -> Answer<Json<super::IntegrationStatus>> {
    app.backend
        .pause(IntegrationId::new(name), true, peer)
        .await
        .map(Json)
}

async fn resume<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(name): Named,
) -> Answer<Json<super::IntegrationStatus>> {
    app.backend
        .pause(IntegrationId::new(name), false, peer)
        .await
        .map(Json)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApproveQuery {
    wait: Option<bool>,
    digest: Option<String>,
}

async fn approve<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(run): Named,
    Asked(asked): Asked<ApproveQuery>,
) -> Answer<Response> {
    let followed = app.backend.approve(id(&run)?, asked.digest, peer).await?;
    answer_sync(&app, followed, Wait { wait: asked.wait }).await
}

async fn resolve<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(alert): Named,
    Told(resolution): Told<Resolution>,
) -> Answer<Json<Done>> {
    let act = AlertAct::Resolve(resolution);
    app.backend.to_alert(id(&alert)?, act, peer).await.map(Json)
}

async fn dismiss<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(alert): Named,
) -> Answer<Json<Done>> {
    let act = AlertAct::Dismiss;
    app.backend.to_alert(id(&alert)?, act, peer).await.map(Json)
}

async fn undo<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(alert): Named,
) -> Answer<Json<Done>> {
    let act = AlertAct::Undo;
    app.backend.to_alert(id(&alert)?, act, peer).await.map(Json)
}

pub(super) async fn add_person<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Told(told): Told<Enrolment>,
) -> Answer<Json<Done>> {
    app.backend.add_person(told, peer).await.map(Json)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportQuery {
    dry_run: Option<bool>,
}

async fn import_people<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Asked(asked): Asked<ImportQuery>,
    file: Result<Bytes, BytesRejection>,
) -> Answer<Json<Imported>> {
    let file = file.map_err(|error| ProblemDocument::bad_request(error.body_text()))?;
    let csv = String::from_utf8(file.to_vec())
        .map_err(|_| ProblemDocument::bad_request("the file is not UTF-8; save it as UTF-8"))?;
    let dry_run = asked.dry_run.unwrap_or(false);
    app.backend
        .import_people(csv, dry_run, peer)
        .await
        .map(Json)
}

async fn history<B: Backend>(
    State(app): State<App<B>>,
    Named(person): Named,
    Asked(query): Asked<ListQuery>,
) -> Answer<Json<Page<Change>>> {
    app.backend.history(id(&person)?, query).await.map(Json)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tie {
    integration: IntegrationId,
    resident: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    fields: Vec<Field>,
}

async fn to_person<B: Backend>(
    app: &App<B>,
    person: &str,
    act: PersonAct,
    peer: Peer,
) -> Answer<Json<Done>> {
    app.backend
        .to_person(id(person)?, act, peer)
        .await
        .map(Json)
}

async fn link<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
    Told(tie): Told<Tie>,
) -> Answer<Json<Done>> {
    let act = PersonAct::Link(tie.integration, tie.resident);
    to_person(&app, &person, act, peer).await
}

async fn unlink<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
    Told(tie): Told<Tie>,
) -> Answer<Json<Done>> {
    let act = PersonAct::Unlink(tie.integration, tie.resident);
    to_person(&app, &person, act, peer).await
}

async fn lock<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
    Told(fields): Told<Fields>,
) -> Answer<Json<Done>> {
    let act = PersonAct::Lock(fields.fields.into_iter().collect());
    to_person(&app, &person, act, peer).await
}

async fn unlock<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
    Told(fields): Told<Fields>,
) -> Answer<Json<Done>> {
    let act = PersonAct::Unlock(fields.fields.into_iter().collect());
    to_person(&app, &person, act, peer).await
}

async fn pin<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
) -> Answer<Json<Done>> {
    to_person(&app, &person, PersonAct::Pin, peer).await
}

async fn unpin<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
) -> Answer<Json<Done>> {
    to_person(&app, &person, PersonAct::Unpin, peer).await
}
