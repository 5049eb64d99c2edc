//! The shipped connectors, scripts and their cases: every case passes, both connectors compile, and read over HTTP from
//! the sandbox everybody comes out once and right. The sync is not tested here.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use epms::cases;
use epms::config::{Credential, CredentialValue, Files, Home, SecretReference};
use epms::model::{LeaseStatus, Reading, Record, Relationship, Resident};
use epms::sandbox::{
    Entity, FaultKind, Household, Kind, Limits, Person, PhoneKind, PropertySpec, Relation, Sandbox,
    Settings, Status, Trap, World, WorldOptions,
};
use epms::script::{Context, Inputs, Library, Lookups, Script};
use epms::source::{Account, Reader, Scope, Source, SourceError};
use jiff::civil::{Date, date};

/// The kinds that have a shipped connector.
const SHIPPED: [Kind; 2] = [Kind::AppFolio, Kind::Yardi];
const TODAY: Date = date(2026, 3, 10);

fn shipped() -> Home {
    Home::at(env!("CARGO_MANIFEST_DIR"))
}

fn library() -> Library {
    Library::read(&shipped().scripts()).unwrap()
}

fn source(pms: &str) -> Source {
    source_in(&shipped(), pms)
}

fn source_in(home: &Home, pms: &str) -> Source {
    let files = Files::read(home);
    let file = files.connectors[pms]
        .as_ref()
        .unwrap_or_else(|problems| panic!("{problems:#?}"));
    Source::compile(file).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// The shipped connector, but every request is made once only: a refusal shows at once.
fn source_of_one_try(pms: &str) -> Source {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("config/connectors/{pms}.yaml");
    let text = std::fs::read_to_string(shipped().root().join(&name)).unwrap();
    std::fs::create_dir_all(folder.path().join("config/connectors")).unwrap();
    std::fs::write(
        folder.path().join(&name),
        text + "\nretry: { attempts: 1 }\n",
    )
    .unwrap();
    source_in(&Home::at(folder.path()), pms)
}

/// A home with one script and one case of it.
fn home_with(case: &str) -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let tests = folder.path().join("scripts/tests/pms");
    std::fs::create_dir_all(&tests).unwrap();
    std::fs::write(
        folder.path().join("scripts/pms.rhai"),
        r#"fn residents(record, ctx) {
            #{ id: text(record, "id"), first_name: text(record, "first"), email: text(record, "email"),
               unit: text(record, "unit"), status: "current", status_word: "Here",
               lease_end: parse_date(record, "end", "%Y-%m-%d") }
        }
        fn exclude(resident, ctx) { if resident.unit == "WAIT" { "waiting list" } }"#,
    )
    .unwrap();
    std::fs::write(tests.join("one.yaml"), case).unwrap();
    let home = Home::at(folder.path());
    (folder, home)
}

fn problems_of(case: &str) -> Vec<String> {
    let (_folder, home) = home_with(case);
    let (cases, problems) = cases::load(&home, None);
    assert!(cases.is_empty(), "{cases:?}");
    problems.iter().map(ToString::to_string).collect()
}

fn diff_of(case: &str) -> Vec<String> {
    let (_folder, home) = home_with(case);
    let (cases, problems) = cases::load(&home, None);
    assert!(problems.is_empty(), "{problems:#?}");
    let outcome = cases[0].run(&Library::read(&home.scripts()).unwrap());
    assert_eq!(outcome.passed, outcome.diff.is_empty());
    outcome.diff
}

