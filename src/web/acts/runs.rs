//! Somebody's word about a plan that waits: always about the very plan that they looked at.

use std::collections::BTreeMap;

use crate::control::protocol::ApproveSinceUpgrade;
use crate::control::server::{Answer, Backend};
use crate::model::{IntegrationId, RunId};

use super::super::Next;
use super::super::asked::Asked;
use super::super::fields::Fields;
use super::super::said::then;
use super::part;

pub(super) async fn approve<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let run: RunId = asked.id("id")?;
    let digest = fields.needed("digest")?.to_owned();
    let followed = asked.backend().approve(run, Some(digest), asked.peer());
    let followed = followed.await?;
    let next = followed.first().map_or(run, |followed| followed.id);
    Ok(then(&format!("/runs/{next}"), "approved", ""))
}

pub(super) async fn reject<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let run: RunId = asked.id("id")?;
    let digest = fields.needed("digest")?.to_owned();
    let rejected = asked.backend().reject(run, Some(digest), asked.peer());
    rejected.await?;
    Ok(then(&format!("/runs/{run}"), "rejected", ""))
}

pub(super) async fn approve_since_upgrade<B: Backend>(
    asked: Asked<B>,
    fields: Fields,
) -> Answer<Next> {
    let name = asked.name("id").to_owned();
    let digest = fields.needed("digest")?.to_owned();
    let digests = BTreeMap::from([(IntegrationId::new(name.as_str()), digest)]);
    let told = ApproveSinceUpgrade { digests };
    asked
        .backend()
        .approve_since_upgrade(told, asked.peer())
        .await?;
    Ok(then(
        &format!("/integrations/{}", part(&name)),
        "approved",
        "",
    ))
}
