//! The shipped connectors and scripts, over HTTP from the sandboxes: everybody comes out once and right, refusals are told
//! apart. What a run makes of it is not tested here.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use epms::config::{Credential, CredentialValue, Files, Home, SecretReference};
use epms::model::{LeaseStatus, Reading, Record, Relationship, Resident};
use epms::outbound::Account;
use epms::sandbox::{
    Entity, FaultKind, Household, Kind, Limits, Person, PhoneKind, PropertySpec, Relation, Sandbox,
    Settings, Status, Trap, World, WorldOptions,
};
use epms::script::{Context, Inputs, Library, Lookups, Script};
use epms::source::{Reader, Scope, Source, SourceError, collected};
use jiff::civil::{Date, date};

pub(crate) const TODAY: Date = date(2026, 3, 10);

fn shipped() -> Home {
    Home::at(env!("CARGO_MANIFEST_DIR"))
}

fn library() -> Library {
    Library::read(shipped().root())
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

/// The shipped connector with another text.
fn source_from(pms: &str, edit: impl Fn(String) -> String) -> Source {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("config/connectors/{pms}.yaml");
    let text = std::fs::read_to_string(shipped().root().join(&name)).unwrap();
    std::fs::create_dir_all(folder.path().join("config/connectors")).unwrap();
    std::fs::write(folder.path().join(&name), edit(text)).unwrap();
    source_in(&Home::at(folder.path()), pms)
}

/// The shipped connector, but every request is made once only: a refusal shows at once.
fn source_of_one_try(pms: &str) -> Source {
    source_from(pms, |text| text + "\nretry: { attempts: 1 }\n")
}

/// The shipped connector, at any pace and in small pages.
fn source_at_once(pms: &str) -> Source {
    source_from(pms, |text| {
        let text = text.replace("size: 500 }", "size: 50 }");
        let mut limits = false;
        let kept = text.lines().filter(|line| {
            limits = line.starts_with("limits:") || limits && line.starts_with(' ');
            !limits
        });
        kept.collect::<Vec<_>>().join("\n")
    })
}

#[test]
fn every_connector_compiles_and_asks_for_what_the_sandbox_gives() {
    let sandbox_fields = |kind| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let sandbox = Sandbox::start(kind, world(10), Settings::default())
                .await
                .unwrap();
            sandbox.credential().into_keys().collect::<BTreeSet<_>>()
        })
    };
    for kind in Kind::ALL {
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

pub(crate) fn world(residents: usize) -> World {
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
pub(crate) struct Live {
    pub(crate) sandbox: Sandbox,
    source: Source,
    reader: Reader,
    account: Account,
    pub(crate) scope: Scope,
    _home: tempfile::TempDir,
}

impl Live {
    async fn start(kind: Kind, residents: usize, page_size: usize) -> Live {
        let settings = Settings {
            page_size,
            ..Settings::default()
        };
        Live::start_as(kind, residents, settings).await
    }

    async fn start_as(kind: Kind, residents: usize, settings: Settings) -> Live {
        Live::start_by(&kind.to_string(), kind, residents, settings).await
    }

    /// By any of the shipped ways to a PMS.
    pub(crate) async fn start_by(
        connector: &str,
        kind: Kind,
        residents: usize,
        settings: Settings,
    ) -> Live {
        let world = world(residents);
        let count = world.properties().len();
        let sandbox = Sandbox::start(kind, world, settings).await.unwrap();
        let properties = (0..count)
            .map(|at| sandbox.property_id_by(connector, at))
            .collect();
        let source = source_at_once(connector);
        let home = tempfile::tempdir().unwrap();
        let credential = credential_by(connector, &sandbox, home.path());
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
                judge: None,
                known: None,
            },
            _home: home,
        }
    }

    async fn read(&self, request: &str) -> (Reading<SourceError>, Vec<Record>) {
        let (taker, given) = tokio::sync::mpsc::channel(4);
        let reading = self
            .reader
            .read(&self.source, &self.account, request, &self.scope, taker);
        tokio::join!(reading, collected(given))
    }

    pub(crate) async fn complete(&self, request: &str) -> Vec<Record> {
        let (reading, records) = self.read(request).await;
        assert!(matches!(reading, Reading::Complete { .. }), "{reading:?}");
        records
    }

    /// The records of everything that feeds residents.
    async fn feeds(&self) -> Vec<Record> {
        let (taker, given) = tokio::sync::mpsc::channel(4);
        let reading = self
            .reader
            .residents(&self.source, &self.account, &self.scope, None, taker);
        let (reading, came) = tokio::join!(reading, collected(given));
        let Reading::Complete { records, .. } = reading else {
            panic!("{reading:?}");
        };
        assert_eq!(records, came.len() as u64);
        came
    }

    pub(crate) async fn failure(&self) -> SourceError {
        match self.read("residents").await.0 {
            Reading::Partial { reason } => reason,
            complete @ Reading::Complete { .. } => panic!("{complete:?}"),
        }
    }

    /// Every row, mapped by the shipped script; those left out by id with the reason.
    pub(crate) async fn rows(&self) -> (Vec<Resident>, BTreeMap<String, String>) {
        let script = Script::compile(&library(), self.source.script()).unwrap();
        let mut lookups = Lookups::new();
        for record in self.complete("units").await {
            let key = self.source.record_id("units", &record.json).unwrap();
            lookups.put("units", &record.property, key, record.json.into());
        }
        let lookups = Arc::new(lookups);
        let (mut residents, mut excluded) = (Vec::new(), BTreeMap::new());
        for record in self.feeds().await {
            let ctx = Context::new(Inputs {
                today: TODAY,
                property: record.property.to_string(),
                request: record.request.to_string(),
                country: "US".into(),
                lookups: Arc::clone(&lookups),
                ..Inputs::default()
            });
            for mapped in script.residents(&record.json, &ctx).unwrap() {
                let mapped = mapped.unwrap();
                match script.exclude(&mapped, &ctx).unwrap() {
                    Some(reason) => {
                        let before = excluded.insert(mapped.resident.id.clone(), reason);
                        assert!(before.is_none(), "{:?} came twice", mapped.resident);
                    }
                    None => residents.push(mapped.resident),
                }
            }
        }
        (residents, excluded)
    }

    /// Everybody by id; those left out with the reason.
    pub(crate) async fn residents(&self) -> (BTreeMap<String, Resident>, BTreeMap<String, String>) {
        let (rows, excluded) = self.rows().await;
        let mut residents = BTreeMap::new();
        for row in rows {
            assert!(!excluded.contains_key(&row.id), "{row:?} came twice");
            let before = residents.insert(row.id.clone(), row);
            assert!(before.is_none(), "{before:?} came twice");
        }
        (residents, excluded)
    }

    /// Everybody by id and lease, for PMSs with a row for each lease of a person. Nobody is left out.
    pub(crate) async fn leases(&self) -> BTreeMap<(String, String), Resident> {
        let (leases, excluded) = self.leases_and_others().await;
        assert!(excluded.is_empty(), "{excluded:?}");
        leases
    }

    /// The same; those left out by id with the reason.
    async fn leases_and_others(
        &self,
    ) -> (
        BTreeMap<(String, String), Resident>,
        BTreeMap<String, String>,
    ) {
        let (rows, excluded) = self.rows().await;
        let mut leases = BTreeMap::new();
        for row in rows {
            let key = (row.id.clone(), row.lease_id.clone().unwrap());
            let before = leases.insert(key, row);
            assert!(before.is_none(), "{before:?} came twice");
        }
        (leases, excluded)
    }
}

