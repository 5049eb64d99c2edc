//! The set-up steps in the product's order: connector, credential, properties, statuses, switch on.

use crate::config::{Connector, File, Files, Home, Integration, nearest};

use super::super::{Exit, Failure};
use super::account::{account, new_stem, of};
use super::ask::{Dialog, Question};
use super::text::NewIntegration;
use super::{IntegrationArguments, answer, look};

/// What is to be written.
pub(super) struct Plan {
    /// The text of the credential's file, where it is a new one.
    pub(super) credential: Option<String>,
    pub(super) integration: NewIntegration,
}

/// Asks for all that the flags leave open.
pub(super) async fn plan(
    arguments: &IntegrationArguments,
    home: &Home,
    dialog: &mut Dialog<'_, '_>,
) -> Result<Plan, Failure> {
    let files = Files::read(home);
    let connector = connector(arguments, home, &files, dialog)?;
    let account = account(arguments, home, &files, connector, dialog)?;
    let mut look = look::Look::new(home, account.file, &account.name, &account.credential);

    let pms_properties = properties(arguments, &mut look, dialog).await?;
    for property in &pms_properties {
        free(&files, &account.name, property)?;
    }
    let known = look.name_of(&pms_properties);
    let name = dialog.answer(
        arguments.name.as_deref(),
        Question {
            flag: "--name",
            text: "name of the property here",
            default: known.as_deref(),
        },
        answer::filled,
    )?;
    let id = dialog.answer(
        arguments.id.as_deref(),
        Question {
            flag: "--id",
            text: "id of the integration",
            default: answer::slug(&name).as_deref(),
        },
        |id| new_stem(home, "integrations", id),
    )?;
    let timezone = dialog.answer(
        arguments.timezone.as_deref(),
        Question {
            flag: "--timezone",
            text: "time zone of the property, such as America/New_York",
            default: None,
        },
        answer::timezone,
    )?;
    let country = dialog.answer(
        arguments.country.as_deref(),
        Question {
            flag: "--country",
            text: "country of the property",
            default: Some("US"),
        },
        answer::country,
    )?;
    let exclude_statuses = statuses(arguments, &mut look, &pms_properties, dialog).await?;
    let enabled = dialog.answer(
        arguments.disabled.then_some("n"),
        Question {
            flag: "--disabled",
            text: "switch it on",
            default: Some("y"),
        },
        answer::yes,
    )?;
    Ok(Plan {
        credential: account.text,
        integration: NewIntegration {
            id,
            name,
            timezone,
            country,
            credential: account.name,
            pms_properties,
            exclude_statuses,
            enabled,
        },
    })
}

/// The connector by its name; none where an existing credential says it.
fn connector<'a>(
    arguments: &IntegrationArguments,
    home: &Home,
    files: &'a Files,
    dialog: &mut Dialog<'_, '_>,
) -> Result<Option<(&'a str, &'a File<Connector>)>, Failure> {
    let existing = arguments
        .credential
        .as_deref()
        .is_some_and(|name| files.credentials.contains_key(name.trim()));
    if existing && arguments.connector.is_none() {
        return Ok(None);
    }
    let names: Vec<&str> = files.connectors.keys().map(String::as_str).collect();
    if names.is_empty() {
        let told = format!(
            "there are no connectors in {}; name a home that has some with --home",
            home.config().join("connectors").display()
        );
        return Err(Failure::other(Exit::Invalid, told));
    }
    let list = names.join(", ");
    let text = format!("connector ({list})");
    let question = Question {
        flag: "--connector",
        text: &text,
        default: None,
    };
    let name = dialog.answer(arguments.connector.as_deref(), question, |name| {
        let name = name.trim();
        if names.contains(&name) {
            return Ok(name.to_owned());
        }
        let near = nearest(name, &names).map_or_else(
            || format!("there are: {list}"),
            |near| format!("did you mean `{near}`?"),
        );
        Err(format!("there is no connector `{name}`; {near}"))
    })?;
    of(&files.connectors, &name).map(Some)
}

