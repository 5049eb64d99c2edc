//! `epms discover TARGET`: what can be granted at a target, and where its file names it; as a block to paste on request. It
//! asks the target for its list, and writes nothing, here or there.

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;

use crate::catalog::{Catalog, Target, TargetSlot};
use crate::config;
use crate::control::client::Client;
use crate::model::{IntegrationId, Problems, TargetId};
use crate::source::{Operation, Reader};

use super::super::quoted::{map_to_paste, one_line, quoted, scalar, sequence};
use super::super::table::{Column, Table, paragraph};
use super::super::there::{LivedIn, Place, There, Unlisted, lived_in, unlisted};
use super::super::view::View;
use super::super::{Exit, Failure, Screen};

#[derive(Serialize)]
struct Found {
    places: Vec<FoundPlace>,
    /// What the file names and the target does not list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unlisted: Vec<Unlisted>,
    /// Units that people live in and that have no place; none where no daemon tells who lives where.
    #[serde(skip_serializing_if = "Option::is_none")]
    without_place: Option<BTreeSet<LivedIn>>,
    /// What is worth a word, and no more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct FoundPlace {
    #[serde(flatten)]
    place: Place,
    /// The units that have it, as the file names them.
    units: Vec<String>,
    /// Whether everybody gets it.
    common: bool,
}

/// Asks a target of the catalog.
pub(super) async fn run(
    id: &TargetId,
    slot: &TargetSlot,
    yaml: bool,
    json: bool,
    client: &Client,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let problems = || Failure::Config(Problems(slot.problems.clone()));
    let target = slot.current.as_deref().ok_or_else(problems)?;
    let found = found(target, client).await?;
    let file = &target.config.places;
    if yaml && !json {
        screen.show(false, &found, |found, _| block(id, file, found))?;
    } else {
        screen.show(json, &found, |found, view| {
            told(found, !file.map.is_empty(), view)
        })?;
    }
    Ok(Exit::Done)
}

async fn found(target: &Target, client: &Client) -> Result<Found, Failure> {
    if !target.source.can(Operation::Places) {
        let told = format!(
            "the connector `{}` does not say how to list what can be granted: it has no `target.places`; write the ids into \
             `places` as the target itself shows them",
            target.connector
        );
        return Err(Failure::other(Exit::Invalid, told));
    }
    let failed = |told| Failure::other(Exit::Failed, told);
    let reader = Reader::new().map_err(|error| failed(error.to_string()))?;
    let there = There::of(target, Timestamp::now());
    let account = there.account(&reader);
    let account =
        account.map_err(|error| failed(format!("credential `{}`: {error}", there.name)))?;
    let listed = there.places(&reader, &account).await;
    let left = there.leave(&reader).await;
    let listed = listed.map_err(|error| failed(error.to_string()))?;
    let file = &target.config.places;
    let units = lived_in(client, target.serves.keys()).await.ok();
    Ok(Found {
        unlisted: unlisted(file, &listed),
        without_place: units.map(|mut units| {
            units.retain(|unit| !unit.has_place(file));
            units
        }),
        places: listed
            .into_iter()
            .map(|place| of_file(place, file))
            .collect(),
        warnings: left.err().into_iter().collect(),
    })
}

/// A place, with what the file says of it.
fn of_file(place: Place, file: &config::Places) -> FoundPlace {
    let units = file.map.iter();
    let units = units.filter(|(_, places)| places.contains(&place.id));
    FoundPlace {
        units: units.map(|(unit, _)| unit.clone()).collect(),
        common: file.common.contains(&place.id),
        place,
    }
}

