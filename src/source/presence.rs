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

/// Whether there were records, and what any of them had.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    records: bool,
    id: bool,
    property: bool,
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

    /// Takes it that no more was seen than that.
    pub(super) fn restore(&mut self, seen: Seen) {
        self.seen = seen;
    }

    /// Looks at the records of a page, and says whose they are; an error where one is of another property than was asked
    /// for. Those that name none may be of any, and those that are known were looked at when they were new.
    pub(super) fn look(
        &mut self,
        call: &Call<'_>,
        request: &Request,
        decoded: &Decoded,
    ) -> Result<Whose, SourceError> {
        self.seen.records |= !decoded.records.is_empty();
        let known = decoded.known.iter().map(Option::is_some);
        let known = known.chain(std::iter::repeat(false));
        let asked_at_once = call.property.is_empty();
        let mut each = Vec::new();
        for (json, known) in decoded.records.iter().zip(known) {
            if known {
                self.seen.id = true;
                self.seen.property = true;
                continue;
            }
            let path = request.property.as_ref();
            if path.is_none() && (self.seen.id || request.id.is_none()) {
                break;
            }
            let text = |path: Option<&Path>| path.and_then(|path| path.text_in(json));
            self.seen.id = self.seen.id || text(request.id.as_ref()).is_some();
            let named = text(path);
            self.seen.property |= named.is_some();
            if asked_at_once {
                each.push(call.whose(named.as_deref()));
            } else if let Some(named) = named
                && !is_same_property(&named, call.property)
            {
                let other = shorten(&named);
                let what = format!("the answer has a record of the PMS property `{other}`");
                let remedy = "nothing was written; let the request ask for {{ property }}, or correct its `property`, or `pms_properties` of the integration";
                return Err(SourceError::Unexpected(call.told(&what, None, remedy)));
            }
        }
        Ok(if asked_at_once && request.property.is_some() {
            Whose::Each(each)
        } else {
            Whose::Asked
        })
    }
}

impl Call<'_> {
    /// Whose a record is that names this PMS property.
    pub(super) fn whose(&self, named: Option<&str>) -> Named {
        let Some(named) = named else {
            return Named::Nobody;
        };
        let mut attached = self.scope.properties.iter();
        match attached.find(|one| is_same_property(one, named)) {
            Some(attached) => Named::Attached(attached.as_str().into()),
            None => Named::Other(named.trim().to_owned()),
        }
    }

    /// The path that no record has; none where each leads somewhere, or there was no record.
    pub(super) fn missing(&self, presence: &Presence) -> Option<SourceError> {
        let request = self.source.requests.get(self.request)?;
        let paths = [
            ("id", &request.id, presence.seen.id),
            ("property", &request.property, presence.seen.property),
        ];
        let mut missing = paths
            .into_iter()
            .filter_map(|(key, path, is_there)| path.as_ref().filter(|_| !is_there).zip(Some(key)));
        let (path, key) = missing.next().filter(|_| presence.seen.records)?;
        let what =
            format!("no record has anything at `{path}`, where `{key}` of the connector looks");
        let remedy = format!("nothing was written; correct `{key}` of the request, or remove it");
        Some(SourceError::Unexpected(self.told(&what, None, &remedy)))
    }
}
