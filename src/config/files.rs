//! The files of a home, read and checked one by one. What they mean together is the catalog's to say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::beneath::{Entry, MAX_FILE, Unread};
use crate::model::{Code, Problem, time_zone};

use super::{
    BackupSettings, Connector, Credential, CredentialValue, Defaults, Document, Home, Integration,
    Operation, Partly, Schedule, Settings, Span, Target, WebSettings, nearest, notices,
    target_requests,
};

/// A file that could be read, and everything needed to point into it.
#[derive(Debug, Clone)]
pub struct File<T> {
    /// The content.
    pub value: T,
    /// The places of everything in it.
    pub document: Document,
    /// A hash of its bytes.
    pub hash: [u8; 32],
}

/// A file, or all that is wrong with it.
pub type Read<T> = Result<File<T>, Vec<Problem>>;

/// What fits of a file with which something is wrong: for those who tell all that is wrong, and for nobody else.
#[derive(Debug)]
pub struct Rest<T> {
    /// What fits, as if the rest were not there.
    pub file: File<T>,
    /// What does not, as dotted paths.
    partly: Partly<()>,
    /// All that does not fit is a value of its own, which nothing else hangs on.
    pub is_whole: bool,
}

impl<T> Rest<T> {
    /// Whether all of a field fits, or it is not there.
    pub fn fits(&self, field: &str) -> bool {
        let around = format!("{field}.");
        let mut unfit = self.partly.unfit.iter();
        self.partly.is_written(field) && !unfit.any(|path| path.starts_with(&around))
    }

    /// Those of the problems that are of what was written.
    pub fn of_written(&self, problems: Vec<Problem>) -> impl Iterator<Item = Problem> {
        let document = &self.file.document;
        problems.into_iter().filter_map(|one| {
            if one.file == document.file() {
                self.partly.as_written(one, document)
            } else {
                Some(one)
            }
        })
    }
}

/// What fits of the files of a home with which something is wrong. Keys are file stems.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub struct Rests {
    pub credentials: BTreeMap<String, Rest<Credential>>,
    pub connectors: BTreeMap<String, Rest<Connector>>,
    pub integrations: BTreeMap<String, Rest<Integration>>,
    pub targets: BTreeMap<String, Rest<Target>>,
}

/// All files of a home. Keys are file stems.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Files {
    pub settings: Read<Settings>,
    pub credentials: BTreeMap<String, Read<Credential>>,
    pub connectors: BTreeMap<String, Read<Connector>>,
    pub integrations: BTreeMap<String, Read<Integration>>,
    pub targets: BTreeMap<String, Read<Target>>,
    /// What fits of those that are not right.
    pub rests: Rests,
    /// Problems of folders, and of files that are none of ours.
    pub others: Vec<Problem>,
    /// The folder of integrations is there and could not be looked into: which files it has is not known.
    pub is_shut: bool,
    /// The same of the folder of targets.
    pub targets_are_shut: bool,
}

impl Files {
    /// Reads all files of `home`.
    pub fn read(home: &Home) -> Files {
        let mut others = Vec::new();
        let mut rests = Rests::default();
        let kept = (&mut rests.credentials, &mut others);
        let credentials = folder(home, "credentials", check_credential, kept);
        let kept = (&mut rests.connectors, &mut others);
        let connectors = folder(home, "connectors", check_connector, kept);
        let kept = (&mut rests.integrations, &mut others);
        let integrations = folder(home, "integrations", check_integration, kept);
        let kept = (&mut rests.targets, &mut others);
        let targets = folder(home, "targets", check_target, kept);
        Files {
            settings: Files::read_settings(home),
            credentials: credentials.unwrap_or_default(),
            connectors: connectors.unwrap_or_default(),
            is_shut: integrations.is_none(),
            integrations: integrations.unwrap_or_default(),
            targets_are_shut: targets.is_none(),
            targets: targets.unwrap_or_default(),
            rests,
            others,
        }
    }

