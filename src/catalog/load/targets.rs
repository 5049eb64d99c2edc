//! Files to targets. They are loaded after the integrations, whose people they get.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::{self, File, nearest};
use crate::model::{Code, IntegrationId, Problem, Problems, TargetId};
use crate::script::Script;
use crate::source::Source;

use super::super::asked::Asked;
use super::super::targets::{Served, Target, TargetSlot};
use super::super::{Catalog, Slot};
use super::{Found, Loader};

type Slots = BTreeMap<TargetId, TargetSlot>;

impl Loader<'_> {
    /// Whether the folder of targets is gone, or shut, with all that was in it: that is an accident, or in the middle of
    /// being replaced.
    pub(super) fn targets_are_gone(&self, before: Option<&Catalog>) -> bool {
        let mut known = before
            .into_iter()
            .flat_map(|before| before.targets.values());
        let folder = self.home.config().join("targets");
        known.any(|slot| !slot.removed) && (self.files.targets_are_shut || !folder.is_dir())
    }

    /// Every target that has or had a file.
    pub(super) fn targets(
        &mut self,
        before: Option<&Catalog>,
        integrations: &BTreeMap<IntegrationId, Slot>,
        now: Timestamp,
    ) -> Slots {
        let gone = self.targets_are_gone(before);
        let names: Vec<String> = self.files.targets.keys().cloned().collect();
        let mut slots = Slots::new();
        for name in names {
            let id = TargetId::new(&name);
            let old = before.and_then(|before| before.targets.get(&id));
            let current = old.and_then(|slot| slot.current.clone());
            let slot = match self.target(&id, &name, current.as_ref(), integrations, now) {
                Ok(target) => TargetSlot {
                    current: Some(target),
                    ..TargetSlot::default()
                },
                Err(problems) => TargetSlot {
                    current,
                    problems: Problems(problems).sorted().0,
                    // What rests is not started by a file that was refused.
                    removed: old.is_some_and(|slot| slot.removed),
                },
            };
            slots.insert(id, slot);
        }
        for (id, slot) in before.into_iter().flat_map(|before| &before.targets) {
            if !slots.contains_key(id) && (slot.current.is_some() || slot.removed) {
                let slot = TargetSlot {
                    current: slot.current.clone(),
                    problems: Vec::new(),
                    removed: slot.removed || !gone,
                };
                slots.insert(id.clone(), slot);
            }
        }
        slots
    }

    fn target(
        &mut self,
        id: &TargetId,
        name: &str,
        before: Option<&Arc<Target>>,
        integrations: &BTreeMap<IntegrationId, Slot>,
        now: Timestamp,
    ) -> Found<Arc<Target>> {
        let file = match self.files.targets.get(name) {
            Some(Ok(file)) => file.clone(),
            Some(Err(problems)) => return Err(problems.clone()),
            None => return Err(Vec::new()),
        };
        let mut problems = of_nobody(&file, integrations);
        let also = |mut problems: Vec<Problem>, found: Vec<Problem>| {
            problems.extend(found);
            problems
        };
        let config = &file.value;
        if let Some(problem) = self.no_credential(&file.document, &config.credential) {
            problems.push(problem);
            return Err(problems);
        }
        let credential = match self.credential(&config.credential) {
            Ok(credential) => credential,
            Err(found) => return Err(also(problems, found)),
        };
        let connector = credential.value.connector.clone();
        let source = match self.source(&connector) {
            Ok(source) => source,
            Err(found) => return Err(also(problems, found)),
        };
        if !source.is_target() {
            let message = format!(
                "the connector `{connector}` of the credential `{}` reads a PMS: it has no `target`, and nothing can be delivered by it; name a credential of a connector that has one",
                config.credential
            );
            let problem = file.document.problem("credential", message);
            problems.push(problem.coded(Code::Reference));
            return Err(problems);
        }
        let script = match self.target_script(&connector, &source) {
            Ok(script) => script,
            Err(found) => return Err(also(problems, found)),
        };
        if let Some(script) = &script {
            let tests = self.tests.as_mut();
            problems.extend(tests.map_or_else(Vec::new, |tests| tests.problems(script)));
        }
        let doubts = self.doubts(&connector, &source, script.as_deref(), &file);
        problems.extend(
            doubts
                .into_iter()
                .filter(|problem| !problem.code.is_warning()),
        );
        if !problems.is_empty() {
            return Err(problems);
        }
        let served = Served::of(&config.from, integrations);
        let mut wanted = blake3::Hasher::new();
        wanted.update(&file.hash);
        if let Some(script) = &script {
            wanted.update(&script.hash());
        }
        if let Some(Ok(connector)) = self.files.connectors.get(&connector) {
            wanted.update(&connector.hash);
        }
        let mut files = [0; 16];
        wanted.finalize_xof().fill(&mut files);
        let mut all = wanted;
        all.update(&credential.hash)
            .update(format!("{:?}", self.settings.proxy).as_bytes())
            .update(served.told.as_bytes());
        let hash = *all.finalize().as_bytes();
        if let Some(before) = before.filter(|before| before.hash == hash) {
            return Ok(Arc::clone(before));
        }
        Ok(Arc::new(Target {
            id: id.clone(),
            generation: before.map_or(1, |before| before.generation + 1),
            loaded: now,
            config: file.value,
            connector,
            credential: credential.value,
            source,
            script,
            home: self.home.root().to_owned(),
            serves: served.zones,
            names: served.names,
            unread: served.unread,
            files: u128::from_le_bytes(files),
            hash,
        }))
    }

    /// The script of a target's connector; none where that is only told what happens.
    fn target_script(
        &mut self,
        connector: &str,
        source: &Source,
    ) -> Result<Option<Arc<Script>>, Vec<Problem>> {
        let name = source.script();
        if name.is_empty() {
            return Ok(None);
        }
        let script = match self.script(name) {
            Ok(script) => script,
            Err(found) if found.iter().any(|problem| problem.code == Code::Reference) => {
                return Err(self.no_script(connector, name).into_iter().collect());
            }
            Err(found) => return Err(found),
        };
        if !script.is_of_target() {
            return Err(self.no_target_script(connector, name).into_iter().collect());
        }
        Ok(Some(script))
    }

    /// A connector speaks to a target, and its script does not.
    fn no_target_script(&self, connector: &str, script: &str) -> Option<Problem> {
        let Some(Ok(file)) = self.files.connectors.get(connector) else {
            return None;
        };
        let message = format!(
            "`{script}` says what records of a PMS mean, and not who should have what at a target; name a script that has the functions `wanted` and `held`"
        );
        let problem = file.document.problem("script", message);
        Some(problem.coded(Code::Reference))
    }

    /// What a target's file, its connector and its script have in vain of each other: in version 2 of the connector errors.
    fn doubts(
        &self,
        connector: &str,
        source: &Source,
        script: Option<&Script>,
        target: &File<config::Target>,
    ) -> Vec<Problem> {
        let Some(Ok(file)) = self.files.connectors.get(connector) else {
            return Vec::new();
        };
        let asked = Asked::of(connector, file, source, script.into_iter().collect());
        let mut problems = asked.of_target(target);
        if file.value.is_strict() {
            problems.extend(script.map_or_else(Vec::new, |script| asked.in_vain(script)));
            problems.extend(asked.by_nobody());
        }
        problems
    }

    /// What targets have in vain of their connectors, and may be meant.
    pub(super) fn doubts_of_targets(&self, catalog: &Catalog) -> Vec<Problem> {
        let loaded = catalog.targets.values();
        let loaded = loaded.filter_map(|slot| slot.current.as_ref());
        let doubts = loaded.flat_map(|one| match self.files.targets.get(one.id.as_str()) {
            Some(Ok(file)) => self.doubts(&one.connector, &one.source, one.script.as_deref(), file),
            _ => Vec::new(),
        });
        doubts.collect()
    }
}

/// The names of integrations in a target's file that none has.
pub(super) fn of_nobody(
    file: &File<config::Target>,
    integrations: &BTreeMap<IntegrationId, Slot>,
) -> Vec<Problem> {
    let known: Vec<&str> = integrations.keys().map(IntegrationId::as_str).collect();
    let from = file.value.from.iter().enumerate();
    let unknown = from.filter(|(_, name)| !known.contains(&name.as_str()));
    let problems = unknown.map(|(index, name)| {
        let remedy = match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "there are none yet".to_owned(),
            None => format!("there are: {}", known.join(", ")),
        };
        let message = format!("there is no integration `{name}`; {remedy}");
        let problem = file.document.problem(&format!("from.{index}"), message);
        problem.coded(Code::Reference)
    });
    problems.collect()
}
