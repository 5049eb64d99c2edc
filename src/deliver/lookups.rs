//! What a target's script looks up: read when it is first asked for, when it is old, and again where something was not in it
//! that may be new. Maps nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;

use crate::model::Reading;
use crate::outbound::Account;
use crate::script::Lookups;
use crate::source::{Handed, Reader, Scope, SourceError, collected};

use super::desk::Desk;

/// What was read of each lookup, and when.
#[derive(Default)]
pub(super) struct Known(Mutex<BTreeMap<String, (Instant, Lookups)>>);

impl Known {
    /// Everything that the script may ask for. What was read before `fresh_from` is read again.
    pub(super) async fn of(
        &self,
        desk: &Desk,
        reader: &Reader,
        account: &Account,
        scope: &Scope,
        fresh_from: Option<Instant>,
    ) -> Result<Arc<Lookups>, SourceError> {
        let target = &desk.target;
        let mut known = self.0.lock().await;
        let mut all = Lookups::new();
        let asked = target.source.lookups();
        for (request, refresh) in asked.filter(|(request, _)| desk.script.asks(request)) {
            let serves = known.get(request).is_some_and(|(read, _)| {
                read.elapsed() <= refresh.0 && fresh_from.is_none_or(|from| *read >= from)
            });
            if !serves {
                let read = Instant::now();
                let came = read_all(desk, reader, account, scope, request).await?;
                known.insert(request.to_owned(), (read, came));
            }
            if let Some((_, came)) = known.get(request) {
                all.take(request, came.clone());
            }
        }
        Ok(Arc::new(all))
    }
}

async fn read_all(
    desk: &Desk,
    reader: &Reader,
    account: &Account,
    scope: &Scope,
    request: &str,
) -> Result<Lookups, SourceError> {
    let source = &desk.target.source;
    let (taker, pages) = mpsc::channel::<Handed>(2);
    let collect = async {
        let mut came = Lookups::new();
        for record in collected(pages).await {
            if let Some((property, id)) = source.lookup_key(request, &record.property, &record.json)
            {
                came.put(request, property, id, record.json.into());
            }
        }
        came
    };
    let reading = reader.read(source, account, request, scope, taker);
    let (reading, mut came) = tokio::join!(reading, collect);
    match reading {
        Reading::Complete { .. } => {
            if came.of(request).is_none() {
                came.know(request, BTreeMap::new());
            }
            Ok(came)
        }
        Reading::Partial { reason } => Err(reason),
    }
}
