//! What is done by hand over the socket: approvals, previews, alerts, people. Who does it is the peer of the
//! connection, never what the request says.

use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Extension, FromRequest, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Json, body::Bytes};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::control::protocol::{
    AlertAct, ApproveSinceUpgrade, EndStay, NewAssignee, NewComment, Page, PauseFor, PersonAct,
    ProblemDocument, RunState, SinceUpgrade,
};
use crate::model::{
    Change, DismissMany, Dismissed, Done, Enrolment, Explanation, Field, Imported, IntegrationId,
    ProfileEdit, Resolution, Tier,
};

use super::admission::{Granted, Needed};
use super::{Answer, App, Asked, Backend, ListQuery, Named, Peer, Wait, answer_sync, id};

/// The JSON body of a request; what does not fit is told as a problem.
pub(super) struct Told<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Told<T> {
    type Rejection = ProblemDocument;

    async fn from_request(request: Request, state: &S) -> Result<Self, ProblemDocument> {
        // What kind of text it is need not be said: nothing but JSON is understood.
        let Whole(bytes) = Whole::from_request(request, state).await?;
        json(&bytes).map(Told)
    }
}

/// The same, where nothing said is as good as nothing named.
pub(super) struct ToldOrNothing<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for ToldOrNothing<T> {
    type Rejection = ProblemDocument;

    async fn from_request(request: Request, state: &S) -> Result<Self, ProblemDocument> {
        let Whole(bytes) = Whole::from_request(request, state).await?;
        if bytes.is_empty() {
            return Ok(ToldOrNothing(T::default()));
        }
        json(&bytes).map(ToldOrNothing)
    }
}

fn json<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, ProblemDocument> {
    match Json::<T>::from_bytes(bytes) {
        Ok(Json(told)) => Ok(told),
        Err(error) => Err(ProblemDocument::bad_request(error.body_text())),
    }
}

/// How long the body of a request may take to arrive.
const BODY: Duration = Duration::from_secs(10);

/// The whole body of a request; what is too large or comes too slowly is told as a problem.
pub struct Whole(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Whole {
    type Rejection = ProblemDocument;

    async fn from_request(request: Request, state: &S) -> Result<Self, ProblemDocument> {
        let bytes = tokio::time::timeout(BODY, Bytes::from_request(request, state)).await;
        let bytes = bytes.map_err(|_| {
            ProblemDocument::too_slow(
                "the body of the request did not come to its end in time; send it whole",
            )
        })?;
        bytes.map(Whole).map_err(|error| {
            if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
                ProblemDocument::too_large(
                    "the body of the request is too large; a file of people has 16 MiB at most, files to try 10 MiB, anything else 64 KiB",
                )
            } else {
                ProblemDocument::bad_request(error.body_text())
            }
        })
    }
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainQuery {
    /// Whether the PMS is asked, too.
    live: Option<bool>,
}

pub(super) async fn explain<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Extension(granted): Extension<Granted>,
    path: Result<Path<(String, String)>, PathRejection>,
    Asked(asked): Asked<ExplainQuery>,
) -> Answer<Json<Explanation>> {
    let Path((name, resident)) =
        path.map_err(|error| ProblemDocument::bad_request(error.body_text()))?;
    let live = asked.live.unwrap_or(false);
    if live {
        // It spends of the account's quota, as a preview does.
        let needed = Needed {
            tier: Tier::Operate,
            route: "/v1/integrations/{id}/residents/{resident}?live=true",
        };
        granted.reaches(needed, &peer)?;
    }
    let explained = app
        .backend
        .explain(IntegrationId::new(name), resident, live, peer);
    tokio::select! {
        explained = explained => explained.map(Json),
        () = app.stop.cancelled() => Err(ProblemDocument::stopping()),
    }
}

pub(super) async fn pause<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(name): Named,
    ToldOrNothing(pause): ToldOrNothing<Option<PauseFor>>,
) -> Answer<Json<super::IntegrationStatus>> {
    let pause = pause.unwrap_or_default();
    app.backend
        .pause(IntegrationId::new(name), Some(pause), peer)
        .await
        .map(Json)
}

pub(super) async fn resume<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(name): Named,
) -> Answer<Json<super::IntegrationStatus>> {
    app.backend
        .pause(IntegrationId::new(name), None, peer)
        .await
        .map(Json)
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ApproveQuery {
    /// Whether the answer waits until the run has ended; it does unless this is `false`.
    wait: Option<bool>,
    /// The digest of the plan that was looked at; another plan is not approved.
    digest: Option<String>,
}

pub(super) async fn approve<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(run): Named,
    Asked(asked): Asked<ApproveQuery>,
) -> Answer<Response> {
    let followed = app.backend.approve(id(&run)?, asked.digest, peer).await?;
    answer_sync(&app, followed, Wait { wait: asked.wait }).await
}

pub(super) async fn since_upgrade<B: Backend>(
    State(app): State<App<B>>,
) -> Answer<Json<SinceUpgrade>> {
    app.backend.since_upgrade().await.map(Json)
}

