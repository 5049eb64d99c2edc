//! `web.oidc` of `config/epms.yaml`: the provider of identities by which people sign in. Asks nobody.

use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

use super::super::SecretReference;
use super::TierGroups;

/// Where the provider sends somebody back to.
pub const REDIRECT_PATH: &str = "/sign-in/oidc/back";

/// A provider of identities (OpenID Connect), by which people sign in: by the code flow, with PKCE.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    /// The provider, exactly as it names itself, such as `https://id.example.org`: beneath it lies
    /// `/.well-known/openid-configuration`. Over `http` on loopback alone.
    pub issuer: String,
    /// How the provider knows this program.
    pub client_id: String,
    /// What this program proves to the provider that it is: `{ file: PATH }`. Without it, it is a public client.
    #[serde(default)]
    pub secret: Option<SecretReference>,
    /// How the provider is called on the page to sign in on. Without this by its host.
    #[serde(default)]
    pub title: Option<String>,
    /// What is asked for besides `openid`, such as `[profile, email, groups]`.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// Where what is to be known of somebody stands in what the provider says.
    #[serde(default)]
    pub claims: OidcClaims,
    /// How much the members of which groups may do.
    pub tiers: TierGroups,
    /// Where the provider sends people back to, as it is registered there. Without this the first of `hosts`, or else the
    /// address, with the port of `listen`; `/sign-in/oidc/back` in any case.
    #[serde(default)]
    pub redirect_uri: Option<String>,
    /// Authorities that the provider may be signed by, besides those of the system (PEM).
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// Claims, by name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OidcClaims {
    /// What somebody is called in the history: one that nobody else can take for themselves. Where it is missing, `sub`.
    pub name: String,
    /// Their groups: a list of texts, or one text. Of `email` it counts only where the provider says that it is verified.
    pub groups: String,
}

impl Default for OidcClaims {
    fn default() -> OidcClaims {
        OidcClaims {
            name: "preferred_username".to_owned(),
            groups: "groups".to_owned(),
        }
    }
}

fn scopes() -> Vec<String> {
    ["profile", "email"].map(String::from).into()
}

impl OidcSettings {
    /// What is wrong with it, by field.
    pub(super) fn problems(&self, hosts: &[String]) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut wrong = |field: &str, what: String| found.push((format!("oidc.{field}"), what));
        if let Err(what) = of_provider(&self.issuer) {
            wrong("issuer", what.to_owned());
        }
        if self.client_id.trim().is_empty() {
            wrong(
                "client_id",
                "is empty; write how the provider knows epms".into(),
            );
        }
        for scope in &self.scopes {
            let fits = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
            if scope.is_empty() || !scope.bytes().all(fits) {
                wrong(
                    "scopes",
                    format!("`{scope}` is no scope; write one such as groups"),
                );
            }
        }
        for (field, claim) in [
            ("claims.name", &self.claims.name),
            ("claims.groups", &self.claims.groups),
        ] {
            if claim.is_empty() {
                wrong(field, "is empty; write the name of a claim".into());
            }
        }
        if let Some(what) = self.tiers.problem() {
            wrong("tiers", what.to_owned());
        }
        if let Some(text) = &self.redirect_uri
            && let Err(what) = own_page(text, hosts)
        {
            wrong("redirect_uri", what);
        }
        found
    }

    /// How the provider is called.
    pub fn called(&self) -> String {
        let host = || Some(Url::parse(&self.issuer).ok()?.host_str()?.to_owned());
        let title = self.title.clone().filter(|title| !title.trim().is_empty());
        title.or_else(host).unwrap_or_else(|| self.issuer.clone())
    }

    /// Where the provider sends people back to, of a page that listens there.
    pub fn sends_back_to(&self, listens: SocketAddr, secured: bool, hosts: &[String]) -> String {
        if let Some(named) = &self.redirect_uri {
            return named.clone();
        }
        let (scheme, usual) = if secured {
            ("https", 443)
        } else {
            ("http", 80)
        };
        let host = match hosts.first() {
            Some(host) => host.clone(),
            None => match listens {
                SocketAddr::V4(at) => at.ip().to_string(),
                SocketAddr::V6(at) => format!("[{}]", at.ip()),
            },
        };
        let port = match listens.port() {
            port if port == usual => String::new(),
            port => format!(":{port}"),
        };
        format!("{scheme}://{host}{port}{REDIRECT_PATH}")
    }
}

