//! Hosts of a connector that no request can have. Reads no credential.

use url::Url;

use crate::model::Code;
use crate::outbound::authority;

use super::Compile;

impl Compile<'_> {
    /// Tells of the hosts that no request can have.
    pub(super) fn hosts(&mut self) {
        let connector = self.connector;
        let urls = connector.all_requests().map(|(_, one)| one.url.as_str());
        let mut urls: Vec<&str> = urls.collect();
        if let Some(crate::config::Auth::OAuth2(oauth2)) = &connector.auth {
            urls.push(&oauth2.token_url);
        }
        for (index, host) in connector.hosts.iter().enumerate() {
            if let Some(why) = never(host, &urls) {
                let message = format!("is the host of no request: {why}");
                self.warn(&format!("hosts.{index}"), message, Code::Host);
            }
        }
    }
}

/// Why no request has this host; none where one may.
fn never(host: &str, urls: &[&str]) -> Option<String> {
    let host = host.trim();
    if let Some(value) = alone(host) {
        let begins = urls.iter().any(|url| begins_with(url, value));
        return begins.then(|| {
            format!(
                "`{value}` is a URL, with which a request begins; write {{{{ {value} | host }}}}"
            )
        });
    }
    if host.contains("://") {
        return Some("it is a URL; write its host alone, and its port where it has one".into());
    }
    if host.contains("{{") {
        return None;
    }
    if host.contains('*') {
        return Some("`*` stands for nothing here; write each host down".into());
    }
    let url = Url::parse(&format!("https://{host}/")).ok();
    match url.as_ref().and_then(authority) {
        Some(name) if name.eq_ignore_ascii_case(host) => None,
        Some(name) => Some(format!("requests call it `{name}`; write it so")),
        None => Some("it is no host; write one such as api.example.com, or host:port".into()),
    }
}

/// The value that is all of a template, where no filter makes something else of it.
fn alone(template: &str) -> Option<&str> {
    let inner = template.strip_prefix("{{")?.strip_suffix("}}")?;
    let value = inner.trim_matches('-').trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "._".contains(c);
    (!value.is_empty() && value.chars().all(is_name)).then_some(value)
}

/// Whether a URL begins with this value, so that it has to be one.
fn begins_with(url: &str, value: &str) -> bool {
    let first = url.trim_start().strip_prefix("{{");
    let first = first.and_then(|rest| rest.split_once("}}"));
    first.is_some_and(|(first, _)| first.trim_matches('-').trim() == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_no_request_has_is_found() {
        let urls = [
            "{{credential.url}}/people",
            "https://{{ credential.name }}/x",
        ];
        for (host, told) in [
            ("*.example.com", "`*` stands for nothing"),
            ("{{ credential.url }}", "write {{ credential.url | host }}"),
            ("https://api.example.com", "it is a URL"),
            ("https://{{ credential.name }}", "it is a URL"),
            ("api.example.com/v1", "requests call it `api.example.com`"),
            ("api.example.com:443", "requests call it `api.example.com`"),
            ("bücher.example", "requests call it `xn--bcher-kva.example`"),
            ("api example", "it is no host"),
        ] {
            let why = never(host, &urls).unwrap_or_default();
            assert!(why.contains(told), "{host}: {why}");
        }
        for host in [
            "api.example.com",
            "API.example.com:8443",
            "127.0.0.1:80",
            "[::1]:8080",
            "{{ credential.url | host }}",
            "{{ credential.name }}",
            "{{ credential.name }}.example.com",
            "*.{{ credential.name }}",
        ] {
            assert_eq!(never(host, &urls), None, "{host}");
        }
    }
}
