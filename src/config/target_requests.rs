//! `config/connectors/*.yaml`: what is asked of a target, in place of the residents of a PMS. The language only; `source`
//! speaks it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::request::Request;
use super::{Connector, Document};
use crate::model::{Code, Problem};

/// What is asked of a target: a place that access is delivered to. Each is a whole request. Templates of `find`, `create`,
/// `change` and `remove`, and of what they name in `after`, have `{{ grant.NAME }}`, where NAME is a field that the script's
/// `wanted` gives, `{{ grant.key }}`, and `{{ grant.id }}`, which is the target's id where it is known; those of `send` have
/// `{{ event.NAME }}`. There is no PMS property: `{{ fields.NAME }}` is of the target's file.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TargetRequests {
    /// Reads back everything that is there; complete or nothing, as residents are read.
    pub list: Option<Request>,
    /// Looks for what is there of one grant: an answer that is `empty` or `gone` says that there is nothing.
    pub find: Option<Request>,
    /// Grants. It is sent once, and not again where it may have been done. Where it has `gives: { id: PATH }`, what is there
    /// is the target's id of the grant.
    pub create: Option<Request>,
    /// Makes a grant another. Without it a changed grant is a new one, and the old one is removed.
    pub change: Option<Request>,
    /// Takes a grant away.
    pub remove: Option<Request>,
    /// What can be granted there, with `id` and `name` as `properties` has them: `epms discover` lists it.
    pub places: Option<Request>,
    /// Tells of an event, for a target that reads the rest itself; it stands alone.
    pub send: Option<Request>,
    /// Fields of a grant that are never compared with what is read back, as the target does not tell them.
    pub write_only: Vec<String>,
}

/// What is asked of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Everything that is there.
    List,
    /// What is there of one grant.
    Find,
    /// Grants.
    Create,
    /// Makes a grant another.
    Change,
    /// Takes a grant away.
    Remove,
    /// What can be granted.
    Places,
    /// Tells of an event.
    Send,
}

impl Operation {
    /// All of them, as they stand in a file.
    pub const ALL: [Operation; 7] = [
        Operation::List,
        Operation::Find,
        Operation::Create,
        Operation::Change,
        Operation::Remove,
        Operation::Places,
        Operation::Send,
    ];

    /// Its request, as errors, reports and commands name it, and where it stands in the connector's file.
    pub fn request(self) -> &'static str {
        match self {
            Operation::List => "target.list",
            Operation::Find => "target.find",
            Operation::Create => "target.create",
            Operation::Change => "target.change",
            Operation::Remove => "target.remove",
            Operation::Places => "target.places",
            Operation::Send => "target.send",
        }
    }

    /// The operation whose request has this name.
    pub fn of_request(name: &str) -> Option<Operation> {
        let mut all = Operation::ALL.into_iter();
        all.find(|operation| operation.request() == name)
    }

    /// Whether it does something there; the others look.
    pub fn acts(self) -> bool {
        match self {
            Operation::Create | Operation::Change | Operation::Remove | Operation::Send => true,
            Operation::List | Operation::Find | Operation::Places => false,
        }
    }

    /// What it is about, as templates name it; none where it is about nothing in particular.
    pub fn about(self) -> Option<&'static str> {
        match self {
            Operation::Find | Operation::Create | Operation::Change | Operation::Remove => {
                Some("grant")
            }
            Operation::Send => Some("event"),
            Operation::List | Operation::Places => None,
        }
    }
}

impl TargetRequests {
    /// The request of an operation.
    pub fn request(&self, operation: Operation) -> Option<&Request> {
        let request = match operation {
            Operation::List => &self.list,
            Operation::Find => &self.find,
            Operation::Create => &self.create,
            Operation::Change => &self.change,
            Operation::Remove => &self.remove,
            Operation::Places => &self.places,
            Operation::Send => &self.send,
        };
        request.as_ref()
    }
}

/// What begins the name of an operation's request, which is none of `requests`.
const PREFIX: &str = "target.";

impl Connector {
    /// The request of this name: one of `requests`, or that of an operation, such as `target.create`.
    pub fn request(&self, name: &str) -> Option<&Request> {
        match (&self.target, Operation::of_request(name)) {
            (Some(target), Some(operation)) => target.request(operation),
            _ => self.requests.get(name),
        }
    }

