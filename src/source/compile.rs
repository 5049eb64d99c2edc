//! From a connector's file to a [`Source`], with everything that is wrong with its templates, paths, headers
//! and rules.

mod expires;
mod headers;
mod hosts;
mod kinds;
mod nobody;
mod operations;
mod request;
mod rules;
mod unset;

use std::collections::BTreeMap;

use crate::config::{
    AnswerRule, Auth, Connector, Document, Format, Grant, Limits, Login, OAuth2, Request,
    TokenPlace, Verdict, nearest,
};
use crate::model::{Code, Problem};
use crate::outbound::authority;

use super::Path;
use super::answer::Rule;
use super::compiled::{Source, TokenAnswer, TokenAt};
use super::template::{Doubts, Place, Templates, Uses, in_one_brace};

use rules::Form;

/// What rules may look at in the answers to a request.
fn form(request: &Request) -> Form {
    match (&request.inner, request.format) {
        // The text that the rows stand in has paths around it.
        (None, Format::Csv) => Form::Rows,
        (_, Format::Soap) => Form::Soap,
        _ => Form::Named,
    }
}

/// A connector on the way to a [`Source`].
pub(super) struct Compile<'a> {
    connector: &'a Connector,
    document: &'a Document,
    templates: Templates,
    doubts: Doubts,
    /// Fields of integrations without which a template gives nothing, each with where that stands.
    needs: Vec<(String, String)>,
    credential_fields: Vec<&'a str>,
    problems: Vec<Problem>,
    /// What may be meant, in files of version 1.
    warnings: Vec<Problem>,
    /// What the templates at hand may use.
    uses: Uses,
    /// What they may use beside that, as it came before the request at hand.
    before: Vec<String>,
}

