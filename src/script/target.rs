//! The functions `wanted` and `held` of a target's script: what somebody should have there, and what a record that was read
//! back is. What either may give is `grant`'s; nothing is compared here.

use std::collections::BTreeSet;

use rhai::Dynamic;
use serde_json::{Map, Value};

use super::decode::decode;
use super::error::type_called;
use super::grant::{self, MAX_GRANTS};
use super::output::Complaint;
use super::room::with_room;
use super::{Context, Script, ScriptError};

/// A grant that somebody should have at a target, in the script's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worded {
    /// What tells it from the person's others there.
    pub key: String,
    /// All else of it.
    pub fields: Map<String, Value>,
}

/// A record that was read back from a target, as the script understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRecord {
    /// The key of the grant.
    pub key: String,
    /// What the target calls it by.
    pub id: String,
    /// All else of it, as `wanted` gives it.
    pub fields: Map<String, Value>,
    /// Somebody else granted it.
    pub others: bool,
    /// A door has not heard of it yet.
    pub visit: bool,
    /// The record is there, and opens nothing.
    pub off: bool,
}

impl Worded {
    /// The map that it was given as.
    pub fn whole(&self) -> Map<String, Value> {
        let key = [("key".to_owned(), self.key.clone().into())];
        key.into_iter().chain(self.fields.clone()).collect()
    }
}

impl HeldRecord {
    /// The map that it was given as, without what is not so.
    pub fn whole(&self) -> Map<String, Value> {
        let names = [("key", &self.key), ("id", &self.id)];
        let names = names.map(|(name, text)| (name.to_owned(), text.clone().into()));
        let flags = [
            ("others", self.others),
            ("visit", self.visit),
            ("off", self.off),
        ];
        let flags = flags.into_iter().filter(|(_, is_so)| *is_so);
        let flags = flags.map(|(name, _)| (name.to_owned(), true.into()));
        let names = names.into_iter().chain(flags);
        names.chain(self.fields.clone()).collect()
    }
}

impl Script {
    /// Whether it is one of a target: with `wanted` and `held` in place of `residents`.
    pub fn is_of_target(&self) -> bool {
        self.of_target
    }

    /// The grants that a person should have at the target, given as JSON: none, one or several.
    pub fn wanted(&self, person_json: &str, ctx: &Context) -> Result<Vec<Worded>, ScriptError> {
        with_room(|| self.wanted_here(person_json, ctx))
    }

    /// What a record is that was read back, given as JSON; none where it is none of ours to look at.
    pub fn held(
        &self,
        record_json: &str,
        ctx: &Context,
    ) -> Result<Option<HeldRecord>, ScriptError> {
        with_room(|| self.held_here(record_json, ctx))
    }

    fn wanted_here(&self, person: &str, ctx: &Context) -> Result<Vec<Worded>, ScriptError> {
        const NAME: &str = "wanted";
        let given = self.given(NAME, "person", person, ctx)?;
        if given.is_unit() {
            return Ok(Vec::new());
        }
        let maps = match given.as_array_ref() {
            Ok(maps) => maps.clone(),
            Err(_) => vec![given.clone()],
        };
        if maps.len() > MAX_GRANTS {
            let message = format!(
                "`wanted` gave {} grants for one person, and {MAX_GRANTS} are the most; give one for several doors, or look for \
                 a loop that gives too many",
                maps.len()
            );
            return Err(self.wrong_of(NAME, message));
        }
        let mut grants: Vec<Worded> = Vec::with_capacity(maps.len());
        let mut keys = BTreeSet::new();
        for map in maps {
            let map = map.flatten();
            let Ok(members) = map.as_map_ref() else {
                let found = type_called(map.type_name());
                let message = format!(
                    "`wanted` gives maps #{{ key: … }}, a list of them, or (), not {found}"
                );
                return Err(self.wrong_of(NAME, message));
            };
            let grant = grant::worded(&members).map_err(|wrong| self.wrong_in(NAME, wrong))?;
            if !keys.insert(grant.key.clone()) {
                let message = format!(
                    "`{}` is the key of two grants of one person; give each one of its own",
                    grant.key
                );
                return Err(self.wrong_in(NAME, ("key".to_owned(), message)));
            }
            grants.push(grant);
        }
        Ok(grants)
    }

    fn held_here(&self, record: &str, ctx: &Context) -> Result<Option<HeldRecord>, ScriptError> {
        const NAME: &str = "held";
        let given = self.given(NAME, "record", record, ctx)?;
        if given.is_unit() {
            return Ok(None);
        }
        let Ok(members) = given.as_map_ref() else {
            let found = type_called(given.type_name());
            let message = format!("`held` gives a map #{{ key: …, id: … }}, or (), not {found}");
            return Err(self.wrong_of(NAME, message));
        };
        let held = grant::held(&members).map_err(|wrong| self.wrong_in(NAME, wrong))?;
        Ok(Some(held))
    }

    /// What a function gives for a JSON text.
    fn given(
        &self,
        function: &str,
        what: &str,
        json: &str,
        ctx: &Context,
    ) -> Result<Dynamic, ScriptError> {
        if !self.of_target {
            let message = format!("the script is one of a PMS, and has no function `{function}`");
            return Err(self.error(None, message));
        }
        let decoded = decode(json, None).map_err(|_| {
            let message = format!("the {what} is not readable: it is nested too deep, or no JSON");
            self.error(None, message)
        })?;
        let again = || decode(json, None).ok();
        let given = self.call(function, decoded, again, ctx);
        given.map(Dynamic::flatten).map_err(|mut error| {
            if error.place.is_none() && error.file == self.file() {
                error.place = self.span(function).map(|(begins, _)| begins);
            }
            error
        })
    }

    /// What is wrong with a field of what a function gives: where the function gives it, else where it is given at all, else
    /// where the function begins. Of a path of names the last that is written out is looked for.
    fn wrong_in(&self, function: &str, (field, message): Complaint) -> ScriptError {
        let mut names = field.rsplit('.');
        let given = names.find_map(|name| {
            let given = self.about.given(name);
            (!given.is_empty()).then_some(given)
        });
        let given = given.unwrap_or_default();
        let span = self.span(function);
        let file = self.file();
        let is_inside = |(of, at): &&(std::path::PathBuf, crate::model::Place)| {
            *of == file && span.is_some_and(|(begins, ends)| (begins..=ends).contains(at))
        };
        let mut places: Vec<_> = given.iter().filter(is_inside).collect();
        if places.is_empty() {
            places = given.iter().collect();
        }
        if places.is_empty() {
            let mut error = self.wrong_of(function, message);
            error.field = Some(field);
            return error;
        }
        self.wrong_at(field, message, &places)
    }
}

#[cfg(test)]
mod tests;
