//! The schemas that editors work with say the same as the reader of the files: they take every file that comes
//! with epms, and refuse what `check` refuses for its form.

use std::path::{Path, PathBuf};

use crate::support::{Home, told};
use boon::{Compiler, SchemaIndex, Schemas};
use epms::config::{Connector, Credential, Document, Integration, Settings, Target};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const KINDS: [&str; 6] = [
    "settings",
    "connector",
    "credential",
    "integration",
    "target",
    "case",
];

/// The schemas as the program gives them.
struct Known {
    schemas: Schemas,
    of: Vec<(&'static str, SchemaIndex)>,
}

impl Known {
    async fn of_the_program(home: &Home) -> Known {
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        let mut of = Vec::new();
        for kind in KINDS {
            let output = home.epms(&["schema", kind]).await;
            let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
            let name = format!("{kind}.json");
            compiler.add_resource(&name, schema).unwrap();
            of.push((kind, compiler.compile(&name, &mut schemas).unwrap()));
        }
        Known { schemas, of }
    }

    fn of(&self, kind: &str) -> SchemaIndex {
        self.of.iter().find(|(known, _)| *known == kind).unwrap().1
    }

    fn fits(&self, kind: &str, value: &Value) -> bool {
        self.schemas.validate(value, self.of(kind)).is_ok()
    }

    fn judge(&self, kind: &str, value: &Value) -> Result<(), String> {
        let judged = self.schemas.validate(value, self.of(kind));
        judged.map_err(|error| format!("{error:#}"))
    }
}

/// What an editor sees.
fn parse(text: &str) -> Option<Value> {
    serde_yaml::from_str(text).ok()
}

/// What kind of file lies at a path of a home.
fn kind_of(path: &str) -> Option<&'static str> {
    let kinds = [
        ("config/epms.yaml", "settings"),
        ("config/connectors/", "connector"),
        ("config/credentials/", "credential"),
        ("config/integrations/", "integration"),
        ("config/targets/", "target"),
        ("scripts/tests/", "case"),
    ];
    let (_, kind) = kinds.iter().find(|(begin, _)| path.starts_with(begin))?;
    let is_yaml = Path::new(path)
        .extension()
        .is_some_and(|ending| ending == "yaml");
    is_yaml.then_some(*kind)
}

/// All files of a home of which there is a schema: their names in it, and their kinds.
fn files(home: &Path) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![home.join("config"), home.join("scripts")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path
                .strip_prefix(home)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            found.extend(kind_of(&name).map(|kind| (name, kind)));
        }
    }
    found.sort();
    found
}

fn homes() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut homes = vec![root.to_owned(), root.join("tests/fixtures/mistakes/base")];
    for entry in std::fs::read_dir(root.join("tests/fixtures")).unwrap() {
        homes.push(entry.unwrap().path());
    }
    homes
}

#[tokio::test]
async fn every_file_that_comes_with_epms_fits_its_schema_and_names_it() {
    let known = Known::of_the_program(&Home::new()).await;
    let mut counts = [0; KINDS.len()];
    for home in homes() {
        for (name, kind) in files(&home) {
            let path = home.join(&name);
            let text = std::fs::read_to_string(&path).unwrap();
            let told = known.judge(kind, &parse(&text).unwrap());
            assert_eq!(told, Ok(()), "{}", path.display());
            counts[KINDS.iter().position(|known| *known == kind).unwrap()] += 1;
            if !home.ends_with("mistakes/base") {
                names_its_schema(&name, kind, &text);
            }
        }
    }
    let [settings, connectors, .., cases] = counts;
    assert!(settings > 0 && connectors > 5 && cases > 50, "{counts:?}");
}

/// The first line leads from the file to `config/.schema` of its home.
fn names_its_schema(name: &str, kind: &str, text: &str) {
    let first = text.lines().next().unwrap();
    let Some(path) = first.strip_prefix("# yaml-language-server: $schema=") else {
        panic!("{name} does not begin with the line that names its schema, but with: {first}");
    };
    let mut at: Vec<&str> = name.split('/').collect();
    at.pop();
    for part in path.split('/') {
        if part == ".." {
            at.pop();
        } else {
            at.push(part);
        }
    }
    assert_eq!(
        at.join("/"),
        format!("config/.schema/{kind}.json"),
        "{name}"
    );
}

