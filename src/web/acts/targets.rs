//! What is let through at a target, and what is tried again there.

use crate::control::server::{Answer, Backend};
use crate::model::TargetId;

use super::super::Next;
use super::super::asked::Asked;
use super::super::fields::Fields;
use super::super::said::then;
use super::part;

/// Lets exactly that through which somebody looked at.
pub(super) async fn approve<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let name = asked.name("id").to_owned();
    let digest = Some(fields.needed("digest")?.to_owned());
    let target = TargetId::new(name.as_str());
    let approved = asked
        .backend()
        .approve_deliveries(target, digest, asked.peer());
    approved.await?;
    Ok(then(
        &format!("/targets/{}", part(&name)),
        "deliveries-approved",
        "",
    ))
}

pub(super) async fn retry<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let name = asked.name("id").to_owned();
    let target = TargetId::new(name.as_str());
    let person = fields.parsed("person")?;
    asked
        .backend()
        .retry_deliveries(target, person, asked.peer())
        .await?;
    Ok(then(&format!("/targets/{}", part(&name)), "retried", ""))
}
