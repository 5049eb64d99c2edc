//! What a PMS has, as tables. Asks nobody.

use super::super::status::number;
use super::super::table::{Cell, Column, Table, paragraph};
use super::super::view::View;
use super::Found;

pub(super) fn told(found: &Found, view: &View) -> String {
    let mut text = String::new();
    if let Some(why) = &found.unlisted {
        let told = format!("the PMS does not list its properties: {why}");
        text += &paragraph(0, &told, view);
    } else if found.properties.is_empty() {
        text += "the PMS lists no properties\n";
    } else {
        let mut table = Table::new([
            ("PROPERTY", Column::Whole),
            ("NAME", Column::Cut),
            ("", Column::Whole),
        ]);
        for property in &found.properties {
            let attached = if property.attached { "attached" } else { "" };
            table.row([
                property.id.clone().into(),
                property.name.clone().into(),
                attached.into(),
            ]);
        }
        text += &table.render(view);
    }
    text.push('\n');
    if found.statuses.is_empty() {
        text += "no residents in the attached properties\n";
    } else {
        let mut table = Table::new([
            ("STATUS WORD", Column::Cut),
            ("MEANS", Column::Whole),
            ("RESIDENTS", Column::Whole),
            ("", Column::Whole),
        ]);
        for status in &found.statuses {
            let excluded = if status.excluded { "excluded" } else { "" };
            table.row([
                Cell::id(&status.word),
                status.status.as_str().into(),
                status.residents.to_string().into(),
                excluded.into(),
            ]);
        }
        text += &table.render(view);
    }
    if !found.left_out.is_empty() {
        let mut table = Table::new([
            ("LEFT OUT BY THE SCRIPT", Column::Wrap),
            ("RESIDENTS", Column::Whole),
        ]);
        for one in &found.left_out {
            table.row([one.reason.clone().into(), one.residents.to_string().into()]);
        }
        text.push('\n');
        text += &table.render(view);
    }
    if let Some(units) = &found.units {
        let mut table = Table::new([
            ("UNIT", Column::Whole),
            ("LABEL", Column::Cut),
            ("RESIDENTS", Column::Whole),
            ("HERE", Column::Cut),
        ]);
        for unit in units {
            table.row([
                unit.id.clone().into(),
                unit.label.clone().into(),
                unit.residents.to_string().into(),
                unit.here.clone().unwrap_or_default().into(),
            ]);
        }
        text.push('\n');
        text += &table.render(view);
    }
    if found.rejected > 0 {
        let records = number(found.rejected, "record", "records");
        let first = found.first_rejected.as_deref().unwrap_or_default();
        text.push('\n');
        text += &paragraph(
            0,
            &format!("{records} could not be mapped; the first: {first}"),
            view,
        );
    }
    for warning in &found.warnings {
        text.push('\n');
        text += &paragraph(
            0,
            &format!("a run would be incomplete here: {warning}"),
            view,
        );
    }
    text
}