#[test]
fn every_shipped_case_passes() {
    let (cases, problems) = cases::load(&shipped(), None);
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(cases.len() > 80, "{}", cases.len());
    let library = library();
    let failed: Vec<String> = cases
        .iter()
        .map(|case| case.run(&library))
        .filter(|outcome| !outcome.passed)
        .map(|outcome| format!("{}\n{}", outcome.file.display(), outcome.diff.join("\n")))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn the_shipped_cases_cover_every_status_word_of_the_table() {
    let (cases, _) = cases::load(&shipped(), None);
    for (script, words) in [
        ("appfolio.rhai", "Future, Current, Notice, Evict, Past"),
        (
            "entrata.rhai",
            "Applicant, Future, Current, Notice, Past, Cancelled",
        ),
        ("mri.rhai", "New, Current, Old, O"),
        (
            "realpage.rhai",
            "Applicant, Applicant - Lease Signed, Future Lease, Current, Former, Former Applicant",
        ),
        (
            "yardi.rhai",
            "Applicant, Future, Current, Notice, Eviction, Past, Denied, Canceled",
        ),
    ] {
        let covered: BTreeSet<&str> = cases
            .iter()
            .filter(|case| case.script() == script)
            .flat_map(cases::Case::status_words)
            .collect();
        for word in words.split(", ") {
            assert!(covered.contains(word), "{script}: {word}");
        }
    }
}

#[test]
fn a_filter_keeps_the_cases_whose_name_contains_it() {
    let (cases, _) = cases::load(&shipped(), Some("yardi/pseudo"));
    let names: Vec<&str> = cases.iter().map(cases::Case::name).collect();
    assert_eq!(names, ["yardi/pseudo-unit"]);
}

#[test]
fn a_misspelt_key_of_a_case_is_refused_with_its_place() {
    assert_eq!(
        problems_of(
            "version: 1\nrecrod: { id: a }\nexpect:\n  residents:\n    - { id: a, status: current, emial: x }\n"
        ),
        [
            "scripts/tests/pms/one.yaml:2:1: recrod: unknown field; did you mean `record`?",
            "scripts/tests/pms/one.yaml:5:33: expect.residents.0.emial: unknown field; did you mean `email`?",
        ]
    );
}

#[test]
fn a_case_without_readable_records_is_refused_with_what_to_do() {
    for (case, problem) in [
        (
            "expect: {}\n",
            "1:1: there is no record; add `record`, or `records` with a list or a file",
        ),
        (
            "record: { id: a }\nrecords: []\nexpect: {}\n",
            "3:1: records: stands beside `record`; keep one of them",
        ),
        (
            "record: <a/>\nexpect: {}\n",
            "2:9: record: is no mapping; write the record as YAML, or add `format: xml` if it is XML text",
        ),
        (
            "record: <a><b></a>\nformat: xml\nexpect: {}\n",
            "2:9: record: the answer is not readable as XML: its elements do not match",
        ),
        (
            "records: ../../../secret.json\nexpect: {}\n",
            "2:10: records: is no file beside the case; write its name",
        ),
        (
            "records: [{ id: a }]\npath: data\nexpect: {}\n",
            "3:7: path: says where the records stand in a file, and `records` names none; remove it",
        ),
    ] {
        assert_eq!(
            problems_of(&format!("version: 1\n{case}")),
            [format!("scripts/tests/pms/one.yaml:{problem}")]
        );
    }
    let missing = problems_of("version: 1\nrecords: gone.json\nexpect: {}\n");
    assert!(
        missing[0]
            .starts_with("scripts/tests/pms/one.yaml:2:10: records: `gone.json` cannot be read: "),
        "{missing:?}"
    );
    assert_eq!(
        problems_of("version: 2\nrecord: { id: a }\nexpect: {}\n"),
        ["scripts/tests/pms/one.yaml:1:10: version: this epms reads version 1, not 2"]
    );
}

#[test]
fn a_failing_case_shows_each_field_that_differs() {
    let diff = diff_of(concat!(
        "version: 1\n",
        "records:\n",
        "  - { id: a, first: Ana, email: ana@example.com, unit: '1' }\n",
        "  - { id: b, first: Ben, unit: WAIT }\n",
        "  - { id: c, first: Cyd }\n",
        "  - { id: d, end: 2026-02-30 }\n",
        "expect:\n",
        "  residents:\n",
        "    - { id: a, first_name: Anna, unit: { id: '1', label: A-1 }, status: current, status_word: Here }\n",
        "    - { id: b, first_name: Ben, status: current, status_word: Here }\n",
        "  error: { field: start, message: is no date }\n",
    ));
    assert_eq!(
        diff.join("\n"),
        "\
resident a:
  - first_name: Anna
  + first_name: Ana
  - unit.label: A-1
  + unit.label: 1
  + email: ana@example.com
resident b:
  - id: b
  - relationship: primary
  - first_name: Ben
  - last_name: \"\"
  - status: current
  - status_word: Here
resident c:
  + id: c
  + relationship: primary
  + first_name: Cyd
  + last_name: \"\"
  + status: current
  + status_word: Here
excluded b:
  + reason: waiting list
error:
  - start: is no date
  + scripts/pms.rhai:4:27: end: is no date of the form %Y-%m-%d"
    );
}

#[test]
fn a_case_that_is_right_has_no_difference_whatever_the_order() {
    let diff = diff_of(concat!(
        "version: 1\n",
        "records: [{ id: a }, { id: b }, { id: a, first: Ana }, { id: c, unit: WAIT }, { id: d, end: x }]\n",
        "expect:\n",
        "  residents:\n",
        "    - { id: b, status: current, status_word: Here }\n",
        "    - { id: a, status: current, status_word: Here }\n",
        "    - { id: a, first_name: Ana, status: current, status_word: Here }\n",
        "  excluded: [{ id: c, reason: waiting list }]\n",
        "  error: { field: end }\n",
    ));
    assert!(diff.is_empty(), "{diff:#?}");
}

#[test]
fn both_connectors_compile_and_ask_for_what_the_sandbox_gives() {
    let sandbox_fields = |kind| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let sandbox = Sandbox::start(kind, world(10), Settings::default())
                .await
                .unwrap();
            sandbox.credential().into_keys().collect::<BTreeSet<_>>()
        })
    };
    for kind in SHIPPED {
        let pms = kind.to_string();
        let connector = &Files::read(&shipped()).connectors[&pms];
        let connector = &connector.as_ref().unwrap().value;
        let source = source(&pms);
        assert_eq!(source.script(), format!("{pms}.rhai"));
        assert_eq!(
            source.lookups().map(|(name, _)| name).collect::<Vec<_>>(),
            ["units"]
        );
        let asked: BTreeSet<&str> = connector
            .credential_fields
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(asked, sandbox_fields(kind));
        assert!(
            connector
                .credential_fields
                .values()
                .all(|field| field.help.is_some())
        );
        assert!(connector.requests["properties"].name.is_some());
    }
}

