//! What is read: a file for each part of the page. Each asks the backend, and gives a template its values.

mod alerts;
pub(super) mod by_hand;
mod health;
mod integrations;
mod people;
pub(super) mod resident;
mod runs;
pub(super) mod setup;
mod signin;
mod targets;

use std::sync::Arc;

use crate::control::server::{Backend, Route, Weight};
use crate::model::Tier::Configure;

use super::look::Look;
use super::page;
pub(super) use signin::open;

pub(super) fn routes<B: Backend>(look: &Arc<Look>) -> Vec<Route<B>> {
    vec![
        page(look, "/", integrations::list::<B>),
        page(look, "/integrations/{id}", integrations::one::<B>),
        page(look, "/integrations/new", setup::show::<B>).needs(Configure),
        page(look, "/integrations/{id}/settings", setup::show::<B>).needs(Configure),
        page(
            look,
            "/integrations/{id}/residents/{resident}",
            resident::one::<B>,
        )
        .takes(Weight::Lasting),
        page(look, "/integrations/{id}/rename", by_hand::rename::<B>),
        page(look, "/people", people::list::<B>),
        page(look, "/people/new", by_hand::add::<B>),
        page(look, "/people/import", by_hand::import::<B>),
        page(look, "/people/{id}", people::one::<B>),
        page(look, "/people/{id}/erase", by_hand::erase::<B>),
        page(look, "/alerts", alerts::list::<B>),
        page(look, "/alerts/{id}", alerts::one::<B>),
        page(look, "/runs", runs::list::<B>),
        page(look, "/runs/{id}", runs::one::<B>),
        page(look, "/targets", targets::list::<B>),
        page(look, "/targets/{id}", targets::one::<B>),
        page(look, "/deliveries", targets::deliveries::<B>),
        page(look, "/health", health::show::<B>),
    ]
}
