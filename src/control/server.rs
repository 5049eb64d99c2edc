//! The control socket's server: HTTP in, [`Backend`] calls, JSON out. Knows how things are asked, not how
//! they are done.

mod acts;
mod admission;
mod away;
mod care;
mod changes;
mod connections;
mod deliveries;
mod erase;
mod front;
mod gate;
mod health;
mod hook;
mod integrations;
mod notices;
mod openapi;
mod peer;
mod places;
mod routes;
mod share;
mod site;
mod trial;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRequestParts, Path, Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream::{Stream, unfold};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::model::{
    ActId, Alert, AlertId, AlertKind, AlertQuery, Change, CredentialStatus, DeliveriesTouched,
    Delivery, DeliveryPlan, Difference, DismissMany, Dismissed, Done, Enrolment, Erasure,
    Explanation, Imported, IntegrationId, Keeping, NamedBy, PeopleQuery, PersonId, Preview,
    Retirement, Run, RunId, RunQuery, Setting, Soundness, TargetId, TargetStatus, Tier, TriedFiles,
};
pub use acts::Whole;
pub use admission::Granted;
pub use away::{Came, Leaving, NoWay};
pub use care::Snapshot;
pub use changes::{ChangeFilter, Changes};
pub use deliveries::DeliveryQuery;
pub use front::{Front, TierOf};
pub use gate::{Gate, NoSignIn, SignIn, local};
pub use hook::{Hook, Hooked};
pub use peer::Peer;
pub use places::{Place as LivePlace, Places};
pub use routes::{Route, Shows};
pub use share::Weight;

use super::listen::Listening;
use super::net::NetListening;
use super::protocol::{
    AlertAct, AlertDetail, AlertGroups, ApproveSinceUpgrade, EraseAsk, IntegrationStatus,
    NotifyTest, NotifyTested, Page, PauseFor, PeoplePage, PersonAct, PersonDetail, Place,
    ProblemDocument, ProgressEvent, Reads, ReloadReply, RunDetail, RunState, SinceUpgrade, Status,
    SyncReply,
};
use super::setup::{Setup, SetupAnswer, SetupNext, SetupOf};

/// An answer, or why there is none.
pub type Answer<T> = Result<T, ProblemDocument>;

/// A run that somebody waits for.
#[derive(Debug, Clone)]
pub struct Followed {
    /// The run.
    pub id: RunId,
    /// The integration.
    pub integration: IntegrationId,
    /// What happens to it; the last value is `Ended`.
    pub events: watch::Receiver<ProgressEvent>,
}

/// How much of a list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// At most so many; 1 to 1,000.
    pub limit: Option<usize>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// Which open alerts are counted.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupQuery {
    /// Only of this integration.
    pub integration: Option<IntegrationId>,
    /// Only of this kind.
    pub kind: Option<AlertKind>,
}

impl ListQuery {
    /// How many items a page has.
    pub fn size(&self) -> usize {
        self.limit.unwrap_or(100).clamp(1, 1_000)
    }
}

