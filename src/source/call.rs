//! One request of a connector for one PMS property: its templates rendered, its hosts checked, its errors
//! told. Sends nothing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::config::{self, Auth, Connector, Method};
use crate::outbound::{
    Account, Exchange, Host, Permitted, Prepared, Token, Told, authority, signed, standard_key,
};

use super::SourceError;
use super::compiled::Source;
use super::known::Known;
use super::leaf::Leaf;
use super::reader::Scope;
use super::template::{About, Before, PageValues, Place, Signing, Unrendered, Values};

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
    /// What came before it.
    pub(super) before: Before<'a>,
    /// That all records count, and not those of attached PMS properties alone.
    pub(super) takes_all: bool,
    /// The grant or the event that it is about.
    pub(super) about: Option<About<'a>>,
}

/// What the beginning of a URL's template comes from, such as `credential`; none where it is written out.
fn host_of(template: &str) -> Option<&str> {
    let name = template.trim_start().strip_prefix("{{")?.trim_start();
    name.split(|c: char| !c.is_alphanumeric()).next()
}

/// What of a request is asked for, as errors name it.
pub(super) fn subject(property: &str) -> String {
    if property.is_empty() {
        return String::new();
    }
    format!("PMS property `{property}`")
}

impl<'a> Call<'a> {
    /// Before anything came of it.
    pub(super) fn of(
        source: &'a Source,
        account: &'a Account,
        scope: &'a Scope,
        request: &'a str,
        property: &'a str,
    ) -> Call<'a> {
        Call {
            source,
            account,
            request,
            property,
            scope,
            known: None,
            before: Before::default(),
            takes_all: false,
            about: None,
        }
    }

    /// For the token of the credential, whatever it is asked for.
    pub(super) fn for_token(
        source: &'a Source,
        account: &'a Account,
        scope: &'a Scope,
    ) -> Call<'a> {
        Call::of(source, account, scope, "residents", "")
    }
}

