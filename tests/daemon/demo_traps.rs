//! The traps of the seven PMSs in the demo's own data, as `epms runs` and `epms explain` show them.

use crate::support::Daemon;
use epms::control::client::{Client, Cut};
use epms::model::PeopleQuery;
use epms::model::{
    Decision, Explanation, Fate, IntegrationId, LeaseStatus, Relationship, Resident, Stay,
};
use serde_json::Value;

/// One integration of a demo that stays, as `epms run` and `epms explain` show it.
struct Shown<'a> {
    client: &'a Client,
    id: IntegrationId,
    decisions: Vec<Decision>,
    stays: Vec<Stay>,
}

impl Shown<'_> {
    async fn of<'a>(client: &'a Client, id: &str) -> Shown<'a> {
        let id = IntegrationId::new(id);
        let all = Cut {
            limit: Some(1000),
            cursor: None,
        };
        let runs = client.runs(Some(&id), &all).await.unwrap();
        let decisions = client.run(runs.items[0].id).await.unwrap().decisions;
        let people = client.people(&PeopleQuery::default(), &all).await.unwrap();
        let stays = people.items.iter().filter_map(|one| one.stay(&id).cloned());
        Shown {
            stays: stays.collect(),
            client,
            id,
            decisions,
        }
    }

    /// How many were decided so, for a reason that begins like this.
    fn decided(&self, fate: Fate, reason: &str) -> usize {
        let fits = |one: &&Decision| one.fate == fate && one.reason.starts_with(reason);
        self.decisions.iter().filter(fits).count()
    }

    /// Whether a record of somebody who was decided so is like this, with the resident that it makes.
    async fn has(&self, fate: Fate, like: impl Fn(&Value, &Resident) -> bool) -> bool {
        let fits = |one: &&Decision| one.fate == fate && one.rule != "R12";
        let mut decisions: Vec<&Decision> = self.decisions.iter().filter(fits).collect();
        // Who comes from a second request stands at the end.
        let first = decisions.len().min(16);
        decisions.get_mut(first..).unwrap().reverse();
        for decision in decisions.into_iter().take(20) {
            let told = self.client.explain(&self.id, &decision.subject, true).await;
            let Explanation { live, .. } = told.unwrap();
            for step in live.unwrap().steps {
                let mut residents = step.residents.iter().map(|one| &one.mapped);
                if residents.any(|one| one.id == decision.subject && like(&step.record, one)) {
                    return true;
                }
            }
        }
        false
    }

    fn notice_and_eviction_are_current(&self, evictions: bool) {
        let current = |stay: &&Stay| stay.status == LeaseStatus::Current;
        let told = format!("{}: {:?}", self.id, self.stays);
        assert!(
            self.stays.iter().filter(current).any(|stay| stay.notice),
            "{told}"
        );
        let evicted = self.stays.iter().filter(current).any(|stay| stay.eviction);
        assert_eq!(evicted, evictions, "{told}");
    }
}

