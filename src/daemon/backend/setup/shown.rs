//! A set-up as its pages show it. No secret is in it.

use std::collections::BTreeMap;

use crate::config::{Connector, Credential, Files, Read};
use crate::control::setup::{
    Setup, SetupConnector, SetupCredential, SetupField, SetupFile, SetupForeseen, SetupPerson,
    SetupProperty, SetupStatus, SetupStep,
};
use crate::daemon::drafts::Draft;
use crate::model::{ChangeKind, Field, IntegrationId, Preview, Problem, Problems};
use crate::setup::account::{in_order, title};
use crate::setup::difference::{self, Is};
use crate::setup::edit::Edit;

use super::plan::{self, Planned};
use super::{Around, as_if};

/// So many people stand in a preview.
const PEOPLE: usize = 300;

pub(super) fn shown(key: Option<String>, draft: &Draft, around: &Around) -> Setup {
    let files = Files::read(&around.home);
    let connector = files.connectors.get(&draft.connector);
    let connector = connector.and_then(|read| read.as_ref().ok());
    let words = draft
        .statuses
        .clone()
        .unwrap_or_else(|| plan::words(draft, &files));
    let (properties, unlisted) = properties(draft);
    let (statuses, uncounted) = statuses(draft, &words);
    let counted = draft
        .counted
        .as_ref()
        .and_then(|counted| counted.as_ref().ok());
    let is_known = |id: &String| {
        let listed = properties.iter().flatten();
        let mut listed = listed.filter(|one| one.feeds.is_none());
        listed.any(|one| one.id == *id)
    };
    let typed = draft.properties.iter().filter(|id| !is_known(id));
    let is_used = |word: &String| {
        let mut used = statuses.iter().flatten();
        used.any(|one| one.word.trim().eq_ignore_ascii_case(word.trim()))
    };
    let unused = words.iter().filter(|word| !is_used(word));
    let mut setup = Setup {
        draft: key,
        integration: draft.integration.clone(),
        reached: draft.reached,
        trouble: draft.trouble.clone(),
        connectors: connectors(&files, around),
        connector: draft.connector.clone(),
        credentials: credentials(&files, &draft.connector),
        credential: draft.credential.clone(),
        is_new: draft.is_new,
        ask_vendor_for: connector.map_or_else(Vec::new, |file| file.value.ask_vendor_for.clone()),
        notes: connector.map_or_else(Vec::new, |file| file.value.notes.clone()),
        fields: connector.map_or_else(Vec::new, |file| fields(draft, &in_order(file))),
        unlisted,
        typed_properties: joined(typed),
        chosen: draft.properties.clone(),
        each: draft.each,
        ids: Vec::new(),
        details: draft.details.clone(),
        zones: zones(),
        uncounted,
        typed_statuses: joined(unused),
        are_inherited: draft.statuses.is_none() && !words.is_empty(),
        left_out: counted.map_or_else(Vec::new, |shown| {
            let left_out = shown.left_out.iter();
            left_out
                .map(|one| (one.reason.clone(), one.residents))
                .collect()
        }),
        rejected: counted
            .filter(|shown| shown.rejected > 0)
            .map(|shown| (shown.rejected, shown.first.clone().unwrap_or_default())),
        properties,
        statuses,
        foreseen: Vec::new(),
        not_foreseen: 0,
        files: Vec::new(),
        secrets: Vec::new(),
        by_hand: Vec::new(),
        problems: Vec::new(),
        digest: String::new(),
        enabled: draft.details.enabled.unwrap_or(true),
        patch: None,
        unwritable: None,
        root: None,
        is_checkout: false,
    };
    let is_there = draft.integration.is_some();
    if draft.reached == SetupStep::Preview || draft.each {
        match plan::plan(draft, around, true) {
            Ok(planned) => would_be(&mut setup, draft, &planned, around),
            Err(told) if draft.reached == SetupStep::Preview => {
                setup.trouble.get_or_insert((SetupStep::Preview, told));
            }
            Err(_) => {}
        }
    }
    if is_there {
        setup.secrets.clear();
    }
    setup
}

fn joined<'t>(texts: impl Iterator<Item = &'t String>) -> String {
    let texts: Vec<&str> = texts.map(String::as_str).collect();
    texts.join(", ")
}

