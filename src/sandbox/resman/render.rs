//! The records of ResMan's answers. What is absent is null.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::sandbox::Kind;
use crate::sandbox::rest::midnight;
use crate::sandbox::world::{
    Entity, Household, Leaving, Person, PhoneKind, Relation, Status, Unit, UnitId, World,
};

/// ResMan's word, of people and of leases; leases have two more.
fn word(status: Status, leaving: Option<Leaving>) -> &'static str {
    match status {
        Status::Applicant | Status::Future => "Pending",
        Status::Current | Status::Notice => "Current",
        Status::Eviction => "Under Eviction",
        Status::Past if leaving == Some(Leaving::Evicted) => "Evicted",
        Status::Past => "Former",
        Status::Canceled => "Cancelled",
        Status::Denied => "Denied",
        Status::Other(word) => word,
    }
}

/// Of a lease. What its dates say stands in the word of every second one too.
fn lease_word(world: &World, home: &Household) -> &'static str {
    let says_more = home.id.0.is_multiple_of(2);
    match home.status {
        Status::Notice if says_more => "Notice to Vacate",
        Status::Current if says_more && home.monthly(world.today()) => "Month to Month",
        status => word(status, home.leaving),
    }
}

/// An account is for one unit: who is transferred has another one.
fn account(world: &World, home: &Household, unit: UnitId) -> String {
    let number = home.occupancy.wrapping_mul(8191).wrapping_add(unit.0);
    world.uuid(Entity::Occupancy, number)
}

/// Another one with each renewal.
fn lease_id(world: &World, home: &Household, start: Option<Date>) -> String {
    let days = start.map_or(0, |start| {
        i32::from(start.year()) * 366 + i32::from(start.day_of_year())
    });
    let number = home.id.0.wrapping_mul(4096) ^ days.unsigned_abs();
    world.uuid(Entity::Lease, number)
}

/// The lease of a household; of one that was transferred the one before, too.
pub(super) fn leases(world: &World, home: &Household, with_history: bool) -> Vec<Value> {
    let now = lease(world, home, with_history);
    let Some((unit, until)) = home.transferred else {
        return vec![now];
    };
    let before = Household {
        unit,
        status: Status::Past,
        move_out: Some(until),
        notice: None,
        leaving: None,
        next_lease: None,
        lease_start: home
            .lease_start
            .map(|start| start.saturating_sub(366.days())),
        ..home.clone()
    };
    let mut before = lease(world, &before, with_history);
    let label = &world.units()[home.unit.0 as usize].label;
    before["transferredTo"] = json!({
        "billingAccountId": account(world, home, home.unit),
        "unitId": world.uuid(Entity::Unit, home.unit.0),
        "unitNumber": label,
    });
    vec![before, now]
}

fn lease(world: &World, home: &Household, with_history: bool) -> Value {
    let unit = &world.units()[home.unit.0 as usize];
    let signed = !matches!(
        home.status,
        Status::Applicant | Status::Canceled | Status::Denied
    );
    let applied = home
        .lease_start
        .map(|start| start.saturating_sub(30.days()));
    let only = |when: bool, date: Option<Date>| midnight(date.filter(|_| when));
    let is_gone = home.status == Status::Past;
    let has_moved = is_gone || home.status.lives_there();
    let people: Vec<Value> = home
        .members
        .iter()
        .map(|one| person(world, home, one))
        .collect();
    let mut lease = json!({
        "propertyId": world.property_uuid(home.property),
        "billingAccountId": account(world, home, home.unit),
        "unitId": world.uuid(Entity::Unit, home.unit.0),
        "unitNumber": unit.label,
        "unitTypeId": world.uuid(Entity::Unit, 900_000 + unit.bedrooms),
        "unitTypeName": format!("{0}B{0}b", unit.bedrooms),
        "prospectId": null,
        "prospectSourceId": null,
        "prospectSourceName": null,
        "leaseId": lease_id(world, home, home.lease_start),
        "leaseStatus": lease_word(world, home),
        "leasingAgentPersonId": world.uuid(Entity::Request, 7),
        "leasingAgentName": "Leasing Office",
        "leaseStartDate": midnight(home.lease_start),
        "leaseEndDate": midnight(home.lease_end),
        "applicationDate": midnight(applied),
        "approvalDate": only(signed, applied),
        "denialDate": only(home.status == Status::Denied, applied),
        "cancellationDate": only(home.status == Status::Canceled, applied),
        "leaseSignedDate": only(signed, applied),
        "scheduledMoveInDate": midnight(home.move_in),
        "moveInDate": only(has_moved, home.move_in),
        "noticeToVacateDate": midnight(home.notice),
        "scheduledMoveOutDate": midnight(home.move_out),
        "moveOutDate": only(is_gone, home.move_out),
        "moveOutReconciliationDate": null,
        "transferredTo": null,
        "lastModified": home.updated.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        "people": people,
    });
    if with_history {
        lease["history"] = Value::Array(history(world, home));
    }
    lease
}

