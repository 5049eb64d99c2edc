//! A target as commands look at it without its worker: its account, what can be granted there, what is there, and the units
//! that people live in. Does nothing there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;

use crate::catalog::Target;
use crate::config::{Credential, Places, nearest};
use crate::control::client::{Client, ClientError, Cut};
use crate::model::{IntegrationId, LeaseStatus, PeopleQuery};
use crate::outbound::{Account, AccountError};
use crate::script::{Context, HeldRecord, Inputs, Lookups, Script, ScriptError};
use crate::setup::asking;
use crate::source::{Errand, Operation, Reader, Scope, Source, SourceError};

/// A target, with what it is asked with. One that has no file yet is asked in the same way.
pub(super) struct There<'a> {
    pub(super) name: &'a str,
    pub(super) credential: &'a Credential,
    pub(super) source: &'a Source,
    pub(super) home: &'a Path,
    pub(super) fields: BTreeMap<String, String>,
    pub(super) zone: TimeZone,
    pub(super) now: Timestamp,
}

/// Something that can be granted at a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Place {
    pub(super) id: String,
    pub(super) name: String,
}

/// A unit that somebody lives in, or will.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct LivedIn {
    pub(super) integration: IntegrationId,
    pub(super) id: String,
    pub(super) label: String,
}

/// A place that a target's file names, and the target does not list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Unlisted {
    pub(super) place: String,
    /// Where it stands in the file.
    pub(super) field: String,
    /// What it may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) near: Option<String>,
}

/// What was read back from a target, as its script understands it.
pub(super) struct ReadBack {
    pub(super) records: usize,
    pub(super) held: Vec<HeldRecord>,
    /// How many the script fails at.
    pub(super) failed: usize,
    pub(super) first: Option<ScriptError>,
}

impl<'a> There<'a> {
    pub(super) fn of(target: &'a Target, now: Timestamp) -> There<'a> {
        There {
            name: &target.config.credential,
            credential: &target.credential,
            source: &target.source,
            home: &target.home,
            fields: target.config.fields.clone(),
            // As its worker does.
            zone: target
                .serves
                .values()
                .next()
                .cloned()
                .unwrap_or(TimeZone::UTC),
            now,
        }
    }

    pub(super) fn account(&self, reader: &Reader) -> Result<Account, AccountError> {
        let account = reader.account(self.name, self.credential, self.source, self.home)?;
        Ok(account.asked_by_hand(true))
    }

    pub(super) fn scope(&self) -> Scope {
        Scope {
            properties: Vec::new(),
            fields: self.fields.clone(),
            today: self.now.to_zoned(self.zone.clone()).date(),
            judge: None,
            known: None,
        }
    }

    /// All records of `list` or `places`.
    pub(super) async fn look(
        &self,
        reader: &Reader,
        account: &Account,
        operation: Operation,
    ) -> Result<Vec<Box<str>>, SourceError> {
        let about = &Value::Null;
        let errand = Errand { operation, about };
        let scope = self.scope();
        Box::pin(reader.look(self.source, account, &scope, errand)).await
    }

    /// What can be granted, by name.
    pub(super) async fn places(
        &self,
        reader: &Reader,
        account: &Account,
    ) -> Result<Vec<Place>, SourceError> {
        let request = Operation::Places.request();
        let records = self.look(reader, account, Operation::Places).await?;
        let text = |text: Option<String>| text.unwrap_or_default();
        let mut places: Vec<Place> = records
            .iter()
            .map(|record| Place {
                id: text(self.source.record_id(request, record)),
                name: text(self.source.record_name(request, record)),
            })
            .collect();
        places.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        places.dedup();
        Ok(places)
    }

    /// What is there, as `script` understands it.
    pub(super) async fn read_back(
        &self,
        reader: &Reader,
        account: &Account,
        script: &Arc<Script>,
    ) -> Result<ReadBack, SourceError> {
        let records = self.look(reader, account, Operation::List).await?;
        let lookups = self.lookups(reader, account, script).await?;
        let scope = self.scope();
        let context = Context::new(Inputs {
            today: scope.today,
            request: "held".to_owned(),
            timezone: self.zone.iana_name().unwrap_or_default().to_owned(),
            country: "US".to_owned(),
            fields: scope.fields,
            lookups: Arc::new(lookups),
            ..Inputs::default()
        });
        let mut back = ReadBack {
            records: records.len(),
            held: Vec::new(),
            failed: 0,
            first: None,
        };
        for record in &records {
            match script.held(record, &context) {
                Ok(held) => back.held.extend(held),
                Err(error) => {
                    back.failed += 1;
                    back.first.get_or_insert(error);
                }
            }
        }
        Ok(back)
    }

    async fn lookups(
        &self,
        reader: &Reader,
        account: &Account,
        script: &Script,
    ) -> Result<Lookups, SourceError> {
        let (mut lookups, scope) = (Lookups::new(), self.scope());
        let asked = self.source.lookups();
        for (request, _) in asked.filter(|(request, _)| script.asks(request)) {
            lookups.know(request, BTreeMap::new());
            for record in asking::read(reader, self.source, account, request, &scope).await? {
                let key = self
                    .source
                    .lookup_key(request, &record.property, &record.json);
                if let Some((property, id)) = key {
                    lookups.put(request, property, id, record.json.into());
                }
            }
        }
        Ok(lookups)
    }

    /// Gives the token back that was needed, where the connector says how.
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
}

/// The places that a file names and the target does not list.
pub(super) fn unlisted(named: &Places, listed: &[Place]) -> Vec<Unlisted> {
    let ids: Vec<&str> = listed.iter().map(|place| place.id.as_str()).collect();
    let strange = named.named().filter(|(_, place)| !ids.contains(place));
    strange
        .map(|(field, place)| {
            let called = listed
                .iter()
                .find(|one| one.name.eq_ignore_ascii_case(place));
            let near = called.map(|one| one.id.as_str());
            Unlisted {
                place: place.to_owned(),
                field,
                near: near.or_else(|| nearest(place, &ids)).map(str::to_owned),
            }
        })
        .collect()
}

/// The units that people of these integrations live in or will, as the daemon knows them.
pub(super) async fn lived_in<'a>(
    client: &Client,
    integrations: impl Iterator<Item = &'a IntegrationId>,
) -> Result<BTreeSet<LivedIn>, ClientError> {
    let mut units = BTreeSet::new();
    for id in integrations {
        let filter = PeopleQuery {
            integration: Some(id.clone()),
            ..PeopleQuery::default()
        };
        let mut cut = Cut::default();
        loop {
            let page = client.people(&filter, &cut).await?;
            for stay in page.items.iter().filter_map(|person| person.stays.get(id)) {
                let lives = matches!(stay.status, LeaseStatus::Current | LeaseStatus::Pending);
                if !lives || stay.excluded {
                    continue;
                }
                units.extend(
                    stay.unit
                        .iter()
                        .chain(&stay.more_units)
                        .map(|unit| LivedIn {
                            integration: id.clone(),
                            id: unit.id.clone(),
                            label: unit.label.clone(),
                        }),
                );
            }
            cut.cursor = page.next;
            if cut.cursor.is_none() {
                break;
            }
        }
    }
    Ok(units)
}

impl LivedIn {
    /// Whether the file names a place for it.
    pub(super) fn has_place(&self, places: &Places) -> bool {
        let found = places.of_unit(self.integration.as_str(), &self.id, &self.label);
        found.is_some()
    }
}
