//! What is done to people by hand, and undone.

use std::collections::BTreeSet;

use crate::control::protocol::{PersonAct, ProblemDocument};
use crate::control::server::{Answer, Backend};
use crate::model::{ActId, Field, IntegrationId, Person, PersonId, ProfileEdit, shown_lines};

use super::super::Next;
use super::super::asked::Asked;
use super::super::fields::Fields;
use super::super::said::then;

async fn to_person<B: Backend>(asked: &Asked<B>, act: PersonAct, word: &str) -> Answer<Next> {
    let person: PersonId = asked.id("id")?;
    let done = asked.backend().to_person(person, act, asked.peer()).await?;
    Ok(then(&format!("/people/{person}"), word, done.act))
}

/// Writes what is different from what the page showed.
pub(super) async fn set<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let id: PersonId = asked.id("id")?;
    let person = asked.backend().person(id).await?.person;
    let edit = edit(&person, &fields);
    let unchanged = ProfileEdit {
        lock: edit.lock,
        ..ProfileEdit::default()
    };
    if edit == unchanged {
        return Ok(then(&format!("/people/{id}"), "nothing", ""));
    }
    to_person(&asked, PersonAct::Set(edit), "set").await
}

/// What a form changes of a person: what is other than it was shown. What a sync wrote meanwhile is left alone.
fn edit(person: &Person, fields: &Fields) -> ProfileEdit {
    let changed = |name: &str, before: Option<&str>| {
        let before = before.unwrap_or_default();
        let told = fields.get(name).unwrap_or_default();
        let shown = fields.get(&format!("was_{name}"));
        let is_as_shown = shown.is_some_and(|shown| told == shown);
        let is_same = is_as_shown || told == before || told == shown_lines(before);
        (!is_same).then(|| told.to_owned())
    };
    ProfileEdit {
        first_name: changed("first_name", Some(&person.first_name)),
        last_name: changed("last_name", Some(&person.last_name)),
        email: changed("email", person.email.as_deref()),
        phone: changed("phone", person.phone.as_deref()),
        lock: fields.ticked("lock"),
    }
}

pub(super) async fn end<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let integration = fields.get("integration").map(IntegrationId::new);
    to_person(&asked, PersonAct::End(integration), "ended").await
}

/// A resident of an integration.
fn tie(fields: &Fields) -> Answer<(IntegrationId, String)> {
    let integration = IntegrationId::new(fields.needed("integration")?);
    Ok((integration, fields.needed("resident")?.to_owned()))
}

pub(super) async fn link<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let (integration, resident) = tie(&fields)?;
    let act = PersonAct::Link(integration, resident.trim().to_owned());
    to_person(&asked, act, "linked").await
}

pub(super) async fn unlink<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let (integration, resident) = tie(&fields)?;
    to_person(&asked, PersonAct::Unlink(integration, resident), "unlinked").await
}

fn fields_of(fields: &Fields) -> Answer<BTreeSet<Field>> {
    let named: BTreeSet<Field> = fields.words("field")?.into_iter().collect();
    if named.is_empty() {
        return Err(ProblemDocument::bad_request("no field is chosen; tick one"));
    }
    Ok(named)
}

pub(super) async fn lock<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    to_person(&asked, PersonAct::Lock(fields_of(&fields)?), "locked").await
}

pub(super) async fn unlock<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    to_person(&asked, PersonAct::Unlock(fields_of(&fields)?), "unlocked").await
}

pub(super) async fn pin<B: Backend>(asked: Asked<B>, _: Fields) -> Answer<Next> {
    to_person(&asked, PersonAct::Pin, "pinned").await
}

pub(super) async fn unpin<B: Backend>(asked: Asked<B>, _: Fields) -> Answer<Next> {
    to_person(&asked, PersonAct::Unpin, "unpinned").await
}

/// Undoes an act, and goes on where it was done.
pub(super) async fn undo<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let act: ActId = asked.id("id")?;
    let person: Option<PersonId> = fields.parsed("person")?;
    let done = asked.backend().undo_act(act, asked.peer()).await?;
    let page = match (person, done.alert, done.changes.first()) {
        (Some(person), _, _) => format!("/people/{person}"),
        (None, Some(alert), _) => format!("/alerts/{alert}"),
        (None, None, Some(change)) => format!("/people/{}", change.person),
        (None, None, None) => "/people".to_owned(),
    };
    Ok(then(&page, "undone", ""))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::Origin;

    #[test]
    fn only_what_differs_from_what_was_shown_is_written() {
        let mut ada = Person::new(PersonId(1), Origin::Sync, Timestamp::UNIX_EPOCH);
        ada.first_name = "Ada\u{202e}".into();
        ada.last_name = "Quill".into();
        ada.phone = Some("+1 555".into());
        let of = |text: &str| edit(&ada, &Fields::read(text.as_bytes()));
        let same = "first_name=Ada%5Cu%7B202e%7D&last_name=Quill&phone=%2B1+555&email=";
        assert_eq!(of(same), ProfileEdit::default());
        let other = of("first_name=Ada%5Cu%7B202e%7D&last_name=Pen&email=a%40mail.test&lock=on");
        assert_eq!(
            other,
            ProfileEdit {
                first_name: None,
                last_name: Some("Pen".into()),
                email: Some("a@mail.test".into()),
                phone: Some(String::new()),
                lock: true,
            }
        );
    }
}
