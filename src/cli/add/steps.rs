//! The set-up steps in the product's order: connector, credential, properties, statuses, switch on.

use jiff::Timestamp;

use crate::config::{Files, Home, Integration, nearest};
use crate::setup::{Draft, NewIntegration, answer, text};

use super::super::next::Step;
use super::super::{Exit, Failure};
use super::account::{Account, Of, account, new_stem};
use super::ask::{Dialog, Question};
use super::look::Listing;
use super::{IntegrationArguments, NewFile, Plan, look, many};

/// Asks for all that the flags leave open.
pub(super) async fn plan(
    arguments: &IntegrationArguments,
    home: &Home,
    dialog: &mut Dialog<'_, '_>,
) -> Result<Plan, Failure> {
    let files = Files::read(home);
    let account = account(&arguments.account, Of::Pms, home, &files, dialog)?;
    for note in &account.file.value.notes {
        dialog.say(&format!("  note: {note}"))?;
    }
    if arguments.all {
        return Box::pin(many::plan(arguments, home, &files, account, dialog)).await;
    }
    let draft = draft(home, &account);
    let (listing, pms_properties) = properties(arguments, draft, dialog).await?;
    for property in &pms_properties {
        free(&files, &account.name, property)?;
    }
    let known = listing.name_of(&pms_properties);
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
    let defaults = account.credential.defaults.clone();
    let timezone = timezone(arguments, defaults.timezone.as_deref(), dialog)?;
    let country = country(arguments, dialog)?;
    let exclude_statuses = statuses(
        arguments,
        draft,
        &pms_properties,
        &defaults.exclude_statuses,
        dialog,
    )
    .await?;
    let enabled = enabled(arguments, dialog)?;
    // Who answers nothing leaves them to the credential, where that has any.
    let are_of_credential = exclude_statuses.is_empty() && !defaults.exclude_statuses.is_empty();
    let new = NewIntegration {
        id,
        name,
        timezone: Some(timezone),
        country,
        credential: account.name,
        pms_properties,
        exclude_statuses: Some(exclude_statuses).filter(|_| !are_of_credential),
        enabled,
    };
    let new = new.inheriting(&defaults);
    Ok(Plan {
        files: vec![new_file(&new)],
        next: next(&new),
        notes: account.file.value.notes.clone(),
        credential: account.text.map(|text| (new.credential, text)),
        secrets: account.pasted,
        is_one: true,
    })
}

/// The account, as a look into its PMS needs it.
pub(super) fn draft<'a>(home: &'a Home, account: &'a Account<'_>) -> Draft<'a> {
    Draft {
        home,
        connector: account.file,
        name: &account.name,
        credential: &account.credential,
        now: Timestamp::now(),
        reader: None,
    }
}

/// The file of an integration.
pub(super) fn new_file(new: &NewIntegration) -> NewFile {
    NewFile {
        id: new.id.clone(),
        name: format!("config/integrations/{}.yaml", new.id).into(),
        text: text::integration(new),
    }
}

/// The time zone: with nobody to ask that of the credential's `defaults`, which is proposed else.
pub(super) fn timezone(
    arguments: &IntegrationArguments,
    proposed: Option<&str>,
    dialog: &mut Dialog<'_, '_>,
) -> Result<String, Failure> {
    let question = Question {
        flag: "--timezone",
        text: "time zone of the property, such as America/New_York",
        default: proposed,
    };
    dialog.answer(arguments.timezone.as_deref(), question, answer::timezone)
}

pub(super) fn country(
    arguments: &IntegrationArguments,
    dialog: &mut Dialog<'_, '_>,
) -> Result<String, Failure> {
    let question = Question {
        flag: "--country",
        text: "country of the property",
        default: Some("US"),
    };
    dialog.answer(arguments.country.as_deref(), question, answer::country)
}

