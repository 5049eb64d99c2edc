//! What a reading takes for granted is told, and what rules look for is seen: objects at a path, columns of one name, files that
//! are the newest alike, details with nobody, properties that no record names, keys of two records, changes without a property.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use epms::model::{Outcome, Reading};
use serde_json::{Value, json};

use crate::attached::{SCRIPT, World, integration};
use crate::silent::ONCE;
use crate::support::Daemon;
use crate::support::small_pms::{Asked, Pms, Reply, ok, status};

fn residents(more: &str) -> String {
    format!("requests: {{ residents: {{ url: \"{{{{ credential.url }}}}/people\", {more} }} }}\n")
}

async fn told(yaml: &str, answer: &'static str) -> String {
    let pms = Pms::start(yaml, move |_, _| ok(answer)).await;
    pms.failure().await.to_string()
}

/// How many records come, and the notes of the reading.
async fn noted(
    yaml: &str,
    answer: impl Fn(&str) -> Reply + Clone + Send + Sync + 'static,
) -> (usize, Vec<String>) {
    let pms = Pms::start(yaml, move |_, asked: &Asked| answer(&asked.to)).await;
    let (reading, records) = pms.read().await;
    let Reading::Complete { notes, .. } = reading else {
        panic!("{reading:?}");
    };
    let notes = notes.iter().map(|(note, count)| format!("{note} {count}"));
    (records.len(), notes.collect())
}

#[tokio::test]
async fn an_error_that_is_an_object_ends_the_reading_with_its_words() {
    let yaml = residents("format: json, records: data, errors: [{ path: error, is: fatal }]");
    let answer = r#"{"data": [{"id": 1}], "error": {"code": 5, "message": "closed"}}"#;
    let said = told(&yaml, answer).await;
    assert!(said.contains("5; closed"), "{said}");
    let empty = r#"{"data": [{"id": 1}], "error": {"code": 0, "message": null}}"#;
    let (came, notes) = noted(&yaml, move |_| ok(empty)).await;
    assert_eq!((came, notes), (1, vec![]));
}

