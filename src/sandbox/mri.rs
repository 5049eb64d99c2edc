//! MRI's residential API over a world, as JSON and as XML: lease details, residents, pending moves
//! in, the rent roll, the units and the list of properties.
//!
//! One row is one person of one lease. Who is to move in is only in `PendingMoveIns`; applicants
//! are in none. `IsCurrent` says who lives there, whatever the word of the status. Households share
//! their key of property, building, unit and lease, and the `Namegroup`. A wrong parameter is a row
//! with an `Error` and 200.

mod render;
#[cfg(test)]
pub(super) mod tests;
mod wire;

use std::sync::PoisonError;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Kind;
use super::fault::FaultKind;
use super::recipe::Trap;
use super::serve::{Asked, Reply, Seen, Shared};
use super::world::{Entity, Household, World};
use wire::Page;

const PATH: &str = "/mriapiservices/api.asp";
const DETAILS: &str = "MRI_S-PMRM_ResidentLeaseDetailsByPropertyID";
const RESIDENTS: &str = "MRI_S-PMRM_ResidentsByPropertyID";
const PENDING: &str = "MRI_S-PMRM_PendingMoveIns";
const RENT_ROLL: &str = "MRI_S-PMRM_ResidentialRentRoll";
const UNITS: &str = "MRI_S-PMRM_UnitVacancyInformation";
const PROPERTIES: &str = "MRI_S-PMRM_PropertyIDByNameOrAddress";

/// Makes a world one that MRI would know.
pub(super) fn prepare(world: World) -> World {
    let today = world.today();
    world
        .with_trap(Trap::TermRolled, |home, _| render::rolled(home, today))
        .with_trap(Trap::PaddedKeys, |home, _| render::padded(home))
        .with_trap(Trap::ShortStatus, |home, one| {
            render::short(home, one, today)
        })
}

/// The secret fields of the credential that is let in. The user of Basic is `client_id`,
/// `database`, `web_user` and `partner_key` with slashes between.
pub(super) fn secrets(world: &World) -> Vec<(&'static str, String)> {
    let word = |number| world.uuid(Entity::Request, number).replace('-', "");
    vec![
        ("client_id", "C100500".to_owned()),
        ("database", "ACME&LIVE".to_owned()),
        ("web_user", "EPMSFEED".to_owned()),
        ("partner_key", word(u32::MAX).to_uppercase()),
        ("password", format!("{}:&<\"", &word(u32::MAX - 1)[..10])),
    ]
}

/// What a request asks for.
pub(super) fn seen(asked: &Asked) -> Seen {
    let query = Query::read(asked);
    let property = ["RMPROPID", "PropertyID", "PROPERTYID"].map(|name| query.get(name));
    Seen {
        operation: query.get("$api").unwrap_or_default().to_owned(),
        property: property.into_iter().flatten().next().map(str::to_owned),
        page: None,
        target: asked.target(),
    }
}

/// Answers one request, faults applied.
pub(super) fn answer(shared: &Shared, asked: &Asked, faults: &[FaultKind]) -> Reply {
    let text = |status, text: &str| Reply::new(status, "text/plain", text.to_owned());
    let query = Query::read(asked);
    let page = wire::page(shared, asked, &query, faults);
    let refused = faults.iter().find_map(|fault| match fault {
        FaultKind::LoginFailed | FaultKind::ExpiredToken => Some(unauthorized()),
        FaultKind::TooMany { retry_after } => {
            let reply = text(429, "");
            Some(match retry_after {
                Some(seconds) => reply.with("retry-after", seconds),
                None => reply,
            })
        }
        FaultKind::ServerError => Some(text(
            500,
            "Transaction (Process ID 88) was deadlocked on lock resources with another process \
             and has been chosen as the deadlock victim. Rerun the transaction.",
        )),
        FaultKind::Unavailable => Some(Reply::html(503)),
        FaultKind::Maintenance => Some(page.error("The service is down for maintenance.")),
        FaultKind::Html => Some(Reply::html(200)),
        FaultKind::NoResult => Some(page.no_result()),
        _ => None,
    });
    refused.unwrap_or_else(|| rows(shared, asked, &query, &page, faults))
}

fn unauthorized() -> Reply {
    let text = "401 - Unauthorized: Access is denied due to invalid credentials.";
    Reply::new(401, "text/html", text.to_owned())
}

