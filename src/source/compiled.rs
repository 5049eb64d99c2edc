//! A connector, compiled: templates, paths and rules, with everything that is wrong with them.

use std::collections::BTreeMap;

use crate::config::{AnswerRule, Auth, Body, Connector, Document, File, Page, Span};
use crate::model::Problem;

use super::Path;
use super::answer::Rule;
use super::page::Paging;
use super::template::{Place, Templates};

/// A connector, ready to be read through.
#[derive(Debug)]
pub struct Source {
    pub(super) connector: Connector,
    pub(super) templates: Templates,
    pub(super) requests: BTreeMap<String, Request>,
}

/// What of a request could be compiled beforehand.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) records: Path,
    pub(super) id: Option<Path>,
    pub(super) name: Option<Path>,
    pub(super) total: Option<Path>,
    pub(super) paging: Option<Paging>,
    pub(super) rules: Vec<Rule>,
}

struct Compile<'a> {
    document: &'a Document,
    templates: Templates,
    credential_fields: Vec<&'a str>,
    problems: Vec<Problem>,
}

impl Compile<'_> {
    fn template(&mut self, place: Place, field: &str, text: &str) {
        if let Err(message) = self
            .templates
            .add(place, field, text, &self.credential_fields)
        {
            self.problems.push(self.document.problem(field, message));
        }
    }

    fn path(&mut self, field: &str, text: &str) -> Path {
        Path::parse(text).unwrap_or_else(|message| {
            self.problems.push(self.document.problem(field, message));
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
                    self.problems.push(self.document.problem(
                        &format!("{field}.{index}"),
                        "matches every answer; add `status`, `path`, `absent` or `text`",
                    ));
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

impl Source {
    /// Compiles a connector, or tells everything that is wrong with its templates, paths and rules.
    pub fn compile(file: &File<Connector>) -> Result<Source, Vec<Problem>> {
        let connector = &file.value;
        let mut compile = Compile {
            document: &file.document,
            templates: Templates::new(),
            credential_fields: connector
                .credential_fields
                .keys()
                .map(String::as_str)
                .collect(),
            problems: Vec::new(),
        };
        for (index, host) in connector.hosts.iter().enumerate() {
            compile.template(Place::Plain, &format!("hosts.{index}"), host);
        }
        match &connector.auth {
            Some(Auth::Basic { username, password }) => {
                compile.template(Place::Plain, "auth.basic.username", username);
                compile.template(Place::Plain, "auth.basic.password", password);
            }
            Some(Auth::Bearer { token }) => {
                compile.template(Place::Header, "auth.bearer.token", token);
            }
            None => {}
        }
        for (name, value) in &connector.headers {
            compile.template(Place::Header, &format!("headers.{name}"), value);
        }
        let shared = compile.rules("errors", &connector.errors);
        let mut requests = BTreeMap::new();
        for (name, request) in &connector.requests {
            let at = |field: &str| format!("requests.{name}.{field}");
            compile.template(Place::Url, &at("url"), &request.url);
            for (key, value) in &request.query {
                compile.template(Place::Plain, &at(&format!("query.{key}")), value);
            }
            for (key, value) in &request.headers {
                compile.template(Place::Header, &at(&format!("headers.{key}")), value);
            }
            match &request.body {
                Some(Body::Form(members)) => {
                    for (key, value) in members {
                        compile.template(Place::Plain, &at(&format!("body.form.{key}")), value);
                    }
                }
                Some(Body::Json(value)) => compile.leaves(&at("body.json"), value),
                Some(Body::Xml(text)) => compile.template(Place::Xml, &at("body.xml"), text),
                Some(Body::Soap(soap)) => {
                    compile.template(Place::Header, &at("body.soap.action"), &soap.action);
                    compile.template(Place::Xml, &at("body.soap.xml"), &soap.xml);
                }
                None => {}
            }
            let records = compile.path(&at("records"), &request.records);
            if let Some(message) = records.not_for_records() {
                compile
                    .problems
                    .push(file.document.problem(&at("records"), message));
            }
            let id = request
                .id
                .as_deref()
                .map(|path| compile.path(&at("id"), path));
            let name_path = request
                .name
                .as_deref()
                .map(|path| compile.path(&at("name"), path));
            let total = request
                .total
                .as_deref()
                .map(|path| compile.path(&at("total"), path));
            let paging = request.page.as_ref().map(|page| {
                let path = match page {
                    Page::Next(path) => compile.path(&at("page.next"), path),
                    Page::Cursor(path) => compile.path(&at("page.cursor"), path),
                    Page::Offset(counted) | Page::Number(counted) => {
                        if counted.size == 0 {
                            compile.problems.push(
                                file.document
                                    .problem(&at("page"), "`size` is 0; write 1 or more"),
                            );
                        }
                        Path::default()
                    }
                };
                Paging {
                    page: page.clone(),
                    path,
                }
            });
            let mut rules = compile.rules(&at("errors"), &request.errors);
            rules.extend(shared.iter().cloned());
            if name != "residents" && id.is_none() {
                compile.problems.push(file.document.problem(
                    &format!("requests.{name}"),
                    "has no `id`; add the path of the key by which its records are looked up",
                ));
            }
            requests.insert(
                name.clone(),
                Request {
                    records,
                    id,
                    name: name_path,
                    total,
                    paging,
                    rules,
                },
            );
        }
        if compile.problems.is_empty() {
            Ok(Source {
                connector: connector.clone(),
                templates: compile.templates,
                requests,
            })
        } else {
            Err(compile.problems)
        }
    }

    /// The requests that scripts look things up in, with how long an answer serves. `properties` is only
    /// for `discover`.
    pub fn lookups(&self) -> impl Iterator<Item = (&str, Span)> {
        self.connector
            .requests
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "residents" | "properties"))
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

    /// Whether the connector has such a request.
    pub fn has(&self, request: &str) -> bool {
        self.requests.contains_key(request)
    }

    /// What people call a record of `request`, as text.
    pub fn record_name(&self, request: &str, json: &str) -> Option<String> {
        let path = self.requests.get(request)?.name.as_ref()?;
        let record: serde_json::Value = serde_json::from_str(json).ok()?;
        path.text(&record).map(std::borrow::Cow::into_owned)
    }

    /// The id inside a record of `request`, as text.
    pub fn record_id(&self, request: &str, json: &str) -> Option<String> {
        let path = self.requests.get(request)?.id.as_ref()?;
        let record: serde_json::Value = serde_json::from_str(json).ok()?;
        path.text(&record).map(std::borrow::Cow::into_owned)
    }
}
