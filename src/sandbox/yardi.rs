//! Yardi Voyager 7 over a world: `ItfResidentData` and `ItfResidentTransactions20` (Billing & Payments), each with a licence
//! of its own, with their people and units. A property may license the latter alone.
//!
//! `GetResidents` has every status; `Past` only if the request has `MoveOut1` and the household
//! moved out on or after that day. `GetResidentsByStatus` has exactly the statuses asked for and
//! does not look at `DateFrom` and `DateTo`. Departed roommates stay in `OtherOccupants` with a
//! `MoveOutDate`; of three in a row the first has `*Moved Out*` before the last name, the second
//! `(former)`, the third no mark. A company is a last name without a first name.

mod billing;
mod render;

use std::sync::PoisonError;

use jiff::civil::Date;

use super::fault::FaultKind;
use super::serve::{Asked, Reply, Seen, Shared};
use super::soap::{self, Call, Version, escape};
use super::world::{Entity, Household, Status, World};

const NAMESPACE: &str = "http://tempuri.org/YSI.Interfaces.WebServices/";
const NO_TENANTS: &str = "No tenants exist with the given search criteria.";
const DATA: &str = "ItfResidentData";
const TRANSACTIONS: &str = "ItfResidentTransactions20";

/// The secret fields of the credential that is let in.
pub(super) fn secrets(world: &World) -> Vec<(&'static str, String)> {
    let word = |number| world.uuid(Entity::Request, number).replace('-', "");
    vec![
        ("username", "epms&feed".to_owned()),
        (
            "password",
            format!("{}&<\"{}", &word(u32::MAX)[..10], &word(u32::MAX - 1)[..6]),
        ),
        ("server_name", "SQL-PROD&01".to_owned()),
        ("database", "acme_<live>".to_owned()),
        ("platform", "SQL Server".to_owned()),
        ("interface_entity", "Doors & More \"Feeds\"".to_owned()),
        (
            "interface_license",
            format!("{}<{}&=", word(u32::MAX - 2), word(u32::MAX - 3)),
        ),
    ]
}

/// The licence of Billing & Payments.
pub(super) fn billing_license(world: &World) -> String {
    let word = |number| world.uuid(Entity::Request, number).replace('-', "");
    format!("{}&{}<=", word(u32::MAX - 4), word(u32::MAX - 5))
}

/// What a request asks for.
pub(super) fn seen(asked: &Asked) -> Seen {
    let call = Call::read(&asked.body).unwrap_or_default();
    Seen {
        property: call.field("YardiPropertyId").map(str::to_owned),
        operation: call.operation,
        page: None,
        target: asked.path.clone(),
    }
}

/// Answers one request, faults applied.
pub(super) fn answer(shared: &Shared, asked: &Asked, faults: &[FaultKind]) -> Reply {
    let version = Version::of(asked);
    let early = faults.iter().find_map(|fault| match fault {
        FaultKind::TooMany { retry_after } => {
            let reply = Reply::html(429);
            Some(match retry_after {
                Some(seconds) => reply.with("retry-after", seconds),
                None => reply,
            })
        }
        FaultKind::ServerError => Some(version.unwrap_or(Version::V11).fault(
            false,
            "Server was unable to process request. ---> Execution Timeout Expired.",
        )),
        FaultKind::Unavailable => Some(Reply::html(503)),
        FaultKind::ExpiredToken => Some(Reply::html(401)),
        FaultKind::Maintenance | FaultKind::Html => Some(Reply::html(200)),
        _ => None,
    });
    if let Some(reply) = early {
        return reply;
    }
    let Some(interface) = interface(shared, &asked.path) else {
        return Reply::html(404);
    };
    if asked.method != axum::http::Method::POST {
        return Reply::new(
            200,
            "text/html; charset=utf-8",
            format!("<html>{interface}</html>"),
        );
    }
    let Some(version) = version else {
        return Reply::new(415, "text/html; charset=utf-8", String::new());
    };
    match call(shared, asked, interface, version, faults) {
        Ok(content) => version.envelop(200, &content),
        Err(text) => version.fault(true, &text),
    }
}

