//! The answers to the steps of a set-up: each is checked as `epms add integration` checks it, and kept as it was given, so that
//! whoever is told what is wrong finds it there. Reads files; asks no PMS.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::config::{Files, Zeroizing};
use crate::control::setup::{SetupAnswer, SetupDetails, SetupStep, Typed};
use crate::daemon::drafts::Draft;
use crate::setup::account::{fits, in_order};
use crate::setup::edit::{Edit, To};
use crate::setup::{Pasted, answer, common_zone, new_file};

use super::{Around, plan};

/// No secret is longer.
const LONGEST: usize = 64 * 1024;

/// Takes an answer, and says at which step it goes on: at the same one, where something is wrong with it.
pub(super) fn taken(draft: &mut Draft, given: SetupAnswer, around: &Around) -> SetupStep {
    let files = Files::read(&around.home);
    let (step, done) = match given {
        SetupAnswer::Pms(name) => (SetupStep::Pms, pms(draft, name, &files)),
        SetupAnswer::Known(name) => (SetupStep::Credential, known(draft, name, &files)),
        SetupAnswer::New {
            name,
            fields,
            secrets,
        } => (
            SetupStep::Credential,
            new(draft, &name, fields, secrets, around, &files),
        ),
        SetupAnswer::Properties { ids, typed, each } => (
            SetupStep::Properties,
            properties(draft, ids, &typed, each, &files),
        ),
        SetupAnswer::Details { details, look } => {
            let next = of_place(draft, details, around);
            let is_there = draft.integration.is_some();
            let next = next.map(|next| {
                if look && is_there {
                    SetupStep::Preview
                } else {
                    next
                }
            });
            (SetupStep::Details, next)
        }
        SetupAnswer::Statuses {
            words,
            typed,
            shown,
        } => (
            SetupStep::Statuses,
            Ok(statuses(draft, words, &typed, shown, &files)),
        ),
        _ => (draft.reached, Ok(draft.reached)),
    };
    match done {
        Ok(next) => next,
        Err(told) => {
            draft.trouble = Some((step, told));
            step
        }
    }
}

fn pms(draft: &mut Draft, name: String, files: &Files) -> Result<SetupStep, String> {
    match files.connectors.get(&name) {
        Some(Ok(file)) if file.value.target.is_none() => {}
        Some(Ok(_)) => return Err(format!("the connector `{name}` delivers, and reads no PMS")),
        Some(Err(_)) => {
            return Err(format!(
                "config/connectors/{name}.yaml is not right; `epms check` says what is wrong with it"
            ));
        }
        None if name.is_empty() => return Err("choose one".to_owned()),
        None => return Err(format!("there is no connector `{name}`")),
    }
    if draft.connector != name {
        *draft = Draft {
            connector: name,
            ..Draft::default()
        };
        let of_it = |file: &crate::config::File<crate::config::Credential>| {
            file.value.connector == draft.connector
        };
        let mut all = files.credentials.iter();
        let first = all.find(|(_, read)| read.as_ref().is_ok_and(of_it));
        draft.is_new = first.is_none();
        draft.credential = first.map_or_else(|| draft.connector.clone(), |(name, _)| name.clone());
    }
    Ok(SetupStep::Credential)
}

/// Whatever was seen by another account counts no longer.
fn other_account(draft: &mut Draft) {
    draft.listed = None;
    draft.counted = None;
    draft.foreseen = None;
    draft.statuses = None;
}

fn known(draft: &mut Draft, name: String, files: &Files) -> Result<SetupStep, String> {
    match files.credentials.get(&name) {
        Some(Ok(file)) if file.value.connector == draft.connector => {}
        Some(Ok(file)) => {
            return Err(format!(
                "the credential `{name}` is for the connector `{}`",
                file.value.connector
            ));
        }
        Some(Err(_)) => {
            return Err(format!(
                "config/credentials/{name}.yaml is not right; `epms check` says what is wrong with it"
            ));
        }
        None => return Err(format!("there is no credential `{name}`")),
    }
    if draft.is_new || draft.credential != name || matches!(draft.listed, Some(Err(_))) {
        other_account(draft);
    }
    draft.is_new = false;
    draft.credential = name;
    draft.secrets = BTreeMap::new();
    Ok(SetupStep::Properties)
}

