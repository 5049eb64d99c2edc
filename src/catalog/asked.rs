//! What scripts ask of a connector against what the connector has: lookups that no request reads, and requests that
//! nobody asks for. Both may be meant, and are warnings. Pure.

use std::collections::BTreeSet;

use crate::config::{Connector, Document, nearest};
use crate::model::{Code, Problem};
use crate::script::Script;

/// The lookups of a script that the connector has no request for: whoever asks gets nothing.
pub(super) fn without_request(
    name: &str,
    connector: &Connector,
    lookups: &BTreeSet<&str>,
    script: &Script,
) -> Vec<Problem> {
    let asked = script.lookups().iter();
    let unknown = asked.filter(|(lookup, _)| !lookups.contains(lookup.as_str()));
    unknown
        .map(|(lookup, asked)| {
            let names: Vec<&str> = lookups.iter().copied().collect();
            let remedy = match nearest(lookup, &names) {
                Some(near) => format!("did you mean `{near}`?"),
                None if connector.requests.contains_key(lookup) => {
                    "the request of that name is not one for lookups".to_owned()
                }
                None => "add it to `requests`, or do not ask for it".to_owned(),
            };
            Problem {
                file: asked.file.clone(),
                place: asked.place,
                field: String::new(),
                message: format!(
                    "the connector `{name}` has no lookup `{lookup}`, so that it gives nothing; {remedy}"
                ),
                code: Code::UnknownLookup,
            }
        })
        .collect()
}

/// The requests that are no residents, no properties, no login, and that none of these scripts asks for. One that says
/// how long it serves is there for scripts to come.
pub(super) fn unasked(
    connector: &Connector,
    document: &Document,
    lookups: &BTreeSet<&str>,
    scripts: &[&Script],
) -> Vec<Problem> {
    let unasked = lookups.iter().filter(|lookup| {
        let request = &connector.requests[**lookup];
        request.refresh.is_none() && !scripts.iter().any(|script| script.asks(lookup))
    });
    unasked
        .map(|lookup| {
            let message = "nobody asks for it: it feeds nothing, and no script looks anything up in it; write `feeds: residents` where its records are residents, or `refresh` where it is for scripts to come";
            document
                .problem(&format!("requests.{lookup}"), message)
                .coded(Code::UnaskedRequest)
        })
        .collect()
}
