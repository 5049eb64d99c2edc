//! What a set-up writes: the texts of its files, from what was answered. Reads the files as they are, and writes none.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Credential, CredentialValue, Defaults, File, Files, SecretReference};
use crate::control::protocol::ProblemDocument;
use crate::control::server::Answer;
use crate::control::setup::{SetupDetails, SetupStep};
use crate::daemon::drafts::Draft;
use crate::model::IntegrationId;
use crate::setup::account::in_order;
use crate::setup::edit::{Edit, To, edited};
use crate::setup::{NewCredential, NewIntegration, NewText, OfAccount, answer, free_id, text};

use super::Around;

/// What would be written.
#[derive(Debug, Default)]
pub(super) struct Planned {
    /// The files, the credential first: what names it is never there without it.
    pub(super) files: Vec<NewText>,
    /// The integrations that they are of.
    pub(super) ids: Vec<String>,
    /// What each of several PMS properties becomes.
    pub(super) becomes: Vec<(String, String)>,
    /// What somebody has to write by hand.
    pub(super) by_hand: Vec<Edit>,
}

/// The set-up of an integration that is there, as its files have it now.
pub(super) fn of_file(id: &IntegrationId, around: &Around) -> Answer<Draft> {
    let files = Files::read(&around.home);
    let file = match files.integrations.get(id.as_str()) {
        Some(Ok(file)) => file,
        Some(Err(_)) => {
            return Err(ProblemDocument::conflict(format!(
                "config/integrations/{id}.yaml is not right, and what it says cannot be changed here; `epms check` says what is wrong with it"
            )));
        }
        None => return Err(ProblemDocument::no_integration(id)),
    };
    let config = &file.value;
    let credential = files.credentials.get(&config.credential);
    let credential = credential.and_then(|read| read.as_ref().ok());
    let current = around.catalog.integrations.get(id);
    let current = current.and_then(|slot| slot.current.as_ref());
    let zone = Some(config.property.timezone.clone()).filter(|zone| !zone.is_empty());
    let inherited = credential.and_then(|file| file.value.defaults.timezone.clone());
    // What applies, be it said in the file or left to others; else what the file says.
    let guard = current.map_or(&config.guard, |one| &one.config.guard);
    let every = current.map(|one| one.schedule.every);
    let every = config.schedule.map(|schedule| schedule.every).or(every);
    let details = SetupDetails {
        name: config.property.name.clone(),
        id: id.to_string(),
        timezone: zone.or(inherited).unwrap_or_default(),
        country: config.property.country.clone(),
        enabled: Some(config.enabled),
        every: every.map(|every| every.to_string()).unwrap_or_default(),
        limit: guard.limit.to_string(),
        percent: guard.percent.to_string(),
        window: guard.window.to_string(),
        newcomers: guard.newcomers.to_string(),
    };
    Ok(Draft {
        integration: Some(id.clone()),
        reached: SetupStep::Preview,
        connector: credential
            .map(|file| file.value.connector.clone())
            .unwrap_or_default(),
        credential: config.credential.clone(),
        properties: config.pms_properties.clone(),
        details_before: details.clone(),
        details,
        ..Draft::default()
    })
}

/// What the credential's file says for all who use it.
pub(super) fn defaults(draft: &Draft, files: &Files) -> Defaults {
    let file = files.credentials.get(&draft.credential);
    let file = file.and_then(|read| read.as_ref().ok());
    file.filter(|_| !draft.is_new)
        .map(|file| file.value.defaults.clone())
        .unwrap_or_default()
}

/// Words that are never pulled as the files have them now.
pub(super) fn words(draft: &Draft, files: &Files) -> Vec<String> {
    let defaults = defaults(draft, files).exclude_statuses;
    let Some(id) = &draft.integration else {
        return defaults;
    };
    match files.integrations.get(id.as_str()) {
        Some(Ok(file)) if file.document.names("exclude_statuses") => {
            file.value.exclude_statuses.clone()
        }
        _ => defaults,
    }
}