fn new(
    draft: &mut Draft,
    name: &str,
    fields: Vec<(String, String)>,
    secrets: Vec<(String, Typed)>,
    around: &Around,
    files: &Files,
) -> Result<SetupStep, String> {
    let Some(Ok(file)) = files.connectors.get(&draft.connector) else {
        return Err(format!(
            "the connector `{}` cannot be used",
            draft.connector
        ));
    };
    let as_before = (draft.is_new, draft.credential.clone(), draft.fields.clone());
    draft.is_new = true;
    name.trim().clone_into(&mut draft.credential);
    let told: BTreeMap<String, String> = fields.into_iter().collect();
    let typed: BTreeMap<String, Typed> = secrets.into_iter().collect();
    let stem = plan::new_stem(around, "credentials", name);
    let (mut wrong, mut missing) = (None, Vec::new());
    let before = std::mem::take(&mut draft.secrets);
    draft.fields = BTreeMap::new();
    for (field, asked) in in_order(file) {
        if asked.secret {
            let new = typed.get(field).map(|Typed(text)| text.trim_end());
            let new = new.filter(|text| !text.is_empty());
            let kept = before.get(field);
            let secret = match (new, kept) {
                (Some(new), _) => Some(Zeroizing::new(new.to_owned())),
                (None, Some(kept)) => Some(kept.secret.clone()),
                (None, None) => None,
            };
            match secret {
                Some(secret) if secret.len() > LONGEST => {
                    wrong
                        .get_or_insert(format!("`{field}` is longer than 64 KiB, as no secret is"));
                }
                Some(secret) => {
                    let place = new_file(&around.home, &draft.credential, field);
                    match Pasted::new(place, secret) {
                        Ok(pasted) => {
                            draft.secrets.insert(field.to_owned(), Arc::new(pasted));
                        }
                        Err(error) => {
                            wrong.get_or_insert(format!("`{field}` cannot be kept: {error}"));
                        }
                    }
                }
                None if asked.default.is_none() => missing.push(field.to_owned()),
                None => {}
            }
            continue;
        }
        let value = told.get(field).map_or("", |value| value.trim());
        let default = asked.default.as_deref();
        if value.is_empty() {
            if default.is_none() {
                missing.push(field.to_owned());
            }
            continue;
        }
        if let Err(why) = fits(&file.value, field, value) {
            wrong.get_or_insert(format!("`{field}`: {why}"));
        }
        // The connector's own default is left to it.
        if Some(value) != default {
            draft.fields.insert(field.to_owned(), value.to_owned());
        }
    }
    // What was answered after it stays where the account is the same.
    let is_same = typed.values().all(|Typed(text)| text.is_empty())
        && as_before == (true, draft.credential.clone(), draft.fields.clone());
    if !is_same || matches!(draft.listed, Some(Err(_))) {
        other_account(draft);
    }
    draft.credential = stem?;
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    if !missing.is_empty() {
        return Err(format!("fill in {}", missing.join(", ")));
    }
    Ok(SetupStep::Properties)
}

fn properties(
    draft: &mut Draft,
    ids: Vec<String>,
    typed: &str,
    each: bool,
    files: &Files,
) -> Result<SetupStep, String> {
    let typed = answer::parts(&typed.replace(['\n', '\r'], ","));
    let all = answer::unique(ids.iter().chain(&typed).map(String::as_str));
    if draft.properties != all {
        draft.counted = None;
        draft.foreseen = None;
    }
    draft.properties.clone_from(&all);
    draft.each = each && all.len() > 1;
    if all.is_empty() {
        return Err("choose at least one property".to_owned());
    }
    let own = draft.integration.as_ref();
    for (id, read) in &files.integrations {
        let Ok(file) = read else { continue };
        let is_own = own.is_some_and(|own| own.as_str() == id);
        let feeds = |property: &&String| file.value.pms_properties.contains(property);
        if let Some(taken) = all.iter().find(feeds)
            && file.value.credential == draft.credential
            && !is_own
        {
            return Err(format!(
                "`{taken}` feeds the integration `{id}` already; leave it out"
            ));
        }
    }
    if own.is_some() {
        return Ok(SetupStep::Statuses);
    }
    propose(draft, files);
    Ok(SetupStep::Details)
}