/// The sandbox's own credential, its secret fields by reference.
fn credential(sandbox: &Sandbox, home: &Path) -> Credential {
    credential_by(&sandbox.kind().to_string(), sandbox, home)
}

/// The same for another way to the PMS.
fn credential_by(connector: &str, sandbox: &Sandbox, home: &Path) -> Credential {
    let connector = connector.to_owned();
    let files = Files::read(&shipped());
    let asked = &files.connectors[&connector]
        .as_ref()
        .unwrap()
        .value
        .credential_fields;
    let field = |(name, value): (&'static str, String)| {
        let value = if asked[name].secret {
            std::fs::write(home.join(name), &value).unwrap();
            std::fs::set_permissions(home.join(name), PermissionsExt::from_mode(0o600)).unwrap();
            CredentialValue::Secret(SecretReference::File(PathBuf::from(name)))
        } else {
            CredentialValue::Plain(value)
        };
        (name.to_owned(), value)
    };
    let fields = sandbox.credential_by(&connector).unwrap();
    let fields = fields.into_iter().map(field).collect();
    Credential {
        version: 1,
        connector,
        fields,
        ca_file: None,
        limits: epms::config::ContractLimits::default(),
        expires: None,
        defaults: epms::config::Defaults::default(),
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

/// Name, email and status, of which all PMSs say the same.
pub(crate) fn compare_person(found: &Resident, home: &Household, person: &Person) {
    let status = home.status_of(person, TODAY);
    assert_eq!(found.status, normal(status), "{found:?}");
    assert_eq!(found.notice, status == Status::Notice, "{found:?}");
    let last = person.company.as_deref().unwrap_or(&person.last);
    assert_eq!(found.first_name, person.first.trim(), "{found:?}");
    assert_eq!(found.last_name, last.trim(), "{found:?}");
    let email = person.email.as_deref().and_then(none_if_empty);
    let email = email.map(|email| email.to_lowercase());
    assert_eq!(found.email, email, "{found:?}");
}

/// What AppFolio and Voyager say about a person.
pub(crate) fn compare(found: &Resident, home: &Household, person: &Person, world: &World) {
    compare_person(found, home, person);
    let eviction = home.status_of(person, TODAY) == Status::Eviction;
    assert_eq!(found.eviction, eviction, "{found:?}");
    assert_eq!(
        (found.lease_start, found.lease_end),
        (home.lease_start, home.lease_end),
        "{found:?}"
    );
    let label = &world.unit(home.unit).unwrap().label;
    assert_eq!(&found.unit.as_ref().unwrap().label, label, "{found:?}");
}

/// A unit as people call it, where the only building of a property is called `only`.
fn door(world: &World, home: &Household, only: &str) -> String {
    let unit = world.unit(home.unit).unwrap();
    match unit.building {
        Some(_) => unit.label.clone(),
        None => format!("{only}-{}", unit.label),
    }
}

pub(crate) fn phone(person: &Person, wanted: &[PhoneKind]) -> Option<String> {
    let numbers = &person.phones;
    wanted
        .iter()
        .find_map(|kind| numbers.iter().find(|(of, _)| of == kind))
        .map(|(_, number)| number.clone())
}

pub(crate) fn relationship(person: &Person) -> Relationship {
    match (person.relation, &person.company) {
        (Relation::Guarantor, _) => Relationship::Guarantor,
        (Relation::Occupant, _) => Relationship::Minor,
        (_, Some(_)) => Relationship::Company,
        (Relation::Primary, None) => Relationship::Primary,
        (Relation::Roommate, None) => Relationship::CoResident,
    }
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
    // Under either name: all of them have their email and phone.
    let in_lists = world.trapped(Trap::ContactLists).len();
    assert!((50..200).contains(&in_lists), "{in_lists}");
}

#[tokio::test]
async fn fields_that_appfolio_does_not_grant_are_missing_and_everybody_comes_out_still() {
    let read = async |withheld: &[&'static str]| {
        let settings = Settings {
            withheld: withheld.to_vec(),
            ..Settings::default()
        };
        let live = Live::start_as(Kind::AppFolio, 100, settings).await;
        live.residents().await.0
    };
    let all = Box::pin(read(&[])).await;
    let fewer = Box::pin(read(&["MoveInOn", "PrimaryTenant", "Email", "Emails"])).await;
    assert!(
        all.values()
            .any(|one| one.relationship == Relationship::CoResident)
    );
    assert!(all.len() > 60);
    for (id, one) in all {
        let expected = Resident {
            move_in: None,
            email: None,
            relationship: match one.relationship {
                Relationship::CoResident => Relationship::Primary,
                other => other,
            },
            ..one
        };
        assert_eq!(fewer[&id], expected);
    }
}

#[tokio::test]
async fn everybody_of_yardi_comes_out_once_and_right() {
    let live = Live::start(Kind::Yardi, 400, 1000).await;
    let (mut residents, excluded) = live.residents().await;
    let world = live.sandbox.world();
    let since = date(2026, 2, 8);
    let (mut statuses, mut relationships) = (BTreeSet::new(), BTreeSet::new());
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
            assert_eq!(found.relationship, relationship(person));
        } else {
            assert_eq!(
                (found.move_in, found.move_out),
                (person.move_in, person.move_out)
            );
            assert_eq!(found.phone, None);
            // Without a mark in the name nobody can tell.
            let marked = person.id.0.is_multiple_of(2);
            let wanted = match relationship(person) {
                Relationship::Guarantor | Relationship::Minor if !marked => {
                    Relationship::CoResident
                }
                wanted => wanted,
            };
            assert_eq!(found.relationship, wanted, "{person:?}");
            relationships.insert((person.relation, found.relationship));
        }
    }
    assert!(residents.is_empty(), "{residents:?}");
    assert_eq!(statuses.len(), 8, "{statuses:?}");
    // With a mark, and without.
    for told in [
        (Relation::Guarantor, Relationship::Guarantor),
        (Relation::Occupant, Relationship::Minor),
        (Relation::Occupant, Relationship::CoResident),
    ] {
        assert!(relationships.contains(&told), "{relationships:?}");
    }
    assert!(!excluded.is_empty());
}

