//! `epms discover --credential`: the properties of a PMS account, be there an integration of it or not, and which of them
//! feed one already.

use serde::Serialize;

use crate::catalog;
use crate::config::{Credential, File, Files, Home, Read, nearest};
use crate::model::{Problems, is_same_property};

use super::super::next::{self, Step};
use super::super::table::{Column, Table};
use super::super::view::View;
use super::super::{Exit, Failure, Screen};
use super::draft::Draft;
use super::properties;

/// A property of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct OfAccount {
    /// The PMS's id.
    pub(in crate::cli) id: String,
    /// What the PMS calls it.
    pub(in crate::cli) name: String,
    /// The integration that it feeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) integration: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    credential: String,
    connector: String,
    properties: Vec<OfAccount>,
    /// What to do next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next: Vec<Step>,
}

pub(super) async fn run(
    name: &str,
    json: bool,
    home: &Home,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let files = Files::read(home);
    let credential = right(&files.credentials, name, "credential")?;
    let called = &credential.value.connector;
    let connector = right(&files.connectors, called, "connector")?;
    if connector.value.target.is_some() {
        let told = format!(
            "the credential `{name}` is of the target connector `{called}`, which has no properties; `epms discover` with the name of its target lists its places"
        );
        return Err(Failure::other(Exit::Invalid, told));
    }
    let problems = crate::config::check_fields(credential, &connector.value);
    if !problems.is_empty() {
        return Err(Failure::Config(Problems(problems)));
    }
    let draft = Draft {
        home,
        connector,
        name,
        credential: &credential.value,
    };
    let listed = listed(&draft, &files).await;
    let properties = listed.map_err(|told| Failure::other(Exit::Failed, told))?;
    let is_free = |one: &OfAccount| one.integration.is_none();
    let next = properties.iter().any(is_free).then(|| {
        Step::new(
            format!("epms add integration --all --credential {name}"),
            "a file for each that feeds none yet; --only ID for some of them",
        )
    });
    let found = Listed {
        credential: name.to_owned(),
        connector: called.clone(),
        properties,
        next: next.into_iter().collect(),
    };
    screen.show(json, &found, told)?;
    Ok(Exit::Done)
}

/// The properties of an account, by their ids.
pub(in crate::cli) async fn listed(
    draft: &Draft<'_>,
    files: &Files,
) -> Result<Vec<OfAccount>, String> {
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

/// A file that must be there, and right.
fn right<'a, T>(
    files: &'a std::collections::BTreeMap<String, Read<T>>,
    name: &str,
    what: &str,
) -> Result<&'a File<T>, Failure> {
    match files.get(name) {
        Some(Ok(file)) => Ok(file),
        Some(Err(problems)) => Err(Failure::Config(Problems(problems.clone()))),
        None => {
            let names: Vec<&str> = files.keys().map(String::as_str).collect();
            let remedy = match nearest(name, &names) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => "there are none yet".to_owned(),
                None => format!("there are: {}", names.join(", ")),
            };
            let told = format!("there is no {what} `{name}`; {remedy}");
            Err(Failure::other(Exit::Invalid, told))
        }
    }
}

fn told(found: &Listed, view: &View) -> String {
    if found.properties.is_empty() {
        return "the PMS lists no properties; whoever runs it knows their ids\n".to_owned();
    }
    let mut table = Table::new([
        ("PROPERTY", Column::Whole),
        ("NAME", Column::Cut),
        ("FEEDS", Column::Whole),
    ]);
    for one in &found.properties {
        let feeds = one.integration.clone().unwrap_or_else(|| "–".to_owned());
        table.row([one.id.clone().into(), one.name.clone().into(), feeds.into()]);
    }
    let mut text = table.render(view);
    if !found.next.is_empty() {
        text += &next::told(&found.next);
    }
    text
}
