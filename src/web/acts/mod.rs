//! What is done: a file for each part of the page. Each reads a form, calls the same as the socket's API does, and says where
//! to go on. What a caller may not do is refused before a form is read.

mod alerts;
mod by_hand;
mod integrations;
mod people;
mod runs;
mod setup;
mod targets;

use std::sync::Arc;

use crate::control::server::{Backend, Route, Weight};
use crate::model::Tier::{Approve, Configure, Operate};

use super::look::Look;
use super::pages::{by_hand as shown, resident};
use super::{form, question};

/// As many bytes as a file has that is pasted, where each sign of it is written twice as three.
const MOST_PASTED: usize = 9 * shown::FILE;

/// So many bytes has the answer to a step of a set-up, a few secrets of the longest among them.
const MOST_ANSWERED: usize = 512 * 1024;

pub(super) fn routes<B: Backend>(look: &Arc<Look>) -> Vec<Route<B>> {
    let slow = Weight::Lasting;
    vec![
        form(look, "/sync", Operate, integrations::sync_all::<B>).takes(slow),
        form(
            look,
            "/integrations/{id}/sync",
            Operate,
            integrations::sync::<B>,
        )
        .takes(slow),
        form(
            look,
            "/integrations/{id}/pause",
            Operate,
            integrations::pause::<B>,
        ),
        form(
            look,
            "/integrations/{id}/resume",
            Operate,
            integrations::resume::<B>,
        ),
        question(
            look,
            "/integrations/{id}/residents/{resident}",
            Operate,
            resident::live::<B>,
        ),
        form(look, "/runs/{id}/approve", Approve, runs::approve::<B>).takes(slow),
        form(look, "/runs/{id}/reject", Approve, runs::reject::<B>),
        form(
            look,
            "/integrations/{id}/approve-since-upgrade",
            Approve,
            runs::approve_since_upgrade::<B>,
        )
        .takes(slow),
        form(
            look,
            "/integrations/{id}/rename",
            Operate,
            by_hand::rename::<B>,
        )
        .takes(slow),
        question(
            look,
            "/integrations/{id}/retire/preview",
            Approve,
            shown::retire::<B>,
        ),
        form(
            look,
            "/integrations/{id}/retire",
            Approve,
            by_hand::retire::<B>,
        )
        .takes(slow),
        form(look, "/integrations/new", Configure, setup::answer::<B>)
            .takes(slow)
            .at_most(MOST_ANSWERED),
        form(
            look,
            "/integrations/{id}/settings",
            Configure,
            setup::answer::<B>,
        )
        .takes(slow)
        .at_most(MOST_ANSWERED),
        form(look, "/integrations/{id}/undo", Operate, by_hand::undo::<B>).takes(slow),
        form(look, "/alerts/dismiss", Operate, alerts::dismiss_many::<B>),
        form(look, "/alerts/{id}/resolve", Operate, alerts::resolve::<B>),
        form(look, "/alerts/{id}/dismiss", Operate, alerts::dismiss::<B>),
        form(look, "/alerts/{id}/undo", Operate, alerts::undo::<B>),
        form(look, "/alerts/{id}/comment", Operate, alerts::comment::<B>),
        form(look, "/alerts/{id}/assign", Operate, alerts::assign::<B>),
        form(look, "/people/new", Operate, by_hand::add::<B>),
        question(look, "/people/import", Operate, by_hand::import::<B>)
            .takes(Weight::Upload)
            .at_most(MOST_PASTED),
        question(look, "/people/{id}/erase", Approve, by_hand::erase::<B>),
        form(look, "/people/{id}/set", Operate, people::set::<B>),
        form(look, "/people/{id}/end", Operate, people::end::<B>),
        form(look, "/people/{id}/link", Operate, people::link::<B>),
        form(look, "/people/{id}/unlink", Operate, people::unlink::<B>),
        form(look, "/people/{id}/lock", Operate, people::lock::<B>),
        form(look, "/people/{id}/unlock", Operate, people::unlock::<B>),
        form(look, "/people/{id}/pin", Operate, people::pin::<B>),
        form(look, "/people/{id}/unpin", Operate, people::unpin::<B>),
        form(look, "/acts/{id}/undo", Operate, people::undo::<B>),
        form(
            look,
            "/targets/{id}/approve",
            Approve,
            targets::approve::<B>,
        ),
        form(look, "/targets/{id}/retry", Operate, targets::retry::<B>),
    ]
}

/// A text as a part of a path.
fn part(text: &str) -> String {
    super::look::urlencode(text.to_owned())
}
