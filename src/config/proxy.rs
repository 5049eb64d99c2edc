//! `proxy:` of the daemon's file and of connectors, as it is written. Asks nobody, and knows no host that goes past it.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Deserialize, Deserializer};
use url::Url;

use super::SecretReference;
use super::request::text_or_mapping;

/// A proxy: `http://HOST:PORT` or `https://HOST:PORT`; with `{ url: …, username: …, password: { file: … } }` where it wants
/// to know who asks; `none` for none.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(title = "proxy", with = "ProxyForm")]
pub enum Proxy {
    /// None, also where the daemon's file has one.
    Direct,
    /// The one that is there.
    At(Server),
}

/// Where a proxy is, and who asks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// A scheme, a host and perhaps a port.
    pub url: Url,
    /// Who asks, where the proxy wants to know.
    pub login: Option<ProxyLogin>,
}

/// Who asks a proxy, by HTTP Basic (RFC 7617).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyLogin {
    /// The user.
    pub username: String,
    /// Where the password is kept.
    pub password: SecretReference,
}

/// A proxy.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "says how it is written")]
enum ProxyForm {
    Short(#[schemars(extend("minLength" = 0))] String),
    Long(ProxyMapping),
}

/// A proxy that wants to know who asks.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProxyMapping {
    /// Where it is: `http://HOST:PORT` or `https://HOST:PORT`.
    url: String,
    /// The user that it lets in, by HTTP Basic. It knows no other way.
    username: String,
    /// Where the user's password is kept, as the secrets of credentials are: `{ file: PATH }`.
    password: SecretReference,
}

impl Proxy {
    /// The one that is there, if any.
    pub fn server(&self) -> Option<&Server> {
        match self {
            Proxy::Direct => None,
            Proxy::At(server) => Some(server),
        }
    }

    /// Where the password is kept that it is shown, if it is shown one.
    pub fn password(&self) -> Option<&SecretReference> {
        let login = self.server()?.login.as_ref()?;
        Some(&login.password)
    }
}

/// The error holds nothing of a text that may hold a password.
fn parse(text: &str) -> Result<Proxy, String> {
    if text == "none" {
        return Ok(Proxy::Direct);
    }
    let url = at(text)?;
    Ok(Proxy::At(Server { url, login: None }))
}

fn at(text: &str) -> Result<Url, String> {
    if text.contains('@') {
        return Err("a proxy's URL may hold no user and no password: write `{ url: http://HOST:PORT, username: NAME, password: { file: PATH } }`".into());
    }
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"));
    let bare = url.filter(|url| {
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.has_host()
    });
    bare.ok_or_else(|| {
        format!("`{text}` is no proxy; write `http://HOST:PORT`, `https://HOST:PORT` or `none`")
    })
}

fn with_login(mapping: ProxyMapping) -> Result<Proxy, String> {
    let ProxyMapping {
        url,
        username,
        password,
    } = mapping;
    let url = at(&url)?;
    if username.is_empty() || username.contains(|c: char| c == ':' || c.is_control()) {
        return Err("`username` is no user of a proxy; write a name without `:`".into());
    }
    let login = Some(ProxyLogin { username, password });
    Ok(Proxy::At(Server { url, login }))
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_mapping(
            deserializer,
            "`http://HOST:PORT`, `none`, or `{ url: …, username: …, password: { file: … } }`",
            |text: String| parse(&text),
            with_login,
        )?
        .map_err(de::Error::custom)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proxy::Direct => f.write_str("none"),
            Proxy::At(server) => f.write_str(server.url.as_str().trim_end_matches('/')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_scheme_a_host_and_a_port() {
        for text in [
            "http://proxy.example:3128",
            "https://proxy.example",
            "http://[::1]:8080",
            "none",
        ] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        for wrong in [
            "",
            "proxy.example",
            "proxy.example:3128",
            "socks5://proxy.example:1080",
            "http://",
            "http://proxy.example/way",
            "http://proxy.example?a=b",
            "http://proxy.example#a",
        ] {
            let told = parse(wrong).unwrap_err();
            assert!(told.contains("write `http://HOST:PORT`"), "{wrong}: {told}");
        }
    }

    #[test]
    fn a_proxy_with_a_password_in_its_url_is_refused_and_not_quoted() {
        for wrong in [
            "http://ana:s3cret@proxy.example",
            "ana:s3cret@proxy.example",
        ] {
            let read = |value: serde_json::Value| {
                let read: Result<Proxy, _> = serde_json::from_value(value);
                read.unwrap_err().to_string()
            };
            let password = serde_json::json!({ "file": "secrets/proxy" });
            for told in [
                read(wrong.into()),
                read(serde_json::json!({ "url": wrong, "username": "ana", "password": password })),
            ] {
                assert!(told.contains("no user and no password"), "{told}");
                assert!(!told.contains("s3cret"), "{told}");
            }
        }
    }

    #[test]
    fn who_asks_a_proxy_is_a_name_and_a_password_by_reference() {
        let read = |username: &str, password: serde_json::Value| {
            let url = "http://proxy.example:3128";
            serde_json::from_value::<Proxy>(
                serde_json::json!({ "url": url, "username": username, "password": password }),
            )
        };
        let file = serde_json::json!({ "file": "secrets/proxy" });
        let proxy = read("ACME\\svc", file.clone()).unwrap();
        assert_eq!(proxy.to_string(), "http://proxy.example:3128");
        assert_eq!(proxy.password().unwrap().to_string(), "file secrets/proxy");
        assert!(
            read("ana", "s3cret".into()).is_err(),
            "a password is no text here"
        );
        for wrong in ["", "a:b", "a\nb"] {
            let told = read(wrong, file.clone()).unwrap_err().to_string();
            assert!(told.contains("no user of a proxy"), "{told}");
        }
    }
}
