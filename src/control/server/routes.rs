//! Every route of the socket, as one table: what serves it, and what is said of it in `/v1/openapi.json`. Pages come from
//! elsewhere, are routes of the same kind, and stand in no document.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use schemars::JsonSchema;

use crate::control::protocol::{
    AlertDetail, AlertGroups, ApproveDeliveries, ApproveSinceUpgrade, EndStay, EraseAsk,
    IntegrationStatus, LogLine, NewAssignee, NewComment, NewName, NotifyTest, NotifyTested, Page,
    PauseFor, PeoplePage, PersonDetail, ProblemDocument, ProgressEvent, ReloadReply,
    RetryDeliveries, RunDetail, RunState, SinceUpgrade, Status, SyncReply, Targets,
};
use crate::model::{
    Alert, AlertQuery, Change, CredentialStatus, DeliveriesTouched, Delivery, DeliveryPlan,
    Difference, DismissMany, Dismissed, Done, Enrolment, Erasure, Explanation, Imported, Keeping,
    PeopleQuery, Preview, ProfileEdit, Resolution, Retirement, RunQuery, Soundness, TargetStatus,
    Tier, TriedFiles,
};

use super::acts::{self, ApproveQuery, ExplainQuery, Fields, ImportQuery, RejectQuery, Tie};
use super::admission::{Needed, admitted, known};
use super::deliveries::{self, DeliveryQuery};
use super::integrations::{self, RetireQuery};
use super::notices;
use super::openapi::{Content, Operation, document, made};
use super::share::{Shares, Weight, shared};
use super::site::own;
use super::{App, Backend, GroupQuery, ListQuery, Wait, erase, health, trial};

/// So many bytes has the body of a request at most.
const BODY: usize = 64 * 1024;
/// A file of people is larger than any other body.
const FILE: usize = 16 * 1024 * 1024;

/// Shows a problem to a browser.
pub type Shows = Arc<dyn Fn(&ProblemDocument) -> Response + Send + Sync>;

/// A route.
pub struct Route<B> {
    operation: Operation,
    weight: Weight,
    served: MethodRouter<App<B>>,
    shows: Option<Shows>,
}

/// What is read, by whoever may observe.
fn reads<B: Backend, T: 'static>(
    path: &'static str,
    summary: &'static str,
    handler: impl Handler<T, App<B>>,
) -> Route<B> {
    Route::new("get", path, summary, get(handler), Tier::Observe)
}

/// What is done, by whoever may operate.
fn acts<B: Backend, T: 'static>(
    path: &'static str,
    summary: &'static str,
    handler: impl Handler<T, App<B>>,
) -> Route<B> {
    Route::new("post", path, summary, post(handler), Tier::Operate)
}

impl<B: Backend> Route<B> {
    fn new(
        method: &'static str,
        path: &'static str,
        summary: &'static str,
        served: MethodRouter<App<B>>,
        tier: Tier,
    ) -> Route<B> {
        let operation = Operation {
            method,
            path,
            summary,
            tier,
            query: None,
            body: None,
            answers: Vec::new(),
        };
        Route {
            operation,
            weight: Weight::Light,
            served,
            shows: None,
        }
    }

