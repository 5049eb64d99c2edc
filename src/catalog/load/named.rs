//! What files name and what is not there, of all files at once: also of those with which something else is wrong, so that
//! no mistake is told only once another is mended. For `check`; what loads is decided elsewhere.

use std::collections::BTreeMap;

use crate::config::{self, Connector, Credential, File, Rest, check_fields};
use crate::model::{Code, IntegrationId, Problem};
use crate::source::Source;

use super::super::Slot;
use super::targets::of_nobody;
use super::{Loader, others};

impl Loader<'_> {
    /// What is wrong with what files name, and with what hangs on a file of which something else is wrong.
    pub(super) fn named(&self, integrations: &BTreeMap<IntegrationId, Slot>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for file in self.files.integrations.values().flatten() {
            problems.extend(self.named_by_integration(file));
        }
        for rest in self.files.rests.integrations.values() {
            problems.extend(rest.of_written(self.named_by_integration(&rest.file)));
        }
        for file in self.files.targets.values().flatten() {
            problems.extend(self.named_by_target(file, integrations));
        }
        for rest in self.files.rests.targets.values() {
            let named = self.named_by_target(&rest.file, integrations);
            problems.extend(rest.of_written(named));
        }
        for file in self.files.credentials.values().flatten() {
            problems.extend(self.named_by_credential(file));
        }
        for rest in self.files.rests.credentials.values() {
            problems.extend(rest.of_written(self.named_by_credential(&rest.file)));
        }
        for rest in self.files.rests.connectors.values() {
            problems.extend(rest.of_written(self.named_by_connector(rest)));
        }
        problems
    }

    fn named_by_integration(&self, file: &File<config::Integration>) -> Vec<Problem> {
        let config = &file.value;
        let credential = self.no_credential(&file.document, &config.credential);
        let script = config.script.iter().filter(|name| !self.has_script(name));
        let script = script.map(|name| {
            let problem = file.document.problem("script", self.scripts_are(name));
            problem.coded(Code::Reference)
        });
        credential.into_iter().chain(script).collect()
    }

    fn named_by_target(
        &self,
        file: &File<config::Target>,
        integrations: &BTreeMap<IntegrationId, Slot>,
    ) -> Vec<Problem> {
        let mut problems = of_nobody(file, integrations);
        problems.extend(self.no_credential(&file.document, &file.value.credential));
        problems
    }

    fn named_by_credential(&self, file: &File<Credential>) -> Vec<Problem> {
        let name = &file.value.connector;
        let rest = self.files.rests.connectors.get(name);
        match self.files.connectors.get(name) {
            None => vec![self.no_connector(file)],
            Some(Ok(connector)) => check_fields(file, &connector.value),
            Some(Err(_)) => rest
                .filter(|rest| rest.fits("credential_fields"))
                .map_or_else(Vec::new, |rest| check_fields(file, &rest.file.value)),
        }
    }

    fn named_by_connector(&self, rest: &Rest<Connector>) -> Vec<Problem> {
        let file = &rest.file;
        let script = &file.value.script;
        let mut problems = Vec::new();
        if !script.trim().is_empty() && !self.has_script(script) {
            let problem = file.document.problem("script", self.scripts_are(script));
            problems.push(problem.coded(Code::Reference));
        }
        if rest.is_whole {
            problems.extend(Source::compile(file).err().unwrap_or_default());
        }
        problems
    }

    fn has_script(&self, name: &str) -> bool {
        let name = name.strip_suffix(".rhai").unwrap_or(name);
        self.library.names().any(|known| known == name)
    }

    /// That a file names a credential that is not there, where it does.
    pub(super) fn no_credential(&self, document: &config::Document, name: &str) -> Option<Problem> {
        if self.files.credentials.contains_key(name) {
            return None;
        }
        let message = format!(
            "there is no credential `{name}`; {}",
            others(&self.files.credentials, name)
        );
        let problem = document.problem("credential", message);
        Some(problem.coded(Code::Reference))
    }

    /// That the connector is not there which a credential names.
    pub(super) fn no_connector(&self, file: &File<Credential>) -> Problem {
        let connector = &file.value.connector;
        let message = format!(
            "there is no connector `{connector}`; {}",
            others(&self.files.connectors, connector)
        );
        let problem = file.document.problem("connector", message);
        problem.coded(Code::Reference)
    }
}
