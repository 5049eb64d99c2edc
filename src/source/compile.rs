//! From a connector's file to a [`Source`], with everything that is wrong with its templates, paths, headers
//! and rules.

use std::collections::BTreeMap;

use crate::config::{
    self, AnswerRule, Auth, Body, Connector, Document, Format, Login, OAuth2, Page, Verdict,
    nearest,
};
use crate::model::Problem;

use super::answer::Rule;
use super::compiled::{Request, Source, TokenAnswer, Total};
use super::decode::Shape;
use super::page::Paging;
use super::template::{Place, Templates, Uses};
use super::{Path, authority};

/// A connector on the way to a [`Source`].
pub(super) struct Compile<'a> {
    connector: &'a Connector,
    document: &'a Document,
    templates: Templates,
    credential_fields: Vec<&'a str>,
    problems: Vec<Problem>,
    /// What the templates at hand may use.
    uses: Uses,
}

impl<'a> Compile<'a> {
    pub(super) fn new(connector: &'a Connector, document: &'a Document) -> Compile<'a> {
        Compile {
            connector,
            document,
            templates: Templates::new(),
            credential_fields: connector
                .credential_fields
                .keys()
                .map(String::as_str)
                .collect(),
            problems: Vec::new(),
            uses: Uses::All,
        }
    }

    /// Everything, or all that is wrong.
    pub(super) fn all(mut self) -> Result<Source, Vec<Problem>> {
        let connector = self.connector;
        for (index, host) in connector.hosts.iter().enumerate() {
            self.template(Place::Plain, &format!("hosts.{index}"), host);
        }
        self.limits();
        let tokens = self.auth();
        self.headers("headers", &connector.headers);
        let shared = self.rules("errors", &connector.errors);
        let mut requests = BTreeMap::new();
        for (name, request) in &connector.requests {
            let compiled = self.request(name, request, &shared);
            requests.insert(name.clone(), compiled);
        }
        if self.problems.is_empty() {
            Ok(Source {
                connector: connector.clone(),
                templates: self.templates,
                requests,
                tokens,
            })
        } else {
            Err(self.problems)
        }
    }

    fn problem(&mut self, field: &str, message: impl Into<String>) {
        self.problems.push(self.document.problem(field, message));
    }

    fn header_name(&mut self, field: &str, name: &str) {
        if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
            self.problem(
                field,
                format!("`{name}` is no name of a header; write one such as X-Total-Count"),
            );
        }
    }

    fn headers(&mut self, field: &str, headers: &BTreeMap<String, String>) {
        for (name, value) in headers {
            let field = format!("{field}.{name}");
            self.header_name(&field, name);
            self.template(Place::Header, &field, value);
        }
    }

    fn limits(&mut self) {
        let limits = &self.connector.limits;
        for (field, header) in [
            ("limits.remaining", &limits.remaining),
            ("limits.reset", &limits.reset),
        ] {
            if let Some(header) = header {
                self.header_name(field, header);
            }
        }
        if limits.remaining.is_some() && limits.reset.is_none() {
            self.problem(
                "limits.remaining",
                "does not say how long to wait; add `reset`, the header that does",
            );
        }
    }

    fn auth(&mut self) -> Option<TokenAnswer> {
        self.uses = Uses::Credential;
        let tokens = match &self.connector.auth {
            Some(Auth::Basic { username, password }) => {
                self.uses = Uses::All;
                self.template(Place::Plain, "auth.basic.username", username);
                self.template(Place::Plain, "auth.basic.password", password);
                None
            }
            Some(Auth::Bearer { token }) => {
                self.uses = Uses::All;
                self.template(Place::Header, "auth.bearer.token", token);
                None
            }
            Some(Auth::Login(login)) => Some(self.login(login)),
            Some(Auth::OAuth2(oauth2)) => Some(self.oauth2(oauth2)),
            None => None,
        };
        self.uses = Uses::All;
        tokens
    }

    fn login(&mut self, login: &Login) -> TokenAnswer {
        let field = "auth.login.request";
        match self.connector.requests.get(&login.request) {
            None => {
                let names: Vec<&str> = self.connector.requests.keys().map(String::as_str).collect();
                let near = nearest(&login.request, &names).map_or_else(
                    || "add it to `requests`".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                let message = format!("there is no request `{}`; {near}", login.request);
                self.problem(field, message);
            }
            Some(request)
                if matches!(login.request.as_str(), "residents" | "properties")
                    || request.feeds.is_some() =>
            {
                let message = format!(
                    "`{}` reads records; name the request that logs in",
                    login.request
                );
                self.problem(field, message);
            }
            Some(request) if request.format == Format::Csv => {
                self.problem(
                    field,
                    "answers with CSV, which has no token; it must be JSON, XML or SOAP",
                );
            }
            Some(_) => {}
        }
        self.header_name("auth.login.header", &login.header);
        self.uses = Uses::Token;
        self.template(Place::Header, "auth.login.value", &login.value);
        self.uses = Uses::Credential;
        if !login.value.contains("token") {
            self.problem(
                "auth.login.value",
                "does not carry the token; write {{ token }} where it stands",
            );
        }
        TokenAnswer {
            path: self.path("auth.login.token", &login.token),
            rules: Vec::new(),
        }
    }

    fn oauth2(&mut self, oauth2: &OAuth2) -> TokenAnswer {
        self.template(Place::Url, "auth.oauth2.token_url", &oauth2.token_url);
        self.template(Place::Plain, "auth.oauth2.client_id", &oauth2.client_id);
        self.template(
            Place::Plain,
            "auth.oauth2.client_secret",
            &oauth2.client_secret,
        );
        for (name, text) in [("scope", &oauth2.scope), ("audience", &oauth2.audience)] {
            if let Some(text) = text {
                self.template(Place::Plain, &format!("auth.oauth2.{name}"), text);
            }
        }
        // What templates give is only known with a credential; then it is refused when it is asked.
        let host = url::Url::parse(&oauth2.token_url)
            .ok()
            .and_then(|url| authority(&url));
        let hosts = &self.connector.hosts;
        if let Some(host) = host
            && !oauth2.token_url.contains("{{")
            && hosts.iter().all(|allowed| !allowed.contains("{{"))
            && !hosts
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(&host))
        {
            let message = format!("{host} is not among the connector's hosts; add it to `hosts`");
            self.problem("auth.oauth2.token_url", message);
        }
        let refusals = ["invalid_client", "unauthorized_client", "invalid_grant"];
        TokenAnswer {
            path: self.path("auth.oauth2", "access_token"),
            rules: refusals
                .map(|text| Rule {
                    path: Path::parse("error").ok(),
                    absent: None,
                    spec: AnswerRule {
                        status: None,
                        path: Some("error".into()),
                        absent: None,
                        text: Some(text.into()),
                        is: Verdict::LoginFailed,
                        hint: None,
                    },
                })
                .into(),
        }
    }

    fn request(&mut self, name: &str, request: &config::Request, shared: &[Rule]) -> Request {
        let at = |field: &str| format!("requests.{name}.{field}");
        let is_login = match &self.connector.auth {
            Some(Auth::Login(login)) => login.request == name,
            _ => false,
        };
        if is_login {
            self.uses = Uses::Credential;
        }
        self.template(Place::Url, &at("url"), &request.url);
        for (key, value) in &request.query {
            self.template(Place::Plain, &at(&format!("query.{key}")), value);
        }
        self.headers(&at("headers"), &request.headers);
        if let Some(body) = &request.body {
            self.body(&at("body"), body);
        }
        self.uses = Uses::All;
        let id = request.id.as_deref().map(|path| self.path(&at("id"), path));
        let total = match &request.total {
            Some(config::Total::Path(path)) => Some(Total::Path(self.path(&at("total"), path))),
            Some(config::Total::Header(name)) => {
                self.header_name(&at("total.header"), name);
                Some(Total::Header(name.clone()))
            }
            None => None,
        };
        let mut rules = self.rules(&at("errors"), &request.errors);
        rules.extend(shared.iter().cloned());
        if is_login {
            if request.page.is_some() {
                self.problem(&at("page"), "a login has one answer; remove it");
            }
        } else if name != "residents" && request.feeds.is_none() && id.is_none() {
            self.problem(
                &format!("requests.{name}"),
                "has no `id`; add the path of the key by which its records are looked up",
            );
        }
        if name == "properties" && request.feeds.is_some() {
            self.problem(
                &at("feeds"),
                "`properties` is for `discover`; give the request another name",
            );
        }
        let label = request
            .name
            .as_deref()
            .map(|path| self.path(&at("name"), path));
        Request {
            shape: self.shape(name, request),
            id,
            name: label,
            total,
            paging: request
                .page
                .as_ref()
                .map(|page| self.paging(&at("page"), page)),
            rules,
        }
    }

    fn shape(&mut self, name: &str, request: &config::Request) -> Shape {
        let at = |field: &str| format!("requests.{name}.{field}");
        let records = self.path(&at("records"), &request.records);
        if let Some(message) = records.not_for_records() {
            self.problem(&at("records"), message);
        }
        let inner = request.inner.as_ref().map(|inner| {
            let path = self.path(&at("inner.path"), &inner.path);
            if path.segments().is_empty() || !path.is_names() {
                self.problem(
                    &at("inner.path"),
                    "does not lead to one text; write the names down to it",
                );
            }
            if request.format == Format::Csv {
                self.problem(&at("inner"), "a text inside CSV has no path; remove it");
            }
            (inner.format, path)
        });
        let is_csv = inner.as_ref().map_or(request.format, |(format, _)| *format) == Format::Csv;
        if is_csv && !request.records.is_empty() {
            self.problem(&at("records"), "the rows of CSV have no path; remove it");
        }
        let is_resident = name == "residents" || request.feeds.is_some();
        if is_csv && is_resident && request.id.is_none() {
            self.problem(
                &format!("requests.{name}"),
                "has no `id`; name the column of the id, which tells CSV from a page with an error",
            );
        }
        let delimiter = match request.delimiter {
            Some(_) if !is_csv => {
                self.problem(&at("delimiter"), "is only for `format: csv`; remove it");
                b','
            }
            Some(delimiter) => u8::try_from(delimiter)
                .ok()
                .filter(|byte| byte.is_ascii() && !b"\"\r\n".contains(byte))
                .unwrap_or_else(|| {
                    self.problem(
                        &at("delimiter"),
                        "cannot separate columns; write one such as \";\"",
                    );
                    b','
                }),
            None => b',',
        };
        Shape {
            format: request.format,
            records,
            inner,
            delimiter,
        }
    }

    fn paging(&mut self, field: &str, page: &Page) -> Paging {
        let path = match page {
            Page::Next(next) => {
                // The place of a short form is that of the key itself.
                let path = self.path(&format!("{field}.next.path"), &next.path);
                self.force(&format!("{field}.next.force"), &next.force);
                path
            }
            Page::Link(link) => {
                if link.rel.trim().is_empty() {
                    self.problem(&format!("{field}.link"), "is empty; write `next`");
                }
                self.force(&format!("{field}.link.force"), &link.force);
                Path::default()
            }
            Page::Cursor(path) => self.path(&format!("{field}.cursor"), path),
            Page::Offset(counted) | Page::Number(counted) => {
                if counted.size == 0 {
                    self.problem(field, "`size` is 0; write 1 or more");
                }
                Path::default()
            }
        };
        Paging {
            page: page.clone(),
            path,
        }
    }

    fn force(&mut self, field: &str, force: &BTreeMap<String, String>) {
        for (name, value) in force {
            self.template(Place::Plain, &format!("{field}.{name}"), value);
        }
    }

    fn body(&mut self, field: &str, body: &Body) {
        match body {
            Body::Form(members) => {
                for (key, value) in members {
                    self.template(Place::Plain, &format!("{field}.form.{key}"), value);
                }
            }
            Body::Json(value) => self.leaves(&format!("{field}.json"), value),
            Body::Xml(text) => self.template(Place::Xml, &format!("{field}.xml"), text),
            Body::Soap(soap) => {
                self.template(Place::Header, &format!("{field}.soap.action"), &soap.action);
                self.template(Place::Xml, &format!("{field}.soap.xml"), &soap.xml);
            }
        }
    }

    fn template(&mut self, place: Place, field: &str, text: &str) {
        if let Err(message) =
            self.templates
                .add(place, field, text, &self.credential_fields, self.uses)
        {
            self.problem(field, message);
        }
    }

    fn path(&mut self, field: &str, text: &str) -> Path {
        Path::parse(text).unwrap_or_else(|message| {
            self.problem(field, message);
            Path::default()
        })
    }

    fn rules(&mut self, field: &str, rules: &[AnswerRule]) -> Vec<Rule> {
        rules
            .iter()
            .enumerate()
            .map(|(index, rule)| {
                if rule.status.is_none()
                    && rule.path.is_none()
                    && rule.absent.is_none()
                    && rule.text.is_none()
                {
                    self.problem(
                        &format!("{field}.{index}"),
                        "matches every answer; add `status`, `path`, `absent` or `text`",
                    );
                }
                let mut path = |key: &str, path: &Option<String>| {
                    path.as_deref()
                        .map(|path| self.path(&format!("{field}.{index}.{key}"), path))
                };
                Rule {
                    path: path("path", &rule.path),
                    absent: path("absent", &rule.absent),
                    spec: rule.clone(),
                }
            })
            .collect()
    }

    /// The text leaves of a JSON body, by their dotted place.
    fn leaves(&mut self, field: &str, value: &serde_json::Value) {
        match value {
            serde_json::Value::String(text) => self.template(Place::Plain, field, text),
            serde_json::Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.leaves(&format!("{field}.{index}"), item);
                }
            }
            serde_json::Value::Object(members) => {
                for (name, item) in members {
                    self.leaves(&format!("{field}.{name}"), item);
                }
            }
            _ => {}
        }
    }
}