/// The text of a new credential.
pub(super) fn credential(draft: &Draft, files: &Files) -> Result<String, String> {
    let Some(Ok(file)) = files.connectors.get(&draft.connector) else {
        return Err(format!(
            "the connector `{}` cannot be used",
            draft.connector
        ));
    };
    let plain = draft.fields.iter();
    let plain = plain.map(|(name, value)| (name.clone(), CredentialValue::Plain(value.clone())));
    let secrets = draft.secrets.iter().map(|(name, pasted)| {
        let reference = SecretReference::File(pasted.file.clone());
        (name.clone(), CredentialValue::Secret(reference))
    });
    let new = NewCredential {
        connector: draft.connector.clone(),
        fields: plain.chain(secrets).collect(),
    };
    Ok(text::credential(&new, &in_order(file)))
}

/// What would be written, with what is new switched on or not; why that cannot be said, where it cannot.
pub(super) fn plan(draft: &Draft, around: &Around, enabled: bool) -> Result<Planned, String> {
    let files = Files::read(&around.home);
    match &draft.integration {
        Some(id) => changed(id, draft, around, &files),
        None => new(draft, around, &files, enabled),
    }
}

fn new(draft: &Draft, around: &Around, files: &Files, enabled: bool) -> Result<Planned, String> {
    let mut planned = Planned::default();
    // What was wrong with an answer stands in the draft for whoever mends it: no file is named by it.
    if draft.is_new {
        new_stem(around, "credentials", &draft.credential)?;
    }
    if !draft.each {
        new_stem(around, "integrations", &draft.details.id)?;
    }
    if draft.properties.is_empty() {
        return Err("no property of the PMS is chosen yet".to_owned());
    }
    if draft.is_new {
        let text = credential(draft, files)?;
        let read: Result<File<Credential>, _> = File::of_credential(&draft.credential, &text);
        if let Err(problems) = read {
            let first = problems.first().map(ToString::to_string);
            return Err(first.unwrap_or_default());
        }
        planned.files.push(NewText {
            name: format!("config/credentials/{}.yaml", draft.credential).into(),
            before: None,
            text,
        });
    }
    let defaults = defaults(draft, files);
    let details = &draft.details;
    let one = |id: String, name: String, pms_properties: Vec<String>| {
        let new = NewIntegration {
            id,
            name,
            timezone: Some(details.timezone.clone()),
            country: details.country.clone(),
            credential: draft.credential.clone(),
            pms_properties,
            exclude_statuses: match &draft.statuses {
                None if defaults.exclude_statuses.is_empty() => Some(Vec::new()),
                statuses => statuses.clone(),
            },
            enabled,
        };
        new.inheriting(&defaults)
    };
    let mut all = Vec::new();
    if draft.each {
        let mut taken: BTreeSet<String> = files.integrations.keys().cloned().collect();
        for property in of_account(draft) {
            let id = free_id(&property, &taken).ok_or_else(|| {
                format!(
                    "no free name for a file can be made of `{}`; add that one by itself",
                    property.id
                )
            })?;
            taken.insert(id.clone());
            planned.becomes.push((property.id.clone(), id.clone()));
            let name = crate::setup::called(&property).to_owned();
            all.push(one(id, name, vec![property.id.clone()]));
        }
    } else {
        let (id, name) = (details.id.clone(), details.name.clone());
        all.push(one(id, name, draft.properties.clone()));
    }
    for new in &all {
        planned.ids.push(new.id.clone());
        planned.files.push(NewText {
            name: format!("config/integrations/{}.yaml", new.id).into(),
            before: None,
            text: text::integration(new),
        });
    }
    Ok(planned)
}

/// The chosen properties, as the PMS calls them.
pub(super) fn of_account(draft: &Draft) -> Vec<OfAccount> {
    let listed = draft
        .listed
        .as_ref()
        .and_then(|listed| listed.as_ref().ok());
    let known: BTreeMap<&str, &OfAccount> = listed
        .into_iter()
        .flatten()
        .map(|one| (one.id.as_str(), one))
        .collect();
    let chosen = draft.properties.iter().map(|id| {
        let known = known.get(id.as_str());
        known.map_or_else(
            || OfAccount {
                id: id.clone(),
                name: String::new(),
                integration: None,
            },
            |one| (*one).clone(),
        )
    });
    chosen.collect()
}