fn history(world: &World, home: &Household) -> Vec<Value> {
    let entry = |status: &str, start: Option<Date>, end: Option<Date>| {
        json!({
            "leaseId": lease_id(world, home, start),
            "status": status,
            "applicationDate": midnight(start),
            "signedDate": midnight(start),
            "startDate": midnight(start),
            "endDate": midnight(end),
            "rent": 1250.00,
            "recurringRentConcessions": 0.0,
            "otherConcessions": 0.0,
            "otherCharges": 0.0,
            "dateCreated": midnight(start),
        })
    };
    let own = lease_word(world, home);
    let mut all = vec![entry(own, home.lease_start, home.lease_end)];
    if home.renewed.is_some() {
        let year_before = |date: Option<Date>| date.map(|date| date.saturating_sub(365.days()));
        let (start, end) = (year_before(home.lease_start), year_before(home.lease_end));
        all.insert(0, entry("Renewed", start, end));
    }
    if let Some((start, end)) = home.next_lease.filter(|_| home.status.lives_there()) {
        all.push(entry("Pending Renewal", Some(start), Some(end)));
    }
    all
}

fn person(world: &World, home: &Household, person: &Person) -> Value {
    let status = home.status_of(person, world.today());
    let relation = person.relation;
    let is_primary = relation == Relation::Primary;
    let is_guarantor = relation == Relation::Guarantor;
    let household_status = match (relation, person.id.0 % 3) {
        (Relation::Primary, _) => "Head of Household",
        (Relation::Roommate, 0) => "Spouse",
        (Relation::Roommate, _) => "Roommate",
        (Relation::Guarantor, _) => "Guarantor",
        (Relation::Occupant, _) => "Child",
    };
    let reason = match (status, home.leaving) {
        (Status::Past, Some(Leaving::Evicted)) => json!("Eviction"),
        (Status::Past, Some(Leaving::Skipped)) => json!("Skip"),
        (Status::Past, None) => json!("Lease Ended"),
        _ => Value::Null,
    };
    let (kind, phone) = person.phones.first().cloned().unzip();
    let kind = kind.map(|kind| match kind {
        PhoneKind::Office => "Work",
        PhoneKind::Home => "Home",
        PhoneKind::Fax => "Fax",
        PhoneKind::Cell => "Mobile",
    });
    let last = person.company.as_deref().unwrap_or(&person.last);
    json!({
        "personId": Kind::ResMan.person_id(world, person),
        "firstName": person.first,
        "middleName": null,
        "lastName": last,
        "email": person.email,
        "phone": phone,
        "phoneType": kind,
        "householdStatus": household_status,
        "residencyStatus": word(status, home.leaving),
        "isMainContact": is_primary,
        "isHeadOfHousehold": is_primary,
        "isLeaseSigner": relation != Relation::Occupant,
        "isGuarantor": is_guarantor,
        "isDependent": relation == Relation::Occupant,
        "isExcludedFromOccupancy": is_guarantor,
        "moveInDate": midnight(person.move_in),
        "moveOutDate": midnight(person.move_out.or(home.move_out)),
        "moveOutReason": reason,
        "lastModified": home.updated.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
    })
}

/// The units of a property.
pub(super) fn units(world: &World, at: usize) -> Vec<Value> {
    let units = world.units().iter().filter(|unit| unit.property == at);
    units.map(|one| unit(world, one)).collect()
}

fn unit(world: &World, unit: &Unit) -> Value {
    let property = &world.properties()[unit.property];
    let building = unit.building.as_deref().unwrap_or("1");
    let building = building.trim_start_matches("Building ");
    json!({
        "unitId": world.uuid(Entity::Unit, unit.id.0),
        "propertyId": world.property_uuid(unit.property),
        "unitNumber": unit.label,
        "unitTypeId": world.uuid(Entity::Unit, 900_000 + unit.bedrooms),
        "unitType": format!("{0}B{0}b", unit.bedrooms),
        "buildingId": world.uuid(Entity::Property, 900_000 + unit.id.0 / 48),
        "building": building,
        "floor": "1",
        "squareFeet": 450 + unit.bedrooms * 200,
        "streetAddress": property.street,
        "city": property.city,
        "state": property.state,
        "zip": property.postal,
        "excludedFromOccupancy": unit.pseudo,
        "availableForOnlineMarketing": !unit.pseudo,
        "marketRent": unit.rent,
        "amenities": [],
        "isAffordableUnit": false,
        "isHoldingUnit": unit.pseudo,
    })
}

/// One property.
pub(super) fn property(world: &World, at: usize) -> Value {
    let property = &world.properties()[at];
    json!({
        "propertyId": world.property_uuid(at),
        "abbreviation": property.code.to_uppercase(),
        "name": property.name,
        "type": "Multi-Family",
        "streetAddress": property.street,
        "city": property.city,
        "state": property.state,
        "zip": property.postal,
        "phone": null,
        "email": null,
        "timeZone": "Eastern Standard Time",
        "manager": null,
        "defaultUnitApplicationUrl": null,
        "currentPeriod": { "start": "2026-03-01T00:00:00", "end": "2026-03-31T00:00:00" },
        "managementTeam": [],
    })
}
