//! Which resident somebody means: by their PMS id or the beginning of it, or by the person who is linked to them.

use std::collections::BTreeSet;

use crate::control::protocol::ProblemDocument;
use crate::control::server::Answer;
use crate::model::{Decision, IntegrationId, PeopleQuery, Person, PersonId, RunId, address};
use crate::store::{StoreError, View};

use super::Daemon;

/// In so many of the latest runs the last decisions are looked for.
const RUNS: usize = 50;

/// So many are named where it is not clear who is meant.
const SHOWN: usize = 20;

/// Who is meant.
#[derive(Debug, PartialEq, Eq)]
enum Whom {
    /// The resident of this PMS id.
    Resident(String),
    /// One of these.
    Several(BTreeSet<String>),
    /// Nobody whom the store knows.
    Nobody,
}

impl Daemon {
    /// The PMS id of the resident whom a text means; the text itself where the store knows nobody. What `may_be_new` may be
    /// the whole id of somebody whom the store does not know yet: it is no beginning of another.
    pub(super) async fn meant(
        &self,
        id: &IntegrationId,
        asked: String,
        may_be_new: bool,
    ) -> Answer<String> {
        let (of, text) = (id.clone(), asked.clone());
        let whom = move |view: &View| whom(view, &of, &text, may_be_new);
        match self.ask(whom).await? {
            Whom::Resident(found) => Ok(found),
            Whom::Nobody => Ok(asked),
            Whom::Several(found) => Err(several(id, &asked, &found)),
        }
    }
}

fn several(id: &IntegrationId, asked: &str, found: &BTreeSet<String>) -> ProblemDocument {
    let shown: Vec<&str> = found.iter().take(SHOWN).map(String::as_str).collect();
    let more = match found.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    ProblemDocument::conflict(format!(
        "`{asked}` may be {} residents of `{id}`: {}{more}; name one by its id",
        found.len(),
        shown.join(", ")
    ))
}

/// The last run of an integration of whose decisions anything is kept, and those.
pub(super) fn last_decisions(
    view: &View,
    integration: &IntegrationId,
) -> Result<(Option<RunId>, Vec<Decision>), StoreError> {
    for run in view.runs(Some(integration), None, RUNS)? {
        let decisions = view.decisions(run.id)?;
        if !decisions.is_empty() {
            return Ok((Some(run.id), decisions));
        }
    }
    Ok((None, Vec::new()))
}

/// Whom a text means: an id as it is goes before a person's id, that before the beginning of an id, and that before an email
/// or a name.
fn whom(
    view: &View,
    integration: &IntegrationId,
    text: &str,
    may_be_new: bool,
) -> Result<Whom, StoreError> {
    let decisions = last_decisions(view, integration)?.1;
    let is_named = decisions.iter().any(|one| one.subject == text);
    if is_named || view.link(integration, text)?.is_some() {
        return Ok(Whom::Resident(text.to_owned()));
    }
    if let Ok(person) = text.parse::<PersonId>() {
        let theirs = of_person(view, integration, person)?;
        if !theirs.is_empty() {
            return Ok(one_of(theirs));
        }
    }
    let mut begun = BTreeSet::new();
    if !may_be_new {
        begun = view.residents_from(integration, text)?;
        let named = decisions.into_iter().map(|one| one.subject);
        begun.extend(named.filter(|subject| subject.starts_with(text)));
    }
    if !begun.is_empty() {
        return Ok(one_of(begun));
    }
    let mut theirs = BTreeSet::new();
    for person in people(view, integration, text)? {
        theirs.extend(of_person(view, integration, person)?);
    }
    Ok(one_of(theirs))
}

fn one_of(mut found: BTreeSet<String>) -> Whom {
    match (found.pop_first(), found.is_empty()) {
        (None, _) => Whom::Nobody,
        (Some(one), true) => Whom::Resident(one),
        (Some(first), false) => {
            found.insert(first);
            Whom::Several(found)
        }
    }
}

/// The residents of an integration whom a person is linked to; those whose id another took the place of only where there is
/// no other.
fn of_person(
    view: &View,
    integration: &IntegrationId,
    person: PersonId,
) -> Result<BTreeSet<String>, StoreError> {
    let links = view.links_of(person)?.into_iter();
    let here = links.filter(|(at, _, _)| at == integration);
    let (old, now): (Vec<_>, Vec<_>) = here.partition(|(_, _, link)| link.superseded);
    let counts = if now.is_empty() { old } else { now };
    Ok(counts
        .into_iter()
        .map(|(_, resident, _)| resident)
        .collect())
}

/// The people of an integration with an email, or with a name: the whole, the first, the last, or how it begins.
fn people(
    view: &View,
    integration: &IntegrationId,
    text: &str,
) -> Result<Vec<PersonId>, StoreError> {
    let email = address(text).ok().flatten();
    let wanted = text.trim().to_lowercase();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = PeopleQuery {
        integration: Some(integration.clone()),
        limit: Some(1_000),
        ..PeopleQuery::default()
    };
    match &email {
        Some(email) => query.email = Some(email.clone()),
        None => query.q = Some(wanted.clone()),
    }
    let fits = |person: &Person| match &email {
        Some(email) => person.email.as_ref() == Some(email),
        None => is_called(person, &wanted),
    };
    let (mut found, mut behind) = (Vec::new(), None);
    loop {
        let page = view.find_people(&query, behind.as_ref(), &mut |_| Ok(true))?;
        let fitting = page.items.iter().filter(|person| fits(person));
        found.extend(fitting.map(|person| person.id));
        behind = page.next;
        if behind.is_none() {
            return Ok(found);
        }
    }
}

fn is_called(person: &Person, wanted: &str) -> bool {
    let (first, last) = (
        person.first_name.to_lowercase(),
        person.last_name.to_lowercase(),
    );
    let whole = format!("{first} {last}");
    first == wanted || last == wanted || whole.trim().starts_with(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_meant_or_several_or_nobody() {
        let set = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
        assert_eq!(one_of(set(&[])), Whom::Nobody);
        assert_eq!(one_of(set(&["t1"])), Whom::Resident("t1".into()));
        assert_eq!(
            one_of(set(&["t2", "t1"])),
            Whom::Several(set(&["t1", "t2"]))
        );
    }
}
