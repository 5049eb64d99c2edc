//! AppFolio Stack API v0 over a world: properties, units, tenants and leases; the Reports API v2 is in `reports`. Not the
//! OAuth variant for partners.
//!
//! Tenants are primaries and roommates; AppFolio keeps applicants, canceled and denied
//! applications, guarantors and occupants elsewhere, so those are not in any answer.

mod render;
mod reports;

use std::collections::HashSet;

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::fault::FaultKind;
use super::recipe::Trap;
use super::serve::{Asked, Reply, Seen, Shared};
use super::world::{Entity, UnitId, World};
use render::Row;
pub(super) use reports::property_id as report_property;

const JSON: &str = "application/json; charset=utf-8";

/// Makes a world one that AppFolio would know.
pub(super) fn prepare(world: World) -> World {
    world.with_trap(Trap::ContactLists, |_, person| render::in_lists(person))
}

/// The secret fields of the credential that is let in.
pub(super) fn secrets(world: &World) -> Vec<(&'static str, String)> {
    let word = |number| world.uuid(Entity::Request, number).replace('-', "");
    vec![
        ("client_id", word(u32::MAX)),
        (
            "client_secret",
            format!(
                "{}&<\"{}",
                &word(u32::MAX - 1)[..12],
                &word(u32::MAX - 2)[..8]
            ),
        ),
        ("developer_id", world.uuid(Entity::Request, u32::MAX - 3)),
    ]
}

/// What a request asks for.
pub(super) fn seen(asked: &Asked) -> Seen {
    if let Some(seen) = reports::seen(asked) {
        return seen;
    }
    let query = Query::read(&asked.query);
    Seen {
        operation: asked
            .path
            .strip_prefix("/api/v0/")
            .unwrap_or_default()
            .to_owned(),
        property: query.get("filters[PropertyId]").map(str::to_owned),
        page: query.get("page[number]").and_then(|text| text.parse().ok()),
        target: asked.target(),
    }
}

/// Answers one request, faults applied.
pub(super) fn answer(shared: &Shared, asked: &Asked, faults: &[FaultKind]) -> Reply {
    if let Some(report) = reports::name(asked) {
        return reports::answer(shared, asked, report, faults);
    }
    let refused = faults.iter().find_map(|fault| match fault {
        FaultKind::LoginFailed | FaultKind::ExpiredToken => Some(failure(401, "Unauthorized")),
        FaultKind::TooMany { retry_after } => {
            let reply = failure(429, "Too Many Requests");
            Some(match retry_after {
                Some(seconds) => reply.with("retry-after", seconds),
                None => reply,
            })
        }
        FaultKind::ServerError => Some(failure(500, "Internal Server Error")),
        FaultKind::Unavailable => Some(failure(503, "Service Unavailable")),
        FaultKind::Maintenance => Some(failure(533, "Data Unavailable")),
        FaultKind::Html => Some(Reply::html(200)),
        FaultKind::NoResult => Some(Reply::new(200, JSON, "{}".to_owned())),
        _ => None,
    });
    let reply = refused.unwrap_or_else(|| match page(shared, asked, faults) {
        Ok(body) => Reply::new(200, JSON, body.to_string()),
        Err(reply) => reply,
    });
    let world = shared
        .world
        .read()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let id = world.uuid(Entity::Request, asked.number);
    reply.with("x-request-id", id)
}

fn failure(code: u16, message: &str) -> Reply {
    Reply::new(
        code,
        JSON,
        json!({ "code": code, "message": message }).to_string(),
    )
}