#[tokio::test]
async fn a_home_that_epms_makes_has_the_schemas_that_its_files_name() {
    let home = Home::new();
    home.write("secrets/acme", "s");
    let line = "add integration --connector appfolio --credential acme --field client_id=c \
        --field developer_id=d --field url=http://127.0.0.1:1 --secret client_secret=file:secrets/acme \
        --name Elm --timezone UTC --pms-property p1 --disabled --yes";
    let output = home
        .epms(&line.split_whitespace().collect::<Vec<_>>())
        .await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let known = Known::of_the_program(&home).await;
    let new = home.path("new");
    let output = home.epms(&["init", new.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    for (name, kind) in files(&new) {
        let text = std::fs::read_to_string(new.join(&name)).unwrap();
        names_its_schema(&name, kind, &text);
        assert!(new.join(format!("config/.schema/{kind}.json")).exists());
    }
    let files = files(home.root());
    assert!(files.contains(&("config/credentials/acme.yaml".into(), "credential")));
    assert!(files.contains(&("config/integrations/elm.yaml".into(), "integration")));
    for (name, kind) in files {
        let text = home.read(&name);
        names_its_schema(&name, kind, &text);
        assert!(home.path(&format!("config/.schema/{kind}.json")).exists());
        assert_eq!(known.judge(kind, &parse(&text).unwrap()), Ok(()), "{name}");
    }
    // They are no files of the configuration.
    let checked = home.epms(&["check"]).await;
    assert_eq!(checked.status.code(), Some(0), "{}", told(&checked));
}

#[tokio::test]
async fn schemas_are_written_where_one_says_and_anew() {
    let home = Home::new();
    let folder = home.path("schemas");
    for _ in 0..2 {
        let output = home
            .epms(&["schema", "--out", folder.to_str().unwrap()])
            .await;
        assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), KINDS.len());
        std::fs::write(folder.join("case.json"), "old").unwrap();
    }
    let output = home
        .epms(&["schema", "case", "--out", folder.to_str().unwrap()])
        .await;
    assert_eq!(output.status.code(), Some(0));
    assert_ne!(home.read("schemas/case.json"), "old");
    assert_eq!(home.epms(&["schema"]).await.status.code(), Some(2));
    assert_eq!(
        home.epms(&["schema", "people"]).await.status.code(),
        Some(2)
    );
}

/// Of the mistakes that people make, those that an editor shows while they are typed: by the schema, or because the
/// file is no YAML. The others are in scripts, or lie between files.
#[tokio::test]
async fn mistakes_of_form_are_refused_by_the_schemas() {
    let known = Known::of_the_program(&Home::new()).await;
    let (mut by_schema, mut no_yaml) = (Vec::new(), Vec::new());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mistakes");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "txt") {
            continue;
        }
        let mistake = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for file in text.split("=== ").skip(1) {
            let (name, text) = file.split_once('\n').unwrap();
            let Some(kind) = kind_of(name) else {
                continue;
            };
            match parse(text) {
                None => no_yaml.push(mistake.clone()),
                Some(value) if known.judge(kind, &value).is_err() => {
                    by_schema.push(mistake.clone());
                }
                Some(_) => {}
            }
        }
    }
    by_schema.sort();
    no_yaml.sort();
    assert_eq!(
        by_schema,
        [
            "a-boolean-in-words",
            "a-duration-in-words",
            "a-list-that-is-text",
            "a-missing-key",
            "a-misspelt-key",
            "an-older-version",
        ]
    );
    assert_eq!(no_yaml, ["a-key-twice", "a-tab-in-yaml", "a-wrong-indent"]);
}

/// Reads a value as `check` reads a file.
fn is_read<T: DeserializeOwned>(value: &Value) -> bool {
    let text = value.to_string();
    let document = Document::parse(Path::new("x.yaml"), &text).unwrap();
    document.read::<T>().is_ok()
}

/// Every value with one thing changed: a key misspelt, a key left out, or another thing where something stood.
fn spoilt(value: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for other in [
        json!(null),
        json!([]),
        json!({}),
        json!("a word"),
        json!(-7),
        json!(true),
    ] {
        all.push((format!("= {other}"), other));
    }
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                let mut misspelt = members.clone();
                misspelt.shift_remove(key);
                all.push((format!("- {key}"), Value::Object(misspelt.clone())));
                misspelt.insert(format!("{key}x"), member.clone());
                all.push((format!("{key}x"), Value::Object(misspelt)));
                for (what, inner) in spoilt(member) {
                    let mut changed = members.clone();
                    changed.insert(key.clone(), inner);
                    all.push((format!("{key}/{what}"), Value::Object(changed)));
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                for (what, inner) in spoilt(item) {
                    let mut changed = items.clone();
                    changed[at] = inner;
                    all.push((format!("{at}/{what}"), Value::Array(changed)));
                }
            }
        }
        _ => {}
    }
    all
}

