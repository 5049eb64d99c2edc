//! `epms doctor`: whether PMSs, targets, this machine and the daemon are as they should be. It changes nothing, here
//! or there, and needs no daemon.

mod check;
mod machine;
mod notices;
mod pms;
mod store;
mod target;
mod web;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde::Serialize;

use crate::catalog::{self, Catalog, Slot, TargetSlot};
use crate::config::{Environment, Home};
use crate::control::client::Client;
use crate::model::{IntegrationId, Problems, TargetId};
use crate::source::Reader;

use super::discover::places::nothing_called;
use super::table::{Cell, Table, Tone, clean};
use super::view::View;
use super::{Exit, Failure, Screen};

use check::{Check, Mark};

/// What to look at.
#[derive(Debug, Args)]
#[command(after_help = "\
says for each check what it did, what it saw, and what to do. each step to a
PMS or a target is tried once, and its requests count in its own budget. at a
target nothing is done: it is read back, its places are listed. ends with 1
when a check failed, or with 2 where a file is wrong first, 3 where something
is out of reach, 5 where you may not ask; warnings do not count

examples
  epms doctor
  epms doctor 123-building-name
  epms doctor acme-door
  epms doctor --json")]
pub struct DoctorArguments {
    /// this one alone [default: all that are switched on]
    #[arg(value_name = "INTEGRATION|TARGET", value_parser = super::integration_id)]
    pub name: Option<IntegrationId>,
}

#[derive(Serialize)]
struct Examined {
    /// `machine`, an integration or a target.
    about: String,
    checks: Vec<Check>,
}

pub(super) async fn run(
    arguments: &DoctorArguments,
    json: bool,
    home: &Home,
    socket: Option<PathBuf>,
    environment: &Environment,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let now = Timestamp::now();
    let catalog = catalog::load(home, None, now);
    let name = arguments.name.as_ref();
    let (asked, targets) = (asked(&catalog, name), asked_targets(&catalog, name));
    if let Some(name) = name
        && asked.is_empty()
        && targets.is_empty()
    {
        return Err(nothing_called(&catalog, name.as_str()));
    }
    let bar = if screen.progress {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    bar.enable_steady_tick(Duration::from_millis(120));
    bar.set_message("looking at this machine");
    let state = home.state(&catalog.settings, environment);
    let socket = socket.map_or_else(
        || home.socket(&catalog.settings, environment),
        |path| environment.current.join(path),
    );
    let mut checks = vec![machine::files(&catalog, home.root())];
    checks.extend(machine::state(&state));
    let free = machine::free(&state);
    checks.push(machine::disk(&state, free));
    let client = Client::new(&socket)?;
    checks.push(machine::socket(&client, &catalog.settings).await);
    checks.extend(store::look(&client, &state, home, free).await);
    let reader = Reader::new().map_err(|error| Failure::other(Exit::Failed, error.to_string()))?;
    checks.push(machine::roots(reader.outbound().roots()));
    checks.extend(machine::proxies(&environment.proxies));
    checks.extend(notices::look(&catalog.settings.notify, home.root()));
    let of_web = web::look(&catalog.settings, home.root(), reader.outbound(), now);
    checks.extend(Box::pin(of_web).await);
    let mut all = vec![Examined {
        about: "machine".into(),
        checks,
    }];
    let mut seen = BTreeSet::new();
    // Of each credential, whose checks come last: then nobody needs its token any more.
    let mut last = BTreeMap::new();
    for (id, slot) in asked {
        if let Some(integration) = &slot.current {
            last.insert(&integration.config.credential, (all.len(), integration));
        }
        bar.set_message(format!("asking the PMS of {}", clean(id.as_str())));
        all.push(Examined {
            about: id.to_string(),
            checks: examine(id, slot, &reader, now, &mut seen).await,
        });
    }
    for (place, integration) in last.into_values() {
        let left = pms::leave(integration, &reader, now).await;
        if let Some(examined) = all.get_mut(place) {
            examined.checks.extend(left);
        }
    }
    let mut last = BTreeMap::new();
    for (id, slot) in targets {
        bar.set_message(format!("asking the target {}", clean(id.as_str())));
        let mut checks = vec![target::files(id, slot)];
        if let Some(target) = &slot.current {
            last.insert(&target.config.credential, (all.len(), target));
            checks.extend(target::look(target, &reader, &client, now, &mut seen).await);
        }
        all.push(Examined {
            about: id.to_string(),
            checks,
        });
    }
    for (place, target) in last.into_values() {
        let left = target::leave(target, &reader, now).await;
        if let Some(examined) = all.get_mut(place) {
            examined.checks.extend(left);
        }
    }
    bar.finish_and_clear();
    screen.show(json, &all, |all, view| told(all, view))?;
    let failed = all.iter().flat_map(|one| &one.checks);
    let failed = failed
        .filter(|check| check.mark == Mark::Fail)
        .map(|check| check.exit);
    Ok(failed.into_iter().next().unwrap_or(Exit::Done))
}

/// The integrations to look at: the one that was named, or all that are switched on or not right.
fn asked<'a>(
    catalog: &'a Catalog,
    named: Option<&IntegrationId>,
) -> Vec<(&'a IntegrationId, &'a Slot)> {
    let is_on = |slot: &Slot| {
        let current = slot.current.as_ref();
        current.is_none_or(|current| current.config.enabled)
    };
    let all = catalog.integrations.iter();
    all.filter(|(id, slot)| named.map_or_else(|| is_on(slot), |named| named == *id))
        .collect()
}