fn page(shared: &Shared, asked: &Asked, faults: &[FaultKind]) -> Result<Value, Reply> {
    if !let_in(shared, asked) {
        return Err(failure(401, "Unauthorized"));
    }
    let query = Query::read(&asked.query);
    let world = shared
        .world
        .read()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let endpoint = asked.path.strip_prefix("/api/v0/").unwrap_or_default();
    let rows = Row::all(&world, endpoint).filter(|_| asked.method == Method::GET);
    let Some(mut rows) = rows else {
        let body = json!({ "status": 404, "error": "Not Found" });
        return Err(Reply::new(404, JSON, body.to_string()));
    };
    if query.get("filters[LastUpdatedAtFrom]").is_none() && query.get("filters[Id]").is_none() {
        return Err(failure(400, "At least one filter is required"));
    }
    let since = match query
        .get("filters[LastUpdatedAtFrom]")
        .map(str::parse::<Timestamp>)
    {
        None => Timestamp::MIN,
        Some(Ok(since)) => since,
        Some(Err(_)) => return Err(failure(400, "LastUpdatedAtFrom is not a valid time")),
    };
    let number = query.number("page[number]", 1)?;
    let most = shared.settings.page_size.max(1);
    let size = query.number("page[size]", most)?.min(most);
    let has = |fault| faults.contains(&fault);
    let asked_for: Vec<bool> = (0..world.properties().len())
        .map(|at| query.allows("filters[PropertyId]", &world.property_uuid(at)))
        .collect();
    rows.retain(|row| asked_for[row.property()] && row.updated().is_none_or(|at| at >= since));
    if query.get("filters[Id]").is_some() {
        rows.retain(|row| query.allows("filters[Id]", &row.id(&world)));
    }
    if has(FaultKind::Empty) {
        rows.clear();
    }
    let more = number.saturating_mul(size) < rows.len() || has(FaultKind::EndlessNext);
    let shown = if has(FaultKind::RepeatedPage) {
        1
    } else {
        number
    };
    let page = rows
        .iter()
        .skip((shown - 1).saturating_mul(size))
        .take(size);
    let homes = world
        .households()
        .iter()
        .filter(|home| home.status.lives_there());
    let lived_in: HashSet<UnitId> = homes.map(|home| home.unit).collect();
    let mut data: Vec<Value> = page.map(|row| row.render(&world, &lived_in)).collect();
    for row in data.iter_mut().filter_map(Value::as_object_mut) {
        row.retain(|field, _| !shared.settings.withheld.contains(&field.as_str()));
    }
    if has(FaultKind::ChangedField) && endpoint == "tenants" {
        data.iter_mut()
            .filter_map(Value::as_object_mut)
            .for_each(rename_status);
    }
    let next = more.then(|| query.page(&asked.path, number + 1, size));
    Ok(json!({ "data": data, "next_page_path": next }))
}

fn rename_status(row: &mut Map<String, Value>) {
    if let Some(status) = row.shift_remove("Status") {
        row.insert("TenantStatus".to_owned(), status);
    }
}

fn let_in(shared: &Shared, asked: &Asked) -> bool {
    let (id, secret) = asked.basic().unzip();
    shared.secret_is("client_id", id.as_deref())
        && shared.secret_is("client_secret", secret.as_deref())
        && shared.secret_is("developer_id", asked.header("x-appfolio-developer-id"))
}

/// The query, decoded; brackets may come as they are or percent-encoded.
struct Query(Vec<(String, String)>);

