//! What is done to alerts by hand.

use crate::control::protocol::{AlertAct, ProblemDocument};
use crate::control::server::{Answer, Backend};
use crate::model::{ActId, AlertId, AlertKind, DismissMany, IntegrationId, Resolution};

use super::super::Next;
use super::super::asked::Asked;
use super::super::fields::Fields;
use super::super::said::then;

async fn to_alert<B: Backend>(asked: &Asked<B>, act: AlertAct) -> Answer<(AlertId, ActId)> {
    let alert: AlertId = asked.id("id")?;
    let done = asked.backend().to_alert(alert, act, asked.peer()).await?;
    Ok((alert, done.act))
}

async fn act<B: Backend>(asked: Asked<B>, act: AlertAct, word: &str) -> Answer<Next> {
    // It is undone from the alert's own page.
    let (alert, _) = to_alert(&asked, act).await?;
    Ok(then(&format!("/alerts/{alert}"), word, ""))
}

pub(super) async fn resolve<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let resolution = resolution(&fields)?;
    act(asked, AlertAct::Resolve(resolution), "resolved").await
}

/// The way that a form names.
fn resolution(fields: &Fields) -> Answer<Resolution> {
    Ok(match fields.needed("how")? {
        "merge" => Resolution::Merge {
            into: fields.parsed("into")?,
        },
        "create_separate" => Resolution::CreateSeparate,
        "replace_email" => Resolution::ReplaceEmail,
        "not_duplicate" => Resolution::NotDuplicate,
        "same_person" => Resolution::SamePerson,
        "somebody_else" => Resolution::SomebodyElse,
        "map_unit" => Resolution::MapUnit {
            unit: fields.needed("unit")?.trim().to_owned(),
            force: fields.ticked("force"),
        },
        "admit" => Resolution::Admit,
        _ => {
            return Err(ProblemDocument::bad_request(
                "`how`: there is no such way; load the alert's page again",
            ));
        }
    })
}

pub(super) async fn dismiss<B: Backend>(asked: Asked<B>, _: Fields) -> Answer<Next> {
    act(asked, AlertAct::Dismiss, "dismissed").await
}

pub(super) async fn undo<B: Backend>(asked: Asked<B>, _: Fields) -> Answer<Next> {
    act(asked, AlertAct::Undo, "undone").await
}

pub(super) async fn comment<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    // Browsers send line ends as two signs.
    let text = fields.needed("text")?.replace("\r\n", "\n");
    act(asked, AlertAct::Comment(text), "commented").await
}

pub(super) async fn assign<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let to = fields.get("to").map(str::trim).filter(|to| !to.is_empty());
    let word = if to.is_some() {
        "assigned"
    } else {
        "unassigned"
    };
    let to = to.map(str::to_owned);
    act(asked, AlertAct::Assign(to), word).await
}

/// Dismisses all of a kind that were there when somebody looked.
pub(super) async fn dismiss_many<B: Backend>(asked: Asked<B>, fields: Fields) -> Answer<Next> {
    let kind: Option<AlertKind> = fields.word("kind")?;
    let kind = kind.ok_or_else(|| ProblemDocument::bad_request("`kind` is empty"))?;
    let many = DismissMany {
        kind,
        integration: fields.get("integration").map(IntegrationId::new),
        seen: Some(
            fields
                .parsed("seen")?
                .ok_or_else(|| ProblemDocument::bad_request("`seen` is empty"))?,
        ),
    };
    asked.backend().dismiss_many(many, asked.peer()).await?;
    Ok(then("/alerts", "dismissed-all", ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PersonId;

    #[test]
    fn a_form_names_one_way_with_what_it_needs() {
        let of = |text: &str| resolution(&Fields::read(text.as_bytes()));
        let into = Some(PersonId(7));
        assert_eq!(of("how=merge&into=p7"), Ok(Resolution::Merge { into }));
        assert_eq!(of("how=merge&into="), Ok(Resolution::Merge { into: None }));
        let unit = "12B".to_owned();
        assert_eq!(
            of("how=map_unit&unit=+12B&force=on"),
            Ok(Resolution::MapUnit { unit, force: true })
        );
        for wrong in ["", "how=", "how=erase", "how=map_unit", "how=merge&into=r7"] {
            assert_eq!(of(wrong).unwrap_err().status, 400, "{wrong}");
        }
    }
}
