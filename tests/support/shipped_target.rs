//! A target by the connector and the script that come with the program, without an engine: what is wanted, what is done, and
//! what is held, one by one.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use epms::config::{
    ContractLimits, Credential, CredentialValue, Document, File, Operation, SecretReference,
};
use epms::model::Reading;
use epms::outbound::Account;
use epms::script::{Context, HeldRecord, Inputs, Library, Lookups, Script};
use epms::source::{Acted, Errand, Reader, Scope, Source, SourceError, collected};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

/// A target.
pub(crate) struct ShippedTarget {
    pub(crate) source: Source,
    /// What tells of events has none.
    script: Option<Script>,
    reader: Reader,
    account: Account,
    fields: BTreeMap<String, String>,
    /// The secrets of the credential lie in it.
    _home: tempfile::TempDir,
}

impl ShippedTarget {
    /// By the name of its connector, with the fields of its credential and those of the target's file.
    pub(crate) fn new(
        connector: &str,
        credential: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> ShippedTarget {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = root.join(format!("config/connectors/{connector}.yaml"));
        let text = std::fs::read_to_string(&path).unwrap();
        // Only the pace is another.
        let text: String = text
            .lines()
            .filter(|line| !line.starts_with("limits:"))
            .flat_map(|line| [line, "\n"])
            .collect();
        let text = text + "\nretry: { attempts: 2, pause: 0s, longest: 3s }\n";
        let document = Document::parse(&path, &text).unwrap();
        let value = document.read().unwrap();
        let source = Source::compile(&File {
            value,
            document,
            hash: [0; 32],
        });
        let source = source.unwrap_or_else(|problems| panic!("{problems:?}"));
        let script = (!source.can(Operation::Send)).then(|| {
            let script = Script::compile(&Library::read(root), source.script());
            script.unwrap_or_else(|problem| panic!("{problem:?}"))
        });
        let home = tempfile::tempdir().unwrap();
        let credential = credential.iter().map(|(name, value)| {
            let is_secret = name.contains("secret") || *name == "token";
            let value = if is_secret {
                let path = home.path().join(name);
                std::fs::write(&path, value).unwrap();
                std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
                CredentialValue::Secret(SecretReference::File((*name).into()))
            } else {
                CredentialValue::Plain((*value).to_owned())
            };
            ((*name).to_owned(), value)
        });
        let credential = Credential {
            version: 1,
            connector: connector.to_owned(),
            fields: credential.collect(),
            ca_file: None,
            limits: ContractLimits::default(),
            expires: None,
            defaults: epms::config::Defaults::default(),
        };
        let reader = Reader::new().unwrap();
        let account = reader.account("target", &credential, &source, home.path());
        let fields = fields.iter();
        ShippedTarget {
            account: account.unwrap(),
            source,
            script,
            reader,
            fields: fields
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            _home: home,
        }
    }

    fn script(&self) -> &Script {
        self.script.as_ref().unwrap()
    }

    fn scope(&self) -> Scope {
        Scope {
            properties: Vec::new(),
            fields: self.fields.clone(),
            today: jiff::civil::date(2026, 3, 1),
            judge: None,
            known: None,
        }
    }

    fn context(&self, operation: Operation, about: &Value, lookups: Lookups) -> Context {
        Context::new(Inputs {
            request: operation.request().to_owned(),
            fields: self.fields.clone(),
            lookups: Arc::new(lookups),
            grant: operation.about().map(|_| about.to_string()),
            ..Inputs::default()
        })
    }

    /// What somebody should have there, each as it is sent.
    pub(crate) fn wanted(&self, person: &Value) -> Vec<Value> {
        let context = self.context(Operation::List, &Value::Null, Lookups::new());
        let wanted = self.script().wanted(&person.to_string(), &context).unwrap();
        let wholes = wanted.iter().map(|grant| Value::Object(grant.whole()));
        wholes.collect()
    }

    /// Does one thing.
    pub(crate) async fn act(
        &self,
        operation: Operation,
        about: &Value,
    ) -> Result<Acted, SourceError> {
        let errand = Errand { operation, about };
        let scope = self.scope();
        let acted = self.reader.act(&self.source, &self.account, &scope, errand);
        Box::pin(acted).await
    }

    /// What is there, as it comes.
    pub(crate) async fn look(
        &self,
        operation: Operation,
        about: &Value,
    ) -> Result<Vec<Box<str>>, SourceError> {
        let errand = Errand { operation, about };
        let scope = self.scope();
        let looked = self
            .reader
            .look(&self.source, &self.account, &scope, errand);
        Box::pin(looked).await
    }

    /// What is there, as the script understands it.
    pub(crate) async fn held(
        &self,
        operation: Operation,
        about: &Value,
    ) -> Result<Vec<HeldRecord>, SourceError> {
        let records = self.look(operation, about).await?;
        let context = self.context(operation, about, self.lookups().await);
        let held = records.iter().map(|record| {
            let held = self.script().held(record, &context);
            held.unwrap_or_else(|error| panic!("{error}"))
        });
        Ok(held.flatten().collect())
    }

    /// The one of a grant.
    pub(crate) async fn found(&self, grant: &Value) -> Option<HeldRecord> {
        let operation = if self.source.can(Operation::Find) {
            Operation::Find
        } else {
            Operation::List
        };
        let held = self.held(operation, grant).await.unwrap();
        held.into_iter().find(|held| grant["key"] == held.key)
    }

    async fn lookups(&self) -> Lookups {
        let mut lookups = Lookups::new();
        let scope = self.scope();
        for (request, _) in self.source.lookups() {
            if !self.script().asks(request) {
                continue;
            }
            let (taker, pages) = mpsc::channel(1);
            let reading = self
                .reader
                .read(&self.source, &self.account, request, &scope, taker);
            let (reading, records) = tokio::join!(Box::pin(reading), collected(pages));
            assert!(matches!(reading, Reading::Complete { .. }), "{reading:?}");
            for record in records {
                let key = self.source.lookup_key(request, "", &record.json);
                let (property, key) = key.unwrap();
                lookups.put(request, property, key, record.json.into());
            }
        }
        lookups
    }

    /// A grant without what is never compared, as `held` gives it.
    pub(crate) fn compared(&self, grant: &Value) -> Map<String, Value> {
        let mut fields = grant.as_object().unwrap().clone();
        fields.retain(|name, _| {
            let is_written = self.source.write_only().iter().any(|one| one == name);
            !is_written && name != "key" && name != "id"
        });
        fields
    }
}

/// A grant with the target's id of it.
pub(crate) fn with_id(grant: &Value, id: &str) -> Value {
    let mut grant = grant.clone();
    grant["id"] = json!(id);
    grant
}