    /// The same, as if this text stood in a file of a credential or an integration. Other names change nothing.
    pub fn put(&mut self, name: &Path, text: &str) {
        let stem = name.file_stem().and_then(|stem| stem.to_str());
        let Some(stem) = stem.filter(|stem| is_name(stem)) else {
            return;
        };
        let key = stem.to_owned();
        if name.starts_with("config/integrations") {
            self.rests.integrations.remove(stem);
            let file = File::of_integration(stem, text);
            self.integrations.insert(key, file);
        } else if name.starts_with("config/credentials") {
            self.rests.credentials.remove(stem);
            self.credentials
                .insert(key, File::of_credential(stem, text));
        }
    }

    /// Reads `config/epms.yaml` alone: all that a client needs to find the socket.
    pub fn read_settings(home: &Home) -> Read<Settings> {
        let path = home.config().join("epms.yaml");
        match home.beneath().read(&path, MAX_FILE) {
            Ok(bytes) => {
                file(&home.name(&path), &bytes, check_settings).map_err(|(problems, _)| problems)
            }
            // Which home was looked into is what people ask first.
            Err(error) => Err(vec![unreadable(&path, &error)]),
        }
    }
}

impl File<Integration> {
    /// What would be read if this text stood in the file of an integration.
    pub fn of_integration(name: &str, text: &str) -> Read<Integration> {
        of_text("integrations", name, text, check_integration)
    }
}

impl File<Credential> {
    /// What would be read if this text stood in the file of a credential.
    pub fn of_credential(name: &str, text: &str) -> Read<Credential> {
        of_text("credentials", name, text, check_credential)
    }
}

impl File<Defaults> {
    /// What would be read if this text stood under `defaults` in the file of a credential.
    pub fn of_defaults(credential: &str, text: &str) -> Read<Defaults> {
        of_text("credentials", credential, text, |defaults, document| {
            check_defaults(defaults, "", document)
        })
    }
}

impl File<Connector> {
    /// What would be read if this text stood in the file of a connector.
    pub fn of_connector(name: &str, text: &str) -> Read<Connector> {
        of_text("connectors", name, text, check_connector)
    }
}

/// A text in the place of a file.
fn of_text<T: DeserializeOwned>(
    folder: &str,
    name: &str,
    text: &str,
    check: fn(&T, &Document) -> Vec<Problem>,
) -> Read<T> {
    let name = Path::new("config")
        .join(folder)
        .join(format!("{name}.yaml"));
    if text.len() as u64 > MAX_FILE {
        return Err(vec![unreadable(&name, &Unread::TooLarge(MAX_FILE))]);
    }
    file(&name, text.as_bytes(), check).map_err(|(problems, _)| problems)
}

fn unreadable(name: &Path, error: &Unread) -> Problem {
    Problem {
        file: name.to_owned(),
        place: None,
        field: String::new(),
        message: match error {
            Unread::Absent => {
                "there is no such file; create it, or name the home with --home".into()
            }
            _ => error.to_string(),
        },
        code: Code::File,
    }
}

