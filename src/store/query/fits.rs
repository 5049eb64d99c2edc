//! Whether what is known of a person themselves is what a question asks for. Pure: reads no table.

use crate::model::{IntegrationId, PeopleQuery, Person, Stay};
use crate::store::name_key;

use super::names::begins;

/// Whether what is known of a person themselves fits.
pub(super) fn fits(query: &PeopleQuery, text: Option<&str>, person: &Person) -> bool {
    let begins_so = |asked: Option<&str>, value: Option<&str>| {
        asked.is_none_or(|asked| {
            let asked = asked.trim().to_lowercase();
            value.is_some_and(|value| value.to_lowercase().starts_with(&asked))
        })
    };
    let is_called = query.name.as_deref().is_none_or(|asked| {
        let key = name_key(&person.first_name, &person.last_name);
        begins(&key, asked)
    });
    is_called
        && begins_so(query.email.as_deref(), person.email.as_deref())
        && has_stay(query, person)
        && text.is_none_or(|wanted| holds(person, wanted))
}

/// Whether one stay is as the question says; whoever has none fits where it says nothing of stays.
fn has_stay(query: &PeopleQuery, person: &Person) -> bool {
    let says_nothing = query.integration.is_none()
        && query.status.is_none()
        && query.excluded.is_none()
        && query.unit.is_none();
    let here = |place: &IntegrationId| query.integration.as_ref().is_none_or(|id| id == place);
    let mut stays = person.stays.iter();
    says_nothing || stays.any(|(place, stay)| here(place) && is_so(query, stay))
}

fn is_so(query: &PeopleQuery, stay: &Stay) -> bool {
    let unit = query.unit.as_deref().map(|unit| unit.trim().to_lowercase());
    let is_unit = unit.is_none_or(|wanted| {
        let mut units = stay.unit.iter().chain(&stay.more_units);
        units.any(|unit| {
            unit.label.to_lowercase().starts_with(&wanted)
                || unit.id.to_lowercase().starts_with(&wanted)
        })
    });
    is_unit
        && query.status.is_none_or(|status| stay.status == status)
        && query
            .excluded
            .is_none_or(|excluded| stay.excluded == excluded)
}

/// Whether a text in lower case stands in a name, the email, the phone or a unit.
fn holds(person: &Person, wanted: &str) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(wanted);
    let units = person.stays.values().filter_map(|stay| stay.unit.as_ref());
    holds(&format!("{} {}", person.first_name, person.last_name))
        || person.email.as_deref().is_some_and(holds)
        || person.phone.as_deref().is_some_and(holds)
        || units.map(|unit| unit.label.as_str()).any(holds)
}
