//! Lists by their address: which question it is, and where its other pages are. Asks nobody.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::control::server::{Answer, DeliveryQuery};
use crate::model::{AlertQuery, IntegrationId, PeopleQuery, PeopleSort, RunQuery, TargetId};

use super::fields::Fields;

/// So many rows a page has.
pub(super) const ROWS: usize = 50;

/// Where the other pages of a list are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Pager {
    /// The first page, where this is another.
    first: Option<String>,
    /// The next page.
    next: Option<String>,
}

/// The pager of a list whose address is `query`, and whose next page begins at `next`.
pub(super) fn pager(query: &Fields, next: Option<&str>) -> Pager {
    Pager {
        first: query.get("cursor").map(|_| query.with("cursor", None)),
        next: next.map(|next| query.with("cursor", Some(next))),
    }
}

fn text(query: &Fields, name: &str) -> Option<String> {
    let text = query.get(name).map(str::trim);
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn integration(query: &Fields) -> Option<IntegrationId> {
    query.get("integration").map(IntegrationId::new)
}

/// Which people: what is searched for stands in `q`, and where in `in`.
pub(super) fn people(query: &Fields, now: Timestamp) -> Answer<PeopleQuery> {
    let mut asked = PeopleQuery {
        integration: integration(query),
        status: query.word("status")?,
        excluded: truth(query, "excluded"),
        alert: truth(query, "alert"),
        updated_since: since(query.get("updated"), now),
        target: query.get("target").map(TargetId::new),
        target_state: query.word("target_state")?,
        sort: Some(query.word("sort")?.unwrap_or(PeopleSort::Name)),
        limit: Some(ROWS),
        cursor: text(query, "cursor"),
        ..PeopleQuery::default()
    };
    let place = match query.get("in") {
        Some("name") => &mut asked.name,
        Some("email") => &mut asked.email,
        Some("unit") => &mut asked.unit,
        Some("resident") => &mut asked.resident,
        _ => &mut asked.q,
    };
    *place = text(query, "q");
    Ok(asked)
}

fn truth(query: &Fields, name: &str) -> Option<bool> {
    match query.get(name) {
        Some("yes") => Some(true),
        Some("no") => Some(false),
        _ => None,
    }
}

/// Since so long ago, by a word.
fn since(word: Option<&str>, now: Timestamp) -> Option<Timestamp> {
    let hours = match word? {
        "hour" => 1,
        "day" => 24,
        "week" => 7 * 24,
        "month" => 31 * 24,
        _ => return None,
    };
    now.checked_sub(SignedDuration::from_hours(hours)).ok()
}

/// Which alerts.
pub(super) fn alerts(query: &Fields) -> Answer<AlertQuery> {
    Ok(AlertQuery {
        integration: integration(query),
        state: query.word("state")?,
        kind: query.word("kind")?,
        limit: Some(ROWS),
        cursor: text(query, "cursor"),
    })
}

/// Which runs.
pub(super) fn runs(query: &Fields) -> Answer<RunQuery> {
    Ok(RunQuery {
        integration: integration(query),
        outcome: query.word("outcome")?,
        limit: Some(ROWS),
        cursor: text(query, "cursor"),
    })
}

/// Which deliveries.
pub(super) fn deliveries(query: &Fields) -> Answer<DeliveryQuery> {
    Ok(DeliveryQuery {
        target: query.get("target").map(TargetId::new),
        person: query.parsed("person")?,
        state: query.word("state")?,
        limit: Some(ROWS),
        cursor: text(query, "cursor"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LeaseStatus;

    fn read(text: &str) -> Fields {
        Fields::read(text.as_bytes())
    }

    #[test]
    fn what_is_searched_for_is_looked_for_where_the_address_says() {
        let now = Timestamp::from_second(10_000_000).unwrap();
        let of = |text| people(&read(text), now).unwrap();
        assert_eq!(of("q=+ada+&in=").q.as_deref(), Some("ada"));
        assert_eq!(of("q=ada&in=name").name.as_deref(), Some("ada"));
        assert_eq!(of("q=t00&in=resident").resident.as_deref(), Some("t00"));
        let all = of("q=&integration=elm&status=pending&excluded=no&alert=yes&updated=day&sort=id");
        assert_eq!(all.q, None);
        assert_eq!(all.integration, Some(IntegrationId::new("elm")));
        assert_eq!(all.status, Some(LeaseStatus::Pending));
        assert_eq!((all.excluded, all.alert), (Some(false), Some(true)));
        assert_eq!(all.updated_since.unwrap().as_second(), 10_000_000 - 86_400);
        assert_eq!(all.sort, Some(PeopleSort::Id));
        assert_eq!(of("").sort, Some(PeopleSort::Name));
        assert_eq!(people(&read("status=gone"), now).unwrap_err().status, 400);
    }

    #[test]
    fn the_other_pages_of_a_list_ask_the_same() {
        let pages = pager(&read("kind=bad_dates&cursor=a1"), Some("a9"));
        assert_eq!(pages.first.as_deref(), Some("?kind=bad_dates"));
        assert_eq!(pages.next.as_deref(), Some("?kind=bad_dates&cursor=a9"));
        let only = pager(&read("kind=bad_dates"), None);
        assert_eq!((only.first, only.next), (None, None));
    }
}