/// The files of a folder; none where it cannot be looked into.
fn folder<T: DeserializeOwned>(
    home: &Home,
    name: &str,
    check: fn(&T, &Document) -> Vec<Problem>,
    (rests, others): (&mut BTreeMap<String, Rest<T>>, &mut Vec<Problem>),
) -> Option<BTreeMap<String, Read<T>>> {
    let path = home.config().join(name);
    let mut files = BTreeMap::new();
    let beneath = home.beneath();
    let entries = match beneath.list(&path) {
        Ok(entries) => entries,
        // A home may have no credentials yet.
        Err(Unread::Absent) => return Some(files),
        Err(error) => {
            others.push(unreadable(&home.name(&path), &error));
            return None;
        }
    };
    for Entry { path, .. } in entries {
        let name = home.name(&path);
        let Some(file_name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        // Editors and version control leave files behind that start with a dot or end in a tilde.
        if file_name.starts_with('.') {
            continue;
        }
        let problem = |message: &str| Problem {
            file: name.clone(),
            place: None,
            field: String::new(),
            message: message.to_owned(),
            code: Code::File,
        };
        match file_name.rsplit_once('.') {
            Some((stem, "yaml")) if is_name(stem) => {
                let read = match beneath.read(&path, MAX_FILE) {
                    Ok(bytes) => file(&name, &bytes, check).map_err(|(problems, rest)| {
                        rests.extend(rest.map(|rest| (stem.to_owned(), *rest)));
                        problems
                    }),
                    Err(error) => Err(vec![unreadable(&name, &error)]),
                };
                files.insert(stem.to_owned(), read);
            }
            Some((_, "yaml")) => others.push(problem(
                "the file's name is the id: use lower-case letters, digits, `-`, `_` and `.` only; rename it",
            )),
            Some((_, "yml")) => others.push(problem("is not read; rename it to end in .yaml")),
            _ => {}
        }
    }
    Some(files)
}

/// Whether a file stem may be an id: it stands in commands, URLs and logs.
pub fn is_name(stem: &str) -> bool {
    !stem.is_empty()
        && stem.len() <= 100
        && stem
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
}

/// All that is wrong with a file, and what fits of it all the same.
type Amiss<T> = (Vec<Problem>, Option<Box<Rest<T>>>);

/// A file; or what is wrong with it.
fn file<T: DeserializeOwned>(
    name: &Path,
    bytes: &[u8],
    check: fn(&T, &Document) -> Vec<Problem>,
) -> Result<File<T>, Amiss<T>> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        let problem = Problem {
            file: name.to_owned(),
            place: None,
            field: String::new(),
            message: "is not UTF-8; save it as UTF-8".into(),
            code: Code::File,
        };
        return Err((vec![problem], None));
    };
    let document = Document::parse(name, text.strip_prefix('\u{feff}').unwrap_or(text));
    let document = document.map_err(|problems| (problems, None))?;
    let (partly, mut problems) = document.read_partly::<T>();
    let Some(partly) = partly else {
        return Err((problems, None));
    };
    let ranges = check(&partly.value, &document).into_iter();
    let is_whole = problems.len() == document.twice().len();
    problems.extend(ranges.filter_map(|one| partly.as_written(one, &document)));
    let Partly { value, unfit } = partly;
    let file = File {
        value,
        document,
        hash: *blake3::hash(bytes).as_bytes(),
    };
    if problems.is_empty() {
        return Ok(file);
    }
    let partly = Partly { value: (), unfit };
    let rest = Rest {
        file,
        partly,
        is_whole,
    };
    Err((problems, Some(Box::new(rest))))
}

fn check_version(version: u32, document: &Document, problems: &mut Vec<Problem>) {
    if version != 1 {
        problems.push(document.problem(
            "version",
            format!("this epms reads version 1, not {version}"),
        ));
    }
}

fn check_schedule(
    schedule: &Schedule,
    field: &str,
    document: &Document,
    problems: &mut Vec<Problem>,
) {
    for (key, message) in schedule.problems() {
        problems.push(document.problem(&format!("{field}.{key}"), message));
    }
}

/// The same of a schedule in a file that names what it wants otherwise, and leaves the rest to other files.
fn check_part_of_schedule(
    schedule: &Schedule,
    field: &str,
    document: &Document,
    problems: &mut Vec<Problem>,
) {
    let mut found = Vec::new();
    check_schedule(schedule, field, document, &mut found);
    // Neither of the two is longer or shorter than a default that may not apply.
    let both = ["every", "jitter"].map(|key| document.names(&format!("{field}.{key}")));
    let every = format!("{field}.every");
    found.retain(|problem| both == [true, true] || both[0] && problem.field == every);
    problems.extend(found);
}

