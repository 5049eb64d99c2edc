//! The operations of a target: what their templates may name, what does not fit together, and keys at which nothing looks.
//! Compiles no template.

use crate::config::{self, Auth, Connector, Format, Method, Missing, Operation, Per};
use crate::model::Code;

use super::super::leaf::{Leaf, OPTIONAL, names_optional};
use super::super::template::Uses;
use super::Compile;

/// Why a key is of no use in a request that does something.
const OF_ACT: &str = "is of no use here: the request does something, is sent once, and its answer has no records; remove it";
/// The same in one that looks at a target.
const OF_LOOK: &str = "is of no use here: a target is asked once for all that is there; remove it";
const GIVES: &str = "is of no use here: of what an operation gives only `id` is taken, the target's id of a grant, of `create` and `change`; remove it";
const NAME: &str =
    "is of no use here: it is what `epms discover` calls the records of `places`; remove it";

impl Compile<'_> {
    /// What templates of a request may name that no login needs.
    pub(super) fn all_uses(&self) -> Uses {
        if self.connector.target.is_some() {
            Uses::Target
        } else {
            Uses::All
        }
    }

    /// Lets templates of a request name what it is about: those of an operation, and of what only such operations ask
    /// before them.
    pub(super) fn about(&mut self, name: &str) {
        let about = if let Some(operation) = Operation::of_request(name) {
            operation.about()
        } else {
            let mut behind = self.connector.operations_behind(name);
            let first = behind.next().and_then(Operation::about);
            first.filter(|first| behind.all(|other| other.about() == Some(first)))
        };
        if let Some(about) = about {
            self.before.push(about.to_owned());
            self.before.push(format!("{about}."));
        }
    }

    /// Tells of a value that may be left out, where nothing can be.
    pub(super) fn left_out(&mut self, field: &str, text: &str) {
        if !names_optional(text) {
            return;
        }
        let of_json = field.split_once(".body.json");
        let can_be_left_out = of_json.is_some_and(|(_, rest)| !rest.is_empty())
            || [".query.", ".query_lists.", ".body.form."]
                .iter()
                .any(|place| field.contains(place));
        if !can_be_left_out || !Leaf::of(text).is_optional {
            let message = format!(
                "`{OPTIONAL}` is for a member of `json`, or a value of `form` or of a query, that is this alone, and stands directly behind the value: \"{{{{ grant.phone | {OPTIONAL} }}}}\""
            );
            let problem = self.document.problem(field, message);
            self.problems.push(problem.coded(Code::Template));
        }
    }

    /// Tells what does not fit in an operation, and of the keys of its request at which nothing looks.
    pub(super) fn operation(&mut self, operation: Operation, request: &config::Request) {
        let at = |key: &str| format!("{}.{key}", operation.request());
        for (key, why) in unused(operation, request) {
            let problem = self.document.problem(&at(key), why);
            self.problems
                .push(problem.coded(Code::UnusedKey).as_error());
        }
        if operation == Operation::Places && request.id.is_none() {
            let message = "has no `id`; add the path of what `places` of a target's file names";
            let problem = self.document.problem(operation.request(), message);
            self.problems.push(problem.coded(Code::MissingField));
        }
    }

    /// Tells of requests that write where they only read.
    pub(super) fn writes(&mut self, name: &str, request: &config::Request, is_logout: bool) {
        let writes = matches!(request.method, Method::Put | Method::Patch | Method::Delete);
        let is_of_target = self.connector.target.is_some();
        let acts = Operation::of_request(name).is_some_and(Operation::acts)
            || self.connector.operations_behind(name).next().is_some()
                && self.connector.operations_behind(name).all(Operation::acts);
        if !writes || is_logout || is_of_target && acts {
            return;
        }
        let message = if is_of_target {
            "writes, and here a target is only read; write GET, or POST with `reads: true`"
        } else {
            "writes, and a PMS is only read; write GET, or POST with `reads: true`"
        };
        let field = format!("{}.method", Connector::place_of(name));
        self.problem(&field, message);
    }

    /// Tells of operations that ask the same whatever they are about, and of requests that nobody can ask for.
    pub(super) fn asked_in_vain(&mut self) {
        let connector = self.connector;
        if connector.target.is_none() {
            return;
        }
        let mut found = Vec::new();
        for operation in Operation::ALL {
            let (Some(about), Some(request)) =
                (operation.about(), connector.request(operation.request()))
            else {
                continue;
            };
            let is_of_it = |place: &str| {
                let mut named = self.templates.named_at(place);
                named.any(|(_, name)| name == about || name.starts_with(&format!("{about}.")))
            };
            let before = request.after.iter().chain(&request.each);
            // Most likely that is what is misspelt.
            let place = format!("{}.", operation.request());
            if self
                .problems
                .iter()
                .any(|problem| problem.field.starts_with(&place))
            {
                continue;
            }
            let mut places = before.map(|name| Connector::place_of(name));
            if !is_of_it(operation.request()) && !places.any(|place| is_of_it(&place)) {
                let message = format!(
                    "has no {{{{ {about}.NAME }}}} in any of its templates, so that it asks the same for every {about}; say with one which is meant"
                );
                let problem = self.document.problem(operation.request(), message);
                found.push(problem.coded(Code::Template));
            }
        }
        self.problems.extend(found);
        for name in connector.requests.keys() {
            let is_of_login = match &connector.auth {
                Some(Auth::Login(login)) => {
                    login.request == *name || login.logout.as_ref() == Some(name)
                }
                _ => false,
            };
            // What is read back may be looked up in the others; what no script asks for is told where scripts are known.
            let is_told_of_events = connector.request(Operation::Send.request()).is_some();
            if is_told_of_events
                && !is_of_login
                && connector.operations_behind(name).next().is_none()
            {
                let message = "nobody asks for it: it does not log in, and no operation of `target` names it in `after` or `each`; let one do so, or remove it";
                self.warn(&Connector::place_of(name), message, Code::UnaskedRequest);
            }
        }
    }
}