#[tokio::test]
async fn everybody_of_realpage_comes_out_once_for_each_lease_and_right() {
    let live = Live::start(Kind::RealPage, 200, 1000).await;
    let (mut leases, excluded) = live.leases_and_others().await;
    // What the office books as if it were people.
    assert_eq!(excluded.len(), 2 * live.scope.properties.len());
    assert!(excluded.values().all(|reason| reason == "placeholder"));
    let world = live.sandbox.world().clone();
    let no_email = world.trapped(Trap::PlaceholderEmail);
    let leavers = world.trapped(Trap::RenewalOfLeaver);
    assert!(!world.trapped(Trap::LabelledMinor).is_empty());
    let (mut statuses, mut renewals) = (BTreeSet::new(), 0);
    let (mut late, mut ahead, mut of_leavers) = (0, 0, 0);
    for (home, person) in world.people() {
        let site = live.sandbox.property_id(home.property);
        let id = format!("{site}-{}", person.id.0);
        let applied = matches!(
            home.status,
            Status::Applicant | Status::Canceled | Status::Denied
        );
        let key = (id.clone(), format!("{site}-{}", 21_000 + home.id.0));
        let found = leases.remove(&key).unwrap();
        statuses.insert(found.status_word.clone());
        let known = Person {
            email: if no_email.contains(&person.id) {
                Some("none@nowhere.com".into())
            } else {
                person.email.clone()
            },
            ..person.clone()
        };
        let transfer = home.moving_to.filter(|_| home.status.lives_there());
        if let Some((to, day)) = transfer {
            let unit = format!("{site}-{}", to.0 + 1);
            let key = (id.clone(), format!("{site}-{}", 7_000_000 + home.id.0));
            let next = leases.remove(&key).unwrap();
            // Once it has begun they live there, whenever the office makes it so.
            let is_late = day <= TODAY;
            let status = if is_late {
                LeaseStatus::Current
            } else {
                LeaseStatus::Pending
            };
            *(if is_late { &mut late } else { &mut ahead }) += 1;
            assert_eq!((next.status, next.unit.unwrap().id), (status, unit));
            assert_eq!((next.lease_start, next.move_in), (Some(day), Some(day)));
            // The old unit is theirs until the office says otherwise.
            assert_eq!((found.status, found.notice), (LeaseStatus::Current, true));
            let leaves = person.move_out.or(home.move_out).or(Some(day));
            assert_eq!(found.move_out, leaves.filter(|_| !is_late), "{found:?}");
            continue;
        }
        compare_person(&found, home, &known);
        let evicted = home.status_of(person, TODAY) == Status::Eviction;
        assert_eq!(found.eviction, evicted, "{found:?}");
        let dates = (home.lease_start, home.lease_end);
        let dates = if applied { (None, None) } else { dates };
        assert_eq!((found.lease_start, found.lease_end), dates, "{found:?}");
        let move_in = person.move_in.or(home.move_in).filter(|_| !applied);
        assert_eq!(found.move_in, move_in, "{found:?}");
        assert_eq!(found.move_out, person.move_out.or(home.move_out));
        assert_eq!(found.relationship, relationship(person), "{found:?}");
        assert_eq!(
            found.phone,
            phone(
                person,
                &[PhoneKind::Cell, PhoneKind::Home, PhoneKind::Office]
            )
        );
        let household = format!("{site}-{}", 300 + home.occupancy);
        assert_eq!(found.household, Some(household));
        let unit = world.unit(home.unit).unwrap();
        let housed = !applied && !unit.pseudo;
        let unit = housed.then(|| (format!("{site}-{}", unit.id.0 + 1), door(&world, home, "1")));
        let place = found.unit.as_ref();
        assert_eq!(
            place.map(|unit| (unit.id.clone(), unit.label.clone())),
            unit
        );

        let renewal = leases.remove(&(id, format!("{site}-{}", 5_000_000 + home.id.0)));
        let signed = home.next_lease.filter(|_| home.status.lives_there());
        if leavers.contains(&person.id) {
            let renewal = renewal.unwrap();
            assert_eq!(renewal.status, LeaseStatus::Past, "{renewal:?}");
            assert_eq!(renewal.move_out, person.move_out);
            of_leavers += 1;
            continue;
        }
        let Some((start, end)) = signed.filter(|_| person.move_out.is_none()) else {
            assert_eq!(renewal, None);
            continue;
        };
        let renewal = renewal.unwrap();
        renewals += 1;
        assert_eq!(renewal.status, LeaseStatus::Pending);
        assert_eq!(
            (renewal.lease_start, renewal.lease_end, renewal.move_out),
            (Some(start), Some(end), None)
        );
        assert_eq!(
            (renewal.email, renewal.unit, renewal.relationship),
            (found.email, found.unit, found.relationship)
        );
    }
    assert!(leases.is_empty(), "{leases:?}");
    assert_eq!(statuses.len(), 6, "{statuses:?}");
    assert!(renewals > 3, "{renewals}");
    assert!(late > 0 && ahead > 0, "{late} {ahead}");
    assert_eq!(of_leavers, leavers.len());
}

