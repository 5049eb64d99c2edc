//! Questions for lists as the queries of requests.

use crate::model::PeopleQuery;

use super::Query;

/// Which people, and in which order.
pub(super) fn people(asked: &PeopleQuery) -> Query {
    let PeopleQuery {
        integration,
        q,
        name,
        email,
        unit,
        resident,
        status,
        excluded,
        alert,
        updated_since,
        target,
        target_state,
        sort,
        limit: _,
        cursor: _,
    } = asked;
    let text = |name, text: &Option<String>| text.clone().map(|text| (name, text));
    let flag = |name, flag: &Option<bool>| flag.map(|flag| (name, flag.to_string()));
    let all = [
        integration
            .as_ref()
            .map(|id| ("integration", id.to_string())),
        text("q", q),
        text("name", name),
        text("email", email),
        text("unit", unit),
        text("resident", resident),
        status.map(|status| ("status", status.to_string())),
        flag("excluded", excluded),
        flag("alert", alert),
        updated_since.map(|since| ("updated_since", since.to_string())),
        target.as_ref().map(|id| ("target", id.to_string())),
        target_state.map(|state| ("target_state", state.as_str().to_owned())),
        sort.map(|sort| ("sort", sort.as_str().to_owned())),
    ];
    all.into_iter().flatten().collect()
}