pub(super) async fn approve_since_upgrade<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Asked(wait): Asked<Wait>,
    Told(asked): Told<ApproveSinceUpgrade>,
) -> Answer<Response> {
    let followed = app.backend.approve_since_upgrade(asked, peer).await?;
    answer_sync(&app, followed, wait).await
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RejectQuery {
    /// The digest of the plan that was looked at; another plan is not rejected.
    digest: Option<String>,
}

pub(super) async fn reject<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(run): Named,
    Asked(asked): Asked<RejectQuery>,
) -> Answer<Json<RunState>> {
    let run = id(&run)?;
    app.backend.reject(run, asked.digest, peer).await.map(Json)
}

pub(super) async fn resolve<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(alert): Named,
    Told(resolution): Told<Resolution>,
) -> Answer<Json<Done>> {
    let act = AlertAct::Resolve(resolution);
    app.backend.to_alert(id(&alert)?, act, peer).await.map(Json)
}

pub(super) async fn dismiss<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(alert): Named,
) -> Answer<Json<Done>> {
    let act = AlertAct::Dismiss;
    app.backend.to_alert(id(&alert)?, act, peer).await.map(Json)
}

pub(super) async fn undo<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(alert): Named,
) -> Answer<Json<Done>> {
    let act = AlertAct::Undo;
    app.backend.to_alert(id(&alert)?, act, peer).await.map(Json)
}

pub(super) async fn comment<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(alert): Named,
    Told(said): Told<NewComment>,
) -> Answer<Json<Done>> {
    let act = AlertAct::Comment(said.text);
    app.backend.to_alert(id(&alert)?, act, peer).await.map(Json)
}

pub(super) async fn assign<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(alert): Named,
    Told(said): Told<NewAssignee>,
) -> Answer<Json<Done>> {
    let act = AlertAct::Assign(said.to);
    app.backend.to_alert(id(&alert)?, act, peer).await.map(Json)
}

pub(super) async fn dismiss_many<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Told(asked): Told<DismissMany>,
) -> Answer<Json<Dismissed>> {
    app.backend.dismiss_many(asked, peer).await.map(Json)
}

pub(super) async fn add_person<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Told(told): Told<Enrolment>,
) -> Answer<Json<Done>> {
    app.backend.add_person(told, peer).await.map(Json)
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportQuery {
    /// Only tell what would be made, and what is wrong.
    dry_run: Option<bool>,
}

pub(super) async fn import_people<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Asked(asked): Asked<ImportQuery>,
    file: Result<Whole, ProblemDocument>,
) -> Answer<Json<Imported>> {
    let Whole(file) = file?;
    let csv = String::from_utf8(file.to_vec())
        .map_err(|_| ProblemDocument::bad_request("the file is not UTF-8; save it as UTF-8"))?;
    let dry_run = asked.dry_run.unwrap_or(false);
    app.backend
        .import_people(csv, dry_run, peer)
        .await
        .map(Json)
}

pub(super) async fn history<B: Backend>(
    State(app): State<App<B>>,
    Named(person): Named,
    Asked(query): Asked<ListQuery>,
) -> Answer<Json<Page<Change>>> {
    app.backend.history(id(&person)?, query).await.map(Json)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tie {
    /// The integration.
    integration: IntegrationId,
    /// The resident's PMS id.
    resident: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    /// The fields.
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

pub(super) async fn link<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
    Told(tie): Told<Tie>,
) -> Answer<Json<Done>> {
    let act = PersonAct::Link(tie.integration, tie.resident);
    to_person(&app, &person, act, peer).await
}

pub(super) async fn unlink<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
    Told(tie): Told<Tie>,
) -> Answer<Json<Done>> {
    let act = PersonAct::Unlink(tie.integration, tie.resident);
    to_person(&app, &person, act, peer).await
}

pub(super) async fn lock<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
    Told(fields): Told<Fields>,
) -> Answer<Json<Done>> {
    let act = PersonAct::Lock(fields.fields.into_iter().collect());
    to_person(&app, &person, act, peer).await
}

pub(super) async fn unlock<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
    Told(fields): Told<Fields>,
) -> Answer<Json<Done>> {
    let act = PersonAct::Unlock(fields.fields.into_iter().collect());
    to_person(&app, &person, act, peer).await
}

pub(super) async fn pin<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
) -> Answer<Json<Done>> {
    to_person(&app, &person, PersonAct::Pin, peer).await
}

pub(super) async fn unpin<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
) -> Answer<Json<Done>> {
    to_person(&app, &person, PersonAct::Unpin, peer).await
}

pub(super) async fn set<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
    Told(edit): Told<ProfileEdit>,
) -> Answer<Json<Done>> {
    to_person(&app, &person, PersonAct::Set(edit), peer).await
}

pub(super) async fn end<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(person): Named,
    ToldOrNothing(stay): ToldOrNothing<EndStay>,
) -> Answer<Json<Done>> {
    to_person(&app, &person, PersonAct::End(stay.integration), peer).await
}

pub(super) async fn undo_act<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(act): Named,
) -> Answer<Json<Done>> {
    app.backend.undo_act(id(&act)?, peer).await.map(Json)
}
