//! A connector, compiled: what a reading needs of it, and what others may ask about it.

use std::collections::BTreeMap;

use crate::config::{
    Auth, Connector, Document, Feeds, File, Grant, KeyForm, Operation, Per, Proxy, Recorded, Span,
};
use crate::model::{Problem, exact};

use super::Path;
use super::answer::Rule;
use super::compile::Compile;
use super::decode::Shape;
use super::expires::Expires;
use super::page::Paging;
use super::template::Templates;

/// A connector, ready to be read through.
#[derive(Debug)]
pub struct Source {
    pub(super) connector: Connector,
    pub(super) templates: Templates,
    pub(super) requests: BTreeMap<String, Request>,
    /// What proves who asks, where a token has to be fetched.
    pub(super) tokens: Option<TokenAnswer>,
    /// Fields of integrations without which a template gives nothing, each with where that stands.
    pub(super) needs: Vec<(String, String)>,
    pub(super) warnings: Vec<Problem>,
}

/// What of a request could be compiled beforehand.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) shape: Shape,
    pub(super) id: Option<Path>,
    /// Where a record names its PMS property.
    pub(super) property: Option<Path>,
    pub(super) name: Option<Path>,
    pub(super) total: Option<Total>,
    pub(super) paging: Option<Paging>,
    pub(super) rules: Vec<Rule>,
    /// When an answer without a place for records means that there are none.
    pub(super) missing: Vec<Rule>,
    /// What it gives to later requests, by name.
    pub(super) gives: Vec<(String, Gives)>,
    /// When it is ready, where it is asked again until then.
    pub(super) until: Vec<Rule>,
    /// Where an answer tells until when the credential is taken.
    pub(super) expires: Option<Expires>,
}

impl Request {
    /// The rule at this place of the connector's file, as whoever wrote it knows it.
    pub(super) fn rule_named<'a>(&'a self, at: &'a str) -> &'a str {
        let mut rules = self.rules.iter().chain(&self.missing).chain(&self.until);
        let rule = rules.find(|rule| rule.at == at);
        rule.map_or(at, |rule| rule.named.as_str())
    }
}

/// What an answer gives to later requests.
#[derive(Debug)]
pub(super) enum Gives {
    Path(Path),
    Header(String),
    Newest { path: Path, by: Path },
}

/// Where the number of records in all stands.
#[derive(Debug)]
pub(super) enum Total {
    Path(Path),
    Header(String),
}

/// How a token is found, and what its answers mean.
#[derive(Debug)]
pub(super) struct TokenAnswer {
    pub(super) place: TokenAt,
    pub(super) rules: Vec<Rule>,
}

/// Where a token is.
#[derive(Debug)]
pub(super) enum TokenAt {
    Path(Path),
    Header(String),
    Cookie(String),
    Text,
}

impl Source {
    /// Compiles a connector, or tells everything that is wrong with its templates, paths and rules.
    pub fn compile(file: &File<Connector>) -> Result<Source, Vec<Problem>> {
        let document: &Document = &file.document;
        Compile::new(&file.value, document).all()
    }

    /// What of it may be meant, and most likely is not.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The same, through the daemon's `proxy` where the connector says nothing about one.
    #[must_use]
    pub fn through(mut self, proxy: Option<&Proxy>) -> Source {
        if self.connector.proxy.is_none() {
            self.connector.proxy = proxy.cloned();
        }
        self
    }

    /// Whether it logs in with a refresh token, in the place of which another may come each time (RFC 6749, 6).
    pub fn needs_refresh_token(&self) -> bool {
        let auth = self.connector.auth.as_ref();
        matches!(auth, Some(Auth::OAuth2(oauth2)) if oauth2.grant == Grant::RefreshToken)
    }

    /// Whether answers to a request tell until when the credential is taken.
    pub fn tells_expiry(&self, request: &str) -> bool {
        let request = self.requests.get(request);
        request.is_some_and(|request| request.expires.is_some())
    }

    /// Whether answers to any of its requests do.
    pub fn tells_any_expiry(&self) -> bool {
        let mut requests = self.requests.values();
        requests.any(|request| request.expires.is_some())
    }

