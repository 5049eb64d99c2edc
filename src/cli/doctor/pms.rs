//! A PMS, as an integration reaches it: secrets, name, connection, clock, login, a page, the budget. Each
//! step needs the one before; nothing is repeated and nothing is kept. The way to a target is the same.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Instant, SystemTime};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use nix::unistd::Uid;

use crate::catalog::Integration;
use crate::config::{
    Credential, CredentialValue, Limits, Proxy, Secret, SecretError, SecretReference,
};
use crate::model::{Expiry, ExpiryBy};
use crate::outbound::{Account, AccountError, Endpoint, Told, standard_key};
use crate::source::{FirstPage, Reader, Scope, Source, SourceError};

use super::super::Exit;
use super::check;
use super::check::{Check, size, took};
use super::machine::user;

/// An expiry is told so many days ahead, as the alert is.
const SOON: i32 = 14;

/// Gives the token back that the looks at PMSs needed; none where there was none, or the connector says nothing of it.
pub(super) async fn leave(
    integration: &Integration,
    reader: &Reader,
    now: Timestamp,
) -> Option<Check> {
    let (name, source) = (&integration.config.credential, &integration.source);
    if !source.logs_out() || !reader.outbound().holds_token(name).await {
        return None;
    }
    let account = reader.account(name, &integration.credential, source, &integration.home);
    let account = account.ok()?.asked_by_hand(true).asked_once();
    let did = format!("gave the token of {name} back");
    let scope = scope(integration, now);
    Some(
        match Box::pin(reader.log_out(source, &account, &scope)).await {
            Ok(()) => Check::ok("log-out", did, "the PMS took it"),
            Err(error) => {
                let remedy = "nothing else fails for it; where the PMS lets only so many be logged in at once, correct `logout` of the connector";
                Check::warn("log-out", did, error.to_string(), remedy)
            }
        },
    )
}

/// What is asked for in a look.
fn scope(integration: &Integration, now: Timestamp) -> Scope {
    let today = integration.today(now);
    Scope {
        properties: integration.config.pms_properties.clone(),
        fields: integration.config.fields.clone(),
        today,
        judge: integration.judge(today),
        known: None,
    }
}

/// Looks at the way to the PMS of `integration`. What was seen of an endpoint is not looked at again.
pub(super) async fn look(
    integration: &Integration,
    reader: &Reader,
    now: Timestamp,
    seen: &mut BTreeSet<String>,
) -> Vec<Check> {
    let mut checks = Vec::new();
    let scope = scope(integration, now);
    let way = Way {
        name: &integration.config.credential,
        credential: &integration.credential,
        source: &integration.source,
        home: &integration.home,
        scope: &scope,
    };
    if let Some(account) = way.look(reader, seen, &mut checks).await {
        pages(integration, reader, &account, &scope, &mut checks).await;
        checks.extend(told_until(way.name, &account, now));
    }
    checks
}

/// The way to a PMS or a target: by which credential, and with what it is asked.
pub(super) struct Way<'a> {
    pub(super) name: &'a str,
    pub(super) credential: &'a Credential,
    pub(super) source: &'a Source,
    pub(super) home: &'a Path,
    pub(super) scope: &'a Scope,
}

