//! What takes much, or makes many: erasing, renaming, retiring, and people made by hand. Each has a page that says first what
//! it takes.

use minijinja::context;

use crate::control::protocol::{EraseAsk, ProblemDocument};
use crate::control::server::{Answer, Backend};
use crate::model::{Enrolment, ErasureState, IntegrationId, PersonId};

use super::super::Next;
use super::super::asked::Asked;
use super::super::fields::Fields;
use super::super::look::{Page, value};
use super::super::pages::by_hand::{FILE, imported};
use super::super::said::then;
use super::part;

/// That somebody typed what it is about.
fn confirmed(fields: &Fields, id: &str) -> Answer<()> {
    if fields.get("confirm").map(str::trim) == Some(id) {
        return Ok(());
    }
    Err(ProblemDocument::bad_request(format!(
        "`confirm` is not `{id}`, and nothing was done; go back, and type `{id}`"
    )))
}

pub(super) async fn erase<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Page> {
    let person: PersonId = asked.id("id")?;
    confirmed(&fields, &person.to_string())?;
    let ask = EraseAsk {
        reason: fields.get("reason").map(str::to_owned),
        force: fields.ticked("force"),
    };
    let erasure = asked
        .backend()
        .erase_person(person, ask, asked.peer())
        .await?;
    let told = match erasure.state {
        ErasureState::Erased => "is erased",
        ErasureState::Erasing => "is being erased",
    };
    Ok(Page {
        title: format!("{person} {told}"),
        part: "people",
        template: "erased.html",
        values: context! { erasure => value(&erasure) },
    })
}

pub(super) async fn rename<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let from = IntegrationId::new(asked.name("id"));
    let to = fields.needed("to")?.to_owned();
    let heir = IntegrationId::new(to.as_str());
    asked.backend().rename(from, heir, asked.peer()).await?;
    Ok(then(&format!("/integrations/{}", part(&to)), "renamed", ""))
}

pub(super) async fn retire<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let name = asked.name("id").to_owned();
    confirmed(&fields, &name)?;
    let property = fields.get("property").map(str::to_owned);
    let id = IntegrationId::new(name.as_str());
    asked
        .backend()
        .retire(id, property, false, asked.peer())
        .await?;
    Ok(then(
        &format!("/integrations/{}", part(&name)),
        "retired",
        "",
    ))
}

/// Undoes the last renaming or retirement.
pub(super) async fn undo<B: Backend>(asked: Asked<B>, _: Fields) -> Answer<Next> {
    let id = IntegrationId::new(asked.name("id"));
    asked.backend().undo_integration(id, asked.peer()).await?;
    // Whose page there still is, is for the files to say.
    Ok(then("/", "given-back", ""))
}

pub(super) async fn add<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let done = asked
        .backend()
        .add_person(enrolment(&fields), asked.peer())
        .await?;
    let made = done.changes.first().map(|change| change.person);
    let page = made.map_or_else(
        || "/people".to_owned(),
        |person| format!("/people/{person}"),
    );
    Ok(then(&page, "added", done.act))
}

fn enrolment(fields: &Fields) -> Enrolment {
    let of = |name: &str| fields.get(name).unwrap_or_default().to_owned();
    Enrolment {
        first_name: of("first_name"),
        last_name: of("last_name"),
        email: of("email"),
        phone: of("phone"),
        lease_start: of("lease_start"),
        lease_end: of("lease_end"),
        move_in: of("move_in"),
        move_out: of("move_out"),
        unit: of("unit"),
        integration: of("integration"),
        status: of("status"),
    }
}

/// Tells what a file would make; makes it where it comes from the page that told.
pub(super) async fn import<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Page> {
    let (csv, dry_run) = file(&fields)?;
    let report = asked
        .backend()
        .import_people(csv.clone(), dry_run, asked.peer());
    let report = report.await?;
    let csv = if dry_run { csv.as_str() } else { "" };
    Ok(imported(Some(&report), csv))
}

/// The file that a form has, and whether it is only looked at.
fn file(fields: &Fields) -> Answer<(String, bool)> {
    let (csv, dry_run) = match fields.get("encoded") {
        // As a browser gives a text back that nobody sees, line ends and odd signs may differ.
        Some(encoded) => {
            let decoded = Fields::read(format!("csv={encoded}").as_bytes());
            (decoded.needed("csv")?.to_owned(), false)
        }
        // Browsers send line ends as two signs.
        None => (fields.needed("csv")?.replace("\r\n", "\n"), true),
    };
    if csv.len() > FILE {
        return Err(ProblemDocument::too_large(
            "the file is too large for a page; `epms people import FILE` takes it",
        ));
    }
    Ok((csv, dry_run))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Fields {
        Fields::read(text.as_bytes())
    }

    #[test]
    fn only_who_types_what_it_is_about_goes_on() {
        assert_eq!(confirmed(&read("confirm=+p17+"), "p17"), Ok(()));
        for wrong in ["", "confirm=", "confirm=p1", "confirm=P17", "id=p17"] {
            let problem = confirmed(&read(wrong), "p17").unwrap_err();
            assert_eq!(problem.status, 400, "{wrong}");
        }
    }

    #[test]
    fn a_file_is_made_as_it_was_looked_at_to_the_letter() {
        let odd = "a,b\n\u{feff}x\t\u{202e},\"&+%20=\"\n";
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let looked = form.append_pair("csv", &odd.replace('\n', "\r\n")).finish();
        assert_eq!(file(&read(&looked)), Ok((odd.to_owned(), true)));
        let shown = part(odd);
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let made = form.append_pair("encoded", &shown).finish();
        assert_eq!(file(&read(&made)), Ok((odd.to_owned(), false)));
        let large = format!("csv={}", "x".repeat(FILE + 1));
        assert_eq!(file(&read(&large)).unwrap_err().status, 413);
        assert_eq!(file(&read("csv=")).unwrap_err().status, 400);
    }
}
