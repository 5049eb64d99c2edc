//! What is asked by programs that watch the daemon: whether it lives, whether it can work, and its metrics.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use super::{Answer, App, Backend};

/// The content type of OpenMetrics text.
pub(super) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is said of what is well.
const OK: &str = "ok\n";

pub(super) async fn alive() -> &'static str {
    OK
}

pub(super) async fn ready<B: Backend>(State(app): State<App<B>>) -> Answer<String> {
    let unwell = app.backend.ready().await?;
    if unwell.is_empty() {
        return Ok(OK.to_owned());
    }
    let mut text = String::from("it can work, and not all is well:\n");
    for line in unwell {
        text += &line;
        text.push('\n');
    }
    Ok(text)
}

pub(super) async fn metrics<B: Backend>(State(app): State<App<B>>) -> Answer<impl IntoResponse> {
    let text = app.backend.metrics().await?;
    Ok(([(header::CONTENT_TYPE, OPENMETRICS)], text))
}
