//! Answers of a PMS, and the templates of what it is asked.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use epms::config::{Csv, Document, File, Footer, Format, Verdict};
use epms::source::{Alone, AnswerTo, Path, Place, Sample, Shape, Source, records_of, rendered};
use url::Url;

use super::line_and_rest;

/// Takes an answer apart; the first line is where the records are. What comes are JSON texts.
fn answer(data: &[u8], shape: impl Fn(Path) -> Shape) {
    let (path, body) = line_and_rest(data);
    let path = std::str::from_utf8(path).ok();
    let path = path.and_then(|path| Path::parse(path).ok());
    for path in path.into_iter().chain([Path::default()]) {
        match records_of(&shape(path), body) {
            Err(error) => assert!(!error.is_empty()),
            Ok(records) => {
                for record in records {
                    let read = serde_json::from_str::<&serde_json::value::RawValue>(&record);
                    assert!(read.is_ok(), "a record that is no JSON: {record}");
                }
            }
        }
    }
}

/// An answer in JSON.
pub fn json(data: &[u8]) {
    answer(data, |path| Shape::new(Format::Json, path));
}

/// An answer in XML, in a SOAP envelope, and with XML inside XML.
pub fn xml(data: &[u8]) {
    answer(data, |path| Shape::new(Format::Xml, path));
    answer(data, |path| Shape::new(Format::Soap, path));
    let result = || Path::parse("R/Result").expect("a path");
    answer(data, |path| {
        Shape::new(Format::Xml, path).inside(Format::Xml, result())
    });
}

/// An answer in CSV. Its first line is what separates the columns, what quotes fields, how many lines are skipped, and how
/// the footer begins; it may end there. What is read in windows-1252 has as many rows, and what has a footer that counts
/// them is no less for being cut off.
pub fn csv_answer(data: &[u8]) {
    let (first, body) = line_and_rest(data);
    let mark = |at: usize| first.get(at).copied().filter(u8::is_ascii_punctuation);
    let shape = Shape::new(Format::Csv, Path::default());
    let shape = shape.separated_by(mark(0).unwrap_or(b','));
    let skip = first.get(2).copied().filter(u8::is_ascii_digit);
    let footer = first
        .get(3..)
        .and_then(|rest| std::str::from_utf8(rest).ok());
    let csv = Csv {
        skip: skip.map_or(0, |digit| usize::from(digit - b'0')),
        quote: mark(1).map(char::from),
        footer: footer.map(|begins| Footer {
            begins: begins.to_owned(),
            counts: true,
        }),
    };
    let shape = match shape.clone().with_csv(&csv) {
        Ok(shape) => shape,
        Err((key, message)) => {
            assert!(!key.is_empty() && !message.is_empty());
            shape
        }
    };
    let rows = |shape: &Shape, body: &[u8]| match records_of(shape, body) {
        Err(error) => {
            assert!(!error.is_empty());
            None
        }
        Ok(records) => {
            let are_maps = |record: &str| {
                serde_json::from_str::<BTreeMap<String, serde_json::Value>>(record).is_ok()
            };
            assert!(records.iter().all(|record| are_maps(record)));
            Some(records)
        }
    };
    let whole = rows(&shape, body);
    let in_1252 = shape.clone().encoded("windows-1252").expect("it is known");
    if body.is_ascii() {
        assert_eq!(whole, rows(&in_1252, body), "ASCII is the same in both");
    }
    if shape.csv().is_some_and(|csv| csv.footer.is_some())
        && let Some(whole) = rows(&in_1252, body)
    {
        // What stands behind the footer's number may go, and a number be cut in its digits, as `12` and `1`.
        let cut = body.get(..body.len() / 2).unwrap_or_default();
        if let Some(less) = rows(&in_1252, cut) {
            assert!(less.len() <= whole.len() && whole.starts_with(&less));
        }
    }
}

/// A connector with every kind of rule.
const JUDGED: &str = r#"version: 1
script: a.rhai
credential_fields: { url: plain }
hosts: ["{{ credential.url | host }}"]
auth: { login: { request: login, token: { cookie: sid }, logout: logout } }
errors:
  - { status: 302, is: login_failed }
  - { status: [429, 5xx], header: { name: X-State, text: down }, is: maintenance, hint: wait }
  - { header: { name: X-Left, equals: "0" }, is: rate_limited }
  - { path: '**/error[@kind=bad]', text: no, is: fatal }
  - { absent: 'a\/b', text: gone, is: gone }