    /// All requests with their names, those of operations behind the others.
    pub fn all_requests(&self) -> impl Iterator<Item = (&str, &Request)> {
        let requests = self.requests.iter();
        let requests = requests.map(|(name, request)| (name.as_str(), request));
        let operations = self.target.iter().flat_map(|target| {
            let all = Operation::ALL.into_iter();
            all.filter_map(|one| Some((one.request(), target.request(one)?)))
        });
        requests.chain(operations)
    }

    /// Where the request of this name stands in the file.
    pub fn place_of(name: &str) -> String {
        match Operation::of_request(name) {
            Some(_) => name.to_owned(),
            None => format!("requests.{name}"),
        }
    }

    /// The operations that name a request in `after` or `each`.
    pub fn operations_behind(&self, name: &str) -> impl Iterator<Item = Operation> {
        let target = self.target.iter();
        target.flat_map(move |target| {
            let all = Operation::ALL.into_iter();
            all.filter(move |operation| {
                let request = target.request(*operation);
                request.is_some_and(|request| {
                    request
                        .after
                        .iter()
                        .chain(&request.each)
                        .any(|one| one == name)
                })
            })
        })
    }
}

/// What is wrong with what a connector reads: residents of a PMS, or a target, and not both.
pub(super) fn check(connector: &Connector, document: &Document) -> Vec<Problem> {
    let mut problems = Vec::new();
    let named = connector.requests.keys();
    for name in named.filter(|name| name.starts_with(PREFIX)) {
        let message = "is the name of an operation of a target, which stands in `target`; give the request another name";
        problems.push(document.problem(&format!("requests.{name}"), message));
    }
    let Some(target) = &connector.target else {
        if !connector.requests.contains_key("residents") {
            let message = "there is no `residents`; add the request that reads them, or `target` where this is a place that access is delivered to";
            problems.push(document.problem("requests", message));
        }
        return problems;
    };
    let feeds = |name: &str, request: &Request| name == "residents" || request.feeds.is_some();
    if let Some((name, _)) = (connector.requests.iter()).find(|(name, one)| feeds(name, one)) {
        let message = "gives residents, and `target` is a place that access is delivered to: one connector is one of the two; remove it, or write the target's connector into a file of its own";
        let problem = document.problem(&format!("requests.{name}"), message);
        problems.push(problem.coded(Code::Conflict));
    }
    if target.send.is_some() {
        let mut others = Operation::ALL.into_iter().filter(|operation| {
            *operation != Operation::Send && target.request(*operation).is_some()
        });
        if let Some(other) = others.next() {
            let message = "stands alone: a target is told of events, or its grants are compared with what is there; remove one of them";
            let problem = document.problem(Operation::Send.request(), message);
            problems.push(problem.coded(Code::Conflict));
            problems.push(
                document
                    .problem(
                        other.request(),
                        "does not go with `send`; remove one of them",
                    )
                    .coded(Code::Conflict),
            );
        }
    } else {
        for (key, request, does) in [
            ("list", &target.list, "reads everything back that is there"),
            ("create", &target.create, "grants"),
            ("remove", &target.remove, "takes a grant away"),
        ] {
            if request.is_none() {
                let message = format!("there is no `{key}`; add the request that {does}");
                let problem = document.problem("target", message);
                problems.push(problem.coded(Code::MissingField));
            }
        }
    }
    problems.extend(write_only(target, document));
    problems
}

