//! The rows of MRI's answers. Every scalar is text or null.

use jiff::{ToSpan, civil::Date};
use serde_json::{Value, json};

use super::{property_id, text};
use crate::sandbox::Kind;
use crate::sandbox::world::{Household, Person, PhoneKind, Relation, Status, Unit, World};

/// Whether the keys of a household's rows have blanks behind them.
pub(super) fn padded(home: &Household) -> bool {
    home.id.0 % 5 == 2
}

/// Whether a lease that is over has rolled over: it starts the day after it ends.
pub(super) fn rolled(home: &Household, today: Date) -> bool {
    home.lease_end.is_some()
        && home.monthly(today)
        && home.lease_start <= home.lease_end
        && home.id.0 % 2 == 1
}

/// Whether a row has a letter where others have a word.
pub(super) fn short(home: &Household, person: &Person, today: Date) -> bool {
    let word = word(home, person, today);
    matches!(word, Some("Old" | "Other Resident")) && person.id.0.is_multiple_of(4)
}

/// MRI's word; none for whom it keeps elsewhere.
fn word(home: &Household, person: &Person, today: Date) -> Option<&'static str> {
    let primary = person.relation == Relation::Primary;
    Some(match home.status_of(person, today) {
        Status::Current | Status::Notice | Status::Eviction => match person.relation {
            Relation::Primary => "Current",
            Relation::Roommate => "Co-Resident",
            Relation::Guarantor | Relation::Occupant => "Other Resident",
        },
        Status::Past if primary || home.status.lives_there() => "Old",
        Status::Past => "Other Resident",
        Status::Other(word) => word,
        Status::Future | Status::Applicant | Status::Canceled | Status::Denied => return None,
    })
}

/// The letter of `ResidentsByPropertyID`.
fn letter(word: &str) -> &str {
    match word {
        "Current" | "Co-Resident" => "C",
        "Other Resident" => "R",
        "Old" => "O",
        other => other,
    }
}

fn time(date: Option<Date>) -> Value {
    text(date.map(|date| format!("{date}T00:00:00")))
}

/// Property, building, unit and lease, each padded in some households.
struct Keys {
    property: String,
    building: String,
    unit: String,
    lease: String,
    group: Value,
}

impl Keys {
    fn of(world: &World, home: &Household) -> Self {
        let unit = &world.units()[home.unit.0 as usize];
        let width = if padded(home) { 8 } else { 0 };
        let pad = |text: &str| format!("{text:width$}");
        let group = home.primary().map(|one| Kind::Mri.person_id(world, one));
        Self {
            property: pad(&property_id(world, home.property)),
            building: pad(building(unit)),
            unit: pad(&unit.label),
            lease: home.lease.to_string(),
            group: text(group),
        }
    }
}

fn building(unit: &Unit) -> &str {
    let name = unit.building.as_deref().unwrap_or("01");
    name.strip_prefix("Building ").unwrap_or(name)
}

fn phone(person: &Person, kind: PhoneKind) -> Value {
    let found = person.phones.iter().find(|(of, _)| *of == kind);
    text(found.map(|(_, number)| number.clone()))
}

fn names(person: &Person) -> (Value, String) {
    let first = Some(person.first.clone()).filter(|first| !first.is_empty());
    let last = person.company.as_ref().unwrap_or(&person.last);
    (text(first), last.clone())
}

/// A row of lease details, of somebody who lives or lived there.
pub(super) fn detail(world: &World, home: &Household, person: &Person) -> Option<Value> {
    let today = world.today();
    let word = word(home, person, today)?;
    let status = if short(home, person, today) {
        letter(word)
    } else {
        word
    };
    let keys = Keys::of(world, home);
    let unit = &world.units()[home.unit.0 as usize];
    let property = &world.properties()[home.property];
    let lives = home.status_of(person, today).lives_there();
    let guarantor = person.relation == Relation::Guarantor;
    let (first, last) = names(person);
    // Some have the street in one field, some in the other.
    let street = (!unit.pseudo).then(|| property.street.clone());
    let (own, of_building) = match home.id.0 % 3 {
        0 => (None, street),
        1 => (street.map(|_| format!("#{}", unit.label)), None),
        _ => (street, None),
    };
    let begun = match home.lease_end {
        Some(end) if rolled(home, today) => Some(end.saturating_add(1.day())),
        _ => home.lease_start.filter(|_| !home.id.0.is_multiple_of(6)),
    };
    let yes = |on: bool| if on { "Y" } else { "N" };
    let updated = home.updated.strftime("%Y-%m-%dT%H:%M:00").to_string();
    Some(json!({
        "ResidentNameID": Kind::Mri.person_id(world, person),
        "PropertyID": keys.property, "BuildingID": keys.building, "UnitID": keys.unit,
        "LeaseID": keys.lease,
        "Address": own, "BuildingAddress": of_building,
        "City": property.city, "State": property.state, "Zipcode": property.postal,
        "FirstName": first, "LastName": last,
        "ResidentStatus": status,
        "Email": person.email,
        "LeaseStart": time(begun),
        "OccupyDate": time(person.move_in.or(home.move_in).filter(|_| !guarantor)),
        "LeaseEnd": time(home.lease_end),
        "LeaseMonthlyRentAmount": format!("{}.00", unit.rent),
        "LeaseMoveOut": time(home.move_out),
        "LeaseMonthToMonth": "N",
        "PayAllowed": null,
        "LastUpdateDate": updated,
        "CurrCode": "USD",
        "LeaseBalance": "0.00",
        "IsCurrent": yes(lives),
        "BlockEPayments": yes(home.status == Status::Eviction),
        "Guarantor": yes(guarantor),
        "LeaseTerm": "12",
        "DateNotified": time(home.notice),
        "VacateReason": (home.status == Status::Eviction).then_some("EV"),
        "HasPet": "N",
        "ResidentVacateDate": time(person.move_out.or(home.move_out.filter(|_| !lives))),
        "Namegroup": keys.group,
        "PhoneNumber": phone(person, PhoneKind::Home),
        "CellPhoneNumber": phone(person, PhoneKind::Cell),
        "Minor": if person.relation == Relation::Occupant { "True" } else { "False" },
    }))
}

