//! What a unit is called, and the key of what a PMS knows by several parts: the functions for it that scripts may call.

use rhai::{Array, Dynamic, Engine, ImmutableString};

use super::described::Described;
use super::helpers::as_text;
use super::places::begins;

pub(super) fn register(engine: &mut Engine) {
    Described(engine)
        .function(
            "building_label",
            &["building", "number", "Dynamic"],
            "A unit's number behind its building, since a number alone may be that of several units. A number that begins with the building \
             stays as it is; so does one without a building.
             building_label(1, 305) → \"1-305\"
             building_label(\"Building A\", \"A-305\") → \"A-305\"
             building_label((), \"305\") → \"305\"",
            |building: Dynamic, number: Dynamic| building_label(&building, &number),
        )
        .function(
            "joined_key",
            &["parts: Array", "Dynamic"],
            "The parts of a key, one behind the other. A part that is absent keeps its place; without the last, which names the thing itself, \
             there is no key.
             joined_key([\"OAK01\", \"02\", 305]) → \"OAK01|02|305\"
             joined_key([\"OAK01\", (), \"305\"]) → \"OAK01||305\"
             joined_key([\"OAK01\", ()]) → ()",
            |parts: Array| joined_key(&parts),
        );
}

fn building_label(building: &Dynamic, number: &Dynamic) -> Dynamic {
    let (building, number) = match (as_text(building), as_text(number)) {
        (_, None) => return Dynamic::UNIT,
        (None, Some(number)) => return number.into(),
        (Some(building), Some(number)) => (building, number),
    };
    let last = building.rsplit(' ').next().unwrap_or_default();
    let has_it = [building.as_str(), last].iter().any(|name| {
        ["-", " ", "/"].iter().any(|behind| {
            // Most numbers begin otherwise.
            begins(&number, name) && begins(&number, &format!("{name}{behind}"))
        })
    });
    if has_it {
        number.into()
    } else {
        format!("{building}-{number}").into()
    }
}

fn joined_key(parts: &[Dynamic]) -> Dynamic {
    if parts.last().and_then(as_text).is_none() {
        return Dynamic::UNIT;
    }
    let parts: Vec<ImmutableString> = parts
        .iter()
        .map(|part| as_text(part).unwrap_or_default())
        .collect();
    parts.join("|").into()
}