    /// What its requests go through, where anything was said about it.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.connector.proxy.as_ref()
    }

    /// Whether its requests are signed after Standard Webhooks.
    pub(super) fn signs_webhooks(&self) -> bool {
        self.connector.sign.as_ref().is_some_and(|sign| {
            let header = sign.header.eq_ignore_ascii_case("webhook-signature");
            header && sign.key_is == KeyForm::Base64
        })
    }

    /// Whether a field of its credential is a secret of Standard Webhooks.
    pub fn signs_webhooks_with(&self, field: &str) -> bool {
        let sign = self.connector.sign.as_ref();
        let names = |template: &str| {
            let mut rests = template.split("credential.").skip(1);
            rests.any(|rest| {
                let rest = rest.strip_prefix(field);
                let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '_';
                rest.is_some_and(|rest| !rest.starts_with(goes_on))
            })
        };
        let mut templates = sign
            .into_iter()
            .flat_map(|sign| [Some(&sign.key), sign.previous.as_ref()]);
        self.signs_webhooks() && templates.any(|template| template.is_some_and(|text| names(text)))
    }

    /// The requests whose records are residents, `residents` itself first; none of a target.
    pub fn feeds(&self) -> impl Iterator<Item = &str> {
        let others = self
            .connector
            .requests
            .iter()
            .filter(|(name, request)| {
                *name != "residents" && request.feeds == Some(Feeds::Residents)
            })
            .map(|(name, _)| name.as_str());
        let first = (!self.is_target()).then_some("residents");
        first.into_iter().chain(others)
    }

    /// How many requests a run makes at least: one page of everything that gives residents, of each PMS property.
    pub fn least_requests(&self, properties: usize) -> u64 {
        let properties = u64::try_from(properties.max(1)).unwrap_or(u64::MAX);
        let each = self.feeds().map(|name| {
            let request = self.connector.request(name);
            match request.map(|request| request.per) {
                Some(Per::Once) => 1,
                _ => properties,
            }
        });
        each.sum()
    }

    /// Whether a request is asked once for all PMS properties, and its records say of which one each is.
    pub fn tells_properties(&self, request: &str) -> bool {
        let spec = self.connector.request(request);
        spec.is_some_and(|spec| spec.per == Per::Once && spec.property.is_some())
    }

    /// The request of residents that asks the same whatever PMS property it is asked for, where nothing says whose the
    /// records are: those of several properties would each come several times.
    pub fn asks_the_same(&self) -> Option<&str> {
        let everywhere = ["headers", "hosts", "auth", "sign"];
        if everywhere
            .iter()
            .any(|field| self.templates.are_of_property(field))
        {
            return None;
        }
        let is_of_property = |request: &str| {
            let field = Connector::place_of(request);
            self.templates.are_of_property(&field)
        };
        self.feeds().find(|name| {
            let Some(spec) = self.connector.request(name) else {
                return false;
            };
            let mut before = spec.after.iter().chain(&spec.each);
            spec.per == Per::Property
                && spec.property.is_none()
                && !is_of_property(name)
                && !before.any(|one| is_of_property(one))
        })
    }

    /// The request of the login, if the connector has one.
    pub(super) fn login(&self) -> Option<&str> {
        match &self.connector.auth {
            Some(Auth::Login(login)) => Some(&login.request),
            _ => None,
        }
    }

    /// The request that gives a token back, if the connector has one.
    pub(super) fn logout(&self) -> Option<&str> {
        match &self.connector.auth {
            Some(Auth::Login(login)) => login.logout.as_deref(),
            _ => None,
        }
    }

    /// The templates that give nothing where an integration sets only these fields, by where they stand, each with the
    /// field that it asks for. What `discover` alone asks is none of them.
    pub fn unset<'a>(
        &'a self,
        set: &'a BTreeMap<String, String>,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let needs = self.needs.iter();
        let needs = needs.filter(|(at, field)| {
            let is_for_discover = ["requests.properties.", "target.places."];
            !is_for_discover.iter().any(|place| at.starts_with(place)) && !set.contains_key(field)
        });
        needs.map(|(at, field)| (at.as_str(), field.as_str()))
    }

    /// Whether it is of a place that access is delivered to, and not of a PMS.
    pub fn is_target(&self) -> bool {
        self.connector.target.is_some()
    }

    /// What it is of, as errors call it.
    pub(super) fn whose(&self) -> &'static str {
        if self.is_target() { "target" } else { "PMS" }
    }

    /// Whether the target can be asked for this.
    pub fn can(&self, operation: Operation) -> bool {
        self.connector.request(operation.request()).is_some()
    }

    /// Whether taking a grant away names one of these fields of it.
    pub fn removes_by(&self, fields: &[String]) -> bool {
        let request = Operation::Remove.request();
        let steps = self.steps_before(request).iter().map(String::as_str);
        std::iter::once(request).chain(steps).any(|name| {
            let place = Connector::place_of(name);
            let mut named = self.templates.named_at(&place);
            named.any(|(_, name)| match name.strip_prefix("grant") {
                Some("") => true,
                Some(rest) => {
                    let field = rest.strip_prefix('.').unwrap_or_default();
                    let field = field.split('.').next().unwrap_or_default();
                    fields.iter().any(|one| one == field)
                }
                None => false,
            })
        })
    }

    /// Fields of a grant that are never compared with what is read back.
    pub fn write_only(&self) -> &[String] {
        let target = self.connector.target.as_ref();
        target.map_or(&[], |target| target.write_only.as_slice())
    }

    /// What whoever sets it up has to know or to see to elsewhere.
    pub fn notes(&self) -> &[String] {
        &self.connector.notes
    }

    /// What is asked of a target when somebody looks at it: everything that is there, what can be granted, or what tells of
    /// events.
    pub(super) fn looks(&self) -> impl Iterator<Item = &'static str> {
        let all = [Operation::List, Operation::Places, Operation::Send];
        let there = all.into_iter().filter(|operation| self.can(*operation));
        there.map(Operation::request)
    }

    /// Whether a request is asked for a grant or an event alone, or does something: nobody tries it.
    pub(super) fn is_only_asked_by_errands(&self, request: &str) -> bool {
        let operation = Operation::of_request(request);
        let is_of_login = [self.login(), self.logout()].contains(&Some(request));
        let does = |name: &str| self.writes(name) || self.is_about_something(name);
        self.is_target()
            && !is_of_login
            && (operation.is_some_and(|operation| operation.about().is_some())
                || does(request)
                || self.steps_before(request).iter().any(|step| does(step)))
    }

    /// Whether a request, or what comes before it, is asked otherwise for each grant or event.
    pub(super) fn is_about_something(&self, request: &str) -> bool {
        let place = Connector::place_of(self.first_of(request));
        let mut named = self.templates.named_at(&place);
        named.any(|(_, name)| {
            ["grant", "event"].contains(&name.split('.').next().unwrap_or_default())
        })
    }

    /// What an account must be allowed for a request, where the connector says it.
    pub fn right(&self, request: &str) -> Option<&str> {
        self.connector.request(request)?.right.as_deref()
    }

    /// Whether both are of the same connector.
    pub fn is_as(&self, other: &Source) -> bool {
        self.connector == other.connector
    }

    /// Whether both ask alike: in nothing that is sent, nor in what answers mean, is one other than the other. Scripts,
    /// notes and what is recorded are not looked at.
    pub fn asks_as(&self, other: &Source) -> bool {
        let asks = |source: &Source| Connector {
            version: 1,
            notes: Vec::new(),
            script: String::new(),
            record: Recorded::default(),
            proxy: None,
            ..source.connector.clone()
        };
        asks(self) == asks(other)
    }

    /// Whether a request names the integration's `fields`.
    pub fn asks_by_fields(&self) -> bool {
        format!("{:?}", self.connector).contains("fields.")
    }

    /// Whether tokens are given back.
    pub fn logs_out(&self) -> bool {
        self.logout().is_some()
    }

    /// What is asked first for a request: the first of what comes before it, or itself.
    pub(super) fn first_of<'a>(&'a self, request: &'a str) -> &'a str {
        let spec = self.connector.request(request);
        let first = spec.and_then(|spec| spec.after.first().or(spec.each.as_ref()));
        first.map_or(request, String::as_str)
    }

    /// Whether a request comes before others, and is read for nothing else.
    pub(super) fn comes_before(&self, name: &str) -> bool {
        let mut others = self.connector.all_requests();
        others.any(|(_, other)| {
            other.each.as_deref() == Some(name) || other.after.iter().any(|one| one == name)
        })
    }

    /// Whether what it answers has no records: it logs in or out, gives something to the requests behind it, or does
    /// something at a target.
    pub fn has_no_records(&self, name: &str) -> bool {
        let mut others = self.connector.all_requests();
        self.login() == Some(name)
            || self.logout() == Some(name)
            || Operation::of_request(name).is_some_and(Operation::acts)
            || others.any(|(_, other)| other.after.iter().any(|one| one == name))
    }

    /// The requests that are asked before one, in their order; before a step, those that stand before it.
    pub(super) fn steps_before(&self, name: &str) -> &[String] {
        let own = self.connector.request(name);
        let own = own.map_or(&[][..], |spec| spec.after.as_slice());
        if !own.is_empty() {
            return own;
        }
        let mut others = self.connector.all_requests();
        let of_other = others.find_map(|(_, other)| {
            let at = other.after.iter().position(|one| one == name)?;
            other.after.get(..at)
        });
        of_other.unwrap_or_default()
    }

    /// The requests that scripts look things up in, with how long an answer serves. `properties` is only
    /// for `discover`, and what tells of events has no script that looks anything up.
    pub fn lookups(&self) -> impl Iterator<Item = (&str, Span)> {
        self.connector
            .requests
            .iter()
            .filter(|(name, request)| {
                !matches!(name.as_str(), "residents" | "properties")
                    && request.feeds.is_none()
                    && self.login() != Some(name)
                    && self.logout() != Some(name)
                    && !self.comes_before(name)
                    && !self.can(Operation::Send)
            })
            .map(|(name, request)| {
                (
                    name.as_str(),
                    request.refresh.unwrap_or(Span::seconds(86_400)),
                )
            })
    }

    /// The script that maps the records, unless the integration names another.
    pub fn script(&self) -> &str {
        &self.connector.script
    }

    /// What a recording does with fields that it would judge otherwise.
    pub fn recorded(&self) -> &Recorded {
        &self.connector.record
    }

    /// The rule about answers to `request` at this place of the connector's file, as whoever wrote it knows it: its condition,
    /// and file and line.
    pub fn rule_named<'a>(&'a self, request: &str, at: &'a str) -> &'a str {
        let request = self.requests.get(request);
        request.map_or(at, |request| request.rule_named(at))
    }

    /// The path of the id inside a record of `request`.
    pub fn id_path(&self, request: &str) -> Option<String> {
        let id = self.requests.get(request)?.id.as_ref();
        id.map(ToString::to_string)
    }

    /// The path of the PMS property inside a record of `request`, where that is asked for all properties at once.
    pub fn property_path(&self, request: &str) -> Option<&Path> {
        let asked = self.requests.get(request)?;
        asked
            .property
            .as_ref()
            .filter(|_| self.tells_properties(request))
    }

    /// What the answers to `request` look like.
    pub fn shape(&self, request: &str) -> Option<&Shape> {
        self.requests.get(request).map(|request| &request.shape)
    }

    /// Whether the connector has such a request.
    pub fn has(&self, request: &str) -> bool {
        self.requests.contains_key(request)
    }

    /// Whether each PMS property has its own records of a request: it is asked for each, or its records say of which they are.
    pub fn has_own_of_each(&self, request: &str) -> bool {
        !self.is_asked_once(request) || self.tells_properties(request)
    }

    /// What a record of a lookup that is of a PMS property is found by: the property, empty where all properties have it, and
    /// the id.
    pub fn lookup_key<'p>(
        &self,
        request: &str,
        property: &'p str,
        json: &str,
    ) -> Option<(&'p str, String)> {
        let property = if self.has_own_of_each(request) {
            property
        } else {
            ""
        };
        Some((property, self.record_id(request, json)?))
    }

    /// What people call a record of `request`, as text.
    pub fn record_name(&self, request: &str, json: &str) -> Option<String> {
        let path = self.requests.get(request)?.name.as_ref()?;
        let record: serde_json::Value = serde_json::from_str(&exact(json)).ok()?;
        path.text(&record).map(std::borrow::Cow::into_owned)
    }

    /// The id inside a record of `request`, as text.
    pub fn record_id(&self, request: &str, json: &str) -> Option<String> {
        self.requests.get(request)?.id.as_ref()?.text_in(json)
    }
}
