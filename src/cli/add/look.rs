//! What the PMS has, shown before it is asked for. A PMS that is out of reach keeps nobody from going on.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::{Connector, Credential, Document, File, Files, Home, Integration};
use crate::model::Problems;
use crate::script::{Library, Script};
use crate::source::{Reader, Source};

use super::super::discover::{self, Asking};
use super::text::{self, NewIntegration};

/// Nobody waits longer for a list.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);
/// More lines than this are no help.
const SHOWN: usize = 200;

/// A look into the PMS, by a credential that may have no file yet.
pub(super) struct Look<'a> {
    home: &'a Home,
    connector: &'a File<Connector>,
    name: &'a str,
    credential: &'a Credential,
    /// The properties by their ids, as far as they were seen.
    seen: BTreeMap<String, String>,
    /// The words of status, as far as they were seen.
    words: Vec<String>,
}

impl<'a> Look<'a> {
    pub(super) fn new(
        home: &'a Home,
        connector: &'a File<Connector>,
        name: &'a str,
        credential: &'a Credential,
    ) -> Look<'a> {
        Look {
            home,
            connector,
            name,
            credential,
            seen: BTreeMap::new(),
            words: Vec::new(),
        }
    }

    /// The properties that were seen, by id and name.
    pub(super) fn properties_seen(&self) -> Vec<(&str, &str)> {
        let seen = self.seen.iter();
        seen.map(|(id, name)| (id.as_str(), name.as_str()))
            .collect()
    }

    /// The words of status that were seen.
    pub(super) fn words_seen(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    /// What the PMS calls the property, where there is one and it was seen.
    pub(super) fn name_of(&self, properties: &[String]) -> Option<String> {
        let [property] = properties else { return None };
        let name = self.seen.get(property)?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    }

    /// The PMS's properties, or why they cannot be seen.
    pub(super) async fn properties(&mut self) -> String {
        let asked = self
            .ask(&[], async |asking, reader| {
                let listed = discover::properties(asking, reader).await;
                listed.map_err(|unlisted| unlisted.told)
            })
            .await;
        match asked {
            Ok(found) => {
                let lines = found
                    .iter()
                    .map(|one| format!("  {}  {}", one.id, one.name))
                    .collect();
                self.seen = found.into_iter().map(|one| (one.id, one.name)).collect();
                listed(lines, "the PMS lists no properties; it knows their ids")
            }
            Err(told) => format!("  they cannot be seen now: {told}"),
        }
    }

    /// The statuses of the residents of these properties, or why they cannot be seen.
    pub(super) async fn statuses(&mut self, properties: &[String]) -> String {
        let asked = self
            .ask(properties, async |asking, reader| {
                discover::shown(asking, reader).await
            })
            .await;
        match asked {
            Ok(shown) => {
                let lines = shown
                    .statuses
                    .iter()
                    .map(|one| {
                        format!(
                            "  {}: {} ({})",
                            one.word,
                            one.residents,
                            one.status.as_str()
                        )
                    })
                    .collect();
                self.words = shown.statuses.into_iter().map(|one| one.word).collect();
                listed(lines, "there are no residents in these properties")
            }
            Err(told) => format!("  they cannot be seen now: {told}"),
        }
    }

    async fn ask<T>(
        &self,
        properties: &[String],
        of: impl AsyncFnOnce(&Asking<'_>, &Reader) -> Result<T, String>,
    ) -> Result<T, String> {
        let first = |problems: Vec<crate::model::Problem>| Problems(problems).to_string();
        let settings = Files::read_settings(self.home).ok();
        let proxy = settings.and_then(|file| file.value.proxy);
        let source = Source::compile(self.connector).map_err(first)?;
        let source = source.through(proxy.as_ref());
        let library = Library::read(self.home.root());
        let script = Arc::new(Script::compile(&library, source.script()).map_err(first)?);
        let draft = text::integration(&NewIntegration {
            id: "new".into(),
            name: "new".into(),
            timezone: "UTC".into(),
            country: "US".into(),
            credential: self.name.to_owned(),
            pms_properties: properties.to_vec(),
            exclude_statuses: Vec::new(),
            enabled: false,
        });
        let config: Integration = Document::parse(Path::new("new.yaml"), &draft)
            .and_then(|document| document.read())
            .map_err(first)?;
        let asking = Asking {
            id: "new",
            config: &config,
            credential: self.credential,
            source: &source,
            script: &script,
            home: self.home.root(),
            today: Timestamp::now().to_zoned(TimeZone::UTC).date(),
        };
        let reader = Reader::new().map_err(|error| error.to_string())?;
        let asked = tokio::time::timeout(PATIENCE, of(&asking, &reader))
            .await
            .unwrap_or_else(|_| Err(format!("no answer in {} s", PATIENCE.as_secs())));
        // `epms doctor` says whether it works.
        let _ = asking.leave(&reader).await;
        asked
    }
}

/// Lines of what there is, or that there is nothing.
pub(super) fn listed(mut lines: Vec<String>, none: &str) -> String {
    if lines.is_empty() {
        return format!("  {none}");
    }
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines.join("\n")
}
