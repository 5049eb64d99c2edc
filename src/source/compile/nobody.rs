//! Answers without records that are taken for nobody at all: conditions by which any error is one, and those to which no
//! answer comes. Reads no answer.

use crate::config::Verdict;
use crate::model::{Code, Problem};

use super::super::Path;
use super::super::answer::Rule;
use super::super::path::Beside;
use super::Compile;
use super::rules::{is_success, looks_closer};

const NO_RECORDS: &str = "says no more than that the records are not there, so that an answer without them is nobody at all, whatever the reason; add `path`, `header`, `text` or `equals`, by which an answer says that nobody is there";

impl Compile<'_> {
    /// Tells of rules by which an answer is empty that has nothing where its records stand, whatever else it says.
    pub(super) fn absent_records<'r>(
        &mut self,
        rules: impl Iterator<Item = &'r Rule>,
        place: &Path,
    ) {
        for rule in rules {
            let is_of_records = |absent: &Path| absent.beside(place) != Beside::Elsewhere;
            let is_told = |one: &Problem| one.message == NO_RECORDS && one.field == rule.at;
            if rule.spec.is == Verdict::Empty
                && !place.is_root()
                && rule.absent.as_ref().is_some_and(is_of_records)
                && !looks_closer(&rule.spec)
                && rule.spec.status.as_ref().is_none_or(is_success)
                && !self.warnings.iter().chain(&self.problems).any(is_told)
            {
                self.warn(&rule.at, NO_RECORDS, Code::Rule);
            }
        }
    }

    /// Tells of a condition of `missing` whose answers are judged before anybody looks for their records.
    pub(super) fn seen_as_missing(&mut self, missing: &Rule, rules: &[Rule]) {
        let Some(statuses) = &missing.spec.status else {
            return;
        };
        let is_taken = |status: &u16| {
            let is_ok = |rule: &Rule| {
                let of = rule.spec.status.as_ref();
                rule.spec.is == Verdict::Ok && of.is_none_or(|of| of.contains(*status))
            };
            // Without a body there is nothing to look into.
            !matches!(status, 204 | 205 | 304)
                && ((200..300).contains(status) || rules.iter().any(is_ok))
        };
        let mut all = (100..600).filter(|status| statuses.contains(*status));
        if !all.any(|status| is_taken(&status)) {
            let message = "no answer can fit it: one of such a status is judged by `errors` before its records are looked for; write a rule such as `{ status: 404, is: empty }` into `errors`";
            let field = format!("{}.status", missing.at);
            self.warn(&field, message, Code::Rule);
        }
    }
}