fn interface(shared: &Shared, path: &str) -> Option<&'static str> {
    let path = path.to_lowercase();
    let rest = path
        .strip_prefix('/')?
        .strip_prefix(&shared.settings.client.to_lowercase())?;
    let file = rest.strip_prefix("/webservices/")?.strip_suffix(".asmx")?;
    [DATA, TRANSACTIONS]
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(file))
}

/// The content of the body of the answer, or the text of a SOAP fault.
fn call(
    shared: &Shared,
    asked: &Asked,
    interface: &str,
    version: Version,
    faults: &[FaultKind],
) -> Result<String, String> {
    let call = Call::read(&asked.body)
        .ok_or("Server was unable to read request. ---> There is an error in XML document.")?;
    if !call.is(version) {
        return Err(
            "Possible SOAP version mismatch: Envelope namespace was unexpected.".to_owned(),
        );
    }
    let action = match (soap::action(asked), version) {
        (Some(action), _) => action.to_owned(),
        (None, Version::V12) => format!("{}/{}", call.namespace, call.operation),
        (None, Version::V11) => String::new(),
    };
    let operation = action
        .strip_prefix(NAMESPACE)
        .and_then(|rest| rest.strip_prefix(interface));
    let operation = operation
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or_default();
    let known = match operation {
        "GetPropertyConfigurations" => true,
        "GetResidents" | "GetResidentsByStatus" | "GetUnitInformation" => interface == DATA,
        "GetResidentTransactions_Login" | "GetUnitInformation_Login" => interface == TRANSACTIONS,
        _ => false,
    };
    if !known {
        return Err(format!(
            "Server did not recognize the value of HTTP Header SOAPAction: {action}."
        ));
    }
    if call.operation != operation || call.namespace != format!("{NAMESPACE}{interface}") {
        return Err(format!(
            "The operation '{operation}' was not found in the request."
        ));
    }
    let result = if faults.contains(&FaultKind::NoResult) {
        String::new()
    } else {
        let payload = if faults.contains(&FaultKind::LoginFailed) {
            Err(login_failed())
        } else {
            payload(shared, interface, &call, faults)?
        };
        let inner = payload.unwrap_or_else(|text| message(&text));
        format!("<{operation}Result>{inner}</{operation}Result>")
    };
    Ok(format!(
        "<{operation}Response xmlns=\"{NAMESPACE}{interface}\">{result}</{operation}Response>"
    ))
}

fn login_failed() -> String {
    "Login failed. Please check login credentials and try again.".to_owned()
}

fn message(text: &str) -> String {
    let text = escape(text);
    format!("<Messages xmlns=\"\"><Message messageType=\"Error\">{text}</Message></Messages>")
}

