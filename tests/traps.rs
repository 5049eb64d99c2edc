//! Every trap of every PMS, as it shows to whoever asks `epms explain`: the decision with its rule and reason, the
//! open alerts, and what became of the person. Every local PMS starts with the same traps, those of the demo too.

#![allow(clippy::unwrap_used)]

mod support;

use epms::model::{AlertKind, Explanation};
use epms::sandbox::{Kind, Trap};
use insta::assert_snapshot;
use support::{Daemon, Home, pms};

const TRAPS: [(Trap, &str); 20] = [
    (Trap::DepartedRoommate, "departed roommate"),
    (Trap::NoEmail, "no email"),
    (Trap::PlaceholderEmail, "placeholder email"),
    (Trap::UnusablePhone, "unusable phone"),
    (Trap::SharedEmail, "shared email"),
    (Trap::Company, "company"),
    (Trap::PseudoUnit, "pseudo unit"),
    (Trap::LeaseReversed, "lease reversed"),
    (Trap::Padded, "padded"),
    (Trap::MonthToMonthOver, "month to month, over"),
    (Trap::MonthToMonthOpen, "month to month, open"),
    (Trap::Guarantor, "guarantor"),
    (Trap::Minor, "minor"),
    (Trap::Accented, "accented"),
    (Trap::LongGone, "long gone"),
    (Trap::RenewalAhead, "renewal ahead"),
    (Trap::TwoUnitSpaces, "two unit spaces"),
    (Trap::LoneObject, "lone object"),
    (Trap::PaddedKeys, "padded keys"),
    (Trap::ShortStatus, "short status"),
];

/// One whose companies are named like companies, as the scripts can tell them only by that.
const SEED: u64 = 2;

