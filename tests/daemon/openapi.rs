//! The document of the control socket tells the truth: every route is in it, everything in it is a route, and what a
//! daemon answers is what it declares.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{Answer, Daemon, Home, eventually, pms};
use boon::{Compiler, Schemas};
use epms::sandbox::Kind;
use reqwest::Method;
use serde_json::{Value, json};

/// The document, and what it says of answers.
struct Document {
    value: Value,
    schemas: Schemas,
    compiler: Compiler,
}

impl Document {
    async fn of(daemon: &Daemon) -> Document {
        let answer = daemon.get("/v1/openapi.json").await;
        assert_eq!(answer.status, 200);
        let value = answer.json();
        let mut compiler = Compiler::new();
        compiler.add_resource("api.json", value.clone()).unwrap();
        Document {
            value,
            schemas: Schemas::new(),
            compiler,
        }
    }

    /// Every method and path.
    fn operations(&self) -> Vec<(String, String)> {
        let paths = self.value["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap();
            methods.keys().map(|method| (method.clone(), path.clone()))
        });
        operations.collect()
    }

    /// Holds an answer against what is declared for it.
    fn judge(&mut self, method: &str, path: &str, answer: &Answer) {
        let escaped = path.replace('~', "~0").replace('/', "~1");
        let responses = &self.value["paths"][path][method]["responses"];
        let status = answer.status.to_string();
        let status = if responses.get(&status).is_some() {
            status
        } else {
            assert!(answer.status >= 400, "{method} {path}: {answer:?}");
            "default".to_owned()
        };
        let contents = responses[&status]["content"].as_object().unwrap();
        let content = contents.get(&answer.kind);
        let content = content.unwrap_or_else(|| panic!("{method} {path}: {answer:?}"));
        let kind = answer.kind.replace('/', "~1");
        let at = format!("api.json#/paths/{escaped}/{method}/responses/{status}/content/{kind}");
        let (at, values): (String, Vec<Value>) = if content.get("x-line").is_some() {
            let lines = answer.body.lines();
            let lines = lines.map(|line| serde_json::from_str(line).unwrap());
            (format!("{at}/x-line"), lines.collect())
        } else if content.get("x-data").is_some() {
            let lines = answer.body.lines();
            let data = lines.filter_map(|line| line.strip_prefix("data:"));
            let data = data.map(|data| serde_json::from_str(data).unwrap());
            (format!("{at}/x-data"), data.collect())
        } else if [
            "text/",
            "application/octet-stream",
            "application/openmetrics-text",
        ]
        .iter()
        .any(|text| answer.kind.starts_with(text))
        {
            (format!("{at}/schema"), vec![json!(answer.body)])
        } else {
            (format!("{at}/schema"), vec![answer.json()])
        };
        assert!(!values.is_empty(), "{method} {path}: {answer:?}");
        let index = self.compiler.compile(&at, &mut self.schemas).unwrap();
        for value in values {
            let judged = self.schemas.validate(&value, index);
            assert!(
                judged.is_ok(),
                "{method} {path}: {:#}\n{value:#}",
                judged.unwrap_err()
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_daemon_answers_is_what_the_document_declares() {
    let pms = pms(Kind::Yardi, 7, 60).await;
    let home = Home::new();
    home.set("notify: [{ runs: [failed], to: { exec: [\"true\"] } }]");
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let run = daemon.sync("elm").await.id;
    let resident = daemon.client.run(run).await.unwrap().decisions[0]
        .subject
        .clone();
    let alert = daemon.alerts().await[0].id;
    let mut document = Document::of(&daemon).await;
    let mut done = BTreeSet::new();
    for (method, path) in document.operations() {
        let id = match path.split('/').nth(2).unwrap_or_default() {
            "integrations" => "elm".to_owned(),
            "runs" => run.to_string(),
            "people" => "p1".to_owned(),
            "acts" => "x1".to_owned(),
            _ => alert.to_string(),
        };
        let filled = path.replace("{id}", &id).replace("{resident}", &resident);
        let filled = filled.replace("{target}", "elm-door");
        let body = match path.rsplit('/').next().unwrap() {
            "people" => {
                json!({ "first_name": "Ana", "last_name": "Ortiz", "email": "ana@example.com" })
                    .to_string()
            }
            "import" => "first_name,last_name,email\nBo,Lee,bo@example.com\n".to_owned(),
            "lock" | "unlock" => json!({ "fields": ["phone"] }).to_string(),
            "link" | "unlink" => json!({ "integration": "elm", "resident": resident }).to_string(),
            "set" => json!({ "phone": "+14155550100", "lock": true }).to_string(),
            "resolve" => json!({ "how": "merge" }).to_string(),
            "diff" => json!({
                "integration": home.read("config/integrations/elm.yaml"),
                "scripts": { "yardi": "fn residents(record, ctx) { [] }" },
            })
            .to_string(),
            "comment" => json!({ "text": "the office was asked" }).to_string(),
            "assign" => json!({ "to": "Ada Quill" }).to_string(),
            "dismiss" => json!({ "kind": "unmapped_unit" }).to_string(),
            _ => String::new(),
        };
        let sent = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let answer = daemon.send(sent, &filled, &body).await;
        document.judge(&method, &path, &answer);
        if answer.status < 300 {
            done.insert(format!("{method} {path}"));
        }
    }
    let not_done: Vec<String> = document
        .operations()
        .into_iter()
        .map(|(method, path)| format!("{method} {path}"))
        .filter(|operation| !done.contains(operation))
        .collect();
    // What must not be done to the same things after one another.
    let may_be_refused = [
        "approve", "reject", "resolve", "undo", "link", "unlink", "end", "rename", "retire",
        "erase",
    ];
    // This home has no target.
    let is_of_a_target =
        |operation: &str| operation.contains("{target}") || operation == "get /v1/targets/{id}";
    for operation in not_done {
        if is_of_a_target(&operation) {
            continue;
        }
        let last = operation.rsplit('/').next().unwrap();
        assert!(may_be_refused.contains(&last), "{operation} was not done");
    }
    // Whoever is current is not erased; who lives nowhere is.
    let body = json!({ "first_name": "Ida", "last_name": "Elm", "email": "ida@example.com" });
    let body = body.to_string();
    let made = daemon.send(Method::POST, "/v1/people", &body).await;
    assert_eq!(made.status, 200, "{made:?}");
    let ida = daemon.person_with("ida@example.com").await.unwrap().id;
    let erase = format!("/v1/people/{ida}/erase");
    let answer = daemon
        .send(Method::POST, &erase, r#"{"reason":"asked"}"#)
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    document.judge("post", "/v1/people/{id}/erase", &answer);
    let answer = daemon.post("/v1/integrations/elm/sync?wait=false").await;
    assert_eq!(answer.status, 202);
    document.judge("post", "/v1/integrations/{id}/sync", &answer);
    // An integration as a whole: its file has another name, its people go along, are given back, given again, and left.
    home.edit(
        "config/integrations/elm.yaml",
        "enabled: true",
        "enabled: false",
    );
    let text = home.read("config/integrations/elm.yaml");
    home.remove("config/integrations/elm.yaml");
    home.write("config/integrations/oak.yaml", text);
    eventually("the people went along", async || {
        let status = daemon.client.status().await.unwrap();
        let mut all = status.integrations.iter();
        all.any(|one| one.id.as_str() == "oak" && one.took_over.is_some())
    })
    .await;
    let to = json!({ "to": "oak" }).to_string();
    for (of, act, body) in [
        ("oak", "undo", ""),
        ("elm", "rename", to.as_str()),
        ("oak", "retire", ""),
    ] {
        let path = format!("/v1/integrations/{of}/{act}");
        let answer = daemon.send(Method::POST, &path, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        document.judge("post", &format!("/v1/integrations/{{id}}/{act}"), &answer);
    }
    let answer = daemon.get("/v1/people/p999999").await;
    assert_eq!(answer.status, 404);
    document.judge("get", "/v1/people/{id}", &answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_in_the_document_and_everything_in_it_is_a_route() {
    let home = Home::new();
    let daemon = Daemon::start(&home).await;
    let document = Document::of(&daemon).await;
    assert_eq!(document.value["openapi"], "3.1.0");
    let operations = document.operations();
    assert!(operations.len() > 30, "{operations:?}");
    // There is one place where routes are made, and it makes those of the table.
    let server = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/control");
    let mut made = Vec::new();
    let mut folders = vec![server];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let routes = [".route(", ".merge(", ".nest(", ".route_service("];
            made.extend(
                routes
                    .iter()
                    .flat_map(|way| text.matches(way))
                    .map(|_| path.clone()),
            );
        }
    }
    // Besides the table: signing in and out, the way to a provider of identities and back, hooks, and what puts them beside it.
    let beside = made.iter().filter(|path| path.ends_with("server.rs"));
    assert_eq!(beside.count(), 9, "{made:?}");
    assert_eq!(made.len(), 10, "{made:?}");
    let mut ids = BTreeSet::new();
    for (method, path) in &operations {
        let operation = &document.value["paths"][path][method];
        assert!(ids.insert(operation["operationId"].as_str().unwrap()));
        assert!(!operation["summary"].as_str().unwrap().is_empty());
        let named = path.matches('{').count();
        let parameters = operation["parameters"].as_array().unwrap();
        let in_path = parameters.iter().filter(|one| one["in"] == "path");
        assert_eq!(in_path.count(), named, "{path}");
        for parameter in parameters.iter().filter(|one| one["in"] == "query") {
            assert!(parameter["description"].is_string(), "{path}: {parameter}");
        }
        // A method that is not in the document is refused on the same path, and only there.
        let others = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
        for other in others {
            let name = other.as_str().to_lowercase();
            let known = operations.contains(&(name, path.clone()));
            if !known {
                let answer = daemon.ask(other, &path.replace(['{', '}'], "")).await;
                assert_eq!(answer.status, 405, "{path}");
            }
        }
    }
    let text = document.value.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let reference = reference.split('"').next().unwrap();
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.value.pointer(pointer).is_some(), "{reference}");
    }
}

/// Every name that a request may carry: in its query, or in its body. A name that comes to be is looked at here first:
/// none may name a file, a URL or a script.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_names_a_file_a_url_or_a_script() {
    let home = Home::new();
    let daemon = Daemon::start(&home).await;
    let document = Document::of(&daemon).await;
    let mut names = BTreeSet::new();
    for (method, path) in document.operations() {
        let operation = &document.value["paths"][&path][&method];
        for parameter in operation["parameters"].as_array().unwrap() {
            names.insert(parameter["name"].as_str().unwrap().to_owned());
        }
        let contents = operation["requestBody"]["content"].as_object();
        for (kind, content) in contents.into_iter().flatten() {
            match kind.as_str() {
                "application/json" => gather(&document.value, &content["schema"], &mut names),
                // Columns of people, read by names of fields.
                "text/csv" => {}
                other => panic!("{path} takes {other}"),
            }
        }
    }
    let known = [
        "after",
        // What stands in files that are tried: they are texts, and none is looked up anywhere.
        "connector",
        "cursor",
        "defaults",
        "digest",
        "digests",
        "dry_run",
        "email",
        "fields",
        "first_name",
        "follow",
        "force",
        "heartbeat",
        "how",
        "id",
        "integration",
        "into",
        "kind",
        "last_name",
        "lease_end",
        "lease_start",
        "limit",
        "live",
        "lock",
        "move_in",
        "move_out",
        "name",
        "person",
        "phone",
        "property",
        "q",
        "reason",
        "sort",
        "name",
        "updated_since",
        "excluded",
        "alert",
        "outcome",
        "target_state",
        "resident",
        // Texts as well, by the names under which they import each other.
        "scripts",
        "seconds",
        "seen",
        "state",
        "status",
        "tail",
        "target",
        "text",
        "to",
        "unit",
        "wait",
    ];
    let unknown: Vec<&String> = names
        .iter()
        .filter(|name| !known.contains(&name.as_str()))
        .collect();
    assert!(
        unknown.is_empty(),
        "look at what these name, and add them here: {unknown:?}"
    );
    assert!(names.len() > 15, "{names:?}");
    // What nobody asked for is refused, not ignored.
    for (path, body) in [
        ("/v1/reload?path=/etc/passwd", ""),
        (
            "/v1/people",
            r#"{"first_name":"Ana","last_name":"Ortiz","file":"/etc/passwd"}"#,
        ),
        (
            "/v1/people/import?dry_run=true&url=http://127.0.0.1/",
            "first_name,last_name\n",
        ),
    ] {
        let answer = daemon.send(Method::POST, path, body).await;
        if path.starts_with("/v1/reload") {
            // It has no query: what stands there reaches nothing.
            assert_eq!(answer.json()["integrations"], json!([]));
        } else {
            assert_eq!(answer.problem().status, 400, "{path}");
        }
    }
}

/// The names of members in a schema and in those that it refers to.
fn gather(document: &Value, schema: &Value, names: &mut BTreeSet<String>) {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = document.pointer(reference.strip_prefix('#').unwrap());
        return gather(document, target.unwrap(), names);
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        names.insert(name.clone());
        gather(document, member, names);
    }
    for ways in ["oneOf", "anyOf", "allOf"] {
        for way in schema[ways].as_array().into_iter().flatten() {
            gather(document, way, names);
        }
    }
    if schema["items"].is_object() {
        gather(document, &schema["items"], names);
    }
}
