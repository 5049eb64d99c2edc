//! AppFolio's Reports API v2 over a world: tenant directory, rent roll and property directory, in pages. Ids are numbers in
//! one row and texts in the next; a day that is not known is 1970-01-01.

use std::sync::PoisonError;

use serde_json::{Value, json};

use super::{JSON, Query, render};
use crate::sandbox::fault::FaultKind;
use crate::sandbox::serve::{Asked, Reply, Seen, Shared};
use crate::sandbox::world::{Household, Person, PhoneKind, Relation, Status, Unit, World};

const PATH: &str = "/api/v2/reports/";
/// The most rows on a page.
const MOST: usize = 5000;

/// The id of a property, by its index.
pub(in super::super) fn property_id(index: usize) -> usize {
    17 + index
}

/// The report that is asked for.
pub(super) fn name(asked: &Asked) -> Option<&str> {
    asked.path.strip_prefix(PATH)?.strip_suffix(".json")
}

/// What a request asks for.
pub(super) fn seen(asked: &Asked) -> Option<Seen> {
    let operation = name(asked)?.to_owned();
    let wanted = Wanted::read(asked);
    Some(Seen {
        operation,
        property: wanted.property.map(|id| id.to_string()),
        page: u32::try_from(wanted.page).ok(),
        target: asked.target(),
    })
}

/// Which rows are wanted: as the body of the first request says, or the link to a further page.
struct Wanted {
    property: Option<usize>,
    /// Codes of statuses; all where none is named.
    statuses: Vec<String>,
    page: usize,
}

impl Wanted {
    fn read(asked: &Asked) -> Wanted {
        let query = Query::read(&asked.query);
        let page = query.get("page").and_then(|text| text.parse().ok());
        let text = |value: &Value| value.as_str().map(str::to_owned);
        if let Some(metadata) = query.get("metadata_id") {
            let mut parts = metadata.split('-');
            let property = parts.next().and_then(|text| text.parse().ok());
            return Wanted {
                property: property.filter(|id| *id > 0),
                statuses: parts.map(str::to_owned).collect(),
                page: page.unwrap_or(1),
            };
        }
        let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        let ids = body["properties"]["properties_ids"].as_array();
        let id = ids.and_then(|ids| ids.first()).and_then(text);
        let statuses = body["tenant_statuses"].as_array();
        Wanted {
            property: id.and_then(|id| id.parse().ok()),
            statuses: statuses.into_iter().flatten().filter_map(text).collect(),
            page: 1,
        }
    }

    /// The path of the page behind this one.
    fn next(&self, path: &str) -> String {
        let parts: Vec<String> = std::iter::once(self.property.unwrap_or(0).to_string())
            .chain(self.statuses.iter().cloned())
            .collect();
        format!(
            "{path}?metadata_id={}&page={}",
            parts.join("-"),
            self.page + 1
        )
    }

    fn has(&self, status: Status) -> bool {
        self.statuses.is_empty()
            || code(status).is_some_and(|code| self.statuses.iter().any(|one| one == code))
    }
}

fn code(status: Status) -> Option<&'static str> {
    Some(match status {
        Status::Current | Status::Other(_) => "0",
        Status::Past => "1",
        Status::Future => "2",
        Status::Eviction => "3",
        Status::Notice => "4",
        Status::Applicant | Status::Canceled | Status::Denied => return None,
    })
}

/// Answers a request, faults applied. Errors are texts.
pub(super) fn answer(shared: &Shared, asked: &Asked, report: &str, faults: &[FaultKind]) -> Reply {
    let text = |status, text: &str| Reply::new(status, "text/plain", text.to_owned());
    let refused = faults.iter().find_map(|fault| match fault {
        FaultKind::LoginFailed | FaultKind::ExpiredToken => Some(text(401, "Unauthorized")),
        FaultKind::TooMany { retry_after } => {
            let reply = text(429, "Too Many Requests");
            Some(match retry_after {
                Some(seconds) => reply.with("retry-after", seconds),
                None => reply,
            })
        }
        FaultKind::ServerError => Some(text(500, "Internal Server Error")),
        FaultKind::Unavailable => Some(text(503, "Service Unavailable")),
        FaultKind::Maintenance => Some(text(533, "Data Unavailable")),
        FaultKind::Html => Some(Reply::html(200)),
        FaultKind::NoResult => Some(Reply::new(200, JSON, "{}".to_owned())),
        _ => None,
    });
    if let Some(reply) = refused {
        return reply;
    }
    let (id, secret) = asked.basic().unzip();
    let is_let_in = shared.secret_is("client_id", id.as_deref())
        && shared.secret_is("client_secret", secret.as_deref());
    if !is_let_in {
        return text(401, "Unauthorized");
    }
    let wanted = Wanted::read(asked);
    let world = shared.world.read().unwrap_or_else(PoisonError::into_inner);
    let here = |property: usize| wanted.property.is_none_or(|id| property_id(property) == id);
    let mut rows: Vec<Value> = match report {
        "tenant_directory" => world
            .people()
            .filter(|(home, one)| {
                here(home.property) && wanted.has(home.status_of(one, world.today()))
            })
            .map(|(home, one)| tenant(&world, home, one))
            .collect(),
        "rent_roll" => {
            let units = world.units().iter();
            let units = units.filter(|unit| here(unit.property) && !unit.pseudo);
            units.map(|unit| rent_roll(&world, unit)).collect()
        }
        "property_directory" => (0..world.properties().len())
            .map(|at| {
                json!({ "property_id": property_id(at), "property_name": world.properties()[at].name })
            })
            .collect(),
        _ => return text(404, "Not Found"),
    };
    let has = |fault| faults.contains(&fault);
    if has(FaultKind::Empty) {
        rows.clear();
    }
    if has(FaultKind::ChangedField) {
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            if let Some(status) = row.shift_remove("status") {
                row.insert("tenant_status".to_owned(), status);
            }
        }
    }
    let size = shared.settings.page_size.clamp(1, MOST);
    let more = wanted.page.saturating_mul(size) < rows.len() || has(FaultKind::EndlessNext);
    let shown = if has(FaultKind::RepeatedPage) {
        1
    } else {
        wanted.page
    };
    let page: Vec<Value> = rows
        .into_iter()
        .skip(shown.saturating_sub(1).saturating_mul(size))
        .take(size)
        .collect();
    let next = more.then(|| wanted.next(&asked.path));
    let body = json!({ "results": page, "next_page_url": next });
    Reply::new(200, JSON, body.to_string())
}