/// What is wrong with the fields that are never compared.
fn write_only(target: &TargetRequests, document: &Document) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, name) in target.write_only.iter().enumerate() {
        let before = target.write_only.iter().take(index);
        let message = match name.as_str() {
            "" => "is empty; write the name of a field of a grant",
            "key" | "id" => "tells one grant from another, and is always compared; remove it",
            name if before.into_iter().any(|other| other == name) => {
                "stands here twice; remove one of them"
            }
            _ if target.send.is_some() => {
                "is of no use here: nothing is compared where events are sent; remove it"
            }
            _ => continue,
        };
        problems.push(document.problem(&format!("target.write_only.{index}"), message));
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const HEAD: &str =
        "version: 2\nscript: a.rhai\ncredential_fields: { url: plain }\nhosts: [h]\n";

    /// What is wrong, one a line.
    fn told(yaml: &str) -> String {
        let text = format!("{HEAD}{yaml}");
        let document = Document::parse(Path::new("a.yaml"), &text).unwrap();
        let problems = match document.read::<Connector>() {
            Ok(connector) => check(&connector, &document),
            Err(problems) => problems,
        };
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        told.join("\n")
    }

    const ALL: &str = "target:
  list: { url: u, format: json }
  create: { method: POST, url: u, format: json }
  remove: { method: DELETE, url: u, format: json }
";

    #[test]
    fn a_target_needs_no_residents_and_no_requests() {
        assert_eq!(told(ALL), "");
        assert_eq!(told("target: { send: { url: u, format: json } }\n"), "");
        let login = "requests: { login: { url: u, format: json } }\n";
        assert_eq!(told(&format!("{ALL}{login}")), "");
    }

    #[test]
    fn what_a_connector_is_that_has_neither_is_told() {
        for yaml in ["", "requests: { units: { url: u, format: json } }\n"] {
            let told = told(yaml);
            assert!(told.contains("there is no `residents`"), "{told}");
            assert!(told.contains("or `target`"), "{told}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_told_with_its_place() {
        let mut wrong = Vec::new();
        for (yaml, expected) in [
            (
                format!("{ALL}requests: {{ residents: {{ url: u, format: json }} }}\n"),
                "a.yaml:9:13: requests.residents: gives residents, and `target` is a place",
            ),
            (
                format!("{ALL}requests: {{ a: {{ url: u, format: json, feeds: residents }} }}\n"),
                "a.yaml:9:13: requests.a: gives residents",
            ),
            (
                "target: { list: { url: u, format: json } }\n".to_owned(),
                "a.yaml:5:1: target: there is no `create`; add the request that grants\na.yaml:5:1: target: there is no `remove`; add",
            ),
            (
                format!("{ALL}  send: {{ url: u, format: json }}\n"),
                "a.yaml:9:3: target.send: stands alone",
            ),
            (
                format!("{ALL}  write_only: [pin, id, pin]\n"),
                "a.yaml:9:21: target.write_only.1: tells one grant from another, and is always compared; remove it\na.yaml:9:25: target.write_only.2: stands here twice; remove one of them",
            ),
            (
                format!("{ALL}  lst: {{ url: u, format: json }}\n"),
                "a.yaml:9:3: target.lst: ",
            ),
            (
                ALL.replace("create: { method: POST, url: u,", "create: { method: POST,"),
                "a.yaml:7:3: target.create.url: missing; add it",
            ),
            (
                ALL.replace("method: DELETE", "method: REMOVE"),
                "a.yaml:8:21: target.remove.method: ",
            ),
            (
                format!("{ALL}requests: {{ target.list: {{ url: u, format: json }} }}\n"),
                "a.yaml:9:13: requests.target.list: is the name of an operation",
            ),
        ] {
            let told = told(&yaml);
            if !told.contains(expected) {
                wrong.push(format!("{yaml}\n{told}\n{expected}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    }

    #[test]
    fn an_operation_is_found_by_its_name_and_a_request_by_its_own() {
        let text = format!("{HEAD}{ALL}requests: {{ login: {{ url: l, format: json }} }}\n");
        let document = Document::parse(Path::new("a.yaml"), &text).unwrap();
        let connector: Connector = document.read().unwrap();
        let names: Vec<&str> = connector.all_requests().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            ["login", "target.list", "target.create", "target.remove"]
        );
        for name in names {
            assert!(connector.request(name).is_some(), "{name}");
        }
        assert!(connector.request("target.find").is_none());
        assert!(connector.request("list").is_none());
        assert_eq!(Connector::place_of("login"), "requests.login");
        assert_eq!(Connector::place_of("target.list"), "target.list");
        for operation in Operation::ALL {
            let name = operation.request();
            assert_eq!(Operation::of_request(name), Some(operation));
        }
    }
}
