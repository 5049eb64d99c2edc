//! Texts that may be dates: as scripts read them, and as recordings make others of them.

use std::path::Path;
use std::sync::LazyLock;

use epms::cases::{Recording, fixtures};
use epms::config::{Document, File, Integration};
use epms::script::{Context, Inputs, Library, Script};
use epms::source::{Heard, Source};
use serde_json::json;

use super::line_and_rest;

/// Every helper for dates, each on its own.
const SCRIPT: &str = r#"fn residents(record, ctx) {
    let forms = ["%Y-%m-%d", "%m/%d/%Y", "%d.%m.%y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y", "%Y%m%d"];
    let all = [
        to_date(record, "d", forms),
        epoch_date(record, "d", "s"),
        epoch_date(record, "d", "ms", ctx.timezone),
        epoch_date(record, "d", "us"),
        instant_date(record, "d", ctx.timezone),
    ];
    all.map(|day| #{ id: "1", last_name: "Elm", status: "current", lease_start: day, move_out: day })
}"#;

const CONNECTOR: &str = "version: 1\nscript: days.rhai\ncredential_fields: { url: plain }\nhosts: [a]\n\
    requests: { residents: { url: \"https://a\", format: json, id: id } }\n";

const INTEGRATION: &str = "version: 1\nproperty: { name: Elm, timezone: America/New_York }\ncredential: a\npms_properties: [p]\n";

struct Days {
    library: Library,
    script: Script,
    source: Source,
    integration: Integration,
}

static DAYS: LazyLock<Days> = LazyLock::new(|| {
    let library = Library::of([("days", SCRIPT)]);
    let document = Document::parse(Path::new("a.yaml"), CONNECTOR).expect("it is YAML");
    let value = document.read().expect("it is a connector");
    let source = Source::compile(&File {
        value,
        document,
        hash: [0; 32],
    });
    let integration = Document::parse(Path::new("b.yaml"), INTEGRATION).expect("it is YAML");
    Days {
        script: Script::compile(&library, "days.rhai").expect("the script is right"),
        library,
        source: source.expect("the connector is right"),
        integration: integration.read().expect("it is an integration"),
    }
});

/// A text in a field whose name is the first line: each helper gives a day that can be kept, none, or what it says is
/// unreadable; and a recording of it is JSON in which nothing breaks out.
pub fn dates(data: &[u8]) {
    let (field, text) = line_and_rest(data);
    let (Ok(field), Ok(text)) = (std::str::from_utf8(field), std::str::from_utf8(text)) else {
        return;
    };
    let number = serde_json::from_str::<serde_json::Number>(text).ok();
    let values = number.map(serde_json::Value::Number).into_iter();
    for value in values.chain([text.into()]) {
        let record = json!({ "d": value }).to_string();
        let context = Context::new(Inputs {
            timezone: "America/New_York".into(),
            ..Inputs::default()
        });
        match DAYS.script.residents(&record, &context) {
            Err(error) => assert!(!error.message.is_empty()),
            Ok(all) => {
                for one in all.into_iter().flatten() {
                    let kept = serde_json::to_string(&one.resident).expect("it can be kept");
                    let again = serde_json::from_str(&kept).expect("what was kept can be read");
                    assert_eq!(one.resident, again);
                }
            }
        }
        let record = json!({ "id": "1", field: value, "d": text }).to_string();
        let recording = Recording {
            name: "recorded",
            script: &DAYS.script,
            library: &DAYS.library,
            source: &DAYS.source,
            integration: &DAYS.integration,
            placeholders: &[],
            today: jiff::civil::date(2026, 3, 1),
            key: [7; 32],
            most: None,
        };
        let heard = Heard {
            request: "residents".into(),
            property: "p".into(),
            text: record.clone(),
            records: vec![record.into_boxed_str()],
        };
        match fixtures(&recording, &[heard]) {
            Err(error) => assert!(!error.is_empty()),
            Ok(files) => {
                let answer = files
                    .iter()
                    .find(|one| one.file == "recorded-residents.json");
                let answer = answer.expect("there is an answer");
                let read: Result<serde_json::Value, _> = serde_json::from_str(&answer.text);
                assert!(read.is_ok(), "{}", answer.text);
            }
        }
    }
}