/// What the daemon does for whoever asks over the socket.
pub trait Backend: Send + Sync + 'static {
    /// What time it is.
    fn now(&self) -> Timestamp;
    /// How much a caller may do; none when nothing.
    fn tier(&self, peer: Peer) -> impl Future<Output = Option<Tier>> + Send;
    /// How everything stands.
    fn status(&self) -> impl Future<Output = Answer<Status>> + Send;
    /// Every integration that has or had a file, by id.
    fn integrations(&self) -> Vec<IntegrationId>;
    /// What applies at an integration, and which file says so; nothing where there is no such one.
    fn settings(&self, integration: &IntegrationId) -> Vec<Setting>;
    /// What an integration's file says that it reads; none where there is no such file.
    fn reads(
        &self,
        integration: &IntegrationId,
    ) -> impl Future<Output = Answer<Option<Reads>>> + Send;
    /// Asks for runs: of these integrations, or of all that are switched on.
    fn sync(
        &self,
        integrations: Option<Vec<IntegrationId>>,
        peer: Peer,
    ) -> impl Future<Output = Answer<Vec<Followed>>> + Send;
    /// What happens to a run.
    fn follow(&self, run: RunId) -> impl Future<Output = Answer<Followed>> + Send;
    /// The latest runs, newest first.
    fn runs(&self, query: RunQuery) -> impl Future<Output = Answer<Page<RunState>>> + Send;
    /// A run with its decisions.
    fn run(&self, run: RunId) -> impl Future<Output = Answer<RunDetail>> + Send;
    /// People, by id or name.
    fn people(&self, query: PeopleQuery) -> impl Future<Output = Answer<PeoplePage>> + Send;
    /// A person with links, alerts and changes.
    fn person(&self, person: PersonId) -> impl Future<Output = Answer<PersonDetail>> + Send;
    /// Alerts in the order of R29.
    fn alerts(&self, query: AlertQuery) -> impl Future<Output = Answer<Page<Alert>>> + Send;
    /// An alert.
    fn alert(&self, alert: AlertId) -> impl Future<Output = Answer<AlertDetail>> + Send;
    /// Changes after a place in the log: of the next so many those that are asked for.
    fn changes(
        &self,
        after: Place,
        filter: ChangeFilter,
        among: usize,
    ) -> impl Future<Output = Answer<Changes>> + Send;
    /// The place in the log before the last so many changes that are asked for.
    fn tail(
        &self,
        filter: ChangeFilter,
        count: usize,
    ) -> impl Future<Output = Answer<Place>> + Send;
    /// What the next run of an integration would do.
    fn preview(
        &self,
        integration: IntegrationId,
        peer: Peer,
    ) -> impl Future<Output = Answer<Preview>> + Send;
    /// What it would do by files that are not live.
    fn preview_with(
        &self,
        integration: IntegrationId,
        files: TriedFiles,
        peer: Peer,
    ) -> impl Future<Output = Answer<Preview>> + Send;
    /// What it would do otherwise by files that are not live.
    fn diff(
        &self,
        integration: IntegrationId,
        files: TriedFiles,
        peer: Peer,
    ) -> impl Future<Output = Answer<Difference>> + Send;
    /// Why a resident is where they are; with `live`, from what the PMS says now.
    fn explain(
        &self,
        integration: IntegrationId,
        resident: String,
        live: bool,
        peer: Peer,
    ) -> impl Future<Output = Answer<Explanation>> + Send;
    /// Lets the plan of a held run through, and asks for the run that carries it out.
    fn approve(
        &self,
        run: RunId,
        digest: Option<String>,
        peer: Peer,
    ) -> impl Future<Output = Answer<Vec<Followed>>> + Send;
    /// What only the rules of a new version would take, and waits.
    fn since_upgrade(&self) -> impl Future<Output = Answer<SinceUpgrade>> + Send;
    /// Lets it through, and asks for the runs that carry it out.
    fn approve_since_upgrade(
        &self,
        asked: ApproveSinceUpgrade,
        peer: Peer,
    ) -> impl Future<Output = Answer<Vec<Followed>>> + Send;
    /// Rejects the plan of a held run: it waits, and nobody is told of it again.
    fn reject(
        &self,
        run: RunId,
        digest: Option<String>,
        peer: Peer,
    ) -> impl Future<Output = Answer<RunState>> + Send;
    /// Pauses an integration, or resumes it where nothing is asked.
    fn pause(
        &self,
        integration: IntegrationId,
        pause: Option<PauseFor>,
        peer: Peer,
    ) -> impl Future<Output = Answer<IntegrationStatus>> + Send;
    /// Gives the people of one integration to another, whose file is there.
    fn rename(
        &self,
        from: IntegrationId,
        to: IntegrationId,
        peer: Peer,
    ) -> impl Future<Output = Answer<Done>> + Send;
    /// Gives an integration up, or the people of one of its PMS properties; with `dry_run` only tells whom that takes.
    fn retire(
        &self,
        integration: IntegrationId,
        property: Option<String>,
        dry_run: bool,
        peer: Peer,
    ) -> impl Future<Output = Answer<Retirement>> + Send;
    /// Undoes the last renaming or retirement of an integration.
    fn undo_integration(
        &self,
        integration: IntegrationId,
        peer: Peer,
    ) -> impl Future<Output = Answer<Done>> + Send;
    /// Does something to an alert.
    fn to_alert(
        &self,
        alert: AlertId,
        act: AlertAct,
        peer: Peer,
    ) -> impl Future<Output = Answer<Done>> + Send;
    /// Does something to a person.
    fn to_person(
        &self,
        person: PersonId,
        act: PersonAct,
        peer: Peer,
    ) -> impl Future<Output = Answer<Done>> + Send;
    /// Erases a person.
    fn erase_person(
        &self,
        person: PersonId,
        asked: EraseAsk,
        peer: Peer,
    ) -> impl Future<Output = Answer<Erasure>> + Send;
    /// Undoes something that was done by hand.
    fn undo_act(&self, act: ActId, peer: Peer) -> impl Future<Output = Answer<Done>> + Send;
    /// Makes a person by hand.
    fn add_person(&self, told: Enrolment, peer: Peer) -> impl Future<Output = Answer<Done>> + Send;
    /// Makes the people of a CSV file by hand.
    fn import_people(
        &self,
        csv: String,
        dry_run: bool,
        peer: Peer,
    ) -> impl Future<Output = Answer<Imported>> + Send;
    /// What happened to a person, newest first.
    fn history(
        &self,
        person: PersonId,
        query: ListQuery,
    ) -> impl Future<Output = Answer<Page<Change>>> + Send;
    /// Every target, by id.
    fn targets(&self) -> impl Future<Output = Answer<Vec<TargetStatus>>> + Send;
    /// What people have at targets, or shall have there, by target, person and key.
    fn deliveries(
        &self,
        query: DeliveryQuery,
    ) -> impl Future<Output = Answer<Page<Delivery>>> + Send;
    /// What is to be done at a target now.
    fn delivery_plan(&self, target: TargetId) -> impl Future<Output = Answer<DeliveryPlan>> + Send;
    /// Lets what waits at a target through; with a digest only exactly what that stands for.
    fn approve_deliveries(
        &self,
        target: TargetId,
        digest: Option<String>,
        peer: Peer,
    ) -> impl Future<Output = Answer<DeliveriesTouched>> + Send;
    /// Tries again what is parked at a target: all of it, or what is one person's.
    fn retry_deliveries(
        &self,
        target: TargetId,
        person: Option<PersonId>,
        peer: Peer,
    ) -> impl Future<Output = Answer<DeliveriesTouched>> + Send;
    /// Whether it can work now; why not, where it cannot. What is not well all the same, a line each.
    fn ready(&self) -> impl Future<Output = Answer<Vec<String>>> + Send;
    /// What it counted and how everything stands, as OpenMetrics text.
    fn metrics(&self) -> impl Future<Output = Answer<String>> + Send;
    /// How many alerts are open, by kind and integration.
    fn alert_groups(&self, query: GroupQuery) -> impl Future<Output = Answer<AlertGroups>> + Send;
    /// Dismisses all open alerts of a kind.
    fn dismiss_many(
        &self,
        asked: DismissMany,
        peer: Peer,
    ) -> impl Future<Output = Answer<Dismissed>> + Send;
    /// Sends a test to those who are told of what is wrong.
    fn notify_test(
        &self,
        asked: NotifyTest,
        peer: Peer,
    ) -> impl Future<Output = Answer<NotifyTested>> + Send;
    /// How the store is kept.
    fn keeping(&self) -> impl Future<Output = Answer<Keeping>> + Send;
    /// A copy of the store as it is now.
    fn backup(&self, peer: Peer) -> impl Future<Output = Answer<Snapshot>> + Send;
    /// What a check of the whole store finds.
    fn verify(&self) -> impl Future<Output = Answer<Soundness>> + Send;
    /// Is marked changed whenever something was committed.
    fn commits(&self) -> watch::Receiver<u64>;
    /// How far a set-up has come; a new one where none is named.
    fn setup(&self, of: SetupOf, peer: Peer) -> impl Future<Output = Answer<Setup>> + Send;
    /// Takes the answer to a step of a set-up.
    fn set_up(
        &self,
        of: SetupOf,
        answer: SetupAnswer,
        peer: Peer,
    ) -> impl Future<Output = Answer<SetupNext>> + Send;
    /// The proxy before the socket whose user that is, where there is one.
    fn front(&self, uid: u32) -> Option<Front>;
    /// Somebody was let in by this, or was not: for those who count.
    fn counted(&self, by: NamedBy, succeeded: bool);
    /// The places of pages that are kept as things are now.
    fn places(&self) -> &Places;
    /// Loads the files anew.
    fn reload(&self, peer: Peer) -> impl Future<Output = Answer<ReloadReply>> + Send;
}

