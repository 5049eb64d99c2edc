//! The XML of Voyager's answers. It does not decide who is in them.

use std::fmt::Write as _;

use jiff::civil::Date;

use crate::sandbox::soap::{element, escape};
use crate::sandbox::world::{Household, Person, PhoneKind, Relation, Status, Unit, World};

/// Voyager's word for a status.
pub(super) fn word(status: Status) -> &'static str {
    match status {
        Status::Applicant => "Applicant",
        Status::Future => "Future",
        Status::Current => "Current",
        Status::Notice => "Notice",
        Status::Eviction => "Eviction",
        Status::Past => "Past",
        Status::Canceled => "Canceled",
        Status::Denied => "Denied",
        Status::Other(word) => word,
    }
}

fn american(date: Option<Date>) -> String {
    date.map(|date| date.strftime("%m/%d/%Y").to_string())
        .unwrap_or_default()
}

/// The properties.
pub(super) fn configurations(world: &World, empty: bool) -> String {
    let mut out = String::from("<Properties xmlns=\"\">");
    for property in world.properties().iter().filter(|_| !empty) {
        out.push_str("<Property>");
        for (name, text) in [
            ("Code", property.code.as_str()),
            ("MarketingName", &property.name),
            ("AddressLine1", &property.street),
            ("AddressLine2", ""),
            ("AddressLine3", ""),
            ("City", property.city),
            ("State", property.state),
            ("PostalCode", &property.postal),
            ("AccountsReceivable", "10/2019"),
            ("AccountsPayable", "10/2019"),
        ] {
            element(&mut out, name, text);
        }
        out.push_str("</Property>");
    }
    out + "</Properties>"
}

/// Households with their people; `status` is the name of the status element.
pub(super) fn residents(
    world: &World,
    property: usize,
    homes: &[&Household],
    status: &str,
) -> String {
    let mut out = String::with_capacity(homes.len() * 1500);
    let code = escape(&world.properties()[property].code);
    let _ = write!(
        out,
        "<MITS-ResidentData xmlns=\"\"><PropertyResidents Code=\"{code}\"><Residents>"
    );
    for home in homes {
        if let Some(primary) = home.primary() {
            resident(&mut out, world, home, primary, status);
        }
    }
    out + "</Residents></PropertyResidents></MITS-ResidentData>"
}

fn resident(out: &mut String, world: &World, home: &Household, primary: &Person, status: &str) {
    let number = primary.id.0;
    // Some records have no person code.
    let person = if number.is_multiple_of(17) {
        String::new()
    } else {
        format!("p{:07}", 16_000 + number)
    };
    let _ = write!(
        out,
        "<Resident tCode=\"{}\" pCode=\"{person}\">",
        primary.code()
    );
    element(out, status, word(home.status));
    name_and_email(out, primary, world.today());
    for (kind, code, label) in [
        (PhoneKind::Office, "office", "Office"),
        (PhoneKind::Home, "home", "Home"),
        (PhoneKind::Fax, "fax", "FAX"),
        (PhoneKind::Cell, "cell", "Mobile"),
    ] {
        let _ = write!(out, "<Phone PhoneType=\"{code}\">");
        element(out, "PhoneDescription", label);
        if let Some((_, number)) = primary.phones.iter().find(|(of, _)| *of == kind) {
            element(out, "PhoneNumber", number);
        }
        out.push_str("</Phone>");
    }
    let unit = &world.units()[home.unit.0 as usize];
    let (rent, feet) = (format!("{}.00", unit.rent), 450 + unit.bedrooms * 200);
    element(out, "Rent", &rent);
    element(out, "UnitCode", &unit.label);
    element(out, "UnitRent", &rent);
    element(out, "UnitSqFt", &format!("{feet}.000000"));
    element(
        out,
        "UnitEconomicStatus",
        if unit.pseudo {
            "Waitlist"
        } else {
            "Residential"
        },
    );
    element(out, "UnitType", &format!("ut{:06}", 600 + unit.bedrooms));
    element(
        out,
        "UnitTypeDescription",
        &format!("{} bedroom, 1 bath", unit.bedrooms),
    );
    element(out, "UnitTypeRent", &format!("{}.000000", unit.rent));
    element(out, "UnitTypeSqFt", &format!("{feet}.000000"));
    element(out, "LeaseFromDate", &american(home.lease_start));
    element(out, "LeaseToDate", &american(home.lease_end));
    element(out, "MoveInDate", &american(home.move_in));
    element(out, "MoveOutDate", &american(home.move_out));
    element(out, "NoticeDate", &american(home.notice));
    let mut others = home
        .members
        .iter()
        .filter(|one| one.relation != Relation::Primary)
        .peekable();
    if others.peek().is_some() {
        out.push_str("<OtherOccupants>");
        for other in others {
            let _ = write!(out, "<OtherOccupant Code=\"{}\">", other.code());
            name_and_email(out, other, world.today());
            element(out, "MoveInDate", &american(other.move_in));
            element(out, "MoveOutDate", &american(other.move_out));
            out.push_str("</OtherOccupant>");
        }
        out.push_str("</OtherOccupants>");
    }
    out.push_str("</Resident>");
}

