//! ResMan's partner API, version 2, over a world: `Leasing/Leases`, `Units` and `Properties`. Not the older API, which is
//! asked by forms and knows current residents alone.
//!
//! A lease is one billing account on one unit, with its people. A person's status is their own: who left is `Former` on a
//! lease that goes on. `Pending` is everybody who has no key yet: who asked for a lease, and who has signed one and is
//! `approved`. Who is transferred has another billing account; the old one stays, `Former`, and names the new one.
//! Without `modifiedSince` there is no answer, and what has not changed since is left out of it.

mod render;
#[cfg(test)]
pub(super) mod tests;

use std::sync::PoisonError;

use axum::http::Method;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::fault::FaultKind;
use super::rest::{self, query};
use super::serve::{Asked, Reply, Seen, Shared};
use super::world::{Entity, World};

const LEASES: &str = "Leasing/Leases";

/// Makes a world one that ResMan would know.
pub(super) fn prepare(world: World) -> World {
    world.with_renewals()
}

/// The secret fields of the credential that is let in.
pub(super) fn secrets(world: &World) -> Vec<(&'static str, String)> {
    let word = |number| world.uuid(Entity::Request, number).replace('-', "");
    vec![
        ("partner_id", "1400".to_owned()),
        ("api_key", format!("{}:&<", word(u32::MAX))),
        ("account_id", "402".to_owned()),
    ]
}

/// What a request asks for.
pub(super) fn seen(asked: &Asked) -> Seen {
    Seen {
        operation: asked.path.trim_start_matches('/').to_owned(),
        property: query(asked, "propertyId"),
        page: None,
        target: asked.target(),
    }
}

/// Answers one request, faults applied.
pub(super) fn answer(shared: &Shared, asked: &Asked, faults: &[FaultKind]) -> Reply {
    if let Some(refused) = rest::refused(faults, failure) {
        return refused;
    }
    if faults.contains(&FaultKind::NoResult) {
        return rest::answer(200, &json!({}));
    }
    respond(shared, asked, faults).unwrap_or_else(|reply| reply)
}

fn failure(status: u16) -> Reply {
    let (code, message) = match status {
        400 => (10_001, "A required parameter is missing or not valid."),
        401 => (20_000, "The credentials are not valid."),
        404 => (10_004, "The resource was not found."),
        429 => (42_900, "Too many requests."),
        _ => (50_000, "The request could not be served."),
    };
    rest::answer(status, &json!({ "code": code, "message": message }))
}

/// The login is right and may not do this: with the same status as a wrong one.
fn not_permitted() -> Reply {
    let message = "The credentials are not permitted to access this resource.";
    rest::answer(401, &json!({ "code": 20_001, "message": message }))
}

fn respond(shared: &Shared, asked: &Asked, faults: &[FaultKind]) -> Result<Reply, Reply> {
    let (partner, key) = asked.basic().unzip();
    let is_known = shared.secret_is("partner_id", partner.as_deref())
        && shared.secret_is("api_key", key.as_deref());
    if !is_known {
        return Err(failure(401));
    }
    if !shared.secret_is("account_id", asked.header("resman-account-id")) {
        return Err(not_permitted());
    }
    if asked.method != Method::GET {
        return Err(failure(404));
    }
    let world = shared.world.read().unwrap_or_else(PoisonError::into_inner);
    let property = || {
        let id = query(asked, "propertyId").ok_or_else(|| failure(400))?;
        shared.property(&world, &id).ok_or_else(not_permitted)
    };
    let (name, mut records): (&str, Vec<Value>) = match asked.path.trim_start_matches('/') {
        LEASES => {
            let since = query(asked, "modifiedSince").ok_or_else(|| failure(400))?;
            let since: Date = since.parse().map_err(|_| failure(400))?;
            let history = query(asked, "includeLeaseHistory").is_some_and(|text| text == "true");
            let at = property()?;
            let homes = world.households().iter().filter(|home| {
                let day = home.updated.to_zoned(TimeZone::UTC).date();
                !home.members.is_empty() && home.property == at && day >= since
            });
            let leases = homes.flat_map(|home| render::leases(&world, home, history));
            ("leases", leases.collect())
        }
        "Units" => ("units", render::units(&world, property()?)),
        "Properties" => {
            let all = 0..world.properties().len();
            (
                "properties",
                all.map(|at| render::property(&world, at)).collect(),
            )
        }
        _ => return Err(failure(404)),
    };
    if faults.contains(&FaultKind::Empty) {
        records.clear();
    }
    if faults.contains(&FaultKind::ChangedField) && name == "leases" {
        for lease in &mut records {
            rest::rename(lease, "leaseStatus", "status");
            let people = lease["people"].as_array_mut();
            for person in people.into_iter().flatten() {
                rest::rename(person, "residencyStatus", "status");
            }
        }
    }
    Ok(rest::answer(200, &json!({ name: records })))
}
