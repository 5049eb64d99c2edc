//! The files of an integration as another checkout has them, compiled beside what runs, to be tried on what that reads.
//! Whoever sends files may do so without being trusted with a secret: no sent file says which credential is used, where
//! it is sent, or which PMS properties are read. Only what is made of the records is theirs to say.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::{self, Defaults, File};
use crate::model::{Code, Problem, Problems, Switch, Tried, TriedFiles, is_same_property};
use crate::script::{Library, Script};
use crate::source::Source;

use super::Integration;
use super::inherited::with_defaults;

/// Files that cannot be tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub Problems);

/// What `running` would be by these files: the requests, the credential and the PMS properties are those of `running`,
/// what is made of the records is as the files say. A PMS property that the files do not name any more is left out; one
/// that they name anew is not read, which is told.
pub fn trial(
    running: &Integration,
    files: &TriedFiles,
    now: Timestamp,
) -> Result<(Arc<Integration>, Tried), Refused> {
    let name = running.id.as_str();
    let mut sent = File::of_integration(name, &files.integration).map_err(refused)?;
    let defaults = files.defaults.as_ref();
    let defaults = defaults.map(|text| File::of_defaults(&running.config.credential, text));
    let defaults = defaults.transpose().map_err(refused)?;
    let defaults = defaults.map_or_else(|| running.credential.defaults.clone(), |file| file.value);
    sent.value = with_defaults(&sent, &defaults);
    let connector = files.connector.as_ref();
    let connector = connector.map(|text| source(&running.connector, text));
    let connector = connector.transpose().map_err(refused)?;
    let mut untried = Vec::new();
    let properties = properties(running, &sent, &mut untried).map_err(refused)?;
    let script = script(running, &sent, connector.as_ref(), files).map_err(refused)?;
    let asks_as = |sent: &Source| running.source.asks_as(sent);
    let asks_alike = connector.as_ref().is_none_or(asks_as);
    let same_script = script.hash() == running.script.hash();
    let same = sent.value == running.config && same_script && asks_alike;
    untried.extend(not_tried(running, &sent.value, &script, asks_alike));
    untried.extend(rhythm(running, &sent.value, &defaults));
    let switch = Switch::between(running.config.enabled, sent.value.enabled);
    let timezone = TimeZone::get(&sent.value.property.timezone);
    let integration = Integration {
        id: running.id.clone(),
        generation: running.generation,
        loaded: now,
        schedule: running.schedule,
        connector: running.connector.clone(),
        credential: running.credential.clone(),
        source: Arc::clone(&running.source),
        is_as_shipped: running.is_as_shipped && same_script,
        script: Arc::new(script),
        deadline: running.deadline,
        retention: running.retention,
        placeholder_emails: running.placeholder_emails.clone(),
        home: running.home.clone(),
        timezone: timezone.unwrap_or(TimeZone::UTC),
        hash: hash(running, files),
        settings: running.settings.clone(),
        config: config::Integration {
            pms_properties: properties,
            ..sent.value
        },
    };
    Ok((
        Arc::new(integration),
        Tried {
            same,
            switch,
            untried,
        },
    ))
}

/// What of the files has no effect on what is tried, a sentence each.
fn not_tried(
    running: &Integration,
    sent: &config::Integration,
    script: &Script,
    asks_alike: bool,
) -> Vec<String> {
    let mut told = Vec::new();
    if !asks_alike {
        told.push(format!(
            "config/connectors/{}.yaml asks the PMS otherwise than the one that runs, or takes its answers otherwise: that is not tried, and the records are as the running one reads them; `epms probe` and `epms doctor` try it where the credential is",
            running.connector
        ));
    }
    if sent.fields != running.config.fields && running.source.asks_by_fields() {
        let fields =
            "`fields` are tried in the script, and not in requests, which name the running ones";
        told.push(fields.to_owned());
    }
    if script.hash() != running.script.hash() && !script.verdicts().is_empty() {
        let verdict = "what the script says about answers of the PMS (`verdict`) is not tried: the running one judges them";
        told.push(verdict.to_owned());
    }
    if !sent.enabled {
        let off = "the file says `enabled: false`: this is what a run would do if it were on";
        told.push(off.to_owned());
    }
    told
}

