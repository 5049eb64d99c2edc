//! The home of the demo: the shipped files, a credential and an integration for each local PMS, and a few
//! people who were made by hand before the first sync, so that it has something to match.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::Timestamp;

use crate::model::{IntegrationId, LeaseStatus, Origin, Person, Stay};
use crate::sandbox::opendoor::OpenDoor;
use crate::sandbox::{Kind, Relation, Sandbox, Status};
use crate::store::Store;

use super::{Exit, Failure, demo_doors, schema, shipped};

/// What was made.
pub(super) struct Demo {
    /// The integrations: one for each PMS, and one that two properties feed.
    pub(super) integrations: Vec<IntegrationId>,
}

/// One integration of the demo.
struct Feed {
    id: &'static str,
    name: &'static str,
    kind: Kind,
    /// Which properties of the PMS feed it.
    properties: &'static [usize],
    excluded: &'static str,
}

const FEEDS: &[Feed] = &[
    Feed {
        id: "elm-court",
        name: "Elm Court",
        kind: Kind::AppFolio,
        properties: &[0],
        excluded: "[Evict]",
    },
    Feed {
        id: "harbor-view",
        name: "Harbor View",
        kind: Kind::Yardi,
        properties: &[0],
        excluded: "[Applicant, Canceled, Denied]",
    },
    Feed {
        id: "linden-lofts",
        name: "Linden Lofts",
        kind: Kind::ResMan,
        properties: &[0],
        excluded: "[Denied, Cancelled]",
    },
    Feed {
        id: "mill-yard",
        name: "Mill Yard",
        kind: Kind::RealPage,
        properties: &[0],
        excluded: "[Applicant, Former Applicant]",
    },
    Feed {
        id: "orchard-row",
        name: "Orchard Row",
        kind: Kind::Mri,
        properties: &[0],
        excluded: "[]",
    },
    Feed {
        id: "quay-house",
        name: "Quay House",
        kind: Kind::Entrata,
        properties: &[0],
        excluded: "[]",
    },
    Feed {
        id: "twin-towers",
        name: "Twin Towers",
        kind: Kind::Yardi,
        properties: &[1, 2],
        excluded: "[Applicant, Canceled, Denied, Past]",
    },
    Feed {
        id: "vale-court",
        name: "Vale Court",
        kind: Kind::RentManager,
        properties: &[0],
        excluded: "[]",
    },
];

fn integration(folder: &Path, feed: &Feed, pms: &Sandbox) -> Result<(), Failure> {
    let Feed {
        id,
        name,
        kind,
        excluded,
        ..
    } = feed;
    let properties: Vec<String> = feed
        .properties
        .iter()
        .map(|index| pms.property_id(*index))
        .collect();
    let timezone = crate::sandbox::TIMEZONE;
    let text = format!(
        "{}# One property here, and what of the PMS feeds it. The file's name is its id.
version: 1
property: {{ name: {name}, timezone: {timezone}, country: US }}
credential: demo-{kind}
pms_properties: [{}]
# The PMS's own words; residents with these are never pulled.
exclude_statuses: {excluded}
enabled: true
",
        schema::Kind::Integration.line(),
        properties.join(", ")
    );
    std::fs::write(folder.join(format!("config/integrations/{id}.yaml")), text)?;
    Ok(())
}

pub(super) fn make(folder: &Path, pmss: &[Sandbox], doors: &OpenDoor) -> Result<Demo, Failure> {
    shipped::write(folder)?;
    for name in [
        "config/credentials",
        "config/integrations",
        "config/targets",
        "secrets",
    ] {
        std::fs::create_dir_all(folder.join(name))?;
    }
    let mut integrations = Vec::new();
    for pms in pmss {
        credential(folder, pms)?;
    }
    for feed in FEEDS {
        let Some(pms) = pmss.iter().find(|pms| pms.kind() == feed.kind) else {
            continue;
        };
        integration(folder, feed, pms)?;
        integrations.push(IntegrationId::new(feed.id));
    }
    if let (Some(pms), Some(integration)) = (pmss.first(), integrations.first()) {
        people_by_hand(folder, pms, integration)?;
        demo_doors::attach(folder, doors, integration)?;
    }
    Ok(Demo { integrations })
}

