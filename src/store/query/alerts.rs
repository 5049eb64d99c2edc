//! Which alerts: open ones by their index, in the order of R29; others latest first, each looked at.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::ops::Bound;

use redb::{Range, ReadOnlyTable};

use crate::model::{
    AfterAlert, Alert, AlertId, AlertKind, AlertQuery, AlertState, IntegrationId, StateAsked,
};
use crate::store::value::from_bytes;
use crate::store::write::Done;
use crate::store::{View, tables};

use super::{Found, MOST, Page};

type Places = Range<'static, (&'static str, &'static str, u64), ()>;
type Open = ReadOnlyTable<(&'static str, &'static str, u64), ()>;

impl View {
    /// The alerts that a question is for, behind a place.
    pub fn find_alerts(
        &self,
        query: &AlertQuery,
        after: Option<AfterAlert>,
    ) -> Done<Found<Alert, AfterAlert>> {
        self.find_alerts_among(query, after, MOST)
    }

    pub(in crate::store) fn find_alerts_among(
        &self,
        query: &AlertQuery,
        after: Option<AfterAlert>,
        most: usize,
    ) -> Done<Found<Alert, AfterAlert>> {
        let mut search = Search {
            query,
            alerts: self.transaction.open_table(tables::ALERTS)?,
            page: Page::new(query.size(), most),
            rows: 0,
        };
        let state = query.state.unwrap_or(StateAsked::Open).state();
        let mut is_all = true;
        let goes_on_closed = after.is_some_and(|after| after.open.is_none());
        if state.is_none_or(|state| state == AlertState::Open) && !goes_on_closed {
            let after = after.and_then(|after| Some((after.open?, after.alert)));
            is_all = search.open(self, after)?;
        }
        if is_all && state != Some(AlertState::Open) {
            let before = after.filter(|_| goes_on_closed);
            is_all = search.closed(state, before.map(|after| after.alert))?;
        }
        Ok(search.page.end(is_all, search.rows))
    }
}

struct Search<'q> {
    query: &'q AlertQuery,
    alerts: ReadOnlyTable<u64, &'static [u8]>,
    page: Page<Alert, AfterAlert>,
    rows: usize,
}

impl Search<'_> {
    fn alert(&mut self, id: u64) -> Done<Option<Alert>> {
        self.rows += 1;
        let value = self.alerts.get(id)?;
        value
            .map(|value| from_bytes("alerts-1", value.value()))
            .transpose()
    }

    /// The open ones, kind by kind. Whether all were looked at.
    fn open(&mut self, view: &View, after: Option<(AlertKind, AlertId)>) -> Done<bool> {
        let index: Open = view.transaction.open_table(tables::OPEN_ALERTS)?;
        let counts = view.count_open_alerts()?;
        self.rows += counts.len();
        for kind in AlertKind::ALL {
            let is_asked = self.query.kind.is_none_or(|wanted| wanted == kind);
            let is_before = after.is_some_and(|(last, _)| kind < last);
            if !is_asked || is_before {
                continue;
            }
            let places: BTreeSet<&IntegrationId> = counts
                .keys()
                .filter(|(at, of)| {
                    *of == kind && self.query.integration.as_ref().is_none_or(|id| id == at)
                })
                .map(|(at, _)| at)
                .collect();
            let behind = after.filter(|(last, _)| *last == kind).map(|(_, id)| id);
            let mut merged = Merged::of(&index, kind, &places, behind)?;
            while let Some(id) = merged.next()? {
                if !self.page.has_room() {
                    self.rows += merged.rows;
                    return Ok(false);
                }
                let alert = self.alert(id)?;
                let at = AfterAlert {
                    alert: AlertId(id),
                    open: Some(kind),
                };
                self.page.look(at, alert);
            }
            self.rows += merged.rows;
        }
        Ok(!self.page.is_more)
    }

    /// Those that are not open, latest first. Whether all were looked at.
    fn closed(&mut self, state: Option<AlertState>, before: Option<AlertId>) -> Done<bool> {
        let end = before.map_or(Bound::Unbounded, |id| Bound::Excluded(id.0));
        let mut range = self.alerts.range((Bound::Unbounded, end))?;
        while self.page.has_room() {
            let Some(entry) = range.next_back() else {
                return Ok(true);
            };
            self.rows += 1;
            let alert: Alert = from_bytes("alerts-1", entry?.1.value())?;
            let at = AfterAlert {
                alert: alert.id,
                open: None,
            };
            let fits = self.fits(&alert, state);
            self.page.look(at, fits.then_some(alert));
        }
        Ok(false)
    }

    fn fits(&self, alert: &Alert, state: Option<AlertState>) -> bool {
        let of = self.query.integration.as_ref();
        alert.state != AlertState::Open
            && state.is_none_or(|state| alert.state == state)
            && self.query.kind.is_none_or(|kind| alert.kind == kind)
            && of.is_none_or(|id| *id == alert.integration)
    }
}

/// The open alerts of a kind at several integrations, by id.
struct Merged {
    streams: Vec<(String, Places)>,
    heads: BinaryHeap<Reverse<(u64, usize)>>,
    kind: AlertKind,
    rows: usize,
}

impl Merged {
    fn of(
        index: &Open,
        kind: AlertKind,
        places: &BTreeSet<&IntegrationId>,
        behind: Option<AlertId>,
    ) -> Done<Merged> {
        let mut merged = Merged {
            streams: Vec::new(),
            heads: BinaryHeap::new(),
            kind,
            rows: 0,
        };
        for place in places {
            let of = (kind.as_str(), place.as_str());
            let from = match behind {
                Some(id) => Bound::Excluded((of.0, of.1, id.0)),
                None => Bound::Included((of.0, of.1, 0)),
            };
            let range = index.range::<(&str, &str, u64)>((from, Bound::Unbounded))?;
            merged.streams.push((place.to_string(), range));
            merged.advance(merged.streams.len() - 1)?;
        }
        Ok(merged)
    }

    fn advance(&mut self, which: usize) -> Done<()> {
        let Some((place, range)) = self.streams.get_mut(which) else {
            return Ok(());
        };
        self.rows += 1;
        if let Some((key, _)) = range.next().transpose()? {
            let (kind, at, id) = key.value();
            if kind == self.kind.as_str() && at == place {
                self.heads.push(Reverse((id, which)));
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Done<Option<u64>> {
        let Some(Reverse((id, which))) = self.heads.pop() else {
            return Ok(None);
        };
        self.advance(which)?;
        Ok(Some(id))
    }
}
