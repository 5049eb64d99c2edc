//! One resident of a PMS: why they are where they are, by the last run or, where that is asked for, by the PMS now.

use minijinja::context;
use serde::Serialize;

use crate::control::protocol::ProblemDocument;
use crate::control::server::{Answer, Backend};
use crate::model::{Explanation, IntegrationId};

use super::super::asked::Asked;
use super::super::fields::Fields;
use super::super::look::{Page, value};

/// A record, as text: an object of a PMS has too many forms for a table.
#[derive(Serialize)]
struct Sent {
    request: String,
    property: String,
    record: String,
    error: Option<String>,
}

pub(super) async fn one<B: Backend>(asked: Asked<B>) -> Answer<Page> {
    explained(asked, false).await
}

/// The same, with the PMS asked now.
pub(in crate::web) async fn live<B: Backend>(asked: Asked<B>, _: Fields) -> Answer<Page> {
    explained(asked, true).await
}

async fn explained<B: Backend>(asked: Asked<B>, live: bool) -> Answer<Page> {
    let id = IntegrationId::new(asked.name("id"));
    let resident = asked.name("resident").to_owned();
    let explained = asked.backend().explain(id, resident, live, asked.peer());
    let told: Explanation = tokio::select! {
        told = explained => told?,
        () = asked.app.stop.cancelled() => return Err(ProblemDocument::stopping()),
    };
    let steps = told.live.iter().flat_map(|live| &live.steps);
    let sent: Vec<Sent> = steps
        .map(|step| Sent {
            request: step.request.clone(),
            property: step.property.clone(),
            record: serde_json::to_string_pretty(&step.record).unwrap_or_default(),
            error: step.error.clone(),
        })
        .collect();
    let reason = told.live.as_ref().and_then(|live| live.outcome.reason());
    Ok(Page {
        title: format!("Why: resident {}", told.resident),
        part: "people",
        template: "resident.html",
        values: context! {
            told => value(&told),
            sent => value(&sent),
            reason => value(&reason),
        },
    })
}
