//! The records of Entrata's answers. Absent values are absent keys; ids are text in one place and
//! numbers in another; a list of one is sometimes the one.

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::sandbox::Kind;
use crate::sandbox::world::{Household, Person, PhoneKind, Relation, Status, Unit, World};

/// The id by which a status is asked for. A word nobody knows stands where current leases do.
pub(super) fn filed_under(status: Status) -> &'static str {
    match status {
        Status::Applicant => "1",
        Status::Canceled | Status::Denied => "2",
        Status::Future => "3",
        Status::Current | Status::Eviction | Status::Other(_) => "4",
        Status::Notice => "5",
        Status::Past => "6",
    }
}

/// Entrata's word for the status of a lease interval or a person.
fn word(status: Status) -> &'static str {
    match status {
        Status::Applicant => "Applicant",
        Status::Canceled | Status::Denied => "Cancelled",
        Status::Future => "Future",
        Status::Current | Status::Eviction => "Current",
        Status::Notice => "Notice",
        Status::Past => "Past",
        Status::Other(word) => word,
    }
}

pub(super) fn property_id(world: &World, at: usize) -> String {
    Kind::Entrata.property_id(world, at)
}

pub(super) fn lease_id(home: &Household) -> String {
    (18_163_000 + home.id.0).to_string()
}

fn unit_id(unit: &Unit) -> u32 {
    4_455_000 + unit.id.0
}

/// Whether a household has both spaces of its unit.
pub(super) fn two_spaces(home: &Household) -> bool {
    home.id.0 % 8 == 6 && home.beds.is_empty()
}

/// The id of a space of a unit.
pub(super) fn space_id(unit: &Unit, at: u32) -> u32 {
    6_745_000 + unit.id.0 * 8 + at
}

/// The name of a bed of a unit.
fn bed_name(unit: &Unit, bed: u32) -> String {
    let letter = char::from(b'A' + u8::try_from(bed % 26).unwrap_or(0));
    format!("{}-{letter}", unit.label)
}

/// Whether a lease has one customer and shows it without a list.
pub(super) fn lone_customer(home: &Household) -> bool {
    home.members.len() == 1 && home.id.0 % 3 != 1
}

/// A list, or the thing itself where it is one and `alone` says so.
pub(super) fn one_or_many(mut rows: Vec<Value>, alone: bool) -> Value {
    if alone && rows.len() == 1 {
        rows.remove(0)
    } else {
        Value::Array(rows)
    }
}

/// Leaves out what is null.
fn present(row: Value) -> Value {
    match row {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.collect::<Map<_, _>>())
        }
        other => other,
    }
}

fn american(date: Option<Date>) -> Option<String> {
    date.map(|date| date.strftime("%m/%d/%Y").to_string())
}