impl Way<'_> {
    /// Looks at it up to the login; the account, where it may be tried. What was seen of an endpoint is not looked at again.
    pub(super) async fn look(
        &self,
        reader: &Reader,
        seen: &mut BTreeSet<String>,
        checks: &mut Vec<Check>,
    ) -> Option<Account> {
        let Way { name, source, .. } = self;
        checks.extend(expired(name, self.credential, self.scope.today));
        checks.extend(secrets(self.credential, source, self.home));
        let account = match reader.account(name, self.credential, source, self.home) {
            Ok(account) => account.asked_by_hand(true).asked_once(),
            Err(error) => {
                if let AccountError::Authority { path, what } = &error {
                    let did = format!("read ca_file {}", path.display());
                    let remedy =
                        "name a PEM file with the certificate of the server's own authority";
                    checks.push(Check::fail("tls", did, format!("it {what}"), remedy));
                }
                // Which secret it is was told above.
                checks.push(Check::skip(
                    "login",
                    "not tried",
                    "the credential is not complete",
                ));
                return None;
            }
        };
        let endpoints = match reader.endpoints(source, &account, self.scope) {
            Ok(endpoints) => endpoints,
            Err(error) => {
                checks.push(failed(
                    "url",
                    "made the address of the first request",
                    &error,
                ));
                return None;
            }
        };
        let mut reached = true;
        for endpoint in &endpoints {
            let proxy = endpoint.proxy(&account);
            let by = proxy.map_or_else(String::new, |proxy| proxy.authority());
            if seen.insert(format!("{} {by}", endpoint.authority())) {
                reached &= way(endpoint, reader, &account, checks).await;
            }
        }
        let why = if !reached {
            "the host is out of reach"
        } else if source.needs_refresh_token() && source.is_target() {
            "its refresh token may count only once, and the daemon keeps the one that counts: see in `epms targets` whether it is let in"
        } else if source.needs_refresh_token() {
            "its refresh token may count only once, and the daemon keeps the one that counts: see whether a sync succeeds"
        } else {
            return Some(account);
        };
        checks.push(Check::skip("login", "not tried", why));
        None
    }
}

/// Whether each secret can be read, and by whom.
fn secrets(credential: &Credential, source: &Source, home: &Path) -> Vec<Check> {
    let fields = credential.fields.iter();
    let references = fields.filter_map(|(field, value)| match value {
        CredentialValue::Secret(reference) => Some((field.as_str(), reference)),
        CredentialValue::Plain(_) => None,
    });
    let of_proxy = source.proxy().and_then(Proxy::password);
    let of_proxy = of_proxy.map(|reference| ("the password of the proxy", reference));
    references
        .chain(of_proxy)
        .map(|(field, reference)| {
            let did = format!("read {field} from {reference}");
            match reference.read(home) {
                Ok(secret)
                    if source.signs_webhooks_with(field) && !secret.expose().trim().is_empty() =>
                {
                    signs(&secret, did, there(reference, home))
                }
                Ok(_) => Check::ok("secret", did, there(reference, home)),
                Err(SecretError::Open { what, remedy, .. }) => {
                    Check::fail("secret", did, format!("it {what}"), remedy)
                }
                Err(SecretError::Shut { what, remedy, .. }) => {
                    Check::fail("secret", did, what, remedy)
                }
                // Whoever asks has another environment than the daemon, and another unit.
                Err(error @ (SecretError::Env(_) | SecretError::NoCredentials(_))) => Check::warn(
                    "secret",
                    did,
                    error.to_string(),
                    if source.is_target() {
                        "the daemon may have it where you have not: see in `epms targets` whether it is let in"
                    } else {
                        "the daemon may have it where you have not: see whether a sync succeeds"
                    },
                ),
                Err(error) => {
                    let remedy = "put the secret there, readable for the daemon's user alone";
                    Check::fail("secret", did, error.to_string(), remedy)
                }
            }
        })
        .collect()
}

/// That the last day of a credential is past.
fn expired(name: &str, credential: &Credential, today: Date) -> Option<Check> {
    let day = credential.expired(today)?;
    let did = format!("read `expires` of config/credentials/{name}.yaml");
    let remedy = "ask whoever gave it for the next one, put its secret in the place of the old one, as `epms secret set` does, and write the new day there";
    let saw = format!("it was taken until {day}, which is past");
    Some(Check::fail("expires", did, saw, remedy))
}

