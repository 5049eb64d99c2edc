//! What files that are right say to each other and do not mean: scripts, connectors, credentials and integrations. Loads
//! nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::config::{Connector, Files};
use crate::model::{Code, IntegrationId, Problem, is_same_property};
use crate::script::Script;

use super::super::account;
use super::super::asked::Asked;
use super::super::attached::{Accounts, Attached};
use super::super::budgets::TooShort;
use super::super::properties::{Refusal, Why};
use super::super::{Catalog, Integration};
use super::{Loader, Loading};

/// Scripts, by the files that they lie in.
type ScriptsByFile = BTreeMap<PathBuf, Arc<Script>>;

/// The integrations that read through a connector.
fn accounts<'f>(files: &'f Files, connector: &str) -> Accounts<'f> {
    let right = files.integrations.iter();
    let right = right.filter_map(|(id, read)| Some((id, read.as_ref().ok()?)));
    let attached = right.filter_map(|(id, file)| {
        let credential = files.credentials.get(&file.value.credential)?;
        let credential = &credential.as_ref().ok()?.value;
        (credential.connector == connector).then(|| Attached {
            id,
            file,
            feeds: account::feeds(credential, &file.value),
        })
    });
    Accounts::of(attached.collect())
}

impl Loader<'_> {
    /// A budget of a day or a month that does not last for what hangs on it, told where the credential has it, or the
    /// credential itself.
    pub(super) fn too_short(&self, short: &TooShort) -> Option<Problem> {
        let Some(Ok(file)) = self.files.credentials.get(&short.credential) else {
            return None;
        };
        let limits = &file.value.limits;
        let is_its_own = match short.limit {
            "limits.per_day" => limits.per_day.is_some(),
            _ => limits.per_month.is_some(),
        };
        let field = if is_its_own { short.limit } else { "connector" };
        Some(
            file.document
                .problem(field, short.to_string())
                .coded(Code::Budget),
        )
    }

    /// What scripts, connectors and integrations have of each other, and what they do not.
    pub(super) fn asked(&mut self, catalog: &Catalog) -> Vec<Problem> {
        let running = catalog.integrations.values();
        let running: Vec<_> = running.filter_map(|slot| slot.current.clone()).collect();
        let mut problems = Vec::new();
        self.each_asked(
            |_| true,
            &running,
            |asked, accounts| {
                problems.extend(asked.all());
                let each = accounts.all.iter();
                problems.extend(each.flat_map(|one| asked.of_integration(one, accounts)));
            },
        );
        problems
    }

    /// Goes through the connectors that `counts` takes, each with the scripts that ask of it: its own, and those of
    /// integrations.
    fn each_asked(
        &mut self,
        counts: impl Fn(&Connector) -> bool,
        integrations: &[Arc<Integration>],
        mut tell: impl FnMut(&Asked<'_>, &Accounts<'_>),
    ) {
        let right = self.files.connectors.iter();
        let right = right.filter(|(_, read)| read.as_ref().is_ok_and(|file| counts(&file.value)));
        let names: Vec<String> = right.map(|(name, _)| name.clone()).collect();
        for name in names {
            let Ok(source) = self.source(&name) else {
                continue;
            };
            let own = self.script(source.script()).ok();
            let of_it = integrations.iter().filter(|one| one.connector == name);
            let others = of_it.map(|one| Arc::clone(&one.script));
            let scripts = own.into_iter().chain(others);
            let scripts: ScriptsByFile = scripts.map(|script| (script.file(), script)).collect();
            if let Some(Ok(file)) = self.files.connectors.get(&name) {
                let scripts = scripts.values().map(Arc::as_ref).collect();
                let asked = Asked::of(&name, file, &source, scripts);
                tell(&asked, &accounts(&self.files, &name));
            }
        }
    }

    /// Puts what scripts ask in vain, or do not ask, of a connector of version 2 to the integrations that it concerns.
    pub(super) fn strictly(&mut self, loading: &mut BTreeMap<IntegrationId, Loading<'_>>) {
        let found = loading.values().filter_map(|one| one.found.clone());
        let found: Vec<_> = found.collect();
        self.each_asked(Connector::is_strict, &found, |asked, accounts| {
            let by_nobody = asked.by_nobody();
            for one in loading.values_mut() {
                let found = one.found.as_ref();
                let Some(found) = found.filter(|one| one.connector == asked.name) else {
                    continue;
                };
                one.problems.extend(asked.in_vain(&found.script));
                one.problems.extend(by_nobody.iter().cloned());
                let mut all = accounts.all.iter();
                let of = all.find(|of| of.id == found.id.as_str());
                let problems = of.map(|of| asked.of_integration(of, accounts));
                one.problems.extend(problems.unwrap_or_default());
            }
        });
    }

    /// Logs, of integrations that are loaded anew, why residents would come twice, or those of other PMS properties with them
    /// (R5). In version 2 it is a problem already.
    pub(super) fn doubted(&mut self, loading: &BTreeMap<IntegrationId, Loading<'_>>) {
        let mut new: BTreeMap<&str, Vec<&Arc<Integration>>> = BTreeMap::new();
        for one in loading.values().filter(|one| one.problems.is_empty()) {
            let current = one.old.and_then(|slot| slot.current.as_ref());
            let is_new = |found: &&Arc<Integration>| {
                current.is_none_or(|current| !Arc::ptr_eq(current, found))
            };
            if let Some(found) = one.found.as_ref().filter(is_new) {
                new.entry(&found.connector).or_default().push(found);
            }
        }
        for (name, found) in new {
            let (Ok(source), Some(Ok(file))) = (self.source(name), self.files.connectors.get(name))
            else {
                continue;
            };
            if file.value.is_strict() {
                continue;
            }
            let accounts = accounts(&self.files, name);
            let asked = Asked::of(name, file, &source, Vec::new());
            let ids: BTreeSet<&str> = found.iter().map(|one| one.id.as_str()).collect();
            for one in accounts.all.iter().filter(|one| ids.contains(one.id)) {
                for problem in asked.whose(one, &accounts) {
                    tracing::warn!(integration = %one.id, %problem, "files are most likely not meant so");
                }
            }
        }
    }

    /// A PMS property as the file of an integration has it.
    pub(super) fn written(&self, id: &IntegrationId, property: &str) -> String {
        let file = self.files.integrations.get(id.as_str());
        let file = file.and_then(|read| read.as_ref().ok());
        let mut all = file.into_iter().flat_map(|file| &file.value.pms_properties);
        let own = all.find(|one| is_same_property(one, property));
        own.map_or(property, String::as_str).to_owned()
    }

    /// Why a file does not come into effect although it is right.
    pub(super) fn refused(&self, refusal: &Refusal) -> Problem {
        let Refusal { id, property, why } = refusal;
        let message = match why {
            Why::Taken {
                by,
                with_people: true,
            } => format!(
                "`{property}` stands in config/integrations/{by}.yaml too, and feeds one integration: `{by}` goes on, because its people are linked; remove it from one of the two files, or give the people to this one by `epms integration rename {by} {id}`"
            ),
            Why::Taken {
                by,
                with_people: false,
            } => format!(
                "`{property}` stands in config/integrations/{by}.yaml too, and feeds one integration; remove it from one of the two files"
            ),
            Why::Several { of, rivals } => {
                let rivals: Vec<String> = rivals
                    .iter()
                    .map(|rival| format!("config/integrations/{rival}.yaml"))
                    .collect();
                format!(
                    "the people of `{property}` are linked to `{of}`, which does not name it any more, and it stands in {} too; remove it from all files but one, or say whose they are by `epms integration rename {of} {id}`",
                    rivals.join(", ")
                )
            }
            Why::GivenBack { to } => format!(
                "the people of `{property}` were given back to `{to}` by hand; where they are this one's all the same, say so by `epms integration rename {to} {id}`, and where they are gone, by `epms integration retire {to}`"
            ),
        };
        let problem = match self.files.integrations.get(id.as_str()) {
            Some(Ok(file)) => {
                let all = &file.value.pms_properties;
                let index = all.iter().position(|one| one == property).unwrap_or(0);
                file.document
                    .problem(&format!("pms_properties.{index}"), message)
            }
            _ => Problem {
                file: PathBuf::from(format!("config/integrations/{id}.yaml")),
                place: None,
                field: "pms_properties".into(),
                message,
                code: Code::Conflict,
            },
        };
        problem.coded(Code::Conflict)
    }
}
