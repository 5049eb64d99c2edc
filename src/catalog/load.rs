//! Files and scripts to a catalog. A load is the same at the start, on a change, and for `check`.

mod between;
mod checked;
mod named;
mod outcomes;
mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::config::{Credential, File, Files, Home, Read, Settings, check_fields, nearest};
use crate::model::{Code, Holdings, IntegrationId, Problem, Problems};
use crate::script::{Library, Script};
use crate::source::Source;

use super::inherited::{Inherited, inherited};
use super::properties::{Claim, OnDisk, Refusal, settle};
use super::tested::Tests;
use super::{Catalog, Integration, Slot};

pub use checked::check;
pub use outcomes::{outcomes, outcomes_of_targets};

/// Loads everything. What is right replaces what was there; what is not leaves it as it was.
pub fn load(home: &Home, before: Option<&Catalog>, now: Timestamp) -> Catalog {
    load_with(home, before, &Holdings::new(), now)
}

/// Loads everything, where a store knows whose people are linked to what.
pub fn load_with(
    home: &Home,
    before: Option<&Catalog>,
    holdings: &Holdings,
    now: Timestamp,
) -> Catalog {
    let mut loader = Loader::new(home, before.map(|catalog| &catalog.settings));
    loader.everything(before, holdings, now).0
}

/// What a load would give if these texts stood in files of the home, by their names in it. Nothing is written.
pub fn load_as_if(
    home: &Home,
    before: &Catalog,
    texts: &[(PathBuf, String)],
    now: Timestamp,
) -> Catalog {
    let mut loader = Loader::new(home, Some(&before.settings));
    for (name, text) in texts {
        loader.files.put(name, text);
    }
    loader.everything(Some(before), &before.holdings, now).0
}

/// An integration under way to its slot.
struct Loading<'b> {
    problems: Vec<Problem>,
    old: Option<&'b Slot>,
    found: Option<Arc<Integration>>,
}

impl Loading<'_> {
    fn current(&self) -> Option<Arc<Integration>> {
        self.old.and_then(|slot| slot.current.clone())
    }
}

type Found<T> = Result<T, Vec<Problem>>;

