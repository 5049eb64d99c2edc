//! The rows of `getresidentlistinfo`: one for each person of each lease.

use jiff::{ToSpan, civil::Date};

use super::{american, building, site_id};
use crate::sandbox::soap::element;
use crate::sandbox::world::{Household, Person, PhoneKind, Relation, Status, World};
use crate::sandbox::{Kind, names};

/// Which rows are wanted.
pub(in super::super) struct Wanted<'a> {
    /// `C` who lives there, `P` who is to, `F` who did, anything else everybody.
    pub(in super::super) status: &'a str,
    /// Only heads of household.
    pub(in super::super) heads: bool,
}

/// Under which lease a row stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lease {
    /// The household's own.
    Own,
    /// The renewal it has signed.
    Renewal,
    /// That of the unit it is to move to.
    Transfer,
}

/// Whether only the label says that somebody is a minor.
pub(in super::super) fn labelled_minor(person: &Person) -> bool {
    person.relation == Relation::Occupant && person.id.0.is_multiple_of(3)
}

/// Whether somebody who has left signed the renewal before.
pub(in super::super) fn signed_before(person: &Person) -> bool {
    person.id.0.is_multiple_of(2)
}

/// What the office books as if it were people.
const BOOKED: [&str; 2] = ["Online application fees", "Laundry room income"];

fn transfer_id(home: &Household) -> u32 {
    7_000_000 + home.id.0
}

pub(super) fn lease_id(home: &Household) -> u32 {
    21_000 + home.id.0
}

pub(super) fn renewal_id(home: &Household) -> u32 {
    5_000_000 + home.id.0
}

pub(super) fn household_id(home: &Household) -> u32 {
    300 + home.occupancy
}

fn word(home: &Household, pseudo: bool) -> &'static str {
    match home.status {
        Status::Current | Status::Notice | Status::Eviction => "Current",
        // Whoever has no unit yet has no more than signed.
        Status::Future if pseudo || home.id.0.is_multiple_of(4) => "Applicant - Lease Signed",
        Status::Future => "Future Lease",
        Status::Applicant => "Applicant",
        Status::Past => "Former",
        Status::Canceled | Status::Denied => "Former Applicant",
        Status::Other(word) => word,
    }
}

fn letter(word: &str) -> &'static str {
    match word {
        "Former" | "Former Applicant" => "F",
        "Applicant" | "Applicant - Lease Signed" | "Future Lease" => "P",
        _ => "C",
    }
}

/// The rows of a site; `status` is the name of the status element.
pub(in super::super) fn residents(
    world: &World,
    site: usize,
    wanted: &Wanted,
    status: &str,
    empty: bool,
) -> String {
    let mut out = String::from("<residentlist xmlns=\"\">");
    let here = |home: &&Household| home.property == site && !empty;
    for home in world.households().iter().filter(here) {
        let unit = &world.units()[home.unit.0 as usize];
        let renewal = home.next_lease.is_some() && home.status.lives_there();
        let transfer = home.moving_to.is_some() && home.status.lives_there();
        let leases = [
            (Lease::Own, word(home, unit.pseudo), true),
            (Lease::Renewal, "Future Lease", renewal),
            (Lease::Transfer, "Future Lease", transfer),
        ];
        for (lease, word, _) in leases.into_iter().filter(|(_, _, has)| *has) {
            let any = !matches!(wanted.status, "C" | "P" | "F");
            if !any && letter(word) != wanted.status {
                continue;
            }
            for person in &home.members {
                let head = person.relation == Relation::Primary;
                // Who has left does not sign again; some did before they left.
                let signs = match lease {
                    Lease::Own => true,
                    Lease::Renewal => person.move_out.is_none() || signed_before(person),
                    Lease::Transfer => person.move_out.is_none(),
                };
                if signs && (head || !wanted.heads) {
                    row(&mut out, world, (home, lease), person, (status, word));
                }
            }
        }
    }
    let applicants = matches!(wanted.status, "P") || !matches!(wanted.status, "C" | "F");
    for (at, name) in BOOKED.iter().enumerate().filter(|_| applicants && !empty) {
        booked(&mut out, at, name, status);
    }
    out + "</residentlist>"
}

