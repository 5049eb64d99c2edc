//! What is done to a person by hand: ties, locks, pins; and their whole history.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};

use crate::control::client::Client;
use crate::control::protocol::PersonAct;
use crate::model::{Change, Field, IntegrationId, PersonId};

use super::super::pages::{self, Length};
use super::super::view::View;
use super::super::{Exit, Failure, Screen, done};

/// A resident of an integration, and a person.
#[derive(Debug, Clone, Args)]
pub struct Tie {
    /// the person's id, such as p17
    pub person: PersonId,
    /// the integration: the name of a file in config/integrations, without .yaml
    #[arg(value_parser = super::super::integration_id)]
    pub integration: IntegrationId,
    /// the resident's PMS id
    pub resident: String,
}

/// Fields of a person.
#[derive(Debug, Clone, Args)]
pub struct Locks {
    /// the person's id, such as p17
    pub person: PersonId,
    /// the fields, such as email or lease_end
    #[arg(required = true, value_parser = field)]
    pub fields: Vec<Field>,
}

/// What to do to a person.
#[derive(Debug, Subcommand)]
pub enum HandVerb {
    /// everything that happened to a person, newest first
    History {
        /// the person's id, such as p17
        person: PersonId,
        /// How many.
        #[command(flatten)]
        length: Length,
    },
    /// tie a resident of the PMS to a person
    Link(Tie),
    /// untie a resident from a person; the next run flags them instead of tying them again
    ///
    /// Where no other resident of the person is at that property, their stay ends.
    #[command(verbatim_doc_comment)]
    Unlink(Tie),
    /// keep fields as they are: no run overwrites them
    Lock(Locks),
    /// give fields back to the PMS
    Unlock(Locks),
    /// do not sync this person: no run writes to them, nor closes their stay
    Pin {
        /// the person's id, such as p17
        person: PersonId,
    },
    /// sync this person again
    Unpin {
        /// the person's id, such as p17
        person: PersonId,
    },
}

/// A field by its name in JSON.
fn field(text: &str) -> Result<Field, String> {
    serde_json::from_value(serde_json::Value::from(text)).map_err(|error| error.to_string())
}

pub(super) async fn run(
    verb: &HandVerb,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let set = |fields: &[Field]| fields.iter().copied().collect::<BTreeSet<_>>();
    let (person, act) = match verb {
        HandVerb::History { person, length } => {
            let page = pages::read(length, async |cut| client.history(*person, &cut).await);
            screen.show(json, &page.await?, |page, view| {
                let mut text = history(&page.items, view);
                text += &pages::more(page.items.len(), page.next.as_deref());
                text
            })?;
            return Ok(Exit::Done);
        }
        HandVerb::Link(tie) => (
            tie.person,
            PersonAct::Link(tie.integration.clone(), tie.resident.clone()),
        ),
        HandVerb::Unlink(tie) => (
            tie.person,
            PersonAct::Unlink(tie.integration.clone(), tie.resident.clone()),
        ),
        HandVerb::Lock(locks) => (locks.person, PersonAct::Lock(set(&locks.fields))),
        HandVerb::Unlock(locks) => (locks.person, PersonAct::Unlock(set(&locks.fields))),
        HandVerb::Pin { person } => (*person, PersonAct::Pin),
        HandVerb::Unpin { person } => (*person, PersonAct::Unpin),
    };
    let done = client.to_person(person, &act).await?;
    screen.show(json, &done, done::show)?;
    Ok(Exit::Done)
}

fn history(changes: &[Change], view: &View) -> String {
    if changes.is_empty() {
        return "nothing has happened to this person\n".to_owned();
    }
    super::changes(changes, view)
}
