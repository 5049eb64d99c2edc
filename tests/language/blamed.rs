//! What a text blames: the key or the file that is wrong, and none beside it.

use crate::support::small_pms::{Asked, Pms, Reply, ok, status};

const RESIDENTS: &str = "requests:
  residents: { url: \"{{ credential.url }}/people\", format: json, records: data, total: total }
";

async fn failure(
    yaml: &str,
    answer: impl Fn(&Asked) -> Reply + Clone + Send + Sync + 'static,
) -> String {
    let pms = Pms::start(yaml, move |_, asked| answer(asked)).await;
    pms.failure().await.to_string()
}

#[tokio::test]
async fn where_nothing_is_at_the_inner_path_that_is_blamed_and_not_the_records() {
    let yaml = "requests:
  residents: { url: \"{{ credential.url }}/people\", format: json, inner: { path: result, format: json }, records: data }
";
    let told = failure(yaml, |_| ok(r#"{"results":"{}"}"#)).await;
    assert!(
        told.contains("there is no text at `result` in the answer, where `inner` looks"),
        "{told}"
    );
    assert!(
        told.contains("correct `inner.path` of the request"),
        "{told}"
    );
    let told = failure(yaml, |_| ok(r#"{"result":"{\"date\":[]}"}"#)).await;
    assert!(
        told.contains("there is nothing at `data` in the answer"),
        "{told}"
    );
    assert!(told.contains("correct `records` of the request"), "{told}");
}

#[tokio::test]
async fn a_total_that_is_written_for_people_is_read() {
    let rows: Vec<String> = (0..1003).map(|id| format!("{{\"id\":{id}}}")).collect();
    let body = |total: &str| format!("{{\"total\":\"{total}\",\"data\":[{}]}}", rows.join(","));
    let (right, wrong) = (body("1,003"), body("1,0,3"));
    let pms = Pms::start(RESIDENTS, move |_, _| ok(right.clone())).await;
    assert_eq!(pms.records().await.len(), 1003);
    let told = failure(RESIDENTS, move |_| ok(wrong.clone())).await;
    assert!(
        told.contains("no answer has the number of records at `total`"),
        "{told}"
    );
}

#[tokio::test]
async fn a_status_that_leads_elsewhere_and_says_not_where_redirects_nowhere() {
    let told = failure(RESIDENTS, |_| status(304)).await;
    assert!(
        told.contains("status 304") && !told.contains("redirects to"),
        "{told}"
    );
    assert!(told.contains("a rule that names this `status`"), "{told}");
    assert!(!told.contains("into the credential"), "{told}");
    let elsewhere = |_: &Asked| {
        Reply(
            302,
            vec![("location", "https://x.invalid/".into())],
            Vec::new(),
        )
    };
    let told = failure(RESIDENTS, elsewhere).await;
    assert!(told.contains("the server redirects to x.invalid"), "{told}");
}

#[tokio::test]
async fn an_answer_in_another_encoding_names_the_key_that_says_it() {
    let told = failure(RESIDENTS, |_| ok(b"{\"data\":[\"Ren\xe9\"]}".to_vec())).await;
    assert!(
        told.contains("not valid UTF-8; where it is in another encoding, name that by `encoding`"),
        "{told}"
    );
}

#[tokio::test]
async fn a_url_that_an_answer_gives_is_not_blamed_on_the_credential() {
    let yaml = "requests:
  job: { url: \"{{ credential.url }}/job\", format: json, gives: { file: file } }
  residents: { after: [job], url: \"{{ given.file }}\", format: json, records: data }
";
    let told = failure(yaml, |_| ok(r#"{"file":"/files/7"}"#)).await;
    assert!(told.contains("what `url` gives is no URL"), "{told}");
    assert!(
        told.contains("{{ credential.url }}{{ given.NAME | path }}"),
        "{told}"
    );
    assert!(!told.contains("into the credential"), "{told}");
}

#[tokio::test]
async fn somebody_who_asks_by_hand_is_not_told_what_the_clock_does() {
    let yaml = "auth: { basic: { username: \"{{ credential.user }}\", password: \"{{ credential.secret }}\" } }\n".to_owned()
        + RESIDENTS;
    let pms = Pms::start(&yaml, |_, _| status(401)).await;
    let scope = epms::source::Scope {
        properties: vec!["p1".into()],
        fields: std::collections::BTreeMap::new(),
        today: jiff::civil::date(2026, 3, 1),
        judge: None,
        known: None,
    };
    let mut told = Vec::new();
    for by_hand in [true, true, false] {
        let account = pms.account().asked_by_hand(by_hand);
        let page = pms
            .reader
            .first_page(&pms.source, &account, "residents", "p1", &scope)
            .await;
        told.push(page.unwrap_err().to_string());
    }
    assert_eq!(pms.asked().len(), 1);
    assert!(told[1].contains("ask once more in 10 s"), "{told:?}");
    assert!(!told[1].contains("by the clock"), "{told:?}");
    assert!(
        told[2].contains("not asked again by the clock for up to an hour"),
        "{told:?}"
    );
}
