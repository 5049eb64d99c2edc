//! One alert as text: what is known of it, both sides beside each other, and the commands that would do something about it.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::control::protocol::{ActDetail, AlertDetail};
use crate::model::{ActKind, Alert, AlertKind, AlertState, Field, RunId, Side, Way};

use super::super::table::{Cell, Column, Table, Tone, clean, paragraph};
use super::super::view::View;

pub(super) fn show(detail: &AlertDetail, view: &View) -> String {
    let alert = &detail.alert;
    let mut text = format!(
        "{} {} at {}: {}\n",
        alert.id,
        alert.kind,
        clean(alert.integration.as_str()),
        alert.state
    );
    text += &paragraph(2, &alert.detail, view);
    text.push('\n');
    let mut facts = Table::of_pairs(0);
    if !is_told_by_sides(alert) {
        facts.pair("subject", &alert.subject);
    }
    // What no run raised, such as what is about a target or the store, has none.
    let by = match alert.raised_by {
        RunId::NONE => String::new(),
        run => format!(" by {run}"),
    };
    facts.pair("raised", format!("{}{by}", view.both(alert.first_seen)));
    facts.pair("last seen", view.both(alert.last_seen));
    if let Some(here) = &alert.suggestion {
        facts.pair("looks like", here);
    }
    if let Some(count) = alert.count {
        facts.pair("count", count);
    }
    if !alert.examples.is_empty() {
        facts.pair("such as", alert.examples.join(", "));
    }
    if let Some(confidence) = alert.confidence {
        facts.pair("confidence", confidence);
    }
    if let Some(assigned) = &alert.assigned {
        let by = &assigned.by;
        let told = format!("{}, by {by}, {}", assigned.to, view.relative(assigned.at));
        facts.pair("assigned to", told);
    }
    text += &facts.render(view);
    for comment in &alert.comments {
        let by = &comment.by;
        let _ = write!(text, "\n{by}, {}\n", view.relative(comment.at));
        for line in comment.text.lines() {
            text += &paragraph(2, line, view);
            text.push('\n');
        }
    }
    if !detail.done.is_empty() {
        let _ = write!(text, "\ndone to it\n{}", done(&detail.done, view));
    }
    let Some((first, others)) = alert.sides.split_first() else {
        text += &ways(alert, &detail.done, view);
        return text;
    };
    // More than three columns of values do not fit; then the first side is set against two at a time.
    if others.is_empty() {
        let _ = write!(text, "\n{}", beside(&[first], view));
    }
    for some in others.chunks(2) {
        let sides: Vec<&Side> = std::iter::once(first).chain(some).collect();
        let _ = write!(text, "\n{}", beside(&sides, view));
    }
    text += &ways(alert, &detail.done, view);
    text
}

/// Whether the sides say whom it is about: the subject is the resident's id, or a hash of the email they share.
fn is_told_by_sides(alert: &Alert) -> bool {
    let is_subject = |side: &Side| side.resident.as_deref() == Some(&alert.subject);
    alert.kind == AlertKind::DuplicateEmails || alert.sides.iter().any(is_subject)
}

fn done(acts: &[ActDetail], view: &View) -> String {
    let mut table = Table::new([
        ("ACT", Column::Whole),
        ("WHAT", Column::Whole),
        ("WHEN", Column::Whole),
        ("BY", Column::Whole),
        ("UNDONE", Column::Whole),
    ]);
    for act in acts {
        let undone = act.undone_by.map(|by| format!("by {by}"));
        let erased = act.erased_by.map(|by| format!("no more: erased by {by}"));
        let undone = undone.or(erased);
        table.row([
            act.id.into(),
            what(act).into(),
            view.relative(act.at).into(),
            act.by.to_string().into(),
            undone.unwrap_or_default().into(),
        ]);
    }
    table.render(view)
}

/// What was done; a comment's text stands elsewhere.
fn what(act: &ActDetail) -> String {
    match &act.said {
        Some(to) if act.kind == ActKind::Assign => format!("{} to {}", act.kind, clean(to)),
        _ => act.kind.to_string(),
    }
}

