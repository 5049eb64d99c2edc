//! A plan that waits for approval, as a table: everybody whom it takes something from, or lets in.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::model::{Guarded, GuardedKind, HeldPlan};

use super::table::{Cell, Column, Table, Tone};
use super::view::View;

/// The plan below a title.
pub(super) fn listed(title: &str, plan: &HeldPlan, view: &View) -> String {
    let mut text = format!("\n{title}: {}\n", counts(plan));
    let listed: Vec<&Guarded> = plan.items.iter().filter(|item| !is_of_feed(item)).collect();
    if listed.is_empty() {
        return text;
    }
    let mut table = Table::new([
        ("WHO", Column::Cut),
        ("UNIT", Column::Cut),
        ("WHAT", Column::Whole),
        ("FROM", Column::Wrap),
        ("TO", Column::Wrap),
    ]);
    for item in listed {
        // The person with their id; of somebody new the resident's id; the unit by its id.
        table.row([
            Cell::of_id(&item.subject, &item.name),
            item.unit.clone().into(),
            Cell::new(item.kind.as_str(), Tone::Attention),
            item.from.clone().into(),
            item.to.clone().into(),
        ]);
    }
    let _ = write!(text, "\n{}", table.render(view));
    text
}

/// How much of what: `closing 6, unit change 2`.
pub(super) fn counts(plan: &HeldPlan) -> String {
    let mut kinds: BTreeMap<GuardedKind, usize> = BTreeMap::new();
    for item in &plan.items {
        *kinds.entry(item.kind).or_default() += 1;
    }
    let counts: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| match kind {
            GuardedKind::EmptyFeed | GuardedKind::OtherDatabase => kind.as_str().to_owned(),
            _ => format!("{} {count}", kind.as_str()),
        })
        .collect();
    counts.join(", ")
}

fn is_of_feed(item: &Guarded) -> bool {
    matches!(
        item.kind,
        GuardedKind::EmptyFeed | GuardedKind::OtherDatabase | GuardedKind::Exclusion
    )
}