#[tokio::test]
async fn every_trap_of_the_seven_occurs_in_the_demo_and_shows() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let mut command = crate::support::epms();
    command.args(["demo".as_ref(), "--dir".as_ref(), home.as_os_str()]);
    let demo = Daemon::spawn(command, &home.join("state/epms.sock"), folder.path()).await;
    demo.settle().await;
    let client = &demo.client;
    // The shipped limits are for real PMSs; here they would only take time.
    let connectors = home.join("config/connectors");
    for entry in std::fs::read_dir(connectors).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let quick = ["per_second: 2", "per_second: 3"];
        let text = quick
            .iter()
            .fold(text, |text, slow| text.replace(slow, "per_second: 200"));
        std::fs::write(&path, text).unwrap();
    }
    client.reload().await.unwrap();
    let text = |record: &Value, path: &str| {
        record
            .pointer(path)
            .and_then(|one| one.as_str())
            .map(str::to_owned)
    };

    let appfolio = Shown::of(client, "elm-court").await;
    assert_eq!(appfolio.decided(Fate::Excluded, "company"), 1);
    assert_eq!(appfolio.decided(Fate::Excluded, "status Evict"), 1);
    assert!(
        appfolio
            .has(Fate::Created, |record, one| {
                record["Emails"].is_array()
                    && record["PhoneNumbers"].is_array()
                    && one.email.is_some()
                    && one.phone.is_some()
            })
            .await
    );
    assert!(
        appfolio
            .has(Fate::Created, |record, one| {
                record.get("MoveInOn").is_none()
                    && one.move_in.is_none()
                    && one.lease_start.is_some()
            })
            .await
    );
    assert!(
        appfolio
            .has(Fate::Created, |record, one| {
                one.relationship == Relationship::CoResident
                    && text(record, "/OccupancyId") == one.household
            })
            .await
    );

    // Whom it is told to leave out is left out, whatever the status means.
    appfolio.notice_and_eviction_are_current(false);

    let harbor = Shown::of(client, "harbor-view").await;
    let towers = Shown::of(client, "twin-towers").await;
    // The three properties of Voyager share its traps.
    let voyager = Shown {
        stays: [harbor.stays.clone(), towers.stays.clone()].concat(),
        decisions: Vec::new(),
        ..towers
    };
    voyager.notice_and_eviction_are_current(true);
    let towers = Shown::of(client, "twin-towers").await;
    let both = |fate, reason: &str| harbor.decided(fate, reason) + towers.decided(fate, reason);
    for reason in ["company", "guarantor", "minor", "pseudo unit WAIT"] {
        assert!(both(Fate::Excluded, reason) > 0, "{reason}");
    }
    // A roommate has nothing of their own but a name and the days of moving.
    assert!(
        harbor
            .has(Fate::Created, |record, one| {
                one.id.starts_with('r')
                    && one.unit.is_some()
                    && one.lease_id == text(record, "/@tCode")
                    && one.relationship == Relationship::CoResident
            })
            .await
    );
    let mut marked = false;
    for shown in [&harbor, &towers] {
        marked |= shown
            .has(Fate::Ineligible, |record, one| {
                let record = record.to_string();
                record.contains("*Moved Out*") && !one.last_name.contains('*')
                    || record.contains("(former)") && !one.last_name.contains('(')
            })
            .await;
    }
    assert!(marked);

    let realpage = Shown::of(client, "mill-yard").await;
    realpage.notice_and_eviction_are_current(true);
    for reason in ["company", "guarantor", "minor"] {
        assert!(realpage.decided(Fate::Excluded, reason) > 0, "{reason}");
    }
    assert!(realpage.decided(Fate::Ineligible, "another lease of this person counts") > 0);
    assert!(realpage.decided(Fate::Ineligible, "past does not come in new") > 80);

    let entrata = Shown::of(client, "quay-house").await;
    entrata.notice_and_eviction_are_current(true);
    assert!(entrata.decided(Fate::Excluded, "guarantor") > 15);
    assert!(entrata.decided(Fate::Excluded, "minor") > 0);
    assert!(entrata.decided(Fate::Excluded, "company") > 0);
    let lease_is = |record: &Value, status: &str| {
        text(record, "/leaseStatusTypeId").as_deref() == Some(status)
    };
    assert!(
        entrata
            .has(Fate::Ineligible, |record, one| lease_is(record, "4")
                && one.status_word == "Past")
            .await,
        "a person's status that differs from the lease's"
    );
    assert!(
        entrata
            .has(Fate::Created, |record, _| record["customers"]["customer"]
                .is_object())
            .await,
        "one object where a list is documented"
    );
    assert!(
        entrata
            .has(Fate::Created, |record, one| {
                record["unitSpaces"]["unitSpace"]
                    .as_array()
                    .is_some_and(|all| all.len() == 2)
                    && one.unit.is_some()
            })
            .await,
        "two unit spaces"
    );
    assert!(
        entrata
            .has(Fate::Created, |record, one| {
                text(record, "/moveInDate").is_some_and(|day| day.as_bytes()[2] == b'/')
                    && one.move_in.is_some()
                    && record.get("moveOutDate").is_none()
            })
            .await,
        "MM/DD/YYYY, and an absent key"
    );

    let mri = Shown::of(client, "orchard-row").await;
    mri.notice_and_eviction_are_current(false);
    for reason in ["company", "guarantor", "minor"] {
        assert!(mri.decided(Fate::Excluded, reason) > 0, "{reason}");
    }
    assert!(
        mri.has(Fate::Ineligible, |_, one| one.status_word == "O")
            .await
    );
    assert!(
        mri.has(Fate::Excluded, |_, one| one.status_word == "R")
            .await
    );
    assert!(
        mri.has(Fate::Created, |record, one| record
            .get("ScheduledMoveInDate")
            .is_some()
            && one.status_word == "New")
            .await
    );
    assert!(
        mri.has(Fate::Created, |record, one| {
            one.relationship == Relationship::CoResident
                && text(record, "/Namegroup") == one.household
        })
        .await
    );

    let resman = Shown::of(client, "linden-lofts").await;
    resman.notice_and_eviction_are_current(true);
    for reason in ["company", "guarantor", "minor"] {
        assert!(resman.decided(Fate::Excluded, reason) > 0, "{reason}");
    }
    let lease_is =
        |record: &Value, word: &str| text(record, "/leaseStatus").as_deref() == Some(word);
    assert!(
        resman
            .has(Fate::Ineligible, |record, one| one.status_word == "Former"
                && !lease_is(record, "Former"))
            .await,
        "a person's status that differs from the lease's"
    );
    assert!(
        resman
            .has(Fate::Ineligible, |record, one| lease_is(record, "Pending")
                && one.status == LeaseStatus::Applicant)
            .await,
        "somebody who has only asked for a lease"
    );
    assert!(
        resman
            .has(Fate::Created, |record, one| lease_is(record, "Pending")
                && one.unit.is_none())
            .await,
        "a holding unit"
    );

    let rent_manager = Shown::of(client, "vale-court").await;
    rent_manager.notice_and_eviction_are_current(true);
    for reason in [
        "company",
        "guarantor",
        "minor",
        "contact type Emergency Contact",
    ] {
        assert!(rent_manager.decided(Fate::Excluded, reason) > 0, "{reason}");
    }
    assert!(
        rent_manager
            .has(Fate::Ineligible, |_, one| one.status_word == "Current"
                && one.status == LeaseStatus::Past)
            .await,
        "a contact that is not active"
    );
}
