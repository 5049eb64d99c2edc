//! The units that residents live in, against the units here: what each is, and `units` of the integration's file with all of
//! them. Pure.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::config::Units;
use crate::model::IntegrationId;
use crate::setup::asking::FoundUnit;

use super::super::quoted::{map_to_paste, one_line, quoted, scalar, sequence};

/// `units` of the file as it is, with the units that it does not map yet.
pub(super) fn block(id: &IntegrationId, file: &Units, found: &[FoundUnit]) -> String {
    let (mut lines, mut open, mut taken) = (Vec::new(), Vec::new(), BTreeMap::new());
    for unit in found {
        let whose = one_line(&format!("{}, lived in by {}", unit.label, unit.residents));
        let key = quoted(&unit.id);
        // Without a list of the units here, what the PMS calls a unit is what it is.
        let own = file.here.is_empty().then_some(&unit.label);
        let Some(here) = unit.here.as_ref().or(unit.suggestion.as_ref()).or(own) else {
            open.push(format!("# {key}:   # {whose}"));
            continue;
        };
        let line = format!("{key}: {}  # {whose}", scalar(here));
        let is_shared = file.shared.contains(here);
        match taken.get(here).filter(|_| !is_shared) {
            Some(other) => open.push(format!(
                "# {line}; it is that of {other} already: put it into `shared` if both are"
            )),
            None => lines.push(line),
        }
        taken.insert(here.clone(), key);
    }
    let is_found = |id: &String| found.iter().any(|unit| unit.id == *id);
    for (unit, here) in file.map.iter().filter(|(unit, _)| !is_found(unit)) {
        lines.push(format!(
            "{}: {}  # nobody lives there now",
            quoted(unit),
            scalar(here)
        ));
    }
    let mut text = format!("# In the place of `units` in config/integrations/{id}.yaml.\nunits:\n");
    if !file.sync {
        text += "  sync: false\n";
    }
    if file.equal_labels {
        text += "  equal_labels: true\n";
    }
    for (key, list) in [("here", &file.here), ("shared", &file.shared)] {
        if !list.is_empty() {
            let _ = writeln!(text, "  {key}: {}", sequence(list));
        }
    }
    text + &map_to_paste(&lines, &open, "to be filled in")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Document, Integration};
    use crate::model::Unit;
    use crate::setup::asking::found_unit;

    fn unit(id: &str, label: &str) -> Unit {
        Unit {
            id: id.into(),
            label: label.into(),
            formerly: None,
        }
    }

    fn block_of(file: &Units, units: &[(&str, &str)]) -> (String, Units) {
        let all = units.iter();
        let all: Vec<FoundUnit> = all
            .map(|(id, label)| found_unit(unit(id, label), 2, file))
            .collect();
        let text = block(&IntegrationId::new("elm"), file, &all);
        let head = "version: 1\nproperty: { name: Elm }\ncredential: a\npms_properties: [p]\n";
        let document = Document::parse(std::path::Path::new("elm.yaml"), &format!("{head}{text}"));
        let read: Integration = document.unwrap().read().unwrap();
        (text, read.units)
    }

    #[test]
    fn the_block_to_paste_keeps_what_the_file_says_and_is_read_back() {
        let file = Units {
            here: ["12", "13", "A 14", "15"].map(String::from).to_vec(),
            map: [("u1", "12"), ("old", "15")]
                .map(|(unit, here)| (unit.to_owned(), here.to_owned()))
                .into(),
            ..Units::default()
        };
        let all = [
            ("u1", "Unit 12"),
            ("u2", "Bldg A - 013"),
            ("3", "14"),
            ("4", "Roof"),
            ("5", "#14"),
        ];
        let (text, read) = block_of(&file, &all);
        insta::assert_snapshot!(text, @r#"
        # In the place of `units` in config/integrations/elm.yaml.
        units:
          here: ["12", "13", A 14, "15"]
          map:
            "u1": "12"  # Unit 12, lived in by 2
            "u2": "13"  # Bldg A - 013, lived in by 2
            "3": A 14  # 14, lived in by 2
            "old": "15"  # nobody lives there now
            # to be filled in
            # "4":   # Roof, lived in by 2
            # "5": A 14  # #14, lived in by 2; it is that of "3" already: put it into `shared` if both are
        "#);
        assert_eq!(read.map["u2"], "13");
        assert_eq!((&read.map["u1"], &read.here), (&file.map["u1"], &file.here));
        assert!(!read.map.contains_key("4"));
    }

    #[test]
    fn without_a_list_of_units_here_each_is_what_the_pms_calls_it() {
        let (_, read) = block_of(&Units::default(), &[("7", "Bldg A - 12B"), ("8", "no")]);
        assert_eq!((&*read.map["7"], &*read.map["8"]), ("Bldg A - 12B", "no"));
        assert_eq!(block_of(&Units::default(), &[]).1, Units::default());
    }
}