#[tokio::test]
async fn everybody_of_entrata_with_a_lease_comes_out_once_and_right() {
    let live = Live::start(Kind::Entrata, 400, 1000).await;
    let (rows, excluded) = live.rows().await;
    let mut leases = BTreeMap::new();
    for row in rows {
        let unit = row.unit.as_ref().map(|unit| unit.id.clone());
        let key = (row.id.clone(), row.lease_id.clone().unwrap(), unit);
        let before = leases.insert(key, row);
        assert!(before.is_none(), "{before:?} came twice");
    }
    let pages = live.sandbox.requests();
    let pages = pages.iter().filter(|seen| seen.operation == "getLeases");
    assert!(pages.count() >= 4);
    let world = live.sandbox.world().clone();
    let (mut statuses, mut beds) = (BTreeSet::new(), 0);
    for (home, person) in world.people() {
        let id = live.sandbox.person_id(person.id).unwrap();
        let is = |trap| world.trapped(trap).contains(&person.id);
        if is(Trap::ModelUnit) || is(Trap::BedHolder) {
            assert_eq!(excluded[&id], "placeholder");
            continue;
        }
        let unit = world.unit(home.unit).unwrap();
        let whole = (4_455_000 + unit.id.0).to_string();
        // Of each bed there is a unit, which formerly was a part of the whole.
        let places: Vec<(Option<String>, String)> = match home.beds.as_slice() {
            [] => {
                let whole = (!unit.pseudo).then(|| whole.clone());
                vec![(whole, unit.label.clone())]
            }
            beds => beds
                .iter()
                .map(|bed| {
                    let letter = char::from(b'A' + u8::try_from(*bed).unwrap());
                    let id = 6_745_000 + unit.id.0 * 8 + bed;
                    (Some(id.to_string()), format!("{}-{letter}", unit.label))
                })
                .collect(),
        };
        beds += home.beds.len();
        for (place, label) in places {
            let key = (id.clone(), (18_163_000 + home.id.0).to_string(), place);
            let found = leases.remove(&key);
            if matches!(
                home.status,
                Status::Applicant | Status::Canceled | Status::Denied
            ) {
                assert_eq!(found, None);
                continue;
            }
            let found = found.unwrap_or_else(|| panic!("{person:?} is lost"));
            statuses.insert(found.status_word.clone());
            if is(Trap::University) {
                assert_eq!(found.relationship, Relationship::Company);
                assert_eq!(found.last_name, person.name());
                continue;
            }
            compare_person(&found, home, person);
            let evicted = home.status_of(person, TODAY) == Status::Eviction;
            assert_eq!(found.eviction, evicted, "{found:?}");
            let renewal = home.next_lease.filter(|_| home.status.lives_there());
            let end = renewal.map_or(home.lease_end, |(_, end)| Some(end));
            assert_eq!(
                (found.lease_start, found.lease_end),
                (home.lease_start, end),
                "{found:?}"
            );
            assert_eq!(found.move_in, person.move_in.or(home.move_in));
            assert_eq!(found.move_out, person.move_out.or(home.move_out));
            assert_eq!(found.household, found.lease_id);
            let number = person.phones.first().map(|(_, number)| number.clone());
            assert_eq!(found.phone, number);
            // Entrata's occupants have a key; only those it calls a child are minors.
            let relationship = match (relationship(person), person.id.0 % 4) {
                (Relationship::CoResident, 1 | 3) => Relationship::Occupant,
                (relationship, _) => relationship,
            };
            assert_eq!(found.relationship, relationship, "{found:?}");
            let found = found.unit.map(|unit| (unit.label, unit.formerly));
            let formerly = (!home.beds.is_empty()).then(|| whole.clone());
            assert_eq!(found, (!unit.pseudo).then_some((label, formerly)));
        }
    }
    assert!(leases.is_empty(), "{leases:?}");
    assert_eq!(statuses.len(), 4, "{statuses:?}");
    for trap in [
        Trap::Bed,
        Trap::TwoBeds,
        Trap::University,
        Trap::ReservedDomain,
    ] {
        assert!(!world.trapped(trap).is_empty(), "{trap:?}");
    }
    assert!(beds > 4, "{beds}");
}

