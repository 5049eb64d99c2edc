//! `GET /v1/openapi.json`: the socket described as OpenAPI 3.1, from the table of routes and the types of the
//! protocol. Nothing in it is written by hand but a sentence for each route.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::control::protocol::ProblemDocument;
use crate::model::Tier;

/// What is said of a route.
#[derive(Clone)]
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    /// What a caller must have to be let through.
    pub(super) tier: Tier,
    pub(super) query: Option<Made>,
    pub(super) body: Option<Content>,
    pub(super) answers: Vec<(u16, Content)>,
}

/// Makes the schema of a type.
pub(super) type Made = fn(&mut SchemaGenerator) -> Schema;

pub(super) fn made<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// What a body is.
#[derive(Clone, Copy)]
pub(super) enum Content {
    Json(Made),
    /// A JSON value, which may be left out.
    JsonOrNothing(Made),
    /// One JSON value on each line.
    Lines(Made),
    /// Server-sent events, each with a JSON value as its data.
    Events(Made),
    Text,
    /// OpenMetrics text.
    Metrics,
    Csv,
    /// A file as it is.
    Bytes,
    /// This document.
    Document,
}

/// The document of these operations.
pub(super) fn document(operations: &[Operation]) -> Value {
    let settings = || {
        SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
    };
    let mut told = settings().for_deserialize().into_generator();
    let mut given = settings().for_serialize().into_generator();
    let problem = made::<ProblemDocument>(&mut given);
    let problem = json!({
        "description": "why it was not done (RFC 9457)",
        "content": { "application/problem+json": { "schema": problem } },
    });
    let mut paths = Map::new();
    for operation in operations {
        let mut answers = Map::new();
        for (status, content) in &operation.answers {
            let meaning = match status {
                202 => "asked for, and not waited for",
                _ => "done",
            };
            let answer = json!({ "description": meaning, "content": content.value(&mut given) });
            answers.insert(status.to_string(), answer);
        }
        answers.insert("default".into(), problem.clone());
        let mut value = json!({
            "operationId": operation.id(),
            "summary": operation.summary,
            "description": format!("For callers who may `{}` (`socket.tiers`); others get 403.", operation.tier),
            "x-tier": operation.tier,
            "parameters": operation.parameters(&mut told),
            "responses": answers,
        });
        if let Some(body) = operation.body {
            let required = !matches!(body, Content::JsonOrNothing(_));
            let content = body.value(&mut told);
            value["requestBody"] = json!({ "required": required, "content": content });
        }
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = value;
    }
    let mut schemas = given.take_definitions(true);
    schemas.extend(told.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "epms",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "The control socket of the daemon: HTTP over a Unix socket.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{
            "url": "http://epms",
            "description": "any host name does: curl --unix-socket state/epms.sock http://epms/v1/status",
        }],
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

impl Operation {
    /// Such as `get_runs_id_progress`.
    fn id(&self) -> String {
        let parts = self
            .path
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|part| !part.is_empty() && *part != "v1" && *part != "json");
        std::iter::once(self.method)
            .chain(parts)
            .collect::<Vec<_>>()
            .join("_")
    }

    fn parameters(&self, told: &mut SchemaGenerator) -> Vec<Value> {
        let names = self
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let mut all: Vec<Value> = names
            .map(|name| {
                json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
            })
            .collect();
        let Some(query) = self.query else {
            return all;
        };
        // The members of a query are parameters of their own; its type has no other use.
        let mut schema = query(told).to_value();
        if let Some(name) = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| reference.rsplit('/').next())
        {
            let name = name.to_owned();
            schema = told.definitions_mut().remove(&name).unwrap_or_default();
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            let mut member = member.clone();
            let description = member
                .as_object_mut()
                .and_then(|members| members.shift_remove("description"));
            all.push(json!({
                "name": name,
                "in": "query",
                "description": description,
                "schema": member,
            }));
        }
        all
    }
}

impl Content {
    fn value(self, generator: &mut SchemaGenerator) -> Value {
        let text = |kind: &str, what: &str| json!({ kind: { "schema": { "type": "string", "description": what } } });
        match self {
            Content::Json(made) | Content::JsonOrNothing(made) => {
                json!({ "application/json": { "schema": made(generator) } })
            }
            Content::Document => json!({ "application/json": { "schema": { "type": "object" } } }),
            Content::Text => text("text/plain; charset=utf-8", "a line"),
            Content::Metrics => text(super::health::OPENMETRICS, "OpenMetrics 1.0"),
            Content::Csv => text("text/csv", "a header row, then one row for each person"),
            Content::Bytes => text("application/octet-stream", "a file as it is"),
            Content::Lines(made) => {
                let item = made(generator);
                let mut value = text("application/x-ndjson", "one JSON value on each line");
                value["application/x-ndjson"]["x-line"] = item.to_value();
                value
            }
            Content::Events(made) => {
                let item = made(generator);
                let mut value = text("text/event-stream", "the data of each event is JSON");
                value["text/event-stream"]["x-data"] = item.to_value();
                value
            }
        }
    }
}
