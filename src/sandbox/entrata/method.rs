//! What Entrata's methods find: reads the call, picks the records and the page. How a record looks
//! is in `render`.

use std::collections::HashSet;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::{Refusal, render, scalar};
use crate::sandbox::fault::FaultKind;
use crate::sandbox::serve::Shared;
use crate::sandbox::world::{Household, UnitId, World};

/// A call: `{auth, requestId, method: {name, version, params}}`.
#[derive(Default)]
pub(super) struct Method {
    pub(super) auth: String,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    params: Map<String, Value>,
}

impl Method {
    /// Reads a body; none if it is no JSON object.
    pub(super) fn read(body: &str) -> Option<Method> {
        let body: Value = serde_json::from_str(body).ok().filter(Value::is_object)?;
        let method = &body["method"];
        let text = |value: &Value| scalar(value).unwrap_or_default();
        let version = method.get("version").map_or_else(|| "r1".to_owned(), text);
        Some(Method {
            auth: text(&body["auth"]["type"]),
            id: text(&body["requestId"]),
            name: text(&method["name"]),
            version,
            params: method["params"].as_object().cloned().unwrap_or_default(),
        })
    }

    /// A parameter that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = scalar(self.params.get(name)?)?;
        Some(text).filter(|text| !text.is_empty())
    }

    /// A parameter that lists ids, commas between.
    fn list(&self, name: &str) -> Option<Vec<String>> {
        let text = self.text(name)?;
        Some(text.split(',').map(|one| one.trim().to_owned()).collect())
    }

    fn day(&self, name: &str) -> Result<Option<Date>, Refusal> {
        let read = |text: String| Date::strptime("%m/%d/%Y", text);
        let wrong = |_| Refusal(200, 303, "Dates are written MM/DD/YYYY.");
        self.text(name).map(read).transpose().map_err(wrong)
    }
}

/// What a method found. No result means no records.
pub(super) struct Answer {
    pub(super) result: Option<Value>,
    pub(super) total: usize,
}

/// Where and which page to look for.
pub(super) struct Page<'a> {
    pub(super) shared: &'a Shared,
    pub(super) world: &'a World,
    pub(super) number: usize,
    pub(super) size: usize,
    pub(super) faults: &'a [FaultKind],
}

impl Page<'_> {
    fn has(&self, fault: FaultKind) -> bool {
        self.faults.contains(&fault)
    }

    /// The records of this page.
    fn of<T>(&self, all: Vec<T>) -> (usize, Vec<T>) {
        let total = if self.has(FaultKind::Empty) {
            0
        } else {
            all.len()
        };
        let start = (self.number - 1).saturating_mul(self.size);
        let page = all.into_iter().take(total).skip(start).take(self.size);
        (total, page.collect())
    }

    pub(super) fn leases(&self, method: &Method) -> Result<Answer, Refusal> {
        let property =
            method
                .text("propertyId")
                .ok_or(Refusal(200, 304, "propertyId is required."))?;
        let property = self.shared.property(self.world, &property).ok_or(Refusal(
            200,
            305,
            "propertyId is not valid or not accessible.",
        ))?;
        let statuses = method.list("leaseStatusTypeIds");
        let statuses = statuses.unwrap_or_else(|| vec!["4".to_owned()]);
        let ids = method.list("leaseIds");
        let moved_in = (method.day("moveInDateFrom")?, method.day("moveInDateTo")?);
        let moved_out = (method.day("moveOutDateFrom")?, method.day("moveOutDateTo")?);
        let wanted = |home: &&Household| {
            home.property == property
                && home.primary().is_some()
                && statuses
                    .iter()
                    .any(|one| one == render::filed_under(home.status))
                && ids
                    .as_ref()
                    .is_none_or(|ids| ids.contains(&render::lease_id(home)))
                && within(home.move_in, moved_in)
                && within(home.move_out, moved_out)
        };
        let homes = self.world.households().iter().filter(wanted).collect();
        let (total, homes) = self.of(homes);
        let changed = self.has(FaultKind::ChangedField);
        let rows = homes
            .into_iter()
            .map(|home| render::lease(self.world, home, changed));
        let rows: Vec<Value> = rows.collect();
        let result = (!rows.is_empty())
            .then(|| json!({ "currencyCode": "USD", "leases": { "lease": rows } }));
        Ok(Answer { result, total })
    }

    pub(super) fn pick_list(&self) -> Answer {
        let types = [
            (1, "Applicant"),
            (2, "Cancelled"),
            (3, "Future"),
            (4, "Current"),
            (5, "Notice"),
            (6, "Past"),
        ];
        let types = types
            .map(|(id, name)| json!({ "@attributes": { "id": id, "name": name, "type": "NA" } }));
        let result = json!({ "leaseStatusTypes": { "leaseStatusType": types } });
        Answer {
            result: Some(result).filter(|_| !self.has(FaultKind::Empty)),
            total: types.len(),
        }
    }

    pub(super) fn properties(&self, method: &Method) -> Answer {
        let wanted = method.list("propertyIds");
        let shown = |at: &usize| {
            let id = render::property_id(self.world, *at);
            wanted.as_ref().is_none_or(|ids| ids.contains(&id))
        };
        let all = (0..self.world.properties().len()).filter(shown).collect();
        let (total, page) = self.of(all);
        let rows: Vec<Value> = page
            .into_iter()
            .map(|at| render::property(self.world, at))
            .collect();
        let result =
            (!rows.is_empty()).then(|| json!({ "PhysicalProperty": { "property": rows } }));
        Answer { result, total }
    }

    /// Units of the properties asked for; a page may hold units of several.
    pub(super) fn units(&self, method: &Method) -> Result<Answer, Refusal> {
        let ids =
            method
                .list("propertyIds")
                .ok_or(Refusal(200, 304, "propertyIds is required."))?;
        let wanted: Option<Vec<usize>> = ids
            .iter()
            .map(|id| self.shared.property(self.world, id))
            .collect();
        let wanted = wanted.ok_or(Refusal(200, 305, "propertyIds are not valid."))?;
        let units = |at: &usize| {
            let at = *at;
            let units = self.world.units().iter();
            units.filter(move |unit| unit.property == at && !unit.pseudo)
        };
        let (total, page) = self.of(wanted.iter().flat_map(units).collect());
        let homes = self.world.households().iter();
        let lived_in: HashSet<UnitId> = homes
            .filter(|home| home.status.lives_there())
            .map(|home| home.unit)
            .collect();
        let mut properties = Vec::new();
        for &at in &wanted {
            let here = page.iter().filter(|unit| unit.property == at);
            let rows: Vec<Value> = here
                .map(|unit| render::unit(self.world, unit, lived_in.contains(&unit.id)))
                .collect();
            if !rows.is_empty() {
                properties.push(render::property_units(self.world, at, rows));
            }
        }
        let result = (!properties.is_empty()).then(
            || json!({ "properties": { "property": render::one_or_many(properties, true) } }),
        );
        Ok(Answer { result, total })
    }
}

fn within(day: Option<Date>, (from, to): (Option<Date>, Option<Date>)) -> bool {
    from.is_none_or(|from| day.is_some_and(|day| day >= from))
        && to.is_none_or(|to| day.is_some_and(|day| day <= to))
}
