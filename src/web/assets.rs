//! The style sheet and the script, as they were built in: their names have the hash of what is in them, so that browsers keep
//! them. Serves no other file.

use std::sync::Arc;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use include_dir::{Dir, include_dir};

use crate::control::protocol::ProblemDocument;
use crate::control::server::{Backend, Route};

use super::asked::Asked;
use super::look::{Look, guarded};

static ASSETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/web/assets");

/// What a browser keeps for ever, as another content has another name.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Where an asset lies, such as `/assets/5a0c9e1f22bd/style.css`.
pub(super) fn address(name: &str) -> String {
    let text = ASSETS
        .get_file(name)
        .map_or(&[][..], |file| file.contents());
    format!("/assets/{}/{name}", hash(text))
}

fn hash(text: &[u8]) -> String {
    blake3::hash(text).to_hex().chars().take(12).collect()
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

pub(super) fn routes<B: Backend>(look: &Arc<Look>) -> Vec<Route<B>> {
    let look = Arc::clone(look);
    let served = move |asked: Result<Asked<B>, ProblemDocument>| {
        let look = Arc::clone(&look);
        async move {
            match &asked {
                Ok(asked) => answer(&look, asked.name("hash"), asked.name("name")),
                Err(problem) => look.problem(problem),
            }
        }
    };
    vec![Route::page("/assets/{hash}/{name}", served)]
}

/// One of them, where it still has this hash.
pub(super) fn answer(look: &Look, asked: &str, name: &str) -> Response {
    let found = ASSETS.get_file(name);
    let Some(file) = found.filter(|file| hash(file.contents()) == asked) else {
        let gone = "there is no such file any more; load the page again";
        return look.problem(&ProblemDocument::not_found(gone));
    };
    let headers = [
        (header::CONTENT_TYPE, kind(name)),
        (header::CACHE_CONTROL, FOR_EVER),
    ];
    guarded((headers, file.contents()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_has_its_kind_and_another_name_with_another_content() {
        assert!(ASSETS.files().count() >= 2);
        for file in ASSETS.files() {
            let name = file.path().to_str().unwrap();
            assert_ne!(kind(name), "application/octet-stream", "{name}");
            assert!(!file.contents().is_empty());
        }
        assert_ne!(hash(b"a"), hash(b"b"));
        assert_eq!(hash(b"a").len(), 12);
    }
}
