//! A target, as its worker reaches it: the way there, what is there in its script's words, and whether the places that its file
//! names are there. It asks for lists alone, and does nothing there.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::catalog::{Target, TargetSlot};
use crate::control::client::{Client, ClientError};
use crate::model::{Problems, TargetId};
use crate::source::{Operation, Reader, SourceError};

use super::super::Exit;
use super::super::discover::places::strange;
use super::super::status::number;
use super::super::there::{ReadBack, There, lived_in, unlisted};
use super::check::Check;
use super::pms::{Way, failed, told_until};

/// More units than this are not named.
const NAMED: usize = 10;

/// Whether its files are right.
pub(super) fn files(id: &TargetId, slot: &TargetSlot) -> Check {
    let did = format!("read config/targets/{id}.yaml and what it names");
    if !slot.problems.is_empty() {
        let saw = Problems(slot.problems.clone()).to_string();
        let remedy = "correct them; `epms check` shows the lines";
        return Check::fail("files", did, saw, remedy).ends(Exit::Invalid);
    }
    let on = slot
        .current
        .as_ref()
        .is_none_or(|target| target.config.enabled);
    let saw = if on {
        "all is right"
    } else {
        "all is right, and it is switched off: nothing is sent, and what was granted stays"
    };
    Check::ok("files", did, saw)
}

/// Looks at the way to a target, and at what is there.
pub(super) async fn look(
    target: &Target,
    reader: &Reader,
    client: &Client,
    now: Timestamp,
    seen: &mut BTreeSet<String>,
) -> Vec<Check> {
    let there = There::of(target, now);
    let scope = there.scope();
    let way = Way {
        name: there.name,
        credential: there.credential,
        source: there.source,
        home: there.home,
        scope: &scope,
    };
    let mut checks = Vec::new();
    if let Some(account) = way.look(reader, seen, &mut checks).await {
        let account = account.asked_once();
        lists(target, &there, reader, &account, &mut checks).await;
        checks.extend(told_until(there.name, &account, now));
    }
    checks.extend(units(target, client).await);
    let notes = target.source.notes().iter();
    checks.extend(notes.map(|note| Check::skip("note", "cannot be seen from here", note)));
    checks
}

/// The login, what is there, and what can be granted.
async fn lists(
    target: &Target,
    there: &There<'_>,
    reader: &Reader,
    account: &crate::outbound::Account,
    checks: &mut Vec<Check>,
) {
    let source = &target.source;
    let login = format!("showed the credential {}", there.name);
    let takes = "the target takes it";
    if source.logs_in() {
        if let Err(error) = Box::pin(reader.log_in(source, account, &there.scope())).await {
            checks.push(failed("login", &login, &error));
            return;
        }
        checks.push(Check::ok(
            "login",
            &login,
            "the target gives a token for it",
        ));
    }
    let Some(script) = target
        .script
        .as_ref()
        .filter(|_| source.can(Operation::List))
    else {
        if !source.logs_in() {
            let unseen = "whether the target takes it does not show: it is told of events, and nothing is read there";
            checks.push(Check::skip("login", login, unseen));
        }
        return;
    };
    let did = "read back what is there (target.list)";
    let read = there.read_back(reader, account, script).await;
    if !source.logs_in() {
        checks.push(match &read {
            Ok(_) => Check::ok("login", &login, takes),
            Err(error @ SourceError::LoginFailed(_)) => {
                checks.push(failed("login", &login, error));
                return;
            }
            // What is denied shows no more of the login than what does not answer.
            Err(_) => {
                let unseen = "whether the target takes it does not show: there was no list";
                Check::skip("login", &login, unseen)
            }
        });
    }
    match read {
        Ok(back) => {
            let records = number(back.records as u64, "record", "records");
            checks.push(Check::ok("list", did, records));
            checks.push(held(&back, &target.id));
        }
        Err(error) => {
            checks.push(failed("list", did, &error));
            // What keeps one list away is told once.
            if !matches!(error, SourceError::Denied(_) | SourceError::Unexpected(_)) {
                return;
            }
        }
    }
    checks.push(places(target, there, reader, account).await);
}

