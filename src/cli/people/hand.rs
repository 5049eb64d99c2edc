//! What is done to a person by hand: ties, locks, pins, fields, ends of stays, and undoing; and their whole history.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};

use crate::control::client::Client;
use crate::control::protocol::PersonAct;
use crate::model::{ActId, Change, Field, IntegrationId, PersonId, ProfileEdit};

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
    /// the resident's PMS id; to untie, its beginning or the person's id will do
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
    /// write fields of a person: first_name, last_name, email, phone
    ///
    /// The next run writes what the PMS has for whom it knows, unless the fields are locked. A
    /// field that is locked already is written all the same, and stays locked.
    #[command(
        verbatim_doc_comment,
        after_help = "\
examples
  epms people set p17 phone=+14155550100
  epms people set p17 email=ada@example.com last_name=Quill --lock
  epms people set p17 phone=                # no phone any more"
    )]
    Set {
        /// the person's id, such as p17
        person: PersonId,
        /// a field and its value; an empty one takes the value away
        #[arg(required = true, value_name = "FIELD=VALUE", value_parser = assignment)]
        fields: Vec<(Field, String)>,
        /// keep these fields so: no run overwrites them
        #[arg(long)]
        lock: bool,
    },
    /// end a stay that was made by hand: no feed ever says that it is over
    End {
        /// the person's id, such as p17
        person: PersonId,
        /// where the stay is, when there are several
        #[arg(long, value_name = "ID", value_parser = super::super::integration_id)]
        integration: Option<IntegrationId>,
    },
    /// undo something that was done by hand, while nothing newer touched the same
    ///
    /// `people history` shows the acts on a person, `alerts show` those on an alert.
    #[command(verbatim_doc_comment)]
    Undo {
        /// the act's id, such as x4
        act: ActId,
    },
}

/// The fields that can be written by hand.
const WRITTEN: [Field; 4] = [
    Field::FirstName,
    Field::LastName,
    Field::Email,
    Field::Phone,
];

/// A field and the value that it is to have.
fn assignment(text: &str) -> Result<(Field, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("is no FIELD=VALUE, such as phone=+14155550100")?;
    let mut fields = WRITTEN.into_iter();
    let field = fields.find(|field| field.as_str() == name);
    let field = field.ok_or_else(|| {
        let words: Vec<&str> = WRITTEN.iter().map(|field| field.as_str()).collect();
        format!(
            "`{name}` cannot be written by hand; {} can",
            words.join(", ")
        )
    })?;
    Ok((field, value.to_owned()))
}

/// What is written; each field once.
fn edit(fields: &[(Field, String)], lock: bool) -> Result<ProfileEdit, Failure> {
    let mut edit = ProfileEdit {
        lock,
        ..ProfileEdit::default()
    };
    for (field, value) in fields {
        let place = match field {
            Field::FirstName => &mut edit.first_name,
            Field::LastName => &mut edit.last_name,
            Field::Email => &mut edit.email,
            _ => &mut edit.phone,
        };
        if place.replace(value.clone()).is_some() {
            let told = format!("{field} stands there twice; name it once");
            return Err(Failure::other(Exit::Invalid, told));
        }
    }
    Ok(edit)
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
        HandVerb::Set {
            person,
            fields,
            lock,
        } => (*person, PersonAct::Set(edit(fields, *lock)?)),
        HandVerb::End {
            person,
            integration,
        } => (*person, PersonAct::End(integration.clone())),
        HandVerb::Undo { act } => {
            let done = client.undo_act(*act).await?;
            screen.show(json, &done, done::show)?;
            return Ok(Exit::Done);
        }
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
