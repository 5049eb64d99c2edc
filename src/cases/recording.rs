//! Answers of a PMS as fixtures: made-up people in the same form, and mapping tests of what the script makes of them. Asks
//! nobody and writes no file.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::config::{Format, Integration};
use crate::script::{Context, Inputs, Library, Lookups, Script};
use crate::source::{self, Heard, Rewrite, Shape, Source, rewritten};

use super::contexts::Contexts;
use super::flow::{flow, quoted};
use super::mapped::{Mapped, Unmapped, map};
use super::pseudonym::{Known, Pseudonyms, Survey};

/// What is recorded, and how.
#[derive(Debug)]
pub struct Recording<'a> {
    /// How its files begin.
    pub name: &'a str,
    /// The script that maps it.
    pub script: &'a Script,
    /// The scripts of the home.
    pub library: &'a Library,
    /// The connector.
    pub source: &'a Source,
    /// The integration.
    pub integration: &'a Integration,
    /// Emails that stand for 'none'.
    pub placeholders: &'a [String],
    /// The date at the property.
    pub today: Date,
    /// Decides what is made up. Whoever has it can tell whether a name was in the recording.
    pub key: [u8; 32],
    /// No more records of an answer than this, except where they are looked up.
    pub most: Option<usize>,
}

/// A file of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixture {
    /// Its name.
    pub file: String,
    /// What stands in it.
    pub text: String,
    /// What the script makes of it, if it is a mapping test.
    pub test: Option<Counts>,
}

/// What a mapping test expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Counts {
    pub records: usize,
    /// How many records the PMS sent.
    pub of: usize,
    pub residents: usize,
    pub excluded: usize,
    pub errors: usize,
}

/// An answer written anew.
struct Written<'a> {
    heard: &'a Heard,
    shape: &'a Shape,
    file: String,
    text: String,
    records: Vec<Box<str>>,
    property: String,
}

/// Makes fixtures of what was heard.
pub fn fixtures(recording: &Recording<'_>, heard: &[Heard]) -> Result<Vec<Fixture>, String> {
    let source = recording.source;
    let mut survey = Survey::new(known(recording, heard), recording.key);
    for (answer, shape) in with_shapes(source, heard) {
        rewritten(shape, &answer.text, None, &mut survey)?;
        survey.value("", &answer.property);
    }
    let attached = &recording.integration.pms_properties;
    for property in attached {
        survey.value("", property);
    }
    let mut pseudonyms = survey.ended();
    let attached: Vec<String> = attached.iter().map(|one| pseudonyms.of(one)).collect();
    let mut answers = Vec::new();
    let mut of_request: BTreeMap<&str, usize> = BTreeMap::new();
    for answer in heard {
        *of_request.entry(&answer.request).or_default() += 1;
    }
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for (answer, shape) in with_shapes(source, heard) {
        let number = numbers.entry(&answer.request).or_default();
        *number += 1;
        let only = of_request.get(answer.request.as_str()) == Some(&1);
        let number = if only {
            String::new()
        } else {
            format!("-{number}")
        };
        answers.push(write_answer(
            recording,
            answer,
            shape,
            &number,
            &mut pseudonyms,
        )?);
    }
    let is_resident =
        |answer: &&Written<'_>| source.feeds().any(|feed| feed == answer.heard.request);
    let lookups: Vec<&Written<'_>> = answers.iter().filter(|one| !is_resident(one)).collect();
    let known = Arc::new(looked_up(
        source,
        lookups.iter().map(|one| {
            let (request, property) = (&one.heard.request, &one.property);
            (request.as_str(), property.as_str(), one.records.as_slice())
        }),
    ));
    let mut files = Vec::new();
    for answer in &answers {
        let fixture = |file: String, text: String, test| Fixture { file, text, test };
        files.push(fixture(answer.file.clone(), answer.text.clone(), None));
        if is_resident(&answer) {
            let (request, property) = (&answer.heard.request, &answer.property);
            let contexts = contexts(recording, request, property, &attached, &known);
            let records = answer.records.iter().map(AsRef::as_ref);
            let mapped = map(recording.script, records, &contexts, recording.placeholders);
            let counts = Counts {
                records: answer.records.len(),
                of: answer.heard.records.len(),
                residents: mapped.residents.len(),
                excluded: mapped.excluded.len(),
                errors: mapped.errors.len(),
            };
            let stem = answer
                .file
                .rsplit_once('.')
                .map_or(answer.file.as_str(), |(stem, _)| stem);
            let text = case(recording, answer, &attached, &lookups, &mapped);
            files.push(fixture(format!("{stem}.yaml"), text, Some(counts)));
        }
    }
    Ok(files)
}

fn with_shapes<'a>(
    source: &'a Source,
    heard: &'a [Heard],
) -> impl Iterator<Item = (&'a Heard, &'a Shape)> {
    heard
        .iter()
        .filter_map(|answer| Some((answer, source.shape(&answer.request)?)))
}