/// The payload, or the text of an error message; the outer error is a SOAP fault.
fn payload(
    shared: &Shared,
    interface: &str,
    call: &Call,
    faults: &[FaultKind],
) -> Result<Result<String, String>, String> {
    let wrong = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .any(|(tag, name)| !shared.secret_is(name, call.fields.get(*tag).map(String::as_str)))
    };
    let login = [
        ("UserName", "username"),
        ("Password", "password"),
        ("ServerName", "server_name"),
        ("Database", "database"),
        ("Platform", "platform"),
    ];
    if wrong(&login) {
        return Ok(Err(login_failed()));
    }
    let world = shared.world.read().unwrap_or_else(PoisonError::into_inner);
    let is_licensed = match interface {
        TRANSACTIONS => {
            let given = call.fields.get("InterfaceLicense").map(String::as_str);
            given == Some(billing_license(&world).as_str())
        }
        _ => !wrong(&[("InterfaceLicense", "interface_license")]),
    };
    if wrong(&[("InterfaceEntity", "interface_entity")]) || !is_licensed {
        return Ok(Err("Invalid Interface Entity".to_owned()));
    }
    let empty = faults.contains(&FaultKind::Empty);
    if call.operation == "GetPropertyConfigurations" {
        return Ok(Ok(render::configurations(&world, empty)));
    }
    let Some(code) = call.field("YardiPropertyId") else {
        return Ok(Err("Invalid Yardi Property Code".to_owned()));
    };
    let mut codes = world.properties().iter().map(|property| &property.code);
    let Some(property) = codes.position(|known| known.eq_ignore_ascii_case(code)) else {
        return Ok(Err(format!(
            "Invalid or no access to Yardi Property:{code}"
        )));
    };
    if interface == DATA && shared.settings.unlicensed.contains(&property) {
        let entity = call.field("InterfaceEntity").unwrap_or_default();
        return Ok(Err(format!(
            "{entity} is not Configured for property {code}"
        )));
    }
    if call.operation == "GetResidentTransactions_Login" {
        let found = billing::transactions(&world, property, empty);
        return Ok(found.ok_or_else(|| NO_TENANTS.to_owned()));
    }
    if call.operation == "GetUnitInformation_Login" {
        return Ok(Ok(billing::units(&world, property, empty)));
    }
    if call.operation == "GetUnitInformation" {
        return Ok(Ok(render::units(&world, property, empty)));
    }
    let since = call.field("MoveOut1").map(day).transpose()?;
    let statuses = (call.operation == "GetResidentsByStatus")
        .then(|| call.field("Status").unwrap_or_default().to_lowercase());
    let wanted = |home: &Household| match &statuses {
        Some(list) => list.split('^').any(|one| named(home.status, one.trim())),
        None if home.status == Status::Past => {
            since.is_some_and(|since| home.move_out.is_some_and(|day| day >= since))
        }
        None => true,
    };
    let homes = world
        .households()
        .iter()
        .filter(|home| home.property == property && wanted(home));
    let homes: Vec<&Household> = homes.filter(|home| home.primary().is_some()).collect();
    if homes.is_empty() || empty {
        return Ok(Err(NO_TENANTS.to_owned()));
    }
    let field = if faults.contains(&FaultKind::ChangedField) {
        "ResidentStatus"
    } else {
        "Status"
    };
    Ok(Ok(render::residents(&world, property, &homes, field)))
}

fn day(text: &str) -> Result<Date, String> {
    Date::strptime("%m/%d/%Y", text).or_else(|_| text.parse()).map_err(|_| {
        "Server was unable to process request. ---> String was not recognized as a valid DateTime."
            .to_owned()
    })
}

fn named(status: Status, lower: &str) -> bool {
    render::word(status).to_lowercase() == lower
        || (status == Status::Canceled && lower == "cancelled")
}

#[cfg(test)]
mod tests {
    use super::Call;
    use crate::sandbox::testing::{Soap, residents, start};
    use crate::sandbox::{Fault, FaultKind, Kind, Status, Trap};

    #[tokio::test]
    async fn each_wrong_field_of_the_credential_is_an_error_message_with_200() {
        let sandbox = start(Kind::Yardi, 24, 0).await;
        for (tag, text) in [
            ("UserName", "Login failed."),
            ("Password", "Login failed."),
            ("ServerName", "Login failed."),
            ("Database", "Login failed."),
            ("Platform", "Login failed."),
            ("InterfaceEntity", "Invalid Interface Entity<"),
            ("InterfaceLicense", "Invalid Interface Entity<"),
        ] {
            let call = Soap::new(&sandbox, "GetPropertyConfigurations", &[]).set(tag, "wrong");
            let (status, body) = call.send(&sandbox).await;
            assert_eq!(status, 200);
            assert!(
                body.contains(&format!("<Message messageType=\"Error\">{text}")),
                "{tag} {body}"
            );
        }
    }

