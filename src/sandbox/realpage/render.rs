//! The XML of RealPage's answers. It does not decide who may ask for them. An absent value is an
//! empty element, but in `getleaseinfo` a missing one.

mod resident;

use std::collections::HashMap;
use std::fmt::Write as _;

use jiff::civil::Date;

use crate::sandbox::soap::element;
use crate::sandbox::world::{Household, Status, Unit, UnitId, World};
pub(super) use resident::{Wanted, labelled_minor, residents, signed_before};

use super::site_id;

/// `2026-03-10 00:00:00`.
fn with_time(date: Option<Date>) -> String {
    date.map_or_else(String::new, |date| format!("{date} 00:00:00"))
}

/// `03/10/2026`.
fn american(date: Date) -> String {
    date.strftime("%m/%d/%Y").to_string()
}

fn building(unit: &Unit) -> &str {
    let name = unit.building.as_deref().unwrap_or("1");
    name.strip_prefix("Building ").unwrap_or(name)
}

/// The sites.
pub(super) fn sites(world: &World, empty: bool) -> String {
    let mut out = String::from("<SiteList xmlns=\"\">");
    for (at, property) in world.properties().iter().enumerate().filter(|_| !empty) {
        let (id, today) = (site_id(world, at), world.today());
        out.push_str("<Site>");
        for (name, text) in [
            ("PMCName", "Sandbox Management"),
            ("WSPMCURL", ""),
            ("SiteID", &id),
            ("SiteNumber", &id),
            ("SiteName", &property.name),
            ("Adr1", &property.street),
            ("Adr2", ""),
            ("Adr3", ""),
            ("City", property.city),
            ("State", property.state),
            ("Zip", &property.postal),
            ("County", ""),
            ("Country", "US"),
            ("Phone1", "(503) 555-0100"),
            ("Phone2", ""),
            ("Fax", ""),
            ("Email", ""),
            ("Web", ""),
            ("SysDate", &format!("{today}T10:01:33.017-06:00")),
            ("AR_AccountingDate", &format!("{today}T00:00:00-06:00")),
            ("AR_AccountingPeriod", &today.strftime("%m%Y").to_string()),
        ] {
            element(&mut out, name, text);
        }
        out.push_str("</Site>");
    }
    out + "</SiteList>"
}

/// The units of a site, the elevator and the like among them, and a deleted unit that has the
/// number of another.
pub(super) fn units(world: &World, site: usize, empty: bool) -> String {
    let mut out = String::from("<UnitList xmlns=\"\">");
    let mut homes: HashMap<UnitId, &Household> = HashMap::new();
    for home in world.households() {
        if home.status.lives_there() {
            homes.insert(home.unit, home);
        } else if home.status == Status::Future {
            homes.entry(home.unit).or_insert(home);
        }
    }
    let real = |unit: &&Unit| unit.property == site && !unit.pseudo && !empty;
    for unit in world.units().iter().filter(real) {
        let id = (unit.id.0 + 1).to_string();
        unit_row(
            &mut out,
            world,
            unit,
            (&id, &unit.label),
            homes.get(&unit.id).copied(),
        );
    }
    if let Some(first) = world.units().iter().find(real) {
        for (id, label) in [("90001", "Elevator"), ("90002", "Fitness Center")] {
            unit_row(&mut out, world, first, (id, label), None);
        }
        unit_row(&mut out, world, first, ("90003", &first.label), None);
    }
    out + "</UnitList>"
}

