//! The files of a home, and what a script gives back.

use std::path::Path;
use std::sync::LazyLock;

use epms::cases;
use epms::config::{Connector, Credential, Document, File, Home, Integration, Settings, Target};
use epms::script::{Context, Inputs, Library, Script};
use epms::source::Source;

/// A YAML file as each kind that it could be: it is read, or every problem has its file and says something.
pub fn yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let file = Path::new("config/a.yaml");
    let told = |problems: &[epms::model::Problem]| {
        assert!(!problems.is_empty(), "refused without a word");
        for problem in problems {
            assert_eq!(problem.file, file);
            assert!(!problem.message.is_empty());
            if let Some(place) = problem.place {
                // YAML breaks lines at a carriage return, too.
                let lines = text.matches(['\n', '\r']).count() + 1;
                assert!(place.line >= 1 && place.line as usize <= lines, "{problem}");
            }
        }
    };
    let document = match Document::parse(file, text) {
        Ok(document) => document,
        Err(problems) => return told(&problems),
    };
    let settings = document.read::<Settings>().map(drop);
    let integration = document.read::<Integration>().map(drop);
    let credential = document.read::<Credential>().map(drop);
    let target = document.read::<Target>().map(drop);
    for read in [settings, integration, credential, target] {
        if let Err(problems) = read {
            told(&problems);
        }
    }
    match document.read::<Connector>() {
        Ok(value) => {
            let file = File {
                value,
                document,
                hash: [0; 32],
            };
            if let Err(problems) = Source::compile(&file) {
                told(&problems);
            }
        }
        Err(problems) => told(&problems),
    }
    case(text);
}

/// A mapping test, in a home of its own with a connector: what it is about is run, and what is wrong with it is said.
fn case(text: &str) {
    let path = HOME.root().join("scripts/tests/echo/case.yaml");
    std::fs::write(&path, text).expect("a file");
    match cases::open(&HOME, &path) {
        Ok(case) => {
            let outcome = case.run_with(&ECHO);
            assert_eq!(outcome.passed, outcome.diff.is_empty());
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a word");
            assert!(problems.iter().all(|one| !one.message.is_empty()));
        }
    }
}

static HOME: LazyLock<Home> = LazyLock::new(|| {
    // Where there is memory that looks like a disk, nothing waits for a disk.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let folder = tempfile::TempDir::new_in(folder).expect("a folder").keep();
    for below in ["config/connectors", "scripts/tests/echo"] {
        std::fs::create_dir_all(folder.join(below)).expect("a folder");
    }
    let connector = "version: 1\nscript: echo.rhai\ncredential_fields: { url: plain }\nhosts: [a]\n\
        errors: [{ status: 4xx, path: e, equals: x, is: denied, hint: why }, { header: { name: h }, is: empty }]\n\
        requests: { residents: { url: \"https://a\", format: json, records: r, id: id } }\n";
    for (name, text) in [
        ("config/connectors/echo.yaml", connector),
        (
            "scripts/tests/echo/rows.csv",
            "title\nid;n\n1;'Zo\u{eb}'\nTotal 1\n",
        ),
    ] {
        std::fs::write(folder.join(name), text).expect("a file");
    }
    Home::at(&folder)
});

static ECHO: LazyLock<Script> = LazyLock::new(|| {
    let text = "fn residents(record, ctx) { record }\nfn exclude(resident, ctx) { resident.phone }";
    let library = Library::of([("echo", text)]);
    Script::compile(&library, "echo.rhai").expect("the script is right")
});

/// A record of a PMS that a script gives back as it is: residents that are whole, or an error that says why not.
pub fn script_result(data: &[u8]) {
    let Ok(record) = std::str::from_utf8(data) else {
        return;
    };
    // A record is a JSON text whenever it comes to a script.
    if serde_json::from_str::<&serde_json::value::RawValue>(record).is_err() {
        return;
    }
    let context = Context::new(Inputs::default());
    match ECHO.residents(record, &context) {
        Err(error) => assert!(!error.message.is_empty()),
        Ok(all) => {
            for mapped in all {
                let mapped = match mapped {
                    Ok(mapped) => mapped,
                    Err(wrong) => {
                        assert!(!wrong.error.message.is_empty());
                        continue;
                    }
                };
                let resident = &mapped.resident;
                assert!(!resident.id.is_empty(), "a resident without an id");
                let text = serde_json::to_string(resident).expect("a resident can be kept");
                let again = serde_json::from_str(&text).expect("what was kept can be read");
                assert_eq!(*resident, again);
                if let Err(error) = ECHO.exclude(&mapped, &context) {
                    assert!(!error.message.is_empty());
                }
            }
        }
    }
}