impl Query {
    fn read(query: &str) -> Self {
        Self(
            url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn number(&self, name: &str, otherwise: usize) -> Result<usize, Reply> {
        match self.get(name).map(str::parse) {
            None => Ok(otherwise),
            Some(Ok(number)) if number > 0 => Ok(number),
            Some(_) => Err(failure(400, &format!("{name} is not a positive number"))),
        }
    }

    /// Whether a comma-separated filter lets `id` through.
    fn allows(&self, filter: &str, id: &str) -> bool {
        self.get(filter).is_none_or(|list| {
            list.split(',')
                .any(|one| one.trim().eq_ignore_ascii_case(id))
        })
    }

    /// The path of another page of the same query.
    fn page(&self, path: &str, number: usize, size: usize) -> String {
        let mut next = format!("{path}?");
        for (key, value) in self.0.iter().filter(|(key, _)| !key.starts_with("page[")) {
            let plain = |sign: char| sign.is_ascii_alphanumeric() || "-._~:,".contains(sign);
            next.push_str(key);
            next.push('=');
            for sign in value.chars() {
                if plain(sign) {
                    next.push(sign);
                } else {
                    next.extend(url::form_urlencoded::byte_serialize(
                        sign.to_string().as_bytes(),
                    ));
                }
            }
            next.push('&');
        }
        format!("{next}page[number]={number}&page[size]={size}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::sandbox::testing::{ALL, client, get, request, rows, start};
    use crate::sandbox::{Fault, FaultKind, Kind, Limits, Settings, Trap};

    #[tokio::test]
    async fn a_wrong_secret_or_developer_is_401_with_code_and_message() {
        let sandbox = start(Kind::AppFolio, 24, 10).await;
        let fields = sandbox.credential();
        let url = format!("{}/api/v0/tenants?{ALL}", sandbox.url());
        for (secret, developer) in [
            ("no", fields["developer_id"].as_str()),
            (&fields["client_secret"], "no"),
        ] {
            let request = client()
                .get(&url)
                .basic_auth(&fields["client_id"], Some(secret));
            let answer = request
                .header("X-AppFolio-Developer-ID", developer)
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 401);
            assert!(answer.headers().contains_key("x-request-id"));
            assert_eq!(
                answer.text().await.unwrap(),
                r#"{"code":401,"message":"Unauthorized"}"#
            );
        }
    }

    #[tokio::test]
    async fn a_missing_filter_is_400_and_an_unknown_path_404() {
        let sandbox = start(Kind::AppFolio, 24, 10).await;
        let (status, body) = get(&sandbox, "/api/v0/tenants").await;
        assert_eq!((status, &body["code"]), (400, &400.into()));
        let (status, body) = get(&sandbox, "/api/v0/residents").await;
        assert_eq!(
            (status, body.to_string().as_str()),
            (404, r#"{"status":404,"error":"Not Found"}"#)
        );
    }

    #[tokio::test]
    async fn paging_until_next_is_null_gives_every_tenant_once() {
        let sandbox = start(Kind::AppFolio, 200, 7).await;
        let ids: Vec<String> = rows(&sandbox, "tenants")
            .await
            .iter()
            .map(|row| row["Id"].to_string())
            .collect();
        let unique: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
        assert!(ids.len() > 150, "{}", ids.len());
        assert_eq!(sandbox.requests().len(), ids.len().div_ceil(7));
        assert_eq!(sandbox.requests()[1].page, Some(2));
    }

    #[tokio::test]
    async fn each_status_of_a_tenant_appears_and_each_unit_is_in_units() {
        let sandbox = start(Kind::AppFolio, 24, 1000).await;
        let tenants = rows(&sandbox, "tenants").await;
        let words: BTreeSet<&str> = tenants
            .iter()
            .filter_map(|row| row["Status"].as_str())
            .collect();
        assert_eq!(
            words,
            BTreeSet::from(["Current", "Evict", "Future", "Notice", "Past"])
        );
        let units = rows(&sandbox, "units").await;
        for tenant in &tenants {
            assert!(
                units.iter().any(|unit| unit["Id"] == tenant["UnitId"]),
                "{tenant}"
            );
            assert!(tenant.get("UnitName").is_none());
        }
    }

    #[tokio::test]
    async fn a_filter_on_property_works_with_and_without_percent_encoding() {
        let sandbox = start(Kind::AppFolio, 60, 1000).await;
        let property = sandbox.world().property_uuid(1);
        for query in [
            format!("{ALL}&filters[PropertyId]={property}"),
            format!(
                "filters%5BLastUpdatedAtFrom%5D=1970-01-01T00%3A00%3A00Z&filters%5BPropertyId%5D={property}"
            ),
        ] {
            let (_, body) = get(&sandbox, &format!("/api/v0/tenants?{query}")).await;
            let list = body["data"].as_array().unwrap();
            assert!(
                list.len() > 5
                    && list
                        .iter()
                        .all(|row| row["PropertyId"] == property.as_str())
            );
        }
        assert_eq!(
            sandbox.requests()[1].property.as_deref(),
            Some(property.as_str())
        );
    }

    #[tokio::test]
    async fn a_company_has_no_names_and_a_departed_roommate_is_past() {
        let sandbox = start(Kind::AppFolio, 24, 1000).await;
        let company = sandbox.world().trapped(Trap::Company)[0];
        let gone = sandbox.world().trapped(Trap::DepartedRoommate)[0];
        let name = sandbox.world().person(company).unwrap().1.name();
        let id = sandbox.world().uuid(crate::sandbox::Entity::Person, gone.0);
        let tenants = rows(&sandbox, "tenants").await;
        let row = tenants
            .iter()
            .find(|row| row["CompanyName"] == name.as_str())
            .unwrap();
        assert!(row["FirstName"].is_null() && row["LastName"].is_null());
        let row = tenants.iter().find(|row| row["Id"] == id.as_str()).unwrap();
        assert_eq!(row["Status"], "Past");
        assert!(row["MoveOutOn"].is_string());
    }

    #[tokio::test]
    async fn a_used_up_budget_is_429_with_retry_after() {
        let limits = Limits {
            per_second: 2,
            ..Limits::APPFOLIO
        };
        let settings = Settings {
            limits: Some(limits),
            ..Settings::default()
        };
        let world = crate::sandbox::testing::world(7, 24);
        let sandbox = crate::sandbox::Sandbox::start(Kind::AppFolio, world, settings)
            .await
            .unwrap();
        let path = format!("/api/v0/units?{ALL}");
        let mut codes = Vec::new();
        for _ in 0..3 {
            codes.push(get(&sandbox, &path).await.0);
        }
        assert_eq!(codes, [200, 200, 429]);
        let answer = request(&sandbox, &path).send().await.unwrap();
        assert_eq!(answer.headers()["retry-after"], "1");
    }

    #[tokio::test]
    async fn refusing_faults_have_their_own_codes() {
        let sandbox = start(Kind::AppFolio, 24, 10).await;
        let path = format!("/api/v0/tenants?{ALL}");
        for (kind, code) in [
            (FaultKind::LoginFailed, 401),
            (
                FaultKind::TooMany {
                    retry_after: Some(2),
                },
                429,
            ),
            (FaultKind::ServerError, 500),
            (FaultKind::Unavailable, 503),
            (FaultKind::Maintenance, 533),
        ] {
            sandbox.fault(Fault::new(kind).times(1));
            let (status, body) = get(&sandbox, &path).await;
            assert_eq!((status, &body["code"]), (code, &code.into()), "{kind:?}");
            assert_eq!(get(&sandbox, &path).await.0, 200, "{kind:?} hits once");
        }
    }

    #[tokio::test]
    async fn faults_of_content_answer_200_and_mislead() {
        let sandbox = start(Kind::AppFolio, 24, 10).await;
        let path = format!("/api/v0/tenants?{ALL}&page[number]=2");
        let (_, first) = get(&sandbox, &format!("/api/v0/tenants?{ALL}")).await;
        let mut bodies = Vec::new();
        for kind in [
            FaultKind::RepeatedPage,
            FaultKind::EndlessNext,
            FaultKind::Empty,
            FaultKind::ChangedField,
            FaultKind::NoResult,
            FaultKind::Html,
        ] {
            sandbox.fault(kind);
            let (status, body) = get(&sandbox, &path).await;
            assert_eq!(status, 200, "{kind:?}");
            bodies.push(body);
            sandbox.clear_faults();
        }
        assert_eq!(bodies[0]["data"], first["data"]);
        assert!(
            bodies[1]["next_page_path"]
                .as_str()
                .unwrap()
                .contains("page[number]=3")
        );
        assert_eq!(
            bodies[2].to_string(),
            r#"{"data":[],"next_page_path":null}"#
        );
        assert!(bodies[3]["data"][0].get("Status").is_none());
        assert!(bodies[3]["data"][0]["TenantStatus"].is_string());
        assert_eq!(bodies[4].to_string(), "{}");
        assert!(bodies[5].is_null());
    }
}
