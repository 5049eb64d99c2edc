//! What a record costs in the shipped scripts: records as the sandboxes give them through the shipped connectors, mapped
//! and asked whether they are left out, as a run does it. Reads no store.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use epms::config::{ContractLimits, Credential, CredentialValue, Files, Home, SecretReference};
use epms::model::{Reading, Record};
use epms::sandbox::{Kind, PropertySpec, Sandbox, Settings, WAYS, World, WorldOptions};
use epms::script::{Context, Inputs, Library, Lookups, Script};
use epms::source::{Reader, Scope, Source, collected};
use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::stages::counted;
use super::usage::measured;

/// The day that it is: it decides who has left.
const TODAY: Date = date(2026, 3, 10);

/// People of the property that is read.
const PEOPLE: usize = 400;

/// Maps records that lie in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Map {
    file: PathBuf,
    /// How often.
    times: u32,
}

/// What a run reads of a property.
#[derive(Serialize, Deserialize)]
struct Given {
    script: String,
    /// Each with its property and its request.
    records: Vec<(String, String, String)>,
    /// Each with its request, its property (empty where it is asked once) and its key.
    lookups: Vec<(String, String, String, String)>,
}

/// Every shipped script, by a connector that uses it. Rows in XML are the same to MRI's.
pub(crate) fn ways() -> Vec<(String, Kind)> {
    let first = Kind::ALL.map(|kind| (kind.to_string(), kind));
    let second = WAYS.into_iter().filter(|(name, _)| *name != "mri-xml");
    let second = second.map(|(name, kind)| (name.to_owned(), kind));
    first.into_iter().chain(second).collect()
}

/// Records to map so many times over, and how many there are; they are kept in a file of `folder`.
pub(crate) fn given(connector: &str, kind: Kind, folder: &Path, times: u32) -> (Map, u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let given = runtime.block_on(read(connector, kind));
    let file = folder.join(format!("{connector}.json"));
    std::fs::write(&file, serde_json::to_vec(&given).unwrap()).unwrap();
    let records = u64::try_from(given.records.len()).unwrap();
    assert!(records > 50, "{connector}: {records} records");
    (Map { file, times }, records)
}

/// Seconds of the processor for all of it. Only that is counted by callgrind.
pub(crate) fn map(task: &Map) -> f64 {
    let given: Given = serde_json::from_slice(&std::fs::read(&task.file).unwrap()).unwrap();
    let script = Script::compile(&Library::read(shipped().root()), &given.script).unwrap();
    let mut lookups = Lookups::new();
    for (request, property, key, record) in given.lookups {
        lookups.put(&request, &property, key, record);
    }
    let lookups = Arc::new(lookups);
    let mut contexts = BTreeMap::new();
    for (property, request, _) in &given.records {
        contexts.entry((property, request)).or_insert_with(|| {
            Context::new(Inputs {
                today: TODAY,
                property: property.clone(),
                request: request.clone(),
                country: "US".into(),
                timezone: "America/New_York".into(),
                lookups: Arc::clone(&lookups),
                ..Inputs::default()
            })
        });
    }
    let mapped = |(property, request, json): &(String, String, String)| {
        let context = &contexts[&(property, request)];
        let residents = script.residents(json, context)?;
        for one in residents {
            black_box(script.exclude(&one.unwrap(), context)?);
        }
        Ok::<_, epms::script::ScriptError>(())
    };
    // Callgrind takes so long to see code for the first time that the script's deadline may be over meanwhile.
    for record in &given.records {
        assert!((0..20).any(|_| mapped(record).is_ok()));
    }
    let ((), usage) = measured(|| {
        counted(&mut || {
            for _ in 0..task.times {
                given.records.iter().for_each(|one| mapped(one).unwrap());
            }
        });
    });
    usage.cpu
}

fn shipped() -> Home {
    Home::at(env!("CARGO_MANIFEST_DIR"))
}

async fn read(connector: &str, kind: Kind) -> Given {
    let world = World::seeded(WorldOptions {
        seed: 11,
        properties: vec![PropertySpec {
            code: "elm".into(),
            name: "Elm Court".into(),
        }],
        residents: PEOPLE,
        today: TODAY,
    });
    let sandbox = Sandbox::start(kind, world, Settings::default()).await;
    let sandbox = sandbox.unwrap();
    let files = Files::read(&shipped());
    let file = files.connectors[connector].as_ref().unwrap();
    let source = Source::compile(file).unwrap();
    let home = TempDir::new().unwrap();
    let secrets: Vec<&str> = file
        .value
        .credential_fields
        .iter()
        .filter(|(_, field)| field.secret)
        .map(|(name, _)| name.as_str())
        .collect();
    let fields = sandbox.credential_by(connector).unwrap().into_iter();
    let credential = Credential {
        version: 1,
        connector: connector.to_owned(),
        fields: fields
            .map(|(name, value)| (name.to_owned(), kept(name, value, &secrets, home.path())))
            .collect(),
        ca_file: None,
        limits: ContractLimits::default(),
        expires: None,
        defaults: epms::config::Defaults::default(),
    };
    let reader = Reader::new().unwrap();
    let account = reader.account("acme", &credential, &source, home.path());
    let account = account.unwrap();
    let scope = Scope {
        properties: vec![sandbox.property_id_by(connector, 0)],
        fields: BTreeMap::new(),
        today: TODAY,
        judge: None,
        known: None,
    };
    let (taker, handed) = tokio::sync::mpsc::channel(4);
    let reading = reader.residents(&source, &account, &scope, None, taker);
    let (reading, records) = tokio::join!(reading, collected(handed));
    assert!(matches!(reading, Reading::Complete { .. }), "{reading:?}");
    let mut lookups = Vec::new();
    for (lookup, _) in source.lookups() {
        let (taker, handed) = tokio::sync::mpsc::channel(4);
        let reading = reader.read(&source, &account, lookup, &scope, taker);
        let (reading, records) = tokio::join!(reading, collected(handed));
        assert!(matches!(reading, Reading::Complete { .. }), "{reading:?}");
        for record in records {
            let key = source.lookup_key(lookup, &record.property, &record.json);
            if let Some((property, key)) = key {
                let json = String::from(record.json.clone());
                lookups.push((lookup.to_owned(), property.to_owned(), key, json));
            }
        }
    }
    let told = |record: Record| {
        let (property, request) = (record.property.to_string(), record.request.to_string());
        (property, request, String::from(record.json))
    };
    Given {
        script: source.script().to_owned(),
        records: records.into_iter().map(told).collect(),
        lookups,
    }
}

/// A field of a credential; a secret lies in a file.
fn kept(name: &str, value: String, secrets: &[&str], home: &Path) -> CredentialValue {
    if !secrets.contains(&name) {
        return CredentialValue::Plain(value);
    }
    let file = home.join(name);
    std::fs::write(&file, value).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    CredentialValue::Secret(SecretReference::File(PathBuf::from(name)))
}