fn changed(
    id: &IntegrationId,
    draft: &Draft,
    around: &Around,
    files: &Files,
) -> Result<Planned, String> {
    let name = format!("config/integrations/{id}.yaml");
    let before = std::fs::read_to_string(around.home.root().join(&name));
    let before = before.map_err(|error| format!("{name} cannot be read: {error}"))?;
    let edits = edits(draft, files)?;
    let done = edited(id.as_str(), &before, &edits);
    let files = if done.text == before {
        Vec::new()
    } else {
        vec![NewText {
            name: name.into(),
            before: Some(before),
            text: done.text,
        }]
    };
    Ok(Planned {
        files,
        ids: vec![id.to_string()],
        becomes: Vec::new(),
        by_hand: done.by_hand,
    })
}

/// What is different from what was shown.
fn edits(draft: &Draft, files: &Files) -> Result<Vec<Edit>, String> {
    let id = draft.integration.as_ref().map_or("", IntegrationId::as_str);
    let Some(Ok(file)) = files.integrations.get(id) else {
        return Err(format!(
            "config/integrations/{id}.yaml is not right any more; `epms check` says what is wrong with it"
        ));
    };
    let (now, was) = (&draft.details, &draft.details_before);
    let mut edits = Vec::new();
    let mut push = |field: &'static str, to: To| edits.push(Edit { field, to });
    for (field, now, was) in [
        ("property.name", &now.name, &was.name),
        ("property.timezone", &now.timezone, &was.timezone),
        ("property.country", &now.country, &was.country),
    ] {
        if now != was && !now.is_empty() {
            push(field, To::Text(now.clone()));
        }
    }
    let same = |a: &[String], b: &[String]| {
        let set = |of: &[String]| of.iter().cloned().collect::<BTreeSet<_>>();
        set(a) == set(b)
    };
    let known = &file.value.pms_properties;
    if !same(&draft.properties, known) {
        // Those that stay keep their order.
        let stay = known.iter().filter(|one| draft.properties.contains(one));
        let come = draft.properties.iter().filter(|one| !known.contains(one));
        push(
            "pms_properties",
            To::List(stay.chain(come).cloned().collect()),
        );
    }
    if let Some(words) = &draft.statuses {
        let known = words_of(draft, files);
        if !same(words, &known) {
            let stay = known.iter().filter(|one| words.contains(one));
            let come = words.iter().filter(|one| !known.contains(one));
            push(
                "exclude_statuses",
                To::List(stay.chain(come).cloned().collect()),
            );
        }
    }
    for (field, now, was) in [
        ("schedule.every", &now.every, &was.every),
        ("guard.limit", &now.limit, &was.limit),
        ("guard.percent", &now.percent, &was.percent),
        ("guard.window", &now.window, &was.window),
        ("guard.newcomers", &now.newcomers, &was.newcomers),
    ] {
        if now != was && !now.is_empty() {
            push(field, To::Plain(now.clone()));
        }
    }
    if let Some(enabled) = now.enabled.filter(|_| now.enabled != was.enabled) {
        push("enabled", To::Plain(enabled.to_string()));
    }
    Ok(edits)
}

fn words_of(draft: &Draft, files: &Files) -> Vec<String> {
    words(draft, files)
}

/// A stem under which nothing lies yet.
pub(super) fn new_stem(around: &Around, folder: &str, stem: &str) -> Result<String, String> {
    let stem = answer::stem(stem)?;
    let name = format!("config/{folder}/{stem}.yaml");
    match around.home.root().join(&name).symlink_metadata() {
        Err(_) => Ok(stem),
        Ok(_) => Err(format!("{name} is there already; give another name")),
    }
}