    /// A page, for whoever may observe.
    pub fn page<T: 'static>(path: &'static str, handler: impl Handler<T, App<B>>) -> Route<B> {
        Route::new("get", path, "", get(handler), Tier::Observe)
    }

    /// What a page's form does, for whoever has this tier.
    pub fn form<T: 'static>(
        path: &'static str,
        tier: Tier,
        handler: impl Handler<T, App<B>>,
    ) -> Route<B> {
        Route::new("post", path, "", post(handler), tier)
    }

    /// Whatever is refused before the page itself is asked is shown so.
    #[must_use]
    pub fn refused_as(mut self, shows: Shows) -> Route<B> {
        self.shows = Some(shows);
        self
    }

    /// Only for whoever has this tier.
    #[must_use]
    pub fn needs(mut self, tier: Tier) -> Route<B> {
        self.operation.tier = tier;
        self
    }

    /// Not answered at once.
    #[must_use]
    pub fn takes(mut self, weight: Weight) -> Route<B> {
        self.weight = weight;
        self
    }

    /// With the members of `Q` in its query.
    fn asked<Q: JsonSchema>(mut self) -> Route<B> {
        self.operation.query = Some(made::<Q>);
        self
    }

    /// With a `T` as its body.
    fn told<T: JsonSchema>(mut self) -> Route<B> {
        self.operation.body = Some(Content::Json(made::<T>));
        self
    }

    /// With a `T` as its body, or with none where nothing is named.
    fn may_be_told<T: JsonSchema>(mut self) -> Route<B> {
        self.operation.body = Some(Content::JsonOrNothing(made::<T>));
        self
    }

    /// Answered by a `T`.
    fn gives<T: JsonSchema>(self) -> Route<B> {
        self.gives_at(200, Content::Json(made::<T>))
    }

    fn gives_at(mut self, status: u16, content: Content) -> Route<B> {
        self.operation.answers.push((status, content));
        self
    }

    /// Answered by the report of runs that ended, or by runs to come.
    fn gives_runs(self) -> Route<B> {
        self.gives::<SyncReply>()
            .gives_at(202, Content::Json(made::<SyncReply>))
    }

    /// With a file of people as its body.
    fn told_people(mut self) -> Route<B> {
        self.operation.body = Some(Content::Csv);
        self.at_most(FILE)
    }

    /// With a body of so many bytes at most.
    #[must_use]
    pub fn at_most(mut self, bytes: usize) -> Route<B> {
        self.served = self.served.layer(DefaultBodyLimit::max(bytes));
        self
    }
}