fn check_settings(settings: &Settings, document: &Document) -> Vec<Problem> {
    let mut problems = Vec::new();
    check_version(settings.version, document, &mut problems);
    check_schedule(&settings.schedule, "schedule", document, &mut problems);
    for (field, message) in settings.store.problems() {
        problems.push(document.problem(&format!("store.{field}"), message));
    }
    for (field, message) in settings.backup.iter().flat_map(BackupSettings::problems) {
        problems.push(document.problem(&format!("backup.{field}"), message));
    }
    for (field, message) in settings.retention.problems() {
        problems.push(document.problem(&format!("retention.{field}"), message));
    }
    if settings.deadline < Span::seconds(1) || settings.deadline > Span::seconds(86_400) {
        problems.push(document.problem("deadline", "is out of range; write `1s` to `1d`"));
    }
    for (field, message) in notices::problems(&settings.notify) {
        problems.push(document.problem(&field, message));
    }
    for (field, message) in settings.web.iter().flat_map(WebSettings::problems) {
        problems.push(document.problem(&format!("web.{field}"), message));
    }
    if settings.workers == 0 || settings.workers > 64 {
        problems.push(document.problem("workers", "is out of range; write 1 to 64"));
    }
    problems
}

fn check_credential(credential: &Credential, document: &Document) -> Vec<Problem> {
    let mut problems = Vec::new();
    check_version(credential.version, document, &mut problems);
    problems.extend(check_defaults(&credential.defaults, "defaults.", document));
    problems
}

/// `at` is what stands before the names of their keys.
fn check_defaults(defaults: &Defaults, at: &str, document: &Document) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(Err(message)) = defaults.timezone.as_deref().map(time_zone) {
        problems.push(document.problem(&format!("{at}timezone"), message));
    }
    let field = format!("{at}schedule");
    check_part_of_schedule(&defaults.schedule, &field, document, &mut problems);
    for (index, word) in defaults.exclude_statuses.iter().enumerate() {
        if word.trim().is_empty() {
            let field = format!("{at}exclude_statuses.{index}");
            problems.push(document.problem(&field, "is empty; remove it"));
        }
    }
    problems
}

fn check_connector(connector: &Connector, document: &Document) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !matches!(connector.version, 1 | 2) {
        problems.push(document.problem(
            "version",
            format!(
                "this epms reads versions 1 and 2 of a connector, not {}",
                connector.version
            ),
        ));
    }
    problems.extend(target_requests::check(connector, document));
    let only_sends = connector.request(Operation::Send.request()).is_some();
    if only_sends && !connector.script.is_empty() {
        let message = "is for nothing, as the target is only told what happens; remove it";
        problems.push(document.problem("script", message));
    } else if !only_sends && connector.script.trim().is_empty() {
        let problem = document.problem("script", "missing; add it");
        problems.push(problem.coded(Code::MissingField));
    }
    if connector.hosts.is_empty() {
        problems.push(document.problem(
            "hosts",
            "is empty, so nothing is reachable; add \"{{ credential.url | host }}\"",
        ));
    }
    if connector.timeout < Span::seconds(1) {
        let message =
            "is out of range: no answer comes in no time; write `1s` or more, such as `60s`";
        problems.push(document.problem("timeout", message));
    }
    if connector.retry.attempts == 0 || connector.retry.attempts > 20 {
        problems.push(document.problem("retry.attempts", "is out of range; write 1 to 20"));
    }
    problems
}