/// A number, or the same as a text.
fn id(number: u32, as_text: bool) -> Value {
    if as_text {
        json!(number.to_string())
    } else {
        json!(number)
    }
}

/// The type of a tenant.
fn kind(person: &Person) -> &'static str {
    match person.relation {
        Relation::Primary | Relation::Roommate => "Financially Responsible",
        Relation::Guarantor => "Co-signer",
        Relation::Occupant => "Occupant",
    }
}

fn tenant(world: &World, home: &Household, person: &Person) -> Value {
    let unit = &world.units()[home.unit.0 as usize];
    let property = &world.properties()[home.property];
    let number = person.id.0;
    let as_text = number.is_multiple_of(2);
    let company = person.company.is_some();
    let named = |text: &String| (!company && !text.is_empty()).then(|| text.clone());
    // In some databases names stand in one column alone.
    let split = !number.is_multiple_of(7) || person.first.trim().is_empty();
    let phones: Vec<String> = person
        .phones
        .iter()
        .map(|(kind, number)| match kind {
            PhoneKind::Cell => format!("Mobile: {number}"),
            PhoneKind::Home => format!("Home: {number}"),
            PhoneKind::Office | PhoneKind::Fax => format!("Work: {number}"),
        })
        .collect();
    let primary = person.relation == Relation::Primary && home.occupancy == home.id.0;
    let status = render::word(home.status_of(person, world.today()));
    let unknown = || json!("1970-01-01");
    let moved = person.move_in.or(home.move_in);
    let property_number = u32::try_from(property_id(home.property)).unwrap_or(u32::MAX);
    json!({
        "property": format!("{} - {} {}", property.name, property.street, property.city),
        "property_name": property.name,
        "property_id": id(property_number, as_text),
        "unit": unit.label,
        "unit_id": id(300 + unit.id.0, as_text),
        "occupancy_id": id(5_500 + home.occupancy, as_text),
        "selected_tenant_id": id(9_000 + number, as_text),
        "tenant_integration_id": null,
        "tenant": format!("{}, {}", person.last.trim(), person.first.trim()),
        "first_name": named(&person.first).filter(|_| split),
        "last_name": named(&person.last).filter(|_| split),
        "company_name": person.company,
        "status": status,
        "tenant_type": kind(person),
        "primary_tenant": if primary { "Yes" } else { "No" },
        "phone_numbers": phones.join(", "),
        "emails": person.email.clone().unwrap_or_default(),
        "move_in": moved.map_or_else(unknown, |day| json!(day)),
        "move_out": person.move_out.or(home.move_out),
        "lease_from": home.lease_start,
        "lease_to": home.lease_end,
        "rent": format!("{}.00", unit.rent),
    })
}

fn rent_roll(world: &World, unit: &Unit) -> Value {
    let mut homes = world.households().iter();
    let home = homes.find(|home| home.unit == unit.id && home.status.lives_there());
    let tenant = home.and_then(Household::primary);
    json!({
        "property_id": property_id(unit.property),
        "unit_id": 300 + unit.id.0,
        "unit": unit.label,
        "tenant": tenant.map(Person::name),
        "tenant_id": tenant.map(|one| 9_000 + one.id.0),
        "status": match home.map(|home| home.status) {
            Some(Status::Notice) => "Notice-Unrented",
            Some(Status::Eviction) => "Evict",
            Some(_) => "Current",
            None => "Vacant-Unrented",
        },
        "market_rent": format!("{}.00", unit.rent),
    })
}
