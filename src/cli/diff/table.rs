//! What files would change, as tables.

use std::fmt::Write;

use crate::cli::table::{Cell, Column, Table, Tone, clean, paragraph};
use crate::cli::view::View;
use crate::model::{Differs, Effect, FieldChange};

use super::{Report, Tried};

pub(super) fn render(report: &Report, view: &View) -> String {
    let mut text = String::new();
    for one in report.different() {
        text += &integration(one, view);
    }
    for one in &report.failed {
        let told = format!("{} could not be tried:", clean(one.integration.as_str()));
        let _ = writeln!(text, "{told}");
        for line in one.why.lines() {
            text += &paragraph(2, line, view);
        }
        text.push('\n');
    }
    for (ids, what) in [
        (
            &report.new,
            "is new: nobody is read for it before it is live",
        ),
        (
            &report.gone,
            "has no file there: it would not run any more, and its people would stay",
        ),
    ] {
        for id in ids {
            let _ = writeln!(text, "{} {what}\n", clean(id.as_str()));
        }
    }
    text + &report.total() + "\n"
}

fn integration(one: &Tried, view: &View) -> String {
    let difference = &one.difference;
    let counts = difference.counts();
    let counts: Vec<String> = counts
        .iter()
        .map(|(effect, count)| format!("{effect} {count}"))
        .collect();
    let switch = difference
        .tried
        .switch
        .map(|switch| switch.as_str().to_owned());
    let parts: Vec<String> = switch.into_iter().chain(counts).collect();
    let mut text = match parts.as_slice() {
        [] if difference.is_any() => format!("{}\n", one.title()),
        [] => format!("{}: nothing would change\n", one.title()),
        parts => format!("{}: {}\n", one.title(), parts.join(", ")),
    };
    if let Some(end) = one.end() {
        text += &paragraph(2, &end, view);
    }
    for told in &difference.tried.untried {
        text += &paragraph(2, &format!("not tried: {}", clean(told)), view);
    }
    if !difference.people.is_empty() {
        let mut table = Table::new([
            ("RESIDENT", Column::Cut),
            ("PERSON", Column::Cut),
            ("WHAT", Column::Whole),
            ("RULE", Column::Whole),
            ("WHY, AND FIELDS", Column::Wrap),
        ]);
        for one in &difference.people {
            table.row([
                one.resident.clone().into(),
                who(one).into(),
                Cell::new(one.effect, tone(one.effect)),
                one.rule.clone().into(),
                why(one).into(),
            ]);
        }
        let _ = write!(text, "\n{}", table.render(view));
    }
    if !difference.alerts.is_empty() {
        let mut table = Table::new([
            ("ALERT", Column::Whole),
            ("ABOUT", Column::Cut),
            ("WHAT", Column::Whole),
            ("DETAIL", Column::Wrap),
        ]);
        for one in &difference.alerts {
            table.row([
                one.kind.into(),
                one.subject.clone().into(),
                one.would.as_str().into(),
                one.detail.clone().into(),
            ]);
        }
        let _ = write!(text, "\n{}", table.render(view));
    }
    text.push('\n');
    text
}

fn who(one: &Differs) -> String {
    let person = one.person.map(|id| id.to_string());
    let parts = person.into_iter().chain(Some(one.name.clone()));
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

fn why(one: &Differs) -> String {
    let reason = Some(one.reason.clone()).filter(|reason| !reason.is_empty());
    let fields = one.fields.iter().map(field);
    let parts: Vec<String> = reason.into_iter().chain(fields).collect();
    parts.join(", ")
}

/// What would stand in a field, by either.
pub(super) fn field(one: &FieldChange) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".into());
    match &one.before {
        None => format!("{} {}", one.field, value(&one.after)),
        Some(before) => format!("{} {before} → {}", one.field, value(&one.after)),
    }
}

fn tone(effect: Effect) -> Tone {
    match effect {
        Effect::ComesIn | Effect::Stays | Effect::NotLeftOut => Tone::Good,
        Effect::Goes | Effect::StaysOut | Effect::LeftOut | Effect::NotNamed => Tone::Bad,
        Effect::Waits => Tone::Attention,
        Effect::Changes | Effect::Otherwise => Tone::Plain,
    }
}
