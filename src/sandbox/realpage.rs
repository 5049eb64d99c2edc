//! RealPage Exchange (OneSite) over a world: the operations `getsitelist`, `unitlist`,
//! `getresidentlistinfo` and `getleaseinfo` of one partner. SOAP 1.1 as WCF speaks it.
//!
//! The list of residents has everybody who ever lived there, a row for each person of each lease.
//! Who has signed a renewal is in it twice, and who left a household that stayed is still on its
//! `Current` lease. Notice shows in `leasetype` and the dates of notice, eviction in `inevict`.

mod render;
#[cfg(test)]
pub(super) mod tests;

use std::sync::PoisonError;

use quick_xml::escape::partial_escape;

use super::fault::FaultKind;
use super::recipe::Trap;
use super::serve::{Asked, Reply, Seen, Shared};
use super::soap::{self, Call, Version};
use super::world::{Entity, World};
use super::{Kind, Settings};

const NAMESPACE: &str = "http://tempuri.org/";
const CONTRACT: &str = "http://tempuri.org/IRPXService/";
const SITES: &str = "getsitelist";
const UNITS: &str = "unitlist";
const RESIDENTS: &str = "getresidentlistinfo";
const LEASES: &str = "getleaseinfo";
const XML: &str = "text/xml; charset=utf-8";
/// The most people added to a world as former ones.
const MOST_FORMER: usize = 10_000;

/// Makes a world one that RealPage would know.
pub(super) fn prepare(world: World, settings: &Settings) -> World {
    let homes = world.households().iter();
    let current = homes.filter(|home| home.status.lives_there());
    let people: usize = current.map(|home| home.members.len()).sum();
    let former = people.saturating_mul(settings.former).min(MOST_FORMER);
    world
        .with_history(former)
        .with_renewals()
        .with_transfers()
        .with_trap(Trap::LabelledMinor, |home, one| {
            home.status.lives_there() && render::labelled_minor(one)
        })
        .with_trap(Trap::RenewalOfLeaver, |home, one| {
            home.next_lease.is_some() && one.move_out.is_some() && render::signed_before(one)
        })
}

/// The path of the partner's service.
pub(super) fn path(partner: &str) -> String {
    format!("/rpxgateway/partner/{partner}/{partner}.svc")
}

/// The secret fields of the credential that is let in.
pub(super) fn secrets(world: &World) -> Vec<(&'static str, String)> {
    let word = |number| world.uuid(Entity::Request, number);
    let digits: String = word(u32::MAX)
        .bytes()
        .map(|b| char::from(b'0' + b % 10))
        .collect();
    vec![
        ("pmc_id", format!("1{}", &digits[..6])),
        ("username", "epms&feed".to_owned()),
        ("password", format!("{}&<\"", &word(u32::MAX - 1)[..8])),
        ("license_key", word(u32::MAX - 2)),
        ("system", "OneSite".to_owned()),
    ]
}

/// What a request asks for.
pub(super) fn seen(asked: &Asked) -> Seen {
    let call = Call::read(&asked.body).unwrap_or_default();
    Seen {
        property: call.field("auth/siteid").map(str::to_owned),
        operation: call.operation,
        page: None,
        target: asked.path.clone(),
    }
}

/// Answers one request, faults applied.
pub(super) fn answer(shared: &Shared, asked: &Asked, faults: &[FaultKind]) -> Reply {
    let refused = faults.iter().find_map(|fault| match fault {
        FaultKind::LoginFailed => Some(no_access()),
        FaultKind::ExpiredToken => Some(Reply::html(401)),
        FaultKind::TooMany { retry_after } => {
            let reply = Reply::html(429);
            Some(match retry_after {
                Some(seconds) => reply.with("retry-after", seconds),
                None => reply,
            })
        }
        FaultKind::ServerError => Some(server_fault(
            "a:InternalServiceFault",
            "The server was unable to process the request due to an internal error.",
        )),
        FaultKind::Unavailable => Some(Reply::html(503)),
        FaultKind::Maintenance | FaultKind::Html => Some(Reply::html(200)),
        _ => None,
    });
    refused.unwrap_or_else(|| call(shared, asked, faults).unwrap_or_else(|reply| reply))
}