/// The keys of an operation's request at which nothing looks, and why.
pub(super) fn unused(
    operation: Operation,
    request: &config::Request,
) -> Vec<(&'static str, &'static str)> {
    let acts = operation.acts();
    let why = if acts { OF_ACT } else { OF_LOOK };
    let takes_id = matches!(operation, Operation::Create | Operation::Change);
    let mut gives = request.gives.keys();
    let gives_more = gives.any(|name| name != "id") || !takes_id && !request.gives.is_empty();
    let is_empty_said = matches!(request.missing, Missing::Empty(_));
    let keys = [
        ("property", request.property.is_some(), why),
        ("per", request.per == Per::Once, why),
        ("feeds", request.feeds.is_some(), why),
        ("since", request.since.is_some(), why),
        ("refresh", request.refresh.is_some(), why),
        ("gives", gives_more, GIVES),
        (
            "name",
            request.name.is_some() && operation != Operation::Places,
            NAME,
        ),
        ("records", acts && !request.records.is_empty(), OF_ACT),
        ("id", acts && request.id.is_some(), OF_ACT),
        ("page", acts && request.page.is_some(), OF_ACT),
        ("total", acts && request.total.is_some(), OF_ACT),
        ("missing", acts && is_empty_said, OF_ACT),
        ("each", acts && request.each.is_some(), OF_ACT),
        ("inner", acts && request.inner.is_some(), OF_ACT),
        ("unpack", acts && request.unpack.is_some(), OF_ACT),
        ("expires", acts && request.expires.is_some(), OF_ACT),
        ("reads", acts && request.reads, OF_ACT),
        (
            "format",
            acts && request.format == Format::Csv,
            "is no form in which a target says what it did; write `json`, `xml` or `soap`",
        ),
    ];
    let unused = keys.into_iter().filter(|(_, is_there, _)| *is_there);
    unused.map(|(key, _, why)| (key, why)).collect()
}