#[tokio::test]
async fn an_object_says_that_nobody_is_there_or_that_something_is_ready() {
    let yaml = residents("format: json, records: data, missing: { empty: { path: page } }");
    let (came, notes) = noted(&yaml, |_| ok(r#"{"page": {"number": 1}}"#)).await;
    assert_eq!(came, 0);
    assert_eq!(notes, ["taken_for_empty by { path: page } (pms.yaml:6) 1"]);
    assert!(
        told(&yaml, r#"{"page": {}}"#)
            .await
            .contains("nothing at `data`")
    );

    let yaml = "requests:
  job: { url: \"{{ credential.url }}/job\", format: json, poll: { until: { path: done }, every: 0s, at_most: 10s } }
  residents: { url: \"{{ credential.url }}/people\", format: json, after: [job] }
";
    let pms = Pms::start(yaml, |n, _| {
        ok(match n {
            0 => r#"{"done": {}}"#,
            1 => r#"{"done": {"file": "a"}}"#,
            _ => r#"[{"id": 1}]"#,
        })
    })
    .await;
    assert_eq!(pms.records().await.len(), 1);
    assert_eq!(pms.paths(), ["/job", "/job", "/people"]);
}

#[tokio::test]
async fn columns_of_one_name_are_noted_and_the_first_keeps_it() {
    let yaml = residents("format: csv, id: Id");
    let pms = Pms::start(&yaml, |_, _| ok("Id,Phone,Phone,,\n1,a,b,,\n2,,c,,\n")).await;
    let records = pms.records().await;
    assert_eq!(records[0]["Phone"], json!("a"));
    assert_eq!(records[0]["Phone#2"], json!("b"));
    let (_, notes) = noted(&yaml, |_| ok("Id,Phone,Phone,,\n1,a,b,,\n")).await;
    assert_eq!(notes, ["column_twice:Phone at requests.residents 2"]);
}

#[tokio::test]
async fn two_files_that_are_the_newest_alike_make_the_reading_incomplete_unless_they_are_one() {
    let yaml = "requests: {
        files: { url: \"{{ credential.url }}/files\", format: json, records: files, gives: { file: { newest: path, by: at } } },
        residents: { after: [files], url: \"{{ credential.url }}/get/{{ given.file }}\", format: csv, id: Id } }\n";
    let two =
        r#"{"files": [{"path": "a", "at": "2026-03-01"}, {"path": "b", "at": "2026-03-01"}]}"#;
    let said = told(yaml, two).await;
    assert!(
        said.contains("several records are the newest alike, and differ at `path`"),
        "{said}"
    );
    let pms = Pms::start(yaml, |n, _| match n {
        0 => ok(r#"{"files": [{"path": "a", "at": "9"}, {"path": "a", "at": "9"}]}"#),
        _ => ok("Id\n1\n"),
    })
    .await;
    assert_eq!(pms.records().await.len(), 1);
}

#[tokio::test]
async fn details_with_nobody_are_noted() {
    let yaml = "requests: {
        units: { url: \"{{ credential.url }}/units\", format: json, id: id },
        residents: { each: units, url: \"{{ credential.url }}/units/{{ record.id }}\", format: json, records: people, \
        errors: [{ status: 410, is: gone }] } }\n";
    let (came, notes) = noted(yaml, |to| match to {
        "/units" => ok(r#"[{"id": 1}, {"id": 2}, {"id": 3}]"#),
        "/units/1" => ok(r#"{"people": [{"id": 7}]}"#),
        "/units/2" => ok(r#"{"people": []}"#),
        _ => status(410),
    })
    .await;
    assert_eq!(came, 1);
    let wanted = [
        "empty_details at requests.residents 1",
        "gone_details at requests.residents 1",
    ];
    assert_eq!(notes, wanted);
    let yaml = yaml.replace(
        "units\", format: json",
        "units\", format: json, errors: [{ text: none, is: empty }]",
    );
    let (came, notes) = noted(&yaml, |_| ok(r#""none""#)).await;
    assert_eq!(
        (came, notes),
        (
            0,
            vec!["taken_for_empty by { text: none } (pms.yaml:7) 1".to_owned()]
        )
    );
}

#[tokio::test]
async fn a_member_that_is_null_beside_others_is_rejected_as_an_element_is() {
    for (records, answer) in [
        (
            "data",
            r#"{"data": [null, {"id": "2", "first": "Bo", "email": "bo@mail.com"}]}"#,
        ),
        (
            "data/*",
            r#"{"data": {"1": null, "2": {"id": "2", "first": "Bo", "email": "bo@mail.com"}}}"#,
        ),
    ] {
        let yaml = residents(&format!("format: json, records: {records}, id: id"));
        let world = World::start(&yaml, SCRIPT, move |_, _| ok(answer)).await;
        let run = world.run().await;
        assert!(run.outcome.is_success(), "{records}: {run:?}");
        assert_eq!(
            (run.records, run.counts.rejected),
            (2, 1),
            "{records}: {run:?}"
        );
    }
    let yaml = residents("format: json, records: data/*, missing: { empty: { path: ok } }");
    let said = told(&yaml, r#"{"data": {"1": "no", "2": {"id": 2}}, "ok": 1}"#).await;
    assert!(
        said.contains("not all that stands at `data/*` in the answer is an object or a list"),
        "{said}"
    );
}

#[tokio::test]
async fn what_is_no_record_where_the_answer_should_be_is_told_without_an_empty_path() {
    let said = told(&residents("format: json"), r#""closed""#).await;
    assert!(
        said.contains("the answer itself is no record and no list of them"),
        "{said}"
    );
}

fn person(id: u32, first: &str, site: &str) -> Value {
    let email = format!("{}@mail.com", first.to_lowercase());
    json!({ "id": id, "first": first, "email": email, "unit": "7", "site": site })
}

/// What was asked for at once, and no record was of it: nothing said so.
#[tokio::test]
async fn a_property_that_no_record_names_is_noted_and_nobody_of_it_is_closed() {
    let world = World::start(ONCE, SCRIPT, |n, _| {
        let mut people = vec![person(1, "Ana", "p1")];
        if n == 0 {
            people.push(person(2, "Bo", "OAK"));
        }
        ok(json!({ "data": people }).to_string())
    })
    .await;
    world
        .home
        .write("config/integrations/elm.yaml", integration("p1, oak, p9"));
    let daemon = Daemon::start(&world.home).await;
    daemon.settle().await;
    let before = daemon.people().await;
    assert_eq!(before.len(), 2);
    let run = daemon.sync("elm").await;
    assert!(matches!(run.outcome, Outcome::Held { .. }), "{run:?}");
    let reason = run.outcome.reason().unwrap();
    assert!(reason.contains("`oak` is empty"), "{reason}");
    for property in ["oak", "p9"] {
        assert_eq!(run.notes[&format!("property_not_named:{property}")], 1);
    }
    assert_eq!(daemon.people().await, before);
}

/// The records of one property do not make up for those of another: whose they are, and which, was looked at for one alone.
#[tokio::test]
async fn paths_lead_somewhere_in_each_property_for_itself() {
    let yaml = ONCE.replace("per: once, ", "");
    let yaml = yaml.replace("/people", "/people/{{ property }}");
    for lacks in ["id", "site"] {
        let stage = Arc::new(AtomicUsize::new(0));
        let now = Arc::clone(&stage);
        let world = World::start(&yaml, SCRIPT, move |_, asked| {
            let mut people = match asked.to.as_str() {
                "/people/p1" => [person(1, "Ana", "p1"), person(2, "Bo", "p1")],
                _ => [person(3, "Cy", "p2"), person(4, "Dee", "p2")],
            };
            let many = match (asked.to.as_str(), now.load(Ordering::SeqCst)) {
                ("/people/p2", stage) => [0, 2, 1][stage],
                _ => 0,
            };
            for one in people.iter_mut().take(many) {
                one.as_object_mut().unwrap().remove(lacks);
            }
            ok(json!({ "data": people }).to_string())
        })
        .await;
        world
            .home
            .write("config/integrations/elm.yaml", integration("p1, p2"));
        let daemon = Daemon::start(&world.home).await;
        daemon.settle().await;
        assert_eq!(daemon.people().await.len(), 4);
        stage.store(1, Ordering::SeqCst);
        let run = daemon.sync("elm").await;
        let Outcome::Incomplete { reason } = &run.outcome else {
            panic!("{lacks}: {run:?}")
        };
        assert!(
            reason.contains(&format!("no record has anything at `{lacks}`")),
            "{reason}"
        );
        assert!(reason.contains("PMS property `p2`"), "{reason}");
        // One of several is a matter of its own.
        stage.store(2, Ordering::SeqCst);
        let run = daemon.sync("elm").await;
        assert!(run.outcome.is_success(), "{lacks}: {run:?}");
    }
}

const LOOKS_UP: &str = r#"fn residents(record, ctx) {
    let unit = ctx.lookup("units", text(record, "unit"));
    #{ id: text(record, "id"), first_name: text(record, "first"), last_name: "Ek", email: text(record, "email"),
       status: "current", status_word: "In", unit: if unit == () { () } else { text(unit, "name") } }
}
"#;

/// A world in which the lookup is asked once, and says of which property each record is.
async fn with_units(units: Value) -> World {
    let yaml = format!(
        "{ONCE}  units: {{ url: \"{{{{ credential.url }}}}/units\", format: json, id: id, per: once, property: site, refresh: 0s }}\n"
    );
    let world = World::start(&yaml, LOOKS_UP, move |_, asked| match asked.to.as_str() {
        "/units" => ok(units.to_string()),
        _ => ok(json!({ "data": [person(1, "Ana", "p1"), person(2, "Bo", "p2")] }).to_string()),
    })
    .await;
    world
        .home
        .write("config/integrations/elm.yaml", integration("p1, p2"));
    world
}

#[tokio::test]
async fn what_is_looked_up_in_what_is_asked_once_is_of_the_property_of_who_asks() {
    let world = with_units(json!([
        { "id": "7", "name": "Seven at p1", "site": "p1" },
        { "id": "7", "name": "Seven at p2", "site": "P2" },
    ]))
    .await;
    let daemon = Daemon::start(&world.home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    let unit = |first: &str| {
        let one = people.iter().find(|one| one.first_name == first).unwrap();
        let stay = one.stays.values().next().unwrap();
        stay.unit.as_ref().unwrap().label.clone()
    };
    assert_eq!(
        (unit("Ana"), unit("Bo")),
        ("Seven at p1".into(), "Seven at p2".into())
    );
    let run = daemon.sync("elm").await;
    assert!(run.notes.is_empty(), "{run:?}");
}

#[tokio::test]
async fn a_key_of_two_records_of_a_lookup_that_differ_is_told() {
    let world = with_units(json!([
        { "id": "7", "name": "1A", "site": "p1" },
        { "id": "7", "name": "1B", "site": "p1" },
        { "id": "7", "name": "2A", "site": "p2" },
        { "id": "7", "name": "2A", "site": "p2" },
    ]))
    .await;
    let run = world.run().await;
    assert_eq!(run.notes["several_in_lookup:units"], 1, "{run:?}");
}

#[tokio::test]
async fn changes_are_asked_for_since_a_whole_second_and_need_not_name_a_property() {
    let yaml = ONCE.replace(
        "property: site",
        "property: site, query: { since: \"{{ since }}\" }, since: { overlap: 0s }",
    );
    let pms = Pms::start(&yaml, |n, _| {
        ok(match n {
            0 => json!({ "data": [person(1, "Ana", "p1")] }).to_string(),
            _ => json!({ "data": [{ "id": 9, "first": "Di" }] }).to_string(),
        })
    })
    .await;
    assert_eq!(pms.records().await.len(), 1);
    assert_eq!(pms.records().await.len(), 1, "nobody of theirs has changed");
    let paths = pms.paths();
    let since = paths[1].split_once("since=").unwrap().1;
    assert!(since.ends_with('Z') && !since.contains('.'), "{since}");
    let exactly = yaml.replace(
        "{{ since }}",
        "{{ since[:10] }} {{ since | moment('%.9fZ') }}",
    );
    let pms = Pms::start(&exactly, |_, _| {
        ok(json!({ "data": [person(1, "Ana", "p1")] }).to_string())
    })
    .await;
    pms.records().await;
    pms.records().await;
    let paths = pms.paths();
    let asked = paths[1].split_once("since=").unwrap().1;
    let (day, fraction) = asked.split_once("+.").unwrap();
    assert_eq!((day.len(), fraction.len()), (10, 10), "{asked}");
    // All of it without a property is still a path that leads nowhere.
    let pms = Pms::start(&yaml, |_, _| ok(r#"{"data": [{"id": 9}]}"#)).await;
    assert!(
        pms.failure()
            .await
            .to_string()
            .contains("no record has anything at `site`")
    );
}

const SESSION: &str = r#"
auth: { login: { request: login, token: token, header: X-Session, value: "{{ token }}", logout: logout } }
requests:
  login: { method: POST, reads: true, url: "{{ credential.url }}/login", body: { form: { p: "{{ credential.secret }}" } }, format: json }
  logout: { method: POST, reads: true, url: "{{ credential.url }}/logout", headers: { X-Session: "{{ token }}" }, format: json }
  residents: { url: "{{ credential.url }}/people", format: json }
"#;

#[tokio::test]
async fn a_secret_that_changed_in_its_file_means_a_new_login_and_the_old_token_is_given_back() {
    let pms = Pms::start(SESSION, |n, asked| match asked.to.as_str() {
        "/login" => ok(format!(r#"{{"token": "token-{n}"}}"#)),
        "/logout" => ok("{}"),
        _ => ok(r#"[{"id": 1}]"#),
    })
    .await;
    pms.records().await;
    std::fs::write(pms.home.path().join("secret"), "another").unwrap();
    pms.records().await;
    let wanted = ["/login", "/people", "/logout", "/login", "/people"];
    assert_eq!(pms.paths(), wanted);
    let asked = pms.asked();
    assert_eq!(asked[2].header("x-session"), "token-0");
    assert_eq!(asked[3].body, "p=another");
    assert_eq!(asked[4].header("x-session"), "token-3");
}