/// Until when answers said that a credential is taken, where they did.
pub(super) fn told_until(name: &str, account: &Account, now: Timestamp) -> Option<Check> {
    let (last, request) = account.told_until()?;
    let did = format!("heard in the answer to `{request}` until when the credential is taken");
    let today = now.to_zoned(TimeZone::UTC).date();
    let left = today.until(last).map_or(i32::MAX, |left| left.get_days());
    if left > SOON {
        let saw = format!("it is taken until {last}");
        return Some(Check::ok("expires", did, saw));
    }
    let is = if left < 0 { "was" } else { "is" };
    let expiry = Expiry {
        last,
        by: ExpiryBy::Answer,
    };
    let remedy = expiry.remedy(name);
    Some(Check::warn(
        "expires",
        did,
        format!("it {is} taken until {last}"),
        remedy,
    ))
}

/// Whether a secret signs webhooks that somebody can verify.
pub(super) fn signs(secret: &Secret, did: String, there: String) -> Check {
    match standard_key(secret.expose()) {
        Ok(_) => Check::ok("secret", did, there),
        Err(what) => {
            let remedy = "make one, such as by `openssl rand -base64 32`, write `whsec_` before it, and give it to the receiver too";
            Check::fail("secret", did, format!("it {what}"), remedy)
        }
    }
}

/// That a secret is there, and whose file it is.
pub(super) fn there(reference: &SecretReference, home: &Path) -> String {
    let SecretReference::File(path) = reference else {
        return "it is there".into();
    };
    home.join(path).metadata().map_or_else(
        |_| "it is there".into(),
        |file| {
            let owner = user(Uid::from_raw(file.uid()));
            format!("it is there, {:04o}, of {owner}", file.mode() & 0o7777)
        },
    )
}

/// From the name to a connection that stands; whether it does.
async fn way(
    endpoint: &Endpoint,
    reader: &Reader,
    account: &Account,
    checks: &mut Vec<Check>,
) -> bool {
    let host = endpoint.authority();
    // The proxy resolves the name of the host.
    let proxy = endpoint.proxy(account);
    let first = proxy.as_ref().unwrap_or(endpoint);
    let by = proxy.as_ref().map_or_else(String::new, |proxy| {
        format!(" through the proxy {}", proxy.authority())
    });
    let did = match &proxy {
        Some(proxy) => format!("looked up the proxy {}", proxy.authority()),
        None => format!("looked up {host}"),
    };
    if first.is_address() {
        checks.push(Check::ok(
            "dns",
            did,
            "it is an address: there is nothing to resolve",
        ));
    } else {
        let begun = Instant::now();
        match reader.outbound().resolve(first).await {
            Ok(addresses) => {
                let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                let saw = format!("{} ({})", addresses.join(", "), took(begun.elapsed()));
                checks.push(Check::ok("dns", did, saw));
            }
            Err(unreached) => {
                let remedy = match &proxy {
                    Some(_) => {
                        "check `proxy` of the connector or of config/epms.yaml, and /etc/resolv.conf of this machine"
                    }
                    None => unreached.remedy,
                };
                let check = Check::fail("dns", did, unreached.what, remedy);
                checks.push(check.ends(Exit::OutOfReach));
                return false;
            }
        }
    }
    let did = format!("connected to {host}{by}");
    match reader.outbound().knock(account, endpoint).await {
        Ok(answered) => {
            let took = took(answered.took);
            checks.push(if endpoint.is_secure() {
                let how = "by TLS 1.2 or later; the certificate is for this host, valid today, and of an authority that is trusted";
                Check::ok("tls", did, format!("{how} ({took})"))
            } else if endpoint.is_here() {
                let how = "by plain http, which stays on this machine: there is no TLS to verify";
                Check::ok("tls", did, format!("{how} ({took})"))
            } else {
                let how = "by plain http, as `plain_http` of the connector allows: whoever is in between reads all of it";
                let remedy = "ask whoever runs the host for https";
                Check::warn("tls", did, format!("{how} ({took})"), remedy)
            });
            checks.push(check::clock(&host, answered.date, SystemTime::now()));
            true
        }
        Err(unreached) => {
            let check = Check::fail("tls", did, unreached.what, unreached.remedy);
            checks.push(check.ends(Exit::OutOfReach));
            false
        }
    }
}

