//! Files and scripts to a catalog. A load is the same at the start, on a change, and for `check`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::{Credential, File, Files, Home, Read, Settings, check_fields, nearest};
use crate::model::{Code, IntegrationId, Problem, Problems, ReloadOutcome, Reloaded};
use crate::script::{Library, Script};
use crate::source::Source;

use super::properties::{Claim, Refusal, settle};
use super::tested::Tests;
use super::{Catalog, Integration, Slot};

/// Loads everything. What is right replaces what was there; what is not leaves it as it was.
pub fn load(home: &Home, before: Option<&Catalog>, now: Timestamp) -> Catalog {
    let mut loader = Loader::new(home, before.map(|catalog| &catalog.settings));
    let mut integrations = BTreeMap::new();
    let ids: Vec<String> = loader.files.integrations.keys().cloned().collect();
    let mut claims = BTreeMap::new();
    let mut found = BTreeMap::new();
    for name in &ids {
        let id = IntegrationId::new(name);
        let old = before.and_then(|catalog| catalog.integrations.get(&id));
        let current = old.and_then(|slot| slot.current.clone());
        let outcome = loader.integration(&id, name, current.as_ref(), now);
        claims.insert(
            id.clone(),
            Claim {
                found: outcome.as_ref().ok().cloned(),
                running: old.filter(|slot| !slot.removed).and(current.clone()),
            },
        );
        found.insert(id, (outcome.err().unwrap_or_default(), old, current));
    }
    for refusal in settle(&mut claims) {
        if let Some((problems, ..)) = found.get_mut(&refusal.id) {
            problems.extend(loader.taken(&refusal));
        }
    }
    for (id, (problems, old, current)) in found {
        let loaded = claims.remove(&id).and_then(|claim| claim.found);
        let slot = match loaded {
            Some(integration) => Slot {
                current: Some(integration),
                problems: Vec::new(),
                removed: false,
            },
            None => Slot {
                current,
                problems: Problems(problems).sorted().0,
                // What is paused is not started by a file that was refused.
                removed: old.is_some_and(|slot| slot.removed),
            },
        };
        integrations.insert(id, slot);
    }
    // A file that is deleted is meant; a folder that is gone with all of them is an accident, or in the middle
    // of being replaced.
    let folder = home.config().join("integrations");
    let gone = before.is_some_and(|catalog| !catalog.integrations.is_empty()) && !folder.is_dir();
    for (id, slot) in before.into_iter().flat_map(|catalog| &catalog.integrations) {
        if !integrations.contains_key(id) && slot.current.is_some() {
            integrations.insert(
                id.clone(),
                Slot {
                    current: slot.current.clone(),
                    problems: Vec::new(),
                    removed: slot.removed || !gone,
                },
            );
        }
    }
    let mut problems = std::mem::take(&mut loader.files.others);
    problems.extend(loader.library_problems.clone());
    if gone {
        problems.push(Problem {
            file: home.name(&folder),
            place: None,
            field: String::new(),
            message: "the folder is gone; put it back. What runs goes on meanwhile".into(),
            code: Code::File,
        });
    }
    if let Err(found) = &loader.files.settings {
        problems.extend(found.iter().cloned());
    }
    let settings = loader.settings;
    Catalog {
        settings,
        integrations,
        problems: Problems(problems).sorted().0,
    }
}

/// Everything that is wrong in a home, including what nothing uses yet.
pub fn check(home: &Home, now: Timestamp) -> Problems {
    let catalog = load(home, None, now);
    let mut problems = catalog.problems;
    problems.extend(
        catalog
            .integrations
            .into_values()
            .flat_map(|slot| slot.problems),
    );
    let mut loader = Loader::new(home, None);
    let credentials: Vec<String> = loader.files.credentials.keys().cloned().collect();
    for name in credentials {
        problems.extend(loader.credential(&name).err().into_iter().flatten());
    }
    let connectors: Vec<String> = loader.files.connectors.keys().cloned().collect();
    for name in connectors {
        match loader.source(&name) {
            Ok(source) => {
                let found = loader.script(source.script()).err().unwrap_or_default();
                // A script that is not there is wrong where it is named.
                if found.iter().any(|problem| problem.code == Code::Reference) {
                    problems.extend(loader.no_script(&name, source.script()));
                } else {
                    problems.extend(found);
                }
            }
            Err(found) => problems.extend(found),
        }
    }
    let scripts: Vec<String> = loader
        .library
        .names()
        .filter(|name| !name.contains('/'))
        .map(String::from)
        .collect();
    for name in scripts {
        problems.extend(loader.script(&name).err().into_iter().flatten());
    }
    Problems(problems).sorted()
}