impl Call<'_> {
    pub(super) fn at(&self, field: &str) -> String {
        format!("{}.{field}", Connector::place_of(self.request))
    }

    pub(super) fn spec(&self) -> Result<(&Connector, &config::Request), SourceError> {
        let connector = &self.source.connector;
        match connector.request(self.request) {
            Some(request) => Ok((connector, request)),
            None => Err(SourceError::NotAllowed(self.told(
                "the connector has no such request",
                None,
                "add it",
            ))),
        }
    }

    /// What of the request is asked for, as errors name it.
    fn subject(&self) -> String {
        subject(self.property)
    }

    /// The way out for it.
    pub(super) fn exchange(&self) -> Exchange<'_> {
        let connector = &self.source.connector;
        Exchange {
            account: self.account,
            request: self.request,
            subject: self.subject(),
            timeout: connector.timeout,
            retry: connector.retry,
            limits: &connector.limits,
            is_of_the_moment: self.source.templates.are_of_the_moment(),
        }
    }

    /// An error's text, without secrets; of what the PMS said nothing is quoted where it repeats one.
    pub(super) fn told(&self, what: &str, said: Option<&str>, remedy: &str) -> Told {
        self.exchange().told(what, said, remedy)
    }

    /// A text of the PMS, or why it is not told.
    pub(super) fn quoted<'t>(&self, said: &'t str) -> &'t str {
        self.exchange().quoted(said)
    }

    fn rendered(
        &self,
        place: Place,
        field: &str,
        page: &PageValues,
        token: &str,
        signing: &Signing<'_>,
    ) -> Result<String, SourceError> {
        let rendered = self.filled(place, field, page, token, signing)?;
        // A body and a URL hold a secret as it is, which is found in them; a value may be made of one.
        let is_value = matches!(place, Place::Plain | Place::Header);
        let templates = &self.source.templates;
        if is_value && self.account.is_secret(templates.shows(place, field)) {
            self.account.shows(&rendered);
        }
        Ok(rendered)
    }

    /// Whether a template uses a value that is not there.
    fn is_unset(&self, place: Place, field: &str, page: &PageValues) -> bool {
        let signing = Signing::default();
        let values = self.values(page, "", &signing);
        let rendered = self.source.templates.render(place, field, &values);
        rendered.is_err_and(|error| error.is_unset)
    }

    fn values<'v>(
        &'v self,
        page: &'v PageValues,
        token: &'v str,
        signing: &'v Signing<'v>,
    ) -> Values<'v> {
        Values {
            credential: &self.account.values,
            fields: &self.scope.fields,
            property: self.property,
            today: self.scope.today,
            page,
            token: self.before.token.unwrap_or(token),
            signing,
            before: self.before,
            about: self.about,
        }
    }

    /// What a template gives.
    fn filled(
        &self,
        place: Place,
        field: &str,
        page: &PageValues,
        token: &str,
        signing: &Signing<'_>,
    ) -> Result<String, SourceError> {
        let values = self.values(page, token, signing);
        let rendered = self.source.templates.render(place, field, &values);
        rendered.map_err(|Unrendered { what, is_unset, .. }| {
            if self.is_about_it(field) {
                let remedy = if is_unset {
                    "nothing was sent; let the script give it, or write `| optional` behind it where it may be left out"
                } else {
                    "nothing was sent; see what the script gives there"
                };
                return SourceError::Unexpected(self.told(&what, None, remedy));
            }
            // The connector is right as far as it is known: the list is not what it says.
            if is_unset && self.before.record.is_some() {
                let remedy = "nothing was written; see what a record of the list of `each` has, and correct the template or the path";
                return SourceError::Unexpected(self.told(&what, None, remedy));
            }
            let remedy = "correct the connector or the credential";
            SourceError::NotAllowed(self.told(&what, None, remedy))
        })
    }

    /// Whether a template names the grant or the event at hand, so that what it gives is a matter of that alone.
    fn is_about_it(&self, field: &str) -> bool {
        let mut named = self.source.templates.named_at(field);
        self.about
            .is_some_and(|about| named.any(|(at, name)| at == field && about.is_named_by(name)))
    }

    /// What is not allowed for a value of the grant or the event at hand is a matter of that alone.
    fn blamed(&self, field: &str, error: SourceError) -> SourceError {
        match error {
            SourceError::NotAllowed(told) if self.is_about_it(field) => {
                SourceError::Unexpected(told)
            }
            error => error,
        }
    }

    /// What a template gives that may be left out; none where its value is not set.
    pub(super) fn render_optional(
        &self,
        place: Place,
        field: &str,
        template: &str,
        page: &PageValues,
    ) -> Result<Option<String>, SourceError> {
        if Leaf::of(template).is_optional && self.is_unset(place, field, page) {
            return Ok(None);
        }
        self.render(place, field, page).map(Some)
    }

    pub(super) fn render(
        &self,
        place: Place,
        field: &str,
        page: &PageValues,
    ) -> Result<String, SourceError> {
        self.rendered(place, field, page, "", &Signing::default())
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
                    let field = format!("{place}.{name}");
                    let value = self.render(Place::Header, &field, values)?;
                    let value = self.header(&value);
                    let value = value.map_err(|error| self.blamed(&field, error))?;
                    headers.insert(self.header_name(name)?, value);
                }
            }
            self.prove(&mut headers, values, token)?;
            if let Some(spec) = &request.body {
                body = Some(self.body(spec, values, &mut headers)?);
            }
            self.sign(request.method, url, values, &mut headers, body.as_deref())?;
        }
        Ok(Prepared {
            method: request.method,
            url: self.permitted(url)?,
            headers,
            body,
            repeatable: request.method == Method::Get || request.reads,
            redirects: self.redirects(),
        })
    }

    /// The statuses of answers that lead elsewhere, and of which a rule says what they mean.
    fn redirects(&self) -> Vec<u16> {
        let request = self.source.requests.get(self.request);
        let rules = request.map_or(&[][..], |request| &request.rules);
        let named = rules.iter().filter_map(|rule| rule.spec.status.as_ref());
        let named: Vec<_> = named.collect();
        let is_named = |status: &u16| named.iter().any(|one| one.contains(*status));
        (300..400).filter(is_named).collect()
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
                let value = self.rendered(
                    Place::Header,
                    "auth.login.value",
                    values,
                    token,
                    &Signing::default(),
                )?;
                headers.insert(self.header_name(login.header())?, self.header(&value)?);
            }
            (Some(Auth::OAuth2(_)), Some(token)) => {
                let value = format!("Bearer {}", token.secret.expose());
                headers.insert(AUTHORIZATION, self.header(&value)?);
            }
            (Some(Auth::Login(_) | Auth::OAuth2(_)) | None, _) => {}
        }
        Ok(())
    }

    /// Adds the header that signs the request, its other headers apart.
    fn sign(
        &self,
        method: Method,
        url: &Url,
        values: &PageValues,
        headers: &mut HeaderMap,
        body: Option<&str>,
    ) -> Result<(), SourceError> {
        let Some(sign) = &self.source.connector.sign else {
            return Ok(());
        };
        let of_request = Signing {
            method: method.name(),
            path: url.path(),
            query: url.query().unwrap_or_default(),
            body: body.unwrap_or_default(),
            signature: "",
        };
        let render = |place, field, signing| self.rendered(place, field, values, "", signing);
        // No value of a header: it is not told, and need not be looked for in what is.
        let text = self.filled(Place::Plain, "sign.text", values, "", &of_request)?;
        let mut keys = vec![render(Place::Plain, "sign.key", &of_request)?];
        if sign.previous.is_some() {
            let previous = render(Place::Plain, "sign.previous", &of_request)?;
            keys.extend(Some(previous).filter(|key| !key.trim().is_empty()));
        }
        let mut value = String::new();
        for key in keys {
            if self.source.signs_webhooks() {
                standard_key(&key).map_err(|what| {
                    let told = format!("the secret {what}");
                    SourceError::NotAllowed(self.told(&told, None, "correct the credential"))
                })?;
            }
            let signature = signed(&key, sign.key_is, &text, sign.encoding).map_err(|what| {
                let remedy = "correct the credential, or `sign` of the connector";
                SourceError::NotAllowed(self.told(what, None, remedy))
            })?;
            let of_key = Signing {
                signature: &signature,
                ..of_request
            };
            if !value.is_empty() {
                value.push(' ');
            }
            value += &self.rendered(Place::Header, "sign.value", values, "", &of_key)?;
        }
        headers.insert(self.header_name(&sign.header)?, self.header(&value)?);
        Ok(())
    }

    pub(super) fn url(&self, values: &PageValues) -> Result<Url, SourceError> {
        let field = self.at("url");
        let rendered = self.render(Place::Url, &field, values)?;
        let (_, request) = self.spec()?;
        let mut url = Url::parse(&rendered).map_err(|_| {
            let remedy = match host_of(&request.url) {
                Some("given") => {
                    "where the answer before gave a path, write {{ credential.url }}{{ given.NAME | path }} into `url`"
                }
                Some("record") => {
                    "where a record of the list has a path, write {{ credential.url }}{{ record.NAME | path }} into `url`"
                }
                Some(_) if request.url.contains("given.") => {
                    "write a URL that begins with https:// into the credential; where an answer gave a path, write {{ credential.url }}{{ given.NAME | path }}"
                }
                _ => "write a URL that begins with https:// into the credential",
            };
            let told = self.told("what `url` gives is no URL", None, remedy);
            self.blamed(&field, SourceError::NotAllowed(told))
        })?;
        for (name, template) in &request.query {
            let field = self.at(&format!("query.{name}"));
            let value = self.render_optional(Place::Plain, &field, template, values)?;
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        for (name, listed) in &request.query_lists {
            for (index, template) in listed.iter().enumerate() {
                let field = self.at(&format!("query_lists.{name}.{index}"));
                let value = self.render_optional(Place::Plain, &field, template, values)?;
                if let Some(value) = value {
                    url.query_pairs_mut().append_pair(name, &value);
                }
            }
        }
        Ok(url)
    }

    /// Only the connector's hosts, and no secret in the clear except on this machine.
    pub(super) fn permitted(&self, url: &Url) -> Result<Permitted, SourceError> {
        let connector = &self.source.connector;
        let hosts = connector.hosts.iter().enumerate().map(|(index, listed)| {
            let field = format!("hosts.{index}");
            let name = self.render(Place::Plain, &field, &PageValues::default())?;
            let is_written_out = !listed.contains("{{");
            Ok(Host {
                name,
                is_written_out,
            })
        });
        let permitted = self.exchange().permit(url, hosts, connector.plain_http);
        permitted.map_err(|error| self.blamed(&self.at("url"), error))
    }
}