fn world(residents: usize) -> World {
    let spec = |code: &str, name: &str| PropertySpec {
        code: code.into(),
        name: name.into(),
    };
    World::seeded(WorldOptions {
        seed: 11,
        properties: vec![spec("elm", "Elm & Oak"), spec("oak01", "The \"Oak\"")],
        residents,
        today: TODAY,
    })
}

/// A sandbox, and everything to read it with through the shipped connector.
struct Live {
    sandbox: Sandbox,
    source: Source,
    reader: Reader,
    account: Account,
    scope: Scope,
    _home: tempfile::TempDir,
}

impl Live {
    async fn start(kind: Kind, residents: usize, page_size: usize) -> Live {
        let world = world(residents);
        let count = world.properties().len();
        let settings = Settings {
            page_size,
            ..Settings::default()
        };
        let sandbox = Sandbox::start(kind, world, settings).await.unwrap();
        let properties = (0..count).map(|at| sandbox.property_id(at)).collect();
        let source = source(&kind.to_string());
        let home = tempfile::tempdir().unwrap();
        let credential = credential(&sandbox, home.path());
        let reader = Reader::new().unwrap();
        let account = reader
            .account("acme", &credential, &source, home.path())
            .unwrap();
        Live {
            sandbox,
            source,
            reader,
            account,
            scope: Scope {
                properties,
                fields: BTreeMap::new(),
                today: TODAY,
            },
            _home: home,
        }
    }

    async fn read(&self, request: &str) -> (Reading<SourceError>, Vec<Record>) {
        let (taker, mut given) = tokio::sync::mpsc::channel(4);
        let reading = self
            .reader
            .read(&self.source, &self.account, request, &self.scope, taker);
        let taking = async {
            let mut records = Vec::new();
            while let Some(page) = given.recv().await {
                records.extend(page);
            }
            records
        };
        tokio::join!(reading, taking)
    }

    async fn complete(&self, request: &str) -> Vec<Record> {
        let (reading, records) = self.read(request).await;
        assert!(matches!(reading, Reading::Complete { .. }), "{reading:?}");
        records
    }

    async fn failure(&self) -> SourceError {
        match self.read("residents").await.0 {
            Reading::Partial { reason } => reason,
            complete @ Reading::Complete { .. } => panic!("{complete:?}"),
        }
    }

