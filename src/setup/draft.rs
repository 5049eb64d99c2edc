//! A look into a PMS by an account that may have no file yet. Writes nothing, here or there.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::quoted::{scalar, sequence};
use crate::config::{Connector, Credential, Document, File, Files, Home, Integration};
use crate::model::{Problem, Problems};
use crate::script::{Library, Script};
use crate::source::{Reader, Source};

use super::asking::Asking;

/// Nobody waits longer for a list.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// An account, which may have no file yet.
#[derive(Clone, Copy)]
pub struct Draft<'a> {
    /// The home.
    pub home: &'a Home,
    /// How the PMS is reached.
    pub connector: &'a File<Connector>,
    /// What the account is called.
    pub name: &'a str,
    /// The account, as it is used now.
    pub credential: &'a Credential,
    /// When that is.
    pub now: Timestamp,
    /// Who reads; where it is none of its own, others go on by the token that it needs, and it is not given back.
    pub reader: Option<&'a Reader>,
}

impl Draft<'_> {
    /// What `of` makes of the PMS, as an integration with these PMS properties would see it.
    pub async fn ask<T>(
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
            today: self.now.to_zoned(TimeZone::UTC).date(),
        };
        let own = match self.reader {
            Some(_) => None,
            None => Some(Reader::new().map_err(|error| error.to_string())?),
        };
        let Some(reader) = self.reader.or(own.as_ref()) else {
            return Err("there is nothing to read it by".to_owned());
        };
        let asked = tokio::time::timeout(PATIENCE, of(&asking, reader))
            .await
            .unwrap_or_else(|_| Err(format!("no answer in {} s", PATIENCE.as_secs())));
        if own.is_some() {
            // `epms doctor` says whether it works.
            let _ = asking.leave(reader).await;
        }
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