/// One lease with its people; with `changed` the field of its status has another name.
pub(super) fn lease(world: &World, home: &Household, changed: bool) -> Value {
    let today = world.today();
    let unit = &world.units()[home.unit.0 as usize];
    let property = &world.properties()[home.property];
    let customers = home
        .members
        .iter()
        .map(|one| customer(world, home, one))
        .collect();
    let status = match home.status {
        Status::Other(_) => "9",
        status => filed_under(status),
    };
    let sub_status = match home.status {
        Status::Eviction if home.id.0.is_multiple_of(2) => Some("Eviction"),
        Status::Eviction => Some("In Collections, Eviction"),
        Status::Denied => Some("Denied"),
        _ if home.monthly(today) => Some("Month To Month"),
        _ if home.renewed.is_some() => Some("Renewed"),
        _ => None,
    };
    let space =
        |name: String, at: u32| json!({ "unitSpaceId": space_id(unit, at), "unitSpace": name });
    let bed = |bed: u32| space(bed_name(unit, bed), bed);
    let spaces = if !home.beds.is_empty() {
        home.beds.iter().map(|at| bed(*at)).collect()
    } else if two_spaces(home) {
        vec![bed(0), bed(1)]
    } else {
        vec![space(unit.label.clone(), 0)]
    };
    let spaces = one_or_many(spaces, home.id.0.is_multiple_of(7));
    let place = (!unit.pseudo).then_some(());
    let mut row = json!({
        "id": lease_id(home),
        "leaseStatusTypeId": status,
        "propertyId": property_id(world, home.property),
        "leaseSubStatus": sub_status,
        "moveInDate": american(home.move_in),
        "moveOutDate": american(home.move_out),
        "noticeDate": american(home.notice),
        "propertyName": property.name,
        "leaseIntervalStatus": word(home.status),
        "occupancyTypeId": if home.beds.is_empty() { "1" } else { "3" },
        "occupancyType": if home.beds.is_empty() { "Conventional" } else { "Student" },
        "isMonthToMonth": u8::from(home.monthly(today)),
        "leaseIntervalId": (58_223_000 + home.id.0).to_string(),
        "floorPlanName": format!("{} Bedroom", unit.bedrooms),
        "customers": { "customer": one_or_many(customers, lone_customer(home)) },
        "unitId": place.map(|()| unit_id(unit).to_string()),
        "unitNumber": place.map(|()| unit.label.as_str()),
        "buildingName": unit.building,
        "unitSpaces": place.map(|()| json!({ "unitSpace": spaces })),
        "leaseIntervals": { "leaseInterval": intervals(world, home) },
    });
    if changed && let Some(fields) = row.as_object_mut() {
        let status = fields.shift_remove("leaseStatusTypeId");
        fields.insert("leaseStatusId".to_owned(), status.unwrap_or_default());
    }
    present(row)
}

fn intervals(world: &World, home: &Household) -> Vec<Value> {
    let number = 58_223_000 + home.id.0;
    // As text in every third record, as a number in the others.
    let id = |number: u32| match number % 3 {
        0 => json!(number.to_string()),
        _ => json!(number),
    };
    let kind = if home.renewed.is_some() {
        "Renewal"
    } else {
        "Application"
    };
    let kind = if home.monthly(world.today()) {
        "Month To Month"
    } else {
        kind
    };
    let mut all = vec![present(json!({
        "id": id(number),
        "startDate": american(home.lease_start),
        "endDate": american(home.lease_end),
        "leaseIntervalTypeName": kind,
        "leaseIntervalStatusTypeName": word(home.status),
        "intervalDateTime": "10/19/2025 10:35:00.110 MDT",
    }))];
    if let Some((start, end)) = home.next_lease.filter(|_| home.status.lives_there()) {
        all.push(present(json!({
            "id": id(number + 20_000_000),
            "startDate": american(Some(start)),
            "endDate": american(Some(end)),
            "leaseIntervalTypeName": "Renewal",
            "leaseIntervalStatusTypeName": "Future",
            "intervalDateTime": "10/20/2025 09:05:00 MST",
        })));
    }
    all
}

fn customer(world: &World, home: &Household, person: &Person) -> Value {
    let number = person.id.0;
    let (kind, relation) = match (person.relation, number % 4) {
        (Relation::Primary, _) => ("Primary", "Primary"),
        (Relation::Guarantor, 0) => ("Guarantor", "Other"),
        (Relation::Guarantor, _) => ("Guarantor", "Guarantor"),
        (Relation::Roommate, 0) => ("Co-Applicant", "Spouse"),
        (Relation::Roommate, 2) => ("Co-Applicant", "Roommate"),
        (Relation::Roommate, _) => ("Occupant", "Roommate"),
        (Relation::Occupant, _) => ("Occupant", "Child"),
    };
    let company = person.company.as_deref();
    let (first, last) = (person.first.as_str(), company.unwrap_or(&person.last));
    let full = if first.is_empty() {
        last.to_owned()
    } else {
        format!("{last}, {first}")
    };
    let phones: Vec<Value> = person
        .phones
        .iter()
        .enumerate()
        .map(|(at, (kind, text))| phone(*kind, at, text))
        .collect();
    let alone = number.is_multiple_of(4);
    let id: u32 = Kind::Entrata
        .person_id(world, person)
        .parse()
        .unwrap_or(number);
    let status = home.status_of(person, world.today());
    // An emergency contact is no resident, though one may come in.
    let contact = json!([{
        "contactTypeName": "Emergency Contact", "relationship": "Partner", "hasAccessToUnit": "1",
    }]);
    let primary = person.relation == Relation::Primary;
    present(json!({
        "id": id,
        "customerType": kind,
        "firstName": (!first.is_empty()).then_some(first),
        "lastName": last,
        "companyName": company,
        "nameFull": full,
        "emailAddress": person.email,
        "leaseCustomerStatus": if status == Status::Notice { "Current" } else { word(status) },
        "relationshipName": relation,
        "moveInDate": american(person.move_in.or(home.move_in).filter(|_| kind != "Guarantor")),
        "moveOutDate": american(person.move_out),
        "phones": (!phones.is_empty()).then(|| json!({ "phone": one_or_many(phones, alone) })),
        "customerContacts": (primary && number.is_multiple_of(5))
            .then(|| json!({ "customerContact": contact })),
    }))
}