/// What would be written, and what of it would be wrong.
fn would_be(setup: &mut Setup, draft: &Draft, planned: &Planned, around: &Around) {
    setup.ids.clone_from(&planned.becomes);
    setup.by_hand = planned.by_hand.iter().map(Edit::by_hand).collect();
    if draft.reached != SetupStep::Preview {
        return;
    }
    setup.digest = difference::digest(&planned.files);
    setup.files = planned
        .files
        .iter()
        .map(|file| SetupFile {
            name: file.name.display().to_string(),
            is_new: file.before.is_none(),
            lines: difference::lines(file)
                .into_iter()
                .map(|line| (word(line.is), line.text))
                .collect(),
        })
        .collect();
    setup.secrets = draft
        .secrets
        .iter()
        .filter(|_| draft.is_new)
        .map(|(field, pasted)| (field.clone(), pasted.file.display().to_string()))
        .collect();
    setup.problems = problems(planned, around);
    if let Some(foreseen) = &draft.foreseen
        && foreseen.digest == setup.digest
    {
        setup.foreseen.clone_from(&foreseen.each);
        setup.not_foreseen = foreseen.more;
    }
    let secrets = draft.secrets.values().map(|pasted| pasted.file.as_path());
    let names = planned.files.iter().map(|file| file.name.as_path());
    let names = names.chain(secrets.filter(|_| draft.is_new));
    setup.unwritable = difference::unwritable(&around.home, names);
    let checkout = difference::checkout(&around.home);
    setup.is_checkout = checkout.is_some();
    let root = checkout.unwrap_or_else(|| around.home.root().to_owned());
    if setup.unwritable.is_some() {
        setup.patch = Some(difference::patch(&around.home, &root, &planned.files));
    }
    if setup.unwritable.is_some() || setup.is_checkout {
        setup.root = Some(root.display().to_string());
    }
}

fn word(is: Is) -> &'static str {
    match is {
        Is::New => "new",
        Is::Gone => "gone",
        Is::Same => "same",
        Is::LeftOut => "left_out",
    }
}

/// What would be wrong with the files, and is not wrong already.
pub(super) fn problems(planned: &Planned, around: &Around) -> Vec<Problem> {
    let catalog = as_if(&planned.files, around);
    let names = |problem: &Problem| planned.files.iter().any(|file| file.name == problem.file);
    let mut problems: Vec<Problem> = Vec::new();
    for id in &planned.ids {
        let slot = catalog.integrations.get(&IntegrationId::new(id));
        problems.extend(slot.map_or_else(Vec::new, |slot| slot.problems.clone()));
    }
    problems.extend(catalog.problems.into_iter().filter(names));
    problems.dedup();
    Problems(problems).sorted().0
}

fn connectors(files: &Files, around: &Around) -> Vec<SetupConnector> {
    let reads = |read: &Read<Connector>| {
        read.as_ref()
            .map_or(true, |file| file.value.target.is_none())
    };
    let all = files.connectors.iter().filter(|(_, read)| reads(read));
    let each = all.map(|(name, read)| SetupConnector {
        title: title(&around.home, name).unwrap_or_default(),
        credentials: credentials(files, name).len(),
        problem: first(read),
        name: name.clone(),
    });
    each.collect()
}

fn first<T>(read: &Read<T>) -> Option<String> {
    let problems = read.as_ref().err()?;
    problems.first().map(ToString::to_string)
}

fn credentials(files: &Files, connector: &str) -> Vec<SetupCredential> {
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    for file in files
        .integrations
        .values()
        .filter_map(|read| read.as_ref().ok())
    {
        *used.entry(&file.value.credential).or_default() += 1;
    }
    let is_of_it = |read: &Read<Credential>| {
        read.as_ref()
            .is_ok_and(|file| file.value.connector == connector)
    };
    let all = files.credentials.iter().filter(|(_, read)| is_of_it(read));
    let each = all.map(|(name, read)| SetupCredential {
        integrations: used.get(name.as_str()).copied().unwrap_or_default(),
        problem: first(read),
        name: name.clone(),
    });
    each.collect()
}

fn fields(draft: &Draft, asked: &[(&str, &crate::config::CredentialField)]) -> Vec<SetupField> {
    let each = asked.iter().map(|(name, field)| SetupField {
        name: (*name).to_owned(),
        help: field.help.clone().unwrap_or_default(),
        is_secret: field.secret,
        default: field.default.clone(),
        value: draft.fields.get(*name).cloned().unwrap_or_default(),
        is_kept: field.secret && draft.secrets.contains_key(*name),
    });
    each.collect()
}

