//! `epms add integration --all`: an integration of each property of an account that feeds none yet. What each of them is called
//! is as the PMS has it; what all have in common is asked for once.

use std::collections::BTreeSet;

use crate::config::{Files, Home, nearest};
use crate::setup::{NewIntegration, OfAccount, answer, called, common_zone, free_id, listed};

use super::super::next::Step;
use super::super::{Exit, Failure};
use super::account::Account;
use super::ask::{Dialog, Question};
use super::steps::{country, draft, enabled, new_file, timezone};
use super::{IntegrationArguments, NewFile, Plan};

/// The answer for all that there are.
const ALL: &str = "all";

/// Asks for what all of them have in common, as far as no flag says it.
pub(super) async fn plan(
    arguments: &IntegrationArguments,
    home: &Home,
    files: &Files,
    account: Account<'_>,
    dialog: &mut Dialog<'_, '_>,
) -> Result<Plan, Failure> {
    dialog.say("asking the PMS for its properties …")?;
    let found = properties(home, files, &account, dialog).await?;
    let chosen = chosen(arguments, &found, dialog)?;
    let defaults = &account.credential.defaults;
    let common = common_zone(files, &account.name);
    let proposed = defaults.timezone.as_deref().or(common.as_deref());
    let zone = timezone(arguments, proposed, dialog)?;
    let country = country(arguments, dialog)?;
    let given = answer::unique(arguments.exclude_statuses.iter().map(String::as_str));
    let exclude_statuses = match (given.is_empty(), defaults.exclude_statuses.is_empty()) {
        (true, false) => None,
        _ => Some(given),
    };
    let enabled = enabled(arguments, dialog)?;
    let mut taken: BTreeSet<String> = files.integrations.keys().cloned().collect();
    let mut new = Vec::new();
    for one in chosen {
        let id = free_id(one, &taken).ok_or_else(|| unnamed(one))?;
        taken.insert(id.clone());
        let one = NewIntegration {
            id,
            name: called(one).to_owned(),
            timezone: Some(zone.clone()),
            country: country.clone(),
            credential: account.name.clone(),
            pms_properties: vec![one.id.clone()],
            exclude_statuses: exclude_statuses.clone(),
            enabled,
        };
        new.push(one.inheriting(defaults));
    }
    let new_files: Vec<NewFile> = new.iter().map(new_file).collect();
    Ok(Plan {
        files: new_files,
        next: next(enabled, &account.name),
        notes: account.file.value.notes.clone(),
        credential: account.text.map(|text| (account.name, text)),
        secrets: account.pasted,
        is_one: false,
    })
}

/// The properties that feed no integration yet.
async fn properties(
    home: &Home,
    files: &Files,
    account: &Account<'_>,
    dialog: &mut Dialog<'_, '_>,
) -> Result<Vec<OfAccount>, Failure> {
    let seen = dialog.answers.of_account.take();
    let found = if let Some((_, found)) = seen.filter(|(of, _)| *of == account.credential) {
        found
    } else {
        let listed = listed(&draft(home, account), files).await;
        listed.map_err(|told| Failure::other(Exit::Failed, told))?
    };
    dialog.answers.of_account = Some((account.credential.clone(), found.clone()));
    let all = found.len();
    let free: Vec<OfAccount> = found
        .into_iter()
        .filter(|one| one.integration.is_none())
        .collect();
    if free.is_empty() {
        let told = match all {
            0 => "the PMS lists no properties; add one by `epms add integration --pms-property ID`, with the id that whoever runs it knows".to_owned(),
            all => format!("each of the {all} properties of this account feeds an integration already; nothing was written"),
        };
        return Err(Failure::other(Exit::Invalid, told));
    }
    Ok(free)
}

/// Those that somebody wants.
fn chosen<'f>(
    arguments: &IntegrationArguments,
    found: &'f [OfAccount],
    dialog: &mut Dialog<'_, '_>,
) -> Result<Vec<&'f OfAccount>, Failure> {
    for one in found {
        dialog.say(&format!("  {}  {}", one.id, one.name))?;
    }
    let given = (!arguments.only.is_empty()).then(|| arguments.only.join(","));
    let question = Question {
        flag: "--only",
        text: "which of them, by ids or names with commas between them",
        default: Some(ALL),
    };
    dialog.answer(given.as_deref(), question, |text| {
        if text.trim().eq_ignore_ascii_case(ALL) {
            return Ok(found.iter().collect());
        }
        let parts = answer::parts(text);
        if parts.is_empty() {
            return Err("is empty; write at least one id".to_owned());
        }
        let each = parts.iter().map(|part| wanted(part, found));
        let mut chosen: Vec<&OfAccount> = Vec::new();
        for one in each {
            let one = one?;
            if !chosen.contains(&one) {
                chosen.push(one);
            }
        }
        Ok(chosen)
    })
}

/// The property of an id, or of a name that only one has.
fn wanted<'f>(part: &str, found: &'f [OfAccount]) -> Result<&'f OfAccount, String> {
    if let Some(one) = found.iter().find(|one| one.id.eq_ignore_ascii_case(part)) {
        return Ok(one);
    }
    let is_called = |one: &&OfAccount| one.name.trim().eq_ignore_ascii_case(part);
    let mut called = found.iter().filter(is_called);
    match (called.next(), called.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(format!("several are called `{part}`; write the id")),
        (None, _) => {
            let ids: Vec<&str> = found.iter().map(|one| one.id.as_str()).collect();
            let near = nearest(part, &ids).map_or_else(
                || "`epms discover --credential` lists them".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            Err(format!(
                "the account has no property `{part}` that feeds nothing yet; {near}"
            ))
        }
    }
}

fn unnamed(one: &OfAccount) -> Failure {
    let told = format!(
        "no free name for a file can be made of `{}` and `{}`; add this one by itself, with --pms-property and --id, and the others with --only",
        called(one),
        one.id
    );
    Failure::other(Exit::Invalid, told)
}

fn next(enabled: bool, credential: &str) -> Vec<Step> {
    let mut next = vec![Step::new(
        format!("epms discover --credential {credential}"),
        "which property feeds which integration",
    )];
    next.push(Step::new(
        "epms doctor",
        "see whether the PMS lets us in to each",
    ));
    if enabled {
        next.push(Step::new(
            "epms run",
            "the daemon; one that runs already takes the new files in by itself",
        ));
    } else {
        let step = "write `enabled: true` in each file to switch it on";
        next.push(Step::new(step, ""));
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property(id: &str, name: &str) -> OfAccount {
        OfAccount {
            id: id.into(),
            name: name.into(),
            integration: None,
        }
    }

    #[test]
    fn one_is_meant_by_its_id_or_by_a_name_that_only_one_has() {
        let found = [
            property("p1", "Elm"),
            property("p2", "Oak"),
            property("p3", "Oak"),
        ];
        assert_eq!(wanted("P1", &found).unwrap().id, "p1");
        assert_eq!(wanted("elm", &found).unwrap().id, "p1");
        assert!(wanted("oak", &found).unwrap_err().contains("write the id"));
        let long = [property("4f1c-77a0", "Elm")];
        assert!(
            wanted("4f1c-77a1", &long)
                .unwrap_err()
                .contains("did you mean")
        );
    }
}
