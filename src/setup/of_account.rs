//! The PMS properties of an account, be there an integration of it or not, and which of them feed one already.

use serde::Serialize;

use crate::catalog;
use crate::config::{Credential, Files};
use crate::model::is_same_property;

use super::asking::properties;
use super::draft::Draft;

/// A property of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfAccount {
    /// The PMS's id.
    pub id: String,
    /// What the PMS calls it.
    pub name: String,
    /// The integration that it feeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
}

/// The properties of an account, by their ids.
pub async fn listed(draft: &Draft<'_>, files: &Files) -> Result<Vec<OfAccount>, String> {
    let asked = draft.ask(&[], async |asking, reader| {
        let listed = properties(asking, reader).await;
        listed.map_err(|unlisted| unlisted.told)
    });
    let found = asked.await?;
    let fed = fed(files, draft.credential);
    let all = found.into_iter().map(|one| OfAccount {
        integration: fed
            .iter()
            .find(|(property, _)| is_same_property(property, &one.id))
            .map(|(_, integration)| (*integration).to_owned()),
        id: one.id,
        name: one.name,
    });
    Ok(all.collect())
}

/// The PMS properties of an account that feed integrations, whatever its credential is called there.
fn fed<'f>(files: &'f Files, credential: &Credential) -> Vec<(&'f str, &'f str)> {
    let account = catalog::account(credential);
    let is_of_it = |name: &str| {
        let read = files
            .credentials
            .get(name)
            .and_then(|read| read.as_ref().ok());
        read.is_some_and(|file| catalog::account(&file.value) == account)
    };
    let right = files.integrations.iter();
    let right = right.filter_map(|(id, read)| Some((id, &read.as_ref().ok()?.value)));
    let of_it = right.filter(|(_, integration)| is_of_it(&integration.credential));
    let each = of_it.flat_map(|(id, integration)| {
        let properties = integration.pms_properties.iter();
        properties.map(|property| (property.as_str(), id.as_str()))
    });
    each.collect()
}