/// Whether an address can be a provider's: encrypted, or of this machine.
fn of_provider(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "is no URL; write `https://HOST`")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("may hold no user and no password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a `?` or a `#` in it, which no issuer has; write `https://HOST`");
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => {
            Err("is asked in the clear, where anybody between could sign in; write `https://`")
        }
        _ => Err("is no URL that can be asked; write `https://HOST`"),
    }
}

/// Whether an address is the page's own.
fn own_page(text: &str, hosts: &[String]) -> Result<(), String> {
    let url =
        Url::parse(text).map_err(|_| format!("is no URL; write `https://HOST{REDIRECT_PATH}`"))?;
    if url.path() != REDIRECT_PATH || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("does not end in {REDIRECT_PATH}, and nothing else"));
    }
    let here = is_loopback(&url);
    if url.scheme() != "https" && !(url.scheme() == "http" && here) {
        return Err("is asked in the clear; write `https://`".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    if !here && !hosts.iter().any(|named| named.eq_ignore_ascii_case(host)) {
        return Err(format!(
            "leads to `{host}`, which is not among `hosts`; add it there"
        ));
    }
    Ok(())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(at)) => at.is_loopback(),
        Some(Host::Ipv6(at)) => at.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> OidcSettings {
        OidcSettings {
            issuer: "https://id.example.org".into(),
            client_id: "epms".into(),
            secret: None,
            title: None,
            scopes: scopes(),
            claims: OidcClaims::default(),
            tiers: TierGroups {
                observe: vec!["staff".into()],
                ..TierGroups::default()
            },
            redirect_uri: None,
            ca_file: None,
        }
    }

    #[test]
    fn people_are_sent_back_to_the_page_and_nowhere_else() {
        let hosts = ["epms.example.org".to_owned()];
        let at = |text: &str, secured, hosts: &[String]| {
            settings().sends_back_to(text.parse().unwrap(), secured, hosts)
        };
        for (to, listens, secured, hosts) in [
            (
                "https://epms.example.org:8443",
                "0.0.0.0:8443",
                true,
                &hosts[..],
            ),
            ("https://epms.example.org", "0.0.0.0:443", true, &hosts),
            ("http://127.0.0.1:8080", "127.0.0.1:8080", false, &[]),
            ("http://[::1]:8080", "[::1]:8080", false, &[]),
        ] {
            assert_eq!(
                at(listens, secured, hosts),
                format!("{to}/sign-in/oidc/back")
            );
        }
        let named = OidcSettings {
            redirect_uri: Some("https://epms.example.org/sign-in/oidc/back".into()),
            ..settings()
        };
        assert!(named.problems(&hosts).is_empty());
        assert_eq!(
            named.sends_back_to("127.0.0.1:1".parse().unwrap(), false, &[]),
            "https://epms.example.org/sign-in/oidc/back"
        );
        for wrong in [
            "epms.example.org",
            "https://epms.example.org/",
            "https://epms.example.org/sign-in/oidc/back?to=x",
            "https://evil.example/sign-in/oidc/back",
            "http://epms.example.org/sign-in/oidc/back",
        ] {
            let one = OidcSettings {
                redirect_uri: Some(wrong.into()),
                ..settings()
            };
            assert_eq!(one.problems(&hosts).len(), 1, "{wrong}");
        }
    }

    #[test]
    fn a_provider_is_asked_by_tls_or_on_this_machine() {
        for (right, issuer) in [
            (true, "https://id.example.org"),
            (true, "https://id.example.org/realms/staff/"),
            (true, "http://127.0.0.1:4000"),
            (true, "http://localhost:4000"),
            (false, "http://id.example.org"),
            (false, "https://user:secret@id.example.org"),
            (false, "https://id.example.org?x"),
            (false, "id.example.org"),
            (false, "ftp://id.example.org"),
        ] {
            let one = OidcSettings {
                issuer: issuer.into(),
                ..settings()
            };
            assert_eq!(one.problems(&[]).is_empty(), right, "{issuer}");
        }
    }
}