/// The login, the first page for each property of what gives residents and of what the script looks things up in, and what is left of the budget.
async fn pages(
    integration: &Integration,
    reader: &Reader,
    account: &Account,
    scope: &Scope,
    checks: &mut Vec<Check>,
) {
    let (source, name) = (&integration.source, &integration.config.credential);
    let login = format!("showed the credential {name}");
    if source.logs_in() {
        match Box::pin(reader.log_in(source, account, scope)).await {
            Ok(()) => checks.push(Check::ok("login", &login, "the PMS gives a token for it")),
            Err(error) => {
                checks.push(failed("login", &login, &error));
                return;
            }
        }
    }
    let mut last: Option<FirstPage> = None;
    let mut pages = Vec::new();
    let (mut is_taken, mut refused) = (false, None);
    let lookups = source.lookups().map(|(lookup, _)| lookup);
    let lookups: Vec<&str> = lookups
        .filter(|lookup| integration.script.asks(lookup))
        .collect();
    let feeds: Vec<&str> = source.feeds().collect();
    'requests: for request in feeds.iter().chain(&lookups).copied() {
        let gives_residents = feeds.contains(&request);
        // What keeps residents away is told once.
        if !gives_residents && pages.iter().any(Check::is_failure) {
            break;
        }
        for property in Reader::asked_for(source, request, scope) {
            let of = if property.is_empty() {
                String::new()
            } else {
                format!(" of {property}")
            };
            let did = format!("read the first page of {request}{of}");
            let read = reader
                .first_page(source, account, request, property, scope)
                .await;
            match read {
                Ok(page) => {
                    is_taken = true;
                    pages.push(arrived(did, &page, source.timeout(), gives_residents));
                    last = Some(page);
                }
                Err(error @ SourceError::LoginFailed(_)) if !source.logs_in() => {
                    refused = Some(failed("login", &login, &error));
                    break 'requests;
                }
                Err(error) => pages.push(denied(
                    source,
                    request,
                    failed("page", &did, &error),
                    &error,
                )),
            }
        }
    }
    // No run asks for it: what is missing there keeps nobody out.
    if source.has(PROPERTIES) && refused.is_none() && !pages.iter().any(Check::is_failure) {
        pages.push(listed(integration, reader, account, scope).await);
    }
    if !source.logs_in() {
        // What is denied shows no more of the login than what does not answer.
        let unseen = "whether the PMS takes it does not show: there was no page";
        checks.push(match &refused {
            Some(refused) => refused.clone(),
            None if is_taken => Check::ok("login", &login, "the PMS takes it"),
            None => Check::skip("login", &login, unseen),
        });
    }
    checks.append(&mut pages);
    if refused.is_some() {
        return;
    }
    checks.push(quota(&integration.limits(), last.as_ref()));
}

/// The request that lists properties, for `discover`.
const PROPERTIES: &str = "properties";

/// A page of the list of properties.
async fn listed(
    integration: &Integration,
    reader: &Reader,
    account: &Account,
    scope: &Scope,
) -> Check {
    let source = &integration.source;
    let did = format!("read the first page of {PROPERTIES}");
    let asked = Reader::asked_for(source, PROPERTIES, scope);
    let property = asked.first().copied().unwrap_or_default();
    let page = reader.first_page(source, account, PROPERTIES, property, scope);
    match page.await {
        Ok(page) => arrived(did, &page, source.timeout(), false),
        Err(error) => {
            let check = failed("page", &did, &error);
            let check = denied(source, PROPERTIES, check, &error);
            let remedy = check.remedy.unwrap_or_default();
            let remedy = format!("runs go on without it, `epms discover` does not: {remedy}");
            Check::warn("page", check.did, check.saw, remedy)
        }
    }
}

/// With the right that is missing, where the connector names it.
fn denied(source: &Source, request: &str, check: Check, error: &SourceError) -> Check {
    match (error, source.right(request)) {
        (SourceError::Denied(_), Some(right)) => {
            let remedy = check.remedy.clone().unwrap_or_default();
            Check {
                remedy: Some(format!("the account needs {right}; {remedy}")),
                ..check
            }
        }
        _ => check,
    }
}

