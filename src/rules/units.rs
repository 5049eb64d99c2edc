//! From the PMS's units to the units here (R33–R35). Pure.

use crate::config::Units;
use crate::model::Unit;

/// What becomes of a PMS unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Placed {
    /// The unit here; its key stays the PMS's (R34).
    Here(Unit),
    /// The same, of one that the mapping list knows by its former id alone.
    ByFormerId(Unit),
    /// The mapping list does not know it: its people come in without a unit (R35).
    Unmapped {
        /// A unit here that it may be; a person confirms.
        suggestion: Option<String>,
    },
    /// Units are not synced (R33).
    Off,
}

/// Places a PMS unit.
pub(crate) fn place(unit: Unit, units: &Units) -> Placed {
    if !units.sync {
        return Placed::Off;
    }
    if units.here.is_empty() && units.map.is_empty() {
        return Placed::Here(unit);
    }
    let formerly = unit.formerly.as_ref();
    let by_former_id = formerly.and_then(|formerly| units.map.get(formerly));
    let named = |here: &String, unit: Unit| Unit {
        label: here.clone(),
        ..unit
    };
    match (units.map.get(&unit.id), by_former_id) {
        (Some(here), _) => Placed::Here(named(here, unit)),
        (None, Some(here)) => Placed::ByFormerId(named(here, unit)),
        (None, None) => Placed::Unmapped {
            suggestion: suggest(&unit.label, units),
        },
    }
}

/// A unit here that nobody is mapped onto: of equal label, else of equal label without building,
/// punctuation and leading zeros. Only where it is the only one.
fn suggest(label: &str, units: &Units) -> Option<String> {
    let free = || {
        units
            .here
            .iter()
            .filter(|here| !units.map.values().any(|mapped| mapped == *here))
    };
    if let Some(equal) = free().find(|here| here.trim() == label.trim()) {
        return Some(equal.clone());
    }
    let core = core(label);
    let mut alike = free().filter(|here| !core.is_empty() && self::core(here) == core);
    match (alike.next(), alike.next()) {
        (Some(one), None) => Some(one.clone()),
        _ => None,
    }
}

/// What is left of `Bldg A - 012B`: `12b`.
fn core(label: &str) -> String {
    let unit = label
        .rsplit([' ', '-', '/', '#', ','])
        .find(|part| part.chars().any(char::is_alphanumeric))
        .unwrap_or_default();
    let plain: String = unit.chars().filter(|c| c.is_alphanumeric()).collect();
    plain.trim_start_matches('0').to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn unit(id: &str, label: &str) -> Unit {
        Unit {
            id: id.into(),
            label: label.into(),
            formerly: None,
        }
    }

    fn units(here: &[&str], map: &[(&str, &str)]) -> Units {
        Units {
            here: here.iter().map(ToString::to_string).collect(),
            map: map
                .iter()
                .map(|(pms, here)| (pms.to_string(), here.to_string()))
                .collect::<BTreeMap<_, _>>(),
            ..Units::default()
        }
    }

    #[test]
    fn r34_without_a_list_the_label_as_the_script_gives_it_is_the_unit() {
        let given = unit("7", "Bldg A - 12B");
        assert_eq!(place(given.clone(), &Units::default()), Placed::Here(given));
    }

    #[test]
    fn r33_a_setting_turns_units_off() {
        let off = Units {
            sync: false,
            ..Units::default()
        };
        assert_eq!(place(unit("7", "12B"), &off), Placed::Off);
    }

    #[test]
    fn r34_with_a_list_the_key_is_the_pms_id_and_the_label_is_ours() {
        let list = units(&[], &[("7", "A-12B")]);
        assert_eq!(
            place(unit("7", "Bldg A - 12B"), &list),
            Placed::Here(unit("7", "A-12B"))
        );
    }

    #[test]
    fn r34_a_part_of_a_unit_is_mapped_as_the_unit_was_until_it_is_mapped_itself() {
        let bed = |id: &str, label: &str| Unit {
            formerly: Some("7".into()),
            ..unit(id, label)
        };
        let list = units(&["12"], &[("7", "12")]);
        assert_eq!(
            place(bed("71", "12-A"), &list),
            Placed::ByFormerId(bed("71", "12"))
        );
        let list = units(&["12", "12-A"], &[("7", "12"), ("71", "12-A")]);
        assert_eq!(
            place(bed("71", "Room A"), &list),
            Placed::Here(bed("71", "12-A"))
        );
        let list = units(&["12-A"], &[]);
        assert!(matches!(
            place(bed("71", "12-A"), &list),
            Placed::Unmapped { .. }
        ));
    }

    #[test]
    fn r35_an_unmapped_unit_gets_a_suggestion_where_only_one_is_alike() {
        let suggestion = |label: &str, list: &Units| match place(unit("9", label), list) {
            Placed::Unmapped { suggestion } => suggestion,
            other => panic!("{other:?}"),
        };
        let list = units(&["12B", "13", "A 14", "B 14"], &[("1", "13")]);
        assert_eq!(suggestion("12B", &list).as_deref(), Some("12B"));
        assert_eq!(suggestion("Bldg A - 012b", &list).as_deref(), Some("12B"));
        assert_eq!(suggestion("13", &list), None, "taken");
        assert_eq!(suggestion("14", &list), None, "two are alike");
        assert_eq!(suggestion("--", &list), None);
    }
}
