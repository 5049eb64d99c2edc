//! What an act by hand did, as text: the act, and its changes field by field.

use std::fmt::Write;

use crate::model::{Change, Done};

use super::table::{Cell, Column, Table, Tone, clean};
use super::view::View;

/// An act and its changes.
pub(super) fn show(done: &Done, view: &View) -> String {
    let mut text = format!("{} {}", done.act, done.kind);
    if let Some(alert) = done.alert {
        let _ = write!(text, " of {alert}");
    }
    text.push('\n');
    if !done.changes.is_empty() {
        let _ = write!(text, "\n{}", table(&done.changes, view));
    }
    text
}

/// Changes, one below the other, with what was before and after.
pub(super) fn table(changes: &[Change], view: &View) -> String {
    let mut table = Table::new([
        ("PERSON", Column::Whole),
        ("CHANGE", Column::Whole),
        ("RULE", Column::Whole),
        ("FIELD", Column::Whole),
        ("BEFORE", Column::Wrap),
        ("AFTER", Column::Wrap),
    ]);
    for change in changes {
        let mut first = true;
        let mut row = |field: String, before: &str, after: &str| {
            let head = |text: String| if first { text } else { String::new() };
            table.row([
                head(change.person.to_string()).into(),
                head(change.kind.to_string()).into(),
                head(clean(&change.rule)).into(),
                field.into(),
                Cell::new(before, Tone::Faint),
                after.to_owned().into(),
            ]);
            first = false;
        };
        if change.fields.is_empty() {
            row(String::new(), "", "");
        }
        for field in &change.fields {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
            let (before, after) = (text(&field.before), text(&field.after));
            row(field.field.to_string(), &before, &after);
        }
    }
    table.render(view)
}
