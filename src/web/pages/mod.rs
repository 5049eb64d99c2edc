//! What is read: a file for each part of the page. Each asks the backend, and gives a template its values.

mod alerts;
mod health;
mod integrations;
mod people;
pub(super) mod resident;
mod runs;
mod signin;
mod targets;

use std::sync::Arc;

use crate::control::server::{Backend, Route, Weight};

use super::look::Look;
use super::page;
pub(super) use signin::open;

pub(super) fn routes<B: Backend>(look: &Arc<Look>) -> Vec<Route<B>> {
    vec![
        page(look, "/", integrations::list::<B>),
        page(look, "/integrations/{id}", integrations::one::<B>),
        page(
            look,
            "/integrations/{id}/residents/{resident}",
            resident::one::<B>,
        )
        .takes(Weight::Lasting),
        page(look, "/people", people::list::<B>),
        page(look, "/people/{id}", people::one::<B>),
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
