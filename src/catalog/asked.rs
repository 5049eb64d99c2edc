//! What scripts and integrations ask of a connector against what the connector has: lookups that no request reads, requests
//! that nobody asks for, lookups whose names are known only when a script runs, fields that are not set, and PMS properties
//! that nothing tells apart. All may be meant, and are warnings; in version 2 of the connector's file all but the third are
//! errors. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Connector, Document, File, Integration, Target, Verdict, nearest};
use crate::model::{Code, Problem, is_same_property};
use crate::script::Script;
use crate::source::Source;

use super::attached::{Accounts, Attached};

/// A connector, as scripts ask of it.
pub(super) struct Asked<'a> {
    pub(super) name: &'a str,
    file: &'a File<Connector>,
    source: &'a Source,
    /// All that ask of it.
    scripts: Vec<&'a Script>,
    lookups: BTreeSet<&'a str>,
}

impl<'a> Asked<'a> {
    pub(super) fn of(
        name: &'a str,
        file: &'a File<Connector>,
        source: &'a Source,
        scripts: Vec<&'a Script>,
    ) -> Asked<'a> {
        let lookups = source.lookups().map(|(lookup, _)| lookup).collect();
        Asked {
            name,
            file,
            source,
            scripts,
            lookups,
        }
    }

    /// All that the scripts ask in vain or might ask, and what none of them asks.
    pub(super) fn all(&self) -> Vec<Problem> {
        let each = self.scripts.iter();
        let each =
            each.flat_map(|script| self.in_vain(script).into_iter().chain(self.unnamed(script)));
        each.chain(self.by_nobody()).collect()
    }

    fn judged(&self, problem: Problem) -> Problem {
        if self.file.value.is_strict() {
            problem.as_error()
        } else {
            problem
        }
    }

    /// What of a script can give nothing: forms that no date has, names that do not exist, lookups that the connector has no
    /// request for, and verdicts that are none.
    pub(super) fn in_vain(&self, script: &Script) -> Vec<Problem> {
        let asked = script.lookups().iter();
        let unknown = asked.filter(|(lookup, _)| !self.lookups.contains(lookup.as_str()));
        let warnings = script.warnings().iter().cloned();
        let warnings = warnings.map(|problem| self.judged(problem));
        let unknown = unknown
            .map(|(lookup, asked)| {
                let names: Vec<&str> = self.lookups.iter().copied().collect();
                let remedy = match nearest(lookup, &names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if self.file.value.requests.contains_key(lookup) => {
                        "the request of that name is not one for lookups".to_owned()
                    }
                    None => "add it to `requests`, or do not ask for it".to_owned(),
                };
                self.judged(Problem {
                    file: asked.file.clone(),
                    place: asked.place,
                    field: String::new(),
                    message: format!(
                        "the connector `{}` has no lookup `{lookup}`, so that it gives nothing; {remedy}",
                        self.name
                    ),
                    code: Code::UnknownLookup,
                })
            });
        let verdicts = script.verdicts().iter();
        let verdicts = verdicts.filter(|(word, _)| !Verdict::WORDS.contains(&word.as_str()));
        let verdicts = verdicts.map(|(word, asked)| {
            let remedy = match nearest(word, &Verdict::WORDS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it is one of: {}", Verdict::WORDS.join(", ")),
            };
            self.judged(Problem {
                file: asked.file.clone(),
                place: asked.place,
                field: String::new(),
                message: format!("`{word}` is no verdict; {remedy}"),
                code: Code::ScriptName,
            })
        });
        warnings.chain(unknown).chain(verdicts).collect()
    }

    /// The requests that are no residents, no properties, no login, and that none of the scripts asks for. One that says
    /// how long it serves is there for scripts to come.
    pub(super) fn by_nobody(&self) -> Vec<Problem> {
        let unasked = self.lookups.iter().filter(|lookup| {
            let request = self.file.value.requests.get(**lookup);
            request.is_none_or(|request| request.refresh.is_none())
                && !self.scripts.iter().any(|script| script.asks(lookup))
        });
        unasked
            .map(|lookup| {
                let message = "nobody asks for it: it feeds nothing, and no script looks anything up in it; write `feeds: residents` where its records are residents, or `refresh` where it is for scripts to come";
                let problem = self.file.document.problem(&format!("requests.{lookup}"), message);
                self.judged(problem.coded(Code::UnaskedRequest))
            })
            .collect()
    }

    /// What of an integration does not go with the connector, or with other integrations of the same account.
    pub(super) fn of_integration(
        &self,
        one: &Attached<'_>,
        accounts: &Accounts<'_>,
    ) -> Vec<Problem> {
        let problems = self.whose(one, accounts).into_iter();
        let problems = problems.chain(self.unset(&one.file.value.fields, &one.file.document));
        problems.map(|problem| self.judged(problem)).collect()
    }

    /// What of a target does not go with the connector.
    pub(super) fn of_target(&self, of: &File<Target>) -> Vec<Problem> {
        let problems = self.unset(&of.value.fields, &of.document).into_iter();
        problems.map(|problem| self.judged(problem)).collect()
    }

    /// Why residents of its PMS properties would come twice, or those of others with them.
    pub(super) fn whose(&self, one: &Attached<'_>, accounts: &Accounts<'_>) -> Vec<Problem> {
        let problems = [self.for_each(one.file), self.for_both(one, accounts)];
        let problems = problems.into_iter().flatten();
        problems.chain(by_two_names(one.file)).collect()
    }

    /// That each resident would come once for each of several PMS properties.
    fn for_each(&self, of: &File<Integration>) -> Option<Problem> {
        if of.value.pms_properties.len() < 2 {
            return None;
        }
        let request = self.source.asks_the_same()?;
        let message = format!(
            "`{request}` of the connector `{}` asks the same for each PMS property, so that its residents come once for each; use {{{{ property }}}} in the request, add `property`, the path in a record that names its property, with `per: once`, or attach one property alone",
            self.name
        );
        let problem = of.document.problem("pms_properties", message);
        Some(problem.coded(Code::AllProperties))
    }

    /// That everybody would come into each of several integrations (R5). It is no more than a warning in version 1, because a
    /// script may pick those of its own by `ctx.property`.
    fn for_both(&self, one: &Attached<'_>, accounts: &Accounts<'_>) -> Option<Problem> {
        let request = self.source.asks_the_same()?;
        let other = accounts.beside(one)?;
        let message = format!(
            "`{request}` of the connector `{}` asks the same for each PMS property, and `{other}` attaches others of this account, so that everybody comes into both; use {{{{ property }}}} in the request, or add `property`, the path in a record that names its property, with `per: once`",
            self.name
        );
        let problem = one.file.document.problem("pms_properties", message);
        Some(problem.coded(Code::AllProperties))
    }

    /// The fields that templates ask an integration, or a target, for in vain.
    fn unset(&self, fields: &BTreeMap<String, String>, document: &Document) -> Vec<Problem> {
        let set: Vec<&str> = fields.keys().map(String::as_str).collect();
        let mut by_field: BTreeMap<&str, &str> = BTreeMap::new();
        for (at, field) in self.source.unset(fields) {
            by_field.entry(field).or_insert(at);
        }
        let unset = by_field.into_iter().map(|(field, at)| {
            let remedy = nearest(field, &set).map_or_else(
                || format!("add it, or write {{{{ fields.{field} | default('') }}}} there"),
                |near| format!("is `{near}` meant?"),
            );
            let message = format!(
                "there is no `{field}`, and `{at}` of the connector `{}` cannot be asked without; {remedy}",
                self.name
            );
            document.problem("fields", message).coded(Code::UnsetValue)
        });
        unset.collect()
    }

    /// Where a script asks for lookups whose names are not written out, so that those are read too that it may not ask for.
    fn unnamed(&self, script: &Script) -> Option<Problem> {
        let asked = script.asks_others()?;
        let all = self.lookups.iter().copied();
        let unnamed: Vec<&str> = all
            .filter(|lookup| !script.lookups().contains_key(*lookup))
            .collect();
        let first = unnamed.first()?;
        Some(Problem {
            file: asked.file.clone(),
            place: asked.place,
            field: String::new(),
            message: format!(
                "which lookup is asked here is known only when the script runs, so that every run reads all that the connector `{}` has, among them {}; write the name as a text: ctx.lookup(\"{first}\", key)",
                self.name,
                unnamed.join(", ")
            ),
            code: Code::UnnamedLookup,
        })
    }
}

/// PMS properties of an integration that stand in its file by another name too, which differs by case or blanks alone. One
/// that stands in two files is judged where it is said whose it is.
fn by_two_names(of: &File<Integration>) -> Vec<Problem> {
    let properties = &of.value.pms_properties;
    let found = properties.iter().enumerate().filter_map(|(index, property)| {
        let is_twin = |one: &&String| *one != property && is_same_property(one, property);
        let twin = properties.iter().find(is_twin)?;
        let message = format!(
            "`{property}` and `{twin}`, which stands here too, are one PMS property, as case and blanks around it do not matter: its people come in twice; keep one of them, written as the PMS does"
        );
        let field = format!("pms_properties.{index}");
        let problem = of.document.problem(&field, message);
        Some(problem.coded(Code::SameProperty))
    });
    found.collect()
}
