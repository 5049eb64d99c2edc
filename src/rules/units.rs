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
        (None, None) => match units.equal(&unit.label).filter(|_| units.equal_labels) {
            Some(here) => Placed::Here(named(here, unit)),
            None => Placed::Unmapped {
                suggestion: units.suggested(&unit.label).cloned(),
            },
        },
    }
}

/// With this begins what is said of a suggestion.
const LOOKS_LIKE: &str = "; it looks like `";
/// With this ends what is said of a PMS unit that the list does not know.
const REMEDY: &str = "; add it to units.map of the integration, or resolve this with map-unit";

/// What is said of a PMS unit that the list does not know.
pub(crate) fn unmapped(unit: &Unit, suggestion: Option<&str>) -> String {
    let Unit { id, label, .. } = unit;
    let looks = suggestion.map_or_else(String::new, |here| format!("{LOOKS_LIKE}{here}`"));
    format!("the PMS's unit `{id}` ({label}) is not mapped, its people have none{looks}{REMEDY}")
}

/// The suggestion in what is said of such a unit. The text is remembered with the record that it comes from; a label in it
/// makes none.
pub(crate) fn suggestion(told: &str) -> Option<String> {
    let told = told.strip_suffix(REMEDY)?.strip_suffix('`')?;
    let (_, here) = told.rsplit_once(LOOKS_LIKE)?;
    Some(here.to_owned())
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
    fn r35_equal_labels_map_themselves_where_the_file_says_so_and_nobody_else_has_the_unit() {
        let list = Units {
            equal_labels: true,
            ..units(&["12B", "13"], &[("1", "13")])
        };
        let given = unit("9", " 12B ");
        assert_eq!(place(given, &list), Placed::Here(unit("9", "12B")));
        for label in ["13", "Bldg A - 12B", "14"] {
            let placed = place(unit("9", label), &list);
            assert!(matches!(placed, Placed::Unmapped { .. }), "{label}");
        }
        let as_before = Units {
            equal_labels: false,
            ..list
        };
        let placed = place(unit("9", "12B"), &as_before);
        assert!(matches!(placed, Placed::Unmapped { .. }));
    }

    #[test]
    fn a_suggestion_is_found_in_what_is_said_and_a_label_makes_none() {
        let told = |label: &str, here| unmapped(&unit("9", label), here);
        assert_eq!(
            suggestion(&told("012", Some("A `12`"))).as_deref(),
            Some("A `12`")
        );
        let tricks = "x; it looks like `Penthouse`";
        assert_eq!(suggestion(&told(tricks, None)), None);
        assert_eq!(suggestion(&told(tricks, Some("12"))).as_deref(), Some("12"));
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