/// What every handler has.
pub struct App<B> {
    /// What does what is asked.
    pub backend: Arc<B>,
    /// Ends what waits for something that will not happen any more.
    pub stop: CancellationToken,
}

impl<B> Clone for App<B> {
    fn clone(&self) -> Self {
        App {
            backend: Arc::clone(&self.backend),
            stop: self.stop.clone(),
        }
    }
}

/// Serves its own routes and `pages` until `stop`; what waits for something that will not happen any more is let go.
pub async fn serve<B: Backend>(
    listener: Listening,
    backend: Arc<B>,
    pages: Vec<Route<B>>,
    stop: CancellationToken,
) {
    let app = App {
        backend,
        stop: stop.clone(),
    };
    let shows = routes::shows(&pages);
    let fronted = from_fn_with_state(app.clone(), front::fronted::<B>);
    let app = routes::router(app, pages).layer(fronted);
    let app = match shows {
        Some(shows) => app.layer(from_fn_with_state(shows, routes::shown_to_browsers)),
        None => app,
    };
    connections::serve(listener, app, connections::Limits::default(), stop).await;
}

/// Routes for everybody, signed in or not.
pub type Open = Router;

/// The same over the network, behind a gate: the routes of the control socket for whoever signed in. `open` is for everybody.
pub async fn serve_net<B: Backend, S: SignIn>(
    listener: NetListening,
    backend: Arc<B>,
    gate: Gate<S>,
    pages: Vec<Route<B>>,
    open: Open,
    stop: CancellationToken,
) {
    let gate = Arc::new(gate);
    let around = hook::Around {
        backend: Arc::clone(&backend),
        gate: Arc::clone(&gate),
        stop: stop.clone(),
    };
    let hooks = Router::new()
        .route("/hooks/{integration}", post(hook::hooked::<B, S>))
        .layer(DefaultBodyLimit::max(hook::MOST_SENT))
        .with_state(around);
    let app = App {
        backend,
        stop: stop.clone(),
    };
    let signing = Router::new()
        .route("/sign-in", post(gate::sign_in::<S>))
        .route("/sign-out", post(gate::sign_out::<S>))
        .layer(DefaultBodyLimit::max(gate::MOST_WRITTEN))
        .layer(from_fn(site::own));
    let signing = match routes::shows(&pages) {
        Some(shows) => signing.layer(from_fn_with_state(shows, routes::shown_to_browsers)),
        None => signing,
    };
    // Another site leads back here, whatever its headers say: what counts is what comes along.
    let away = Router::new()
        .route(away::LEAVE, get(away::leave::<S>))
        .route(away::BACK, get(away::back::<S>))
        .route(away::OUT, get(away::out::<S>));
    let signing = signing.merge(away).with_state(Arc::clone(&gate));
    let app = open
        .merge(signing)
        .merge(hooks)
        .fallback_service(routes::router(app, pages))
        .layer(from_fn_with_state(gate, gate::gated::<S>));
    connections::serve(listener, app, connections::Limits::default(), stop).await;
}

