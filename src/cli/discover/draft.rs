//! A look into a PMS by an account of which no integration has a file yet. Writes nothing, here or there.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::quoted::{scalar, sequence};
use crate::config::{Connector, Credential, Document, File, Files, Home, Integration};
use crate::model::{Problem, Problems};
use crate::script::{Library, Script};
use crate::source::{Reader, Source};

use super::Asking;

/// Nobody waits longer for a list.
pub(in crate::cli) const PATIENCE: Duration = Duration::from_mins(1);

/// An account, which may have no file yet.
#[derive(Clone, Copy)]
pub(in crate::cli) struct Draft<'a> {
    pub(in crate::cli) home: &'a Home,
    pub(in crate::cli) connector: &'a File<Connector>,
    pub(in crate::cli) name: &'a str,
    pub(in crate::cli) credential: &'a Credential,
}

impl Draft<'_> {
    /// What `of` makes of the PMS, as an integration with these PMS properties would see it.
    pub(in crate::cli) async fn ask<T>(
        &self,
        properties: &[String],
        of: impl AsyncFnOnce(&Asking<'_>, &Reader) -> Result<T, String>,
    ) -> Result<T, String> {
        let first = |problems: Vec<Problem>| Problems(problems).to_string();
        let settings = Files::read_settings(self.home).ok();
        let proxy = settings.and_then(|file| file.value.proxy);
        let source = Source::compile(self.connector).map_err(first)?;
        let source = source.through(proxy.as_ref());
        let library = Library::read(self.home.root());
        let script = Arc::new(Script::compile(&library, source.script()).map_err(first)?);
        let config = self.integration(properties).map_err(first)?;
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

    fn integration(&self, properties: &[String]) -> Result<Integration, Vec<Problem>> {
        let text = format!(
            "version: 1\nproperty: {{ name: new, timezone: UTC }}\ncredential: {}\npms_properties: {}\n",
            scalar(self.name),
            sequence(properties)
        );
        Document::parse(Path::new("new.yaml"), &text)?.read()
    }
}