    #[tokio::test]
    async fn the_answer_is_in_the_soap_version_of_the_request() {
        let sandbox = start(Kind::Yardi, 24, 0).await;
        for (v12, kind, namespace) in [
            (
                false,
                "text/xml",
                "http://schemas.xmlsoap.org/soap/envelope/",
            ),
            (
                true,
                "application/soap+xml",
                "http://www.w3.org/2003/05/soap-envelope",
            ),
        ] {
            let mut call = Soap::new(&sandbox, "GetPropertyConfigurations", &[]);
            call.v12 = v12;
            let answer = call.request(&sandbox).send().await.unwrap();
            assert!(
                answer.headers()["content-type"]
                    .to_str()
                    .unwrap()
                    .starts_with(kind)
            );
            let body = answer.text().await.unwrap();
            assert!(
                body.contains(namespace) && body.contains("<Code>oak01</Code>"),
                "{body}"
            );
            assert!(
                body.contains("<MarketingName>Elm &amp; Oak</MarketingName>"),
                "{body}"
            );
        }
    }

    #[tokio::test]
    async fn an_unknown_action_is_a_fault_with_500() {
        let sandbox = start(Kind::Yardi, 24, 0).await;
        let (status, body) = Soap::new(&sandbox, "Nope", &[]).send(&sandbox).await;
        assert_eq!(status, 500);
        assert!(
            body.contains("did not recognize the value of HTTP Header SOAPAction"),
            "{body}"
        );
        let mut call = Soap::new(&sandbox, "GetResidents", &[]);
        call.interface = "ItfResidentTransactions20";
        assert_eq!(call.send(&sandbox).await.0, 500);
    }

    #[tokio::test]
    async fn a_property_without_access_is_named_in_the_message() {
        let sandbox = start(Kind::Yardi, 24, 0).await;
        let body = residents(&sandbox, "nowhere", &[]).await;
        assert!(
            body.contains("Invalid or no access to Yardi Property:nowhere"),
            "{body}"
        );
        assert_eq!(sandbox.requests()[0].property.as_deref(), Some("nowhere"));
    }

    #[tokio::test]
    async fn each_status_appears_and_past_only_when_asked_for() {
        let sandbox = start(Kind::Yardi, 24, 0).await;
        let (mut without, mut with) = (String::new(), String::new());
        for code in ["elm", "oak01", "p3"] {
            without += &residents(&sandbox, code, &[]).await;
            with += &residents(&sandbox, code, &[("MoveOut1", "01/01/2000")]).await;
        }
        for status in Status::ALL {
            let element = format!("<Status>{}</Status>", super::render::word(status));
            assert!(with.contains(&element), "{element}");
            assert_eq!(
                without.contains(&element),
                status != Status::Past,
                "{element}"
            );
        }
    }

    #[tokio::test]
    async fn a_status_nobody_has_gives_no_tenants() {
        let sandbox = start(Kind::Yardi, 24, 0).await;
        let by = |words| {
            Soap::new(
                &sandbox,
                "GetResidentsByStatus",
                &[("YardiPropertyId", "elm"), ("Status", words)],
            )
        };
        let (_, body) = by("Zombie^Ghost").send(&sandbox).await;
        assert!(
            body.contains("No tenants exist with the given search criteria."),
            "{body}"
        );
        let (_, body) = by("Current^Notice").send(&sandbox).await;
        assert!(body.contains("<Status>Current</Status>") && !body.contains("<Status>Future"));
    }