impl IntoResponse for ProblemDocument {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self)).into_response();
        // For whoever shows it otherwise.
        response.extensions_mut().insert(self);
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

/// Query parameters; what does not fit is told as a problem.
struct Asked<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = ProblemDocument;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Self, ProblemDocument> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Asked(query)),
            Err(QueryRejection::FailedToDeserializeQueryString(error)) => {
                Err(ProblemDocument::bad_request(error.body_text()))
            }
            Err(_) => Err(ProblemDocument::bad_request("the query is not readable")),
        }
    }
}

/// What the path names; what is not UTF-8 is told as a problem.
struct Named(String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = ProblemDocument;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Self, ProblemDocument> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Named(name)),
            Err(error) => Err(ProblemDocument::bad_request(error.body_text())),
        }
    }
}

fn id<T: std::str::FromStr<Err = crate::model::IdError>>(text: &str) -> Answer<T> {
    text.parse()
        .map_err(|error: crate::model::IdError| ProblemDocument::bad_request(error.to_string()))
}

async fn status<B: Backend>(State(app): State<App<B>>) -> Answer<Json<Status>> {
    app.backend.status().await.map(Json)
}

async fn credentials<B: Backend>(State(app): State<App<B>>) -> Answer<Json<Vec<CredentialStatus>>> {
    Ok(Json(app.backend.status().await?.credentials))
}

async fn integrations<B: Backend>(
    State(app): State<App<B>>,
) -> Answer<Json<Vec<IntegrationStatus>>> {
    Ok(Json(app.backend.status().await?.integrations))
}

