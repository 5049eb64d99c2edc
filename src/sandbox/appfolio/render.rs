//! The rows of AppFolio's answers. It does not decide which page they are on.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sandbox::world::{
    Entity, Household, Person, Property, Relation, Status, Unit, UnitId, World,
};

/// What one row of an answer shows.
#[derive(Clone, Copy)]
pub(super) enum Row<'a> {
    Property(usize, &'a Property),
    Unit(&'a Unit),
    Tenant(&'a Household, &'a Person),
    Lease(&'a Household),
}

impl<'a> Row<'a> {
    /// All rows of an endpoint, or none if there is no such endpoint.
    pub(super) fn all(world: &'a World, endpoint: &str) -> Option<Vec<Row<'a>>> {
        let tenancies = || {
            world
                .households()
                .iter()
                .filter(|home| word(home.status).is_some())
        };
        let tenant = |one: &&Person| matches!(one.relation, Relation::Primary | Relation::Roommate);
        Some(match endpoint {
            "properties" => world
                .properties()
                .iter()
                .enumerate()
                .map(|(at, one)| Row::Property(at, one))
                .collect(),
            "units" => world.units().iter().map(Row::Unit).collect(),
            "tenants" => tenancies()
                .flat_map(|home| {
                    home.members
                        .iter()
                        .filter(tenant)
                        .map(|one| Row::Tenant(home, one))
                })
                .collect(),
            "leases" => tenancies()
                .filter(|home| !home.members.is_empty())
                .map(Row::Lease)
                .collect(),
            _ => return None,
        })
    }

    /// Index of the property it belongs to.
    pub(super) fn property(self) -> usize {
        match self {
            Row::Property(at, _) => at,
            Row::Unit(unit) => unit.property,
            Row::Tenant(home, _) | Row::Lease(home) => home.property,
        }
    }

    /// Its UUID.
    pub(super) fn id(self, world: &World) -> String {
        match self {
            Row::Property(at, _) => world.property_uuid(at),
            Row::Unit(unit) => world.uuid(Entity::Unit, unit.id.0),
            Row::Tenant(_, person) => world.uuid(Entity::Person, person.id.0),
            Row::Lease(home) => world.uuid(Entity::Lease, home.id.0),
        }
    }

    /// None for what never changes in a world and is always shown.
    pub(super) fn updated(self) -> Option<Timestamp> {
        match self {
            Row::Property(..) | Row::Unit(_) => None,
            Row::Tenant(home, _) | Row::Lease(home) => Some(home.updated),
        }
    }

    /// The row as JSON.
    pub(super) fn render(self, world: &World, lived_in: &HashSet<UnitId>) -> Value {
        let id = self.id(world);
        match self {
            Row::Property(_, property) => property_row(id, property),
            Row::Unit(unit) => unit_row(world, id, unit, lived_in.contains(&unit.id)),
            Row::Tenant(home, person) => tenant_row(world, id, home, person),
            Row::Lease(home) => lease_row(world, id, home),
        }
    }
}

/// AppFolio's word for a status; none for people it does not call tenants.
pub(super) fn word(status: Status) -> Option<&'static str> {
    match status {
        Status::Current => Some("Current"),
        Status::Notice => Some("Notice"),
        Status::Eviction => Some("Evict"),
        Status::Future => Some("Future"),
        Status::Past => Some("Past"),
        Status::Other(word) => Some(word),
        Status::Applicant | Status::Canceled | Status::Denied => None,
    }
}

fn property_row(id: String, property: &Property) -> Value {
    json!({
        "Id": id, "Name": property.name, "Address1": property.street, "Address2": null,
        "City": property.city, "State": property.state, "Zip": property.postal,
        "PropertyType": "Multi-Family", "HiddenAt": null, "ManagementEndDate": null,
        "LastUpdatedAt": "2026-01-02T00:00:00Z",
    })
}

fn unit_row(world: &World, id: String, unit: &Unit, occupied: bool) -> Value {
    let property = &world.properties()[unit.property];
    json!({
        "Id": id, "PropertyId": world.property_uuid(unit.property), "Name": unit.label,
        "Address1": property.street, "Address2": format!("Unit {}", unit.label),
        "City": property.city, "State": property.state, "Zip": property.postal,
        "Bedrooms": unit.bedrooms, "Bathrooms": "1.0", "SquareFeet": 450 + unit.bedrooms * 200,
        "MarketRent": format!("{}.00", unit.rent),
        "Status": if occupied { "Occupied" } else { "Vacant" },
        "RentReady": !occupied, "HiddenAt": null, "LastUpdatedAt": "2026-01-02T00:00:00Z",
    })
}

/// Whether a tenant's contacts are in lists.
pub(super) fn in_lists(person: &Person) -> bool {
    person.id.0 % 4 == 3
}

/// Email and phone, under either pair of names that clients have seen.
fn contacts(person: &Person) -> Value {
    if !in_lists(person) {
        return json!({
            "Email": person.email,
            "PhoneNumber": person.phones.first().map(|(_, number)| number),
        });
    }
    let name = if person.id.0 % 8 == 3 {
        "Number"
    } else {
        "PhoneNumber"
    };
    let numbers = person
        .phones
        .iter()
        .map(|(_, number)| json!({ name: number }));
    json!({
        "Emails": person.email.iter().collect::<Vec<_>>(),
        "PhoneNumbers": numbers.collect::<Vec<_>>(),
    })
}

fn tenant_row(world: &World, id: String, home: &Household, person: &Person) -> Value {
    let property = &world.properties()[home.property];
    let unit = &world.units()[home.unit.0 as usize];
    let primary = person.relation == Relation::Primary;
    let company = person.company.is_some();
    let address = json!({
        "Address1": property.street, "Address2": format!("Unit {}", unit.label),
        "City": property.city, "State": property.state, "PostalCode": property.postal,
        "IsPrimary": true,
    });
    let mut row = json!({
        "Id": id, "IntegrationId": null, "ExternalId": null,
        "FirstName": (!company).then_some(&person.first),
        "LastName": (!company).then_some(&person.last),
        "CompanyName": person.company,
        "PropertyId": world.property_uuid(home.property),
        "UnitId": world.uuid(Entity::Unit, home.unit.0),
        "OccupancyId": world.uuid(Entity::Occupancy, home.occupancy),
        "Status": word(home.status_of(person, world.today())),
        "PrimaryTenant": primary && home.occupancy == home.id.0,
        "MoveInOn": person.move_in.or(home.move_in),
        "MoveOutOn": person.move_out.or(home.move_out),
        "LeaseStartDate": home.lease_start, "LeaseEndDate": home.lease_end,
        "LeaseSignedDate": home.lease_start,
        "IsMonthlyLease": home.monthly(world.today()),
        "CurrentRent": format!("{}.00", unit.rent),
        "Addresses": if primary && !unit.pseudo { vec![address] } else { vec![] },
        "CustomValues": [], "HiddenAt": null, "LastUpdatedAt": seconds(home.updated),
    });
    if let (Value::Object(row), Value::Object(contacts)) = (&mut row, contacts(person)) {
        row.extend(contacts);
    }
    row
}

fn lease_row(world: &World, id: String, home: &Household) -> Value {
    json!({
        "Id": id, "OccupancyId": world.uuid(Entity::Occupancy, home.occupancy),
        "Status": "Executed", "StartOn": home.lease_start, "EndOn": home.lease_end,
        "SignedOn": home.lease_start, "RenewedOn": home.renewed,
        "IsMtm": home.monthly(world.today()), "LastUpdatedAt": seconds(home.updated),
    })
}

fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