    #[tokio::test]
    async fn a_resident_has_four_phones_no_email_element_and_empty_dates() {
        let sandbox = start(Kind::Yardi, 24, 0).await;
        let id = sandbox.world().trapped(Trap::UnusablePhone)[0];
        sandbox.world().change_email(id, None).unwrap();
        let code = sandbox.world().person(id).unwrap().1.code();
        let property = sandbox.world().person(id).unwrap().0.property;
        let property = sandbox.world().properties()[property].code.clone();
        let body = residents(&sandbox, &property, &[]).await;
        let start = body.find(&format!("tCode=\"{code}\"")).unwrap();
        let one = &body[start..start + body[start..].find("<OtherOccupants>").unwrap()];
        assert_eq!(one.matches("<Phone ").count(), 4);
        assert!(
            one.contains("<MoveOutDate/>") && one.contains("<NoticeDate/>"),
            "{one}"
        );
        assert!(!one.contains("Email"), "{one}");
    }

    #[tokio::test]
    async fn departed_roommates_are_marked_in_the_name_and_have_a_move_out_date() {
        let sandbox = start(Kind::Yardi, 24, 0).await;
        let body = residents(&sandbox, "elm", &[]).await;
        assert!(body.contains("<LastName>*Moved Out* "), "{body}");
        assert!(body.contains("<LastName>(former) "), "{body}");
    }

    #[tokio::test]
    async fn answers_are_well_formed_whatever_people_are_called() {
        let sandbox = start(Kind::Yardi, 24, 0).await;
        let email = Some("\"a&b\"@example.com");
        sandbox
            .world()
            .move_in("elm", "A<&\"'>", "]]>&amp;", email, Some("<1>"))
            .unwrap();
        let body = residents(&sandbox, "elm", &[]).await;
        assert_eq!(Call::read(&body).unwrap().operation, "GetResidentsResponse");
        assert!(
            body.contains("<FirstName>A&lt;&amp;&quot;&apos;&gt;</FirstName>"),
            "{body}"
        );
        assert!(
            body.contains("<LastName>]]&gt;&amp;amp;</LastName>"),
            "{body}"
        );
    }

    #[tokio::test]
    async fn units_come_with_the_waiting_list_and_their_tenancies() {
        let sandbox = start(Kind::Yardi, 24, 0).await;
        let waiting = sandbox.world().trapped(Trap::PseudoUnit)[0];
        let home = sandbox.world().household_of(waiting).unwrap();
        let property = sandbox.world().household(home).unwrap().property;
        let code = sandbox.world().properties()[property].code.clone();
        let call = Soap::new(
            &sandbox,
            "GetUnitInformation",
            &[("YardiPropertyId", &code)],
        );
        let (_, body) = call.send(&sandbox).await;
        assert!(
            body.contains(">WAIT</UnitID>") && body.contains("Current Resident"),
            "{body}"
        );
    }

    #[tokio::test]
    async fn faults_show_as_voyager_shows_them() {
        let sandbox = start(Kind::Yardi, 24, 0).await;
        let call = Soap::new(&sandbox, "GetResidents", &[("YardiPropertyId", "elm")]);
        for (kind, status, text) in [
            (FaultKind::LoginFailed, 200, "Login failed."),
            (FaultKind::TooMany { retry_after: None }, 429, "<html"),
            (FaultKind::ServerError, 500, "<faultcode>soap:Server"),
            (FaultKind::Unavailable, 503, "<html"),
            (FaultKind::Maintenance, 200, "<html"),
            (FaultKind::Html, 200, "<html"),
            (FaultKind::Empty, 200, "No tenants exist"),
            (FaultKind::ChangedField, 200, "<ResidentStatus>Current"),
            (
                FaultKind::NoResult,
                200,
                "ItfResidentData\"></GetResidentsResponse>",
            ),
        ] {
            sandbox.fault(Fault::new(kind).times(1).only("elm"));
            let (code, body) = call.send(&sandbox).await;
            assert_eq!(code, status, "{kind:?}");
            assert!(body.contains(text), "{kind:?} {body}");
            assert!(
                call.send(&sandbox).await.1.contains("<Status>Current"),
                "{kind:?} hits once"
            );
        }
    }
}