fn check_integration(integration: &Integration, document: &Document) -> Vec<Problem> {
    let mut problems = Vec::new();
    check_version(integration.version, document, &mut problems);
    if let Some(schedule) = &integration.schedule {
        check_part_of_schedule(schedule, "schedule", document, &mut problems);
    }
    if integration.property.name.trim().is_empty() {
        problems.push(document.problem(
            "property.name",
            "is empty; write what people call the property",
        ));
    }
    if document.names("property.timezone")
        && let Err(message) = time_zone(&integration.property.timezone)
    {
        problems.push(document.problem("property.timezone", message));
    }
    let country = &integration.property.country;
    if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
        problems.push(document.problem(
            "property.country",
            format!(
                "`{country}` is no ISO 3166 country code; write two capital letters such as `US`"
            ),
        ));
    }
    if integration.pms_properties.is_empty() {
        problems.push(document.problem(
            "pms_properties",
            "is empty; write at least one id of a property in the PMS",
        ));
    }
    if integration.missing_after == 0 {
        problems.push(document.problem("missing_after", "is out of range; write 1 or more"));
    }
    if integration
        .erase_after
        .is_some_and(|age| !age.is_in_range())
    {
        problems.push(document.problem(
            "erase_after",
            "is out of range; write `30d` to `100y`, such as `4y`",
        ));
    }
    let units = &integration.units;
    if units.equal_labels && units.here.is_empty() {
        problems.push(document.problem(
            "units.equal_labels",
            "has nothing to be equal to; add `units.here`, the units here, or remove it: without both, the PMS's labels are the units",
        ));
    }
    let mut mapped: BTreeMap<&str, &str> = BTreeMap::new();
    for (pms, here) in &units.map {
        let field = format!("units.map.{pms}");
        if !units.here.is_empty() && !units.here.contains(here) {
            let known: Vec<&str> = units.here.iter().map(String::as_str).collect();
            let remedy = nearest(here, &known).map_or_else(
                || "add it to `units.here`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("`{here}` is not among the units here; {remedy}");
            problems.push(document.problem(&field, message));
        }
        if let Some(other) = mapped.insert(here, pms)
            && !units.shared.contains(here)
        {
            let message = format!(
                "`{here}` is the unit of `{other}` already; if both are meant, add `{here}` to `units.shared`"
            );
            problems.push(document.problem(&field, message));
        }
    }
    let mut seen = BTreeSet::new();
    for (index, property) in integration.pms_properties.iter().enumerate() {
        let field = format!("pms_properties.{index}");
        if property.trim().is_empty() {
            problems.push(document.problem(&field, "is empty; remove it"));
        } else if !seen.insert(property) {
            problems.push(
                document.problem(&field, format!("`{property}` stands here twice; keep one")),
            );
        }
    }
    problems
}

fn check_target(target: &Target, document: &Document) -> Vec<Problem> {
    let mut problems = Vec::new();
    check_version(target.version, document, &mut problems);
    for (field, message) in target.problems() {
        problems.push(document.problem(&field, message));
    }
    problems
}

/// What is wrong with a credential for its connector: a field too many or too few, a secret as text.
pub fn check_fields(credential: &File<Credential>, connector: &Connector) -> Vec<Problem> {
    let mut problems = Vec::new();
    let known: Vec<&str> = connector
        .credential_fields
        .keys()
        .map(String::as_str)
        .collect();
    for (name, value) in &credential.value.fields {
        let field = format!("fields.{name}");
        match (connector.credential_fields.get(name), value) {
            (None, _) => {
                let remedy = nearest(name, &known).map_or_else(
                    || format!("it asks for: {}", known.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                problems.push(
                    credential
                        .document
                        .problem(
                            &field,
                            format!(
                                "the connector `{}` has no such field; {remedy}",
                                credential.value.connector
                            ),
                        )
                        .coded(Code::UnknownField),
                );
            }
            // The text itself must not be repeated here.
            (Some(asked), CredentialValue::Plain(_)) if asked.secret => {
                problems.push(credential.document.problem(
                    &field,
                    "a secret stands here as text; put it elsewhere and write `{ file: PATH }`, `{ env: NAME }`, \
                     `{ credential: NAME }` or `{ exec: [PROGRAM, ARGUMENT] }`",
                ).coded(Code::Secret));
            }
            (Some(_), _) => {}
        }
    }
    for (name, asked) in &connector.credential_fields {
        if !credential.value.fields.contains_key(name) && asked.default.is_none() {
            let kind = if asked.secret {
                "secret, by reference"
            } else {
                "text"
            };
            problems.push(
                credential
                    .document
                    .problem(
                        "fields",
                        format!(
                            "`{name}` is missing ({kind}); the connector `{}` asks for it",
                            credential.value.connector
                        ),
                    )
                    .coded(Code::MissingField),
            );
        }
    }
    problems
}