    /// Everybody, mapped by the shipped script, by id; those left out with the reason.
    async fn residents(&self) -> (BTreeMap<String, Resident>, BTreeMap<String, String>) {
        let script = Script::compile(&library(), self.source.script()).unwrap();
        let mut lookups = Lookups::new();
        for record in self.complete("units").await {
            let key = self.source.record_id("units", &record.json).unwrap();
            let units = lookups.entry("units".into()).or_default();
            units.insert(key, record.json.into());
        }
        let lookups = Arc::new(lookups);
        let (mut residents, mut excluded) = (BTreeMap::new(), BTreeMap::new());
        for record in self.complete("residents").await {
            let ctx = Context::new(Inputs {
                today: TODAY,
                property: record.property.clone(),
                request: record.request.to_string(),
                country: "US".into(),
                lookups: Arc::clone(&lookups),
                ..Inputs::default()
            });
            for mapped in script.residents(&record.json, &ctx).unwrap() {
                let reason = script.exclude(&mapped, &ctx).unwrap();
                let resident = mapped.resident;
                let id = resident.id.clone();
                let before = match reason {
                    Some(reason) => excluded.insert(id.clone(), reason).is_some(),
                    None => residents.insert(id.clone(), resident).is_some(),
                };
                assert!(!before, "{id} came twice");
            }
        }
        (residents, excluded)
    }
}

/// The sandbox's own credential, its secret fields by reference.
fn credential(sandbox: &Sandbox, home: &Path) -> Credential {
    let connector = sandbox.kind().to_string();
    let files = Files::read(&shipped());
    let asked = &files.connectors[&connector]
        .as_ref()
        .unwrap()
        .value
        .credential_fields;
    let field = |(name, value): (&'static str, String)| {
        let value = if asked[name].secret {
            std::fs::write(home.join(name), &value).unwrap();
            CredentialValue::Secret(SecretReference::File(PathBuf::from(name)))
        } else {
            CredentialValue::Plain(value)
        };
        (name.to_owned(), value)
    };
    let fields = sandbox.credential().into_iter().map(field).collect();
    Credential {
        version: 1,
        connector,
        fields,
    }
}