#[tokio::test]
async fn everybody_of_mri_who_lives_there_or_did_or_will_comes_out_once_and_right() {
    let live = Live::start(Kind::Mri, 400, 3).await;
    let mut leases = live.leases().await;
    let world = live.sandbox.world().clone();
    let rolled = world.trapped(Trap::TermRolled);
    assert!(!rolled.is_empty());
    let mut statuses = BTreeSet::new();
    let mut pending = 0;
    for (home, person) in world.people() {
        let id = live.sandbox.person_id(person.id).unwrap();
        let unit = world.unit(home.unit).unwrap();
        let building = unit.building.as_deref().unwrap_or("01");
        let building = building.trim_start_matches("Building ");
        let property = live.sandbox.property_id(home.property);
        let place = format!("{property}|{building}|{}", unit.label);
        let lease = format!("{place}|{}", home.lease);
        let found = leases.remove(&(id, lease.clone()));
        let tenant = matches!(person.relation, Relation::Primary | Relation::Roommate);
        let will = home.status == Status::Future;
        if matches!(
            home.status,
            Status::Applicant | Status::Canceled | Status::Denied
        ) || will && !tenant
        {
            assert_eq!(found, None);
            continue;
        }
        let found = found.unwrap_or_else(|| panic!("{person:?} is lost"));
        statuses.insert(found.status_word.clone());
        compare_person(&found, home, person);
        assert!(!found.eviction);
        let place = (place, door(&world, home, "01"));
        assert_eq!(
            found.unit.as_ref().map(|unit| (&unit.id, &unit.label)),
            Some((&place.0, &place.1))
        );
        if will {
            pending += 1;
            assert_eq!((found.lease_start, found.lease_end), (None, None));
            assert_eq!((found.move_in, found.move_out), (home.move_in, None));
            assert_eq!(found.household, Some(lease));
            assert_eq!(found.phone, phone(person, &[PhoneKind::Cell]));
            continue;
        }
        let lives = home.status_of(person, TODAY).lives_there();
        let guarantor = person.relation == Relation::Guarantor;
        let moved = person.move_in.or(home.move_in).filter(|_| !guarantor);
        // Where MRI has no first day it is the day of moving in, unless that came after the lease. A term that rolled over
        // starts the day after it ends, which a run does not believe (R12).
        let is_rolled = home.members.iter().any(|one| rolled.contains(&one.id));
        let start = if is_rolled {
            home.lease_end.map(|end| end.tomorrow().unwrap())
        } else if home.id.0.is_multiple_of(6) {
            moved.filter(|moved| home.lease_end.is_none_or(|end| *moved <= end))
        } else {
            home.lease_start
        };
        assert_eq!(
            (found.lease_start, found.lease_end),
            (start, home.lease_end),
            "{found:?}"
        );
        assert_eq!(found.move_in, moved, "{found:?}");
        let left = person.move_out.or(home.move_out);
        let left = left.filter(|day| !lives || *day >= TODAY);
        assert_eq!(found.move_out, left, "{found:?}");
        let primary = home.primary().unwrap();
        assert_eq!(
            found.household,
            Some(live.sandbox.person_id(primary.id).unwrap())
        );
        assert_eq!(
            found.phone,
            phone(person, &[PhoneKind::Cell, PhoneKind::Home])
        );
        // Of a household that has left, everybody but the main resident is somebody else.
        let relationship = match relationship(person) {
            Relationship::CoResident if home.status == Status::Past => Relationship::Occupant,
            relationship => relationship,
        };
        assert_eq!(found.relationship, relationship, "{found:?}");
    }
    assert!(leases.is_empty(), "{leases:?}");
    assert_eq!(statuses.len(), 7, "{statuses:?}");
    assert!(pending > 6, "{pending}");
}