requests:
  login: { method: POST, reads: true, url: "{{ credential.url }}", format: xml, errors: [{ status: 303, is: ok }] }
  logout: { method: DELETE, url: "{{ credential.url }}", format: json }
  step: { url: "{{ credential.url }}", format: soap, poll: { until: { path: State, equals: done } }, gives: { a: { newest: x, by: y } } }
  residents:
    after: [step]
    url: "{{ credential.url }}/{{ given.a }}"
    format: json
    records: 'a\/b/*'
    id: "@key"
    property: house
    total: n
    missing: { empty: { path: status, equals: unchanged } }
    since: {}
  rows:
    feeds: residents
    url: "{{ credential.url }}"
    format: csv
    delimiter: ";"
    encoding: windows-1252
    unpack: { zip: "*.csv" }
    csv: { skip: 1, quote: "'", footer: { begins: Total, counts: true } }
    id: id
  inner: { url: "{{ credential.url }}", per: once, format: xml, inner: { path: R/T, format: json }, records: x, id: id }
"#;

static SOURCE: LazyLock<Source> = LazyLock::new(|| {
    let document = Document::parse(std::path::Path::new("a.yaml"), JUDGED).expect("it is YAML");
    let value = document.read().expect("it is a connector");
    let hash = [0; 32];
    Source::compile(&File {
        value,
        document,
        hash,
    })
    .expect("the connector is right")
});

/// An answer with a status and a header in its first line, to each request of a connector: it means something, and what
/// may be taken of it has no reason not to be.
pub fn verdict(data: &[u8]) {
    let (first, body) = line_and_rest(data);
    let first = String::from_utf8_lossy(first);
    let (status, header) = first.split_once(' ').unwrap_or((&first, ""));
    let status = status.parse().unwrap_or(200);
    let headers: Vec<(String, String)> = header
        .split_once(':')
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .into_iter()
        .collect();
    let sample = Sample {
        status,
        headers: &headers,
        body,
    };
    for request in SOURCE.requests() {
        let asked = AnswerTo {
            request,
            property: "p",
            attached: &[],
            shape: None,
        };
        match SOURCE.alone(asked, None, sample) {
            Err(error) => assert!(!error.is_empty()),
            Ok(Alone {
                meaning,
                incomplete,
            }) => {
                let takes = matches!(meaning.verdict, Verdict::Ok | Verdict::Empty);
                assert!(takes || meaning.records == 0, "{request}: {meaning:?}");
                assert!(meaning.wrong.is_none() || incomplete.is_some());
                assert!(incomplete.is_none_or(|it| !it.told.what.is_empty()));
            }
        }
    }
}

/// A template, and the value that goes into it: no template does harm, and no value breaks out of where it stands.
pub fn template(data: &[u8]) {
    let (first, rest) = line_and_rest(data);
    let (Ok(text), Ok(value)) = (std::str::from_utf8(first), std::str::from_utf8(rest)) else {
        return;
    };
    let credential = BTreeMap::from([("v".to_owned(), value.to_owned())]);
    for place in [Place::Plain, Place::Header, Place::Url, Place::Xml] {
        if let Err(error) = rendered(place, text, &credential) {
            assert!(!error.is_empty());
        }
    }

    let header = rendered(Place::Header, "a {{ credential.v }}", &credential);
    assert!(header.is_err() || !value.chars().any(char::is_control));

    let xml = rendered(
        Place::Xml,
        "<a b=\"{{ credential.v }}\">{{ credential.v }}</a>",
        &credential,
    );
    is_one_element(&xml.expect("XML takes every value"), value);

    let is_url = value.starts_with("http://") || value.starts_with("https://");
    let url = "https://pms.example/a/{{ credential.v }}/b?c={{ credential.v }}";
    if !is_url && let Ok(url) = rendered(Place::Url, url, &credential) {
        let url = Url::parse(&url).expect("it stays a URL");
        assert_eq!(
            (url.scheme(), url.host_str()),
            ("https", Some("pms.example"))
        );
        assert!(url.username().is_empty() && url.password().is_none() && url.port().is_none());
        let segments: Vec<&str> = url.path_segments().expect("it has a path").collect();
        assert_eq!(
            (segments.len(), segments[0], segments[2]),
            (3, "a", "b"),
            "{url}"
        );
        let pairs: Vec<_> = url.query_pairs().collect();
        assert_eq!(pairs.len(), 1);
        assert_eq!((&*pairs[0].0, &*pairs[0].1), ("c", value));
        assert_eq!(url.fragment(), None);
    }
}

/// One element with one attribute, and the value in both.
fn is_one_element(xml: &str, value: &str) {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(xml);
    let (mut elements, mut text) = (0, String::new());
    loop {
        match reader.read_event().expect("it stays XML") {
            Event::Start(start) => {
                elements += 1;
                assert_eq!(start.attributes().count(), 1);
            }
            Event::Text(part) => text += &part,
            Event::GeneralRef(name) => {
                let name: &str = &name;
                let resolved = quick_xml::escape::unescape(&format!("&{name};")).map(String::from);
                text += &resolved.expect("a known reference");
            }
            Event::End(_) => {}
            Event::Eof => break,
            other => panic!("{other:?} out of a value"),
        }
    }
    assert_eq!((elements, text.as_str()), (1, value));
}
