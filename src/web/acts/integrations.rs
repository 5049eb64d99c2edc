//! Syncs and pauses that somebody asks for.

use crate::control::protocol::{PauseFor, ProblemDocument};
use crate::control::server::{Answer, Backend};
use crate::model::{IntegrationId, RunId};

use super::super::Next;
use super::super::asked::Asked;
use super::super::fields::Fields;
use super::super::said::then;
use super::part;

/// Nobody waits here for the runs: the page that follows shows how they come on.
pub(super) async fn sync_all<B: Backend>(asked: Asked<B>, _: Fields) -> Answer<Next> {
    begun(&asked, None).await?;
    Ok(then("/", "syncs", ""))
}

pub(super) async fn sync<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let id = asked.name("id").to_owned();
    let run = begun(&asked, Some(vec![IntegrationId::new(id.as_str())])).await?;
    let run = run.map(|run| run.to_string()).unwrap_or_default();
    Ok(match fields.get("from") {
        Some("all") => then("/", "sync", run),
        _ if run.is_empty() => then(&format!("/integrations/{}", part(&id)), "sync", run),
        _ => then(&format!("/runs/{run}"), "sync", ""),
    })
}

async fn begun<B: Backend>(
    asked: &Asked<B>,
    integrations: Option<Vec<IntegrationId>>,
) -> Answer<Option<RunId>> {
    let followed = asked.backend().sync(integrations, asked.peer()).await?;
    Ok(followed.first().map(|run| run.id))
}

pub(super) async fn pause<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let hours: Option<u64> = fields.parsed("hours")?;
    let seconds = hours.map(|hours| {
        hours
            .checked_mul(3_600)
            .ok_or_else(|| ProblemDocument::bad_request("`hours`: that is too long"))
    });
    let pause = PauseFor {
        seconds: seconds.transpose()?,
        reason: fields.get("reason").map(str::to_owned),
    };
    set(asked, Some(pause), "paused").await
}

pub(super) async fn resume<B: Backend>(asked: Asked<B>, _: Fields) -> Answer<Next> {
    set(asked, None, "resumed").await
}

async fn set<B: Backend>(asked: Asked<B>, pause: Option<PauseFor>, word: &str) -> Answer<Next> {
    let name = asked.name("id");
    let id = IntegrationId::new(name);
    asked.backend().pause(id, pause, asked.peer()).await?;
    Ok(then(&format!("/integrations/{}", part(name)), word, ""))
}
