//! `epms discover` of a PMS whose records are not as they should be: what does not fit is told, and what fits is shown.

use serde_json::Value;

use crate::support::small_pms::{Pms, ok};
use crate::support::{Home, said};

const REQUESTS: &str = r#"requests:
  residents: { url: "{{ credential.url }}/people", format: json, records: data, total: total }
"#;

/// A PMS that answers so, and a home that is attached to it.
async fn attached(answer: &'static str) -> (Pms, Home) {
    let pms = Pms::start(REQUESTS, move |_, _| ok(answer)).await;
    let home = Home::new();
    attach(&home, &pms, REQUESTS);
    (pms, home)
}

/// Attaches a home to a PMS by a connector of these lines.
fn attach(home: &Home, pms: &Pms, lines: &str) {
    home.write(
        "config/connectors/pms.yaml",
        format!(
            "version: 1\nscript: pms.rhai\ncredential_fields: {{ url: plain }}\nhosts: [\"{{{{ credential.url | host }}}}\"]\n{lines}"
        ),
    );
    home.write(
        "scripts/pms.rhai",
        "fn residents(record, ctx) { #{ id: record.id, status: \"current\", status_word: record.state } }\n",
    );
    home.write(
        "config/credentials/acme.yaml",
        format!(
            "version: 1\nconnector: pms\nfields: {{ url: \"{}\" }}\n",
            pms.url
        ),
    );
    home.write(
        "config/integrations/elm.yaml",
        "version: 1\nproperty: { name: Elm, timezone: UTC, country: US }\ncredential: acme\npms_properties: [p1]\n",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn discover_says_why_the_first_record_was_not_mapped() {
    let answer = r#"{"total":3,"data":[{"id":"a","state":"In"},{"id":"b"},{"id":"c"}]}"#;
    let (_pms, home) = attached(answer).await;
    let text = said(&home.epms(&["discover", "elm"]).await, 0);
    assert!(
        text.contains("2 records could not be mapped; the first: scripts/pms.rhai:1:"),
        "{text}"
    );
    assert!(text.contains("there is no `state`"), "{text}");
    let told: Value =
        serde_json::from_slice(&home.epms(&["discover", "elm", "--json"]).await.stdout).unwrap();
    assert_eq!(told["rejected"], 2);
    assert!(
        told["first_rejected"]
            .as_str()
            .unwrap()
            .contains("there is no `state`")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn discover_takes_a_wrong_total_as_a_warning_and_shows_what_came() {
    for (answer, why) in [
        (
            r#"{"total":9,"data":[{"id":"a","state":"In"},{"id":"b","state":"In"}]}"#,
            "the PMS declares 9 records and sent 2",
        ),
        (
            r#"{"all":2,"data":[{"id":"a","state":"In"},{"id":"b","state":"In"}]}"#,
            "no answer has the number of records at `total`",
        ),
    ] {
        let (pms, home) = attached(answer).await;
        let text = said(&home.epms(&["discover", "elm"]).await, 0);
        let row = text.lines().find(|line| line.starts_with("In"));
        assert!(row.is_some_and(|row| row.contains('2')), "{text}");
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains("a run would be incomplete here"), "{text}");
        assert!(flat.contains(why), "{text}");
        // A run does not take it so.
        assert!(matches!(
            pms.read().await.0,
            epms::model::Reading::Partial { .. }
        ));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn discover_goes_on_where_only_the_list_of_properties_is_refused() {
    let lines = format!(
        "{REQUESTS}  properties: {{ url: \"{{{{ credential.url }}}}/properties\", format: json, per: once, records: data, id: id }}\n"
    );
    for (status, goes_on) in [(403, true), (500, true), (401, false)] {
        let pms = Pms::start(&lines, move |_, asked| {
            if asked.to.starts_with("/properties") {
                return crate::support::small_pms::status(status);
            }
            ok(r#"{"total":1,"data":[{"id":"a","state":"In"}]}"#)
        })
        .await;
        let home = Home::new();
        attach(&home, &pms, &format!("retry: {{ attempts: 1 }}\n{lines}"));
        let text = said(&home.epms(&["discover", "elm"]).await, i32::from(!goes_on));
        let asked_for_people = pms.asked().iter().any(|asked| asked.to == "/people");
        assert_eq!(asked_for_people, goes_on, "{status}");
        if goes_on {
            let why = "the PMS does not list its properties: `properties`: ";
            assert!(text.contains(why), "{text}");
            assert!(!text.contains("lists no properties"), "{text}");
            assert!(text.lines().any(|line| line.starts_with("In")), "{text}");
            let told = home.epms(&["discover", "elm", "--json"]).await.stdout;
            let told: Value = serde_json::from_slice(&told).unwrap();
            assert_eq!(told["statuses"][0]["word"], "In");
            assert!(
                told["unlisted"]
                    .as_str()
                    .unwrap()
                    .contains(&status.to_string())
            );
        }
    }
}
