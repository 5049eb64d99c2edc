//! Answers of a PMS, and the templates of what it is asked.

use std::collections::BTreeMap;

use epms::config::Format;
use epms::source::{Path, Place, Shape, records_of, rendered};
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

/// An answer in CSV, whose first line begins with what separates its columns.
pub fn csv_answer(data: &[u8]) {
    let (first, body) = line_and_rest(data);
    let delimiter = first.first().copied().filter(u8::is_ascii_punctuation);
    let shape = Shape::new(Format::Csv, Path::default());
    let shape = shape.separated_by(delimiter.unwrap_or(b','));
    match records_of(&shape, body) {
        Err(error) => assert!(!error.is_empty()),
        Ok(records) => {
            let are_maps = |record: &str| {
                serde_json::from_str::<BTreeMap<String, serde_json::Value>>(record).is_ok()
            };
            assert!(records.iter().all(|record| are_maps(record)));
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
