//! The records of Rent Manager's answers, with what is embedded in them. What is absent is null.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::sandbox::Kind;
use crate::sandbox::rest::midnight;
use crate::sandbox::world::{Household, Person, PhoneKind, Relation, Status, Unit, UnitId, World};

/// What a request wants embedded.
pub(super) struct Embeds {
    leases: bool,
    renewals: bool,
    units: bool,
    contacts: bool,
    types: bool,
    phones: bool,
}

impl Embeds {
    /// Of a list such as `Leases,Leases.Unit`.
    pub(super) fn read(text: &str) -> Self {
        let has = |name: &str| {
            let mut named = text.split(',').map(str::trim);
            named.any(|one| one == name || one.starts_with(&format!("{name}.")))
        };
        Self {
            leases: has("Leases"),
            renewals: has("Leases.LeaseRenewals"),
            units: has("Leases.Unit"),
            contacts: has("Contacts"),
            types: has("Contacts.ContactType"),
            phones: has("Contacts.PhoneNumbers"),
        }
    }
}

/// The word of an account; none for those that Rent Manager keeps as prospects.
fn word(status: Status) -> Option<&'static str> {
    match status {
        Status::Current | Status::Notice | Status::Eviction => Some("Current"),
        Status::Future => Some("Future"),
        Status::Past => Some("Past"),
        Status::Other(word) => Some(word),
        Status::Applicant | Status::Canceled | Status::Denied => None,
    }
}

fn property_id(world: &World, at: usize) -> Value {
    let id = Kind::RentManager.property_id(world, at);
    json!(id.parse::<u32>().ok())
}

fn tenant_id(home: &Household) -> u32 {
    5000 + home.id.0
}

/// An account, unless it is a prospect's.
pub(super) fn tenant(world: &World, home: &Household, embeds: &Embeds) -> Option<Value> {
    let status = word(home.status)?;
    let primary = home.primary()?;
    let company = primary.company.as_deref();
    let name = match company {
        Some(company) => company.to_owned(),
        None => format!("{} {}", primary.first, primary.last),
    };
    let id = tenant_id(home);
    let mut tenant = json!({
        "TenantID": id,
        "TenantDisplayID": id - 4000,
        "Name": name,
        "FirstName": company.is_none().then_some(&primary.first),
        "LastName": company.is_none().then_some(&primary.last),
        "IsCompany": company.is_some(),
        "PropertyID": property_id(world, home.property),
        "RentPeriod": "Monthly",
        "Status": status,
        "EvictionID": (home.status == Status::Eviction).then_some(300 + home.id.0),
        "UpdateDate": home.updated.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
    });
    if embeds.leases {
        tenant["Leases"] = Value::Array(leases(world, home, embeds));
    }
    if embeds.contacts {
        tenant["Contacts"] = Value::Array(contacts(world, home, embeds));
    }
    Some(tenant)
}

/// What an account rents, and rented before it was transferred.
fn leases(world: &World, home: &Household, embeds: &Embeds) -> Vec<Value> {
    let is_gone = home.status == Status::Past;
    let mut now = lease(world, home, home.unit, home.lease, embeds);
    // Who gave notice leaves on a day that is expected; the day of moving out is when it has come.
    now["MoveInDate"] = midnight(home.move_in);
    now["MoveOutDate"] = midnight(home.move_out.filter(|_| is_gone));
    now["ExpectedMoveOutDate"] = midnight(home.move_out);
    now["NoticeDate"] = midnight(home.notice);
    now["IsMoveOutConfirmed"] = json!(is_gone);
    if embeds.renewals {
        let mut terms = vec![renewal(home, home.lease_start, home.lease_end)];
        if let Some((start, end)) = home.next_lease.filter(|_| home.status.lives_there()) {
            terms.push(renewal(home, Some(start), Some(end)));
        }
        now["StartDate"] = midnight(home.lease_start);
        now["EndDate"] = midnight(home.lease_end);
        now["LeaseRenewals"] = Value::Array(terms);
    }
    let Some((unit, until)) = home.transferred else {
        return vec![now];
    };
    let mut before = lease(world, home, unit, home.lease + 500, embeds);
    before["MoveInDate"] = midnight(home.move_in);
    before["MoveOutDate"] = midnight(Some(until));
    before["IsMoveOutConfirmed"] = json!(true);
    now["MoveInDate"] = midnight(Some(until));
    vec![before, now]
}

