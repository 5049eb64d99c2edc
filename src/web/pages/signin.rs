//! The page on which somebody signs in, and what it looks like: for everybody who comes over the network. Compares nothing.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::response::Response;
use axum::routing::get;
use minijinja::context;

use super::super::assets;
use super::super::fields::Fields;
use super::super::look::{Look, Page};

/// What everybody sees, signed in or not.
pub(in super::super) fn open(look: &Arc<Look>) -> Router {
    let (page, asset) = (Arc::clone(look), Arc::clone(look));
    Router::new()
        .route(
            "/sign-in",
            get(async move |RawQuery(query): RawQuery| {
                let query = Fields::read(query.unwrap_or_default().as_bytes());
                show(&page, &query)
            }),
        )
        .route(
            "/assets/{hash}/{name}",
            get(async move |Path((hash, name)): Path<(String, String)>| {
                assets::answer(&asset, &hash, &name)
            }),
        )
}

fn show(look: &Look, query: &Fields) -> Response {
    let wait: Option<u64> = query.get("wait").and_then(|wait| wait.parse().ok());
    let page = Page {
        title: "Sign in".to_owned(),
        part: "",
        template: "sign-in.html",
        values: context! {
            failed => query.get("failed").is_some(),
            out => query.get("out").is_some(),
            wait => wait.map(|wait| wait.min(3_600)),
            next => query.get("next").unwrap_or_default(),
        },
    };
    look.alone(&page)
}