fn none_if_empty(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn normal(status: Status) -> LeaseStatus {
    match status {
        Status::Applicant => LeaseStatus::Applicant,
        Status::Future => LeaseStatus::Pending,
        Status::Current | Status::Notice | Status::Eviction => LeaseStatus::Current,
        Status::Past => LeaseStatus::Past,
        Status::Canceled | Status::Denied => LeaseStatus::Void,
        Status::Other(_) => LeaseStatus::Unknown,
    }
}

/// What both PMSs say about a person.
fn compare(found: &Resident, home: &Household, person: &Person, world: &World) {
    let status = home.status_of(person, TODAY);
    assert_eq!(found.status, normal(status), "{found:?}");
    assert_eq!(found.notice, status == Status::Notice, "{found:?}");
    assert_eq!(found.eviction, status == Status::Eviction, "{found:?}");
    let last = person.company.as_deref().unwrap_or(&person.last);
    assert_eq!(found.first_name, person.first.trim(), "{found:?}");
    assert_eq!(found.last_name, last.trim(), "{found:?}");
    let email = person.email.as_deref().and_then(none_if_empty);
    assert_eq!(found.email, email, "{found:?}");
    assert_eq!(
        (found.lease_start, found.lease_end),
        (home.lease_start, home.lease_end),
        "{found:?}"
    );
    let label = &world.unit(home.unit).unwrap().label;
    assert_eq!(&found.unit.as_ref().unwrap().label, label, "{found:?}");
}

#[tokio::test]
async fn everybody_of_appfolio_comes_out_once_and_right() {
    let live = Live::start(Kind::AppFolio, 400, 50).await;
    let (mut residents, excluded) = live.residents().await;
    assert!(excluded.is_empty(), "{excluded:?}");
    let world = live.sandbox.world();
    let mut statuses = BTreeSet::new();
    for (home, person) in world.people() {
        // AppFolio keeps everybody else elsewhere.
        let tenant = matches!(person.relation, Relation::Primary | Relation::Roommate)
            && !matches!(
                home.status,
                Status::Applicant | Status::Canceled | Status::Denied
            );
        let Some(found) = residents.remove(&world.uuid(Entity::Person, person.id.0)) else {
            assert!(!tenant, "{person:?}");
            continue;
        };
        compare(&found, home, person, &world);
        statuses.insert(found.status_word.clone());
        assert_eq!(found.move_in, person.move_in.or(home.move_in));
        assert_eq!(found.move_out, person.move_out.or(home.move_out));
        let phone = person.phones.first().map(|(_, number)| number.clone());
        assert_eq!(found.phone, phone);
        let occupancy = world.uuid(Entity::Occupancy, home.occupancy);
        assert_eq!(found.household, Some(occupancy));
        let relationship = match (&person.company, person.relation) {
            (Some(_), _) => Relationship::Company,
            (None, Relation::Primary) => Relationship::Primary,
            _ => Relationship::CoResident,
        };
        assert_eq!(found.relationship, relationship);
    }
    assert!(residents.is_empty(), "{residents:?}");
    assert_eq!(statuses.len(), 5, "{statuses:?}");
}

#[tokio::test]
async fn everybody_of_yardi_comes_out_once_and_right() {
    let live = Live::start(Kind::Yardi, 400, 1000).await;
    let (mut residents, excluded) = live.residents().await;
    let world = live.sandbox.world();
    let since = date(2026, 2, 8);
    let mut statuses = BTreeSet::new();
    for (home, person) in world.people() {
        let long_gone = home.status == Status::Past && home.move_out.is_none_or(|day| day < since);
        let pseudo = world.unit(home.unit).unwrap().pseudo;
        if let Some(reason) = excluded.get(&person.code()) {
            assert!(pseudo, "{person:?}");
            assert_eq!(reason, "pseudo unit WAIT");
            continue;
        }
        let Some(found) = residents.remove(&person.code()) else {
            assert!(long_gone, "{person:?}");
            continue;
        };
        assert!(!pseudo && !long_gone, "{person:?}");
        compare(&found, home, person, &world);
        statuses.insert(found.status_word.clone());
        let primary = home.primary().unwrap();
        assert_eq!(found.household, Some(primary.code()));
        assert_eq!(found.lease_id, Some(primary.code()));
        let is_primary = person.relation == Relation::Primary;
        if is_primary {
            assert_eq!(
                (found.move_in, found.move_out),
                (home.move_in, home.move_out)
            );
            let phone = [PhoneKind::Cell, PhoneKind::Home, PhoneKind::Office]
                .into_iter()
                .find_map(|wanted| person.phones.iter().find(|(kind, _)| *kind == wanted))
                .map(|(_, number)| number.clone());
            assert_eq!(found.phone, phone);
        } else {
            assert_eq!(
                (found.move_in, found.move_out),
                (person.move_in, person.move_out)
            );
            assert_eq!(found.phone, None);
            assert_eq!(found.relationship, Relationship::CoResident);
        }
    }
    assert!(residents.is_empty(), "{residents:?}");
    assert_eq!(statuses.len(), 8, "{statuses:?}");
    assert!(!excluded.is_empty());
}

#[tokio::test]
async fn a_departed_roommate_of_yardi_is_past_and_loses_the_mark_in_the_name() {
    let live = Live::start(Kind::Yardi, 200, 1000).await;
    let (residents, _) = live.residents().await;
    let world = live.sandbox.world();
    let departed = world.trapped(Trap::DepartedRoommate);
    assert!(departed.len() >= 3, "{departed:?}");
    for id in departed {
        let (_, person) = world.person(*id).unwrap();
        let found = &residents[&person.code()];
        assert_eq!(found.status, LeaseStatus::Past);
        assert_eq!(found.last_name, person.last.trim());
        assert_ne!(found.status_word, "Past");
    }
}

#[tokio::test]
async fn the_properties_are_told_by_id_and_name() {
    for kind in SHIPPED {
        let live = Live::start(kind, 10, 1).await;
        let records = live.complete("properties").await;
        let mut ids: Vec<String> = records
            .iter()
            .map(|record| live.source.record_id("properties", &record.json).unwrap())
            .collect();
        let mut properties = live.scope.properties.clone();
        ids.sort();
        properties.sort();
        assert_eq!(ids, properties);
        assert!(records.iter().all(|record| record.json.contains("Oak")));
    }
}

#[tokio::test]
async fn each_refusal_is_told_apart_with_what_to_do() {
    type Check = fn(&SourceError) -> bool;
    let login: Check = |error| matches!(error, SourceError::LoginFailed(_));
    let unavailable: Check = |error| matches!(error, SourceError::Unavailable(_));
    let unexpected: Check = |error| matches!(error, SourceError::Unexpected(_));
    let later = FaultKind::TooMany {
        retry_after: Some(9),
    };
    for (kind, fault, check, part) in [
        (Kind::AppFolio, FaultKind::LoginFailed, login, "client_id"),
        (Kind::AppFolio, later, unavailable, "too many requests"),
        (Kind::AppFolio, FaultKind::ServerError, unavailable, "500"),
        (Kind::AppFolio, FaultKind::Unavailable, unavailable, "503"),
        (
            Kind::AppFolio,
            FaultKind::Maintenance,
            unavailable,
            "maintenance (status 533)",
        ),
        (
            Kind::AppFolio,
            FaultKind::Html,
            unavailable,
            "not readable as JSON",
        ),
        (
            Kind::AppFolio,
            FaultKind::NoResult,
            unexpected,
            "nothing at `data`",
        ),
        (
            Kind::AppFolio,
            FaultKind::Truncated,
            unavailable,
            "ends too early",
        ),
        (
            Kind::AppFolio,
            FaultKind::RepeatedPage,
            unexpected,
            "the same as one before",
        ),
        (
            Kind::Yardi,
            FaultKind::LoginFailed,
            login,
            "(it said: Login failed. Please",
        ),
        (Kind::Yardi, later, unavailable, "too many requests"),
        (Kind::Yardi, FaultKind::ServerError, unavailable, "too slow"),
        (Kind::Yardi, FaultKind::Unavailable, unavailable, "503"),
        (
            Kind::Yardi,
            FaultKind::Maintenance,
            unavailable,
            "maintenance",
        ),
        (
            Kind::Yardi,
            FaultKind::NoResult,
            unexpected,
            "no result in the answer",
        ),
        (
            Kind::Yardi,
            FaultKind::Truncated,
            unavailable,
            "not readable as XML",
        ),
    ] {
        let mut live = Live::start(kind, 60, 10).await;
        live.source = source_of_one_try(&kind.to_string());
        live.sandbox.fault(fault);
        let error = live.failure().await;
        assert!(check(&error), "{kind} {fault:?}: {error:?}");
        assert!(
            error.to_string().contains(part),
            "{kind} {fault:?}: {error}"
        );
    }
}

#[tokio::test]
async fn an_empty_property_of_yardi_is_a_complete_reading_of_nobody() {
    let live = Live::start(Kind::Yardi, 60, 10).await;
    live.sandbox.fault(FaultKind::Empty);
    assert!(live.complete("residents").await.is_empty());
}

#[tokio::test]
async fn a_property_or_licence_that_yardi_refuses_is_denied_with_the_remedy() {
    let mut live = Live::start(Kind::Yardi, 60, 10).await;
    live.scope.properties = vec!["nowhere".into()];
    let error = live.failure().await;
    assert!(matches!(error, SourceError::Denied(_)), "{error:?}");
    assert!(error.to_string().contains("`pms_properties`"), "{error}");

    let home = tempfile::tempdir().unwrap();
    let mut credential = credential(&live.sandbox, home.path());
    std::fs::write(home.path().join("interface_license"), "another").unwrap();
    live.account = live
        .reader
        .account("acme", &credential, &live.source, home.path())
        .unwrap();
    let error = live.failure().await;
    assert!(matches!(error, SourceError::Denied(_)), "{error:?}");
    assert!(error.to_string().contains("interface_license"), "{error}");

    // The platform is nearly always the same, and need not be written.
    credential.fields.remove("platform");
    std::fs::write(home.path().join("password"), "another").unwrap();
    live.account = live
        .reader
        .account("acme", &credential, &live.source, home.path())
        .unwrap();
    assert!(matches!(live.failure().await, SourceError::LoginFailed(_)));
}

#[tokio::test]
async fn the_budget_of_appfolio_is_kept_without_a_single_refusal() {
    let mut live = Live::start(Kind::AppFolio, 60, 2).await;
    let settings = Settings {
        page_size: 2,
        limits: Some(Limits::APPFOLIO),
        ..Settings::default()
    };
    let sandbox = Sandbox::start(Kind::AppFolio, world(60), settings)
        .await
        .unwrap();
    let home = tempfile::tempdir().unwrap();
    let credential = credential(&sandbox, home.path());
    live.source = source_of_one_try("appfolio");
    live.account = live
        .reader
        .account("acme", &credential, &live.source, home.path())
        .unwrap();
    live.sandbox = sandbox;
    live.complete("residents").await;
    assert!(live.sandbox.requests().len() > 16);
}