/// Each trap that a PMS has, and how it shows.
async fn traps_of(kind: Kind) -> String {
    let pms = pms(kind, SEED, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let mut text = String::new();
    for (trap, name) in TRAPS {
        let trapped = pms.world().trapped(trap).first().copied();
        let Some(id) = trapped.and_then(|one| pms.person_id(one)) else {
            continue;
        };
        let mut told = explained(&daemon, &id).await;
        // What the PMS calls a person may be a part of what the script calls the resident.
        let named = told.live.iter().flat_map(|live| &live.steps);
        let named = named
            .flat_map(|step| &step.residents)
            .map(|one| &one.mapped.id);
        if let Some(resident) = named
            .into_iter()
            .find(|one| **one != id && one.ends_with(&id))
            .cloned()
        {
            told = explained(&daemon, &resident).await;
        }
        text += &format!("{name}: {}\n", shown(&told));
    }
    text
}

async fn explained(daemon: &Daemon, id: &str) -> Explanation {
    let path = format!("/v1/integrations/elm/residents/{id}?live=true");
    let answer = daemon.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

fn shown(told: &Explanation) -> String {
    let mut parts: Vec<String> = told
        .decisions
        .iter()
        .map(|one| {
            [one.fate.as_str(), &one.rule, &one.reason]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    let live = told.live.as_ref().unwrap();
    if live.steps.is_empty() {
        return "the PMS does not send them".to_owned();
    }
    let alerts = told.alerts.iter().map(|alert| alert.kind);
    parts.extend(
        alerts
            .filter(|kind| *kind != AlertKind::MultipleCurrentLeases)
            .map(|kind| format!("alert {kind}")),
    );
    if let Some(person) = &told.person {
        let stay = person.stays.values().next().unwrap();
        let mut words = vec![stay.status.to_string()];
        words.push(match stay.lease_end {
            None => "no lease end".to_owned(),
            Some(end) if end < epms::sandbox::today() => "lease over".to_owned(),
            Some(_) => "lease runs".to_owned(),
        });
        words.extend(person.phone.is_none().then(|| "no phone".to_owned()));
        let units = stay.unit.iter().chain(&stay.more_units).count();
        words.extend((units != 1).then(|| format!("{units} units")));
        let name = format!("{} {}", person.first_name, person.last_name);
        words.extend((!name.is_ascii()).then(|| "accents kept".to_owned()));
        parts.push(words.join(", "));
    }
    let records = live.steps.len();
    let others = live
        .steps
        .iter()
        .flat_map(|step| &step.residents)
        .filter(|one| one.mapped.id == told.resident)
        .map(|one| {
            format!(
                "{} `{}`",
                one.mapped.relationship.as_str(),
                one.mapped.status_word
            )
        });
    parts.push(format!(
        "{records} record: {}",
        others.collect::<Vec<_>>().join(", ")
    ));
    parts.join(" · ")
}

#[tokio::test]
async fn the_traps_of_appfolio_show() {
    assert_snapshot!(traps_of(Kind::AppFolio).await, @r"
    departed roommate: ineligible R7 past does not come in new · 1 record: co_resident `Past`
    no email: held R17 it has no email · alert missing_email · 1 record: primary `Notice`
    placeholder email: held R17 it has no email · alert missing_email · 1 record: primary `Evict`
    unusable phone: rejected R12 lease_end: lies before lease_start (R12); correct the lease in the PMS · alert mapping_failed · 1 record: primary `Current`
    shared email: held R16 another resident has the same email · alert duplicate_emails · 1 record: primary `Current`
    company: excluded R6 company · 1 record: company `Current`
    pseudo unit: created R17 · pending, lease runs, accents kept · 1 record: primary `Future`
    lease reversed: rejected R12 lease_end: lies before lease_start (R12); correct the lease in the PMS · alert mapping_failed · 1 record: primary `Current`
    padded: created R17 · current, lease runs · 1 record: primary `Current`
    month to month, over: created R17 · current, lease over · 1 record: primary `Current`
    month to month, open: created R17 · current, no lease end · 1 record: primary `Current`
    guarantor: the PMS does not send them
    minor: the PMS does not send them
    accented: created R17 · current, lease runs, no phone · 1 record: primary `Current`
    long gone: ineligible R7 past does not come in new · 1 record: primary `Past`
    ");
}

#[tokio::test]
async fn the_traps_of_entrata_show() {
    assert_snapshot!(traps_of(Kind::Entrata).await, @r"
    departed roommate: ineligible R7 past does not come in new · 1 record: co_resident `Past`
    no email: held R17 it has no email · alert missing_email · 1 record: primary `Notice`
    placeholder email: held R17 it has no email · alert missing_email · 1 record: primary `Current`
    unusable phone: rejected R12 lease_end: lies before lease_start (R12); correct the lease in the PMS · alert mapping_failed · 1 record: primary `Current`
    shared email: held R16 another resident has the same email · alert duplicate_emails · 1 record: primary `Current`
    company: excluded R6 company · 1 record: company `Current`
    pseudo unit: created R17 · pending, lease runs, 0 units, accents kept · 1 record: primary `Future`
    lease reversed: rejected R12 lease_end: lies before lease_start (R12); correct the lease in the PMS · alert mapping_failed · 1 record: primary `Current`
    padded: created R17 · current, lease runs · 1 record: primary `Current`
    month to month, over: created R17 · current, lease over · 1 record: primary `Current`
    month to month, open: created R17 · current, no lease end · 1 record: primary `Current`
    guarantor: excluded R6 guarantor · 1 record: guarantor `Current`
    minor: excluded R6 minor · 1 record: minor `Current`
    accented: created R17 · current, lease runs, no phone · 1 record: primary `Current`
    long gone: ineligible R7 past does not come in new · 1 record: primary `Past`
    renewal ahead: created R17 · current, lease runs · 1 record: primary `Current`
    two unit spaces: held R16 another resident has the same email · alert duplicate_emails · 1 record: primary `Current`
    lone object: created R17 · pending, lease runs · 1 record: primary `Future`
    ");
}

#[tokio::test]
async fn the_traps_of_mri_show() {
    assert_snapshot!(traps_of(Kind::Mri).await, @r"
    departed roommate: ineligible R7 past does not come in new · 1 record: co_resident `Old`
    no email: held R17 it has no email · alert missing_email · 1 record: primary `Current`
    placeholder email: held R17 it has no email · alert missing_email · 1 record: primary `Current`
    unusable phone: rejected R12 lease_end: lies before lease_start (R12); correct the lease in the PMS · alert mapping_failed · 1 record: primary `Current`
    shared email: held R16 another resident has the same email · alert duplicate_emails · 1 record: primary `Current`
    company: excluded R6 company · 1 record: company `Current`
    pseudo unit: created R17 · pending, no lease end, accents kept · 1 record: primary `New`
    lease reversed: rejected R12 lease_end: lies before lease_start (R12); correct the lease in the PMS · alert mapping_failed · 1 record: primary `Current`
    padded: created R17 · current, lease runs · 1 record: primary `Current`
    month to month, over: created R17 · current, lease over · 1 record: primary `Current`
    month to month, open: created R17 · current, no lease end · 1 record: primary `Current`
    guarantor: excluded R6 guarantor · 1 record: guarantor `R`
    minor: excluded R6 minor · 1 record: minor `R`
    accented: created R17 · current, lease runs, no phone · 1 record: primary `Current`
    long gone: ineligible R7 past does not come in new · 1 record: primary `O`
    padded keys: held R17 it has no email · alert missing_email · 1 record: primary `Current`
    short status: excluded R6 guarantor · 1 record: guarantor `R`
    ");
}

#[tokio::test]
async fn the_traps_of_realpage_show() {
    assert_snapshot!(traps_of(Kind::RealPage).await, @r"
    departed roommate: ineligible R7 past does not come in new · 1 record: co_resident `Current`
    no email: held R17 it has no email · alert missing_email · 1 record: primary `Current`
    placeholder email: held R17 it has no email · alert missing_email · 1 record: primary `Current`
    unusable phone: rejected R12 lease_end: lies before lease_start (R12); correct the lease in the PMS · alert mapping_failed · 1 record: primary `Current`
    shared email: held R16 another resident has the same email · alert duplicate_emails · 1 record: primary `Current`
    company: excluded R6 company · 1 record: company `Current`
    pseudo unit: created R17 · pending, lease runs, 0 units, accents kept · 1 record: primary `Applicant - Lease Signed`
    lease reversed: rejected R12 lease_end: lies before lease_start (R12); correct the lease in the PMS · alert mapping_failed · 1 record: primary `Current`
    padded: created R17 · current, lease runs · 1 record: primary `Current`
    month to month, over: created R17 · current, lease over · 1 record: primary `Current`
    month to month, open: created R17 · current, no lease end · 1 record: primary `Current`
    guarantor: excluded R6 guarantor · 1 record: guarantor `Current`
    minor: excluded R6 minor · 1 record: minor `Current`
    accented: created R17 · current, lease runs, no phone · 1 record: primary `Current`
    long gone: ineligible R7 past does not come in new · 1 record: primary `Former`
    renewal ahead: created R17 · ineligible R21 another lease of this person counts · current, lease runs · 2 record: primary `Current`, primary `Future Lease`
    ");
}

#[tokio::test]
async fn the_traps_of_yardi_show() {
    assert_snapshot!(traps_of(Kind::Yardi).await, @r"
    departed roommate: ineligible R7 past does not come in new · 1 record: co_resident `Current`
    no email: held R17 it has no email · alert missing_email · 1 record: primary `Notice`
    placeholder email: held R17 it has no email · alert missing_email · 1 record: primary `Eviction`
    unusable phone: rejected R12 lease_end: lies before lease_start (R12); correct the lease in the PMS · alert mapping_failed · 1 record: primary `Current`
    shared email: held R16 another resident has the same email · alert duplicate_emails · 1 record: primary `Current`
    company: excluded R6 company · 1 record: company `Current`
    pseudo unit: excluded R6 pseudo unit WAIT · 1 record: primary `Future`
    lease reversed: rejected R12 lease_end: lies before lease_start (R12); correct the lease in the PMS · alert mapping_failed · 1 record: primary `Current`
    padded: created R17 · current, lease runs · 1 record: primary `Current`
    month to month, over: created R17 · current, lease over · 1 record: primary `Current`
    month to month, open: created R17 · current, no lease end · 1 record: primary `Current`
    guarantor: created R17 · current, lease over, no phone · 1 record: co_resident `Current`
    minor: held R17 it has no email · alert missing_email · 1 record: co_resident `Current`
    accented: created R17 · current, lease runs, no phone · 1 record: primary `Current`
    long gone: the PMS does not send them
    ");
}
