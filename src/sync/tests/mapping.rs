//! Records to entries, with a real script and the integration's file: R5, R6, R9, R11.

use crate::catalog::{Integration, load};
use crate::config::Home;
use crate::model::Record;
use crate::script::Lookups;
use tokio_util::sync::CancellationToken;

use super::super::mapping::Mapping;
use super::*;

const SCRIPT: &str = r#"
fn residents(record, ctx) {
    list(record, "people").map(|p| #{
        id: p.id, first_name: text(p, "first"), last_name: "Ortiz", email: text(p, "email"),
        status: to_status(p.status, #{ Current: "current", Notice: "current", Past: "past" }),
        status_word: p.status, relationship: get(p, "is"), unit: text(p, "unit"),
        lease_start: text(p, "start"), lease_end: text(p, "end"),
    })
}
fn exclude(resident, ctx) {
    if resident.unit == "WAIT" { return "waiting list"; }
    if resident.unit == "THROW" { throw "no such unit"; }
    if ctx.property != "p1" { "another property" }
}
"#;

/// A home with one integration.
fn home(more: &str) -> (tempfile::TempDir, Home) {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("scripts/pms.rhai", SCRIPT);
    write(
        "config/connectors/pms.yaml",
        "version: 1\nscript: pms.rhai\nhosts: [pms.test]\ncredential_fields: {}\nrequests:\n  residents:\n    url: \
         \"https://pms.test/{{ property }}\"\n    format: json\n    records: data\n    id: id\n",
    );
    write("config/epms.yaml", "version: 1\n");
    write(
        "config/credentials/acme.yaml",
        "version: 1\nconnector: pms\nfields: {}\n",
    );
    write(
        "config/integrations/elm.yaml",
        &format!(
            "version: 1\nproperty: {{ name: Elm, timezone: America/New_York }}\ncredential: acme\npms_properties: [p1]\n{more}"
        ),
    );
    let home = Home::at(folder.path());
    (folder, home)
}

fn loaded(home: &Home) -> Arc<Integration> {
    let catalog = load(home, None, Timestamp::UNIX_EPOCH);
    let slot = &catalog.integrations[&IntegrationId::new("elm")];
    assert!(
        slot.problems.is_empty() && catalog.problems.is_empty(),
        "{:#?} {:#?}",
        slot.problems,
        catalog.problems
    );
    Arc::clone(slot.current.as_ref().unwrap())
}

fn mapping(integration: Arc<Integration>) -> Mapping {
    let spool = crate::store::Store::in_memory().unwrap().spool();
    Mapping::new(
        integration,
        date(2026, 3, 1),
        Arc::new(Lookups::new()),
        spool,
    )
}