fn write_answer<'a>(
    recording: &Recording<'_>,
    heard: &'a Heard,
    shape: &'a Shape,
    number: &str,
    pseudonyms: &mut Pseudonyms<'_>,
) -> Result<Written<'a>, String> {
    let failed = |error: String| format!("an answer to `{}`: {error}", heard.request);
    let feeds = recording.source.feeds().any(|feed| feed == heard.request);
    let most = recording.most.filter(|_| feeds);
    let text = rewritten(shape, &heard.text, most, pseudonyms).map_err(failed)?;
    let ending = match shape.format() {
        Format::Json => "json",
        Format::Xml | Format::Soap => "xml",
        Format::Csv => "csv",
    };
    Ok(Written {
        heard,
        shape,
        file: format!("{}-{}{number}.{ending}", recording.name, heard.request),
        records: source::records_of(shape, text.as_bytes()).map_err(failed)?,
        text,
        property: pseudonyms.of(&heard.property),
    })
}

/// What the script makes of the answers as they came says who is called how, and which words are statuses.
fn known<'a>(recording: &Recording<'a>, heard: &[Heard]) -> Known<'a> {
    let source = recording.source;
    let name = recording.script.file();
    let name = name
        .strip_prefix("scripts")
        .unwrap_or(&name)
        .to_string_lossy()
        .into_owned();
    let mut known = Known::new(
        Script::words(recording.library, &name),
        source.recorded(),
        recording.placeholders,
    );
    let integration = recording.integration;
    let settings = integration.fields.values().flat_map(|text| text.split(','));
    for word in settings.chain(integration.exclude_statuses.iter().map(String::as_str)) {
        known.word(word);
    }
    for name in read_by(recording, heard) {
        known.field(&name);
    }
    let is_resident = |request: &str| source.feeds().any(|feed| feed == request);
    let lookups = heard.iter().filter(|answer| !is_resident(&answer.request));
    let lookups = looked_up(
        source,
        lookups.map(|answer| {
            let (request, property) = (&answer.request, &answer.property);
            (
                request.as_str(),
                property.as_str(),
                answer.records.as_slice(),
            )
        }),
    );
    let lookups = Arc::new(lookups);
    for answer in heard.iter().filter(|answer| is_resident(&answer.request)) {
        let (request, property) = (&answer.request, &answer.property);
        let contexts = contexts(
            recording,
            request,
            property,
            &integration.pms_properties,
            &lookups,
        );
        for record in &answer.records {
            let Some(context) = contexts.of(record) else {
                continue;
            };
            let residents = recording.script.residents(record, &context);
            for one in residents.into_iter().flatten().flatten() {
                known.name(&one.resident.first_name);
                known.name(&one.resident.last_name);
                known.word(&one.resident.status_word);
            }
        }
    }
    known
}