/// What a load did to each integration.
pub fn outcomes(before: &Catalog, after: &Catalog) -> Vec<Reloaded> {
    after
        .integrations
        .iter()
        .map(|(id, slot)| {
            let generation = slot
                .current
                .as_ref()
                .map(|integration| integration.generation);
            let old = before.integrations.get(id);
            let old_generation = old
                .and_then(|slot| slot.current.as_ref())
                .map(|integration| integration.generation);
            let outcome = if !slot.problems.is_empty() {
                ReloadOutcome::Rejected
            } else if slot.removed {
                ReloadOutcome::Removed
            } else if generation == old_generation && !old.is_some_and(|old| old.removed) {
                ReloadOutcome::Unchanged
            } else {
                ReloadOutcome::Loaded
            };
            Reloaded {
                id: id.clone(),
                outcome,
                generation,
                problems: slot.problems.clone(),
            }
        })
        .collect()
}

type Found<T> = Result<T, Vec<Problem>>;

/// What several integrations share is compiled once.
struct Loader<'a> {
    home: &'a Home,
    files: Files,
    /// What applies: what the file says, and where it is not right, what applied before.
    settings: Settings,
    library: Library,
    library_problems: Vec<Problem>,
    sources: BTreeMap<String, Found<Arc<Source>>>,
    scripts: BTreeMap<String, Found<Arc<Script>>>,
    /// The mapping tests, where scripts must pass them.
    tests: Option<Tests>,
}