/// A row of the residents of a property: telephones, no dates of the lease.
pub(super) fn resident(world: &World, home: &Household, person: &Person) -> Option<Value> {
    let word = word(home, person, world.today())?;
    let keys = Keys::of(world, home);
    let (first, last) = names(person);
    let updated = home.updated.strftime("%Y-%m-%dT00:00:00").to_string();
    Some(json!({
        "ResidentNameID": Kind::Mri.person_id(world, person),
        "RMPROPID": keys.property, "RMBLDGID": keys.building, "UNITID": keys.unit,
        "RMLEASEID": keys.lease,
        "ResidentType": "R",
        "Status": letter(word),
        "FirstName": first, "LastName": last,
        "PhoneNumber": phone(person, PhoneKind::Home),
        "Email": person.email,
        "OccupantOccupyDate": time(person.move_in.or(home.move_in)),
        "LastUpdateDate": updated,
        "Namegroup": keys.group,
        "WorkPhone1": phone(person, PhoneKind::Office),
        "WorkPhone2": null,
        "Cell": phone(person, PhoneKind::Cell),
        "VacateDate": time(person.move_out.or(home.move_out)),
    }))
}

/// A row of the pending moves in. Guarantors and minors do not move in by themselves.
pub(super) fn pending(world: &World, home: &Household, person: &Person) -> Option<Value> {
    let tenant = matches!(person.relation, Relation::Primary | Relation::Roommate);
    if home.status != Status::Future || !tenant {
        return None;
    }
    let keys = Keys::of(world, home);
    let (first, last) = names(person);
    let id = Kind::Mri.person_id(world, person);
    let property = &world.properties()[home.property];
    let scheduled = home.move_in.map(|date| format!("{date}T00:00:00.0000000"));
    let before = json!([{
        "ResidentID": id, "Address1": "1 Elsewhere Lane", "Address2": null, "Address3": null,
        "City": property.city, "State": property.state, "Zip": property.postal, "Country": "US",
        "Phone": null,
    }]);
    Some(json!({
        "ResidentID": id,
        "FirstName": first, "LastName": last,
        "PropertyID": keys.property, "BuildingID": keys.building, "UnitID": keys.unit,
        "LeaseID": keys.lease,
        "ResidentStatus": "New",
        "ScheduledMoveInDate": scheduled,
        "Email": person.email,
        "Phone": phone(person, PhoneKind::Cell),
        "PreviousAddress": before,
    }))
}

/// The units of a property with who lives there.
pub(super) fn rent_roll(world: &World, property: usize) -> Vec<Value> {
    let mut living = vec![Vec::new(); world.units().len()];
    let mut status = vec![None; world.units().len()];
    for home in world.households() {
        if !home.status.lives_there() && home.status != Status::Future {
            continue;
        }
        let at = home.unit.0 as usize;
        let tenants = home.members.iter().filter(|one| {
            home.status.lives_there()
                && one.relation != Relation::Guarantor
                && one.move_out.is_none()
        });
        for person in tenants {
            let (first, last) = names(person);
            let id = Kind::Mri.person_id(world, person);
            living[at].push(json!({ "NameID": id, "FirstName": first, "LastName": last }));
        }
        if home.status != Status::Future || status[at].is_none() {
            status[at] = Some(home.status);
        }
    }
    let units = world.units().iter();
    let here = units.filter(|unit| unit.property == property && !unit.pseudo);
    here.map(|unit| {
        let at = unit.id.0 as usize;
        // Occupied, notice, vacant reserved, available.
        let code = match status[at] {
            Some(Status::Notice) => "B",
            Some(Status::Future) => "C",
            Some(_) => "O",
            None => "A",
        };
        json!({
            "PropertyID": format!("{:8}", property_id(world, property)),
            "BuildingID": format!("{:8}", building(unit)),
            "UnitID": format!("{:8}", unit.label),
            "UnitType": format!("{}BR", unit.bedrooms),
            "Bedrooms": unit.bedrooms.to_string(),
            "Bathrooms": "1.0",
            "SquareFootage": (450 + unit.bedrooms * 200).to_string(),
            "MarketRent": format!("{}.00", unit.rent),
            "UnitStatus": code,
            "CurrentCharges": [],
            "Residents": living[at],
        })
    })
    .collect()
}

/// A row of the units, from one of the rent roll. Which fields it has nobody has seen: here it has those of the unit.
pub(super) fn vacancy(mut row: Value) -> Value {
    if let Some(fields) = row.as_object_mut() {
        fields.retain(|name, _| !matches!(name.as_str(), "CurrentCharges" | "Residents"));
    }
    row
}

/// A row of the list of properties.
pub(super) fn property(world: &World, at: usize) -> Value {
    let property = &world.properties()[at];
    json!({
        "PropertyID": property_id(world, at),
        "PropertyName": property.name,
        "EntityId": property_id(world, at),
        "Address1": property.street, "Address2": null, "Address3": null,
        "City": property.city, "State": property.state, "ZipCode": property.postal,
        "PhoneNumber": null, "ManagerName": null,
    })
}
