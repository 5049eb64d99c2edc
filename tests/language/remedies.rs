//! From an error to understanding it: mistakes in what a connector means, each with the text that the program shows, word for
//! word, and the place of the remedy in it. Mistakes in how files are written are in `tests/files/mistakes.rs`.

use serde_json::{Value, json};

use crate::attached::{SCRIPT, World, integration};
use crate::support::Daemon;
use crate::support::said;
use crate::support::small_pms::{Asked, Reply, ok};

/// The residents of a property as JSON, with more about the request.
fn residents(more: &str) -> String {
    format!(
        "requests:\n  residents: {{ url: \"{{{{ credential.url }}}}/{{{{ property }}}}\", format: json{more} }}\n"
    )
}

fn people(_: usize, _: &Asked) -> Reply {
    let people: Vec<Value> = (1..=3)
        .map(|id| json!({ "id": id, "first": "Ana", "site": "p2", "unit": id.to_string() }))
        .collect();
    ok(json!({ "data": people, "total": 3, "page": { "total": 3 } }).to_string())
}

/// The text without what differs from time to time.
fn steady(text: &str, world: &World) -> String {
    let host = world.pms.url.strip_prefix("http://").unwrap();
    let text = text.replace(host, "PMS");
    let words = text.split(' ').map(|word| {
        let number = word.strip_prefix('(');
        if number.is_some_and(|number| number.parse::<u64>().is_ok()) {
            "(N"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What `epms check` says.
async fn check(world: &World) -> String {
    let files = [
        "config/connectors/pms.yaml",
        "scripts/pms.rhai",
        "config/integrations",
    ];
    let files = files.map(|file| world.home.path(file));
    let files = files.iter().map(|file| file.to_str().unwrap());
    let words: Vec<&str> = std::iter::once("check").chain(files).collect();
    steady(&said(&world.home.epms(&words).await, 0), world)
}

/// What `epms doctor` says that is not well with the PMS.
async fn doctor(world: &World) -> String {
    let (text, _) = world.doctor().await;
    let (_, of_pms) = text.split_once("\nelm\n").unwrap();
    let mut told = Vec::new();
    let mut is_wrong = false;
    for line in of_pms.lines() {
        let mark = line.split_whitespace().next().unwrap_or_default();
        is_wrong = matches!(mark, "FAIL" | "fail" | "warn") || is_wrong && mark == "→";
        if is_wrong {
            told.push(line.trim_start());
        }
    }
    steady(&told.join("\n"), world)
}

/// What `epms run r1` says of the first run.
async fn run(world: &World) -> String {
    let daemon = Daemon::start(&world.home).await;
    daemon.settle().await;
    let text = said(&world.home.epms(&["run", "r1"]).await, 0);
    let (told, _) = text.split_once("\n\n").unwrap();
    steady(told, world)
}

#[tokio::test]
async fn records_that_stand_elsewhere() {
    let world = World::start(&residents(", records: residents, id: id"), SCRIPT, people).await;
    insta::assert_snapshot!("records-that-stand-elsewhere", doctor(&world).await);
}

#[tokio::test]
async fn an_id_that_is_called_otherwise() {
    let world = World::start(&residents(", records: data, id: Id"), SCRIPT, people).await;
    insta::assert_snapshot!("an-id-that-is-called-otherwise", run(&world).await);
}

#[tokio::test]
async fn a_total_that_stands_elsewhere() {
    let yaml = residents(", records: data, id: id, total: count");
    let world = World::start(&yaml, SCRIPT, people).await;
    insta::assert_snapshot!("a-total-that-stands-elsewhere", doctor(&world).await);
}

#[tokio::test]
async fn a_total_that_is_that_of_each_page() {
    let yaml = residents(
        ", records: data, id: id, total: total, query: { p: \"{{ page.number }}\" }, page: { number: { size: 2 } }",
    );
    let world = World::start(&yaml, SCRIPT, |_, asked| {
        let ids = match asked.to.as_str() {
            "/p1?p=0" => vec![1, 2],
            "/p1?p=1" => vec![3],
            _ => vec![],
        };
        let data: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        ok(json!({ "data": data, "total": data.len() }).to_string())
    })
    .await;
    insta::assert_snapshot!("a-total-that-is-that-of-each-page", run(&world).await);
}

#[tokio::test]
async fn pages_that_are_smaller_than_asked_for() {
    let yaml = residents(
        ", records: data, id: id, query: { p: \"{{ page.number }}\" }, page: { number: { size: 500 } }",
    );
    let world = World::start(&yaml, SCRIPT, |_, asked| {
        let ids = match asked.to.as_str() {
            "/p1?p=0" => vec![1, 2],
            "/p1?p=1" => vec![3, 4],
            _ => vec![],
        };
        let data: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        ok(json!({ "data": data }).to_string())
    })
    .await;
    insta::assert_snapshot!("pages-that-are-smaller-than-asked-for", run(&world).await);
}

#[tokio::test]
async fn a_rule_that_takes_a_full_answer_for_an_empty_one() {
    let yaml = residents(", records: data, id: id, errors: [{ path: total, is: empty }]");
    let world = World::start(&yaml, SCRIPT, people).await;
    insta::assert_snapshot!(
        "a-rule-that-takes-a-full-answer-for-an-empty-one",
        run(&world).await
    );
}

#[tokio::test]
async fn a_rule_behind_one_that_takes_all_that_it_fits() {
    let rules = "errors:\n  - { status: 5xx, is: retry }\n  - { status: 503, text: closed, is: maintenance }\n";
    let yaml = residents(", records: data, id: id");
    let world = World::start(&format!("{rules}{yaml}"), SCRIPT, people).await;
    insta::assert_snapshot!(
        "a-rule-behind-one-that-takes-all-that-it-fits",
        check(&world).await
    );
}

#[tokio::test]
async fn residents_of_all_properties() {
    let yaml = residents(", records: data, id: id, per: once").replace("/{{ property }}", "");
    let world = World::start(&yaml, SCRIPT, people).await;
    insta::assert_snapshot!("residents-of-all-properties", check(&world).await);
}

#[tokio::test]
async fn a_property_that_the_pms_calls_otherwise() {
    let yaml = residents(", records: data, id: id, per: once, property: site");
    let yaml = yaml.replace("/{{ property }}", "");
    let world = World::start(&yaml, SCRIPT, people).await;
    insta::assert_snapshot!(
        "a-property-that-the-pms-calls-otherwise",
        doctor(&world).await
    );
}

#[tokio::test]
async fn an_answer_to_another_question() {
    let yaml = residents(", records: data, id: id, property: site");
    let world = World::start(&yaml, SCRIPT, people).await;
    insta::assert_snapshot!("an-answer-to-another-question", run(&world).await);
}

#[tokio::test]
async fn a_lookup_that_no_request_reads() {
    let yaml = format!(
        "{}  units: {{ url: \"{{{{ credential.url }}}}/units\", format: json, id: id }}\n",
        residents(", records: data, id: id")
    );
    let script = SCRIPT.replace(
        "    #{",
        "    let unit = ctx.lookup(\"unit\", text(record, \"unit\"));\n    #{",
    );
    let world = World::start(&yaml, &script, people).await;
    insta::assert_snapshot!("a-lookup-that-no-request-reads", check(&world).await);
}

#[tokio::test]
async fn a_lookup_whose_name_is_not_written_out() {
    let yaml = format!(
        "{}  units: {{ url: \"{{{{ credential.url }}}}/units\", format: json, id: id }}\n",
        residents(", records: data, id: id")
    );
    let script = SCRIPT.replace(
        "    #{",
        "    let unit = ctx.lookup(record.kind, text(record, \"unit\"));\n    #{",
    );
    let world = World::start(&yaml, &script, people).await;
    insta::assert_snapshot!(
        "a-lookup-whose-name-is-not-written-out",
        check(&world).await
    );
}

#[tokio::test]
async fn an_answer_of_another_form() {
    let world = World::start(&residents(", records: data, id: id"), SCRIPT, |_, _| {
        ok("<Residents><Resident><id>1</id></Resident></Residents>")
    })
    .await;
    insta::assert_snapshot!("an-answer-of-another-form", doctor(&world).await);
}

#[tokio::test]
async fn a_token_that_stands_elsewhere() {
    let yaml = format!(
        "auth: {{ login: {{ request: login, token: access_token }} }}\n{}  login: {{ method: POST, reads: true, url: \"{{{{ credential.url }}}}/login\", format: json, body: {{ json: {{}} }} }}\n",
        residents(", records: data, id: id")
    );
    let world = World::start(&yaml, SCRIPT, |n, asked| match asked.to.as_str() {
        "/login" => ok(r#"{"data":{"token":"t0ken"}}"#),
        _ => people(n, asked),
    })
    .await;
    insta::assert_snapshot!("a-token-that-stands-elsewhere", doctor(&world).await);
}

#[tokio::test]
async fn a_host_that_is_not_listed() {
    let yaml = residents(", records: data, id: id")
        .replace("{{ credential.url }}/", "https://elsewhere.example.com/");
    let world = World::start(&yaml, SCRIPT, people).await;
    insta::assert_snapshot!("a-host-that-is-not-listed", doctor(&world).await);
}

#[tokio::test]
async fn several_properties_and_a_request_that_does_not_say_which() {
    let yaml = residents(", records: data, id: id").replace("/{{ property }}", "");
    let world = World::start(&yaml, SCRIPT, people).await;
    world
        .home
        .write("config/integrations/elm.yaml", integration("p1, p2"));
    insta::assert_snapshot!(
        "several-properties-and-a-request-that-does-not-say-which",
        check(&world).await
    );
}