async fn integration<B: Backend>(
    State(app): State<App<B>>,
    Named(name): Named,
) -> Answer<Json<IntegrationStatus>> {
    let status = app.backend.status().await?;
    status
        .integrations
        .into_iter()
        .find(|integration| integration.id.as_str() == name)
        .map(|integration| {
            let settings = app.backend.settings(&integration.id);
            Json(IntegrationStatus {
                settings,
                ..integration
            })
        })
        .ok_or_else(|| {
            ProblemDocument::not_found("there is no such integration; `epms status` lists them")
        })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wait {
    /// Whether the answer waits until the runs have ended; it does unless this is `false`.
    wait: Option<bool>,
}

async fn sync_one<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Named(name): Named,
    Asked(wait): Asked<Wait>,
) -> Answer<Response> {
    let followed = app
        .backend
        .sync(Some(vec![IntegrationId::new(name)]), peer)
        .await?;
    answer_sync(&app, followed, wait).await
}

async fn sync_all<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Asked(wait): Asked<Wait>,
) -> Answer<Response> {
    let followed = app.backend.sync(None, peer).await?;
    answer_sync(&app, followed, wait).await
}

async fn answer_sync<B: Backend>(
    app: &App<B>,
    followed: Vec<Followed>,
    wait: Wait,
) -> Answer<Response> {
    let wait = wait.wait.unwrap_or(true);
    let mut runs = Vec::new();
    for Followed {
        id,
        integration,
        mut events,
    } in followed
    {
        let report = if wait {
            Some(ended(app, &mut events).await?)
        } else {
            None
        };
        runs.push(RunState {
            id,
            integration,
            report,
            progress: None,
        });
    }
    let status = if wait {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok((status, Json(SyncReply { runs })).into_response())
}

/// The report, when the run has ended.
async fn ended<B: Backend>(
    app: &App<B>,
    events: &mut watch::Receiver<ProgressEvent>,
) -> Answer<Run> {
    let event = tokio::select! {
        // A run that ended as the last one before the stop is told of, not the stop.
        biased;
        event = events.wait_for(|event| matches!(event, ProgressEvent::Ended(_))) => event.ok().map(|event| event.clone()),
        () = app.stop.cancelled() => None,
    };
    match event {
        Some(ProgressEvent::Ended(report)) => Ok(*report),
        _ => Err(ProblemDocument::stopping()),
    }
}

async fn runs<B: Backend>(
    State(app): State<App<B>>,
    Asked(query): Asked<RunQuery>,
) -> Answer<Json<Page<RunState>>> {
    app.backend.runs(query).await.map(Json)
}

async fn run<B: Backend>(State(app): State<App<B>>, Named(run): Named) -> Answer<Json<RunDetail>> {
    app.backend.run(id(&run)?).await.map(Json)
}

async fn progress<B: Backend>(
    State(app): State<App<B>>,
    Named(run): Named,
) -> Answer<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let followed = app.backend.follow(id(&run)?).await?;
    let stop = app.stop.clone();
    let first = true;
    let stream = unfold(
        (Some(followed.events), first, stop),
        async |(events, first, stop)| {
            let mut events = events?;
            if !first {
                tokio::select! {
                    biased;
                    changed = events.changed() => changed.ok()?,
                    () = stop.cancelled() => return None,
                }
            }
            let event = events.borrow_and_update().clone();
            let rest = if matches!(event, ProgressEvent::Ended(_)) {
                None
            } else {
                Some(events)
            };
            let event = Event::default().json_data(&event).ok()?;
            Some((Ok(event), (rest, false, stop)))
        },
    );
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

async fn people<B: Backend>(
    State(app): State<App<B>>,
    Asked(query): Asked<PeopleQuery>,
) -> Answer<Json<PeoplePage>> {
    app.backend.people(query).await.map(Json)
}

async fn person<B: Backend>(
    State(app): State<App<B>>,
    Named(person): Named,
) -> Answer<Json<PersonDetail>> {
    app.backend.person(id(&person)?).await.map(Json)
}

async fn alerts<B: Backend>(
    State(app): State<App<B>>,
    Asked(query): Asked<AlertQuery>,
) -> Answer<Json<Page<Alert>>> {
    app.backend.alerts(query).await.map(Json)
}

async fn alert_groups<B: Backend>(
    State(app): State<App<B>>,
    Asked(query): Asked<GroupQuery>,
) -> Answer<Json<AlertGroups>> {
    app.backend.alert_groups(query).await.map(Json)
}

async fn alert<B: Backend>(
    State(app): State<App<B>>,
    Named(alert): Named,
) -> Answer<Json<AlertDetail>> {
    app.backend.alert(id(&alert)?).await.map(Json)
}

async fn reload<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Answer<Json<ReloadReply>> {
    app.backend.reload(peer).await.map(Json)
}
