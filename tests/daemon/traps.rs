//! Every trap of every PMS, as it shows to whoever asks `epms explain`: the decision with its rule and reason, the
//! open alerts, and what became of the person. Every local PMS starts with the same traps, those of the demo too.

use crate::support::{Daemon, Home};
use epms::model::{AlertKind, Explanation};
use epms::sandbox::{
    Household, Kind, Person, PersonId, PropertySpec, Relation, Sandbox, Settings, Status, Trap,
    World, WorldOptions,
};
use insta::assert_snapshot;

const TRAPS: [(Trap, &str); 21] = [
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
    (Trap::ContactLists, "contact lists"),
];

type Fits = fn(&Household, &Person) -> bool;

/// Whom a careless script gets wrong though nothing about their own record is odd.
const OTHERS: [(&str, Fits); 6] = [
    ("on notice", |home, person| {
        home.status == Status::Notice && person.email.is_some()
    }),
    ("under eviction", |home, person| {
        home.status == Status::Eviction && person.email.is_some()
    }),
    ("moves in soon", |home, person| {
        home.status == Status::Future && person.relation == Relation::Primary
    }),
    ("roommate", |home, person| {
        home.status == Status::Current
            && person.relation == Relation::Roommate
            && person.move_out.is_none()
            && person.email.is_some()
    }),
    ("applicant", |home, _| home.status == Status::Applicant),
    ("gone with the household", |home, person| {
        home.status == Status::Past && person.relation == Relation::Roommate
    }),
];

/// One whose companies are named like companies, as the scripts can tell them only by that.
const SEED: u64 = 2;

/// Each trap that a PMS has, and how it shows. Where somebody carries another one that hides it, the next one is shown.
async fn traps_of(kind: Kind) -> String {
    let world = World::seeded(WorldOptions {
        seed: SEED,
        properties: vec![PropertySpec {
            code: "elm".into(),
            name: "Elm Court".into(),
        }],
        residents: 120,
        today: epms::sandbox::today(),
    });
    let settings = Settings {
        former: 1,
        ..Settings::default()
    };
    let pms = Sandbox::start(kind, world, settings).await.unwrap();
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let mut text = String::new();
    for (trap, name) in TRAPS {
        let trapped = pms.world().trapped(trap).to_vec();
        if let Some(line) = told_of(&daemon, &pms, &trapped).await {
            text += &format!("{name}: {line}\n");
        }
    }
    for (name, fits) in OTHERS {
        let fitting: Vec<PersonId> = pms
            .world()
            .people()
            .filter(|(home, person)| fits(home, person))
            .map(|(_, person)| person.id)
            .collect();
        if let Some(line) = told_of(&daemon, &pms, &fitting).await {
            text += &format!("{name}: {line}\n");
        }
    }
    text
}

/// Of the first eight, the first whom no other trap keeps out or costs dates; else the first who came in, or of all.
async fn told_of(daemon: &Daemon, pms: &Sandbox, people: &[PersonId]) -> Option<String> {
    let (mut came_in, mut first) = (None, None);
    for one in people.iter().take(8) {
        let Some(id) = pms.person_id(*one) else {
            continue;
        };
        let mut told = explained(daemon, &id).await;
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
            told = explained(daemon, &resident).await;
        }
        let has_bad_dates = told
            .alerts
            .iter()
            .any(|one| one.kind == AlertKind::BadDates);
        let here = told.person.is_some();
        if here && !has_bad_dates {
            return Some(shown(&told));
        }
        let seen = if here { &mut came_in } else { &mut first };
        seen.get_or_insert_with(|| shown(&told));
    }
    came_in.or(first)
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
        words.extend(stay.notice.then(|| "on notice".to_owned()));
        words.extend(stay.eviction.then(|| "under eviction".to_owned()));
        words.extend(stay.move_out.is_some().then(|| "moves out".to_owned()));
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
            let unit = one.mapped.unit.as_ref().map(|unit| unit.label.as_str());
            format!(
                "{} `{}` in {}",
                one.mapped.relationship.as_str(),
                one.mapped.status_word,
                unit.unwrap_or("none")
            )
        });
    parts.push(format!(
        "{records} of {}: {}",
        live.steps[0].request,
        others.collect::<Vec<_>>().join(", ")
    ));
    parts.join(" · ")
}

