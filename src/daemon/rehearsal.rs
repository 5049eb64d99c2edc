//! What files would change, found out on recorded answers: without a daemon, a PMS and a store that anybody has. The
//! store that it works in is its own, and gone afterwards.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::catalog::Integration;
use crate::model::{Difference, Switch, Tried};
use crate::store::Store;
use crate::sync;

use super::DaemonError;

/// What a run by `with` would do otherwise than one by `runs`, after one by `runs` took the same records into an empty
/// store: whoever is recorded lives there already.
pub fn rehearse(
    runs: &Arc<Integration>,
    with: &Arc<Integration>,
    recorded: &sync::Recorded,
) -> Result<Difference, DaemonError> {
    let folder = tempfile::TempDir::with_prefix("epms-")?;
    let store = Store::open(folder.path())?;
    let noon = recorded.today.at(12, 0, 0, 0).to_zoned(TimeZone::UTC);
    let started = noon.map_or(Timestamp::UNIX_EPOCH, |noon| noon.timestamp());
    let tried = Tried {
        switch: Switch::between(runs.config.enabled, with.config.enabled),
        ..Tried::default()
    };
    let [now, with] = sync::rehearse(&store, runs, with, recorded, started)?;
    Ok(Difference::between(&now, &with, tried))
}
