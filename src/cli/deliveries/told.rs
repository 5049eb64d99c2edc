//! A delivery in words: what is done, why, what it waits for, and what a person may open. Asks nobody.

use crate::cli::table::paragraph;
use crate::cli::view::View;
use crate::model::{DeedKind, Delivery, DeliveryState, WaitsFor};

/// What is to be done to a grant.
pub(super) fn to_do(deed: DeedKind) -> &'static str {
    match deed {
        DeedKind::Create => "open",
        DeedKind::Change => "change",
        DeedKind::Remove => "take away",
    }
}

/// The same of a grant that is told of in a sentence.
fn to_be(deed: DeedKind) -> &'static str {
    match deed {
        DeedKind::Create => "to be opened",
        DeedKind::Change => "to be changed",
        DeedKind::Remove => "to be taken away",
    }
}

/// What happens to a grant.
pub(super) fn does(deed: DeedKind) -> &'static str {
    match deed {
        DeedKind::Create => "opens",
        DeedKind::Change => "changes",
        DeedKind::Remove => "is taken away",
    }
}

/// Why something is done. A word that this version does not know is told as it is.
pub(super) fn because(one: &Delivery) -> String {
    let told = match one.cause.as_deref() {
        None => "–",
        Some("opens") => "they are to have it now",
        Some("changes") => "they are to have another one",
        Some("over") => "every stay of theirs is over",
        Some("moved") => "they live elsewhere now",
        Some("files") => "the files say otherwise",
        Some("found") => "it is there, and nobody here knows of it",
        Some("twice") => "it is there twice",
        Some(other) => other,
    };
    told.to_owned()
}

/// What something waits for.
pub(super) fn waits_for(one: &Delivery, view: &View) -> String {
    let next = || one.next.map(|next| view.relative(next));
    match one.waits_for {
        None => "nothing".to_owned(),
        Some(WaitsFor::Approval) => "approval".to_owned(),
        Some(WaitsFor::Guard) => "approval: the guard holds it".to_owned(),
        Some(WaitsFor::Moment) => match next() {
            Some(next) => format!("its moment, {next}"),
            None => "its moment".to_owned(),
        },
        Some(WaitsFor::Before) => "what comes before it".to_owned(),
        Some(WaitsFor::Sync) => "the first sync since the restore".to_owned(),
        Some(WaitsFor::Target) => match next() {
            Some(next) => format!("the target, tried {next}"),
            None => "the target".to_owned(),
        },
    }
}

/// The same in a word, for a narrow column.
pub(super) fn waits_shortly(one: &Delivery, view: &View) -> String {
    let next = || one.next.map(|next| view.relative(next));
    match one.waits_for {
        None => "–".to_owned(),
        Some(WaitsFor::Approval) => "approval".to_owned(),
        Some(WaitsFor::Guard) => "guard".to_owned(),
        Some(WaitsFor::Moment) => next().unwrap_or_else(|| "moment".to_owned()),
        Some(WaitsFor::Before) => "before".to_owned(),
        Some(WaitsFor::Sync) => "sync".to_owned(),
        Some(WaitsFor::Target) => "target".to_owned(),
    }
}

/// What a person may open, and what is to be done about it, a paragraph for each grant.
pub(in crate::cli) fn lines(deliveries: &[Delivery], view: &View) -> String {
    let lines = deliveries
        .iter()
        .map(|one| paragraph(0, &line(one, view), view));
    lines.collect()
}

fn line(one: &Delivery, view: &View) -> String {
    let grant = format!("{} {}", one.target, one.key);
    let since = view.absolute(one.since);
    let waits = match one.waits_for {
        None => String::new(),
        Some(_) => format!(", waits for {}", waits_for(one, view)),
    };
    let rest = match one.deed {
        None | Some(DeedKind::Create) => String::new(),
        Some(deed) => format!("; {}{waits}", to_be(deed)),
    };
    match (one.state, one.deed) {
        (DeliveryState::Wanted, None | Some(DeedKind::Create)) => match one.waits_for {
            None => format!("{grant}: to be opened"),
            Some(_) => format!("{grant}: waits for {}", waits_for(one, view)),
        },
        // Until that is done they have what they had.
        (DeliveryState::Wanted, Some(_)) => format!("may open: {grant} still{rest}"),
        (DeliveryState::Confirmed, _) => format!("may open: {grant} since {since} confirmed{rest}"),
        (DeliveryState::Sent, Some(DeedKind::Remove)) => {
            format!("{grant}: taken away {since}, not read back yet")
        }
        (DeliveryState::Sent, _) => {
            format!("may open: {grant} since {since}, not read back yet")
        }
        (DeliveryState::Visit, _) => format!(
            "{grant}: the target has it since {since}, and a door has not heard of it: somebody must go there{rest}"
        ),
        (DeliveryState::Unknown, _) => format!(
            "{grant}: whether the target did what was sent is not known; it is looked at{rest}"
        ),
        (DeliveryState::Parked, deed) => {
            let why = one.why.as_deref().unwrap_or("the target did not say why");
            match deed {
                Some(deed @ (DeedKind::Change | DeedKind::Remove)) => {
                    format!(
                        "may open: {grant} still; {}, parked since {since}: {why}",
                        to_be(deed)
                    )
                }
                _ => format!("{grant}: parked since {since}: {why}"),
            }
        }
    }
}