/// What is proposed for the place, where nothing was said of it yet.
fn propose(draft: &mut Draft, files: &Files) {
    let known = match plan::of_account(draft).as_slice() {
        [only] => only.name.trim().to_owned(),
        _ => String::new(),
    };
    let defaults = plan::defaults(draft, files);
    let common = common_zone(files, &draft.credential);
    // Machines are kept in UTC, and properties are not.
    let here = TimeZone::system().iana_name().map(str::to_owned);
    let here = here.filter(|zone| zone.contains('/') && !zone.starts_with("Etc/"));
    let details = &mut draft.details;
    let was_proposed = details.name == draft.details_before.name;
    if was_proposed {
        details.name.clone_from(&known);
        details.id = answer::slug(&known)
            .filter(|id| !files.integrations.contains_key(id))
            .unwrap_or_default();
        draft.details_before.name = known;
    }
    if details.timezone.is_empty() {
        let zone = defaults.timezone.or(common).or(here);
        details.timezone = zone.unwrap_or_default();
    }
    if details.country.is_empty() {
        "US".clone_into(&mut details.country);
    }
}

fn of_place(draft: &mut Draft, given: SetupDetails, around: &Around) -> Result<SetupStep, String> {
    draft.foreseen = None;
    let trimmed = |text: String| text.trim().to_owned();
    let mut details = SetupDetails {
        name: trimmed(given.name),
        id: trimmed(given.id),
        timezone: trimmed(given.timezone),
        country: trimmed(given.country),
        enabled: given.enabled,
        every: trimmed(given.every),
        limit: trimmed(given.limit),
        percent: trimmed(given.percent),
        window: trimmed(given.window),
        newcomers: trimmed(given.newcomers),
    };
    let is_there = draft.integration.is_some();
    if !draft.each && !is_there && details.id.is_empty() {
        details.id = answer::slug(&details.name).unwrap_or_default();
    }
    draft.details = details.clone();
    details.timezone =
        answer::timezone(&details.timezone).map_err(|told| format!("time zone: {told}"))?;
    details.country =
        answer::country(&details.country).map_err(|told| format!("country: {told}"))?;
    if !draft.each {
        answer::filled(&details.name).map_err(|told| format!("name: {told}"))?;
    }
    if is_there {
        for (field, told, what) in [
            ("schedule.every", &details.every, "how often"),
            ("guard.limit", &details.limit, "people"),
            ("guard.percent", &details.percent, "percent"),
            ("guard.window", &details.window, "summed up over"),
            ("guard.newcomers", &details.newcomers, "newcomers"),
        ] {
            if told.is_empty() {
                continue;
            }
            let to = To::Plain(told.clone());
            // What is no plain word would be more than a value.
            let is_plain = told.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
            let fits = if is_plain {
                super::fits(&Edit { field, to }.line())
            } else {
                Err("write a number, or a time such as `30m`".to_owned())
            };
            fits.map_err(|why| format!("{what}: {why}"))?;
        }
        draft.details = details;
        return Ok(SetupStep::Properties);
    }
    if !draft.each {
        details.id = plan::new_stem(around, "integrations", &details.id)?;
    }
    draft.details = details;
    Ok(SetupStep::Statuses)
}

fn statuses(
    draft: &mut Draft,
    words: Vec<String>,
    typed: &str,
    shown: bool,
    files: &Files,
) -> SetupStep {
    let typed = answer::parts(&typed.replace(['\n', '\r'], ","));
    let all = answer::unique(words.iter().chain(&typed).map(String::as_str));
    draft.foreseen = None;
    let known = plan::words(draft, files);
    // What nobody saw, nobody left out.
    let is_as_before = all == known || !shown && all.is_empty();
    draft.statuses = Some(all).filter(|_| !is_as_before);
    SetupStep::Preview
}
