//! Faults a sandbox can be told to have. Which requests one hits is decided here; what it looks
//! like on the wire is the server's.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::serve::Seen;

/// A way of going wrong. Where the two PMSs differ it says how each shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// AppFolio 401; Voyager the message `Login failed` with 200.
    LoginFailed,
    /// 429, with a `Retry-After` in seconds or without one.
    TooMany {
        /// The seconds to wait, if the server says.
        retry_after: Option<u64>,
    },
    /// 500; Voyager as a SOAP fault.
    ServerError,
    /// 503.
    Unavailable,
    /// AppFolio 533 "Data Unavailable"; Voyager a page of HTML with 200.
    Maintenance,
    /// The answer begins only after this time.
    Delay(Duration),
    /// The answer comes sixteen bytes at a time with this pause between.
    Drip(Duration),
    /// The connection ends in the middle of the body.
    CutConnection,
    /// A complete HTTP answer whose body is the first half of the real one.
    Truncated,
    /// Every page has the rows of page one. Voyager has no pages and does not show it.
    RepeatedPage,
    /// There is always a next page. Voyager has no pages and does not show it.
    EndlessNext,
    /// An answer with nothing in it, as if everybody had gone.
    Empty,
    /// A page of HTML with 200.
    Html,
    /// The status field has another name: `TenantStatus`, `ResidentStatus`.
    ChangedField,
    /// AppFolio `{}`; Voyager an answer without the result element.
    NoResult,
}

/// A [`FaultKind`] and the requests it hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many requests it hits; none means until cleared.
    pub times: Option<u32>,
    /// How many requests pass first.
    pub after: u32,
    /// Only requests for this operation (`tenants`, `GetResidents`) or property count.
    pub only: Option<String>,
}

impl Fault {
    /// Hits every request until cleared.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            times: None,
            after: 0,
            only: None,
        }
    }

    /// Hits this many requests.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Lets this many requests through first.
    #[must_use]
    pub fn after(mut self, after: u32) -> Self {
        self.after = after;
        self
    }

    /// Hits only this operation or this property (code for Voyager, UUID for AppFolio).
    #[must_use]
    pub fn only(mut self, name: &str) -> Self {
        self.only = Some(name.to_owned());
        self
    }

    fn concerns(&self, seen: &Seen) -> bool {
        self.only.as_ref().is_none_or(|name| {
            seen.operation.eq_ignore_ascii_case(name)
                || seen
                    .property
                    .as_ref()
                    .is_some_and(|code| code.eq_ignore_ascii_case(name))
        })
    }
}

impl From<FaultKind> for Fault {
    fn from(kind: FaultKind) -> Self {
        Self::new(kind)
    }
}

/// The faults in force.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(super) fn add(&self, fault: Fault) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(fault);
    }

    pub(super) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// The faults that hit this request; counts it.
    pub(super) fn due(&self, seen: &Seen) -> Vec<FaultKind> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        for fault in faults.iter_mut().filter(|fault| fault.concerns(seen)) {
            if fault.after > 0 {
                fault.after -= 1;
                continue;
            }
            match &mut fault.times {
                Some(0) => continue,
                Some(times) => *times -= 1,
                None => {}
            }
            due.push(fault.kind);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(operation: &str, property: Option<&str>) -> Seen {
        let property = property.map(str::to_owned);
        Seen {
            operation: operation.to_owned(),
            property,
            page: None,
            target: String::new(),
        }
    }

    #[test]
    fn a_fault_waits_then_hits_as_often_as_told() {
        let faults = Faults::default();
        faults.add(Fault::new(FaultKind::Html).after(1).times(2));
        let hits: Vec<usize> = (0..5)
            .map(|_| faults.due(&seen("units", None)).len())
            .collect();
        assert_eq!(hits, [0, 1, 1, 0, 0]);
    }

    #[test]
    fn a_fault_for_one_property_leaves_the_others_alone() {
        let faults = Faults::default();
        faults.add(Fault::new(FaultKind::Html).only("elm"));
        assert!(faults.due(&seen("GetResidents", Some("oak"))).is_empty());
        assert_eq!(
            faults.due(&seen("GetResidents", Some("ELM"))),
            [FaultKind::Html]
        );
    }
}
