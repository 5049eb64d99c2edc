//! Mapping a PMS unit onto a unit here (R35). Whom it houses, the next run says.

use crate::config::{Units, nearest};
use crate::model::Alert;

use super::ActError;
use super::desk::Desk;

/// Maps the unit of an alert. What the files say goes before, and is not contradicted.
pub(super) fn map_unit(
    desk: &mut Desk<'_>,
    alert: &Alert,
    here: &str,
    force: bool,
    units: Option<&Units>,
) -> Result<(), ActError> {
    let (integration, unit) = (&alert.integration, alert.subject.as_str());
    let here = here.trim();
    if here.is_empty() {
        return Err(ActError::Invalid(
            "the unit here is empty; name one".to_owned(),
        ));
    }
    let Some(units) = units else {
        return Err(ActError::Refused(format!(
            "{integration} has no files any more, and nothing is synced for it"
        )));
    };
    if let Some(mapped) = units.map.get(unit) {
        return Err(ActError::Refused(format!(
            "`units.map` of {integration} maps `{unit}` onto `{mapped}` by now; the next run closes the alert"
        )));
    }
    if !units.here.is_empty() && !units.here.iter().any(|known| known == here) {
        let known: Vec<&str> = units.here.iter().map(String::as_str).collect();
        let near = nearest(here, &known)
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Err(ActError::Refused(format!(
            "`{here}` is not among `units.here` of {integration}{near}"
        )));
    }
    let by_hand = desk.store().units(integration)?;
    let other = units
        .map
        .iter()
        .chain(&by_hand)
        .find(|(other, mapped)| mapped.as_str() == here && other.as_str() != unit);
    if let Some((other, _)) = other
        && !force
        && !units.shared.iter().any(|shared| shared == here)
    {
        return Err(ActError::Refused(format!(
            "the PMS's unit `{other}` is `{here}` already; if both are, say so with --force"
        )));
    }
    desk.put_unit(integration, unit, Some(here.to_owned()))
}