#[tokio::test]
async fn everybody_of_resman_comes_out_once_and_right() {
    let live = Live::start(Kind::ResMan, 400, 1000).await;
    let (mut residents, excluded) = live.residents().await;
    assert!(excluded.is_empty(), "{excluded:?}");
    let world = live.sandbox.world().clone();
    let mut statuses = BTreeSet::new();
    for (home, person) in world.people() {
        let id = live.sandbox.person_id(person.id).unwrap();
        let found = residents.remove(&id);
        let found = found.unwrap_or_else(|| panic!("{person:?} is lost"));
        statuses.insert(found.status_word.clone());
        compare_person(&found, home, person);
        let evicted = home.status_of(person, TODAY) == Status::Eviction;
        assert_eq!(found.eviction, evicted, "{found:?}");
        let renewal = home.next_lease.filter(|_| home.status.lives_there());
        let end = renewal.map_or(home.lease_end, |(_, end)| Some(end));
        assert_eq!(
            (found.lease_start, found.lease_end),
            (home.lease_start, end),
            "{found:?}"
        );
        assert_eq!(found.move_in, person.move_in.or(home.move_in), "{found:?}");
        assert_eq!(found.move_out, person.move_out.or(home.move_out));
        assert!(found.household.is_some() && found.lease_id.is_some());
        let number = person.phones.first().map(|(_, number)| number.clone());
        assert_eq!(found.phone, number);
        assert_eq!(found.relationship, relationship(person), "{found:?}");
        let unit = world.unit(home.unit).unwrap();
        let place =
            (!unit.pseudo).then(|| (world.uuid(Entity::Unit, unit.id.0), door(&world, home, "1")));
        assert_eq!(found.unit.map(|unit| (unit.id, unit.label)), place);
    }
    assert!(residents.is_empty(), "{residents:?}");
    assert_eq!(statuses.len(), 8, "{statuses:?}");
}

