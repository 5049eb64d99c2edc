//! `proxy:` of the daemon's file and of connectors, as it is written. Asks nobody, and knows no host that goes past it.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Deserialize, Deserializer};
use url::Url;

/// A proxy: `http://HOST:PORT` or `https://HOST:PORT`, without a user or a password; `none` for none.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(title = "proxy", with = "String")]
pub enum Proxy {
    /// None, also where the daemon's file has one.
    Direct,
    /// The one at this URL, which is a scheme, a host and perhaps a port.
    At(Url),
}

impl Proxy {
    /// Where it is, if it is one.
    pub fn url(&self) -> Option<&Url> {
        match self {
            Proxy::Direct => None,
            Proxy::At(url) => Some(url),
        }
    }
}

/// The error holds nothing of a text that may hold a password.
fn parse(text: &str) -> Result<Proxy, String> {
    if text == "none" {
        return Ok(Proxy::Direct);
    }
    if text.contains('@') {
        return Err("a proxy's URL may hold no user and no password: write `http://HOST:PORT`, and have the proxy let this machine in by its address".into());
    }
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"));
    let bare = url.filter(|url| {
        url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.has_host()
    });
    bare.map(Proxy::At).ok_or_else(|| {
        format!("`{text}` is no proxy; write `http://HOST:PORT`, `https://HOST:PORT` or `none`")
    })
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map_err(de::Error::custom)
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proxy::Direct => f.write_str("none"),
            Proxy::At(url) => f.write_str(url.as_str().trim_end_matches('/')),
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
    fn a_proxy_with_a_password_is_refused_and_not_quoted() {
        for wrong in [
            "http://ana:s3cret@proxy.example",
            "ana:s3cret@proxy.example",
        ] {
            let told = parse(wrong).unwrap_err();
            assert!(told.contains("no user and no password"), "{told}");
            assert!(!told.contains("s3cret"), "{told}");
        }
    }
}