fn rows(shared: &Shared, asked: &Asked, query: &Query, page: &Page, faults: &[FaultKind]) -> Reply {
    if !asked.path.eq_ignore_ascii_case(PATH) || asked.method != axum::http::Method::GET {
        return Reply::html(404);
    }
    let field = |name: &str| shared.secrets.get(name).cloned().unwrap_or_default();
    let user = ["client_id", "database", "web_user", "partner_key"]
        .map(field)
        .join("/");
    if asked.basic() != Some((user, field("password"))) {
        return unauthorized();
    }
    let world = shared.world.read().unwrap_or_else(PoisonError::into_inner);
    let found = match Scope::of(shared, &world, query) {
        Ok(scope) => all(&world, &page.api, scope),
        Err(text) => return page.error(text),
    };
    let Some(mut rows) = found else {
        // The same as without the right to it.
        return unauthorized();
    };
    if faults.contains(&FaultKind::Empty) {
        rows.clear();
    }
    if faults.contains(&FaultKind::ChangedField) {
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            if let Some(status) = row.shift_remove("ResidentStatus") {
                row.insert("Status".to_owned(), status);
            }
        }
    }
    page.show(rows)
}

/// Which people a request is about.
enum Scope {
    /// Those of one property.
    Property(usize),
    /// Those whose record changed in these days, of all properties.
    Changed(Date, Option<Date>),
    /// All.
    Any,
}

impl Scope {
    fn of(shared: &Shared, world: &World, query: &Query) -> Result<Scope, &'static str> {
        let api = query.get("$api").unwrap_or_default();
        let name = match api {
            DETAILS | RESIDENTS => "RMPROPID",
            PENDING => "PropertyID",
            RENT_ROLL | UNITS => "PROPERTYID",
            _ => return Ok(Scope::Any),
        };
        if let Some(id) = query.get(name) {
            let found = shared.property(world, id.trim());
            return found
                .map(Scope::Property)
                .ok_or("PROPERTYID: The specified property does not exist.");
        }
        let day = |name| query.get(name).map(str::parse::<Date>);
        match (day("LastUpdateDate"), day("StartDate"), day("EndDate")) {
            (Some(Ok(from)), None, None) if api == DETAILS => Ok(Scope::Changed(from, None)),
            (None, Some(Ok(from)), Some(Ok(to))) if api == DETAILS => {
                Ok(Scope::Changed(from, Some(to)))
            }
            _ => Err("A required parameter is missing or not valid."),
        }
    }

    fn has(&self, home: &Household) -> bool {
        match self {
            Scope::Any => true,
            Scope::Property(at) => home.property == *at,
            Scope::Changed(from, to) => {
                let day = home.updated.to_zoned(TimeZone::UTC).date();
                day >= *from && to.is_none_or(|to| day <= to)
            }
        }
    }
}

/// All rows of an API; none if there is no such API.
fn all(world: &World, api: &str, scope: Scope) -> Option<Vec<Value>> {
    let homes = || world.households().iter().filter(|home| scope.has(home));
    let people = || homes().flat_map(|home| home.members.iter().map(move |one| (home, one)));
    Some(match api {
        DETAILS => people()
            .filter_map(|(home, one)| render::detail(world, home, one))
            .collect(),
        RESIDENTS => people()
            .filter_map(|(home, one)| render::resident(world, home, one))
            .collect(),
        PENDING => people()
            .filter_map(|(home, one)| render::pending(world, home, one))
            .collect(),
        RENT_ROLL | UNITS => {
            let Scope::Property(at) = scope else {
                return None;
            };
            let rows = render::rent_roll(world, at);
            if api == RENT_ROLL {
                rows
            } else {
                rows.into_iter().map(render::vacancy).collect()
            }
        }
        PROPERTIES => (0..world.properties().len())
            .map(|at| render::property(world, at))
            .collect(),
        _ => return None,
    })
}

/// The query, decoded.
struct Query(Vec<(String, String)>);

impl Query {
    fn read(asked: &Asked) -> Self {
        let pairs = url::form_urlencoded::parse(asked.query.as_bytes());
        Self(pairs.into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.get(name)?.parse().ok()
    }
}

fn property_id(world: &World, at: usize) -> String {
    Kind::Mri.property_id(world, at)
}

/// Text, or null where there is none.
fn text(value: impl Into<Option<String>>) -> Value {
    value.into().map_or(Value::Null, |text| json!(text))
}
