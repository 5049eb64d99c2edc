//! Answers that are made to break a reader: each ends in an error that says what it was, in bounded memory, and
//! nothing of it is taken for a complete reading.

use std::io::Write;

use crate::support::{
    has_its_own_process,
    small_pms::{Pms, Reply, ok},
};
use flate2::Compression;
use flate2::write::GzEncoder;

const JSON: &str = r#"
requests:
  residents: { url: "{{ credential.url }}/people", format: json, records: data, id: id }
"#;
const XML: &str = r#"
requests:
  residents: { url: "{{ credential.url }}/people", format: xml, records: list/person, id: id }
"#;

/// What a reading of this answer fails with.
async fn failure(
    yaml: &str,
    answer: impl Into<Vec<u8>>,
    headers: &[(&'static str, &str)],
) -> String {
    let answer = answer.into();
    let headers: Vec<(&'static str, String)> = headers
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let pms = Pms::start(yaml, move |_, _| {
        Reply(200, headers.clone(), answer.clone())
    })
    .await;
    pms.failure().await.to_string()
}

/// `begin`, then `times` the piece, then `end`, packed.
fn packed(begin: &str, piece: &[u8], times: usize, end: &str) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(begin.as_bytes()).unwrap();
    for _ in 0..times {
        packer.write_all(piece).unwrap();
    }
    packer.write_all(end.as_bytes()).unwrap();
    packer.finish().unwrap()
}

/// The most memory that this process ever had, in MB.
fn most_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn an_answer_that_unpacks_to_gigabytes_is_given_up_before_it_is_held() {
    let name = "answers::an_answer_that_unpacks_to_gigabytes_is_given_up_before_it_is_held";
    if !has_its_own_process(name) {
        return;
    }
    let gzip = [("content-encoding", "gzip")];
    let before = most_megabytes();
    // Two gigabytes of one text, of blanks between records, and of records, each a few megabytes on the way.
    let megabyte = |of: &[u8]| of.repeat((1 << 20) / of.len());
    for bomb in [
        packed("{\"data\":[{\"id\":\"", &megabyte(b"a"), 2048, "\"}]}"),
        packed("{\"data\":[", &megabyte(b" "), 2048, "]}"),
        packed("{\"data\":[", &megabyte(b"{\"id\":7},"), 2048, "{}]}"),
    ] {
        assert!(bomb.len() < 8 << 20, "{}", bomb.len());
        let told = failure(JSON, bomb, &gzip).await;
        assert_eq!(
            told,
            "`residents` of PMS property `p1`: the answer unpacks to more than 200 times its size; ask for smaller pages"
        );
    }
    let grown = most_megabytes() - before;
    assert!(grown < 400, "{grown} MB more were held");
}

#[tokio::test]
async fn what_is_packed_and_cut_off_is_no_answer() {
    let whole = packed("{\"data\":[{\"id\":7}", b",{\"id\":8}", 5_000, "]}");
    let told = failure(
        JSON,
        &whole[..whole.len() / 2],
        &[("content-encoding", "gzip")],
    )
    .await;
    assert!(told.contains("broke off in the middle"), "{told}");
}

#[tokio::test]
async fn what_is_nested_without_end_is_no_answer() {
    let deep = 200_000;
    for answer in [
        format!("{{\"around\":{}", "[".repeat(deep)),
        format!("{{\"around\":{}{}}}", "[".repeat(deep), "]".repeat(deep)),
        "{\"data\":".repeat(deep),
        "[".repeat(deep),
    ] {
        let told = failure(JSON, answer, &[]).await;
        assert!(told.contains("not readable as JSON"), "{told}");
    }
    for answer in [
        "<list>".repeat(deep),
        "<list><person>".to_owned() + &"<a>".repeat(deep),
    ] {
        let told = failure(XML, answer, &[]).await;
        assert!(told.contains("it is nested deeper than 64"), "{told}");
    }
}

#[tokio::test]
async fn no_document_brings_entities_of_its_own() {
    let mut bomb = String::from("<!DOCTYPE list [<!ENTITY a \"aaaaaaaaaa\">");
    for (one, other) in ["ab", "bc", "cd", "de", "ef"].map(|two| two.split_at(1)) {
        bomb += &format!("<!ENTITY {other} \"{}\">", format!("&{one};").repeat(10));
    }
    bomb += "]><list><person><id>&f;</id></person></list>";
    let outside = "<!DOCTYPE list [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><list><person><id>&x;</id></person></list>";
    for answer in [bomb.as_str(), outside] {
        let told = failure(XML, answer, &[]).await;
        assert!(told.contains("it has a document type"), "{told}");
        assert!(!told.contains("root:"), "{told}");
    }
    let told = failure(XML, "<list><person><id>&who;</id></person></list>", &[]).await;
    assert!(told.contains("an entity that XML does not know"), "{told}");
}

#[tokio::test]
async fn bytes_that_are_no_text_are_no_answer_and_are_not_repeated() {
    let json = b"{\"data\":[{\"id\":7,\"name\":\"An\xff\xfe\"}]}";
    let told = failure(JSON, json.as_slice(), &[]).await;
    assert!(told.contains("the answer is not valid UTF-8"), "{told}");
    assert!(!told.contains("An"), "{told}");
    let told = failure(
        XML,
        b"<list><person>\xc3\x28</person></list>".as_slice(),
        &[],
    )
    .await;
    assert!(told.contains("the answer is not valid UTF-8"), "{told}");
}

#[tokio::test]
async fn a_list_that_comes_twice_is_read_twice_so_that_nobody_is_missed() {
    let answer = r#"{"data":[{"id":1},{"id":2}],"data":[{"id":3}]}"#;
    let pms = Pms::start(JSON, move |_, _| ok(answer)).await;
    let records = pms.records().await;
    assert_eq!(records.len(), 3, "{records:?}");
}

#[tokio::test]
async fn a_record_of_another_property_makes_the_reading_incomplete() {
    let yaml = JSON.replace("id: id }", "id: id, property: home/code }");
    let told = failure(
        &yaml,
        r#"{"data":[{"id":1,"home":{"code":"P1 "}},{"id":2},{"id":3,"home":{"code":"p2"}}]}"#,
        &[],
    )
    .await;
    assert!(
        told.starts_with("`residents` of PMS property `p1`: the answer has a record of the PMS property `p2`; nothing was written"),
        "{told}"
    );
    // Those that name none, or the one that was asked for, are as good as without the check.
    let answer = r#"{"data":[{"id":1,"home":{"code":"P1 "}},{"id":2},{"id":3,"home":null}]}"#;
    let pms = Pms::start(&yaml, move |_, _| ok(answer)).await;
    assert_eq!(pms.records().await.len(), 3);
}