/// The commands that would do something about an alert, ready to copy.
fn ways(alert: &Alert, acts: &[ActDetail], view: &View) -> String {
    let id = alert.id;
    let mut lines: Vec<(String, &str)> = Vec::new();
    if alert.state == AlertState::Open {
        let people = alert.sides.iter().filter_map(|side| side.person);
        let resolve = format!("epms alerts resolve {id}");
        for way in alert.ways() {
            let mut line = |command: String, what| lines.push((command, what));
            match way {
                Way::Merge if alert.kind == AlertKind::DuplicateAccounts => {
                    for person in people.clone() {
                        line(
                            format!("{resolve} merge --into {person}"),
                            "one person, who keeps this id",
                        );
                    }
                }
                Way::Merge => line(format!("{resolve} merge"), "take the PMS's name, and link"),
                Way::ReplaceEmail => line(
                    format!("{resolve} replace-email"),
                    "the same person, with the PMS's email",
                ),
                Way::CreateSeparate => line(format!("{resolve} create-separate"), "somebody else"),
                Way::NotDuplicate => line(format!("{resolve} not-duplicate"), "different people"),
                Way::MapUnit => line(
                    format!("{resolve} map-unit UNIT"),
                    "this is the unit here; its people have it from the next run on",
                ),
                Way::SamePerson => line(
                    format!("{resolve} same-person"),
                    "the record is theirs: their name changed",
                ),
                Way::Admit => line(
                    format!("{resolve} admit"),
                    "they come in again, as somebody new",
                ),
                Way::SomebodyElse => line(
                    format!("{resolve} somebody-else"),
                    "the link ends, and the record is matched anew",
                ),
            }
        }
        if alert.kind == AlertKind::MassChangeHeld {
            lines.push((
                format!("epms run {}", alert.raised_by),
                "what was held first, and why",
            ));
        }
        if !alert.kind.is_of_the_feed() {
            lines.push((
                format!("epms alerts dismiss {id}"),
                "hear no more of it until either side changes",
            ));
        }
    }
    if acts.iter().any(ActDetail::is_undone_with_alert) {
        lines.push((
            format!("epms alerts undo {id}"),
            "as it was before the last act, while nothing newer touched it",
        ));
    }
    let mut text = String::new();
    for (line, what) in lines {
        let _ = write!(text, "\n  {line}\n      {what}");
    }
    if text.is_empty() && alert.state != AlertState::Open {
        return text;
    }
    let hint = match alert.state {
        AlertState::Open => {
            let remedy = format!("what to do: {}", alert.kind.facts().remedy);
            paragraph(0, &remedy, view)
        }
        _ => "what to do\n".to_owned(),
    };
    let lines = text.strip_prefix('\n').map(|text| format!("{text}\n"));
    format!("\n{hint}{}", lines.unwrap_or_default())
}

/// Sides beside each other, field by field; `≠` marks what differs.
fn beside(sides: &[&Side], view: &View) -> String {
    let mut table = Table::of_sides(sides.len());
    let mut names = vec!["".into(), "".into()];
    names.extend(sides.iter().map(|side| Cell::new(who(side), Tone::Faint)));
    table.row_of(names);
    let fields: BTreeSet<Field> = sides
        .iter()
        .flat_map(|side| side.values.keys().copied())
        .collect();
    for field in fields {
        let values: Vec<Option<&String>> =
            sides.iter().map(|side| side.values.get(&field)).collect();
        let differs = values.windows(2).any(|pair| pair[0] != pair[1]);
        let tone = if differs {
            Tone::Attention
        } else {
            Tone::Plain
        };
        let mut row = vec![
            Cell::new(if differs { "≠" } else { "" }, tone),
            field.into(),
        ];
        row.extend(
            values
                .iter()
                .map(|value| Cell::new(value.map_or("–", String::as_str), tone)),
        );
        table.row_of(row);
    }
    table.render(view)
}

fn who(side: &Side) -> String {
    match (&side.resident, side.person) {
        (Some(resident), Some(person)) => format!("resident {resident}, person {person}"),
        (Some(resident), None) => format!("resident {resident} of the PMS"),
        (None, Some(person)) => format!("person {person} of the store"),
        (None, None) => "the PMS".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::super::testing::plain;
    use super::*;
    use crate::model::{ActId, Actor, IntegrationId, RunId};

    #[test]
    fn what_was_done_to_somebody_erased_is_not_called_undone_and_not_offered_to_be() {
        let at = Timestamp::UNIX_EPOCH;
        let about = (
            AlertKind::NameMismatch,
            IntegrationId::new("elm"),
            "t1".to_owned(),
        );
        let alert = Alert {
            state: AlertState::Resolved,
            ..Alert::opened(None, about, RunId(1), "x", at)
        };
        let act = |erased: Option<u64>| ActDetail {
            id: ActId(3),
            kind: ActKind::Merge,
            at,
            by: Actor::User(1000),
            said: None,
            undone_by: None,
            erased_by: erased.map(ActId),
        };
        let told = |erased| {
            let detail = AlertDetail {
                alert: alert.clone(),
                done: vec![act(erased)],
            };
            show(&detail, &plain())
        };
        assert!(told(None).contains("epms alerts undo"), "{}", told(None));
        let text = told(Some(22));
        assert!(
            text.contains("no more: erased by x22") && !text.contains("epms alerts undo"),
            "{text}"
        );
    }
}