fn name_and_email(out: &mut String, person: &Person, today: Date) {
    element(out, "FirstName", &person.first);
    element(out, "LastName", &last_name(person, today));
    if let Some(email) = &person.email {
        element(out, "Email", email);
    }
}

/// A last name as the office keeps it, with a mark in some.
pub(super) fn last_name(person: &Person, today: Date) -> String {
    let gone = person.move_out.is_some_and(|day| day <= today);
    let last = person.company.as_ref().unwrap_or(&person.last);
    let noted = person.id.0.is_multiple_of(2);
    match (
        person.departure.filter(|_| gone).map(|ordinal| ordinal % 3),
        person.relation,
    ) {
        (Some(0), _) => format!("*Moved Out* {last}"),
        (Some(1), _) => format!("(former) {last}"),
        (None, Relation::Guarantor) if noted => format!("{last} (Guarantor)"),
        (None, Relation::Occupant) if noted => format!("{last} (minor)"),
        _ => last.clone(),
    }
}

/// The units of a property, each once for every tenancy.
pub(super) fn units(world: &World, property: usize, empty: bool) -> String {
    let mut out = String::from("<UnitInformation xmlns=\"\"><Property><Units>");
    let mut tenancies = vec![Vec::new(); world.units().len()];
    let pending = |status| matches!(status, Status::Future | Status::Applicant);
    for home in world.households() {
        if let Some(primary) = home.primary()
            && (home.status.lives_there() || pending(home.status))
        {
            tenancies[home.unit.0 as usize].push((home.status, primary.code()));
        }
    }
    for unit in world
        .units()
        .iter()
        .filter(|unit| unit.property == property && !empty)
    {
        // One row for each tenancy of the unit; a unit without any has one as well.
        match tenancies[unit.id.0 as usize].as_slice() {
            [] => unit_row(&mut out, world, unit, None),
            rows => rows
                .iter()
                .for_each(|row| unit_row(&mut out, world, unit, Some(row))),
        }
    }
    out + "</Units></Property></UnitInformation>"
}

fn unit_row(out: &mut String, world: &World, unit: &Unit, tenancy: Option<&(Status, String)>) {
    let property = &world.properties()[unit.property];
    let (label, number) = (escape(&unit.label), 85_000 + unit.id.0);
    let _ = write!(
        out,
        "<UnitInfo><UnitID UniqueID=\"{number}\">{label}</UnitID>"
    );
    let status = tenancy.map(|(status, _)| *status);
    match (tenancy, status) {
        (Some((_, code)), Some(status)) => {
            let kind = match status {
                Status::Applicant => "Applicant",
                Status::Future => "Future Resident",
                _ => "Current Resident",
            };
            let _ = write!(out, "<PersonID Type=\"{kind}\">{code}</PersonID>");
        }
        _ => out.push_str("<PersonID/>"),
    }
    let economic = match status {
        _ if unit.pseudo => "Waitlist",
        Some(Status::Notice) => "Notice Unrented",
        Some(status) if status.lives_there() => "Occupied No Notice",
        Some(Status::Future) => "Vacant Rented Ready",
        _ => "Vacant Unrented Ready",
    };
    let feet = (450 + unit.bedrooms * 200).to_string();
    out.push_str("<Unit><Identification IDType=\"LeaseDesc\" IDValue=\"Conventional\"/>");
    for (name, text) in [
        ("UnitType", format!("ut{:06}", 600 + unit.bedrooms)),
        ("UnitBedrooms", unit.bedrooms.to_string()),
        ("UnitBathrooms", "1.00".to_owned()),
        ("MinSquareFeet", feet.clone()),
        ("MaxSquareFeet", feet),
        ("MarketRent", format!("{}.00", unit.rent)),
        ("UnitEconomicStatus", "residential".to_owned()),
        ("UnitEconomicStatusDescription", economic.to_owned()),
        ("FloorplanName", format!("{}x1", unit.bedrooms)),
        ("BuildingName", unit.building.clone().unwrap_or_default()),
    ] {
        element(out, name, &text);
    }
    if !unit.pseudo {
        out.push_str("<Address AddressType=\"property\">");
        element(
            out,
            "AddressLine1",
            &format!("{} APT {}", property.street, unit.label),
        );
        element(out, "City", property.city);
        element(out, "State", property.state);
        element(out, "PostalCode", &property.postal);
        out.push_str("</Address>");
    }
    out.push_str("</Unit></UnitInfo>");
}
