//! `epms discover`: what a PMS has: its properties, and the lease statuses in use with counts. It reads the
//! PMS as a sync would, and writes nothing, here or there. What a target has is in `places`.

pub(super) mod draft;
pub(super) mod of_account;
pub(super) mod places;
mod told;
mod units;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::catalog::{self, Catalog, Integration, ScriptJudge};
use crate::config::{self, Credential, Home};
use crate::control::client::Client;
use crate::model::{
    IntegrationId, LeaseStatus, Problems, Reading, Record, TargetId, Unit, is_same_property,
};
use crate::outbound::Account;
use crate::script::{Context, Inputs, Lookups, Script};
use crate::source::{Reader, Scope, Source, SourceError, collected};

use super::{Exit, Failure, Screen};

/// Which PMS or target to ask.
#[derive(Debug, Args)]
#[command(after_help = "\
asks the PMS itself, with the integration's credential; nothing is written,
here or there. what the script cannot map, a number of records that is not the
declared one, and a list of properties that the PMS refuses, is told. ids of
properties go into `pms_properties`, words of statuses into `exclude_statuses`,
ids of units to the left in `units.map`

--units --yaml gives `units` of the integration's file as it is, with each unit
that residents live in, mapped onto the unit here that it looks like

of a target it lists what can be granted there: ids of places go to the right
in `places.map`. --yaml gives `places` of its file as it is, with what could be
added; where a daemon runs, with the units that people live in

examples
  epms discover 123-building-name
  epms discover 123-building-name --units
  epms discover 123-building-name --units --yaml
  epms discover 123-building-name --json
  epms discover --credential acme-yardi
  epms discover acme-door
  epms discover acme-door --yaml")]
pub struct DiscoverArguments {
    /// The integration or the target whose credential and connector to use
    #[arg(
        value_name = "INTEGRATION|TARGET",
        value_parser = super::integration_id,
        required_unless_present = "credential"
    )]
    pub name: Option<IntegrationId>,
    /// The properties of this account, be there an integration of it or not, and which feed one already
    #[arg(long, value_name = "NAME", conflicts_with_all = ["name", "units", "target", "yaml"])]
    pub credential: Option<String>,
    /// The units that residents live in as well, by the ids that `units.map` speaks of
    #[arg(long)]
    pub units: bool,
    /// The target, where an integration is called so, too
    #[arg(long, conflicts_with = "units")]
    pub target: bool,
    /// Of a target: `places` of its file, to be filled in and pasted there; with --units: `units` of an integration's
    #[arg(long, conflicts_with = "json")]
    pub yaml: bool,
}

#[derive(Serialize)]
struct Found {
    properties: Vec<FoundProperty>,
    /// Why the PMS does not list its properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    unlisted: Option<String>,
    statuses: Vec<FoundStatus>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<FoundLeftOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<Vec<FoundUnit>>,
    /// Records that the script could not map.
    rejected: u64,
    /// Why it could not map the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_rejected: Option<String>,
    /// What a run would end for, and this look does not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct FoundProperty {
    pub(super) id: String,
    pub(super) name: String,
    attached: bool,
}

#[derive(Serialize)]
pub(super) struct FoundStatus {
    /// The PMS's own word.
    pub(super) word: String,
    /// What the script makes of it.
    pub(super) status: LeaseStatus,
    pub(super) residents: u64,
    /// Whether it is on the integration's exclude list.
    excluded: bool,
}

#[derive(Serialize)]
pub(super) struct FoundUnit {
    /// As the script makes it.
    id: String,
    label: String,
    residents: u64,
    /// The unit here; none where the integration has no mapping list, or does not map this one.
    here: Option<String>,
    /// A unit here that it may be, where it is not mapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<String>,
}

/// Whom the script leaves out, by the reason that it gives.
#[derive(Serialize)]
struct FoundLeftOut {
    reason: String,
    residents: u64,
}

/// What the residents of the attached properties show.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) statuses: Vec<FoundStatus>,
    left_out: Vec<FoundLeftOut>,
    units: Vec<FoundUnit>,
    rejected: u64,
    /// Why the first was rejected.
    first: Option<String>,
    /// Why lookups that the script may not ask at all could not be read.
    unread: Vec<String>,
}

