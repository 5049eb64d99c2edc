//! `epms init --fresh-store`: a new store, with nobody in it, in the place of one that was lost for good. A store that
//! can be read is never replaced.

use std::path::PathBuf;

use serde::Serialize;

use crate::config::{Environment, Home};
use crate::control::client::Client;
use crate::model::StoreIdentity;
use crate::store::Store;

use super::{Exit, Failure, Screen, care};

/// What was made.
#[derive(Debug, Serialize)]
struct Made {
    folder: PathBuf,
    /// Where what lay there in its place is kept.
    kept: Option<PathBuf>,
    store: StoreIdentity,
}

pub(super) async fn run(
    json: bool,
    client: &Client,
    home: &Home,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    care::nobody_listens(client).await?;
    let folder = care::folder(home, environment)?;
    let (store, kept) = Store::anew(&folder, screen.view.now)?;
    let made = Made {
        store: store.read()?.identity()?,
        folder,
        kept,
    };
    screen.show(json, &made, |made, _| {
        let mut text = format!(
            "made a new store in {}, with nobody in it; epoch {} begins with it\n",
            made.folder.display(),
            made.store.epoch
        );
        if let Some(kept) = &made.kept {
            text += &format!("what lay there is kept as {}\n", kept.display());
        }
        text
    })?;
    Ok(Exit::Done)
}