#[tokio::test]
async fn a_schema_refuses_what_the_reader_refuses_and_nothing_else() {
    let known = Known::of_the_program(&Home::new()).await;
    let mut wrong = Vec::new();
    let (mut taken, mut refused) = (0, 0);
    let mut compare = |name: &str, kind: &str, value: &Value, read: fn(&Value) -> bool| {
        for (what, value) in spoilt(value) {
            // That a file is of version 1 the reader sees a step later.
            if what.starts_with("version/") || !value.is_object() {
                continue;
            }
            let (reads, fits) = (read(&value), known.fits(kind, &value));
            if reads {
                taken += 1;
            } else {
                refused += 1;
            }
            if reads != fits {
                wrong.push(format!("{name}: {what}: read: {reads}, fits: {fits}"));
            }
        }
    };
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, kind) in files(home) {
        let read = match kind {
            "settings" => is_read::<Settings>,
            "connector" => is_read::<Connector>,
            _ => continue,
        };
        let text = std::fs::read_to_string(home.join(&name)).unwrap();
        compare(&name, kind, &parse(&text).unwrap(), read);
    }
    let full = "
version: 1
connector: acme
fields: { a: b, c: 12, d: true, e: { file: f }, g: { env: h }, i: { credential: j } }
";
    let value = parse(full).unwrap();
    compare(
        "a full credential",
        "credential",
        &value,
        is_read::<Credential>,
    );
    let full = "
version: 1
property: { name: A, timezone: UTC, country: US }
credential: acme
pms_properties: [a, 12]
exclude_statuses: [Past]
enabled: true
schedule: { every: 30m, jitter: 1m }
script: other.rhai
include: [guarantor, minor, company]
email_change: hold_email
missing_after: 3
erase_after: 4y
guard: { limit: 5, percent: 10, window: 24h, newcomers: 400, month: 50, on_trip: stage, approval_expires: 1h }
units: { sync: true, here: [1A], map: { '1': 1A }, shared: [] }
fields: { kind: x }
";
    compare(
        "a full integration",
        "integration",
        &parse(full).unwrap(),
        is_read::<Integration>,
    );
    let full = "
version: 1
credential: acme-door
from: [elm, 123]
mode: approve_all
start_delay: 15m
early: 1d
late: 2d
end: move_out
places: { map: { '12B': [k1, 7] }, common: [gate] }
guard: { limit: 5, percent: 10, window: 24h }
read_back: 24h
enabled: true
fields: { role: TENANT }
";
    compare(
        "a full target",
        "target",
        &parse(full).unwrap(),
        is_read::<Target>,
    );
    let full = "
version: 1
script: a.rhai
credential_fields: { url: plain, key: { kind: secret, help: where, default: x } }
hosts: [h]
auth: { login: { request: login, token: t, header: H, value: v, idle: 1h, lifetime: 2h } }
errors:
  - { status: [429, 5xx], header: { name: a, text: b }, path: p, absent: q, text: t, is: retry, hint: h }
requests:
  a: { url: u, format: csv, delimiter: ';', page: { next: { path: p, keep: query, force: { a: b } } } }
  b: { url: u, format: json, page: { link: { rel: next, keep: url } }, total: { header: H } }
  c: { url: u, format: json, page: { offset: { first: 1, size: 2 } }, inner: { path: p, format: xml } }
  d: { method: POST, reads: true, url: u, body: { form: { a: b } }, format: xml, total: p, per: once, feeds: residents }
  e: { url: u, body: { json: { a: [1] } }, format: soap, page: { cursor: c }, refresh: 24h, id: i, name: n }
  g: { method: PATCH, url: u, body: { json: { a: '{{ x | json }}' } }, format: json, gives: { id: { header: Location } } }
  f: { url: u, body: { soap: { version: 1.2, action: a, xml: x } }, format: soap, query: { a: b }, headers: { c: d } }
";
    compare(
        "a full connector",
        "connector",
        &parse(full).unwrap(),
        is_read::<Connector>,
    );
    let full_target = "
version: 2
script: a.rhai
credential_fields: { url: plain }
hosts: [h]
target:
  list: { url: u, format: json, records: r, page: { cursor: c }, errors: [{ status: 404, is: empty }] }
  find: { url: u, format: json }
  create: { method: POST, url: u, format: json, body: { json: { a: b } }, gives: { id: uuid } }
  change: { method: PATCH, url: u, format: json }
  remove: { method: DELETE, url: u, format: json, after: [a] }
  places: { url: u, format: json, id: i, name: n }
  write_only: [pin]
";
    compare(
        "a full connector of a target",
        "connector",
        &parse(full_target).unwrap(),
        is_read::<Connector>,
    );
    for auth in [
        json!({ "basic": { "username": "u", "password": "p" } }),
        json!({ "bearer": { "token": "t" } }),
        json!({ "oauth2": { "token_url": "t", "client_id": "c", "client_secret": "s", "scope": "s", "audience": "a", "style": "body" } }),
    ] {
        let mut value = parse(full).unwrap();
        value["auth"] = auth;
        value["requests"] = json!({});
        compare(
            "a full connector",
            "connector",
            &value,
            is_read::<Connector>,
        );
    }
    assert!(taken > 100 && refused > 1_000, "{taken} {refused}");
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