#[tokio::test]
async fn the_traps_of_appfolio_show() {
    assert_snapshot!(traps_of(Kind::AppFolio).await, @r"
    departed roommate: ineligible R7 past does not come in new · 1 of residents: co_resident `Past` in 101
    no email: held R17 it has no email · alert missing_email · 1 of residents: primary `Current` in 111
    placeholder email: held R17 it has no email · alert missing_email · 1 of residents: primary `Current` in 112
    unusable phone: created R17 · current, no lease end, no phone · 1 of residents: primary `Current` in 107
    shared email: held R16 another resident has the same email · alert duplicate_emails · 1 of residents: primary `Current` in 104
    company: excluded R6 company · 1 of residents: company `Current` in 106
    pseudo unit: created R17 · pending, lease runs, accents kept · 1 of residents: primary `Future` in WAIT
    lease reversed: created R17 dates that cannot be: lease_start, lease_end (R12) · alert bad_dates · current, no lease end · 1 of residents: primary `Current` in 109
    padded: created R17 · current, lease runs · 1 of residents: primary `Current` in 108
    month to month, over: created R17 · current, lease over · 1 of residents: primary `Current` in 105
    month to month, open: created R17 · current, no lease end, no phone · 1 of residents: primary `Current` in 107
    guarantor: the PMS does not send them
    minor: the PMS does not send them
    accented: created R17 · current, lease runs, accents kept · 1 of residents: primary `Current` in 110
    long gone: ineligible R7 past does not come in new · 1 of residents: primary `Past` in 107
    contact lists: created R17 · current, lease runs, on notice, moves out · 1 of residents: primary `Notice` in 102
    on notice: created R17 · current, lease runs, on notice, moves out · 1 of residents: primary `Notice` in 102
    under eviction: created R17 · current, lease runs, under eviction · 1 of residents: primary `Evict` in 103
    moves in soon: created R17 · pending, lease runs · 1 of residents: primary `Future` in 101
    roommate: created R17 · current, lease runs · 1 of residents: co_resident `Current` in 110
    applicant: the PMS does not send them
    gone with the household: ineligible R7 past does not come in new · 1 of residents: co_resident `Past` in 312
    ");
}

#[tokio::test]
async fn the_traps_of_entrata_show() {
    assert_snapshot!(traps_of(Kind::Entrata).await, @r"
    departed roommate: ineligible R7 past does not come in new · 1 of residents: co_resident `Past` in 101
    no email: held R17 it has no email · alert missing_email · 1 of residents: primary `Current` in 111
    placeholder email: held R17 it has no email · alert missing_email · 1 of residents: primary `Current` in 112
    unusable phone: created R17 · current, no lease end, no phone · 1 of residents: primary `Current` in 107
    shared email: held R16 another resident has the same email · alert duplicate_emails · 1 of residents: primary `Current` in 104
    company: excluded R6 company · 1 of residents: company `Current` in 106
    pseudo unit: created R17 · pending, lease runs, 0 units, accents kept · 1 of residents: primary `Future` in none
    lease reversed: created R17 dates that cannot be: lease_start, lease_end (R12) · alert bad_dates · current, no lease end · 1 of residents: primary `Current` in 109
    padded: created R17 · current, lease runs · 1 of residents: primary `Current` in 108
    month to month, over: created R17 · current, lease over · 1 of residents: primary `Current` in 105
    month to month, open: created R17 · current, no lease end, no phone · 1 of residents: primary `Current` in 107
    guarantor: excluded R6 guarantor · 1 of residents: guarantor `Current` in 105
    minor: excluded R6 minor · 1 of residents: minor `Current` in 108
    accented: created R17 · current, lease runs, accents kept · 1 of residents: primary `Current` in 110
    long gone: ineligible R7 past does not come in new · 1 of residents: primary `Past` in 107
    renewal ahead: created R17 · current, lease runs · 1 of residents: primary `Current` in 101
    two unit spaces: created R17 · current, lease runs · 1 of residents: primary `Current` in 204
    lone object: created R17 · pending, lease runs · 1 of residents: primary `Future` in 101
    on notice: created R17 · current, lease runs, on notice, moves out · 1 of residents: primary `Notice` in 102
    under eviction: created R17 · current, lease runs, under eviction · 1 of residents: primary `Current` in 103
    moves in soon: created R17 · pending, lease runs · 1 of residents: primary `Future` in 101
    roommate: created R17 · current, lease runs · 1 of residents: occupant `Current` in 110
    applicant: the PMS does not send them
    gone with the household: ineligible R7 past does not come in new · 1 of residents: co_resident `Past` in 312
    ");
}

#[tokio::test]
async fn the_traps_of_mri_show() {
    assert_snapshot!(traps_of(Kind::Mri).await, @r"
    departed roommate: ineligible R7 past does not come in new · 1 of residents: co_resident `Old` in 01-101
    no email: held R17 it has no email · alert missing_email · 1 of residents: primary `Current` in 01-111
    placeholder email: held R17 it has no email · alert missing_email · 1 of residents: primary `Current` in 01-112
    unusable phone: created R17 · current, no lease end, no phone · 1 of residents: primary `Current` in 01-107
    shared email: held R16 another resident has the same email · alert duplicate_emails · 1 of residents: primary `Current` in 01-104
    company: excluded R6 company · 1 of residents: company `Current` in 01-106
    pseudo unit: created R17 · pending, no lease end, accents kept · 1 of pending_move_ins: primary `New` in 01-WAIT
    lease reversed: created R17 dates that cannot be: lease_start, lease_end (R12) · alert bad_dates · current, no lease end · 1 of residents: primary `Current` in 01-109
    padded: created R17 · current, lease runs · 1 of residents: primary `Current` in 01-108
    month to month, over: created R17 · current, lease over · 1 of residents: primary `Current` in 01-105
    month to month, open: created R17 · current, no lease end, no phone · 1 of residents: primary `Current` in 01-107
    guarantor: excluded R6 guarantor · 1 of residents: guarantor `R` in 01-105
    minor: excluded R6 minor · 1 of residents: minor `R` in 01-108
    accented: created R17 · current, lease runs, accents kept · 1 of residents: primary `Current` in 01-110
    long gone: ineligible R7 past does not come in new · 1 of residents: primary `O` in 01-107
    padded keys: created R17 · current, lease runs · 1 of residents: primary `Current` in 01-103
    short status: excluded R6 guarantor · 1 of residents: guarantor `R` in 01-105
    on notice: created R17 · current, lease runs, on notice, moves out · 1 of residents: primary `Current` in 01-102
    under eviction: created R17 · current, lease runs · 1 of residents: primary `Current` in 01-103
    moves in soon: created R17 · pending, no lease end · 1 of pending_move_ins: primary `New` in 01-101
    roommate: created R17 · current, lease runs · 1 of residents: co_resident `Co-Resident` in 01-110
    applicant: the PMS does not send them
    gone with the household: ineligible R7 past does not come in new · 1 of residents: occupant `Other Resident` in 01-312
    ");
}

#[tokio::test]
async fn the_traps_of_realpage_show() {
    assert_snapshot!(traps_of(Kind::RealPage).await, @r"
    departed roommate: ineligible R7 past does not come in new · 1 of residents: co_resident `Current` in 1-101
    no email: held R17 it has no email · alert missing_email · 1 of residents: primary `Current` in 1-111
    placeholder email: held R17 it has no email · alert missing_email · 1 of residents: primary `Current` in 1-112
    unusable phone: created R17 · current, no lease end, no phone · 1 of residents: primary `Current` in 1-107
    shared email: held R16 another resident has the same email · alert duplicate_emails · 1 of residents: primary `Current` in 1-104
    company: excluded R6 company · 1 of residents: company `Current` in 1-106
    pseudo unit: created R17 · pending, lease runs, 0 units, accents kept · 1 of residents: primary `Applicant - Lease Signed` in none
    lease reversed: created R17 dates that cannot be: lease_start, lease_end (R12) · alert bad_dates · current, no lease end · 1 of residents: primary `Current` in 1-109
    padded: created R17 · current, lease runs · 1 of residents: primary `Current` in 1-108
    month to month, over: created R17 · current, lease over · 1 of residents: primary `Current` in 1-105
    month to month, open: created R17 · current, no lease end, no phone · 1 of residents: primary `Current` in 1-107
    guarantor: excluded R6 guarantor · 1 of residents: guarantor `Current` in 1-105
    minor: excluded R6 minor · 1 of residents: minor `Current` in 1-108
    accented: created R17 · current, lease runs, accents kept · 1 of residents: primary `Current` in 1-110
    long gone: ineligible R7 past does not come in new · 1 of residents: primary `Former` in 1-107
    renewal ahead: created R17 · ineligible R21 another lease of this person counts · current, lease runs · 2 of residents: primary `Current` in 1-101, primary `Future Lease` in 1-101
    on notice: created R17 · current, lease runs, on notice, moves out · 1 of residents: primary `Current` in 1-102
    under eviction: created R17 · current, lease runs, under eviction · 1 of residents: primary `Current` in 1-103
    moves in soon: created R17 · pending, lease runs · 1 of residents: primary `Future Lease` in 1-101
    roommate: created R17 · current, lease runs · 1 of residents: co_resident `Current` in 1-110
    applicant: ineligible R7 applicant does not come in new · 1 of residents: primary `Applicant` in none
    gone with the household: ineligible R7 past does not come in new · 1 of residents: co_resident `Former` in 1-312
    ");
}

#[tokio::test]
async fn the_traps_of_yardi_show() {
    assert_snapshot!(traps_of(Kind::Yardi).await, @r"
    departed roommate: ineligible R7 past does not come in new · 1 of residents: co_resident `Current` in 101
    no email: held R17 it has no email · alert missing_email · 1 of residents: primary `Current` in 111
    placeholder email: held R17 it has no email · alert missing_email · 1 of residents: primary `Current` in 112
    unusable phone: created R17 · current, no lease end, no phone · 1 of residents: primary `Current` in 107
    shared email: held R16 another resident has the same email · alert duplicate_emails · 1 of residents: primary `Current` in 104
    company: excluded R6 company · 1 of residents: company `Current` in 106
    pseudo unit: excluded R6 pseudo unit WAIT · 1 of residents: primary `Future` in WAIT
    lease reversed: created R17 dates that cannot be: lease_start, lease_end (R12) · alert bad_dates · current, no lease end · 1 of residents: primary `Current` in 109
    padded: created R17 · current, lease runs · 1 of residents: primary `Current` in 108
    month to month, over: created R17 · current, lease over · 1 of residents: primary `Current` in 105
    month to month, open: created R17 · current, no lease end, no phone · 1 of residents: primary `Current` in 107
    guarantor: excluded R6 guarantor · 1 of residents: guarantor `Current` in 105
    minor: excluded R6 minor · 1 of residents: minor `Current` in 108
    accented: created R17 · current, lease runs, accents kept · 1 of residents: primary `Current` in 110
    long gone: the PMS does not send them
    on notice: created R17 · current, lease runs, on notice, moves out · 1 of residents: primary `Notice` in 102
    under eviction: created R17 · current, lease runs, under eviction · 1 of residents: primary `Eviction` in 103
    moves in soon: created R17 · pending, lease runs · 1 of residents: primary `Future` in 101
    roommate: created R17 · current, lease runs, no phone · 1 of residents: co_resident `Current` in 110
    applicant: ineligible R7 applicant does not come in new · 1 of residents: primary `Applicant` in 102
    gone with the household: the PMS does not send them
    ");
}

#[tokio::test]
async fn the_traps_of_resman_show() {
    assert_snapshot!(traps_of(Kind::ResMan).await, @r"
    departed roommate: ineligible R7 past does not come in new · 1 of residents: co_resident `Former` in 1-101
    no email: held R17 it has no email · alert missing_email · 1 of residents: primary `Current` in 1-111
    placeholder email: held R17 it has no email · alert missing_email · 1 of residents: primary `Current` in 1-112
    unusable phone: created R17 · current, no lease end, no phone · 1 of residents: primary `Month to Month` in 1-107
    shared email: held R16 another resident has the same email · alert duplicate_emails · 1 of residents: primary `Current` in 1-104
    company: excluded R6 company · 1 of residents: company `Current` in 1-106
    pseudo unit: created R17 · pending, lease runs, 0 units, accents kept · 1 of residents: primary `Pending` in none
    lease reversed: created R17 dates that cannot be: lease_start, lease_end (R12) · alert bad_dates · current, no lease end · 1 of residents: primary `Month to Month` in 1-109
    padded: created R17 · current, lease runs · 1 of residents: primary `Current` in 1-108
    month to month, over: created R17 · current, lease over · 1 of residents: primary `Current` in 1-105
    month to month, open: created R17 · current, no lease end, no phone · 1 of residents: primary `Month to Month` in 1-107
    guarantor: excluded R6 guarantor · 1 of residents: guarantor `Current` in 1-105
    minor: excluded R6 minor · 1 of residents: minor `Current` in 1-108
    accented: created R17 · current, lease runs, accents kept · 1 of residents: primary `Current` in 1-110
    long gone: ineligible R7 past does not come in new · 1 of residents: primary `Former` in 1-107
    renewal ahead: created R17 · current, lease runs · 1 of residents: primary `Current` in 1-101
    on notice: created R17 · current, lease runs, on notice, moves out · 1 of residents: primary `Current` in 1-102
    under eviction: created R17 · current, lease runs, under eviction · 1 of residents: primary `Under Eviction` in 1-103
    moves in soon: created R17 · pending, lease runs · 1 of residents: primary `Pending` in 1-101
    roommate: created R17 · current, lease runs · 1 of residents: co_resident `Current` in 1-110
    applicant: ineligible R7 applicant does not come in new · 1 of residents: primary `Pending` in 1-102
    gone with the household: ineligible R7 past does not come in new · 1 of residents: co_resident `Former` in 1-312
    ");
}

#[tokio::test]
async fn the_traps_of_rent_manager_show() {
    assert_snapshot!(traps_of(Kind::RentManager).await, @r"
    departed roommate: ineligible R7 past does not come in new · 1 of residents: co_resident `Current` in 101
    no email: held R17 it has no email · alert missing_email · 1 of residents: primary `Current` in 111
    placeholder email: held R17 it has no email · alert missing_email · 1 of residents: primary `Current` in 112
    unusable phone: created R17 · current, no lease end, no phone · 1 of residents: primary `Current` in 107
    shared email: held R16 another resident has the same email · alert duplicate_emails · 1 of residents: primary `Current` in 104
    company: excluded R6 company · 1 of residents: company `Current` in 106
    pseudo unit: created R17 · pending, lease runs, accents kept · 1 of residents: primary `Future` in WAIT
    lease reversed: created R17 dates that cannot be: lease_start, lease_end (R12) · alert bad_dates · current, no lease end · 1 of residents: primary `Current` in 109
    padded: created R17 · current, lease runs · 1 of residents: primary `Current` in 108
    month to month, over: created R17 · current, lease over · 1 of residents: primary `Current` in 105
    month to month, open: created R17 · current, no lease end, no phone · 1 of residents: primary `Current` in 107
    guarantor: excluded R6 guarantor · 1 of residents: guarantor `Current` in 105
    minor: excluded R6 minor · 1 of residents: minor `Current` in 108
    accented: created R17 · current, lease runs, accents kept · 1 of residents: primary `Current` in 110
    long gone: ineligible R7 past does not come in new · 1 of residents: primary `Past` in 107
    renewal ahead: created R17 · current, lease runs · 1 of residents: primary `Current` in 101
    on notice: created R17 · current, lease runs, on notice, moves out · 1 of residents: primary `Current` in 102
    under eviction: created R17 · current, lease runs, under eviction · 1 of residents: primary `Current` in 103
    moves in soon: created R17 · pending, lease runs · 1 of residents: primary `Future` in 101
    roommate: created R17 · current, lease runs · 1 of residents: co_resident `Current` in 110
    applicant: the PMS does not send them
    gone with the household: ineligible R7 past does not come in new · 1 of residents: co_resident `Past` in 312
    ");
}