fn map_with(mapping: &mut Mapping, property: &str, people: &str) {
    let record = Record {
        request: "residents".into(),
        property: property.into(),
        json: format!(r#"{{"id":"r1","people":[{people}]}}"#).into(),
        known: None,
    };
    mapping.map(&[record], &CancellationToken::new());
}

fn map(more: &str, people: &str) -> Mapping {
    let (_folder, home) = home(more);
    let mut mapping = mapping(loaded(&home));
    map_with(&mut mapping, "p1", people);
    mapping
}

#[test]
fn a_page_mapped_on_all_cores_comes_out_in_the_order_of_its_records() {
    let (_folder, home) = home("");
    let integration = loaded(&home);
    let record = |number: usize| {
        Record {
        request: "residents".into(),
        property: format!("p{}", number % 3).into(),
        // Every seventh is rejected, and is told by its number where it has no id.
        json: match number % 7 {
            0 => r#"{"people":7}"#.into(),
            _ => format!(
            r#"{{"id":"r{number}","people":[{{"id":"t{number}","first":"Bo","status":"Current"}}]}}"#
        )
        .into(),
        },
        known: None,
    }
    };
    let page: Vec<Record> = (1..=1000).map(record).collect();
    let mut at_once = mapping(Arc::clone(&integration));
    at_once.map(&page, &CancellationToken::new());
    let mut one_by_one = mapping(integration);
    for record in &page {
        one_by_one.map(std::slice::from_ref(record), &CancellationToken::new());
    }
    assert_eq!(entries(&at_once), entries(&one_by_one));
    assert_eq!(at_once.taken.len(), 1000);
    assert_eq!(at_once.mapped, one_by_one.mapped);
    assert_eq!(at_once.silent(), one_by_one.silent());
}

/// R42.
#[test]
fn of_a_property_that_is_read_again_nothing_counts_that_came_before() {
    let (_folder, home) = home("");
    let integration = loaded(&home);
    let ana = r#"{"id":"t1","first":"Ana","status":"Current"}"#;
    let mut again = mapping(Arc::clone(&integration));
    again.begin();
    map_with(&mut again, "p1", ana);
    again.begin();
    map_with(&mut again, "p2", ana);
    map_with(&mut again, "p2", ana);
    assert_eq!(again.forget().unwrap(), 2);
    assert_eq!(again.forget().unwrap(), 0);
    let mut once = mapping(integration);
    map_with(&mut once, "p1", ana);
    assert_eq!(entries(&again), entries(&once));
    assert_eq!((again.mapped, again.silent()), (once.mapped, once.silent()));
}

#[test]
fn nothing_of_a_page_is_taken_when_nobody_waits_for_it() {
    let (_folder, home) = home("");
    let mut mapping = mapping(loaded(&home));
    let dropped = CancellationToken::new();
    dropped.cancel();
    let record = Record {
        request: "residents".into(),
        property: "p1".into(),
        json: r#"{"id":"r1","people":[]}"#.into(),
        known: None,
    };
    mapping.map(&vec![record; 200], &dropped);
    assert_eq!(mapping.taken.len(), 0);
}

/// What was made of the records, for as long as the tests run.
fn made(mapping: &Mapping) -> impl Iterator<Item = &Made> {
    let made: Vec<Made> = mapping.taken.each_made().map(Result::unwrap).collect();
    assert_eq!(
        made.len(),
        mapping.taken.len(),
        "nothing is remembered here"
    );
    made.leak().iter()
}

fn entries(mapping: &Mapping) -> Vec<&Entry> {
    made(mapping).flat_map(|made| &made.entries).collect()
}

fn unmapped(mapping: &Mapping) -> BTreeMap<&String, &String> {
    made(mapping).flat_map(|made| &made.unmapped).collect()
}

/// The reason of every entry that is a resident, none where it comes in.
fn reasons(mapping: &Mapping) -> Vec<Option<&str>> {
    entries(mapping)
        .into_iter()
        .map(|entry| match entry {
            Entry::Resident { excluded, .. } => excluded.as_deref(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn r5_the_script_learns_which_property_was_asked_for() {
    let (_folder, home) = home("");
    let mut mapping = mapping(loaded(&home));
    let ana = r#"{"id":"t1","first":"Ana","status":"Current"}"#;
    map_with(&mut mapping, "p1", ana);
    map_with(&mut mapping, "p2", ana);
    assert_eq!(reasons(&mapping), [None, Some("another property")]);
}

#[test]
fn r6_the_exclude_list_ignores_case_and_outer_spaces() {
    let mapping = map(
        "exclude_statuses: [\" NOTICE \", past]\n",
        r#"{"id":"t1","first":"A","status":"Notice"},{"id":"t2","first":"B","status":" Past "},
           {"id":"t3","first":"C","status":"Current"},{"id":"t4","first":"D","status":"Noticed"}"#,
    );
    assert_eq!(
        reasons(&mapping),
        [Some("status NOTICE"), Some("status past"), None, None]
    );
    assert_eq!(mapping.mapped, 4);
}

#[test]
fn r6_a_script_leaves_out_by_a_rule_of_its_own_and_gives_the_reason() {
    let mapping = map(
        "exclude_statuses: [Past]\n",
        r#"{"id":"t1","first":"A","status":"Current","unit":"WAIT"},{"id":"t2","first":"B","status":"Past","unit":"WAIT"}"#,
    );
    assert_eq!(
        reasons(&mapping),
        [Some("waiting list"), Some("status Past")]
    );
}

#[test]
fn r6_what_is_left_out_need_not_be_right() {
    let mapping = map(
        "",
        r#"{"id":"t1","status":"Current","unit":"WAIT","start":"2026-02-01","end":"2026-01-01","email":"none@none.com"}"#,
    );
    assert!(matches!(entries(&mapping)[0], Entry::Resident { .. }));
    assert_eq!(
        reasons(&map("", r#"{"id":"t1","status":"Current","unit":"WAIT"}"#)),
        [Some("waiting list")]
    );
    assert!(made(&mapping).all(|made| made.notes.is_empty()));
}

#[test]
fn r6_guarantors_minors_and_companies_come_in_only_where_they_are_included() {
    let people = r#"{"id":"t1","first":"A","status":"Current","is":"guarantor"},
                    {"id":"t2","first":"B","status":"Current","is":"minor"},
                    {"id":"t3","first":"C","status":"Current","is":"company"},
                    {"id":"t4","first":"D","status":"Current","is":"occupant"}"#;
    assert_eq!(
        reasons(&map("", people)),
        [Some("guarantor"), Some("minor"), Some("company"), None]
    );
    assert_eq!(
        reasons(&map("include: [guarantor, minor]\n", people)),
        [None, None, Some("company"), None]
    );
}

#[test]
fn r12_what_cannot_be_mapped_is_rejected_alone_and_by_the_id_of_the_resident() {
    let mapping = map(
        "",
        r#"{"id":"t1","first":"A","status":"Current","unit":"THROW"},
           {"id":"t2","first":"B","status":"Current","start":"2026-02-01","end":"2026-01-01"},
           {"id":"t3","first":"C","status":"Current"},
           {"id":"t4","first":"D","status":"Current","start":"01.02.2026"},
           {"id":"","first":"E","status":"Current"}"#,
    );
    let (mut rejected, mut taken) = (Vec::new(), Vec::new());
    for entry in entries(&mapping) {
        match entry {
            Entry::Rejected {
                resident,
                record,
                has_id,
                ..
            } => rejected.push((resident.as_deref(), record.as_str(), *has_id)),
            Entry::Resident { normal, .. } => {
                taken.push((
                    normal.resident.id.as_str(),
                    normal.resident.unreadable.len(),
                ));
            }
            Entry::Nobody { .. } | Entry::Erased { .. } => panic!("{entry:?}"),
        }
    }
    let id = |id| (Some(id), id, true);
    // That the fifth is the record's says nothing about the others in it.
    let nobody = (None, "r1, resident 5", false);
    assert_eq!(rejected, [id("t1"), id("t4"), nobody]);
    assert_eq!(taken, [("t2", 2), ("t3", 0)]);
    assert_eq!((mapping.mapped, entries(&mapping).len()), (5, 5));
}

#[test]
fn r12_a_record_that_the_script_cannot_read_is_rejected_by_its_own_id() {
    let mapping = map("", r#"{"id":"t1","first":"A"}"#);
    let Entry::Rejected {
        record, resident, ..
    } = entries(&mapping)[0]
    else {
        panic!("{:?}", mapping.taken);
    };
    assert_eq!((record.as_str(), resident), ("r1", &None));
    let nobody = map("", "");
    assert!(matches!(entries(&nobody)[..], [Entry::Nobody { record }] if record == "r1"));
}

#[test]
fn r9_a_run_maps_to_its_end_with_what_it_began_with() {
    let (folder, home) = home("exclude_statuses: [Notice]\n");
    let mut begun = mapping(loaded(&home));
    let file = folder.path().join("config/integrations/elm.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("[Notice]", "[Current]")).unwrap();
    let mut next = mapping(loaded(&home));
    let people =
        r#"{"id":"t1","first":"A","status":"Notice"},{"id":"t2","first":"B","status":"Current"}"#;
    map_with(&mut begun, "p1", people);
    map_with(&mut next, "p1", people);
    assert_eq!(reasons(&begun), [Some("status Notice"), None]);
    assert_eq!(reasons(&next), [None, Some("status Current")]);
}

#[test]
fn r35_an_unmapped_unit_leaves_its_people_without_one_and_is_told_once() {
    let people = r#"{"id":"t1","first":"A","status":"Current","unit":"101"},{"id":"t2","first":"B","status":"Current","unit":"102"},{"id":"t3","first":"C","status":"Current","unit":"102"},{"id":"t4","first":"D","status":"Past","unit":"103"}"#;
    let mapping = map(
        "units: { here: [A-1, '0102'], map: { '101': A-1 } }\n",
        people,
    );
    let units: Vec<Option<&str>> = entries(&mapping)
        .into_iter()
        .map(|entry| match entry {
            Entry::Resident { normal, .. } => {
                let unit = normal.resident.unit.as_ref();
                unit.map(|unit| unit.label.as_str())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(units, [Some("A-1"), None, None, None]);
    let told: Vec<(&str, &str)> = unmapped(&mapping)
        .into_iter()
        .map(|(unit, detail)| (unit.as_str(), detail.as_str()))
        .collect();
    assert_eq!(
        told,
        [(
            "102",
            "the PMS's unit `102` (102) is not mapped, its people have none; it looks like `0102`; add it to \
             units.map of the integration, or resolve this with map-unit"
        )]
    );
    assert_eq!(
        unmapped(&map("units: { sync: false }\n", people)).len(),
        0,
        "R33"
    );
}

/// A3. Numbers beyond 64 bits that differ in their last digit are two ids, and `1001` and `1001.0` are one.
#[test]
fn r21_an_id_is_a_text_and_a_number_of_any_length_keeps_its_digits() {
    let ids = [
        "18446744073709551616",
        "18446744073709551617",
        "1001",
        "1001.0",
        "\"007\"",
    ];
    let people = ids.map(|id| format!(r#"{{"id":{id},"first":"A","status":"Current"}}"#));
    let mapping = map("", &people.join(","));
    let found: Vec<&str> = entries(&mapping)
        .into_iter()
        .map(|entry| match entry {
            Entry::Resident { normal, .. } => normal.resident.id.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        found,
        [
            "18446744073709551616",
            "18446744073709551617",
            "1001",
            "1001",
            "007"
        ]
    );
}