/// The row of what is nobody.
fn booked(out: &mut String, at: usize, name: &str, status: &str) {
    let (member, household, lease) = (900_001 + at, 900_101 + at, 900_201 + at);
    out.push_str("<resident>");
    for (tag, text) in [
        ("residentmemberid", member.to_string()),
        ("residenthouseholdid", household.to_string()),
        ("leaseid", lease.to_string()),
        ("unitid", String::new()),
        ("firstname", name.to_owned()),
        ("lastname", name.to_owned()),
        ("residentagestatus", "Unknown".to_owned()),
        ("email", "none@nowhere.com".to_owned()),
        ("inevict", "N".to_owned()),
        (status, "Applicant".to_owned()),
        ("residentrelationship", "Head of household".to_owned()),
        ("residenttype", "H".to_owned()),
        ("occupantbit", "FALSE".to_owned()),
        ("guarantorbit", "FALSE".to_owned()),
        ("signerbit", "FALSE".to_owned()),
        ("activebit", "TRUE".to_owned()),
        ("hohbit", "TRUE".to_owned()),
        ("moveoutdate", String::new()),
        ("dateofbirth", String::new()),
        ("contactstatus", String::new()),
    ] {
        element(out, tag, &text);
    }
    out.push_str("</resident>");
}

fn row(
    out: &mut String,
    world: &World,
    (home, lease): (&Household, Lease),
    person: &Person,
    (status, word): (&str, &str),
) {
    let unit = match home.moving_to {
        Some((unit, _)) if lease == Lease::Transfer => unit,
        _ => home.unit,
    };
    let unit = &world.units()[unit.0 as usize];
    let transfer = home.moving_to.map(|(_, day)| day);
    let leaving = transfer.filter(|_| lease == Lease::Own && home.status == Status::Current);
    let property = &world.properties()[home.property];
    let today = world.today();
    let applied = matches!(word, "Applicant" | "Former Applicant");
    let housed = !applied && !unit.pseudo;
    let past = home.status == Status::Past;
    let left = person.move_out.is_some_and(|day| day <= today);
    let guarantor = person.relation == Relation::Guarantor;
    let minor = person.relation == Relation::Occupant;
    let head = person.relation == Relation::Primary;
    let flag = |on: bool| if on { "TRUE" } else { "FALSE" }.to_owned();
    let yes = |on: bool| if on { "Y" } else { "N" }.to_owned();
    let iso = |date: Option<Date>| date.map(|day| day.to_string()).unwrap_or_default();
    let phone = |kind| {
        let found = person.phones.iter().find(|(of, _)| *of == kind);
        found.map(|(_, number)| number.clone()).unwrap_or_default()
    };
    // Each site has its own codes for the same thing.
    let (code, label) = match (person.relation, person.id.0 % 2) {
        (Relation::Primary, _) => ("H", "Head of household"),
        (Relation::Roommate, 0) => ("ADULTCHH", "Adult co-head of household"),
        (Relation::Roommate, _) => ("RMMATE", "Roommate"),
        (Relation::Guarantor, 0) => ("GRNTR", "Guarantor"),
        (Relation::Guarantor, _) => ("P0000013", "Guarantor"),
        (Relation::Occupant, 0) => ("MINORCHH", "Minor Child"),
        (Relation::Occupant, _) => ("MinorOcc", "Minor Occupant"),
    };
    let kind = match home.status {
        _ if lease == Lease::Renewal => "Renewal",
        _ if lease == Lease::Transfer => "First Lease",
        _ if leaving.is_some() => "Notice given - transfer",
        _ if applied => "",
        Status::Notice => "Notice given - move out",
        Status::Past => "Moved Out",
        _ if home.renewed.is_some() => "Renewal",
        _ => "First Lease",
    };
    let contact = match person.relation {
        _ if left || past => "Former resident",
        Relation::Primary => "Lease signer",
        Relation::Roommate => "Co-signer",
        Relation::Guarantor if person.id.0.is_multiple_of(2) => "Lease signer",
        Relation::Guarantor => "Guarantor",
        Relation::Occupant => "",
    };
    let email = match person.email.as_deref() {
        Some(address) if names::is_no_email(address) => "none@nowhere.com",
        address => address.unwrap_or_default(),
    };
    let id = match lease {
        Lease::Own => lease_id(home),
        Lease::Renewal => renewal_id(home),
        Lease::Transfer => transfer_id(home),
    };
    let (begin, end) = match (lease, home.next_lease, transfer) {
        (Lease::Renewal, Some((start, end)), _) => (Some(start), Some(end)),
        (Lease::Transfer, _, Some(day)) => (Some(day), Some(day.saturating_add(364.days()))),
        _ if applied => (None, None),
        _ => (home.lease_start, home.lease_end),
    };
    let move_in = match lease {
        Lease::Transfer => transfer,
        _ => person.move_in.or(home.move_in).filter(|_| !applied),
    };
    let move_out = match lease {
        Lease::Own => person.move_out.or(home.move_out).or(leaving),
        Lease::Renewal => person.move_out,
        Lease::Transfer => None,
    };
    let noticed = home.status == Status::Notice && lease == Lease::Own || leaving.is_some();
    let notice_for = home.move_out.or(leaving);
    let last = person.company.as_ref().unwrap_or(&person.last);
    let billing = format!("{}, {}", last.trim(), person.first.trim());
    let put = |out: &mut String, fields: &[(&str, String)]| {
        for (name, text) in fields {
            element(out, name, text);
        }
    };
    let number = |shown: bool, text: String| if shown { text } else { String::new() };
    out.push_str("<resident>");
    put(
        out,
        &[
            ("residentmemberid", Kind::RealPage.person_id(world, person)),
            ("residenthouseholdid", household_id(home).to_string()),
            ("leaseid", id.to_string()),
            ("unitid", number(housed, (unit.id.0 + 1).to_string())),
            ("buildingnumber", number(housed, building(unit).to_owned())),
            ("unitnumber", number(housed, unit.label.clone())),
            ("firstname", person.first.clone()),
            ("lastname", last.clone()),
            ("billingname", billing.trim_end_matches(", ").to_owned()),
            (
                "residentagestatus",
                match person.relation {
                    _ if labelled_minor(person) => "Unknown",
                    Relation::Occupant => "Minor",
                    _ => "Adult",
                }
                .to_owned(),
            ),
            ("homephone", phone(PhoneKind::Home)),
            ("workphone", phone(PhoneKind::Office)),
            ("cellphone", phone(PhoneKind::Cell)),
            ("faxnumber", phone(PhoneKind::Fax)),
            ("email", email.to_owned()),
            ("inevict", yes(home.status == Status::Eviction)),
            ("nochk", yes(false)),
            ("haspets", yes(false)),
            (
                "balance",
                if past {
                    String::new()
                } else {
                    "31,500.00".to_owned()
                },
            ),
            (status, word.to_owned()),
            ("residentrelationship", label.to_owned()),
            ("leasesigneddate", iso(begin)),
            ("leasetype", kind.to_owned()),
            ("residenttype", code.to_owned()),
            ("cosignerbit", flag(false)),
            ("occupantbit", flag(!guarantor && !applied)),
            ("guarantorbit", flag(guarantor)),
            ("signerbit", flag(!minor && contact != "Guarantor")),
            ("activebit", flag(true)),
            ("hohbit", flag(head)),
            ("begindate", iso(begin)),
            ("enddate", iso(end)),
            ("moveindate", iso(move_in)),
            ("residentsincedate", iso(move_in)),
            ("moveoutdate", iso(move_out)),
            ("dateofbirth", String::new()),
            ("propertynumberid", "1".to_owned()),
            ("propertynumber", site_id(world, home.property)),
            ("donotrenew", yes(false)),
            ("noach", String::new()),
            ("contactstatus", contact.to_owned()),
            ("noticegivendate", iso(home.notice.filter(|_| noticed))),
            ("noticefordate", iso(notice_for.filter(|_| noticed))),
        ],
    );
    out.push_str("<addresslist><address>");
    let street = number(housed, format!("{} {}", property.street, unit.label));
    put(
        out,
        &[
            ("type", "REGULAR".to_owned()),
            ("address1", street),
            ("address2", String::new()),
            ("city", number(housed, property.city.to_owned())),
            ("state", number(housed, property.state.to_owned())),
            ("zip", number(housed, property.postal.clone())),
            ("country", number(housed, "US".to_owned())),
        ],
    );
    out.push_str("</address></addresslist><filteredaddresslist/><screeningstatus>");
    let screened = begin.filter(|_| head).map(american).unwrap_or_default();
    let result = if screened.is_empty() {
        "Not Screened"
    } else {
        "Approved Final"
    };
    put(
        out,
        &[
            ("screeningresult", result.to_owned()),
            ("resultdate", screened),
            ("screeningresultcode", String::new()),
        ],
    );
    out.push_str("</screeningstatus></resident>");
}
