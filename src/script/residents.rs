//! The functions `residents` and `exclude` of a script: who a record means, and who of them is left out. What a resident
//! must be is `output`'s.

use rhai::{Dynamic, Engine};

use crate::model::Resident;

use super::decode::decode;
use super::error::type_called;
use super::frame::Frames;
use super::output::{MAX_RESIDENTS, id, resident};
use super::room::with_room;
use super::{Context, Script, ScriptError};

/// One resident of a record, with the map it came from.
#[derive(Debug, Clone)]
pub struct Mapped {
    /// The resident, as the script gave it.
    pub resident: Resident,
    map: Dynamic,
}

/// A resident whom a script gave in a list, and who is none. What is wrong with one member of a household is that
/// member's alone (R12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Which one of the list, from 1.
    pub place: usize,
    /// The PMS id, where that is right.
    pub id: Option<String>,
    /// What is wrong.
    pub error: ScriptError,
}

impl Script {
    /// The residents of one record: none, one, or a household. Of a household each stands for itself; an error of the
    /// script is one of the record.
    pub fn residents(
        &self,
        record: &str,
        ctx: &Context,
    ) -> Result<Vec<Result<Mapped, Wrong>>, ScriptError> {
        if self.of_target {
            let message = "the script is one of a target, and gives no residents".to_owned();
            return Err(self.error(None, message));
        }
        with_room(|| self.residents_here(record, ctx))
    }

    fn residents_here(
        &self,
        record: &str,
        ctx: &Context,
    ) -> Result<Vec<Result<Mapped, Wrong>>, ScriptError> {
        if let Some(result) = self.of_sparse(record, ctx) {
            return self.mapped(result);
        }
        let decoded = decode(record, None).map_err(|_| {
            self.error(
                None,
                "the record is not readable: it is nested too deep, or no JSON".into(),
            )
        })?;
        let again = || decode(record, None).ok();
        let result = self.call("residents", decoded, again, ctx)?;
        self.mapped(result)
    }

    pub(super) fn of_sparse(&self, record: &str, ctx: &Context) -> Option<Dynamic> {
        let call = |engine: &Engine, frames: &Frames, record| {
            self.call_on(engine, frames, "residents", record, ctx)
        };
        self.sparse.as_ref()?.given(record, call)
    }

    fn mapped(&self, result: Dynamic) -> Result<Vec<Result<Mapped, Wrong>>, ScriptError> {
        if result.is_unit() {
            return Ok(Vec::new());
        }
        let Ok(maps) = result.as_array_ref().map(|maps| maps.len()) else {
            return Ok(vec![Ok(self.resident(result)?)]);
        };
        if maps > MAX_RESIDENTS {
            return Err(self.error(
                None,
                format!("`residents` gave more than {MAX_RESIDENTS} residents for one record"),
            ));
        }
        let maps = result.into_array().unwrap_or_default();
        let members = (1..).zip(maps).map(|(place, map)| {
            let id = map.as_map_ref().ok().and_then(|map| id(&map));
            let resident = self.resident(map);
            resident.map_err(|error| Wrong { place, id, error })
        });
        Ok(members.collect())
    }

    fn resident(&self, map: Dynamic) -> Result<Mapped, ScriptError> {
        let resident = match map.as_map_ref() {
            Ok(map) => resident(&map).map_err(|(field, message)| self.wrong(field, message))?,
            Err(found) => {
                let message = format!(
                    "`residents` gives maps #{{ … }}, a list of them, or (), not {}",
                    type_called(found)
                );
                return Err(self.wrong_of("residents", message));
            }
        };
        Ok(Mapped { resident, map })
    }

    /// The script's reason to leave a resident out, if it has one (R6).
    pub fn exclude(&self, mapped: &Mapped, ctx: &Context) -> Result<Option<String>, ScriptError> {
        if !self.excludes {
            return Ok(None);
        }
        with_room(|| self.excluded_here(mapped, ctx))
    }

    fn excluded_here(&self, mapped: &Mapped, ctx: &Context) -> Result<Option<String>, ScriptError> {
        let again = || Some(mapped.map.clone());
        let result = self.call("exclude", mapped.map.clone(), again, ctx)?;
        if result.is_unit() {
            return Ok(None);
        }
        match result.into_immutable_string() {
            Ok(reason) if !reason.trim().is_empty() => {
                Ok(Some(reason.trim().chars().take(120).collect()))
            }
            _ => Err(self.wrong_of(
                "exclude",
                "`exclude` gives a reason as text, or () to leave the resident in".into(),
            )),
        }
    }
}