/// The names that the script reads, and those of the connector's paths that a mapping test needs.
fn read_by(recording: &Recording<'_>, heard: &[Heard]) -> Vec<String> {
    let source = recording.source;
    let mut paths: Vec<String> = recording.script.names_read().keys().cloned().collect();
    for (answer, shape) in with_shapes(source, heard) {
        paths.extend(source.id_path(&answer.request));
        paths.extend(
            source
                .property_path(&answer.request)
                .map(ToString::to_string),
        );
        paths.extend(members(shape).into_iter().map(|(_, value)| value));
    }
    let parts = |path: &String| -> Vec<String> {
        let parts = path.split(|c: char| !c.is_alphanumeric() && !"_-. ".contains(c));
        let parts = parts.filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    paths.iter().flat_map(parts).collect()
}

fn looked_up<'a>(
    source: &Source,
    answers: impl Iterator<Item = (&'a str, &'a str, &'a [Box<str>])>,
) -> Lookups {
    let mut lookups = Lookups::new();
    for (request, property, records) in answers {
        for record in records {
            if let Some((property, id)) = source.lookup_key(request, property, record) {
                lookups.put(request, property, id, String::from(record.as_ref()));
            }
        }
    }
    lookups
}

fn contexts(
    recording: &Recording<'_>,
    request: &str,
    property: &str,
    properties: &[String],
    lookups: &Arc<Lookups>,
) -> Contexts {
    let of_all = Context::new(Inputs {
        today: recording.today,
        property: property.to_owned(),
        request: request.to_owned(),
        // It may be named as the property is.
        integration: String::new(),
        country: recording.integration.property.country.clone(),
        timezone: recording.integration.property.timezone.clone(),
        properties: properties.to_vec(),
        fields: recording.integration.fields.clone(),
        lookups: Arc::clone(lookups),
        ..Inputs::default()
    });
    let path = recording.source.property_path(request);
    Contexts::new(of_all, path.cloned())
}

/// A mapping test as a file.
fn case(
    recording: &Recording<'_>,
    answer: &Written<'_>,
    properties: &[String],
    lookups: &[&Written<'_>],
    mapped: &Mapped,
) -> String {
    let script = recording.script.file();
    let script = script.strip_prefix("scripts").unwrap_or(&script);
    let mut text = format!(
        "# yaml-language-server: $schema=../../../config/.schema/case.json\n\
         # An answer to `{}`, recorded on {}. Whom it names is made up; dates, statuses and the script's\n\
         # words are as they came. What is expected is what the script made of it that day: read it before you rely on it.\n\
         version: 1\nscript: {}\ntoday: {}\nrecords: {}\n",
        answer.heard.request,
        recording.today,
        quoted(&script.to_string_lossy()),
        recording.today,
        quoted(&answer.file),
    );
    for (name, value) in members(answer.shape) {
        let _ = writeln!(text, "{name}: {value}");
    }
    if let Some(path) = recording.source.property_path(&answer.heard.request) {
        let _ = writeln!(text, "property: {}", quoted(&path.to_string()));
    }
    let mut asked: BTreeMap<&str, Vec<&Written<'_>>> = BTreeMap::new();
    for lookup in lookups {
        asked.entry(&lookup.heard.request).or_default().push(lookup);
    }
    if !asked.is_empty() {
        text += "lookups:\n";
    }
    for (request, files) in asked {
        let of_several = files.windows(2).any(|two| match two {
            [one, other] => one.property != other.property,
            _ => false,
        });
        let _ = writeln!(text, "  {}:", quoted(request));
        for lookup in files {
            let mut of_file = vec![format!("file: {}", quoted(&lookup.file))];
            let shape = members(lookup.shape).into_iter();
            of_file.extend(shape.map(|(name, value)| format!("{name}: {value}")));
            let id = recording.source.id_path(request).unwrap_or_default();
            of_file.push(format!("id: {}", quoted(&id)));
            if of_several {
                of_file.push(format!("property: {}", quoted(&lookup.property)));
            }
            let _ = writeln!(text, "    - {{ {} }}", of_file.join(", "));
        }
    }
    let integration = recording.integration;
    let _ = writeln!(
        text,
        "ctx:\n  property: {}\n  request: {}\n  country: {}\n  timezone: {}\n  properties: {}",
        quoted(&answer.property),
        quoted(&answer.heard.request),
        quoted(&integration.property.country),
        quoted(&integration.property.timezone),
        flow(&properties.into()),
    );
    if !integration.fields.is_empty() {
        let fields = serde_json::to_value(&integration.fields).unwrap_or_default();
        let _ = writeln!(text, "  fields: {fields}");
    }
    text + &expectations(mapped)
}

pub(super) fn expectations(mapped: &Mapped) -> String {
    let mut text = "expect:\n".to_owned();
    let mut list = |name: &str, items: Vec<Value>| {
        if items.is_empty() {
            return;
        }
        let _ = writeln!(text, "  {name}:");
        for item in items {
            let _ = writeln!(text, "    - {}", flow(&item));
        }
    };
    let values = |value: Result<Value, serde_json::Error>| value.unwrap_or_default();
    let residents = mapped.residents.iter();
    list(
        "residents",
        residents
            .map(|one| values(serde_json::to_value(one)))
            .collect(),
    );
    let excluded = mapped.excluded.iter();
    list(
        "excluded",
        excluded
            .map(|one| values(serde_json::to_value(one)))
            .collect(),
    );
    list("errors", error_values(&mapped.errors));
    if let Some(wrong) = &mapped.incomplete {
        let _ = writeln!(text, "  incomplete: {}", Value::String(wrong.clone()));
    }
    if text == "expect:\n" {
        "expect: {}\n".to_owned()
    } else {
        text
    }
}

/// Errors as a case expects them, each once.
pub(super) fn error_values(errors: &[Unmapped]) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::new();
    for one in errors {
        let mut error = Map::new();
        if let Some(field) = &one.error.field {
            error.insert("field".into(), field.clone().into());
        }
        error.insert("message".into(), one.error.message.clone().into());
        let error = Value::Object(error);
        if !values.contains(&error) {
            values.push(error);
        }
    }
    values
}

/// How an answer is taken apart, as cases say it.
fn members(shape: &Shape) -> Vec<(&'static str, String)> {
    let word = |format: Format| match format {
        Format::Json => "json",
        Format::Xml => "xml",
        Format::Soap => "soap",
        Format::Csv => "csv",
    };
    let mut members = vec![("format", word(shape.format()).to_owned())];
    let path = shape.records().to_string();
    if !path.is_empty() {
        members.push(("path", quoted(&path)));
    }
    if let Some((format, path)) = shape.inner() {
        let inner = format!(
            "{{ path: {}, format: {} }}",
            quoted(&path.to_string()),
            word(format)
        );
        members.push(("inner", inner));
    }
    if shape.delimiter() != b',' {
        members.push((
            "delimiter",
            quoted(&char::from(shape.delimiter()).to_string()),
        ));
    }
    if let Some(csv) = shape.csv() {
        let mut around = Vec::new();
        if csv.skip > 0 {
            around.push(format!("skip: {}", csv.skip));
        }
        if let Some(quote) = csv.quote {
            around.push(format!("quote: {}", quoted(&quote.to_string())));
        }
        if let Some(footer) = &csv.footer {
            let begins = quoted(&footer.begins);
            around.push(format!(
                "footer: {{ begins: {begins}, counts: {} }}",
                footer.counts
            ));
        }
        members.push(("csv", format!("{{ {} }}", around.join(", "))));
    }
    members
}
