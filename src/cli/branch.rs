//! The files of another checkout, read to be tried: what stands in them is sent, and never where they lie. Of a
//! credential its `defaults` are sent alone. Decides nothing about them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::beneath::{Entry, MAX_FILE, Unread};
use crate::config::{File, Home, is_name};
use crate::model::{IntegrationId, Problems, TriedFiles};
use crate::script::Library;

use super::{Exit, Failure};

/// The contents of a checkout's files, by the stems of their names.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) integrations: BTreeMap<String, String>,
    connectors: BTreeMap<String, String>,
    credentials: BTreeMap<String, String>,
    scripts: BTreeMap<String, String>,
}

impl Branch {
    /// Reads `config/integrations`, `config/connectors`, `config/credentials` and `scripts` of a folder. No secret is read.
    pub(super) fn read(folder: &Path) -> Result<Branch, Failure> {
        let home = Home::at(folder);
        let wrong = |told: String| Failure::other(Exit::Invalid, told);
        if !home.config().is_dir() {
            return Err(wrong(format!(
                "there is no {}; name a home, or a checkout with `config/` and `scripts/`",
                home.config().display()
            )));
        }
        let library = Library::read(folder);
        if let Some(problem) = library.refused().next() {
            return Err(wrong(problem.to_string()));
        }
        let names = library.names();
        let scripts = names.filter_map(|name| Some((name.to_owned(), library.text(name)?.into())));
        Ok(Branch {
            integrations: texts(&home, "integrations")?,
            connectors: texts(&home, "connectors")?,
            credentials: texts(&home, "credentials")?,
            scripts: scripts.collect(),
        })
    }

    /// What is sent for an integration that reads through this connector; none where the checkout has no file of it.
    pub(super) fn of(
        &self,
        id: &IntegrationId,
        connector: &str,
    ) -> Result<Option<TriedFiles>, Failure> {
        let Some(integration) = self.integrations.get(id.as_str()) else {
            return Ok(None);
        };
        let files = TriedFiles {
            integration: integration.clone(),
            connector: self.connectors.get(connector).cloned(),
            defaults: self.defaults(id, integration)?,
            scripts: self.scripts.clone(),
        };
        let size = serde_json::to_vec(&files).map_or(usize::MAX, |text| text.len());
        if size > TriedFiles::MOST {
            return Err(Failure::other(
                Exit::Invalid,
                "the files are larger than 10 MiB together, and no more is sent; remove scripts that nothing uses",
            ));
        }
        Ok(Some(files))
    }
}

impl Branch {
    /// What the credential's file says under `defaults`, as JSON; none where the checkout has no such file.
    fn defaults(&self, id: &IntegrationId, integration: &str) -> Result<Option<String>, Failure> {
        // What is wrong with the integration's file, the daemon says.
        let Ok(file) = File::of_integration(id.as_str(), integration) else {
            return Ok(None);
        };
        let name = &file.value.credential;
        let Some(text) = self.credentials.get(name) else {
            return Ok(None);
        };
        let file = File::of_credential(name, text);
        let file = file.map_err(|problems| Failure::Config(Problems(problems)))?;
        let json = serde_json::to_string(&file.value.defaults);
        Ok(Some(json.map_err(std::io::Error::from)?))
    }
}

/// The texts of a folder's files.
fn texts(home: &Home, folder: &str) -> Result<BTreeMap<String, String>, Failure> {
    let wrong = |path: &Path, error: &Unread| {
        let told = format!("{}: {error}", home.name(path).display());
        Failure::other(Exit::Invalid, told)
    };
    let path = home.config().join(folder);
    let entries = match home.beneath().list(&path) {
        Ok(entries) => entries,
        Err(Unread::Absent) => Vec::new(),
        Err(error) => return Err(wrong(&path, &error)),
    };
    let mut texts = BTreeMap::new();
    for Entry { path, .. } in entries {
        let name = path.file_name().and_then(|name| name.to_str());
        let stem = name.and_then(|name| name.strip_suffix(".yaml"));
        let Some(stem) = stem.filter(|stem| is_name(stem)) else {
            continue;
        };
        let text = home.beneath().read_text(&path, MAX_FILE);
        texts.insert(stem.to_owned(), text.map_err(|error| wrong(&path, &error))?);
    }
    Ok(texts)
}