fn phone(kind: PhoneKind, at: usize, text: &str) -> Value {
    let kind = match kind {
        PhoneKind::Office => "work",
        PhoneKind::Home => "home",
        PhoneKind::Fax => "fax",
        PhoneKind::Cell => "mobile",
    };
    json!({
        "phoneTypeName": if at == 0 { "Primary" } else { "Secondary" },
        "phoneType": if at == 0 { "personal" } else { kind },
        "phoneNumber": text,
        "countryCode": 1,
    })
}

/// One property.
pub(super) fn property(world: &World, at: usize) -> Value {
    let property = &world.properties()[at];
    json!({
        "PropertyID": property_id(world, at).parse::<u32>().ok(),
        "MarketingName": property.name,
        "Type": "Apartment",
        "General_ID": property.code,
        "Address": {
            "Address": property.street, "City": property.city, "State": property.state,
            "PostalCode": property.postal, "Country": "US",
            "@attributes": { "AddressType": "property" },
        },
        "IsDisabled": "0",
        "IsFeaturedProperty": "0",
    })
}

/// The units of one property.
pub(super) fn property_units(world: &World, at: usize, units: Vec<Value>) -> Value {
    json!({
        "propertyId": property_id(world, at).parse::<u32>().ok(),
        "propertyName": world.properties()[at].name,
        "unitCount": units.len(),
        "units": { "unit": one_or_many(units, true) },
    })
}

/// One unit.
pub(super) fn unit(world: &World, unit: &Unit, lived_in: bool) -> Value {
    let property = &world.properties()[unit.property];
    // A number where the label is one.
    let number = unit
        .label
        .parse::<u32>()
        .map_or_else(|_| json!(unit.label), |n| json!(n));
    let space = |name: Value, at: u32| {
        json!({
            "unitSpaceId": space_id(unit, at),
            "unitNumber": name,
            "availabilityStatus": if lived_in { "Occupied" } else { "Unoccupied" },
            "rent": { "minRent": unit.rent, "maxRent": unit.rent },
        })
    };
    let spaces = match unit.beds {
        0 => vec![space(number.clone(), 0)],
        beds => (0..beds)
            .map(|bed| space(json!(bed_name(unit, bed)), bed))
            .collect(),
    };
    present(json!({
        "id": unit_id(unit),
        "unitNumber": number,
        "buildingName": unit.building,
        "floorplanName": format!("{} Bedroom", unit.bedrooms),
        "noOfBedrooms": unit.bedrooms,
        "noOfBathrooms": 1,
        "squareFeet": 450 + unit.bedrooms * 200,
        "unitAddress": {
            "address": property.street, "city": property.city, "state": property.state,
            "postalCode": property.postal.parse::<u32>().ok(), "country": "US",
        },
        "unitSpaces": { "unitSpace": one_or_many(spaces, unit.id.0.is_multiple_of(2)) },
    }))
}
