//! Entrata behind its gateway, over a world: `leases/getLeases` r2 and `getLeasePickList`,
//! `properties/getProperties`, `propertyunits/getPropertyUnits`.
//!
//! Nearly every answer is a 200, errors included. `getLeases` has only current leases unless asked
//! for others by `leaseStatusTypeIds`; a lease under eviction is current (4) with a
//! `leaseSubStatus`. A person's status is their own: who left is `Past` on a lease that goes on. A
//! minor is told by `relationshipName` `Child` alone.

mod method;
mod render;
#[cfg(test)]
pub(super) mod tests;

use std::sync::PoisonError;

use serde_json::{Value, json};

use super::Settings;
use super::fault::FaultKind;
use super::recipe::Trap;
use super::serve::{Asked, Reply, Seen, Shared};
use super::world::{Entity, World};
use method::{Answer, Method};

const JSON: &str = "application/json; charset=utf-8";
const NOTHING: &str = "No records found with mentioned preferences.";
const PAGING: &str = "x-send-pagination-links";
/// The most records without paging by query.
const CAP: usize = 500;

/// Makes a world one that Entrata would know.
pub(super) fn prepare(world: World, settings: &Settings) -> World {
    world
        .with_beds()
        .with_guarantors(settings.guarantors)
        .with_renewals()
        .with_trap(Trap::TwoUnitSpaces, |home, _| render::two_spaces(home))
        .with_trap(Trap::LoneObject, |home, _| render::lone_customer(home))
}

/// The secret fields of the credential that is let in.
pub(super) fn secrets(world: &World) -> Vec<(&'static str, String)> {
    vec![("api_key", world.uuid(Entity::Request, u32::MAX))]
}

/// What a request asks for.
pub(super) fn seen(asked: &Asked) -> Seen {
    let method = Method::read(&asked.body).unwrap_or_default();
    let property = method
        .text("propertyId")
        .or_else(|| method.text("propertyIds"));
    Seen {
        property,
        operation: method.name,
        page: query(asked, "page_no").and_then(|text| text.parse().ok()),
        target: asked.target(),
    }
}

/// Answers one request, faults applied.
pub(super) fn answer(shared: &Shared, asked: &Asked, faults: &[FaultKind]) -> Reply {
    let method = Method::read(&asked.body);
    let id = method
        .as_ref()
        .map(|method| method.id.clone())
        .unwrap_or_default();
    let failed = |status, code, message: &str| error(status, &id, (code, message));
    let refused = faults.iter().find_map(|fault| match fault {
        FaultKind::LoginFailed => Some(failed(200, 113, WRONG_KEY)),
        FaultKind::ExpiredToken => Some(failed(401, 401, "Unauthorized")),
        FaultKind::TooMany { retry_after } => {
            let reply = failed(429, 429, "You have exceeded the rate limit.");
            Some(match retry_after {
                Some(seconds) => reply.with("retry-after", seconds),
                None => reply,
            })
        }
        FaultKind::ServerError => Some(failed(500, 500, "Internal Server Error")),
        FaultKind::Unavailable => Some(Reply::html(503)),
        FaultKind::Maintenance => Some(failed(200, 310, "Service is temporarily unavailable.")),
        FaultKind::Html => Some(Reply::html(200)),
        FaultKind::NoResult => {
            let body = json!({ "response": { "requestId": id, "code": 200 } });
            Some(Reply::new(200, JSON, body.to_string()))
        }
        _ => None,
    });
    let reply = refused.unwrap_or_else(|| match respond(shared, asked, method.as_ref(), faults) {
        Err(Refusal(status, code, message)) => failed(status, code, message),
        Ok((answer, paging)) => {
            let result = answer.result.unwrap_or_else(|| NOTHING.into());
            let body = json!({
                "response": { "requestId": id, "code": 200, "result": result }
            });
            paging.announce(asked, answer.total, Reply::new(200, JSON, body.to_string()))
        }
    });
    let left = |most: u32| most.saturating_sub(asked.number);
    reply
        .with("x-ratelimit-limit", "15000/DAY;1000/HOUR;150/MINUTE")
        .with(
            "x-ratelimit-remaining",
            format!("{};{};{}", left(15_000), left(1000), left(150)),
        )
        .with("x-ratelimit-reset", "36686;686;26")
}