/// When an integration is synced says nothing of what a run does.
fn rhythm(running: &Integration, sent: &config::Integration, defaults: &Defaults) -> Vec<String> {
    let mut told = Vec::new();
    if sent.schedule != running.config.schedule {
        told.push(
            "the file has another `schedule`: when it is synced changes nothing here".to_owned(),
        );
    }
    if defaults.schedule != running.credential.defaults.schedule {
        told.push(format!(
            "config/credentials/{}.yaml has another `defaults.schedule`: when it is synced changes nothing here",
            sent.credential
        ));
    }
    told
}

impl Integration {
    /// The same, as if it read these PMS properties: those that were attached where answers were recorded.
    pub fn reading(&self, properties: &[String]) -> Arc<Integration> {
        Arc::new(Integration {
            config: config::Integration {
                pms_properties: properties.to_vec(),
                ..self.config.clone()
            },
            ..self.copied()
        })
    }

    /// The same, as if this were its account: one whose secrets are not where its file says yet.
    pub fn asking_by(&self, credential: config::Credential) -> Arc<Integration> {
        Arc::new(Integration {
            credential,
            ..self.copied()
        })
    }

    fn copied(&self) -> Integration {
        Integration {
            id: self.id.clone(),
            generation: self.generation,
            loaded: self.loaded,
            config: self.config.clone(),
            schedule: self.schedule,
            connector: self.connector.clone(),
            credential: self.credential.clone(),
            source: Arc::clone(&self.source),
            script: Arc::clone(&self.script),
            is_as_shipped: self.is_as_shipped,
            deadline: self.deadline,
            retention: self.retention,
            placeholder_emails: self.placeholder_emails.clone(),
            home: self.home.clone(),
            timezone: self.timezone.clone(),
            hash: self.hash,
            settings: self.settings.clone(),
        }
    }
}

fn refused(problems: Vec<Problem>) -> Refused {
    Refused(Problems(problems).sorted())
}

/// The sent connector, to see what it names and whether it asks alike. Nothing is ever asked by it.
fn source(name: &str, text: &str) -> Result<Source, Vec<Problem>> {
    let file = File::of_connector(name, text)?;
    Source::compile(&file)
}

/// The PMS properties of which records are read and count, as the running file writes them.
fn properties(
    running: &Integration,
    sent: &File<config::Integration>,
    untried: &mut Vec<String>,
) -> Result<Vec<String>, Vec<Problem>> {
    let mine = &running.config;
    if sent.value.credential != mine.credential {
        let message = format!(
            "the integration that runs reads with `{}`, and no other credential is used for files that are not live; try them with that one, or set them live",
            mine.credential
        );
        let problem = sent.document.problem("credential", message);
        return Err(vec![problem.coded(Code::Reference)]);
    }
    let names = |all: &[String], one: &str| all.iter().any(|other| is_same_property(one, other));
    let asked = &sent.value.pms_properties;
    let new = asked.iter().filter(|one| !names(&mine.pms_properties, one));
    untried.extend(new.map(|one| {
        format!("the PMS property `{one}` is not attached yet: its records are not read, and nobody of it is among these")
    }));
    let kept = mine.pms_properties.iter().filter(|one| names(asked, one));
    let kept: Vec<String> = kept.cloned().collect();
    if kept.is_empty() {
        let message = format!(
            "none of them is read by the integration that runs, which has: {}; there is nothing to try the files on",
            mine.pms_properties.join(", ")
        );
        return Err(vec![sent.document.problem("pms_properties", message)]);
    }
    Ok(kept)
}

/// The script that the files name.
fn script(
    running: &Integration,
    sent: &File<config::Integration>,
    connector: Option<&Source>,
    files: &TriedFiles,
) -> Result<Script, Vec<Problem>> {
    let named = sent.value.script.as_deref();
    let named = named.or(connector.map(Source::script));
    let name = named.unwrap_or_else(|| running.source.script());
    let script = Script::compile(&Library::of_texts(&files.scripts), name)?;
    if script.is_of_target() {
        return Err(vec![Problem {
            file: PathBuf::from("scripts").join(name),
            place: None,
            field: String::new(),
            message: "is the script of a target, and gives no residents; name one of a PMS".into(),
            code: Code::Reference,
        }]);
    }
    Ok(script)
}

fn hash(running: &Integration, files: &TriedFiles) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&running.hash);
    let texts = std::iter::once(&files.integration).chain(&files.connector);
    let texts = texts.chain(&files.defaults);
    for text in texts.chain(files.scripts.values()) {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests;