#[tokio::test]
async fn everybody_of_rent_manager_with_a_lease_comes_out_once_and_right() {
    let live = Live::start(Kind::RentManager, 400, 50).await;
    let (mut residents, excluded) = live.residents().await;
    let pages = live.sandbox.requests();
    let pages = pages.iter().filter(|seen| seen.operation == "Tenants");
    assert!(pages.count() >= 4);
    // Whom to call in an emergency gets no key.
    assert!(excluded.len() > 50, "{}", excluded.len());
    for reason in excluded.values() {
        assert_eq!(reason, "contact type Emergency Contact");
    }
    let world = live.sandbox.world().clone();
    let mut statuses = BTreeSet::new();
    for (home, person) in world.people() {
        let id = live.sandbox.person_id(person.id).unwrap();
        let found = residents.remove(&id);
        if matches!(
            home.status,
            Status::Applicant | Status::Canceled | Status::Denied
        ) {
            assert_eq!(found, None);
            continue;
        }
        let found = found.unwrap_or_else(|| panic!("{person:?} is lost"));
        statuses.insert((found.status_word.clone(), found.status));
        compare_person(&found, home, person);
        let evicted = home.status_of(person, TODAY) == Status::Eviction;
        assert_eq!(found.eviction, evicted, "{found:?}");
        let renewal = home.next_lease.filter(|_| home.status.lives_there());
        let end = renewal.map_or(home.lease_end, |(_, end)| Some(end));
        assert_eq!(
            (found.lease_start, found.lease_end),
            (home.lease_start, end),
            "{found:?}"
        );
        // Only the account has days for moving.
        assert_eq!(
            (found.move_in, found.move_out),
            (home.move_in, home.move_out),
            "{found:?}"
        );
        let kinds = [PhoneKind::Cell, PhoneKind::Home, PhoneKind::Office];
        let cell = phone(person, &kinds[..1]);
        let first = person.phones.first().map(|(_, number)| number.clone());
        assert_eq!(found.phone, cell.or(first), "{found:?}");
        assert_eq!(found.relationship, relationship(person), "{found:?}");
        let unit = world.unit(home.unit).unwrap();
        let place = found.unit.map(|unit| (unit.id, unit.label));
        let there = ((1 + unit.id.0).to_string(), unit.label.clone());
        assert_eq!(place, Some(there));
    }
    assert!(residents.is_empty(), "{residents:?}");
    assert_eq!(statuses.len(), 4, "{statuses:?}");
}