/// Secrets lie in files of their own, as they would outside the demo.
fn credential(folder: &Path, pms: &Sandbox) -> Result<(), Failure> {
    let kind = pms.kind();
    let mut text = format!(
        "{}# One account at a PMS. Secrets stand here only by reference.\nversion: 1\nconnector: {kind}\nfields:\n",
        schema::Kind::Credential.line()
    );
    for (field, value) in pms.credential() {
        if Sandbox::SECRETS.contains(&field) {
            let name = format!("secrets/{kind}-{field}");
            secret(&folder.join(&name), &value)?;
            text += &format!("  {field}: {{ file: {name} }}\n");
        } else {
            text += &format!("  {field}: {}\n", serde_json::Value::String(value));
        }
    }
    std::fs::write(
        folder.join(format!("config/credentials/demo-{kind}.yaml")),
        text,
    )?;
    Ok(())
}

/// Writes a secret that only its owner may read.
pub(super) fn secret(path: &Path, value: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    std::io::Write::write_all(&mut options.open(path)?, value.as_bytes())
}

/// People as somebody may have typed them in before the feed was switched on: one whom the sync finds, one
/// with another name, one with another email, and one who is there twice.
fn people_by_hand(
    folder: &Path,
    pms: &Sandbox,
    integration: &IntegrationId,
) -> Result<(), Failure> {
    let world = pms.world();
    let mut shared = BTreeMap::new();
    for (_, person) in world.people() {
        *shared
            .entry(
                person
                    .email
                    .clone()
                    .map(|email| email.trim().to_lowercase()),
            )
            .or_insert(0) += 1;
    }
    let trapped: BTreeSet<_> = world
        .people()
        .map(|(_, person)| person.id)
        .take(26)
        .collect();
    let known: Vec<(String, String, String)> = world
        .people()
        .filter(|(home, person)| {
            home.status == Status::Current
                && person.relation == Relation::Primary
                && person.company.is_none()
                && person.move_out.is_none()
                && !trapped.contains(&person.id)
        })
        .filter_map(|(_, person)| {
            let email = person.email.clone()?.trim().to_lowercase();
            (shared.get(&Some(email.clone())) == Some(&1) && !email.contains("none@"))
                .then(|| (person.first.clone(), person.last.clone(), email))
        })
        .take(4)
        .collect();
    drop(world);
    let store = Store::open(&folder.join("state"))
        .map_err(|error| Failure::other(Exit::Failed, error.to_string()))?;
    let failed = |error: crate::store::StoreError| Failure::other(Exit::Failed, error.to_string());
    let write = store.write().map_err(failed)?;
    let add = |first: &str, last: &str, email: &str| -> Result<(), crate::store::StoreError> {
        let stay = Stay {
            status: LeaseStatus::Current,
            unit: None,
            more_units: Vec::new(),
            lease_start: None,
            lease_end: None,
            move_in: None,
            move_out: None,
            notice: false,
            eviction: false,
            excluded: false,
        };
        write.put_person(&Person {
            id: write.new_person_id()?,
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            email: Some(email.to_owned()),
            phone: None,
            stays: BTreeMap::from([(integration.clone(), Box::new(stay))]),
            locks: BTreeSet::new(),
            pinned: false,
            merged_into: None,
            withdrawn: false,
            erased: false,
            origin: Origin::Hand,
            created: Timestamp::now(),
        })
    };
    for (index, (first, last, email)) in known.iter().enumerate() {
        match index {
            0 => add(first, last, email),
            1 => add("Sam", last, email),
            2 => add(first, last, &format!("old.{email}")),
            _ => add(first, last, &format!("work.{email}"))
                .and_then(|()| add(first, last, &format!("home.{email}"))),
        }
        .map_err(failed)?;
    }
    write.commit().map_err(failed)?;
    Ok(())
}
