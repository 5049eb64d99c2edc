//! A proxy on the way out: what goes through it, what it is shown, and how it is known that it refuses. Sends nothing.

use std::error::Error;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use crate::config::{Proxy, Secret, SecretError};

use super::egress::{authority, is_here};

/// The proxy that an account's requests go through, with its password read.
#[derive(Debug, Clone)]
pub(super) struct Through {
    url: Url,
    login: Option<(String, Secret)>,
}

/// That a proxy lets nobody through without a password, or not with this one.
pub(super) struct Refusal {
    pub(super) what: String,
    pub(super) remedy: &'static str,
}

impl Through {
    /// Reads its password; none where nothing goes through a proxy.
    pub(super) fn read(proxy: Option<&Proxy>, home: &Path) -> Result<Option<Through>, SecretError> {
        let Some(server) = proxy.and_then(Proxy::server) else {
            return Ok(None);
        };
        let login = match &server.login {
            Some(login) => Some((login.username.clone(), login.password.read(home)?)),
            None => None,
        };
        let url = server.url.clone();
        Ok(Some(Through { url, login }))
    }

    /// Where it is, for what goes to a URL: what does not leave this machine goes through none.
    pub(super) fn to(&self, url: &Url) -> Option<&Url> {
        Some(&self.url).filter(|_| !is_here(url))
    }

    /// As the client is told of it.
    pub(super) fn of_client(&self) -> reqwest::Proxy {
        let through = self.clone();
        let proxy = reqwest::Proxy::custom(move |url| through.to(url).cloned());
        match &self.login {
            Some((name, password)) => proxy.basic_auth(name, password.expose()),
            None => proxy,
        }
    }

    /// What tells it from another.
    pub(super) fn key(&self) -> Vec<u8> {
        let (name, password) = match &self.login {
            Some((name, password)) => (name.as_str(), password.expose()),
            None => ("", ""),
        };
        [self.url.as_str(), name, password].join("\n").into_bytes()
    }

    /// What it is shown that nobody else may know.
    pub(super) fn secrets(&self) -> impl Iterator<Item = Secret> {
        let login = self.login.iter();
        login.flat_map(|(name, password)| {
            let proof = STANDARD.encode(format!("{name}:{}", password.expose()));
            [password.clone(), Secret::new(proof)]
        })
    }

    /// That it answered with 407.
    pub(super) fn refusal(&self) -> Refusal {
        let proxy = authority(&self.url).unwrap_or_default();
        match &self.login {
            Some((name, _)) => Refusal {
                what: format!("the proxy {proxy} does not let `{name}` in"),
                remedy: "check `username` and `password` of `proxy`, in the connector or in config/epms.yaml",
            },
            None => Refusal {
                what: format!("the proxy {proxy} asks for a password"),
                remedy: "write `proxy: { url: …, username: …, password: { file: … } }` into the connector or config/epms.yaml, or have the proxy let this machine in by its address",
            },
        }
    }
}

/// Whether a proxy answered with 407 where it was to lead on to a host by TLS. The client has no kind of error for it, but
/// these words.
pub(super) fn asks_for_a_password(error: &(dyn Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |&cause| cause.source());
    causes.any(|cause| cause.to_string().ends_with("proxy authorization required"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Through {
        Through {
            url: Url::parse(text).unwrap(),
            login: None,
        }
    }

    #[test]
    fn what_stays_on_this_machine_goes_through_no_proxy() {
        let proxy = at("http://proxy.example:3128");
        let goes = |url: &str| proxy.to(&Url::parse(url).unwrap()).is_some();
        for here in [
            "http://127.0.0.1:80",
            "https://127.8.9.1",
            "http://[::1]/a",
            "http://[::ffff:127.0.0.1]:8080",
            "http://localhost:8080",
            "http://LocalHost.:8080",
        ] {
            assert!(!goes(here), "{here}");
        }
        for there in [
            "http://10.0.0.5",
            "http://[::ffff:10.0.0.5]",
            "https://pms.example",
            "http://localhost.example",
            "http://localhost..",
        ] {
            assert!(goes(there), "{there}");
        }
    }

    #[test]
    fn proxies_are_told_apart_by_all_that_they_are_shown() {
        let with = |name: &str, password: &str| Through {
            login: Some((name.into(), Secret::new(password.into()))),
            ..at("http://proxy.example:3128")
        };
        let keys = [
            at("http://proxy.example:3128"),
            with("ana", "one"),
            with("ana", "two"),
            with("bo", "one"),
        ]
        .map(|one| one.key());
        for (number, key) in keys.iter().enumerate() {
            assert!(!keys[..number].contains(key));
        }
    }
}