/// The table. `Named` paths name what exists; nothing in a request names a file, a URL or a script.
fn table<B: Backend>() -> Vec<Route<B>> {
    vec![
        reads("/healthz", "whether the daemon lives", health::alive).gives_at(200, Content::Text),
        reads(
            "/readyz",
            "whether the daemon can work: 503 says why not, 200 names the integrations whose records are not understood, or whose scripts do not come back",
            health::ready::<B>,
        )
        .gives_at(200, Content::Text),
        reads(
            "/metrics",
            "what the daemon counted since its start, and how everything stands",
            health::metrics::<B>,
        )
        .gives_at(200, Content::Metrics),
        reads("/v1/openapi.json", "this document", openapi::<B>).gives_at(200, Content::Document),
        reads(
            "/v1/status",
            "the daemon and all of its integrations",
            super::status::<B>,
        )
        .gives::<Status>(),
        reads(
            "/v1/integrations",
            "all integrations, by id",
            super::integrations::<B>,
        )
        .gives::<Vec<IntegrationStatus>>(),
        reads(
            "/v1/integrations/{id}",
            "one integration",
            super::integration::<B>,
        )
        .gives::<IntegrationStatus>(),
        reads(
            "/v1/credentials",
            "every credential that is in use, by name: what may still be asked with it, until when it is taken, when its secrets were read",
            super::credentials::<B>,
        )
        .gives::<Vec<CredentialStatus>>(),
        acts(
            "/v1/integrations/{id}/sync",
            "sync it now; a request during a run joins the next",
            super::sync_one::<B>,
        )
        .takes(Weight::Lasting)
        .asked::<Wait>()
        .gives_runs(),
        acts(
            "/v1/integrations/{id}/preview",
            "what the next run would do: the whole run, of which nothing remains; with a body by the files whose contents are in it",
            trial::preview::<B>,
        )
        .takes(Weight::Trial)
        .may_be_told::<TriedFiles>()
        .at_most(TriedFiles::MOST)
        .gives::<Preview>(),
        acts(
            "/v1/integrations/{id}/diff",
            "what the next run would do otherwise by the files whose contents are in the body; nothing remains",
            trial::diff::<B>,
        )
        .takes(Weight::Trial)
        .told::<TriedFiles>()
        .at_most(TriedFiles::MOST)
        .gives::<Difference>(),
        acts(
            "/v1/integrations/{id}/pause",
            "keep it from syncing, for a while or until it is resumed",
            acts::pause::<B>,
        )
        .may_be_told::<PauseFor>()
        .gives::<IntegrationStatus>(),
        acts(
            "/v1/integrations/{id}/resume",
            "let it sync again",
            acts::resume::<B>,
        )
        .gives::<IntegrationStatus>(),
        acts(
            "/v1/integrations/{id}/rename",
            "give its people to the integration whose file has its new name",
            integrations::rename::<B>,
        )
        .told::<NewName>()
        .gives::<Done>(),
        acts(
            "/v1/integrations/{id}/retire",
            "end the stays of all its people, and close its alerts: its file is gone or switched off for good",
            integrations::retire::<B>,
        )
        .needs(Tier::Approve)
        .asked::<RetireQuery>()
        .gives::<Retirement>(),
        acts(
            "/v1/integrations/{id}/undo",
            "undo its last renaming or retirement",
            integrations::undo::<B>,
        )
        .gives::<Done>(),
        reads(
            "/v1/integrations/{id}/residents/{resident}",
            "why a resident came in, or did not; `live`, which asks the PMS, needs `operate`",
            acts::explain::<B>,
        )
        .takes(Weight::Lasting)
        .asked::<ExplainQuery>()
        .gives::<Explanation>(),
        acts(
            "/v1/sync",
            "sync all that are switched on",
            super::sync_all::<B>,
        )
        .takes(Weight::Lasting)
        .asked::<Wait>()
        .gives_runs(),
        reads("/v1/runs", "runs, latest first", super::runs::<B>)
            .asked::<RunQuery>()
            .gives::<Page<RunState>>(),
        reads("/v1/runs/{id}", "a run with its decisions", super::run::<B>).gives::<RunDetail>(),
        reads(
            "/v1/runs/{id}/progress",
            "how a run comes on, until it has ended",
            super::progress::<B>,
        )
        .takes(Weight::Lasting)
        .gives_at(200, Content::Events(made::<ProgressEvent>)),
        acts(
            "/v1/runs/{id}/approve",
            "let the plan of a held run through, and carry it out",
            acts::approve::<B>,
        )
        .takes(Weight::Lasting)
        .needs(Tier::Approve)
        .asked::<ApproveQuery>()
        .gives_runs(),
        acts(
            "/v1/runs/{id}/reject",
            "let the plan of a held run wait, and tell nobody of it again",
            acts::reject::<B>,
        )
        .needs(Tier::Approve)
        .asked::<RejectQuery>()
        .gives::<RunState>(),
        reads(
            "/v1/since-upgrade",
            "what only the rules of a new version would take, and waits whatever its size",
            acts::since_upgrade::<B>,
        )
        .gives::<SinceUpgrade>(),
        acts(
            "/v1/since-upgrade/approve",
            "let all of that through at these integrations, and carry it out",
            acts::approve_since_upgrade::<B>,
        )
        .takes(Weight::Lasting)
        .needs(Tier::Approve)
        .asked::<Wait>()
        .told::<ApproveSinceUpgrade>()
        .gives_runs(),
        reads("/v1/people", "people, by id or name", super::people::<B>)
            .asked::<PeopleQuery>()
            .gives::<PeoplePage>(),
        acts("/v1/people", "make a person by hand", acts::add_person::<B>)
            .told::<Enrolment>()
            .gives::<Done>(),
        acts(
            "/v1/people/import",
            "make the people of a CSV file by hand: all of them, or none",
            acts::import_people::<B>,
        )
        .takes(Weight::Upload)
        .asked::<ImportQuery>()
        .told_people()
        .gives::<Imported>(),
        reads(
            "/v1/people/{id}",
            "a person with links, alerts and latest changes",
            super::person::<B>,
        )
        .gives::<PersonDetail>(),
        reads(
            "/v1/people/{id}/history",
            "what happened to a person, newest first",
            acts::history::<B>,
        )
        .asked::<ListQuery>()
        .gives::<Page<Change>>(),
        acts(
            "/v1/people/{id}/link",
            "tie a resident to a person",
            acts::link::<B>,
        )
        .told::<Tie>()
        .gives::<Done>(),
        acts(
            "/v1/people/{id}/unlink",
            "untie a resident from a person",
            acts::unlink::<B>,
        )
        .told::<Tie>()
        .gives::<Done>(),
        acts(
            "/v1/people/{id}/lock",
            "keep fields from the PMS",
            acts::lock::<B>,
        )
        .told::<Fields>()
        .gives::<Done>(),
        acts(
            "/v1/people/{id}/unlock",
            "give fields back to the PMS",
            acts::unlock::<B>,
        )
        .told::<Fields>()
        .gives::<Done>(),
        acts(
            "/v1/people/{id}/pin",
            "keep a person from every run",
            acts::pin::<B>,
        )
        .gives::<Done>(),
        acts(
            "/v1/people/{id}/unpin",
            "give a person back to runs",
            acts::unpin::<B>,
        )
        .gives::<Done>(),
        acts(
            "/v1/people/{id}/erase",
            "take everything out that says who a person is; at once where targets have nothing of theirs, or with `force`",
            erase::erase::<B>,
        )
        .needs(Tier::Approve)
        .may_be_told::<EraseAsk>()
        .gives::<Erasure>(),
        acts(
            "/v1/people/{id}/set",
            "write fields of a person",
            acts::set::<B>,
        )
        .told::<ProfileEdit>()
        .gives::<Done>(),
        acts(
            "/v1/people/{id}/end",
            "end a stay that was made by hand",
            acts::end::<B>,
        )
        .may_be_told::<EndStay>()
        .gives::<Done>(),
        acts(
            "/v1/acts/{id}/undo",
            "undo something that was done by hand, while nothing newer touched the same",
            acts::undo_act::<B>,
        )
        .gives::<Done>(),
        reads("/v1/alerts", "alerts, by kind", super::alerts::<B>)
            .asked::<AlertQuery>()
            .gives::<Page<Alert>>(),
        reads(
            "/v1/alerts/{id}",
            "an alert, and what was done to it",
            super::alert::<B>,
        )
        .gives::<AlertDetail>(),
        reads(
            "/v1/alerts/groups",
            "how many alerts are open, by kind and integration",
            super::alert_groups::<B>,
        )
        .asked::<GroupQuery>()
        .gives::<AlertGroups>(),
        acts(
            "/v1/alerts/dismiss",
            "dismiss all open alerts of a kind, at an integration or everywhere: all of them, or none",
            acts::dismiss_many::<B>,
        )
        .told::<DismissMany>()
        .gives::<Dismissed>(),
        acts(
            "/v1/alerts/{id}/comment",
            "say something about an alert",
            acts::comment::<B>,
        )
        .told::<NewComment>()
        .gives::<Done>(),
        acts(
            "/v1/alerts/{id}/assign",
            "say who looks after an alert, or that nobody does",
            acts::assign::<B>,
        )
        .told::<NewAssignee>()
        .gives::<Done>(),
        acts(
            "/v1/alerts/{id}/resolve",
            "resolve an alert",
            acts::resolve::<B>,
        )
        .told::<Resolution>()
        .gives::<Done>(),
        acts(
            "/v1/alerts/{id}/dismiss",
            "hear no more of an alert until either side changes",
            acts::dismiss::<B>,
        )
        .gives::<Done>(),
        acts(
            "/v1/alerts/{id}/undo",
            "undo the last act on an alert",
            acts::undo::<B>,
        )
        .gives::<Done>(),
        reads(
            "/v1/targets",
            "all targets, by id: what is delivered there, and what waits",
            deliveries::targets::<B>,
        )
        .gives::<Targets>(),
        reads("/v1/targets/{id}", "one target", deliveries::target::<B>).gives::<TargetStatus>(),
        reads(
            "/v1/deliveries",
            "what people have at targets, or shall have there, by target, person and key",
            deliveries::list::<B>,
        )
        .asked::<DeliveryQuery>()
        .gives::<Page<Delivery>>(),
        reads(
            "/v1/deliveries/{target}/preview",
            "what is to be done at a target now, for whom, why, and what it waits for",
            deliveries::preview::<B>,
        )
        .gives::<DeliveryPlan>(),
        acts(
            "/v1/deliveries/{target}/approve",
            "let what waits at a target through",
            deliveries::approve::<B>,
        )
        .needs(Tier::Approve)
        .may_be_told::<ApproveDeliveries>()
        .gives::<DeliveriesTouched>(),
        acts(
            "/v1/deliveries/{target}/retry",
            "try again what is parked at a target",
            deliveries::retry::<B>,
        )
        .may_be_told::<RetryDeliveries>()
        .gives::<DeliveriesTouched>(),
        reads(
            "/v1/changes",
            "the change log, as JSON lines",
            super::changes::changes::<B>,
        )
        .takes(Weight::Lasting)
        .asked::<super::changes::ChangesQuery>()
        .gives_at(200, Content::Lines(made::<LogLine>)),
        reads(
            "/v1/store",
            "how large the store is, by how much it grows, and the backups that are made of it",
            super::care::keeping::<B>,
        )
        .gives::<Keeping>(),
        acts(
            "/v1/notify/test",
            "send a test to those who are told of what is wrong, or to those of one notification",
            notices::test::<B>,
        )
        .takes(Weight::Lasting)
        .may_be_told::<NotifyTest>()
        .gives::<NotifyTested>(),
        acts(
            "/v1/backup",
            "a copy of the store as it is now: a redb file",
            super::care::backup::<B>,
        )
        .takes(Weight::Heavy)
        .gives_at(200, Content::Bytes),
        reads(
            "/v1/verify",
            "every table of the store held against every other",
            super::care::verify::<B>,
        )
        .takes(Weight::Heavy)
        .gives::<Soundness>(),
        acts("/v1/reload", "read all files again", super::reload::<B>)
            .takes(Weight::Lasting)
            .gives::<ReloadReply>(),
    ]
}

