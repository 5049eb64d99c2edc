//! The care of the store over the socket: a copy of it, streamed, and what a check of it found. No request names
//! a file: where a copy is written to is the caller's business.

use std::fs::File;
use std::io;

use axum::Json;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use tokio::io::AsyncReadExt;

use crate::model::{Keeping, Soundness};

use super::{Answer, App, Backend, Peer};

/// So many bytes of a copy are read and sent at once.
const PIECE: usize = 64 * 1024;

/// A copy of the store, as of one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// The copy, at its beginning. It has no name any more: it goes when this is dropped.
    pub file: File,
    /// How long it is, in bytes.
    pub length: u64,
}

pub(super) async fn backup<B: Backend>(
    State(app): State<App<B>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Answer<Response> {
    let Snapshot { file, length } = app.backend.backup(peer).await?;
    let file = tokio::fs::File::from_std(file);
    // Should reading fail, the answer ends before its length: the caller hears of it.
    let pieces = unfold(Some(file), async |file| {
        let mut file = file?;
        let mut piece = vec![0; PIECE];
        match file.read(&mut piece).await {
            Ok(0) => None,
            Ok(read) => {
                piece.truncate(read);
                Some((Ok::<_, io::Error>(piece), Some(file)))
            }
            Err(error) => Some((Err(error), None)),
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

pub(super) async fn keeping<B: Backend>(State(app): State<App<B>>) -> Answer<Json<Keeping>> {
    app.backend.keeping().await.map(Json)
}

pub(super) async fn verify<B: Backend>(State(app): State<App<B>>) -> Answer<Json<Soundness>> {
    app.backend.verify().await.map(Json)
}