const WRONG_KEY: &str = "Invalid API key or the key has no access to this service.";

/// Status of HTTP, error code, message.
struct Refusal(u16, u32, &'static str);

fn error(status: u16, id: &str, (code, message): (u32, &str)) -> Reply {
    let body = json!({
        "response": { "requestId": id, "error": { "code": code, "message": message } }
    });
    Reply::new(status, JSON, body.to_string())
}

fn query(asked: &Asked, name: &str) -> Option<String> {
    url::form_urlencoded::parse(asked.query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// Which part of the records is shown, and how that is told.
struct Paging {
    number: usize,
    size: usize,
    endless: bool,
    wrong_total: bool,
}

impl Paging {
    fn read(shared: &Shared, asked: &Asked, faults: &[FaultKind]) -> Result<Self, Refusal> {
        let number = |name| match query(asked, name).map(|text| text.parse::<usize>()) {
            None => Ok(None),
            Some(Ok(number)) if number > 0 => Ok(Some(number)),
            Some(_) => Err(Refusal(
                400,
                400,
                "page_no and per_page are positive numbers.",
            )),
        };
        let most = shared.settings.page_size.max(1);
        let (page, size) = (number("page_no")?, number("per_page")?);
        Ok(Self {
            number: page.unwrap_or(1),
            size: size.unwrap_or(CAP).min(most),
            endless: faults.contains(&FaultKind::EndlessNext),
            wrong_total: faults.contains(&FaultKind::WrongTotal),
        })
    }

    /// Adds the headers a client gets that asks for them.
    fn announce(&self, asked: &Asked, total: usize, reply: Reply) -> Reply {
        if asked.header(PAGING) != Some("1") {
            return reply;
        }
        let host = asked.header("host").unwrap_or_default();
        let link = |number: usize, name: &str| {
            let (path, size) = (&asked.path, self.size);
            format!("<http://{host}{path}?page_no={number}&per_page={size}>; rel=\"{name}\"")
        };
        let last = total.div_ceil(self.size).max(1);
        let mut links = vec![link(1, "first"), link(last, "last")];
        if self.number > 1 {
            links.push(link(self.number - 1, "prev"));
        }
        if self.number < last || self.endless {
            links.push(link(self.number + 1, "next"));
        }
        let total = if self.wrong_total { total + 7 } else { total };
        reply
            .with("link", links.join(", "))
            .with("x-total-count", total)
    }
}

fn respond(
    shared: &Shared,
    asked: &Asked,
    method: Option<&Method>,
    faults: &[FaultKind],
) -> Result<(Answer, Paging), Refusal> {
    let base = format!("/ext/orgs/{}/v1/", shared.settings.client);
    let Some(service) = asked.path.strip_prefix(&base) else {
        return Err(Refusal(404, 404, "The service was not found."));
    };
    if asked.method != axum::http::Method::POST {
        return Err(Refusal(405, 405, "The method is not allowed."));
    }
    if !shared.secret_is("api_key", asked.header("x-api-key")) {
        return Err(Refusal(200, 113, WRONG_KEY));
    }
    let method = method.ok_or(Refusal(400, 301, "The request is not valid JSON."))?;
    if method.auth != "apikey" {
        return Err(Refusal(
            200,
            113,
            "The auth type is not supported by this gateway.",
        ));
    }
    let paging = Paging::read(shared, asked, faults)?;
    let world = shared.world.read().unwrap_or_else(PoisonError::into_inner);
    let page = method::Page {
        shared,
        world: &world,
        number: if faults.contains(&FaultKind::RepeatedPage) {
            1
        } else {
            paging.number
        },
        size: paging.size,
        faults,
    };
    let answer = match (service, method.name.as_str(), method.version.as_str()) {
        ("leases", "getLeases", "r2") => page.leases(method)?,
        ("leases", "getLeasePickList", "r1") => page.pick_list(),
        ("properties", "getProperties", "r1") => page.properties(method),
        ("propertyunits", "getPropertyUnits", "r1") => page.units(method)?,
        _ => {
            return Err(Refusal(
                200,
                302,
                "The method or its version is not supported.",
            ));
        }
    };
    Ok((answer, paging))
}

/// A value that a client may send as text or as a number.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
