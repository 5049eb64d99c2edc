//! The page on which somebody signs in, and what it looks like: for everybody who comes over the network. Compares nothing.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::response::Response;
use axum::routing::get;
use minijinja::context;

use super::super::Ways;
use super::super::assets;
use super::super::fields::Fields;
use super::super::look::{Look, Page};
use crate::control::server::local;

/// What everybody sees, signed in or not.
pub(in super::super) fn open(look: &Arc<Look>, ways: &Ways) -> Router {
    let (page, asset, done) = (Arc::clone(look), Arc::clone(look), Arc::clone(look));
    let ways = ways.clone();
    Router::new()
        .route(
            "/sign-in",
            get(async move |RawQuery(query): RawQuery| {
                let query = Fields::read(query.unwrap_or_default().as_bytes());
                show(&page, &ways, &query)
            }),
        )
        .route(
            "/sign-in/done",
            get(async move |RawQuery(query): RawQuery| {
                let query = Fields::read(query.unwrap_or_default().as_bytes());
                lead_on(&done, &query)
            }),
        )
        .route(
            "/assets/{hash}/{name}",
            get(async move |Path((hash, name)): Path<(String, String)>| {
                assets::answer(&asset, &hash, &name)
            }),
        )
}

/// Why nobody was signed in by the provider of identities: a word of the address, and what is said of it.
const WHY: &[(&str, &str)] = &[
    ("none", "There is no provider of identities here any more."),
    (
        "away",
        "The provider of identities cannot be asked now. Try again in a moment; where another way is on this page, it goes on.",
    ),
    (
        "unfit",
        "The provider of identities is not set up right for this page. Whoever runs epms here finds the reason in its log, and by its doctor.",
    ),
    (
        "over",
        "This sign-in was over already, or was begun in another browser. Begin again.",
    ),
    ("declined", "The provider of identities let nobody in."),
    (
        "distrusted",
        "What came back with you is not to be trusted, and nobody was signed in. Begin again; whoever runs epms here finds the reason in its log.",
    ),
    (
        "groupless",
        "You are known, and none of your groups may do anything here. Whoever runs epms here says which may.",
    ),
    (
        "no-sign-out",
        "The provider of identities has no place to sign out: close the browser.",
    ),
];

fn show(look: &Look, ways: &Ways, query: &Fields) -> Response {
    let wait: Option<u64> = query.get("wait").and_then(|wait| wait.parse().ok());
    let why = query.get("why");
    let why = why.and_then(|why| WHY.iter().find(|(word, _)| *word == why));
    let page = Page {
        title: "Sign in".to_owned(),
        part: "",
        template: "sign-in.html",
        values: context! {
            failed => query.get("failed").is_some(),
            out => query.get("out").is_some(),
            left => query.get("left").is_some() && ways.oidc.is_some(),
            wait => wait.map(|wait| wait.min(3_600)),
            why => why.map(|(_, told)| *told),
            next => query.get("next").map(local).filter(|next| *next != "/").unwrap_or_default(),
            accounts => ways.accounts,
            oidc => ways.oidc.as_deref(),
        },
    };
    look.alone(&page)
}

/// Leads on to a page within this site: to where another site leads, no browser takes the cookie of the session along.
fn lead_on(look: &Look, query: &Fields) -> Response {
    let page = Page {
        title: "Signed in".to_owned(),
        part: "",
        template: "signed-in.html",
        values: context! { next => local(query.get("next").unwrap_or_default()) },
    };
    look.alone(&page)
}