fn told(found: &Found, maps_units: bool, view: &View) -> String {
    let mut text = String::new();
    if found.places.is_empty() {
        text += "the target lists no places\n";
    } else {
        let mut table = Table::new([
            ("PLACE", Column::Whole),
            ("NAME", Column::Cut),
            ("WHOSE", Column::Wrap),
        ]);
        for one in &found.places {
            let everybody = one.common.then(|| "everybody".to_owned());
            let whose: Vec<String> = everybody.into_iter().chain(one.units.clone()).collect();
            table.row([
                one.place.id.clone().into(),
                one.place.name.clone().into(),
                whose.join(", ").into(),
            ]);
        }
        text += &table.render(view);
    }
    for one in &found.unlisted {
        text.push('\n');
        text += &paragraph(0, &strange(one), view);
    }
    // Where the file maps no unit, nobody's unit needs a place.
    let without = found.without_place.iter().flatten();
    let labels: Vec<&str> = without.map(|unit| unit.label.as_str()).collect();
    if maps_units && !labels.is_empty() {
        let told = format!(
            "people live in units that have no place: {}",
            labels.join(", ")
        );
        text.push('\n');
        text += &paragraph(0, &told, view);
    }
    for warning in &found.warnings {
        text.push('\n');
        text += &paragraph(0, warning, view);
    }
    text
}

/// What is told of a place that the target does not list.
pub(in crate::cli) fn strange(one: &Unlisted) -> String {
    let near = one.near.as_ref();
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    format!(
        "`{}` of `{}` is none of the places that the target lists{near}",
        one.place, one.field
    )
}

/// `places` of the file as it is, with what could be added to it.
fn block(id: &TargetId, file: &config::Places, found: &Found) -> String {
    let name = |id: &String| {
        let mut places = found.places.iter();
        let place = places.find(|one| one.place.id == *id);
        place.map_or("not there", |one| one.place.name.as_str())
    };
    let names = |ids: &[String]| {
        let names: Vec<String> = ids.iter().map(|id| one_line(name(id))).collect();
        names.join(", ")
    };
    let mut free: Vec<&Place> = found
        .places
        .iter()
        .filter(|one| one.units.is_empty() && !one.common)
        .map(|one| &one.place)
        .collect();
    let mut lines: Vec<String> = file
        .map
        .iter()
        .map(|(unit, ids)| format!("{}: {}  # {}", quoted(unit), sequence(ids), names(ids)))
        .collect();
    let mut open = Vec::new();
    for unit in found.without_place.iter().flatten() {
        let of_name: Vec<&Place> = free
            .iter()
            .copied()
            .filter(|one| names_unit(one, unit))
            .collect();
        let label = quoted(&unit.label);
        let integration = &unit.integration;
        if of_name.is_empty() {
            open.push(format!("# {label}: []  # of {integration}"));
            continue;
        }
        free.retain(|one| !of_name.contains(one));
        let ids: Vec<String> = of_name.iter().map(|one| one.id.clone()).collect();
        lines.push(format!(
            "{label}: {}  # {}; of {integration}, by its name: see whether it is",
            sequence(&ids),
            names(&ids)
        ));
    }
    let mut text = format!("# In the place of `places` in config/targets/{id}.yaml.\nplaces:\n");
    text += &map_to_paste(&lines, &open, "people live here, and have no place yet");
    text += "  # what everybody gets\n";
    let common = match file.common.as_slice() {
        [] => String::new(),
        common => format!("  # {}", names(common)),
    };
    let _ = writeln!(text, "  common: {}{common}", sequence(&file.common));
    if !free.is_empty() {
        text += "  # there, and nobody's yet\n";
    }
    for place in free {
        let _ = writeln!(
            text,
            "  #   {}  {}",
            scalar(&place.id),
            one_line(&place.name)
        );
    }
    text
}

/// Whether a place is called after a unit: the unit's label is a word of its name.
fn names_unit(place: &Place, unit: &LivedIn) -> bool {
    let mut words = place
        .name
        .split(|c: char| !(c.is_alphanumeric() || c == '-'));
    let label = unit.label.trim();
    !label.is_empty() && words.any(|word| word.eq_ignore_ascii_case(label))
}

/// A target of this name, where the home has one.
pub(super) fn find<'a>(catalog: &'a Catalog, name: &str) -> Option<(TargetId, &'a TargetSlot)> {
    let id = TargetId::new(name);
    let slot = catalog.targets.get(&id)?;
    Some((id, slot))
}

