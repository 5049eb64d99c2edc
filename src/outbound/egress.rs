//! Where requests may go by address: judged when a name is resolved, so that no name leads to the local link, or to
//! where clouds keep their secrets. And which hosts may be asked at all: those that whoever asks has listed.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

/// Addresses at which clouds tell a machine its secrets, besides those of the local link: Alibaba, Azure, Oracle;
/// AWS and Google over IPv6.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

/// `host`, or `host:port` where the URL names a port. None for anything but http and https.
pub(crate) fn authority(url: &Url) -> Option<String> {
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// What an address is that no name may lead to; none where it may be asked.
pub(crate) fn forbidden(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => {
            if v4.is_link_local() {
                Some("an address of the local link, where clouds keep their metadata")
            } else if METADATA_V4.contains(&v4) {
                Some("the metadata service of a cloud")
            } else if v4.octets()[0] == 0 || v4.is_multicast() || v4.is_broadcast() {
                Some("no address of a server")
            } else {
                None
            }
        }
        IpAddr::V6(v6) => {
            let inside = v6.to_ipv4_mapped().or_else(|| through_nat64(v6));
            if let Some(v4) = inside {
                forbidden(IpAddr::V4(v4))
            } else if v6.is_unicast_link_local() {
                Some("an address of the local link, where clouds keep their metadata")
            } else if METADATA_V6.contains(&v6) {
                Some("the metadata service of a cloud")
            } else if v6.is_unspecified() || v6.is_multicast() {
                Some("no address of a server")
            } else {
                None
            }
        }
    }
}

/// Why a name may not lead to an address; none where it may.
pub(crate) fn may_not_lead_to(name: &str, address: IpAddr) -> Option<&'static str> {
    let elsewhere = is_localhost(name) && !address.to_canonical().is_loopback();
    forbidden(address).or(elsewhere.then_some("which is not this machine"))
}

/// The IPv4 address behind one of the well-known prefix `64:ff9b::/96` (RFC 6052).
fn through_nat64(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = v6.octets();
    let prefix = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];
    let rest: [u8; 4] = octets.strip_prefix(&prefix)?.try_into().ok()?;
    Some(Ipv4Addr::from(rest))
}

/// A host that may be asked.
#[derive(Debug)]
pub(crate) struct Host {
    /// `host`, or `host:port`.
    pub(crate) name: String,
    /// It stands in a file as it is, and no template gave it.
    pub(crate) is_written_out: bool,
}

/// Why a URL may not be asked.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) what: String,
    pub(crate) remedy: &'static str,
}

/// A URL that may be asked: nothing else is ever sent to.
#[derive(Debug, Clone)]
pub(crate) struct Permitted(Url);

impl Permitted {
    /// Only the hosts that are listed, and no secret in the clear except on this machine.
    pub(crate) fn judge<E>(
        url: &Url,
        hosts: impl IntoIterator<Item = Result<Host, E>>,
        plain_http: bool,
        refused: impl Fn(Refusal) -> E,
    ) -> Result<Permitted, E> {
        let refused = |what: String, remedy| Err(refused(Refusal { what, remedy }));
        let Some(authority) = authority(url) else {
            let what = format!("requests go over https, not {}", url.scheme());
            return refused(what, "correct the URL");
        };
        for host in hosts {
            let host = host?;
            if !host.name.eq_ignore_ascii_case(&authority) {
                continue;
            }
            // An address that no name may lead to is asked only where it is listed as it is, and not by a template.
            if let Some((address, why)) = forbidden_address(url)
                && !host.is_written_out
            {
                let what = format!("{address} is {why}");
                return refused(
                    what,
                    "write the right URL into the credential; if it is meant, list the address in the connector's `hosts`",
                );
            }
            if url.scheme() == "http" && !is_here(url) && !plain_http {
                let what = format!("{authority} would be asked over plain http");
                return refused(
                    what,
                    "write https:// into the credential, or `plain_http: true` into the connector if the network between is yours alone",
                );
            }
            return Ok(Permitted(url.clone()));
        }
        let what = format!("{authority} is not among the connector's hosts");
        refused(
            what,
            "where it is the right one, add it to `hosts` of the connector",
        )
    }

    /// Where it leads.
    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

fn forbidden_address(url: &Url) -> Option<(IpAddr, &'static str)> {
    let address = match url.host()? {
        url::Host::Ipv4(ip) => ip.into(),
        url::Host::Ipv6(ip) => ip.into(),
        url::Host::Domain(_) => return None,
    };
    Some((address, forbidden(address)?))
}

/// Whether a name is this machine's own.
fn is_localhost(name: &str) -> bool {
    name.strip_suffix('.').unwrap_or(name) == "localhost"
}

/// Whether what goes there does not leave this machine.
pub(crate) fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => match address.to_ipv4_mapped() {
            Some(inside) => inside.is_loopback(),
            None => address.is_loopback(),
        },
        // A dot at the end says that the name is whole.
        Some(url::Host::Domain(name)) => is_localhost(name),
        None => false,
    }
}

/// A name that leads where nothing may be asked.
#[derive(Debug)]
pub(crate) struct Refused {
    address: IpAddr,
    why: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leads to {}, {}", self.address, self.why)
    }
}

impl Error for Refused {}

/// The addresses of a name. The port is not looked at.
pub type Lookup = Arc<
    dyn Fn(String) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>
        + Send
        + Sync,
>;

/// As the system resolves names.
pub(crate) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    })
}

/// Resolves names, and refuses those that lead where nothing may be asked: all addresses of a name are judged, as any
/// of them may be the one that is asked.
pub(crate) struct Resolver(pub(crate) Lookup);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let found = (self.0)(name.as_str().to_owned());
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let found = found.await?;
            for one in &found {
                let address = one.ip();
                if let Some(why) = may_not_lead_to(&name, address) {
                    return Err(Refused { address, why }.into());
                }
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The error of a kind among the causes of another, also where the system's errors wrap it.
pub(crate) fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_to_the_local_link_or_to_metadata() {
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "fe80::1",
            "febf::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::169.254.169.254",
        ] {
            assert!(forbidden(address.parse().unwrap()).is_some(), "{address}");
        }
        for address in [
            "127.0.0.1",
            "10.0.0.5",
            "192.168.1.7",
            "203.0.113.9",
            "::1",
            "2001:db8::5",
            "fd00::5",
            "64:ff9b::203.0.113.9",
        ] {
            assert_eq!(forbidden(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn a_cause_is_found_also_inside_an_error_of_the_system() {
        let refused = Refused {
            address: Ipv4Addr::LOCALHOST.into(),
            why: "a test",
        };
        let error = io::Error::other(io::Error::other(refused));
        assert_eq!(cause::<Refused>(&error).unwrap().why, "a test");
        assert!(cause::<Refused>(&io::Error::other("x")).is_none());
    }
}