fn unit_row(
    out: &mut String,
    world: &World,
    unit: &Unit,
    (id, label): (&str, &str),
    home: Option<&Household>,
) {
    let property = &world.properties()[unit.property];
    let lived_in = home.is_some_and(|home| home.status.lives_there());
    let flag = |on: bool| if on { "T" } else { "F" };
    let deleted = id == "90003";
    let leaving = home.filter(|home| home.status == Status::Notice);
    let coming = home.filter(|home| home.status == Status::Future);
    let feet = (450 + unit.bedrooms * 200).to_string();
    out.push_str("<Unit>");
    for (name, text) in [
        ("UnitID", id.to_owned()),
        ("UnitNumber", label.to_owned()),
        ("UnitDescription", String::new()),
        ("BuildingID", building(unit).to_owned()),
        ("BuildingNumber", building(unit).to_owned()),
        (
            "BuildingName",
            unit.building
                .clone()
                .unwrap_or_else(|| "Building".to_owned()),
        ),
        ("FloorplanID", unit.bedrooms.to_string()),
        (
            "FloorplanName",
            format!("{} Bedroom, One Bath", unit.bedrooms),
        ),
        ("Adr1", property.street.clone()),
        ("Adr2", String::new()),
        ("City", property.city.to_owned()),
        ("State", property.state.to_owned()),
        ("Zip", property.postal.clone()),
        ("County", String::new()),
        ("Country", "US".to_owned()),
        ("GrossSqft", feet.clone()),
        ("RentableSqft", feet),
        ("Vacant", flag(!lived_in).to_owned()),
        (
            "Available",
            flag(!lived_in && coming.is_none() && !deleted).to_owned(),
        ),
        (
            "AvailableDate",
            with_time(leaving.and_then(|home| home.move_out)),
        ),
        ("UnitDeleted", flag(deleted).to_owned()),
        ("UnitDesignationName", "Conventional".to_owned()),
        ("UnitDesignationGroupName", "Residential".to_owned()),
        ("Notes", String::new()),
        ("MarketRent", format!("{}.0000", unit.rent)),
        ("ReasonNotAvailable", String::new()),
        ("UnitMadeReadyDate", "1900-01-01 00:00:00".to_owned()),
        ("MaximumOccs", (unit.bedrooms + 1).to_string()),
        ("UnitReserved", flag(coming.is_some()).to_owned()),
        (
            "UnitExpectedMoveinDate",
            with_time(coming.and_then(|home| home.move_in)),
        ),
        (
            "OnNoticeForDate",
            with_time(leaving.and_then(|home| home.move_out)),
        ),
        ("PropertyNumber", site_id(world, unit.property)),
        ("UnitHoldStatus", "false".to_owned()),
        ("UnitHoldUntil", String::new()),
    ] {
        element(out, name, &text);
    }
    out.push_str("</Unit>");
}

/// The leases people live under or are about to, with dates in four formats.
pub(super) fn leases(world: &World, site: usize, empty: bool) -> String {
    let mut out = String::from("<GetLeaseInfo xmlns=\"\"><Leases>");
    let shown = |home: &&Household| home.property == site && home.primary().is_some() && !empty;
    for home in world.households().iter().filter(shown) {
        let (status, text) = match home.status {
            status if status.lives_there() => ("6", "Current"),
            Status::Future => ("6", "Current - Future"),
            Status::Applicant => ("2", "Applicant"),
            _ => continue,
        };
        let (kind, kind_text) = match home.status {
            Status::Notice => ("4", "Notice given - move out"),
            _ if home.renewed.is_some() => ("2", "Renewal"),
            _ => ("1", "First (Lease)"),
        };
        let unit = &world.units()[home.unit.0 as usize];
        let unit_id = if unit.pseudo { 0 } else { unit.id.0 + 1 };
        let next = home.next_lease.map_or(0, |_| resident::renewal_id(home));
        out.push_str("<Lease>");
        let mut put = |name: &str, text: String| {
            if !text.is_empty() {
                element(&mut out, name, &text);
            }
        };
        let day = |date: Option<Date>| date.map(american).unwrap_or_default();
        put("ReshID", resident::household_id(home).to_string());
        put("SiteID", site_id(world, site));
        put("UnitID", unit_id.to_string());
        put("LeaseID", resident::lease_id(home).to_string());
        put("NextLeaseID", next.to_string());
        put("PriorLeaseID", "0".to_owned());
        put("LeaseBeginDate", day(home.lease_start));
        put("LeaseEndDate", day(home.lease_end));
        put("MoveInDate", day(home.move_in));
        put("NoticeGivenDate", day(home.notice));
        let first = home.move_in.or(home.lease_start);
        put(
            "InitialLeaseDate",
            first.map(|date| date.to_string()).unwrap_or_default(),
        );
        put(
            "PaymentDueDate",
            format!("{}.000", with_time(Some(world.today().last_of_month()))),
        );
        let renewed = home
            .renewed
            .map(|date| date.strftime("%b %-d %Y 12:00AM").to_string());
        put("LastRenewalDate", renewed.unwrap_or_default());
        put(
            "Evict",
            if home.status == Status::Eviction {
                "Y"
            } else {
                "N"
            }
            .to_owned(),
        );
        put("LeaseStatus", status.to_owned());
        put("LeaseStatusText", text.to_owned());
        put("Typecode", kind.to_owned());
        put("TypeText", kind_text.to_owned());
        put("Rent", format!("{}.00", unit.rent));
        let head = home.primary().map(crate::sandbox::Person::name);
        put("HeadofHouseholdName", head.unwrap_or_default());
        let _ = write!(out, "</Lease>");
    }
    out + "</Leases></GetLeaseInfo>"
}