async fn openapi<B: Backend>() -> Json<serde_json::Value> {
    let operations: Vec<Operation> = table::<B>()
        .into_iter()
        .map(|route| route.operation)
        .collect();
    Json(document(&operations))
}

/// Shows as a page what was refused before the page was asked.
async fn shown(State(shows): State<Shows>, request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    match answer.extensions().get::<ProblemDocument>() {
        Some(problem) => shows(problem),
        None => answer,
    }
}

/// Shows to a browser what was refused before anything was asked; programs, and whatever is beneath /v1, get the problem itself.
pub(super) async fn shown_to_browsers(
    State(shows): State<Shows>,
    request: Request,
    next: Next,
) -> Response {
    let is_page = !request.uri().path().starts_with("/v1") && wants_page(request.headers());
    let answer = next.run(request).await;
    match answer.extensions().get::<ProblemDocument>() {
        Some(problem) if is_page => shows(problem),
        _ => answer,
    }
}

/// Whether somebody looks at pages.
fn wants_page(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|kinds| {
        let kinds = kinds.to_str().unwrap_or_default();
        kinds
            .split([',', ';'])
            .any(|kind| kind.trim() == "text/html")
    })
}

/// How pages show a problem.
pub(super) fn shows<B>(pages: &[Route<B>]) -> Option<Shows> {
    pages.iter().find_map(|page| page.shows.clone())
}