impl<'a> Loader<'a> {
    fn new(home: &'a Home, before: Option<&Settings>) -> Loader<'a> {
        let files = Files::read(home);
        let settings = match &files.settings {
            Ok(file) => file.value.clone(),
            Err(_) => before.cloned().unwrap_or_default(),
        };
        let (library, library_problems) = match Library::read(&home.scripts()) {
            Ok(library) => (library, Vec::new()),
            Err(error) => (
                Library::default(),
                vec![Problem {
                    file: PathBuf::from("scripts"),
                    place: None,
                    field: String::new(),
                    message: error.to_string(),
                    code: Code::File,
                }],
            ),
        };
        Loader {
            home,
            files,
            tests: settings.reload.require_tests.then(|| Tests::read(home)),
            settings,
            library,
            library_problems,
            sources: BTreeMap::new(),
            scripts: BTreeMap::new(),
        }
    }

    fn source(&mut self, name: &str) -> Found<Arc<Source>> {
        if !self.sources.contains_key(name) {
            let compiled = match self.files.connectors.get(name) {
                Some(Ok(file)) => Source::compile(file).map(Arc::new),
                Some(Err(problems)) => Err(problems.clone()),
                None => Err(Vec::new()),
            };
            self.sources.insert(name.to_owned(), compiled);
        }
        self.sources
            .get(name)
            .cloned()
            .unwrap_or_else(|| Err(Vec::new()))
    }

    fn script(&mut self, name: &str) -> Found<Arc<Script>> {
        let compiled = self
            .scripts
            .entry(name.to_owned())
            .or_insert_with(|| Script::compile(&self.library, name).map(Arc::new));
        compiled.clone()
    }

    fn scripts_are(&self, name: &str) -> String {
        let names: Vec<&str> = self
            .library
            .names()
            .filter(|name| !name.contains('/'))
            .collect();
        format!(
            "there is no script `{name}`; there are: {}",
            names.join(", ")
        )
    }

    /// A connector names a script that is not there.
    fn no_script(&self, connector: &str, script: &str) -> Option<Problem> {
        let Some(Ok(file)) = self.files.connectors.get(connector) else {
            return None;
        };
        let problem = file.document.problem("script", self.scripts_are(script));
        Some(problem.coded(Code::Reference))
    }

    /// A PMS property that feeds another integration.
    fn taken(&self, refusal: &Refusal) -> Option<Problem> {
        let Some(Ok(file)) = self.files.integrations.get(refusal.id.as_str()) else {
            return None;
        };
        let Refusal {
            index,
            property,
            by,
            ..
        } = refusal;
        let message = format!(
            "`{property}` feeds the integration `{by}` already; remove it from one of the two"
        );
        let problem = file
            .document
            .problem(&format!("pms_properties.{index}"), message);
        Some(problem.coded(Code::Conflict))
    }

    /// A credential that fits its connector.
    fn credential(&mut self, name: &str) -> Found<File<Credential>> {
        let file = match self.files.credentials.get(name) {
            Some(Ok(file)) => file.clone(),
            Some(Err(problems)) => return Err(problems.clone()),
            None => return Err(Vec::new()),
        };
        let connector = &file.value.connector;
        match self.files.connectors.get(connector) {
            None => {
                let message = format!(
                    "there is no connector `{connector}`; {}",
                    others(&self.files.connectors, connector)
                );
                Err(vec![
                    file.document
                        .problem("connector", message)
                        .coded(Code::Reference),
                ])
            }
            // What is wrong with the connector is told where it is wrong.
            Some(Err(problems)) => Err(problems.clone()),
            Some(Ok(connector)) => {
                let problems = check_fields(&file, &connector.value);
                if problems.is_empty() {
                    Ok(file)
                } else {
                    Err(problems)
                }
            }
        }
    }

    fn integration(
        &mut self,
        id: &IntegrationId,
        name: &str,
        before: Option<&Arc<Integration>>,
        now: Timestamp,
    ) -> Found<Arc<Integration>> {
        let file = match self.files.integrations.get(name) {
            Some(Ok(file)) => file.clone(),
            Some(Err(problems)) => return Err(problems.clone()),
            None => return Err(Vec::new()),
        };
        let mut problems = Vec::new();
        let config = &file.value;
        if !self.files.credentials.contains_key(&config.credential) {
            let message = format!(
                "there is no credential `{}`; {}",
                config.credential,
                others(&self.files.credentials, &config.credential)
            );
            problems.push(
                file.document
                    .problem("credential", message)
                    .coded(Code::Reference),
            );
            return Err(problems);
        }
        let credential = match self.credential(&config.credential) {
            Ok(credential) => credential,
            Err(found) => {
                problems.extend(found);
                return Err(problems);
            }
        };
        let connector = credential.value.connector.clone();
        let source = match self.source(&connector) {
            Ok(source) => source,
            Err(found) => {
                problems.extend(found);
                return Err(problems);
            }
        };
        let script_name = config
            .script
            .clone()
            .unwrap_or_else(|| source.script().to_owned());
        let script = match self.script(&script_name) {
            Ok(script) => {
                let tests = self.tests.as_mut();
                problems.extend(tests.map_or_else(Vec::new, |tests| tests.problems(&script)));
                Some(script)
            }
            Err(found) if found.iter().any(|problem| problem.code == Code::Reference) => {
                problems.extend(if config.script.is_none() {
                    self.no_script(&connector, &script_name)
                } else {
                    let message = self.scripts_are(&script_name);
                    let problem = file.document.problem("script", message);
                    Some(problem.coded(Code::Reference))
                });
                None
            }
            Err(found) => {
                problems.extend(found);
                None
            }
        };
        let timezone = TimeZone::get(&config.property.timezone).ok();
        let (Some(script), Some(timezone), true) = (script, timezone, problems.is_empty()) else {
            return Err(problems);
        };
        let settings = &self.settings;
        let schedule = config.schedule.unwrap_or(settings.schedule);
        let hash = self.closure(
            &file,
            &credential,
            &connector,
            &script,
            &format!(
                "{schedule:?}{:?}{:?}{:?}",
                settings.placeholder_emails, settings.retention, settings.deadline
            ),
        );
        if let Some(before) = before.filter(|before| before.hash == hash) {
            return Ok(Arc::clone(before));
        }
        Ok(Arc::new(Integration {
            id: id.clone(),
            generation: before.map_or(1, |before| before.generation + 1),
            loaded: now,
            config: file.value,
            schedule,
            connector,
            credential: credential.value,
            source,
            script,
            deadline: settings.deadline,
            retention: settings.retention,
            placeholder_emails: settings.placeholder_emails.clone(),
            home: self.home.root().to_owned(),
            timezone,
            hash,
        }))
    }

    /// A hash of everything that an integration depends on.
    fn closure(
        &self,
        file: &File<crate::config::Integration>,
        credential: &File<Credential>,
        connector: &str,
        script: &Script,
        settings: &str,
    ) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(&file.hash)
            .update(&credential.hash)
            .update(&script.hash());
        if let Some(Ok(connector)) = self.files.connectors.get(connector) {
            hasher.update(&connector.hash);
        }
        hasher.update(settings.as_bytes());
        *hasher.finalize().as_bytes()
    }
}

fn others<T>(files: &BTreeMap<String, Read<T>>, given: &str) -> String {
    let names: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    let names: Vec<&str> = names.into_iter().collect();
    match nearest(given, &names) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "there are none yet".to_owned(),
        None => format!("there are: {}", names.join(", ")),
    }
}
