//! The second ways to a PMS, and what a licence does not cover, over HTTP from the sandboxes: everybody comes out once and
//! right, as by the first way.

use std::collections::{BTreeMap, BTreeSet};

use epms::model::{LeaseStatus, Relationship};
use epms::sandbox::{Kind, PhoneKind, Relation, Settings, Status, Trap};
use epms::source::SourceError;

use crate::live::{Live, TODAY, compare_person, phone, relationship, world};

fn pages(page_size: usize) -> Settings {
    Settings {
        page_size,
        ..Settings::default()
    }
}

#[tokio::test]
async fn mri_says_the_same_in_xml_as_in_json() {
    let json = Live::start_by("mri", Kind::Mri, 300, pages(7)).await;
    let xml = Live::start_by("mri-xml", Kind::Mri, 300, pages(7)).await;
    let leases = xml.leases().await;
    assert!(leases.len() > 250);
    assert_eq!(leases, json.leases().await);
    let asked = xml.sandbox.requests();
    assert!(asked.len() > 40);
    assert!(
        asked.iter().all(
            |seen| seen.target.contains("%24format=xml") || seen.target.contains("$format=xml")
        )
    );
    // A property that has nobody is a complete reading.
    let mut nobody = Live::start_by("mri-xml", Kind::Mri, 0, pages(7)).await;
    assert_eq!(nobody.leases().await, BTreeMap::new());
    nobody.scope.properties = vec!["NOWHERE".into()];
    let error = nobody.failure().await;
    assert!(matches!(error, SourceError::Unexpected(_)), "{error:?}");
    assert!(error.to_string().contains("`pms_properties`"), "{error}");
}

#[tokio::test]
async fn everybody_of_billing_and_payments_comes_out_once_and_right() {
    let live = Live::start_by("yardi-billing", Kind::Yardi, 400, pages(1000)).await;
    let (mut residents, excluded) = live.residents().await;
    let world = live.sandbox.world().clone();
    let (mut words, mut told) = (BTreeSet::new(), BTreeSet::new());
    for (home, person) in world.people() {
        let pseudo = world.unit(home.unit).unwrap().pseudo;
        let has = !matches!(
            home.status,
            Status::Past | Status::Canceled | Status::Denied
        );
        if has && pseudo {
            assert_eq!(excluded[&person.code()], "pseudo unit WAIT");
            continue;
        }
        let Some(found) = residents.remove(&person.code()) else {
            assert!(!has, "{person:?}");
            continue;
        };
        assert!(has, "{person:?}");
        compare_person(&found, home, person);
        assert!(!found.eviction);
        words.insert(found.status_word.clone());
        assert_eq!(
            (found.lease_start, found.lease_end),
            (home.lease_start, home.lease_end)
        );
        let leaves = home.move_out.filter(|_| home.status == Status::Notice);
        assert_eq!(found.move_out, person.move_out.or(leaves), "{found:?}");
        let label = &world.unit(home.unit).unwrap().label;
        assert_eq!(&found.unit.as_ref().unwrap().label, label);
        let primary = home.primary().unwrap();
        assert_eq!(found.household, Some(primary.code()));
        if person.relation == Relation::Primary {
            assert_eq!(found.move_in, home.move_in);
            let kinds = [PhoneKind::Cell, PhoneKind::Home, PhoneKind::Office];
            assert_eq!(found.phone, phone(person, &kinds));
            assert_eq!(found.relationship, relationship(person));
            continue;
        }
        assert_eq!(found.phone, None);
        let known = !person.id.0.is_multiple_of(3);
        assert_eq!(found.move_in, person.move_in.filter(|_| known));
        // Children are occupants, but for those with a mark in the name.
        let relationship = match relationship(person) {
            Relationship::Minor if !person.id.0.is_multiple_of(2) => Relationship::Occupant,
            relationship => relationship,
        };
        assert_eq!(found.relationship, relationship, "{person:?}");
        told.insert(found.relationship);
    }
    assert!(residents.is_empty(), "{residents:?}");
    let all = ["applicant", "current resident", "future resident"];
    assert_eq!(words, all.map(str::to_owned).into());
    assert!(told.contains(&Relationship::Guarantor) && told.contains(&Relationship::CoResident));
}

#[tokio::test]
async fn a_property_that_licenses_billing_alone_is_denied_to_the_first_way_and_read_by_the_second()
{
    let settings = Settings {
        unlicensed: vec![0],
        ..Settings::default()
    };
    let mut first = Live::start_by("yardi", Kind::Yardi, 100, settings.clone()).await;
    let both = first.scope.properties.clone();
    first.scope.properties = vec![both[0].clone()];
    let error = first.failure().await;
    assert!(matches!(error, SourceError::Denied(_)), "{error:?}");
    assert!(
        error.to_string().contains("Interface Configuration"),
        "{error}"
    );
    // It is that property's alone.
    first.scope.properties = vec![both[1].clone()];
    assert!(!first.complete("residents").await.is_empty());
    let mut second = Live::start_by("yardi-billing", Kind::Yardi, 100, settings).await;
    second.scope.properties = vec![both[0].clone()];
    assert!(!second.complete("residents").await.is_empty());
}

