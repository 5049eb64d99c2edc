//! The way to a host step by step, for `epms doctor`: what its name resolves to, whether a connection stands, and what
//! time it is there. Each step is tried once, and shows no credential.

use std::error::Error;
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::DATE;
use rustls::CertificateError;
use url::{Host, Origin, Url};

use super::account::Account;
use super::clients::Outbound;
use super::egress::{Permitted, authority, cause, is_here, may_not_lead_to};
use super::proxy::Refusal;

/// A name that has no address after this time has none.
const RESOLVED_WITHIN: Duration = Duration::from_secs(10);
/// Somebody who does not answer a bare request in this time is not there.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    origin: Url,
}

/// What a host answered to a request without a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The status code; any will do.
    pub status: u16,
    /// Its clock, to the second, where it tells.
    pub date: Option<SystemTime>,
    /// From the request to the answer.
    pub took: Duration,
}

/// Why no connection stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// What happened.
    pub what: String,
    /// What to do.
    pub remedy: &'static str,
}

impl Endpoint {
    /// Where a URL leads that may be asked.
    pub(crate) fn of(url: &Permitted) -> Option<Endpoint> {
        // Only http and https are permitted.
        let origin @ Origin::Tuple(..) = url.url().origin() else {
            return None;
        };
        let origin = Url::parse(&origin.ascii_serialization()).ok()?;
        Some(Endpoint { origin })
    }

    /// `host`, or `host:port` where the port is not the usual one.
    pub fn authority(&self) -> String {
        authority(&self.origin).unwrap_or_default()
    }

    /// Whether the connection is by TLS. If not, it stays on this machine.
    pub fn is_secure(&self) -> bool {
        self.origin.scheme() == "https"
    }

    /// Whether the host is an address, and no name.
    pub fn is_address(&self) -> bool {
        matches!(self.origin.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)))
    }

    /// The proxy that an account's requests go through on the way there.
    pub fn proxy(&self, account: &Account) -> Option<Endpoint> {
        let origin = account.through(&self.origin)?.clone();
        Some(Endpoint { origin })
    }

    /// Whether what goes there does not leave this machine.
    pub fn is_here(&self) -> bool {
        is_here(&self.origin)
    }
}

impl Outbound {
    /// All addresses of a name; an error says why nothing may be asked there.
    pub async fn resolve(&self, endpoint: &Endpoint) -> Result<Vec<IpAddr>, Unreached> {
        let unreached = |what: String| Unreached {
            what,
            remedy: "check the host in the URL of the credential, and /etc/resolv.conf of this machine",
        };
        let name = endpoint.origin.host_str().unwrap_or_default().to_owned();
        let found = tokio::time::timeout(RESOLVED_WITHIN, (self.lookup)(name.clone())).await;
        let found = found.map_err(|_| {
            let seconds = RESOLVED_WITHIN.as_secs();
            unreached(format!("it cannot be resolved: no answer in {seconds} s"))
        })?;
        let found = found.map_err(|error| unreached(format!("it cannot be resolved: {error}")))?;
        let mut addresses: Vec<IpAddr> = found.iter().map(std::net::SocketAddr::ip).collect();
        addresses.dedup();
        for address in &addresses {
            if let Some(why) = may_not_lead_to(&name, *address) {
                return Err(Unreached {
                    what: format!("it leads to {address}, {why}"),
                    remedy: "no name may lead there; see who answers for this name",
                });
            }
        }
        if addresses.is_empty() {
            return Err(unreached("it has no address".into()));
        }
        Ok(addresses)
    }

    /// Asks for the front page, without a credential. Whatever it answers shows that a connection
    /// stands; by TLS, also that the certificate was verified.
    pub async fn knock(
        &self,
        account: &Account,
        endpoint: &Endpoint,
    ) -> Result<Answered, Unreached> {
        let begun = Instant::now();
        let request = account.client.get(endpoint.origin.clone());
        let response = request.timeout(ANSWERED_WITHIN).send().await;
        let came = response.as_ref().map(reqwest::Response::status);
        if let Some(Refusal { what, remedy }) = account.refused_by_proxy(&endpoint.origin, came) {
            return Err(Unreached { what, remedy });
        }
        let proxy = endpoint.proxy(account);
        let response = response.map_err(|error| unreached(&error, proxy.as_ref()))?;
        let date = response.headers().get(DATE);
        Ok(Answered {
            status: response.status().as_u16(),
            date: date
                .and_then(|date| date.to_str().ok())
                .and_then(|date| httpdate::parse_http_date(date).ok()),
            took: begun.elapsed(),
        })
    }
}

fn unreached(error: &reqwest::Error, proxy: Option<&Endpoint>) -> Unreached {
    if let Some(tls) = cause::<rustls::Error>(error) {
        return Unreached {
            what: format!("no TLS with it: {tls}"),
            remedy: remedy(tls),
        };
    }
    if error.is_timeout() {
        return Unreached {
            what: format!("no answer within {} s", ANSWERED_WITHIN.as_secs()),
            remedy: "a firewall may swallow it: ask for a way out to this host and port",
        };
    }
    let root = std::iter::successors(error.source(), |&cause| cause.source()).last();
    let root = root.map_or_else(|| "it broke off".to_owned(), ToString::to_string);
    if let Some(proxy) = proxy {
        return Unreached {
            what: format!(
                "the proxy {} does not lead there: {root}",
                proxy.authority()
            ),
            remedy: "check `proxy` of the connector or of config/epms.yaml, and whether the proxy lets this machine through to this host",
        };
    }
    Unreached {
        what: root,
        remedy: "check the URL of the credential, port included, and whether a firewall lets it through",
    }
}

fn remedy(error: &rustls::Error) -> &'static str {
    use rustls::Error as Tls;
    match error {
        Tls::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => {
                "whoever runs the host must renew its certificate, unless this machine's clock is wrong"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the certificate is another host's: check the URL of the credential"
            }
            CertificateError::UnknownIssuer => {
                "nobody whom this system trusts has issued the certificate: if the host has an authority of its own, name its certificate as `ca_file` in the credential"
            }
            _ => "the certificate cannot be trusted: ask whoever runs the host",
        },
        Tls::InvalidMessage(_) => {
            "it does not speak TLS there: check the port in the URL of the credential"
        }
        Tls::AlertReceived(_) | Tls::PeerIncompatible(_) => {
            "it may speak only TLS 1.0 or 1.1, which is not safe: ask whoever runs the host for 1.2"
        }
        _ => "ask whoever runs the host",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_of_a_certificate_has_its_remedy() {
        let told = |certificate| remedy(&rustls::Error::InvalidCertificate(certificate));
        assert!(told(CertificateError::Expired).contains("renew"));
        assert!(told(CertificateError::NotValidForName).contains("another host's"));
        assert!(told(CertificateError::UnknownIssuer).contains("authority"));
        assert!(told(CertificateError::BadSignature).contains("cannot be trusted"));
    }
}