/// There is nothing of this name.
pub(in crate::cli) fn nothing_called(catalog: &Catalog, name: &str) -> Failure {
    let integrations = catalog.integrations.keys().map(IntegrationId::as_str);
    let integrations: Vec<&str> = integrations.collect();
    let targets: Vec<&str> = catalog.targets.keys().map(TargetId::as_str).collect();
    let known = match (integrations.as_slice(), targets.as_slice()) {
        ([], []) => "there are none yet".to_owned(),
        (known, []) => format!("there are: {}", known.join(", ")),
        ([], targets) => format!("there are the targets: {}", targets.join(", ")),
        (known, targets) => format!(
            "there are: {}; and the targets: {}",
            known.join(", "),
            targets.join(", ")
        ),
    };
    let what = if targets.is_empty() {
        "no integration"
    } else {
        "no integration and no target"
    };
    let told = format!("there is {what} `{name}`; {known}");
    Failure::other(Exit::Failed, told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Document;

    fn place(id: &str, name: &str) -> Place {
        Place {
            id: id.into(),
            name: name.into(),
        }
    }

    fn unit(label: &str) -> LivedIn {
        LivedIn {
            integration: IntegrationId::new("elm"),
            id: format!("u-{label}"),
            label: label.into(),
        }
    }

    fn found(file: &config::Places, places: Vec<Place>, units: &[&str]) -> Found {
        let units = units.iter().map(|label| unit(label));
        Found {
            unlisted: unlisted(file, &places),
            without_place: Some(units.filter(|unit| !unit.has_place(file)).collect()),
            places: places
                .into_iter()
                .map(|place| of_file(place, file))
                .collect(),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn the_block_to_paste_keeps_what_the_file_says_and_is_read_back() {
        let file = config::Places {
            map: [("1A".to_owned(), vec!["d1".to_owned()])].into(),
            common: vec!["007".into()],
        };
        let places = vec![
            place("d1", "Door 1A"),
            place("d2", "Door 2B"),
            place("007", "Lobby\nand yard"),
            place("12", "Roof"),
        ];
        let found = found(&file, places, &["1A", "2B", "No: 3"]);
        let text = block(&TargetId::new("doors"), &file, &found);
        insta::assert_snapshot!(text, @r#"
        # In the place of `places` in config/targets/doors.yaml.
        places:
          map:
            "1A": [d1]  # Door 1A
            "2B": [d2]  # Door 2B; of elm, by its name: see whether it is
            # people live here, and have no place yet
            # "No: 3": []  # of elm
          # what everybody gets
          common: ["007"]  # Lobby and yard
          # there, and nobody's yet
          #   "12"  Roof
        "#);
        let whole = format!("version: 1\ncredential: a\n{text}");
        let read = Document::parse(std::path::Path::new("a.yaml"), &whole).unwrap();
        let read: config::Target = read.read().unwrap();
        assert_eq!(read.places.map["2B"], ["d2"]);
        assert_eq!(
            (&read.places.map["1A"], &read.places.common),
            (&file.map["1A"], &file.common)
        );
    }

    #[test]
    fn a_block_of_nothing_is_read_back_too() {
        let file = config::Places::default();
        let text = block(
            &TargetId::new("doors"),
            &file,
            &found(&file, Vec::new(), &["1A"]),
        );
        let whole = format!("version: 1\ncredential: a\n{text}");
        let read = Document::parse(std::path::Path::new("a.yaml"), &whole).unwrap();
        assert_eq!(read.read::<config::Target>().unwrap().places, file);
    }

    #[test]
    fn a_place_that_is_not_listed_is_told_with_what_it_may_be() {
        let file = config::Places {
            map: [("1A".to_owned(), vec!["4f1c-77a0-12".to_owned()])].into(),
            common: vec!["Lobby".into()],
        };
        let places = vec![place("4f1c-77a0-21", "Door 1A"), place("c0", "lobby")];
        let told: Vec<String> = unlisted(&file, &places).iter().map(strange).collect();
        assert_eq!(
            told,
            [
                "`4f1c-77a0-12` of `places.map.1A` is none of the places that the target lists; did you mean `4f1c-77a0-21`?",
                "`Lobby` of `places.common` is none of the places that the target lists; did you mean `c0`?",
            ]
        );
    }
}
