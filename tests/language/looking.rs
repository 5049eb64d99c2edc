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
    home.write(
        "config/connectors/pms.yaml",
        format!(
            "version: 1\nscript: pms.rhai\ncredential_fields: {{ url: plain }}\nhosts: [\"{{{{ credential.url | host }}}}\"]\n{REQUESTS}"
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
    (pms, home)
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
