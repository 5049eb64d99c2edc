//! One request of a connector for one PMS property: its templates rendered, its hosts checked, its errors
//! told. Sends nothing.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::config::{self, Auth, Connector, Method};
use crate::outbound::{Account, Token, Told, authority, forbidden, shorten};

use super::SourceError;
use super::compiled::Source;
use super::known::Known;
use super::reader::Scope;
use super::template::{PageValues, Place, Values};

/// What stands in the place of a text that repeats a secret.
pub(super) const NOT_QUOTED: &str = "‹not quoted: the answer repeats the credential›";

/// What is asked, by whom, and for what.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) source: &'a Source,
    pub(super) account: &'a Account,
    pub(super) request: &'a str,
    pub(super) property: &'a str,
    pub(super) scope: &'a Scope,
    /// Records that need not be read again.
    pub(super) known: Option<&'a Known>,
}

/// A request with everything rendered.
pub(super) struct Prepared {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<String>,
    /// That it may be sent again when it failed.
    pub(super) repeatable: bool,
}

impl Call<'_> {
    pub(super) fn at(&self, field: &str) -> String {
        format!("requests.{}.{field}", self.request)
    }

    pub(super) fn spec(&self) -> Result<(&Connector, &config::Request), SourceError> {
        let connector = &self.source.connector;
        match connector.requests.get(self.request) {
            Some(request) => Ok((connector, request)),
            None => Err(SourceError::NotAllowed(self.told(
                "the connector has no such request",
                None,
                "add it",
            ))),
        }
    }

    /// An error's text, without secrets; of what the PMS said nothing is quoted where it repeats one.
    pub(super) fn told(&self, what: &str, said: Option<&str>, remedy: &str) -> Told {
        Told {
            request: self.request.to_owned(),
            subject: self.subject(),
            what: self.clean(what),
            said: said.map(|said| shorten(self.quoted(said))),
            remedy: self.clean(remedy),
        }
    }

    /// What is asked for, as errors name it.
    pub(super) fn subject(&self) -> String {
        if self.property.is_empty() {
            return String::new();
        }
        format!("PMS property `{}`", self.property)
    }

    /// A text of ours, which may name something that came from the PMS.
    fn clean(&self, text: &str) -> String {
        let struck = self.account.strike(text);
        if self.account.stands_in(&struck) {
            return "(what is told here repeats the credential, and is left out)".to_owned();
        }
        struck
    }

    /// A text of the PMS, or why it is not told.
    pub(super) fn quoted<'t>(&self, said: &'t str) -> &'t str {
        if self.account.is_repeated_in(said) {
            return NOT_QUOTED;
        }
        said
    }

    fn rendered(
        &self,
        place: Place,
        field: &str,
        page: &PageValues,
        token: &str,
    ) -> Result<String, SourceError> {
        let values = Values {
            credential: &self.account.values,
            fields: &self.scope.fields,
            property: self.property,
            today: self.scope.today,
            page,
            token,
        };
        let templates = &self.source.templates;
        let rendered = templates.render(place, field, &values).map_err(|what| {
            SourceError::NotAllowed(self.told(
                &what,
                None,
                "correct the connector or the credential",
            ))
        })?;
        // A body and a URL hold a secret as it is, which is found in them; a value may be made of one.
        let is_value = matches!(place, Place::Plain | Place::Header);
        if is_value && self.account.is_secret(templates.shows(place, field)) {
            self.account.shows(&rendered);
        }
        Ok(rendered)
    }

    pub(super) fn render(
        &self,
        place: Place,
        field: &str,
        page: &PageValues,
    ) -> Result<String, SourceError> {
        self.rendered(place, field, page, "")
    }

    /// The value of a header. It may hold a secret.
    pub(super) fn header(&self, value: &str) -> Result<HeaderValue, SourceError> {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            let what = "the value of a header has a character that headers cannot carry";
            SourceError::NotAllowed(self.told(
                what,
                None,
                "correct the connector or the credential",
            ))
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    pub(super) fn header_name(&self, name: &str) -> Result<HeaderName, SourceError> {
        HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            let what = format!("`{name}` is no name of a header");
            SourceError::NotAllowed(self.told(&what, None, "correct the connector"))
        })
    }

    pub(super) fn basic(&self, username: &str, password: &str) -> Result<HeaderValue, SourceError> {
        let proof = STANDARD.encode(format!("{username}:{password}"));
        self.account.shows(&proof);
        self.header(&format!("Basic {proof}"))
    }

    /// Renders the request of a page. `first` is what its template gives, `url` where the page is.
    pub(super) fn prepare(
        &self,
        first: &Url,
        url: &Url,
        values: &PageValues,
        token: Option<&Token>,
    ) -> Result<Prepared, SourceError> {
        let (connector, request) = self.spec()?;
        let mut headers = HeaderMap::new();
        let mut body = None;
        // A next link may lead to another of the connector's hosts, but never with the credential.
        if authority(url) == authority(first) {
            for (place, given) in [
                ("headers".to_owned(), &connector.headers),
                (self.at("headers"), &request.headers),
            ] {
                for name in given.keys() {
                    let value = self.render(Place::Header, &format!("{place}.{name}"), values)?;
                    headers.insert(self.header_name(name)?, self.header(&value)?);
                }
            }
            self.prove(&mut headers, values, token)?;
            if let Some(spec) = &request.body {
                body = Some(self.body(spec, values, &mut headers)?);
            }
        }
        Ok(Prepared {
            method: request.method,
            url: url.clone(),
            headers,
            body,
            repeatable: request.method == Method::Get || request.reads,
        })
    }

    /// Adds the header that proves who asks.
    fn prove(
        &self,
        headers: &mut HeaderMap,
        values: &PageValues,
        token: Option<&Token>,
    ) -> Result<(), SourceError> {
        match (&self.source.connector.auth, token) {
            (Some(Auth::Basic { .. }), _) => {
                let username = self.render(Place::Plain, "auth.basic.username", values)?;
                let password = self.render(Place::Plain, "auth.basic.password", values)?;
                headers.insert(AUTHORIZATION, self.basic(&username, &password)?);
            }
            (Some(Auth::Bearer { .. }), _) => {
                let token = self.render(Place::Header, "auth.bearer.token", values)?;
                headers.insert(AUTHORIZATION, self.header(&format!("Bearer {token}"))?);
            }
            (Some(Auth::Login(login)), Some(token)) => {
                let token = token.secret.expose();
                let value = self.rendered(Place::Header, "auth.login.value", values, token)?;
                headers.insert(self.header_name(&login.header)?, self.header(&value)?);
            }
            (Some(Auth::OAuth2(_)), Some(token)) => {
                let value = format!("Bearer {}", token.secret.expose());
                headers.insert(AUTHORIZATION, self.header(&value)?);
            }
            (Some(Auth::Login(_) | Auth::OAuth2(_)) | None, _) => {}
        }
        Ok(())
    }

    pub(super) fn url(&self, values: &PageValues) -> Result<Url, SourceError> {
        let rendered = self.render(Place::Url, &self.at("url"), values)?;
        let mut url = Url::parse(&rendered).map_err(|_| {
            let remedy = "write a URL that begins with https:// into the credential";
            SourceError::NotAllowed(self.told("what `url` gives is no URL", None, remedy))
        })?;
        let (_, request) = self.spec()?;
        for name in request.query.keys() {
            let value = self.render(Place::Plain, &self.at(&format!("query.{name}")), values)?;
            if !value.is_empty() {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        Ok(url)
    }

    /// An address that no name may lead to is asked only where `hosts` lists it as it is, and not by a template.
    fn check_address(&self, url: &Url, index: usize) -> Result<(), SourceError> {
        let address: IpAddr = match url.host() {
            Some(url::Host::Ipv4(ip)) => ip.into(),
            Some(url::Host::Ipv6(ip)) => ip.into(),
            Some(url::Host::Domain(_)) | None => return Ok(()),
        };
        let listed = self.source.connector.hosts.get(index);
        match forbidden(address) {
            Some(why) if listed.is_none_or(|listed| listed.contains("{{")) => {
                let what = format!("{address} is {why}");
                let remedy = "write the right URL into the credential; if it is meant, list the address in the connector's `hosts`";
                Err(SourceError::NotAllowed(self.told(&what, None, remedy)))
            }
            _ => Ok(()),
        }
    }

    /// Only the connector's hosts, and no secret in the clear except on this machine.
    pub(super) fn check_host(&self, url: &Url) -> Result<(), SourceError> {
        let Some(host) = authority(url) else {
            let what = format!("requests go over https, not {}", url.scheme());
            return Err(SourceError::NotAllowed(self.told(
                &what,
                None,
                "correct the URL",
            )));
        };
        for index in 0..self.source.connector.hosts.len() {
            let allowed = self.render(
                Place::Plain,
                &format!("hosts.{index}"),
                &PageValues::default(),
            )?;
            if allowed.eq_ignore_ascii_case(&host) {
                let loopback = match url.host() {
                    Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
                    Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
                    Some(url::Host::Domain(name)) => name == "localhost",
                    None => false,
                };
                self.check_address(url, index)?;
                if url.scheme() == "http" && !loopback && !self.source.connector.plain_http {
                    let what = format!("{host} would be asked over plain http");
                    return Err(SourceError::NotAllowed(self.told(
                        &what,
                        None,
                        "write https:// into the credential, or `plain_http: true` into the connector if the network between is yours alone",
                    )));
                }
                return Ok(());
            }
        }
        let what = format!("{host} is not among the connector's hosts");
        Err(SourceError::NotAllowed(self.told(
            &what,
            None,
            "if it belongs to the PMS, add it to `hosts`",
        )))
    }
}