/// The targets to look at, in the same way.
fn asked_targets<'a>(
    catalog: &'a Catalog,
    named: Option<&IntegrationId>,
) -> Vec<(&'a TargetId, &'a TargetSlot)> {
    let is_on = |slot: &TargetSlot| {
        let current = slot.current.as_ref();
        current.is_none_or(|current| current.config.enabled)
    };
    let is_named = |id: &TargetId, named: &IntegrationId| named.as_str() == id.as_str();
    let all = catalog.targets.iter();
    all.filter(|(id, slot)| named.map_or_else(|| is_on(slot), |named| is_named(id, named)))
        .collect()
}

async fn examine(
    id: &IntegrationId,
    slot: &Slot,
    reader: &Reader,
    now: Timestamp,
    seen: &mut BTreeSet<String>,
) -> Vec<Check> {
    let did = format!("read config/integrations/{id}.yaml and what it names");
    let files = if slot.problems.is_empty() {
        let on = slot
            .current
            .as_ref()
            .is_none_or(|current| current.config.enabled);
        let saw = if on {
            "all is right"
        } else {
            "all is right, and it is switched off"
        };
        Check::ok("files", did, saw)
    } else {
        let saw = Problems(slot.problems.clone()).to_string();
        let remedy = "correct them; `epms check` shows the lines";
        Check::fail("files", did, saw, remedy).ends(Exit::Invalid)
    };
    let mut checks = vec![files];
    if let Some(integration) = &slot.current {
        checks.extend(pms::look(integration, reader, now, seen).await);
    }
    checks
}

fn told(all: &[Examined], view: &View) -> String {
    let mut text = String::new();
    let mut counts = [0; 4];
    for one in all {
        text += &format!("{}\n", clean(&one.about));
        let mut table = Table::of_sides(1);
        for check in &one.checks {
            let (word, tone) = match check.mark {
                Mark::Ok => ("  ok  ", Tone::Good),
                Mark::Warn => ("  warn", Tone::Attention),
                Mark::Fail => ("  fail", Tone::Bad),
                Mark::Skip => ("  –   ", Tone::Faint),
            };
            counts[check.mark as usize] += 1;
            let saw = format!("{}: {}", check.did, check.saw);
            // As wide as the longest, so that all tables stand below each other.
            let name = format!("{:6}", check.name);
            table.row([Cell::new(word, tone), name.into(), saw.into()]);
            if let Some(remedy) = &check.remedy {
                table.row(["".into(), "".into(), Cell::new(format!("→ {remedy}"), tone)]);
            }
        }
        text += &table.render(view);
        text.push('\n');
    }
    let [ok, warn, fail, _] = counts;
    let warnings = if warn == 1 { "warning" } else { "warnings" };
    text + &format!("{ok} ok, {warn} {warnings}, {fail} failed\n")
}
