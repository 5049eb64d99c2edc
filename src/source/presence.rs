//! Whether the paths of a connector lead anywhere in the records that came (R42): one that no record has is a check that is
//! not made. And whether a record is of the PMS property that was asked for.

use crate::outbound::shorten;

use super::call::Call;
use super::compiled::Request;
use super::decode::Decoded;
use super::granted::Granted;
use super::{Path, SourceError};

/// What the records of a request had.
#[derive(Debug, Default)]
pub(super) struct Presence {
    records: bool,
    id: bool,
    property: bool,
    /// What no answer said.
    pub(super) granted: Granted,
}

impl Presence {
    /// Looks at the records of a page; an error where one is of another property. Those that name none may be of any,
    /// and those that are known were looked at when they were new.
    pub(super) fn look(
        &mut self,
        call: &Call<'_>,
        request: &Request,
        decoded: &Decoded,
    ) -> Result<(), SourceError> {
        self.records |= !decoded.records.is_empty();
        let known = decoded.known.iter().map(Option::is_some);
        let known = known.chain(std::iter::repeat(false));
        for (json, known) in decoded.records.iter().zip(known) {
            if known {
                self.id = true;
                self.property = true;
                continue;
            }
            let named = request.property.as_ref();
            if named.is_none() && (self.id || request.id.is_none()) {
                return Ok(());
            }
            let Ok(record) = serde_json::from_str::<serde_json::Value>(json) else {
                continue;
            };
            let text = |path: Option<&Path>| path.and_then(|path| path.text(&record));
            self.id |= text(request.id.as_ref()).is_some();
            let Some(named) = text(named) else { continue };
            self.property = true;
            if !named.trim().eq_ignore_ascii_case(call.property.trim()) {
                let other = shorten(&named);
                let what = format!("the answer has a record of the PMS property `{other}`");
                let remedy = "nothing was written; see `pms_properties` of the integration, and whether the PMS answers what it is asked";
                return Err(SourceError::Unexpected(call.told(&what, None, remedy)));
            }
        }
        Ok(())
    }
}

impl Call<'_> {
    /// The path that no record has; none where each leads somewhere, or there was no record.
    pub(super) fn missing(&self, presence: &Presence) -> Option<SourceError> {
        let request = self.source.requests.get(self.request)?;
        let paths = [
            ("id", &request.id, presence.id),
            ("property", &request.property, presence.property),
        ];
        let mut missing = paths
            .into_iter()
            .filter_map(|(key, path, is_there)| path.as_ref().filter(|_| !is_there).zip(Some(key)));
        let (path, key) = missing.next().filter(|_| presence.records)?;
        let what =
            format!("no record has anything at `{path}`, where `{key}` of the connector looks");
        let remedy = format!("nothing was written; correct `{key}` of the request, or remove it");
        Some(SourceError::Unexpected(self.told(&what, None, &remedy)))
    }
}
