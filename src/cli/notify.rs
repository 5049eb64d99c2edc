//! `epms notify test`: whether those who are to be told of what is wrong can be told.

use clap::{Args, Subcommand};

use crate::control::client::Client;
use crate::control::protocol::{NotifyTest, NotifyTested};

use super::table::{Cell, Column, Table, Tone};
use super::view::View;
use super::{Exit, Failure, Screen};

/// What to do with notifications.
#[derive(Debug, Subcommand)]
pub enum NotifyVerb {
    /// send a test to all who are told, at once and whatever the hour
    ///
    /// The daemon sends it, with its own secrets and by the file that is in effect. Ends with 1 when somebody
    /// could not be told.
    #[command(verbatim_doc_comment)]
    Test(TestArguments),
}

/// Whom to tell.
#[derive(Debug, Args)]
#[command(after_help = "\
examples
  epms notify test
  epms notify test office")]
pub struct TestArguments {
    /// only this notification, by its name in config/epms.yaml
    pub name: Option<String>,
}

pub(super) async fn run(
    verb: &NotifyVerb,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let NotifyVerb::Test(arguments) = verb;
    let asked = NotifyTest {
        name: arguments.name.clone(),
    };
    let tested = client.notify_test(&asked).await?;
    screen.show(json, &tested, shown)?;
    let mut all = tested.notifications.iter().flat_map(|one| &one.recipients);
    Ok(if all.any(|one| one.error.is_some()) {
        Exit::Failed
    } else {
        Exit::Done
    })
}

fn shown(tested: &NotifyTested, view: &View) -> String {
    let mut table = Table::new([
        ("NAME", Column::Whole),
        ("WAY", Column::Whole),
        ("TO", Column::Cut),
        ("OUTCOME", Column::Wrap),
    ]);
    for one in &tested.notifications {
        for recipient in &one.recipients {
            let outcome = match &recipient.error {
                None => Cell::new("told", Tone::Plain),
                Some(error) => Cell::new(error, Tone::Attention),
            };
            table.row([
                one.name.as_str().into(),
                one.way.as_str().into(),
                recipient.to.as_str().into(),
                outcome,
            ]);
        }
    }
    table.render(view)
}
