//! Whether the paths of a connector lead anywhere in the records that came (R42): one that no record has is a check that is
//! not made. And of which PMS property a record is: of the one that was asked for, or of one that is attached (R5).

use std::sync::Arc;

use crate::model::is_same_property;
use crate::outbound::shorten;

use super::call::Call;
use super::compiled::Request;
use super::decode::Decoded;
use super::granted::Granted;
use super::{Path, SourceError};

/// What the records of a request had.
#[derive(Debug, Default)]
pub(super) struct Presence {
    seen: Seen,
    /// What no answer said.
    pub(super) granted: Granted,
}

/// What was seen: in all, and of the PMS property that is read now.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    all: Had,
    here: Had,
}

/// How many records there were, and what any of them had.
#[derive(Debug, Clone, Copy, Default)]
struct Had {
    records: u64,
    id: bool,
    property: bool,
}

/// A single record of a PMS property that lacks something is wrong by itself: it is rejected, and stops nobody else.
const SEVERAL: u64 = 2;

impl Had {
    fn take_in(&mut self, id: bool, property: bool) {
        self.id |= id;
        self.property |= property;
    }
}

/// What is amiss, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Amiss {
    pub(super) what: String,
    pub(super) remedy: String,
}

/// Of which PMS properties records are wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The one that was asked for; empty where it is asked once.
    pub(super) property: &'a str,
    pub(super) attached: &'a [String],
}

/// Whose the records of a page are.
pub(super) enum Whose {
    /// Those of the PMS property that was asked for.
    Asked,
    /// Of several, in their order.
    Each(Vec<Named>),
}

/// Whose a record is that was asked for with those of all PMS properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// Of an attached property, as the integration names it.
    Attached(Arc<str>),
    /// Of another one.
    Other(String),
    /// It names none.
    Nobody,
}

impl Presence {
    /// What was seen so far.
    pub(super) fn seen(&self) -> Seen {
        self.seen
    }

    /// Another PMS property is read from now on.
    pub(super) fn goes_on_to_another(&mut self) {
        self.seen.here = Had::default();
    }

    /// Takes it that no more was seen than that.
    pub(super) fn restore(&mut self, seen: Seen) {
        self.seen = seen;
    }

    /// Looks at the records of a page, and says whose they are.
    pub(super) fn look(
        &mut self,
        call: &Call<'_>,
        request: &Request,
        decoded: &Decoded,
    ) -> Result<Whose, SourceError> {
        self.take_in(request, decoded, call.wanted())
            .map_err(|amiss| call.amiss(&amiss))
    }

    /// The same, whoever asked; an error where one is of another property than was asked for. Those that name none may be
    /// of any, and those that are known were looked at when they were new.
    pub(super) fn take_in(
        &mut self,
        request: &Request,
        decoded: &Decoded,
        wanted: Wanted<'_>,
    ) -> Result<Whose, Amiss> {
        let came = decoded.records.len() as u64;
        let Seen { all, here } = &mut self.seen;
        all.records += came;
        here.records += came;
        let known = decoded.known.iter().map(Option::is_some);
        let known = known.chain(std::iter::repeat(false));
        let asked_at_once = wanted.property.is_empty();
        let mut each = Vec::new();
        for (json, known) in decoded.records.iter().zip(known) {
            if known {
                all.take_in(true, true);
                here.take_in(true, true);
                continue;
            }
            let path = request.property.as_ref();
            if path.is_none() && (here.id || request.id.is_none()) {
                break;
            }
            let text = |path: Option<&Path>| path.and_then(|path| path.text_in(json));
            let id = here.id || text(request.id.as_ref()).is_some();
            let named = text(path);
            all.take_in(id, named.is_some());
            here.take_in(id, named.is_some());
            if asked_at_once {
                each.push(wanted.whose(named.as_deref()));
            } else if let Some(named) = named
                && !is_same_property(&named, wanted.property)
            {
                let other = shorten(&named);
                return Err(Amiss {
                    what: format!("the answer has a record of the PMS property `{other}`"),
                    remedy: "nothing was written; let the request ask for {{ property }}, or correct its `property`, or `pms_properties` of the integration".into(),
                });
            }
        }
        Ok(if asked_at_once && request.property.is_some() {
            Whose::Each(each)
        } else {
            Whose::Asked
        })
    }

    /// The path that no record has; none where each leads somewhere, or there was no record.
    pub(super) fn leads_nowhere(&self, request: &Request) -> Option<Amiss> {
        had_nothing(request, &self.seen.all, 1)
    }
}

/// The path at which none of so many records, or more, had anything.
fn had_nothing(request: &Request, had: &Had, least: u64) -> Option<Amiss> {
    let paths = [
        ("id", &request.id, had.id),
        ("property", &request.property, had.property),
    ];
    let mut missing = paths
        .into_iter()
        .filter_map(|(key, path, is_there)| path.as_ref().filter(|_| !is_there).zip(Some(key)));
    let (path, key) = missing.next().filter(|_| had.records >= least)?;
    Some(Amiss {
        what: format!("no record has anything at `{path}`, where `{key}` of the connector looks"),
        remedy: format!("nothing was written; correct `{key}` of the request, or remove it"),
    })
}

impl Wanted<'_> {
    /// Whose a record is that names this PMS property.
    fn whose(&self, named: Option<&str>) -> Named {
        let Some(named) = named else {
            return Named::Nobody;
        };
        let mut attached = self.attached.iter();
        match attached.find(|one| is_same_property(one, named)) {
            Some(attached) => Named::Attached(attached.as_str().into()),
            None => Named::Other(named.trim().to_owned()),
        }
    }
}

impl Call<'_> {
    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            property: self.property,
            attached: &self.scope.properties,
        }
    }

    /// Whose a record is that names this PMS property.
    pub(super) fn whose(&self, named: Option<&str>) -> Named {
        self.wanted().whose(named)
    }

    /// The path that no record has; none where each leads somewhere, or there was no record.
    pub(super) fn missing(&self, presence: &Presence) -> Option<SourceError> {
        let request = self.source.requests.get(self.request)?;
        Some(self.amiss(&presence.leads_nowhere(request)?))
    }

    /// The path that no record of this PMS property has, of several: the records of another do not make up for it.
    pub(super) fn missing_here(&self, presence: &Presence) -> Option<SourceError> {
        let request = self.source.requests.get(self.request)?;
        let amiss = had_nothing(request, &presence.seen.here, SEVERAL)?;
        Some(self.amiss(&amiss))
    }

    /// As an error of this request.
    pub(super) fn amiss(&self, amiss: &Amiss) -> SourceError {
        SourceError::Unexpected(self.told(&amiss.what, None, &amiss.remedy))
    }
}