pub(super) fn router<B: Backend>(app: App<B>, pages: Vec<Route<B>>) -> Router {
    let shares = Shares::default();
    let shows = shows(&pages);
    let routes = table()
        .into_iter()
        .chain(pages)
        .fold(Router::new(), |router, route: Route<B>| {
            let needed = Needed {
                tier: route.operation.tier,
                route: route.operation.path,
            };
            let admitted = from_fn_with_state(needed, admitted);
            let shared = from_fn_with_state((shares.clone(), route.weight), shared);
            // The outer one comes first: nobody has a share of what they may not do.
            let served = route.served.layer(shared).layer(admitted);
            let served = match route.shows {
                Some(shows) => served.layer(from_fn_with_state(shows, shown)),
                None => served,
            };
            router.route(route.operation.path, served)
        })
        .fallback(async || {
            ProblemDocument::not_found("there is nothing here; the paths begin with /v1")
        })
        .method_not_allowed_fallback(async || {
            ProblemDocument::method_not_allowed(
                "this path is asked in another way; GET reads, POST acts",
            )
        })
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn(own))
        .layer(from_fn_with_state(app.clone(), known::<B>));
    match shows {
        Some(shows) => routes.layer(from_fn_with_state(shows, shown_to_browsers)),
        None => routes,
    }
    .with_state(app)
}
