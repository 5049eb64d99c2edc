//! Rent Manager's web API, version 12, over a world: the login, `Tenants`, `Units` and `Properties`.
//!
//! A tenant is an account; the people are its contacts, and some of these are nobody who lives there: guarantors, and whom
//! to call in an emergency. What is embedded in a record is what the request names in `embeds`. Answers are lists; one with
//! more behind it has status 206, one without anything 204 and no body. Applicants are prospects, and not in any answer.

mod render;
#[cfg(test)]
pub(super) mod tests;

use std::sync::PoisonError;

use axum::http::Method;
use serde_json::{Value, json};

use super::fault::FaultKind;
use super::rest::{self, query};
use super::serve::{Asked, Reply, Seen, Shared};
use super::world::{Entity, World};

const LOGIN: &str = "Authentication/AuthorizeUser";
/// The most records on a page.
const MOST: usize = 1000;

/// Makes a world one that Rent Manager would know.
pub(super) fn prepare(world: World) -> World {
    world.with_renewals()
}

/// The secret fields of the credential that is let in.
pub(super) fn secrets(world: &World) -> Vec<(&'static str, String)> {
    let word = |number| world.uuid(Entity::Request, number).replace('-', "");
    vec![
        ("username", "epmsfeed".to_owned()),
        ("password", format!("{}\"\\&<", &word(u32::MAX)[..10])),
        ("location_id", "1".to_owned()),
    ]
}

/// What proves that a login was let in.
fn token(world: &World) -> String {
    world.uuid(Entity::Request, u32::MAX - 2).replace('-', "")
}

/// What a request asks for.
pub(super) fn seen(asked: &Asked) -> Seen {
    Seen {
        operation: asked.path.trim_start_matches('/').to_owned(),
        property: filtered(asked),
        page: query(asked, "PageNumber").and_then(|text| text.parse().ok()),
        target: asked.target(),
    }
}

/// The property in `filters=PropertyID,eq,12`.
fn filtered(asked: &Asked) -> Option<String> {
    let filters = query(asked, "filters")?;
    let mut filters = filters.split(';');
    filters.find_map(|one| one.strip_prefix("PropertyID,eq,").map(str::to_owned))
}

/// Answers one request, faults applied.
pub(super) fn answer(shared: &Shared, asked: &Asked, faults: &[FaultKind]) -> Reply {
    if let Some(refused) = rest::refused(faults, failure) {
        return refused;
    }
    if faults.contains(&FaultKind::NoResult) {
        return rest::nothing(200);
    }
    let left = 1000_u32.saturating_sub(asked.number);
    respond(shared, asked, faults)
        .unwrap_or_else(|reply| reply)
        .with("x-ratelimit-remaining", left)
}

fn failure(status: u16) -> Reply {
    let (number, user) = match status {
        400 => (3, "The request is not valid."),
        401 => (1, "The username, password or API token is not valid."),
        403 => (2, "The user may not do this."),
        404 => (4, "There is no such resource."),
        429 => (9, "Too many requests."),
        _ => (0, "An error has occurred."),
    };
    let body = json!({
        "UserMessage": user, "DeveloperMessage": user, "ErrorCode": number, "MoreInfoUri": null,
        "Exception": null, "Details": null, "InnerException": null, "AdditionalData": {},
    });
    rest::answer(status, &body)
}

fn respond(shared: &Shared, asked: &Asked, faults: &[FaultKind]) -> Result<Reply, Reply> {
    let world = shared.world.read().unwrap_or_else(PoisonError::into_inner);
    let resource = asked.path.trim_start_matches('/');
    if resource == LOGIN && asked.method == Method::POST {
        let given: Value = serde_json::from_str(&asked.body).map_err(|_| failure(400))?;
        let is = |field: &str, name: &str| shared.secret_is(name, given[field].as_str());
        let location = given["LocationID"]
            .as_u64()
            .map(|number| number.to_string());
        let is_let_in = is("Username", "username")
            && is("Password", "password")
            && shared.secret_is("location_id", location.as_deref());
        if !is_let_in {
            return Err(failure(401));
        }
        return Ok(rest::answer(200, &json!(token(&world))));
    }
    if asked.header("x-rm12api-apitoken") != Some(&token(&world)) {
        return Err(failure(401));
    }
    if asked.method != Method::GET {
        return Err(failure(404));
    }
    let property = match filtered(asked) {
        Some(id) => match shared.property(&world, &id) {
            Some(at) => Some(at),
            None => return Ok(rest::nothing(204)),
        },
        None => None,
    };
    let of_it = |at: usize| property.is_none_or(|wanted| wanted == at);
    let embeds = query(asked, "embeds").unwrap_or_default();
    let embeds = render::Embeds::read(&embeds);
    let mut records: Vec<Value> = match resource {
        "Tenants" => {
            let homes = world
                .households()
                .iter()
                .filter(|home| of_it(home.property));
            homes
                .filter_map(|home| render::tenant(&world, home, &embeds))
                .collect()
        }
        "Units" => {
            let units = world.units().iter().filter(|unit| of_it(unit.property));
            units.map(|unit| render::unit(&world, unit)).collect()
        }
        "Properties" => {
            let all = (0..world.properties().len()).filter(|at| of_it(*at));
            all.map(|at| render::property(&world, at)).collect()
        }
        _ => return Err(failure(404)),
    };
    if faults.contains(&FaultKind::Empty) {
        records.clear();
    }
    if faults.contains(&FaultKind::ChangedField) && resource == "Tenants" {
        for record in &mut records {
            rest::rename(record, "Status", "TenantStatus");
        }
    }
    page(shared, asked, records, faults)
}

fn page(
    shared: &Shared,
    asked: &Asked,
    records: Vec<Value>,
    faults: &[FaultKind],
) -> Result<Reply, Reply> {
    let number = |name: &str, otherwise: usize| match query(asked, name).map(|text| text.parse()) {
        None => Ok(otherwise),
        Some(Ok(number)) if number > 0 => Ok(number),
        Some(_) => Err(failure(400)),
    };
    let has = |fault| faults.contains(&fault);
    let most = shared.settings.page_size.clamp(1, MOST);
    let size = number("PageSize", most)?.min(most);
    let page = number("PageNumber", 1)?;
    let shown = if has(FaultKind::RepeatedPage) {
        1
    } else {
        page
    };
    let total = records.len();
    let on_it = records
        .into_iter()
        .skip((shown - 1).saturating_mul(size))
        .take(size);
    let on_it: Vec<Value> = on_it.collect();
    let more = page.saturating_mul(size) < total || has(FaultKind::EndlessNext);
    let declared = if has(FaultKind::WrongTotal) {
        total + 7
    } else {
        total
    };
    let reply = match (on_it.is_empty(), more) {
        (true, false) => rest::nothing(204),
        (_, true) => {
            let host = asked.header("host").unwrap_or_default();
            let next = format!(
                "<http://{host}{}?PageSize={size}&PageNumber={}>; rel=\"next\"",
                asked.path,
                page + 1
            );
            rest::answer(206, &json!(on_it)).with("link", next)
        }
        (false, false) => rest::answer(200, &json!(on_it)),
    };
    Ok(reply.with("x-total-results", declared))
}