/// What the script makes of what is there.
fn held(back: &ReadBack, id: &TargetId) -> Check {
    let did = "mapped it by `held` of the script";
    let count = |is: &dyn Fn(&crate::script::HeldRecord) -> bool| {
        back.held.iter().filter(|one| is(one)).count()
    };
    let passed_over = back.records.saturating_sub(back.held.len() + back.failed);
    let counts = [
        (count(&|one| !one.others), "ours"),
        (count(&|one| one.others), "granted by others"),
        (count(&|one| one.off), "open nothing"),
        (count(&|one| one.visit), "that a door has not heard of"),
        (passed_over, "none of ours to look at"),
    ];
    let counts = counts.into_iter().enumerate();
    // Of ours it is told that there are none.
    let counts = counts.filter(|(at, (count, _))| *at == 0 || *count > 0);
    let told: Vec<String> = counts
        .map(|(_, (count, what))| format!("{count} {what}"))
        .collect();
    let told = told.join(", ");
    if let Some(error) = &back.first {
        let records = number(back.failed as u64, "record", "records");
        let saw =
            format!("{records} could not be mapped; the first: {error}; of the others {told}");
        let remedy = "correct the script: until then nothing is compared, and nothing is sent; `epms map` shows what it makes of a recorded answer";
        return Check::fail("held", did, saw, remedy).ends(Exit::Invalid);
    }
    if back.held.iter().any(|one| one.visit) {
        let remedy = format!(
            "somebody must go to these doors; `epms deliveries --target {id} --state visit` says whose access it is"
        );
        return Check::warn("held", did, told, remedy);
    }
    Check::ok("held", did, told)
}

/// Whether the places that the file names are there.
async fn places(
    target: &Target,
    there: &There<'_>,
    reader: &Reader,
    account: &crate::outbound::Account,
) -> Check {
    let named = &target.config.places;
    let did = "compared `places` of the file with what can be granted (target.places)";
    if !target.source.can(Operation::Places) {
        let unseen = "the connector does not say how to list what can be granted";
        return Check::skip("places", did, unseen);
    }
    let listed = match there.places(reader, account).await {
        Ok(listed) => listed,
        Err(error) => return failed("places", did, &error),
    };
    let strange: Vec<String> = unlisted(named, &listed).iter().map(strange).collect();
    let there_are = number(listed.len() as u64, "place", "places");
    if !strange.is_empty() {
        let remedy = format!(
            "correct them, or see that the account may grant them; `epms discover {}` lists what there is",
            target.id
        );
        return Check::fail("places", did, strange.join("; "), remedy).ends(Exit::Invalid);
    }
    let all: BTreeSet<String> = named.named().map(|(_, place)| place.to_owned()).collect();
    if all.is_empty() {
        let remedy = format!(
            "nobody gets a place there; `epms discover {} --yaml` gives a block to fill in",
            target.id
        );
        let saw = format!("the file names none of {there_are}");
        return Check::warn("places", did, saw, remedy);
    }
    let saw = format!(
        "{} of {there_are} are named, and all of those are there",
        all.len()
    );
    Check::ok("places", did, saw)
}

/// Whether the units that people live in have a place.
async fn units(target: &Target, client: &Client) -> Option<Check> {
    let places = &target.config.places;
    // Where the file maps no units, nobody's unit needs one.
    if places.map.is_empty() {
        return None;
    }
    let did = "compared `places.map` with the units that people live in";
    let mut units = match lived_in(client, target.serves.keys()).await {
        Ok(units) => units,
        Err(ClientError::NotRunning { .. }) => {
            let unseen = "no daemon answers, which would tell who lives where";
            return Some(Check::skip("units", did, unseen));
        }
        Err(error) => return Some(Check::skip("units", did, error.to_string())),
    };
    let all = number(units.len() as u64, "unit", "units");
    units.retain(|unit| !unit.has_place(places));
    if units.is_empty() {
        return Some(Check::ok(
            "units",
            did,
            format!("{all}, each with its places"),
        ));
    }
    let labels = units.iter().take(NAMED);
    let labels: Vec<String> = labels
        .map(|unit| format!("{} of {}", unit.label, unit.integration))
        .collect();
    let more = units.len().saturating_sub(NAMED);
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let saw = format!(
        "{} of {all} have no place: {}{more}",
        units.len(),
        labels.join(", ")
    );
    let remedy = format!(
        "whoever lives there keeps what they have, and gets nothing new; add them to `places.map`: `epms discover {} --yaml` gives a block to fill in",
        target.id
    );
    Some(Check::warn("units", did, saw, remedy))
}

/// Gives the token back that the looks needed; none where there was none, or the connector says nothing of it.
pub(super) async fn leave(target: &Target, reader: &Reader, now: Timestamp) -> Option<Check> {
    let name = &target.config.credential;
    if !target.source.logs_out() || !reader.outbound().holds_token(name).await {
        return None;
    }
    let did = format!("gave the token of {name} back");
    Some(match There::of(target, now).leave(reader).await {
        Ok(()) => Check::ok("log-out", did, "the target took it"),
        Err(error) => {
            let remedy = "nothing else fails for it; where the target lets only so many be logged in at once, correct `logout` of the connector";
            Check::warn("log-out", did, error, remedy)
        }
    })
}