impl<'a> Compile<'a> {
    pub(super) fn new(connector: &'a Connector, document: &'a Document) -> Compile<'a> {
        Compile {
            connector,
            document,
            templates: if connector.target.is_some() {
                Templates::of_target()
            } else {
                Templates::new()
            },
            doubts: Doubts::new(),
            needs: Vec::new(),
            credential_fields: connector
                .credential_fields
                .keys()
                .map(String::as_str)
                .collect(),
            problems: Vec::new(),
            warnings: Vec::new(),
            uses: Uses::All,
            before: Vec::new(),
        }
    }

    /// Everything, or all that is wrong.
    pub(super) fn all(mut self) -> Result<Source, Vec<Problem>> {
        let connector = self.connector;
        self.uses = self.all_uses();
        for (index, host) in connector.hosts.iter().enumerate() {
            self.template(Place::Plain, &format!("hosts.{index}"), host);
        }
        self.limits();
        let tokens = self.auth();
        self.sign();
        self.headers("headers", &connector.headers);
        let mut requests = connector.all_requests();
        let form = if requests.all(|(_, request)| form(request) == Form::Rows) {
            Form::Rows
        } else {
            Form::Named
        };
        let shared = self.rules("errors", &connector.errors, form);
        let mut requests = BTreeMap::new();
        for (name, request) in connector.all_requests() {
            let compiled = self.request(name, request, &shared);
            requests.insert(name.to_owned(), compiled);
        }
        self.hosts();
        self.never_set();
        self.of_no_use();
        self.asked_in_vain();
        self.replaced();
        if self.problems.is_empty() {
            Ok(Source {
                connector: connector.clone(),
                templates: self.templates,
                requests,
                tokens,
                needs: self.needs,
                warnings: self.warnings,
            })
        } else {
            Err(self.problems)
        }
    }

    fn problem(&mut self, field: &str, message: impl Into<String>) {
        self.problems.push(self.document.problem(field, message));
    }

    /// What may be meant, and what version 2 of the file does not take.
    fn warn(&mut self, field: &str, message: impl Into<String>, code: Code) {
        let problem = self.document.problem(field, message).coded(code);
        if self.connector.is_strict() {
            self.problems.push(problem.as_error());
        } else {
            self.warnings.push(problem);
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
        for key in limits.zeros() {
            self.warn(&format!("limits.{key}"), Limits::ZERO, Code::Budget);
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
                self.uses = self.all_uses();
                self.template(Place::Plain, "auth.basic.username", username);
                self.template(Place::Plain, "auth.basic.password", password);
                None
            }
            Some(Auth::Bearer { token }) => {
                self.uses = self.all_uses();
                self.template(Place::Header, "auth.bearer.token", token);
                None
            }
            Some(Auth::Login(login)) => Some(self.login(login)),
            Some(Auth::OAuth2(oauth2)) => Some(self.oauth2(oauth2)),
            None => None,
        };
        self.uses = self.all_uses();
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
            Some(request)
                if request.format == Format::Csv && matches!(login.token, TokenPlace::Path(_)) =>
            {
                self.problem(
                    field,
                    "answers with CSV, which has no token; it must be JSON, XML or SOAP",
                );
            }
            Some(_) => {}
        }
        if let Some(logout) = &login.logout {
            self.logout(login, logout);
        }
        for (key, lasts) in [("idle", login.idle), ("lifetime", login.lifetime)] {
            if lasts.is_some_and(|lasts| lasts.0.is_zero()) {
                let message = "is 0, so that each request logs in anew; write how long a token serves, or remove it";
                self.warn(&format!("auth.login.{key}"), message, Code::Budget);
            }
        }
        self.header_name("auth.login.header", login.header());
        let value = login.value();
        self.uses = Uses::Token;
        self.template(Place::Header, "auth.login.value", &value);
        self.uses = Uses::Credential;
        if !value.contains("token") {
            self.problem(
                "auth.login.value",
                "does not carry the token; write {{ token }} where it stands",
            );
        }
        TokenAnswer {
            place: self.token_place(&login.token),
            rules: Vec::new(),
        }
    }

    /// The request that gives a token back does nothing else.
    fn logout(&mut self, login: &Login, name: &str) {
        let field = "auth.login.logout";
        let requests = &self.connector.requests;
        let Some(request) = requests.get(name) else {
            let names: Vec<&str> = requests.keys().map(String::as_str).collect();
            let near = nearest(name, &names).map_or_else(
                || "add it to `requests`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("there is no request `{name}`; {near}");
            return self.problem(field, message);
        };
        let is_asked_for_more = name == login.request
            || matches!(name, "residents" | "properties")
            || request.feeds.is_some()
            || request.each.is_some()
            || !request.after.is_empty()
            || self.connector.all_requests().any(|(_, other)| {
                other.each.as_deref() == Some(name) || other.after.iter().any(|one| one == name)
            });
        if is_asked_for_more {
            let message = format!(
                "`{name}` is asked for something else too; name a request that gives the token back and does nothing else"
            );
            self.problem(field, message);
        }
    }

    fn token_place(&mut self, place: &TokenPlace) -> TokenAt {
        match place {
            TokenPlace::Path(path) => TokenAt::Path(self.path("auth.login.token", path)),
            TokenPlace::Header(name) => {
                self.header_name("auth.login.token.header", name);
                TokenAt::Header(name.clone())
            }
            TokenPlace::Cookie(name) => TokenAt::Cookie(name.clone()),
            TokenPlace::Text => TokenAt::Text,
        }
    }

    fn sign(&mut self) {
        let Some(sign) = &self.connector.sign else {
            return;
        };
        self.header_name("sign.header", &sign.header);
        self.uses = Uses::Signed;
        self.template(Place::Plain, "sign.key", &sign.key);
        if let Some(previous) = &sign.previous {
            self.template(Place::Plain, "sign.previous", previous);
        }
        let target = self.connector.target.as_ref();
        if target.is_some_and(|target| target.send.is_some()) {
            self.before = vec!["event.".to_owned()];
        }
        self.template(Place::Plain, "sign.text", &sign.text);
        self.before.clear();
        self.uses = Uses::Signature;
        self.template(Place::Header, "sign.value", &sign.value);
        self.uses = self.all_uses();
        if !sign.value.contains("signature") {
            self.problem(
                "sign.value",
                "does not carry the signature; write {{ signature }} where it stands",
            );
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
        let wanted: &[&str] = match oauth2.grant {
            Grant::ClientCredentials => &[],
            Grant::Password => &["username", "password"],
            Grant::RefreshToken => &["refresh_token"],
        };
        for (name, text) in [
            ("username", &oauth2.username),
            ("password", &oauth2.password),
            ("refresh_token", &oauth2.refresh_token),
        ] {
            let field = format!("auth.oauth2.{name}");
            match text {
                Some(text) if wanted.contains(&name) => self.template(Place::Plain, &field, text),
                Some(_) => self.problem(&field, "is not for this `grant`; remove it"),
                None if wanted.contains(&name) => {
                    let message = format!("has no `{name}`, which its `grant` asks with; add it");
                    self.problem("auth.oauth2", message);
                }
                None => {}
            }
        }
        if oauth2.grant == Grant::ClientCredentials && oauth2.client_secret.is_empty() {
            let message = "has no `client_secret`, which its `grant` asks with; add it";
            self.problem("auth.oauth2", message);
        }
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
            place: TokenAt::Path(self.path("auth.oauth2", "access_token")),
            rules: refusals
                .map(|text| Rule {
                    at: "auth.oauth2".into(),
                    named: "auth.oauth2".into(),
                    path: Path::parse("error").ok(),
                    absent: None,
                    spec: AnswerRule {
                        status: None,
                        header: None,
                        path: Some("error".into()),
                        absent: None,
                        text: Some(text.into()),
                        equals: None,
                        is: Verdict::LoginFailed,
                        hint: None,
                    },
                })
                .into(),
        }
    }

    fn template(&mut self, place: Place, field: &str, text: &str) {
        if let Err(message) = self.templates.add(
            place,
            field,
            text,
            &self.credential_fields,
            self.uses,
            &self.before,
        ) {
            self.problems
                .push(self.document.problem(field, message).coded(Code::Template));
        } else if let Some(message) = self.doubts.of(text) {
            self.warn(field, message, Code::Filter);
        }
        self.left_out(field, text);
        if let Some(name) = in_one_brace(text, field.contains(".body.")) {
            let message = format!("`{{{name}}}` is sent as it is written; write {{{{ {name} }}}}");
            self.warn(field, message, Code::UnsetValue);
        }
        let named = self.templates.named_at(field);
        let fields = named.filter_map(|(at, name)| Some((at, name.strip_prefix("fields.")?)));
        let needed = fields.filter(|(at, name)| *at == field && self.doubts.needs(text, name));
        let needed = needed.map(|(at, name)| (at.to_owned(), name.to_owned()));
        self.needs.extend(needed);
    }

    fn path(&mut self, field: &str, text: &str) -> Path {
        Path::parse(text).unwrap_or_else(|message| {
            self.problem(field, message);
            Path::default()
        })
    }
}
