//! A look into a PMS as a sync would have it: its properties, and what the residents of some of them show. It writes nothing,
//! here or there, and decides nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::catalog::{Integration, ScriptJudge};
use crate::config::{self, Credential, Units};
use crate::model::{LeaseStatus, Reading, Record, Unit, is_same_property};
use crate::outbound::Account;
use crate::script::{Context, Inputs, Lookups, Script};
use crate::source::{Reader, Scope, Source, SourceError, collected};

/// A property that the PMS lists.
#[derive(Debug, Clone, Serialize)]
pub struct FoundProperty {
    /// The PMS's id.
    pub id: String,
    /// What the PMS calls it; empty where it does not.
    pub name: String,
    /// Whether it feeds what is asked about.
    pub attached: bool,
}

/// A word of status, and who has it.
#[derive(Debug, Clone, Serialize)]
pub struct FoundStatus {
    /// The PMS's own word.
    pub word: String,
    /// What the script makes of it.
    pub status: LeaseStatus,
    /// How many residents have it.
    pub residents: u64,
    /// Whether it is on the integration's exclude list.
    pub excluded: bool,
    /// The first of them, by name: for whoever decides about them, and in no list.
    #[serde(skip)]
    pub who: Vec<Who>,
}

/// Somebody of whom it is decided whether they come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Who {
    /// The name, as the PMS has it.
    pub name: String,
    /// The unit's label; empty where there is none.
    pub unit: String,
}

/// A unit that residents live in.
#[derive(Debug, Clone, Serialize)]
pub struct FoundUnit {
    /// As the script makes it.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// How many live in it.
    pub residents: u64,
    /// The unit here; none where the integration has no mapping list, or does not map this one.
    pub here: Option<String>,
    /// A unit here that it may be, where it is not mapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// Whom the script leaves out, by the reason that it gives.
#[derive(Debug, Clone, Serialize)]
pub struct FoundLeftOut {
    /// The reason.
    pub reason: String,
    /// How many.
    pub residents: u64,
}

/// What the residents of the attached properties show.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// By what the script makes of the words.
    pub statuses: Vec<FoundStatus>,
    /// Whom the script leaves out.
    pub left_out: Vec<FoundLeftOut>,
    /// The units that they live in.
    pub units: Vec<FoundUnit>,
    /// Records that the script could not map.
    pub rejected: u64,
    /// Why the first was rejected.
    pub first: Option<String>,
    /// Why lookups that the script may not ask at all could not be read.
    pub unread: Vec<String>,
}

/// So many of those with one status are named.
const NAMED: usize = 50;

/// What is asked about, and with what. An integration that has no file yet is asked about in the same way.
pub struct Asking<'a> {
    /// The id of the integration.
    pub id: &'a str,
    /// What its file says.
    pub config: &'a config::Integration,
    /// The account.
    pub credential: &'a Credential,
    /// The connector.
    pub source: &'a Source,
    /// What the records mean.
    pub script: &'a Arc<Script>,
    /// Where secrets are named from.
    pub home: &'a Path,
    /// The date at the property.
    pub today: Date,
}