fn lease(world: &World, home: &Household, unit: UnitId, number: u32, embeds: &Embeds) -> Value {
    let rented = &world.units()[unit.0 as usize];
    let mut lease = json!({
        "LeaseID": tenant_id(home) * 1000 + number,
        "TenantID": tenant_id(home),
        "UnitID": 1 + unit.0,
        "PropertyID": property_id(world, home.property),
        "IsCommercial": false,
        "MoveInDate": null,
        "MoveOutDate": null,
        "ExpectedMoveOutDate": null,
        "NoticeDate": null,
        "IsMoveOutConfirmed": false,
        "ArrivalDate": null,
        "DepartureDate": null,
        "SortOrder": 1,
    });
    if embeds.units {
        lease["Unit"] = self::unit(world, rented);
    }
    lease
}

fn renewal(home: &Household, start: Option<Date>, end: Option<Date>) -> Value {
    json!({
        "LeaseRenewalID": tenant_id(home) * 10 + u32::from(start != home.lease_start),
        "ParentLeaseID": tenant_id(home) * 1000 + home.lease,
        "SignDate": midnight(start.map(|start| start.saturating_sub(20.days()))),
        "StartDate": midnight(start),
        "EndDate": midnight(end),
        "LeaseTermID": if end.is_some() { 2 } else { 1 },
    })
}

/// The people of an account, and whom to call in an emergency.
fn contacts(world: &World, home: &Household, embeds: &Embeds) -> Vec<Value> {
    let people = home.members.iter();
    let mut all: Vec<Value> = people
        .map(|one| contact(world, home, one, embeds))
        .collect();
    if home.id.0.is_multiple_of(3) {
        let mut other = json!({
            "ContactID": 900_000 + home.id.0,
            "FirstName": "Aunt",
            "LastName": "Nearby",
            "IsActive": true,
            "IsPrimary": false,
            "ContactTypeID": 9,
            "Email": format!("aunt{}@example.com", home.id.0),
        });
        if embeds.types {
            other["ContactType"] = json!({ "ContactTypeID": 9, "Name": "Emergency Contact" });
        }
        all.push(other);
    }
    all
}

fn contact(world: &World, home: &Household, person: &Person, embeds: &Embeds) -> Value {
    let (kind, name) = match (person.relation, person.id.0 % 3) {
        (Relation::Primary, _) => (1, "Tenant"),
        (Relation::Roommate, 0) => (2, "Spouse"),
        (Relation::Roommate, 1) => (3, "Co-Tenant"),
        (Relation::Roommate, _) => (4, "Roommate"),
        (Relation::Guarantor, 0) => (5, "Co-Signer"),
        (Relation::Guarantor, _) => (6, "Guarantor"),
        (Relation::Occupant, 0) => (7, "Child"),
        (Relation::Occupant, _) => (8, "Minor"),
    };
    let has_left =
        home.status.lives_there() && home.status_of(person, world.today()) == Status::Past;
    let is_person = person.company.is_none();
    let id = 70_000 + person.id.0;
    let mut contact = json!({
        "ContactID": id,
        "FirstName": is_person.then_some(&person.first),
        "LastName": is_person.then_some(&person.last),
        "MiddleName": "",
        // A contact that has left has no day for it.
        "IsActive": !has_left,
        "IsPrimary": person.relation == Relation::Primary,
        "ContactTypeID": kind,
        "DateOfBirth": null,
        "FederalTaxID": null,
        "Comment": "",
        "Email": person.email.as_deref().unwrap_or_default(),
        "ParentID": tenant_id(home),
        "ParentType": "Tenant",
    });
    if embeds.types {
        contact["ContactType"] = json!({ "ContactTypeID": kind, "Name": name });
    }
    if embeds.phones {
        let numbers = person
            .phones
            .iter()
            .enumerate()
            .map(|(at, (kind, number))| {
                let kind = match kind {
                    PhoneKind::Office => "Work",
                    PhoneKind::Home => "Home",
                    PhoneKind::Fax => "Fax",
                    PhoneKind::Cell => "Cell",
                };
                json!({
                    "PhoneNumberID": id * 10,
                    "PhoneNumber": number,
                    "Extension": "",
                    "IsPrimary": at == 0,
                    "PhoneNumberType": { "Name": kind },
                })
            });
        contact["PhoneNumbers"] = numbers.collect();
    }
    contact
}

/// A unit.
pub(super) fn unit(world: &World, unit: &Unit) -> Value {
    json!({
        "UnitID": 1 + unit.id.0,
        "PropertyID": property_id(world, unit.property),
        "Name": unit.label,
        "UnitTypeID": unit.bedrooms,
        "Bedrooms": unit.bedrooms,
        "SquareFootage": 450 + unit.bedrooms * 200,
    })
}

/// A property.
pub(super) fn property(world: &World, at: usize) -> Value {
    let property = &world.properties()[at];
    json!({
        "PropertyID": property_id(world, at),
        "Name": property.name,
        "ShortName": property.code.to_uppercase(),
        "IsActive": true,
        "PropertyType": "Residential",
    })
}