pub(super) async fn run(
    arguments: &DiscoverArguments,
    json: bool,
    home: &Home,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    if let Some(credential) = &arguments.credential {
        return of_account::run(credential, json, home, screen).await;
    }
    let Some(id) = &arguments.name else {
        return Ok(Exit::Done);
    };
    let now = Timestamp::now();
    let catalog = catalog::load(home, None, now);
    let of_target = places::find(&catalog, id.as_str());
    let is_integration = catalog.integrations.contains_key(id);
    match of_target {
        Some((id, slot)) if arguments.target || !is_integration => {
            return places::run(&id, slot, arguments.yaml, json, client, screen).await;
        }
        _ if arguments.target => {
            return Err(Failure::other(Exit::Invalid, no_target(&catalog, id)));
        }
        _ if arguments.yaml && is_integration && !arguments.units => {
            let told = format!(
                "`{id}` is an integration, of which --yaml gives the units; add --units, or leave it away"
            );
            return Err(Failure::other(Exit::Invalid, told));
        }
        _ => {}
    }
    let integration = of_catalog(&catalog, id);
    let integration =
        integration.unwrap_or_else(|| Err(places::nothing_called(&catalog, id.as_str())))?;
    let failed = |told| Failure::other(Exit::Failed, told);
    let (doubts, mut doubted) = mpsc::unbounded_channel();
    let reader = Reader::new().map_err(|error| failed(error.to_string()))?;
    let reader = reader.doubted_by(doubts);
    let asking = Asking::of(&integration, now);
    let seen = async {
        let listed = match properties(&asking, &reader).await {
            // The residents may be readable all the same.
            Err(unlisted) if !unlisted.is_login => Err(unlisted.told),
            listed => Ok(listed?),
        };
        Ok::<_, String>((listed, shown(&asking, &reader).await?))
    };
    let seen = seen.await;
    let left = asking.leave(&reader).await;
    let (listed, shown) = seen.map_err(failed)?;
    let (properties, unlisted) = match listed {
        Ok(properties) => (properties, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let mut warnings = shown.unread;
    while let Ok(doubt) = doubted.try_recv() {
        warnings.push(doubt.to_string());
    }
    warnings.extend(left.err());
    if arguments.yaml {
        let text = units::block(&integration.id, &integration.config.units, &shown.units);
        screen.tell(&text)?;
        for warning in &warnings {
            screen.complain(&format!("a run would be incomplete here: {warning}"))?;
        }
        return Ok(Exit::Done);
    }
    let found = Found {
        first_rejected: shown.first,
        warnings,
        properties,
        unlisted,
        statuses: shown.statuses,
        left_out: shown.left_out,
        units: arguments.units.then_some(shown.units),
        rejected: shown.rejected,
    };
    screen.show(json, &found, told::told)?;
    Ok(Exit::Done)
}

/// The integration, loaded from its files.
pub(super) fn find(
    id: &IntegrationId,
    home: &Home,
    now: Timestamp,
) -> Result<Arc<Integration>, Failure> {
    let catalog = catalog::load(home, None, now);
    let known: Vec<&str> = catalog
        .integrations
        .keys()
        .map(IntegrationId::as_str)
        .collect();
    let told = match known.as_slice() {
        [] => format!("there is no integration `{id}`; there are none yet"),
        known => format!(
            "there is no integration `{id}`; there are: {}",
            known.join(", ")
        ),
    };
    of_catalog(&catalog, id).unwrap_or_else(|| Err(Failure::other(Exit::Failed, told)))
}

fn of_catalog(catalog: &Catalog, id: &IntegrationId) -> Option<Result<Arc<Integration>, Failure>> {
    let slot = catalog.integrations.get(id)?;
    let problems = || Failure::Config(Problems(slot.problems.clone()));
    Some(slot.current.clone().ok_or_else(problems))
}

fn no_target(catalog: &Catalog, id: &IntegrationId) -> String {
    let known: Vec<&str> = catalog.targets.keys().map(TargetId::as_str).collect();
    match known.as_slice() {
        [] => format!("there is no target `{id}`; there are none yet"),
        known => format!("there is no target `{id}`; there are: {}", known.join(", ")),
    }
}

/// What is asked about, and with what. An integration that has no file yet is asked about in the same way.
pub(super) struct Asking<'a> {
    pub(super) id: &'a str,
    pub(super) config: &'a config::Integration,
    pub(super) credential: &'a Credential,
    pub(super) source: &'a Source,
    pub(super) script: &'a Arc<Script>,
    pub(super) home: &'a Path,
    pub(super) today: Date,
}

impl<'a> Asking<'a> {
    pub(super) fn of(integration: &'a Integration, now: Timestamp) -> Asking<'a> {
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

    pub(super) fn account(&self, reader: &Reader) -> Result<Account, String> {
        let name = &self.config.credential;
        let account = reader
            .account(name, self.credential, self.source, self.home)
            .map_err(|error| format!("credential `{name}`: {error}"))?;
        Ok(account.asked_by_hand(true))
    }

    /// Gives the token back that was needed, where the connector says how. An error is worth a word, and no more.
    pub(super) async fn leave(&self, reader: &Reader) -> Result<(), String> {
        // Whose secrets cannot be read got no token either.
        let Ok(account) = self.account(reader) else {
            return Ok(());
        };
        let account = account.asked_once();
        let scope = self.scope();
        let left = Box::pin(reader.log_out(self.source, &account, &scope)).await;
        left.map_err(|error| format!("the token was not given back: {error}"))
    }

    pub(super) fn scope(&self) -> Scope {
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
pub(super) struct Unlisted {
    pub(super) told: String,
    /// The login is refused, or cannot be tried: whatever is asked next would be refused too, and may lock the account.
    is_login: bool,
}

impl From<Unlisted> for String {
    fn from(unlisted: Unlisted) -> String {
        unlisted.told
    }
}

/// The properties that the PMS lists; none where the connector has no request for them.
pub(super) async fn properties(
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

/// What the script makes of the residents in the attached properties.
pub(super) async fn shown(asking: &Asking<'_>, reader: &Reader) -> Result<Shown, String> {
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
    let (mut counts, mut rejected) = (BTreeMap::<(LeaseStatus, String), u64>::new(), 0);
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
                    if let Some(unit) = resident.unit {
                        *units.entry(unit).or_default() += 1;
                    }
                    *counts
                        .entry((resident.status, resident.status_word))
                        .or_default() += 1;
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
        .map(|((status, word), residents)| FoundStatus {
            excluded: config
                .exclude_statuses
                .iter()
                .any(|listed| listed.trim().eq_ignore_ascii_case(word.trim())),
            word,
            status,
            residents,
        });
    let units = units
        .into_iter()
        .map(|(unit, residents)| units::found(unit, residents, &config.units));
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
pub(super) async fn read(
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
