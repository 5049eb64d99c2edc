//! `epms discover --credential`: the properties of a PMS account, be there an integration of it or not, and which of them
//! feed one already.

use jiff::Timestamp;
use serde::Serialize;

use crate::config::{File, Files, Home, Read, nearest};
use crate::model::Problems;
use crate::setup::{Draft, OfAccount, listed};

use super::super::next::{self, Step};
use super::super::table::{Column, Table};
use super::super::view::View;
use super::super::{Exit, Failure, Screen};

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
        now: Timestamp::now(),
        reader: None,
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
