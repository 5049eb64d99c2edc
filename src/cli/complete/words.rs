//! What a word may be without a daemon: kinds, topics and commands as the program has them, names as the files of the home
//! have them. Secrets are named, and not read.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use clap::{CommandFactory, ValueEnum};

use crate::config::{CredentialValue, Files, Home, NotifyTo, SecretReference};
use crate::model::{AlertKind, ChangeKind};

use super::super::Arguments;
use super::super::help::Topic;
use super::Known;

/// Kinds of alerts.
pub(super) fn alert_kinds() -> Vec<Known> {
    let all = AlertKind::ALL.iter();
    all.map(|kind| (kind.as_str().to_owned(), kind.facts().sentence.to_owned()))
        .collect()
}

/// Kinds of changes.
pub(super) fn change_kinds() -> Vec<Known> {
    let all = ChangeKind::ALL.iter();
    all.map(|kind| (kind.as_str().to_owned(), String::new()))
        .collect()
}

/// What `epms help` takes behind the words that stand in the line already: topics and commands, or those of a command.
pub(super) fn of_help(line: &[OsString]) -> Vec<Known> {
    let mut command = Arguments::command();
    let words = line.iter().filter_map(|word| word.to_str());
    let before = words.skip_while(|word| *word != "help").skip(1);
    let before: Vec<&str> = before.collect();
    // The last one is being typed.
    for word in before.iter().take(before.len().saturating_sub(1)) {
        let Some(found) = command.find_subcommand(word) else {
            return Vec::new();
        };
        command = found.clone();
    }
    let commands = command.get_subcommands().filter(|one| !one.is_hide_set());
    let mut known: Vec<Known> = commands
        .map(|one| {
            let about = one.get_about().map(ToString::to_string);
            (one.get_name().to_owned(), about.unwrap_or_default())
        })
        .collect();
    if before.len() < 2 {
        let topics = Topic::value_variants().iter();
        let topics = topics.filter_map(ValueEnum::to_possible_value);
        known.extend(topics.map(|topic| (topic.get_name().to_owned(), "a topic".to_owned())));
    }
    known
}

/// Notifications, with the way that each goes.
pub(super) fn notifications(home: &Home) -> Vec<Known> {
    let settings = Files::read_settings(home);
    let all = settings.ok().into_iter().flat_map(|file| file.value.notify);
    all.map(|one| (one.name().to_owned(), one.to.as_str().to_owned()))
        .collect()
}

/// Credentials, with their connectors.
pub(super) fn credentials(home: &Home) -> Vec<Known> {
    let all = Files::read(home).credentials.into_iter();
    all.map(|(name, read)| {
        (
            name,
            read.map_or_else(|_| String::new(), |file| file.value.connector),
        )
    })
    .collect()
}

/// Files in secrets/: those that files of the home name, with whose they are, and those that are there.
pub(super) fn secrets(home: &Home) -> Vec<Known> {
    let mut known = BTreeMap::new();
    let folder = std::fs::read_dir(home.root().join("secrets"));
    for file in folder.into_iter().flatten().flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            known.insert(name, String::new());
        }
    }
    let mut add = |reference: &SecretReference, of: &str| {
        if let SecretReference::File(path) = reference
            && let Ok(name) = path.strip_prefix("secrets")
            && name.parent() == Some(Path::new(""))
        {
            known.insert(name.to_string_lossy().into_owned(), of.to_owned());
        }
    };
    for (name, read) in Files::read(home).credentials {
        for value in read.iter().flat_map(|file| file.value.fields.values()) {
            if let CredentialValue::Secret(reference) = value {
                add(reference, &format!("of {name}"));
            }
        }
    }
    let settings = Files::read_settings(home);
    for one in settings.iter().flat_map(|file| &file.value.notify) {
        let of = format!("of the notification {}", one.name());
        match &one.to {
            NotifyTo::Smtp(smtp) => smtp.password.iter().for_each(|one| add(one, &of)),
            NotifyTo::Webhook(hook) => {
                hook.secret.iter().for_each(|one| add(one, &of));
                if let CredentialValue::Secret(reference) = &hook.url {
                    add(reference, &of);
                }
            }
            NotifyTo::Exec(_) => {}
        }
    }
    known.into_iter().collect()
}