/// What several integrations share is compiled once.
struct Loader<'a> {
    home: &'a Home,
    files: Files,
    /// What applies: what the file says, and where it is not right, what applied before.
    settings: Settings,
    library: Library,
    shipped: Library,
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
        Loader {
            home,
            files,
            tests: settings.reload.require_tests.then(|| Tests::read(home)),
            settings,
            library: Library::read(home.root()),
            shipped: Library::shipped(home.root()),
            sources: BTreeMap::new(),
            scripts: BTreeMap::new(),
        }
    }

    /// The catalog as the files have it, and the files that do not come into effect although they are right.
    fn everything(
        &mut self,
        before: Option<&Catalog>,
        holdings: &Holdings,
        now: Timestamp,
    ) -> (Catalog, Vec<Refusal>) {
        let ids: Vec<String> = self.files.integrations.keys().cloned().collect();
        let mut loading = BTreeMap::new();
        for name in &ids {
            let id = IntegrationId::new(name);
            let old = before.and_then(|catalog| catalog.integrations.get(&id));
            let current = old.and_then(|slot| slot.current.as_ref());
            let (found, problems) = match self.integration(&id, name, current, now) {
                Ok(found) => (Some(found), Vec::new()),
                Err(problems) => (None, problems),
            };
            let one = Loading {
                problems,
                old,
                found,
            };
            loading.insert(id, one);
        }
        self.strictly(&mut loading);
        self.doubted(&loading);
        // A file that is deleted is meant; a folder that is gone with all of them is an accident, or in the middle
        // of being replaced.
        let folder = self.home.config().join("integrations");
        let is_known = before.is_some_and(|catalog| !catalog.integrations.is_empty());
        let gone = is_known && (self.files.is_shut || !folder.is_dir());
        let settled = settle(&claims(&loading, before, holdings, gone));
        for refusal in &settled.refused {
            let problem = self.refused(refusal);
            if let Some(one) = loading.get_mut(&refusal.id) {
                one.problems.push(problem);
            }
        }
        let mut integrations = BTreeMap::new();
        for (id, one) in loading {
            integrations.insert(id.clone(), slot(one, settled.stopped.contains(&id)));
        }
        for (id, slot) in before.into_iter().flat_map(|catalog| &catalog.integrations) {
            if !integrations.contains_key(id) && (slot.current.is_some() || slot.removed) {
                let slot = Slot {
                    current: slot.current.clone(),
                    removed: slot.removed || !gone,
                    stopped: gone && settled.stopped.contains(id),
                    ..Slot::default()
                };
                integrations.insert(id.clone(), slot);
            }
        }
        self.with_people(&mut integrations, holdings, now);
        let targets = self.targets(before, &integrations, now);
        let folders = [
            // Why one cannot be looked into is told already.
            ("integrations", gone && !self.files.is_shut),
            (
                "targets",
                self.targets_are_gone(before) && !self.files.targets_are_shut,
            ),
        ];
        let catalog = Catalog {
            settings: self.settings.clone(),
            integrations,
            targets,
            problems: self.problems_of_none(folders),
            moves: settled.moves,
            holdings: holdings.clone(),
        };
        (catalog, settled.refused)
    }

    /// Adds those whose file is gone and at which somebody is linked. One that was retired is told as long as runs are
    /// kept.
    fn with_people(
        &self,
        integrations: &mut BTreeMap<IntegrationId, Slot>,
        holdings: &Holdings,
        now: Timestamp,
    ) {
        let longest = SignedDuration::try_from(self.settings.retention.runs.0);
        let longest = longest.unwrap_or(SignedDuration::MAX);
        integrations.retain(|id, slot| {
            let known = holdings.get(id);
            let is_over = known.is_none_or(|one| one.linked == 0);
            !slot.removed || slot.current.is_some() || !is_over
        });
        for (id, holding) in holdings {
            let retired = holding.attachment.as_ref().and_then(|one| one.retired);
            let is_old = retired.is_some_and(|at| now.duration_since(at) > longest);
            if holding.linked > 0 && !is_old && !integrations.contains_key(id) {
                let slot = Slot {
                    removed: true,
                    ..Slot::default()
                };
                integrations.insert(id.clone(), slot);
            }
        }
    }

    /// Problems of files that belong to no single integration or target, and of folders that are gone.
    fn problems_of_none(&mut self, folders: [(&str, bool); 2]) -> Vec<Problem> {
        let mut problems = std::mem::take(&mut self.files.others);
        problems.extend(self.library.refused().cloned());
        let gone = folders.into_iter().filter(|(_, is_gone)| *is_gone);
        problems.extend(gone.map(|(folder, _)| Problem {
            file: self.home.name(&self.home.config().join(folder)),
            place: None,
            field: String::new(),
            message: "the folder is gone; put it back. What runs goes on meanwhile".into(),
            code: Code::File,
        }));
        if let Err(found) = &self.files.settings {
            problems.extend(found.iter().cloned());
        }
        Problems(problems).sorted().0
    }

    fn source(&mut self, name: &str) -> Found<Arc<Source>> {
        if !self.sources.contains_key(name) {
            let compiled = match self.files.connectors.get(name) {
                Some(Ok(file)) => Source::compile(file)
                    .map(|source| Arc::new(source.through(self.settings.proxy.as_ref()))),
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

    /// A credential that fits its connector.
    fn credential(&mut self, name: &str) -> Found<File<Credential>> {
        let file = match self.files.credentials.get(name) {
            Some(Ok(file)) => file.clone(),
            Some(Err(problems)) => return Err(problems.clone()),
            None => return Err(Vec::new()),
        };
        let connector = &file.value.connector;
        match self.files.connectors.get(connector) {
            None => Err(vec![self.no_connector(&file)]),
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
        if let Some(problem) = self.no_credential(&file.document, &config.credential) {
            return Err(vec![problem]);
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
        if source.is_target() {
            let message = format!(
                "the connector `{connector}` of `{}` is that of a place that access is delivered to, and gives no residents; name a credential of a PMS, and this one in a file in `config/targets`",
                config.credential
            );
            let problem = file.document.problem("credential", message);
            return Err(vec![problem.coded(Code::Reference)]);
        }
        let script_name = config
            .script
            .clone()
            .unwrap_or_else(|| source.script().to_owned());
        let script = match self.script(&script_name) {
            Ok(script) if script.is_of_target() => {
                let message = format!(
                    "the script `{script_name}` is one of a target, with `wanted` and `held`, and gives no residents; name one of a PMS"
                );
                let named = match (&config.script, self.files.connectors.get(&connector)) {
                    (None, Some(Ok(connector))) => &connector.document,
                    _ => &file.document,
                };
                problems.push(named.problem("script", message).coded(Code::Reference));
                None
            }
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
        let epms = self.files.settings.as_ref().ok();
        let settings = (&self.settings, epms.map(|file| &file.document));
        let Inherited {
            config,
            schedule,
            settings: inherited,
        } = inherited(&file, &credential, settings);
        let timezone = TimeZone::get(&config.property.timezone).ok();
        if timezone.is_none() {
            problems.push(no_timezone(&file, &config.credential));
        }
        let (Some(script), Some(timezone), true) = (script, timezone, problems.is_empty()) else {
            return Err(problems);
        };
        let settings = &self.settings;
        let hash = self.closure(
            &file,
            &credential,
            &connector,
            &script,
            &format!(
                "{schedule:?}{:?}{:?}{:?}{:?}",
                settings.placeholder_emails, settings.retention, settings.deadline, settings.proxy,
            ),
        );
        let is_as_shipped = Script::is_as_shipped(&self.library, &self.shipped, &script_name);
        let is_same = |before: &&Arc<Integration>| {
            before.hash == hash && before.is_as_shipped == is_as_shipped
        };
        if let Some(before) = before.filter(is_same) {
            return Ok(Arc::clone(before));
        }
        Ok(Arc::new(Integration {
            id: id.clone(),
            generation: before.map_or(1, |before| before.generation + 1),
            loaded: now,
            config,
            settings: inherited,
            schedule,
            connector,
            credential: credential.value,
            source,
            script,
            is_as_shipped,
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

/// What each integration claims of the PMS: those with a file, those that ran before, and those that people are
/// linked to.
fn claims(
    loading: &BTreeMap<IntegrationId, Loading<'_>>,
    before: Option<&Catalog>,
    holdings: &Holdings,
    folder_is_gone: bool,
) -> BTreeMap<IntegrationId, Claim> {
    let reading = |one: &Arc<Integration>| (one.feeds(), one.config.credential.clone());
    let mut claims: BTreeMap<IntegrationId, Claim> = BTreeMap::new();
    for (id, slot) in before.into_iter().flat_map(|catalog| &catalog.integrations) {
        // Without its file nothing goes on, unless all files are gone together.
        let goes_on = folder_is_gone || loading.contains_key(id);
        let running = slot.running().filter(|_| goes_on);
        let claim = claims.entry(id.clone()).or_default();
        claim.running = running.map(reading);
    }
    for (id, one) in loading {
        let claim = claims.entry(id.clone()).or_default();
        claim.disk = one.found.as_ref().map_or(OnDisk::Unreadable, |found| {
            let (feeds, credential) = reading(found);
            OnDisk::Right(feeds, credential)
        });
    }
    for (id, holding) in holdings {
        claims.entry(id.clone()).or_default().holding = holding.clone();
    }
    claims
}

/// The slot of an integration that has a file.
fn slot(one: Loading<'_>, stopped: bool) -> Slot {
    let feeds = one.found.as_ref().map(|found| found.feeds());
    let current = one.current();
    let old = one.old;
    match one.found.filter(|_| one.problems.is_empty()) {
        Some(integration) => Slot {
            current: Some(integration),
            feeds,
            ..Slot::default()
        },
        None => Slot {
            current,
            problems: Problems(one.problems).sorted().0,
            // What is paused is not started by a file that was refused.
            removed: old.is_some_and(|slot| slot.removed),
            // What was stopped was another's; it goes on only by files that come into effect.
            stopped: stopped || old.is_some_and(|slot| slot.stopped),
            feeds,
        },
    }
}

/// Neither the file of an integration nor its credential has a time zone.
fn no_timezone(file: &File<crate::config::Integration>, credential: &str) -> Problem {
    let message = format!(
        "missing; add it, or `timezone` to `defaults` of config/credentials/{credential}.yaml"
    );
    let problem = file.document.problem("property.timezone", message);
    problem.coded(Code::MissingField)
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
