//! What a provider says of itself (OpenID Connect Discovery 1.0). Asks nobody.

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use url::Url;

use super::OidcError;

/// How this program proves to the provider that it is itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Name and secret in a header (`client_secret_basic`).
    Basic,
    /// Both in the form (`client_secret_post`).
    Post,
    /// No secret: the name alone.
    None,
}

/// Of what it says what is needed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    #[serde(deserialize_with = "url")]
    pub(super) authorization_endpoint: Url,
    #[serde(deserialize_with = "url")]
    pub(super) token_endpoint: Url,
    #[serde(deserialize_with = "url")]
    pub(super) jwks_uri: Url,
    #[serde(default, deserialize_with = "some_url")]
    pub(super) userinfo_endpoint: Option<Url>,
    #[serde(default, deserialize_with = "some_url")]
    pub(super) end_session_endpoint: Option<Url>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    /// Whoever comes back shows where they were (RFC 9207).
    #[serde(default, rename = "authorization_response_iss_parameter_supported")]
    pub(super) names_itself: bool,
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    Url::parse(&text).map_err(D::Error::custom)
}

fn some_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let url = text.map(|text| Url::parse(&text)).transpose();
    url.map_err(D::Error::custom)
}

/// Where it lies.
pub(super) fn place(issuer: &str) -> Result<Url, OidcError> {
    let text = format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    );
    Url::parse(&text).map_err(|_| OidcError::Unfit("`web.oidc.issuer` is no URL".to_owned()))
}

impl Metadata {
    /// Reads it, and holds it against the issuer that the settings name: another one's is nobody's.
    pub(super) fn read(body: &[u8], issuer: &str) -> Result<Metadata, OidcError> {
        let read: Metadata = serde_json::from_slice(body).map_err(|_| {
            OidcError::Unfit(
                "what lies at /.well-known/openid-configuration of the issuer is not what a provider says of itself"
                    .to_owned(),
            )
        })?;
        if read.issuer != issuer {
            return Err(OidcError::Unfit(
                "the provider names itself otherwise than `web.oidc.issuer` does; write it letter for letter, with or without `/` at the end as there"
                    .to_owned(),
            ));
        }
        let methods = read.code_challenge_methods_supported.as_ref();
        if methods.is_some_and(|all| !all.iter().any(|one| one == "S256")) {
            return Err(OidcError::Unfit(
                "the provider knows no PKCE by S256".to_owned(),
            ));
        }
        let more = [&read.userinfo_endpoint, &read.end_session_endpoint];
        let all = [
            &read.authorization_endpoint,
            &read.token_endpoint,
            &read.jwks_uri,
        ];
        let are_safe = all
            .into_iter()
            .chain(more.into_iter().flatten())
            .all(is_safe);
        if !are_safe {
            return Err(OidcError::Unfit(
                "the provider names an address that is not encrypted".to_owned(),
            ));
        }
        Ok(read)
    }

    /// How this program proves itself there, with a secret or without.
    pub(super) fn proof(&self, has_secret: bool) -> Result<Proof, OidcError> {
        if !has_secret {
            return Ok(Proof::None);
        }
        // Where it says nothing it is the header (OpenID Connect Discovery 1.0, 3).
        let Some(known) = &self.token_endpoint_auth_methods_supported else {
            return Ok(Proof::Basic);
        };
        let knows = |word: &str| known.iter().any(|one| one == word);
        if knows("client_secret_basic") {
            Ok(Proof::Basic)
        } else if knows("client_secret_post") {
            Ok(Proof::Post)
        } else {
            Err(OidcError::Unfit(
                "the provider takes no secret that is shown, in a header or a form".to_owned(),
            ))
        }
    }
}

/// Encrypted, or on this machine.
fn is_safe(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(url::Host::Ipv4(at))) => at.is_loopback(),
        ("http", Some(url::Host::Ipv6(at))) => at.is_loopback(),
        ("http", Some(url::Host::Domain(name))) => name == "localhost",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://id.example.org";

    fn document() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example.org/auth",
            "token_endpoint": "https://token.example.org/token",
            "jwks_uri": "https://id.example.org/jwks",
        })
    }

    fn read(document: &Value) -> Result<Metadata, OidcError> {
        Metadata::read(document.to_string().as_bytes(), ISSUER)
    }

    #[test]
    fn a_provider_is_the_one_that_is_named_knows_pkce_and_is_encrypted() {
        let metadata = read(&document()).unwrap();
        assert!(!metadata.names_itself);
        for (field, value) in [
            ("issuer", json!("https://id.example.org/")),
            ("issuer", json!("https://evil.example")),
            ("token_endpoint", json!("http://id.example.org/token")),
            ("authorization_endpoint", json!("javascript:alert(1)")),
            ("jwks_uri", Value::Null),
            ("end_session_endpoint", json!("ftp://id.example.org/out")),
            ("code_challenge_methods_supported", json!(["plain"])),
        ] {
            let mut document = document();
            document[field] = value;
            assert!(
                matches!(read(&document), Err(OidcError::Unfit(_))),
                "{document}"
            );
        }
        let mut here = document();
        here["token_endpoint"] = json!("http://127.0.0.1:4000/token");
        assert!(read(&here).is_ok());
        for issuer in [ISSUER, "https://id.example.org/"] {
            assert_eq!(
                place(issuer).unwrap().as_str(),
                "https://id.example.org/.well-known/openid-configuration"
            );
        }
        let beneath = place("https://id.example.org/realms/staff").unwrap();
        assert!(
            beneath
                .path()
                .starts_with("/realms/staff/.well-known/openid-")
        );
    }

    #[test]
    fn a_secret_is_shown_as_the_provider_takes_it() {
        let with = |methods: Value| {
            let mut document = document();
            document["token_endpoint_auth_methods_supported"] = methods;
            read(&document).unwrap().proof(true)
        };
        assert_eq!(read(&document()).unwrap().proof(true), Ok(Proof::Basic));
        assert_eq!(read(&document()).unwrap().proof(false), Ok(Proof::None));
        let both = json!(["client_secret_post", "client_secret_basic"]);
        assert_eq!(with(both), Ok(Proof::Basic));
        assert_eq!(with(json!(["client_secret_post"])), Ok(Proof::Post));
        assert!(with(json!(["private_key_jwt"])).is_err());
    }
}