fn arrived(
    did: String,
    page: &FirstPage,
    timeout: std::time::Duration,
    gives_residents: bool,
) -> Check {
    let records = match page.records {
        1 => "1 record".to_owned(),
        many => format!("{many} records"),
    };
    let bytes = u64::try_from(page.bytes).unwrap_or(u64::MAX);
    let saw = format!("{records}, {} ({})", size(bytes), took(page.took));
    if page.took > timeout / 2 {
        let remedy = format!(
            "it is near the connector's timeout of {}: raise `timeout`, or ask for smaller pages",
            took(timeout)
        );
        Check::warn("page", did, saw, remedy)
    } else if page.records == 0 && !page.elsewhere.is_empty() {
        let named: Vec<&str> = page.elsewhere.iter().take(5).map(String::as_str).collect();
        let more = if page.elsewhere.len() > named.len() {
            ", …"
        } else {
            ""
        };
        let saw = format!(
            "no record of an attached PMS property, {} ({}); those that came are of {}{more}",
            size(bytes),
            took(page.took),
            named.join(", ")
        );
        let remedy = "write the property as the PMS calls it into `pms_properties` of the integration, or correct `property` of the request";
        Check::warn("page", did, saw, remedy)
    } else if page.records == 0 && gives_residents {
        let remedy = "an empty feed is held where people are linked, and taken as it is where nobody is yet: check `pms_properties` and `records`; `epms discover` shows what there is";
        Check::warn("page", did, saw, remedy)
    } else {
        Check::ok("page", did, saw)
    }
}

/// What the connector allows itself, and what the PMS said is left.
fn quota(limits: &Limits, page: Option<&FirstPage>) -> Check {
    let allowed: Vec<String> = [
        (limits.per_second, "a second"),
        (limits.per_minute, "a minute"),
        (limits.per_hour, "an hour"),
        (limits.per_day, "a day"),
        (limits.per_month, "a month"),
    ]
    .into_iter()
    .filter_map(|(limit, of)| Some(format!("{} {of}", limit?)))
    .collect();
    let did = match allowed.as_slice() {
        [] => "compared with `limits` of the connector, which has none".to_owned(),
        allowed => format!(
            "compared with `limits` of the connector: {}",
            allowed.join(", ")
        ),
    };
    let said = page.map(|page| page.budget.as_slice()).unwrap_or_default();
    if said.is_empty() {
        let saw = match (&limits.remaining, page) {
            (_, None) => "there was no page to tell what is left",
            (None, _) => "this PMS does not tell what is left",
            (Some(_), _) => "the PMS did not tell what is left this time",
        };
        return Check::skip("quota", did, saw);
    }
    let told: Vec<String> = said
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let empty = said.iter().any(|(name, value)| {
        Some(name) == limits.remaining.as_ref()
            && value
                .split(';')
                .any(|left| left.trim().split('/').next() == Some("0"))
    });
    if empty {
        let remedy =
            "wait until it is back; lower `limits` of the connector, or ask the vendor for more";
        Check::warn("quota", did, told.join(", "), remedy)
    } else {
        Check::ok("quota", did, told.join(", "))
    }
}

/// What a reading told, taken apart again.
pub(super) fn failed(check: &'static str, did: &str, error: &SourceError) -> Check {
    let (told, exit) = match error {
        SourceError::Unavailable(told) | SourceError::Postponed(told) => (told, Exit::OutOfReach),
        SourceError::NotAllowed(told) => (told, Exit::Invalid),
        SourceError::Denied(told)
        | SourceError::LoginFailed(told)
        | SourceError::Unexpected(told) => (told, Exit::Failed),
        SourceError::Stopped => return Check::skip(check, did, error.to_string()),
    };
    let Told {
        what, said, remedy, ..
    } = told;
    let said = said
        .as_ref()
        .map_or_else(String::new, |said| format!(" (it said: {said})"));
    Check::fail(check, did, format!("{what}{said}"), remedy).ends(exit)
}