#[tokio::test]
async fn a_site_that_the_licence_of_realpage_does_not_cover_is_denied_and_the_next_one_is_read() {
    let settings = Settings {
        unlicensed: vec![0],
        ..Settings::default()
    };
    let mut live = Live::start_by("realpage", Kind::RealPage, 60, settings).await;
    let both = live.scope.properties.clone();
    live.scope.properties = vec![both[0].clone()];
    let error = live.failure().await;
    assert!(matches!(error, SourceError::Denied(_)), "{error:?}");
    live.scope.properties = vec![both[1].clone()];
    assert!(!live.complete("residents").await.is_empty());
}

#[tokio::test]
async fn everybody_of_the_reports_of_appfolio_comes_out_once_and_right() {
    let live = Live::start_by("appfolio-reports", Kind::AppFolio, 400, pages(50)).await;
    let (mut residents, excluded) = live.residents().await;
    assert!(excluded.is_empty(), "{excluded:?}");
    let world = live.sandbox.world().clone();
    let mut words = BTreeSet::new();
    for (home, person) in world.people() {
        let tenant = !matches!(
            home.status,
            Status::Applicant | Status::Canceled | Status::Denied
        );
        let Some(found) = residents.remove(&(9_000 + person.id.0).to_string()) else {
            assert!(!tenant, "{person:?}");
            continue;
        };
        assert!(tenant, "{person:?}");
        compare_person(&found, home, person);
        let evicted = home.status_of(person, TODAY) == Status::Eviction;
        assert_eq!(found.eviction, evicted);
        words.insert(found.status_word.clone());
        assert_eq!(
            (found.lease_start, found.lease_end),
            (home.lease_start, home.lease_end)
        );
        // 1970-01-01 is none, which a run sees (R12).
        let moved = person.move_in.or(home.move_in);
        let moved = moved.or(Some(jiff::civil::date(1970, 1, 1)));
        assert_eq!(found.move_in, moved);
        assert_eq!(found.move_out, person.move_out.or(home.move_out));
        assert_eq!(found.household, Some((5_500 + home.occupancy).to_string()));
        let unit = world.unit(home.unit).unwrap();
        let place = found.unit.as_ref().unwrap();
        assert_eq!(
            (&place.id, &place.label),
            (&(300 + unit.id.0).to_string(), &unit.label)
        );
        let relationship = match relationship(person) {
            Relationship::Minor => Relationship::Occupant,
            relationship => relationship,
        };
        assert_eq!(found.relationship, relationship, "{found:?}");
        let kinds = [PhoneKind::Cell];
        if let Some(number) = phone(person, &kinds)
            && !world.trapped(Trap::UnusablePhone).contains(&person.id)
        {
            assert_eq!(found.phone.as_ref(), Some(&number), "{found:?}");
        }
    }
    assert!(residents.is_empty(), "{residents:?}");
    assert_eq!(words.len(), 5, "{words:?}");
    assert!(live.sandbox.requests().len() > 6);
}

#[tokio::test]
async fn the_properties_are_told_by_id_and_name_by_every_way() {
    for (connector, kind) in [
        ("mri-xml", Kind::Mri),
        ("yardi-billing", Kind::Yardi),
        ("appfolio-reports", Kind::AppFolio),
    ] {
        let live = Live::start_by(connector, kind, 10, pages(1)).await;
        let records = live.complete("properties").await;
        assert_eq!(records.len(), world(10).properties().len(), "{connector}");
        assert!(records.iter().all(|record| record.json.contains("Oak")));
    }
}

#[tokio::test]
async fn somebody_who_left_a_household_that_stayed_is_past_by_every_way() {
    for (connector, kind) in [
        ("yardi-billing", Kind::Yardi),
        ("appfolio-reports", Kind::AppFolio),
        ("mri-xml", Kind::Mri),
    ] {
        let live = Live::start_by(connector, kind, 200, pages(1000)).await;
        let (rows, _) = live.rows().await;
        let world = live.sandbox.world().clone();
        let departed = world.trapped(Trap::DepartedRoommate);
        assert!(departed.len() >= 3);
        for id in departed {
            let (_, person) = world.person(*id).unwrap();
            let id = match connector {
                "appfolio-reports" => (9_000 + person.id.0).to_string(),
                _ => live.sandbox.person_id(person.id).unwrap(),
            };
            let row = rows.iter().find(|row| row.id == id).unwrap();
            assert_eq!(row.status, LeaseStatus::Past, "{connector} {row:?}");
        }
    }
}
