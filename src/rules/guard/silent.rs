//! Feeds that are empty where people are linked, or in whose records those do not stand any more (R26, R27). Pure but for
//! the question who is linked.

use std::collections::BTreeSet;

use crate::model::{PersonId, is_same_property};

use super::super::People;
use super::takes::always;
use super::ties::is_open;
use super::{Facts, of};

/// What somebody does who is to find people in records that have nobody in them.
const WHERE_THEY_ARE: &str = "look at a record with `epms explain`, and check the script, and whether the credential may still \
     read residents";

/// Empty feeds where people are linked, each with what is told: of PMS properties, or of the whole, which has no
/// name. A feed in whose records more than half of those who are linked do not stand any more is as good as empty.
pub(super) fn silent<P: People>(facts: &Facts<'_, P>) -> Result<Vec<(String, String)>, P::Error> {
    let may_be_emptied = facts.emptied.len() > always(facts.limits);
    if !facts.empty && facts.silent.is_empty() && !may_be_emptied {
        return Ok(Vec::new());
    }
    let links = (facts.all_links)()?;
    let linked = |property: Option<&str>| -> BTreeSet<PersonId> {
        let open = links.values().filter(|link| {
            let of = link.property.as_deref();
            let here = property.is_none_or(|one| of.is_some_and(|of| is_same_property(of, one)));
            here && is_open(link)
        });
        open.map(|link| link.person).collect()
    };
    if facts.empty {
        let people = linked(None).len();
        let told = (people > 0).then(|| empty(facts.records, None, people));
        return Ok(told.map(|told| (String::new(), told)).into_iter().collect());
    }
    let told = |property: &String| {
        let people = linked(Some(property)).len();
        (people > 0).then(|| (property.clone(), empty(0, Some(property), people)))
    };
    let mut silent: Vec<(String, String)> = facts.silent.iter().filter_map(told).collect();
    if !may_be_emptied {
        return Ok(silent);
    }
    let properties: BTreeSet<&str> = links
        .values()
        .filter_map(|link| link.property.as_deref())
        .collect();
    for property in std::iter::once(None).chain(properties.into_iter().map(Some)) {
        let is_silent = |one: &str| {
            facts
                .silent
                .iter()
                .any(|silent| is_same_property(silent, one))
        };
        if property.is_some_and(is_silent) {
            continue;
        }
        if let Some(reason) = emptied(facts, property, &linked(property)) {
            silent.push((property.unwrap_or_default().to_owned(), reason));
            // Of each property it is true as well.
            if property.is_none() {
                break;
            }
        }
    }
    Ok(silent)
}

/// What is told of a feed that is empty, or has nobody in its records.
fn empty(records: u64, property: Option<&str>, people: usize) -> String {
    let of = of(property);
    if records == 0 {
        return format!(
            "the feed{of} is empty, and {people} people of it are linked; check `pms_properties` and the rights of the \
             credential"
        );
    }
    format!(
        "none of the {records} records has anybody in it, and {people} people are linked; {WHERE_THEY_ARE}"
    )
}

/// What is told where more than half of those who are linked are in no record any more, while theirs came. So many may
/// always be: units that are vacant.
fn emptied<P: People>(
    facts: &Facts<'_, P>,
    property: Option<&str>,
    linked: &BTreeSet<PersonId>,
) -> Option<String> {
    let percent = usize::try_from(facts.limits.percent.max(50)).unwrap_or(usize::MAX);
    let (gone, all) = (facts.emptied.intersection(linked).count(), linked.len());
    let is_much = gone > always(facts.limits) && gone * 100 > all.saturating_mul(percent);
    is_much.then(|| {
        format!(
            "the records of {gone} of {all} linked people{} have nobody in them any more; {WHERE_THEY_ARE}",
            of(property)
        )
    })
}
