//! Keys of a request at which nothing looks in a request of its kind. Compiles nothing.

use crate::config::{Auth, Connector, Format, Given, Missing, Operation, Poll, Request};

/// What a key is for that is of no use where it stands.
const OF_LOGIN: &str = "is of no use here: a login has one answer; remove it";
const OF_STEP: &str = "is of no use here: of a request that another names in `after`, the first answer alone is asked for; let it give `newest`, or remove it";
const GIVES: &str = "is of no use here: no request names this one in `after`; let one do so that needs what it gives, or remove it";
const NAME: &str =
    "is of no use here: it is what `epms discover` calls the records of `properties`; remove it";
const REFRESH: &str = "is of no use here: every run reads it, and answers that serve for a while are those of lookups; remove it";
const POLL: &str = "is of no use here: `every` is not less than `at_most`, so that it is asked once and never again; make `at_most` longer";
const MISSING: &str =
    "is of no use here: CSV has its rows, be there none, or it is none; remove it";

/// The keys of a request that change nothing, and why.
pub(super) fn unused(
    connector: &Connector,
    name: &str,
    request: &Request,
) -> Vec<(&'static str, &'static str)> {
    // Of an operation that is told elsewhere.
    if Operation::of_request(name).is_some() {
        return Vec::new();
    }
    let is_of_login = match &connector.auth {
        Some(Auth::Login(login)) => login.request == name || login.logout.as_deref() == Some(name),
        _ => false,
    };
    let mut others = connector.all_requests();
    let is_step = others.any(|(_, other)| other.after.iter().any(|one| one == name));
    let mut others = connector.all_requests();
    let is_list = others.any(|(_, other)| other.each.as_deref() == Some(name));
    let is_read = matches!(name, "residents" | "properties") || request.feeds.is_some();
    let is_lookup = !is_of_login && !is_step && !is_list && !is_read;
    let mut gives = request.gives.values();
    let seeks_newest = request.page.is_some() && gives.any(|one| matches!(one, Given::Newest(_)));
    // Whether one answer is all that is looked at, and no record of it.
    let one_answer = if is_of_login {
        Some(OF_LOGIN)
    } else {
        (is_step && !is_list && !seeks_newest).then_some(OF_STEP)
    };
    let is_empty_said = matches!(request.missing, Missing::Empty(_));
    let is_csv = request.format == Format::Csv && request.inner.is_none();
    let is_asked_once = |poll: &Poll| poll.every >= poll.at_most;
    let keys = [
        ("page", one_answer.filter(|_| request.page.is_some())),
        ("total", one_answer.filter(|_| request.total.is_some())),
        (
            "missing",
            one_answer
                .or(is_csv.then_some(MISSING))
                .filter(|_| is_empty_said),
        ),
        (
            "poll",
            request
                .poll
                .as_ref()
                .filter(|poll| is_asked_once(poll))
                .map(|_| POLL),
        ),
        (
            "gives",
            (!request.gives.is_empty() && !is_step).then_some(GIVES),
        ),
        (
            "name",
            (request.name.is_some() && name != "properties").then_some(NAME),
        ),
        (
            "refresh",
            (request.refresh.is_some() && !is_lookup).then_some(REFRESH),
        ),
    ];
    let unused = keys.into_iter();
    unused.filter_map(|(key, why)| Some((key, why?))).collect()
}