fn call(shared: &Shared, asked: &Asked, faults: &[FaultKind]) -> Result<Reply, Reply> {
    if !asked
        .path
        .eq_ignore_ascii_case(&path(&shared.settings.client))
    {
        return Err(Reply::html(404));
    }
    if asked.method != axum::http::Method::POST {
        let page = "<html><title>RPXService Service</title></html>".to_owned();
        return Err(Reply::new(200, "text/html; charset=UTF-8", page));
    }
    if Version::of(asked) != Some(Version::V11) {
        return Err(Reply::new(415, XML, String::new()));
    }
    let malformed = || Reply::new(400, "text/html", String::new());
    let call = Call::read(&asked.body).ok_or_else(malformed)?;
    let action = soap::action(asked).unwrap_or_default();
    let operation = action.strip_prefix(CONTRACT).unwrap_or_default();
    if ![SITES, UNITS, RESIDENTS, LEASES].contains(&operation) || !call.is(Version::V11) {
        return Err(unsupported(action));
    }
    if call.operation != operation || call.namespace != NAMESPACE {
        return Err(server_fault(
            "a:DeserializationFailed",
            "The formatter threw an exception while trying to deserialize the message.",
        ));
    }
    if !shared.secret_is("license_key", call.field("auth/licensekey")) {
        return Err(no_licence());
    }
    let login = [
        ("auth/pmcid", "pmc_id"),
        ("auth/username", "username"),
        ("auth/password", "password"),
    ];
    let known = |(tag, name): (&str, &str)| {
        shared.secret_is(name, call.fields.get(tag).map(String::as_str))
    };
    // Clients write it in any case or leave it out.
    let system = call.field("auth/system").unwrap_or("OneSite");
    if !login.into_iter().all(known) || !system.eq_ignore_ascii_case("OneSite") {
        return Err(no_access());
    }
    let world = shared.world.read().unwrap_or_else(PoisonError::into_inner);
    let empty = faults.contains(&FaultKind::Empty);
    let content = if operation == SITES {
        render::sites(&world, empty)
    } else {
        let site = call.field("auth/siteid").unwrap_or_default();
        let site = shared.property(&world, site).ok_or_else(no_licence)?;
        // The licence covers the site, but not what is asked of it.
        if operation == RESIDENTS && shared.settings.unlicensed.contains(&site) {
            return Err(no_licence());
        }
        match operation {
            UNITS => render::units(&world, site, empty),
            LEASES => render::leases(&world, site, empty),
            _ => {
                let status = if faults.contains(&FaultKind::ChangedField) {
                    "leasestate"
                } else {
                    "leasestatus"
                };
                let wanted = call.field("getresidentlistinfo/status").unwrap_or("ALL");
                let heads = call.field("getresidentlistinfo/headofhousehold");
                let heads = heads.is_some_and(|text| matches!(text, "1" | "true" | "True"));
                let wanted = render::Wanted {
                    status: wanted,
                    heads,
                };
                render::residents(&world, site, &wanted, status, empty)
            }
        }
    };
    let result = if faults.contains(&FaultKind::NoResult) {
        String::new()
    } else {
        format!("<{operation}Result>{content}</{operation}Result>")
    };
    Ok(envelop(
        200,
        &format!("<{operation}Response xmlns=\"{NAMESPACE}\">{result}</{operation}Response>"),
    ))
}

fn envelop(status: u16, content: &str) -> Reply {
    let body = format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\">\
         <s:Body xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">{content}</s:Body></s:Envelope>"
    );
    Reply::new(status, XML, body)
}

fn server_fault(code: &str, text: &str) -> Reply {
    envelop(
        500,
        &format!(
            "<s:Fault><faultcode \
             xmlns:a=\"http://schemas.microsoft.com/ws/2005/05/addressing/none\">{code}</faultcode>\
             <faultstring xml:lang=\"en-US\">{}</faultstring></s:Fault>",
            partial_escape(text)
        ),
    )
}

/// The operation is not in the contract of this partner.
fn unsupported(action: &str) -> Reply {
    server_fault(
        "a:ActionNotSupported",
        &format!(
            "The message with Action '{action}' cannot be processed at the receiver, due to a \
             ContractFilter mismatch at the EndpointDispatcher. This may be because of either a \
             contract mismatch (mismatched Actions between sender and receiver) or a \
             binding/security mismatch between the sender and the receiver.  Check that sender and \
             receiver have the same contract and the same binding (including security requirements, \
             e.g. Message, Transport, None)."
        ),
    )
}

fn no_licence() -> Reply {
    application_fault("LicenseKey is not authorized to call the method.")
}

fn no_access() -> Reply {
    application_fault(
        "A validation error occurred. Please make sure you have provided the correct Auth \
         information",
    )
}

/// A fault that comes with 200.
fn application_fault(text: &str) -> Reply {
    envelop(
        200,
        &format!(
            "<s:Fault><faultcode>s:inv_Param</faultcode>\
             <faultstring xml:lang=\"en-US\">{text}</faultstring><detail><RPXApplicationFault \
             xmlns=\"http://schemas.datacontract.org/2004/07/RealPage.RPX\"><CustomMessage>A \
             validation error occurred. Please make sure you have provided the correct Auth \
             information</CustomMessage><ExceptionMessage>{text}</ExceptionMessage>\
             <LogId>0</LogId><MessageLogId>2026.1.{:032}.114</MessageLogId>\
             </RPXApplicationFault></detail></s:Fault>",
            0
        ),
    )
}

fn site_id(world: &World, site: usize) -> String {
    Kind::RealPage.property_id(world, site)
}
