//! The XML of Billing & Payments: households as `GetResidentTransactions_Login` has them, with a ledger that nobody reads.
//! It does not decide who may ask. Elements of MITS have its prefix.

use std::fmt::Write as _;

use jiff::civil::Date;

use super::render;
use crate::sandbox::soap::{element, escape};
use crate::sandbox::world::{Household, Person, PhoneKind, Relation, Status, World};

/// The type of a household's first customer; none for whom the interface does not have.
fn kind(status: Status) -> Option<&'static str> {
    match status {
        Status::Applicant => Some("applicant"),
        Status::Future => Some("future resident"),
        Status::Current | Status::Notice | Status::Eviction => Some("current resident"),
        Status::Past | Status::Canceled | Status::Denied => None,
        Status::Other(word) => Some(word),
    }
}

/// The households of a property; none where there are none.
pub(super) fn transactions(world: &World, property: usize, empty: bool) -> Option<String> {
    let known = &world.properties()[property];
    let mut out = String::from(
        "<ResidentTransactions xmlns=\"http://yardi.com/ResidentTransactions20\" \
         xmlns:MITS=\"http://my-company.com/namespace\"><Property><PropertyID>\
         <MITS:Identification Type=\"other\">",
    );
    element(&mut out, "MITS:PrimaryID", &known.code);
    element(&mut out, "MITS:MarketingName", &known.name);
    out.push_str("</MITS:Identification></PropertyID>");
    let homes = world.households().iter();
    let mut homes = homes
        .filter(|home| home.property == property && !empty)
        .filter_map(|home| Some((home, kind(home.status)?, home.primary()?)))
        .peekable();
    homes.peek()?;
    for (home, kind, primary) in homes {
        household(&mut out, world, home, kind, primary);
    }
    Some(out + "</Property></ResidentTransactions>")
}

fn household(out: &mut String, world: &World, home: &Household, kind: &str, primary: &Person) {
    let unit = &world.units()[home.unit.0 as usize];
    let today = world.today();
    out.push_str("<RT_Customer>");
    element(out, "CustomerID", &primary.code());
    out.push_str("<Customers>");
    let _ = write!(out, "<MITS:Customer Type=\"{}\">", escape(kind));
    let number = 18_000 + primary.id.0;
    element(out, "MITS:Description", &number.to_string());
    element(out, "MITS:CustomerID", &primary.code());
    out.push_str("<MITS:Property>");
    element(out, "MITS:UnitID", &unit.label);
    out.push_str("</MITS:Property>");
    person(out, primary, "property", today);
    for (kind, code) in [
        (PhoneKind::Office, "office"),
        (PhoneKind::Home, "home"),
        (PhoneKind::Cell, "cell"),
    ] {
        if let Some((_, number)) = primary.phones.iter().find(|(of, _)| *of == kind) {
            let _ = write!(out, "<MITS:Phone Type=\"{code}\">");
            element(out, "MITS:PhoneDescription", code);
            element(out, "MITS:PhoneNumber", number);
            out.push_str("</MITS:Phone>");
        }
    }
    let lives = home.status.lives_there();
    let expected = home.move_out.filter(|_| home.status == Status::Notice);
    let lease = [
        ("MITS:ExpectedMoveInDate", home.move_in),
        ("MITS:ExpectedMoveOutDate", expected),
        ("MITS:LeaseFromDate", home.lease_start),
        ("MITS:LeaseToDate", home.lease_end),
        ("MITS:ActualMoveIn", home.move_in.filter(|_| lives)),
    ];
    out.push_str("<MITS:Lease>");
    for (name, day) in lease {
        if let Some(day) = day {
            element(out, name, &day.to_string());
        }
    }
    element(out, "MITS:ResponsibleForLease", "true");
    out.push_str("</MITS:Lease></MITS:Customer>");
    let others = home.members.iter();
    for one in others.filter(|one| one.relation != Relation::Primary) {
        other(out, one, today);
    }
    out.push_str("</Customers><RT_Unit>");
    element(out, "UnitID", &unit.label);
    let _ = write!(out, "<NumberOccupants Total=\"{}\"/>", home.members.len());
    out.push_str(
        "</RT_Unit><PaymentAccepted>0</PaymentAccepted><RTServiceTransactions/></RT_Customer>",
    );
}

/// Whose day of moving in the interface does not know.
pub(super) fn is_unknown(person: &Person) -> bool {
    person.id.0.is_multiple_of(3)
}

fn other(out: &mut String, one: &Person, today: Date) {
    out.push_str("<MITS:Customer Type=\"customer\">");
    if one.relation == Relation::Guarantor {
        element(out, "MITS:Description", "Guarantor");
    }
    element(out, "MITS:CustomerID", &one.code());
    person(out, one, "current", today);
    out.push_str("<MITS:Lease>");
    let moved = one.move_in.filter(|_| !is_unknown(one));
    let moved = moved.map_or_else(|| "0001-01-01".to_owned(), |day| day.to_string());
    element(out, "MITS:ActualMoveIn", &moved);
    if let Some(day) = one.move_out {
        element(out, "MITS:ActualMoveOut", &day.to_string());
    }
    let responsible = one.relation != Relation::Occupant;
    element(out, "MITS:ResponsibleForLease", &responsible.to_string());
    out.push_str("</MITS:Lease></MITS:Customer>");
}

/// Name and address. The email is inside the address.
fn person(out: &mut String, person: &Person, address: &str, today: Date) {
    out.push_str("<MITS:Name>");
    element(out, "MITS:FirstName", &person.first);
    element(out, "MITS:LastName", &render::last_name(person, today));
    out.push_str("</MITS:Name>");
    let _ = write!(out, "<MITS:Address Type=\"{address}\">");
    if let Some(email) = &person.email {
        element(out, "MITS:Email", email);
    }
    out.push_str("</MITS:Address>");
}

/// The units of a property, once for each tenancy.
pub(super) fn units(world: &World, property: usize, empty: bool) -> String {
    let mut out = String::from("<PhysicalProperty xmlns=\"\"><Property>");
    let here = world.units().iter();
    for unit in here.filter(|unit| unit.property == property && !empty) {
        let mut homes = world.households().iter();
        let lived_in = homes.find(|home| home.unit == unit.id && home.status.lives_there());
        let code = lived_in.and_then(Household::primary).map(Person::code);
        out.push_str("<RT_Customer>");
        element(
            &mut out,
            "CustomerID",
            code.as_deref().unwrap_or("Vacant Unrented Ready"),
        );
        out.push_str("<RT_Unit>");
        element(&mut out, "UnitID", &unit.label);
        out.push_str("</RT_Unit></RT_Customer>");
    }
    out + "</Property></PhysicalProperty>"
}
