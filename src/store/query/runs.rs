//! Which runs, latest first: of one integration by their index, or of all.

use std::ops::Bound;

use crate::model::{OutcomeAsked, Run, RunId, RunQuery};
use crate::store::value::from_bytes;
use crate::store::write::Done;
use crate::store::{View, tables};

use super::{Found, MOST, Page};

impl View {
    /// The runs that a question is for, before one.
    pub fn find_runs(&self, query: &RunQuery, before: Option<RunId>) -> Done<Found<Run, RunId>> {
        self.find_runs_among(query, before, MOST)
    }

    pub(in crate::store) fn find_runs_among(
        &self,
        query: &RunQuery,
        before: Option<RunId>,
        most: usize,
    ) -> Done<Found<Run, RunId>> {
        let runs = self.transaction.open_table(tables::RUNS)?;
        let mut page = Page::new(query.size(), most);
        let fits = |run: &Run| {
            let wanted = query.outcome.map(OutcomeAsked::as_str);
            wanted.is_none_or(|wanted| run.outcome.as_str() == wanted)
        };
        let mut rows = 0;
        let end = before.map_or(u64::MAX, |id| id.0);
        let Some(integration) = &query.integration else {
            let mut range = runs.range((Bound::Unbounded, Bound::Excluded(end)))?;
            while page.has_room() {
                let Some(entry) = range.next_back() else {
                    return Ok(page.end(true, rows));
                };
                rows += 1;
                let run: Run = from_bytes("runs-1", entry?.1.value())?;
                page.look(run.id, Some(run).filter(fits));
            }
            return Ok(page.end(false, rows));
        };
        let index = self.transaction.open_table(tables::RUNS_BY_INTEGRATION)?;
        let at = integration.as_str();
        let mut range = index.range((at, 0)..(at, end))?;
        while page.has_room() {
            let Some(entry) = range.next_back() else {
                return Ok(page.end(true, rows));
            };
            rows += 2;
            let id = entry?.0.value().1;
            let run = runs.get(id)?;
            let run = run.map(|value| from_bytes::<Run>("runs-1", value.value()));
            page.look(RunId(id), run.transpose()?.filter(fits));
        }
        Ok(page.end(false, rows))
    }
}
