//! Lists, page by page: people, alerts and runs, as questions to the store.

use std::str::FromStr;
use std::sync::Arc;

use crate::control::protocol::{Page, PeoplePage, ProblemDocument, RunState};
use crate::control::server::Answer;
use crate::model::{Alert, AlertQuery, IdError, PeopleQuery, RunQuery};
use crate::store::Found;

use super::Daemon;
use super::deliveries::At;

impl Daemon {
    pub(super) async fn listed_people(&self, query: PeopleQuery) -> Answer<PeoplePage> {
        let behind = cursor(query.cursor.as_deref())?;
        if let Some(target) = &query.target {
            self.is_known(target).await?;
        }
        let at = At::of(&query, &self.catalog.borrow(), Arc::clone(&self.deliveries));
        let read = self.deliver(move |view| {
            let mut failed = None;
            let mut also = |person| match &at {
                None => Ok(true),
                Some(at) => Ok(at.is_asked_for(view, person).unwrap_or_else(|error| {
                    failed.get_or_insert(error);
                    false
                })),
            };
            let found = view.find_people(&query, behind.as_ref(), &mut also)?;
            match failed {
                Some(error) => Err(error),
                None => Ok((found, view.last_change()?, view.identity()?.epoch)),
            }
        });
        let (found, seq, epoch) = read.await?;
        Ok(PeoplePage {
            stopped: found.stopped,
            items: found.items,
            next: found.next.map(|next| next.to_string()),
            seq,
            epoch,
        })
    }

    pub(super) async fn listed_alerts(&self, query: AlertQuery) -> Answer<Page<Alert>> {
        let after = cursor(query.cursor.as_deref())?;
        let found = self
            .ask(move |view| view.find_alerts(&query, after))
            .await?;
        Ok(page(found, |alert| alert))
    }

    pub(super) async fn listed_runs(&self, query: RunQuery) -> Answer<Page<RunState>> {
        let before = cursor(query.cursor.as_deref())?;
        let found = self.ask(move |view| view.find_runs(&query, before)).await?;
        Ok(page(found, |run| RunState {
            id: run.id,
            integration: run.integration.clone(),
            report: Some(run),
            progress: None,
        }))
    }
}

/// Where a page begins, from the cursor of the page before.
fn cursor<T: FromStr<Err = IdError>>(text: Option<&str>) -> Answer<Option<T>> {
    let parse = |text: &str| {
        text.parse()
            .map_err(|error: IdError| ProblemDocument::bad_request(error.to_string()))
    };
    text.map(parse).transpose()
}

fn page<T, U, C: ToString>(found: Found<T, C>, each: impl FnMut(T) -> U) -> Page<U> {
    Page {
        next: found.next.map(|next| next.to_string()),
        items: found.items.into_iter().map(each).collect(),
    }
}