#[tokio::test]
async fn a_property_that_a_key_of_resman_s_is_not_entitled_to_is_denied_and_a_wrong_key_a_login() {
    let mut live = Live::start(Kind::ResMan, 60, 10).await;
    live.scope.properties = vec!["nowhere".into()];
    let error = live.failure().await;
    assert!(matches!(error, SourceError::Denied(_)), "{error:?}");
    assert!(error.to_string().contains("entitle our API key"), "{error}");
    let home = tempfile::tempdir().unwrap();
    let credential = credential(&live.sandbox, home.path());
    std::fs::write(home.path().join("api_key"), "another").unwrap();
    live.account = live
        .reader
        .account("acme", &credential, &live.source, home.path())
        .unwrap();
    assert!(matches!(live.failure().await, SourceError::LoginFailed(_)));
}

#[tokio::test]
async fn a_password_that_rent_manager_refuses_is_a_failed_login_and_one_question() {
    let mut live = Live::start(Kind::RentManager, 60, 10).await;
    let home = tempfile::tempdir().unwrap();
    let credential = credential(&live.sandbox, home.path());
    std::fs::write(home.path().join("password"), "another").unwrap();
    live.account = live
        .reader
        .account("acme", &credential, &live.source, home.path())
        .unwrap();
    let error = live.failure().await;
    assert!(matches!(error, SourceError::LoginFailed(_)), "{error:?}");
    assert_eq!(live.sandbox.requests().len(), 1);
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
    for kind in Kind::ALL {
        // A page of Entrata's is as large as it was asked for.
        let page_size = if kind == Kind::Entrata { 50 } else { 1 };
        let live = Live::start(kind, 10, page_size).await;
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
            "a page of HTML, and no JSON",
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
        // Without its script: that calls it maintenance.
        (
            Kind::Yardi,
            FaultKind::Maintenance,
            unavailable,
            "a page of HTML, and no SOAP envelope",
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

#[tokio::test]
async fn a_contract_of_realpage_without_user_or_system_is_asked_without_either() {
    let bodies: Arc<std::sync::Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&bodies);
    let app = axum::Router::new().fallback(move |body: String| {
        kept.lock().unwrap().push(body);
        async {
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><r:getresidentlistinfoResponse \
             xmlns:r=\"http://tempuri.org/\"><r:getresidentlistinfoResult><residentlist/></r:getresidentlistinfoResult>\
             </r:getresidentlistinfoResponse></s:Body></s:Envelope>"
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/a.svc", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let mut live = Live::start(Kind::RealPage, 10, 1000).await;
    let home = tempfile::tempdir().unwrap();
    let mut credential = credential(&live.sandbox, home.path());
    for (system, tags) in [("", vec![]), ("onesite", vec!["<system>onesite</system>"])] {
        let plain = |text: &str| CredentialValue::Plain(text.into());
        credential.fields.insert("url".into(), plain(&url));
        credential.fields.insert("system".into(), plain(system));
        credential.fields.remove("username");
        credential.fields.remove("password");
        live.account = live
            .reader
            .account("acme", &credential, &live.source, home.path())
            .unwrap();
        assert!(live.complete("residents").await.is_empty());
        let body = bodies.lock().unwrap().pop().unwrap();
        assert!(
            !body.contains("username") && !body.contains("password"),
            "{body}"
        );
        let sent: Vec<&str> = body
            .lines()
            .map(str::trim)
            .filter(|line| line.contains("system>"))
            .collect();
        assert_eq!(sent, tags);
        assert!(body.contains("<licensekey>"));
    }
}
