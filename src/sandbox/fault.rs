//! Faults a sandbox can be told to have. Which requests one hits is decided here; what it looks
//! like on the wire is the server's.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::serve::Seen;
use super::{Kind, NoSuch};

/// A way of going wrong. Where the PMSs differ it says how each shows it; OpenDOOR does as the others, and its lists have no
/// `granter` where a field has another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// AppFolio, MRI, ResMan and Rent Manager 401; Voyager the message `Login failed`, RealPage a fault and Entrata an
    /// error, each with 200.
    LoginFailed,
    /// 429, with a `Retry-After` in seconds or without one.
    TooMany {
        /// The seconds to wait, if the server says.
        retry_after: Option<u64>,
    },
    /// 500; Voyager and RealPage as a SOAP fault, MRI as the text of a database error.
    ServerError,
    /// 503.
    Unavailable,
    /// AppFolio 533 "Data Unavailable"; Entrata error 310 and MRI an `Error` in place of the rows, both with
    /// 200; the others a page of HTML with 200.
    Maintenance,
    /// The answer begins only after this time.
    Delay(Duration),
    /// The answer comes sixteen bytes at a time with this pause between.
    Drip(Duration),
    /// The connection ends in the middle of the body.
    CutConnection,
    /// A complete HTTP answer whose body is the first half of the real one.
    Truncated,
    /// Every page has the rows of page one. Voyager, RealPage and ResMan have no pages and do not show it.
    RepeatedPage,
    /// There is always a next page. Voyager, RealPage and ResMan have no pages and do not show it.
    EndlessNext,
    /// An answer with nothing in it, as if everybody had gone.
    Empty,
    /// A page of HTML with 200.
    Html,
    /// The status field has another name: AppFolio `TenantStatus`, Voyager `ResidentStatus`,
    /// RealPage `leasestate`, Entrata `leaseStatusId`, MRI `Status`, ResMan `status`, Rent Manager
    /// `TenantStatus`.
    ChangedField,
    /// AppFolio and ResMan `{}`; Rent Manager no body; Voyager and RealPage an answer without the result element; Entrata one
    /// without `result`, MRI one without `value` or without a body.
    NoResult,
    /// 401 with a login that was good a moment ago; once, unless told otherwise.
    ExpiredToken,
    /// The number of rows declared is not the number there is. Only Entrata and Rent Manager declare one.
    WrongTotal,
}

impl FaultKind {
    /// Every fault by name, times in it as the name alone means them.
    pub const NAMED: [(&str, FaultKind); 18] = [
        ("login-failed", Self::LoginFailed),
        ("expired-token", Self::ExpiredToken),
        ("too-many", Self::TooMany { retry_after: None }),
        (
            "too-many-retry-after",
            Self::TooMany {
                retry_after: Some(2),
            },
        ),
        ("server-error", Self::ServerError),
        ("unavailable", Self::Unavailable),
        ("maintenance", Self::Maintenance),
        ("delay", Self::Delay(Duration::from_secs(3))),
        ("drip", Self::Drip(Duration::from_millis(50))),
        ("cut-connection", Self::CutConnection),
        ("truncated", Self::Truncated),
        ("repeated-page", Self::RepeatedPage),
        ("endless-next", Self::EndlessNext),
        ("empty", Self::Empty),
        ("html", Self::Html),
        ("no-result", Self::NoResult),
        ("changed-field", Self::ChangedField),
        ("wrong-total", Self::WrongTotal),
    ];

    /// Whether a PMS can show it at all: one without pages cannot repeat one.
    pub fn shows_on(self, kind: Kind) -> bool {
        match self {
            Self::RepeatedPage | Self::EndlessNext => {
                !matches!(kind, Kind::Yardi | Kind::RealPage | Kind::ResMan)
            }
            Self::WrongTotal => matches!(kind, Kind::Entrata | Kind::RentManager),
            _ => true,
        }
    }

    /// Whether the local OpenDOOR can show it: it declares no number of entries.
    pub fn shows_on_opendoor(self) -> bool {
        self != Self::WrongTotal
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let same = |one: &FaultKind| match (self, one) {
            (Self::TooMany { retry_after: a }, Self::TooMany { retry_after: b }) => {
                a.is_some() == b.is_some()
            }
            _ => std::mem::discriminant(self) == std::mem::discriminant(one),
        };
        let named = Self::NAMED.iter().find(|(_, one)| same(one));
        out.write_str(named.map_or("", |(name, _)| name))
    }
}

impl FromStr for FaultKind {
    type Err = NoSuch;

    fn from_str(name: &str) -> Result<Self, NoSuch> {
        let named = Self::NAMED.iter().find(|(known, _)| *known == name);
        named.map(|(_, kind)| *kind).ok_or(NoSuch("fault"))
    }
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
    /// Hits every request until cleared; a token expires once.
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            times: (kind == FaultKind::ExpiredToken).then_some(1),
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

    /// Hits only this operation or this property (see `Sandbox::property_id`).
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
    fn every_fault_has_one_name_and_comes_back_by_it() {
        for (name, kind) in FaultKind::NAMED {
            assert_eq!(name.parse(), Ok(kind));
            assert_eq!(kind.to_string(), name);
        }
        assert_eq!("fire".parse::<FaultKind>(), Err(NoSuch("fault")));
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
