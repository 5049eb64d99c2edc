//! What is shown before somebody does what takes much: whom an erasure, a renaming or a retirement takes, and what an import
//! would make. Does none of it.

use minijinja::context;

use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, Backend};
use crate::model::{Imported, IntegrationId, PeopleQuery, PeopleSort, PersonId};

use super::super::asked::Asked;
use super::super::fields::Fields;
use super::super::look::{Page, value};
use super::people;

/// So many people stand on a page.
const PEOPLE: usize = 500;
/// So many of a renaming do.
const SOME: usize = 50;
/// So many problems of a file do.
const PROBLEMS: usize = 200;
/// So large may a file be that is pasted; a browser sends it several times as large.
pub(in crate::web) const FILE: usize = 1024 * 1024;

pub(super) async fn erase<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    let id: PersonId = asked.id("id")?;
    let detail = asked.backend().person(id).await?;
    let person = &detail.person;
    Ok(Page {
        title: format!("Erase {id}"),
        part: "people",
        template: "erase.html",
        values: context! {
            name => people::name(person),
            is_nobody => person.erased || person.withdrawn || person.merged_into.is_some(),
            detail => value(&detail),
        },
    })
}

pub(super) async fn rename<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    let id = IntegrationId::new(asked.name("id"));
    let status = asked.backend().status().await?;
    let all = status.integrations;
    let found = all.iter().find(|one| one.id == id);
    let linked = found
        .ok_or_else(|| ProblemDocument::no_integration(&id))?
        .linked;
    let others: Vec<&IntegrationId> = all
        .iter()
        .map(|one| &one.id)
        .filter(|one| **one != id)
        .collect();
    let query = PeopleQuery {
        integration: Some(id.clone()),
        sort: Some(PeopleSort::Name),
        limit: Some(SOME),
        ..PeopleQuery::default()
    };
    let there = asked.backend().people(query).await?;
    let rows: Vec<people::Row> = there
        .items
        .iter()
        .map(|person| people::row(person, Some(id.as_str())))
        .collect();
    Ok(Page {
        title: format!("Give the people of {id} to another integration"),
        part: "integrations",
        template: "rename.html",
        values: context! {
            id => value(&id),
            linked => linked,
            others => value(&others),
            people => value(&rows),
            more => there.next.is_some(),
        },
    })
}

/// Whom a retirement would take.
pub(in crate::web) async fn retire<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Page> {
    let id = IntegrationId::new(asked.name("id"));
    let property = fields
        .get("property")
        .map(|property| property.trim().to_owned());
    let takes = asked
        .backend()
        .retire(id.clone(), property, true, asked.peer());
    let takes = takes.await?;
    let people: Vec<_> = takes.people.iter().take(PEOPLE).collect();
    Ok(Page {
        title: format!("Retire {id}"),
        part: "integrations",
        template: "retire.html",
        values: context! {
            people => value(&people),
            more => takes.people.len().saturating_sub(PEOPLE),
            takes => value(&takes),
        },
    })
}

pub(super) async fn add<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    Ok(Page {
        title: "Add a person".to_owned(),
        part: "people",
        template: "new-person.html",
        values: context! { integrations => value(&asked.backend().integrations()) },
    })
}

pub(super) async fn import<B: Backend>(_: Asked<B>) -> Answer<Page> {
    Ok(imported(None, ""))
}

/// The page of an import: what it did or would do with `csv`, where something was asked.
pub(in crate::web) fn imported(report: Option<&Imported>, csv: &str) -> Page {
    let none = Imported::default();
    let told = report.unwrap_or(&none);
    let problems: Vec<_> = told.problems.iter().take(PROBLEMS).collect();
    let there: Vec<_> = told.there.iter().take(PEOPLE).collect();
    let made: Vec<_> = told.made.iter().take(PEOPLE).collect();
    Page {
        title: "Import people".to_owned(),
        part: "people",
        template: "import.html",
        values: context! {
            report => value(&report),
            problems => value(&problems),
            more_problems => told.problems.len() - problems.len(),
            there => value(&there),
            more_there => told.there.len() - there.len(),
            made => value(&made),
            more_made => told.made.len() - made.len(),
            csv => csv,
            most => "1 MiB",
        },
    }
}
