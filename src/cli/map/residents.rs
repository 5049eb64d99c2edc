//! Residents as a table of `epms map`.

use std::fmt::Write;

use crate::model::{Field, LeaseStatus, Relationship, Resident};

use super::super::table::{Cell, Column, Table, Tone};
use super::super::view::View;

/// A row for each.
pub(super) fn residents(residents: &[Resident], view: &View) -> String {
    let mut table = Table::new([
        ("RESIDENT", Column::Whole),
        ("NAME", Column::Wrap),
        ("EMAIL · PHONE", Column::Wrap),
        ("UNIT", Column::Wrap),
        ("LEASE", Column::Wrap),
        ("LIVES THERE", Column::Wrap),
        ("STATUS", Column::Wrap),
    ]);
    for one in residents {
        let mut name = format!("{} {}", one.first_name, one.last_name);
        if one.relationship != Relationship::Primary {
            let _ = write!(name, " ({})", one.relationship.as_str());
        }
        let contact = [one.email.as_deref(), one.phone.as_deref()];
        let contact: Vec<&str> = contact.into_iter().flatten().collect();
        let unit = one.unit.as_ref().map_or_else(String::new, |unit| {
            if unit.id == unit.label {
                unit.id.clone()
            } else {
                format!("{} ({})", unit.label, unit.id)
            }
        });
        let mut status = format!("{} ({})", one.status, one.status_word);
        for (flag, word) in [(one.notice, ", notice"), (one.eviction, ", eviction")] {
            status += if flag { word } else { "" };
        }
        let tone = match one.status {
            LeaseStatus::Unknown => Tone::Bad,
            status if status.may_come_in() => Tone::Plain,
            _ => Tone::Faint,
        };
        let left_out = if one.relationship.is_left_out() {
            Tone::Faint
        } else {
            Tone::Plain
        };
        table.row([
            one.id.clone().into(),
            Cell::new(name.trim(), left_out),
            contact.join(" · ").into(),
            unit.into(),
            days(one, Field::LeaseStart, Field::LeaseEnd).into(),
            days(one, Field::MoveIn, Field::MoveOut).into(),
            Cell::new(status, tone),
        ]);
    }
    table.render(view)
}

/// `2026-03-01 – 2027-02-28`; nothing where neither day is known.
fn days(one: &Resident, from: Field, to: Field) -> String {
    let day = |field: Field| {
        let date = match field {
            Field::LeaseStart => one.lease_start,
            Field::LeaseEnd => one.lease_end,
            Field::MoveIn => one.move_in,
            _ => one.move_out,
        };
        let is_unreadable = one.unreadable.contains(&field);
        let unreadable = is_unreadable.then(|| "unreadable".to_owned());
        unreadable.or_else(|| date.map(|date| date.to_string()))
    };
    match (day(from), day(to)) {
        (None, None) => String::new(),
        (from, to) => {
            let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
            format!("{from} – {to}").trim().to_owned()
        }
    }
}