pub(super) fn enabled(
    arguments: &IntegrationArguments,
    dialog: &mut Dialog<'_, '_>,
) -> Result<bool, Failure> {
    let question = Question {
        flag: "--disabled",
        text: "switch it on",
        default: Some("y"),
    };
    dialog.answer(arguments.disabled.then_some("n"), question, answer::yes)
}

pub(super) fn next(new: &NewIntegration) -> Vec<Step> {
    let id = &new.id;
    let mut next = vec![Step::new(
        format!("epms doctor {id}"),
        "see whether the PMS lets us in, and this machine is ready",
    )];
    if new.enabled {
        next.push(Step::new(
            "epms run",
            "the daemon; one that runs already takes the new files in by itself",
        ));
        next.push(Step::new(
            format!("epms sync {id}"),
            "sync it now, and see what came",
        ));
    } else {
        let file = format!("config/integrations/{id}.yaml");
        let step = format!("write `enabled: true` in {file} to switch it on");
        next.push(Step::new(step, ""));
    }
    next
}

async fn properties(
    arguments: &IntegrationArguments,
    draft: Draft<'_>,
    dialog: &mut Dialog<'_, '_>,
) -> Result<(Listing, Vec<String>), Failure> {
    let given = answer::unique(arguments.pms_properties.iter().map(String::as_str));
    if !given.is_empty() {
        return Ok((Listing::default(), given));
    }
    let mut listing = Listing::default();
    if dialog.is_open() {
        dialog.say("asking the PMS for its properties …")?;
        listing = look::properties(draft, &mut dialog.answers.seen).await;
        dialog.say(&listing.told)?;
    }
    let known = listing.known();
    let question = Question {
        flag: "--pms-property",
        text: "ids of the PMS's properties that feed it, with commas between them",
        // Where there is only one, it is meant.
        default: match known.as_slice() {
            [(only, _)] => Some(*only),
            _ => None,
        },
    };
    let check = |text: &str| match answer::parts(text) {
        parts if parts.is_empty() => Err("is empty; write at least one id".into()),
        parts => Ok(parts),
    };
    let answered = seen_or_kept(dialog, "PMS", question, &known, check)?;
    Ok((listing, answered))
}

async fn statuses(
    arguments: &IntegrationArguments,
    draft: Draft<'_>,
    properties: &[String],
    of_credential: &[String],
    dialog: &mut Dialog<'_, '_>,
) -> Result<Vec<String>, Failure> {
    let given = answer::unique(arguments.exclude_statuses.iter().map(String::as_str));
    if !given.is_empty() {
        return Ok(given);
    }
    let mut listing = Listing::default();
    if dialog.is_open() {
        dialog.say("asking the PMS for the statuses in use …")?;
        listing = look::statuses(draft, properties, &mut dialog.answers.seen).await;
        dialog.say(&listing.told)?;
    }
    let defaults = of_credential.join(", ");
    let text = if of_credential.is_empty() {
        "words of status that are never pulled, with commas between them (empty: none)".to_owned()
    } else {
        format!(
            "words of status that are never pulled, with commas between them (empty: those of the credential's defaults, {defaults})"
        )
    };
    let question = Question {
        flag: "--exclude-status",
        text: &text,
        default: Some(""),
    };
    seen_or_kept(dialog, "PMS", question, &listing.known(), |text| {
        Ok(answer::parts(text))
    })
}

/// Asks, and again where what is asked there (`whose`: the PMS, a target) has nothing of that name: it may be a slip, and it may be right all the same. Whoever writes
/// what the PMS calls something is told its id.
pub(super) fn seen_or_kept(
    dialog: &mut Dialog<'_, '_>,
    whose: &str,
    question: Question<'_>,
    known: &[(&str, &str)],
    check: impl Fn(&str) -> Result<Vec<String>, String>,
) -> Result<Vec<String>, Failure> {
    let mut answered = dialog.answer(None, question, &check)?;
    // It was held against what there is when it was answered.
    if dialog.answers.was_kept {
        return Ok(answered);
    }
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
                "  the {whose} shows no `{part}` now;{near} Enter keeps it"
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