async fn properties(
    arguments: &IntegrationArguments,
    look: &mut look::Look<'_>,
    dialog: &mut Dialog<'_, '_>,
) -> Result<Vec<String>, Failure> {
    let given = answer::unique(arguments.pms_properties.iter().map(String::as_str));
    if !given.is_empty() {
        return Ok(given);
    }
    if dialog.is_open() {
        dialog.say("asking the PMS for its properties …")?;
        let told = look.properties().await;
        dialog.say(&told)?;
    }
    let known = look.properties_seen();
    let question = Question {
        flag: "--pms-property",
        text: "ids of the PMS's properties that feed it, with commas between them",
        // Where there is only one, it is meant.
        default: match known.as_slice() {
            [(only, _)] => Some(*only),
            _ => None,
        },
    };
    seen_or_kept(dialog, question, &known, |text| match answer::parts(text) {
        parts if parts.is_empty() => Err("is empty; write at least one id".into()),
        parts => Ok(parts),
    })
}

async fn statuses(
    arguments: &IntegrationArguments,
    look: &mut look::Look<'_>,
    properties: &[String],
    dialog: &mut Dialog<'_, '_>,
) -> Result<Vec<String>, Failure> {
    let given = answer::unique(arguments.exclude_statuses.iter().map(String::as_str));
    if !given.is_empty() {
        return Ok(given);
    }
    if dialog.is_open() {
        dialog.say("asking the PMS for the statuses in use …")?;
        let told = look.statuses(properties).await;
        dialog.say(&told)?;
    }
    let question = Question {
        flag: "--exclude-status",
        text: "words of status that are never pulled, with commas between them (empty: none)",
        default: Some(""),
    };
    let known: Vec<(&str, &str)> = look.words_seen().into_iter().map(|one| (one, "")).collect();
    seen_or_kept(dialog, question, &known, |text| Ok(answer::parts(text)))
}

/// Asks, and again where the PMS has nothing of that name: it may be a slip, and it may be right all the same. Whoever writes
/// what the PMS calls something is told its id.
fn seen_or_kept(
    dialog: &mut Dialog<'_, '_>,
    question: Question<'_>,
    known: &[(&str, &str)],
    check: impl Fn(&str) -> Result<Vec<String>, String>,
) -> Result<Vec<String>, Failure> {
    let mut answered = dialog.answer(None, question, &check)?;
    let ids: Vec<&str> = known.iter().map(|(id, _)| *id).collect();
    let called = |part: &str| {
        let mut all = known.iter();
        all.find(|(_, name)| name.trim().eq_ignore_ascii_case(part))
            .map(|(id, _)| *id)
    };
    loop {
        let is_known = |part: &str| {
            ids.iter()
                .any(|word| word.trim().eq_ignore_ascii_case(part))
        };
        let strange: Vec<&String> = answered.iter().filter(|part| !is_known(part)).collect();
        if !dialog.is_open() || known.is_empty() || strange.is_empty() {
            return Ok(answered);
        }
        for part in strange {
            let near = called(part).or_else(|| nearest(part, &ids));
            let near = near.map_or_else(String::new, |near| format!(" did you mean `{near}`?"));
            dialog.say(&format!(
                "  the PMS shows no `{part}` now;{near} Enter keeps it"
            ))?;
        }
        let default = answered.join(", ");
        let question = Question {
            default: Some(&default),
            ..question
        };
        let again = dialog.answer(None, question, &check)?;
        if again == answered {
            return Ok(again);
        }
        answered = again;
    }
}

/// A PMS property feeds one integration: a second one would put the first out of use.
fn free(files: &Files, credential: &str, property: &str) -> Result<(), Failure> {
    let taken = |one: &Integration| {
        one.credential == credential && one.pms_properties.iter().any(|known| known == property)
    };
    let other = files
        .integrations
        .iter()
        .find(|(_, read)| read.as_ref().is_ok_and(|file| taken(&file.value)));
    match other {
        None => Ok(()),
        Some((id, _)) => Err(Failure::other(
            Exit::Invalid,
            format!(
                "`{property}` feeds the integration `{id}` already; give another --pms-property"
            ),
        )),
    }
}
