//! `epms compact`: the store's file without the room that it does not need. No daemon may run.

use serde::Serialize;

use crate::config::{Environment, Home};
use crate::store::Store;

use super::{Exit, Failure, Screen, care};

/// How long the file was and is, in bytes.
#[derive(Debug, Serialize)]
struct Compacted {
    before: u64,
    after: u64,
}

pub(super) fn run(
    json: bool,
    home: &Home,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let folder = care::folder(home, environment)?;
    let store = Store::open(care::with_store(&folder)?)?;
    care::tell(store.notes(), screen)?;
    let (before, after) = store.compact()?;
    screen.show(json, &Compacted { before, after }, |done, _| {
        format!(
            "{} before, {} now\n",
            care::size(done.before),
            care::size(done.after)
        )
    })?;
    Ok(Exit::Done)
}