fn properties(draft: &Draft) -> (Option<Vec<SetupProperty>>, Option<String>) {
    let all = match &draft.listed {
        None => return (None, None),
        Some(Err(told)) => return (None, Some(told.clone())),
        Some(Ok(all)) => all,
    };
    let own = draft.integration.as_ref().map(IntegrationId::as_str);
    let each = all.iter().map(|one| SetupProperty {
        id: one.id.clone(),
        name: one.name.clone(),
        feeds: one
            .integration
            .clone()
            .filter(|id| Some(id.as_str()) != own),
        chosen: draft.properties.contains(&one.id),
    });
    let mut each: Vec<SetupProperty> = each.collect();
    let mut free = each.iter_mut().filter(|one| one.feeds.is_none());
    // Where there is only one, it is meant.
    if let (Some(only), None, true) = (free.next(), free.next(), draft.properties.is_empty()) {
        only.chosen = true;
    }
    (Some(each), None)
}

fn statuses(draft: &Draft, words: &[String]) -> (Option<Vec<SetupStatus>>, Option<String>) {
    let shown = match &draft.counted {
        None => return (None, None),
        Some(Err(told)) => return (None, Some(told.clone())),
        Some(Ok(shown)) => shown,
    };
    // A word may mean several things; it is left out as a whole.
    let mut each: Vec<SetupStatus> = Vec::new();
    for one in &shown.statuses {
        let who = one
            .who
            .iter()
            .map(|who| (who.name.clone(), who.unit.clone()));
        if let Some(known) = each.iter_mut().find(|known| known.word == one.word) {
            known.residents += one.residents;
            known.who.extend(who);
            continue;
        }
        each.push(SetupStatus {
            word: one.word.clone(),
            status: one.status,
            residents: one.residents,
            excluded: words
                .iter()
                .any(|word| word.trim().eq_ignore_ascii_case(one.word.trim())),
            who: who.collect(),
        });
    }
    (Some(each), None)
}

fn zones() -> Vec<String> {
    let all = jiff::tz::db().available();
    let has_place = |name: &String| name.contains('/') && !name.starts_with("Etc/");
    all.map(|name| name.to_string()).filter(has_place).collect()
}

/// What a count is of, for whoever never saw a report.
fn said(what: &str) -> Option<&'static str> {
    Some(match what {
        "seen" => "seen",
        "created" => "come in",
        "linked" => "are here already",
        "updated" => "are written",
        "unchanged" => "stay as they are",
        "held" => "wait, with a question",
        "flagged" => "are asked about",
        "excluded" => "are left out",
        "ineligible" => "do not live there now",
        "rejected" => "cannot be mapped",
        _ => return None,
    })
}

/// What the first run would do, for whoever looks at it.
pub(super) fn foreseen(id: &IntegrationId, preview: &Preview) -> SetupForeseen {
    let counts = serde_json::to_value(preview.report.counts).unwrap_or_default();
    let counts = counts.as_object().into_iter().flatten();
    let counts = counts.filter_map(|(what, count)| Some((said(what)?.to_owned(), count.as_u64()?)));
    let shows = |kind: ChangeKind| !matches!(kind, ChangeKind::Locked | ChangeKind::Unlocked);
    let all: Vec<_> = preview
        .changes
        .iter()
        .filter(|one| shows(one.kind))
        .collect();
    let people = all.iter().take(PEOPLE).map(|change| {
        let after = |field: Field| {
            let fields = change.fields.iter();
            let mut fields = fields.filter(|one| one.field == field);
            fields.find_map(|one| one.after.clone()).unwrap_or_default()
        };
        SetupPerson {
            name: preview
                .names
                .get(&change.person)
                .cloned()
                .unwrap_or_default(),
            what: match change.kind {
                ChangeKind::Created => "comes in".to_owned(),
                ChangeKind::Linked => "is here already".to_owned(),
                kind => kind.to_string(),
            },
            unit: after(Field::Unit),
            status: after(Field::Status),
        }
    });
    let mut alerts: BTreeMap<String, u64> = BTreeMap::new();
    for alert in &preview.raised {
        *alerts.entry(alert.kind.as_str().to_owned()).or_default() += 1;
    }
    SetupForeseen {
        id: id.to_string(),
        outcome: preview.report.outcome.as_str().to_owned(),
        reason: preview.report.outcome.reason().map(str::to_owned),
        counts: counts.filter(|(_, count)| *count > 0).collect(),
        people: people.collect(),
        more: all.len().saturating_sub(PEOPLE),
        left_out: preview.report.excluded_by.clone().into_iter().collect(),
        alerts: alerts.into_iter().collect(),
    }
}