impl<'a> Asking<'a> {
    /// About an integration, as it was loaded.
    pub fn of(integration: &'a Integration, now: Timestamp) -> Asking<'a> {
        Asking {
            id: integration.id.as_str(),
            config: &integration.config,
            credential: &integration.credential,
            source: &integration.source,
            script: &integration.script,
            home: &integration.home,
            today: integration.today(now),
        }
    }

    /// The account, with its secrets as they are now.
    pub fn account(&self, reader: &Reader) -> Result<Account, String> {
        let name = &self.config.credential;
        let account = reader
            .account(name, self.credential, self.source, self.home)
            .map_err(|error| format!("credential `{name}`: {error}"))?;
        Ok(account.asked_by_hand(true))
    }

    /// Gives the token back that was needed, where the connector says how. An error is worth a word, and no more.
    pub async fn leave(&self, reader: &Reader) -> Result<(), String> {
        // Whose secrets cannot be read got no token either.
        let Ok(account) = self.account(reader) else {
            return Ok(());
        };
        let account = account.asked_once();
        let scope = self.scope();
        let left = Box::pin(reader.log_out(self.source, &account, &scope)).await;
        left.map_err(|error| format!("the token was not given back: {error}"))
    }

    /// What is read.
    pub fn scope(&self) -> Scope {
        Scope {
            properties: self.config.pms_properties.clone(),
            fields: self.config.fields.clone(),
            today: self.today,
            judge: ScriptJudge::of(self.script, self.id, self.config, self.today),
            known: None,
        }
    }
}

/// Why a PMS does not list its properties.
pub struct Unlisted {
    /// The reason.
    pub told: String,
    /// The login is refused, or cannot be tried: whatever is asked next would be refused too, and may lock the account.
    pub is_login: bool,
}

impl From<Unlisted> for String {
    fn from(unlisted: Unlisted) -> String {
        unlisted.told
    }
}

/// The properties that the PMS lists; none where the connector has no request for them.
pub async fn properties(
    asking: &Asking<'_>,
    reader: &Reader,
) -> Result<Vec<FoundProperty>, Unlisted> {
    let source = asking.source;
    let mut properties = Vec::new();
    if source.has("properties") {
        let attached = &asking.config.pms_properties;
        let account = asking.account(reader).map_err(|told| Unlisted {
            told,
            is_login: true,
        })?;
        let scope = asking.scope();
        let listed = read(reader, source, &account, "properties", &scope).await;
        let listed = listed.map_err(|error| Unlisted {
            told: error.to_string(),
            is_login: matches!(error, SourceError::LoginFailed(_)),
        })?;
        for record in listed {
            let id = source
                .record_id("properties", &record.json)
                .unwrap_or_default();
            properties.push(FoundProperty {
                name: source
                    .record_name("properties", &record.json)
                    .unwrap_or_default(),
                attached: attached.iter().any(|one| is_same_property(one, &id)),
                id,
            });
        }
    }
    properties.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(properties)
}

/// Those with one status.
#[derive(Default)]
struct Counted {
    residents: u64,
    who: Vec<Who>,
}

/// What the script makes of the residents in the attached properties.
pub async fn shown(asking: &Asking<'_>, reader: &Reader) -> Result<Shown, String> {
    let (source, config) = (asking.source, asking.config);
    let (account, scope) = (asking.account(reader)?, asking.scope());
    let (mut lookups, mut unread) = (Lookups::new(), Vec::new());
    let asked = source
        .lookups()
        .filter(|(request, _)| asking.script.asks(request));
    for (request, _) in asked {
        let came = match read(reader, source, &account, request, &scope).await {
            Err(error) if !asking.script.lookups().contains_key(request) => {
                unread.push(error.to_string());
                continue;
            }
            came => came.map_err(|error| error.to_string())?,
        };
        for record in came {
            let key = source.lookup_key(request, &record.property, &record.json);
            if let Some((property, id)) = key {
                lookups.put(request, property, id, record.json.clone().into());
            }
        }
    }
    let lookups = Arc::new(lookups);
    let (mut counts, mut rejected) = (BTreeMap::<(LeaseStatus, String), Counted>::new(), 0);
    let mut first: Option<String> = None;
    let mut left_out = BTreeMap::<String, u64>::new();
    let mut units = BTreeMap::<Unit, u64>::new();
    let mut residents = Vec::new();
    for request in source.feeds() {
        let came = read(reader, source, &account, request, &scope).await;
        residents.extend(came.map_err(|error| error.to_string())?);
    }
    for record in residents {
        let context = Context::new(Inputs {
            today: scope.today,
            request: record.request.to_string(),
            property: record.property.to_string(),
            integration: asking.id.to_owned(),
            country: config.property.country.clone(),
            timezone: config.property.timezone.clone(),
            properties: config.pms_properties.clone(),
            fields: config.fields.clone(),
            lookups: Arc::clone(&lookups),
            ..Inputs::default()
        });
        match asking.script.residents(&record.json, &context) {
            Ok(mapped) => {
                if let Some(error) = mapped.iter().find_map(|one| one.as_ref().err()) {
                    rejected += 1;
                    first.get_or_insert_with(|| error.error.to_string());
                }
                for mapped in mapped.into_iter().flatten() {
                    match asking.script.exclude(&mapped, &context) {
                        // Their words are none that anybody would list.
                        Ok(Some(reason)) => {
                            *left_out.entry(reason).or_default() += 1;
                            continue;
                        }
                        Ok(None) => {}
                        Err(error) => {
                            rejected += 1;
                            first.get_or_insert_with(|| error.to_string());
                            continue;
                        }
                    }
                    let resident = mapped.resident;
                    let unit = resident.unit;
                    let counted = counts
                        .entry((resident.status, resident.status_word))
                        .or_default();
                    counted.residents += 1;
                    if counted.who.len() < NAMED {
                        let name = [resident.first_name, resident.last_name].join(" ");
                        counted.who.push(Who {
                            name: name.trim().to_owned(),
                            unit: unit
                                .as_ref()
                                .map_or_else(String::new, |unit| unit.label.clone()),
                        });
                    }
                    if let Some(unit) = unit {
                        *units.entry(unit).or_default() += 1;
                    }
                }
            }
            Err(error) => {
                rejected += 1;
                first.get_or_insert_with(|| error.to_string());
            }
        }
    }
    let statuses = counts
        .into_iter()
        .map(|((status, word), Counted { residents, who })| FoundStatus {
            excluded: config
                .exclude_statuses
                .iter()
                .any(|listed| listed.trim().eq_ignore_ascii_case(word.trim())),
            word,
            status,
            residents,
            who,
        });
    let units = units
        .into_iter()
        .map(|(unit, residents)| found_unit(unit, residents, &config.units));
    Ok(Shown {
        statuses: statuses.collect(),
        left_out: left_out
            .into_iter()
            .map(|(reason, residents)| FoundLeftOut { reason, residents })
            .collect(),
        units: units.collect(),
        rejected,
        first,
        unread,
    })
}

/// All records of a request.
pub async fn read(
    reader: &Reader,
    source: &Source,
    account: &Account,
    request: &str,
    scope: &Scope,
) -> Result<Vec<Record>, SourceError> {
    let (taker, pages) = mpsc::channel(2);
    let (reading, records) = tokio::join!(
        Box::pin(reader.read(source, account, request, scope, taker)),
        collected(pages)
    );
    match reading {
        Reading::Complete { .. } => Ok(records),
        Reading::Partial { reason } => Err(reason),
    }
}

/// A unit of the PMS, and what it is here.
pub fn found_unit(unit: Unit, residents: u64, units: &Units) -> FoundUnit {
    let map = &units.map;
    let mapped = map
        .get(&unit.id)
        .or_else(|| map.get(unit.formerly.as_ref()?));
    let equal = units.equal(&unit.label).filter(|_| units.equal_labels);
    let here = mapped.or(equal).cloned();
    FoundUnit {
        suggestion: match here {
            Some(_) => None,
            None => units.suggested(&unit.label).cloned(),
        },
        here,
        id: unit.id,
        label: unit.label,
        residents,
    }
}
