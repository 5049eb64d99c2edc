//! Where the records are in a recorded answer: as the connector says that names the script, or as the command line
//! does. Maps nothing.

use std::path::Path;

use crate::cases::CaseJudge;
use crate::config::{Files, Format};
use crate::model::{Problems, time_zone};
use crate::script::{Inputs, Script};
use crate::source::{self, Alone, AnswerTo, Judge, Sample, Shape, Source};

use super::super::{Exit, Failure};
use super::MapArguments;

/// The records of an answer, and how they were found.
pub(super) struct Answer {
    pub(super) way: Way,
    pub(super) records: Vec<Box<str>>,
    /// The answer itself.
    pub(super) body: Vec<u8>,
}

/// A way to take an answer apart.
pub(super) struct Way {
    pub(super) connector: Option<String>,
    pub(super) request: String,
    pub(super) source: Option<std::rc::Rc<Source>>,
    shape: Shape,
}

/// The requests of a target that read back what is there.
pub(super) const OF_TARGET: [&str; 2] = ["target.list", "target.find"];

/// A form of answers as an argument.
pub(super) fn format(text: &str) -> Result<Format, String> {
    match text {
        "json" => Ok(Format::Json),
        "xml" => Ok(Format::Xml),
        "soap" => Ok(Format::Soap),
        "csv" => Ok(Format::Csv),
        _ => Err("is no form of an answer; it is one of: json, xml, soap, csv".into()),
    }
}

/// A time zone by its name.
pub(super) fn timezone(text: &str) -> Result<String, String> {
    time_zone(text).map(|_| text.to_owned())
}

/// What separates columns, as an argument.
pub(super) fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [one] if one.is_ascii() && !b"\"\r\n".contains(one) => Ok(*one),
        _ => Err("cannot separate columns; write one such as \";\"".into()),
    }
}

/// An encoding by its label.
pub(super) fn encoding(text: &str) -> Result<String, String> {
    let shape = Shape::new(Format::Json, source::Path::default());
    shape.encoded(text).map(|_| text.to_owned())
}

/// A shape of answers, but for what the command line says of it.
fn shaped(arguments: &MapArguments, shape: Shape) -> Result<Shape, Failure> {
    let shape = match arguments.delimiter {
        Some(delimiter) => shape.separated_by(delimiter),
        None => shape,
    };
    match &arguments.encoding {
        Some(label) => shape
            .encoded(label)
            .map_err(|message| Failure::other(Exit::Invalid, format!("--encoding: {message}"))),
        None => Ok(shape),
    }
}

/// Takes the answer apart, by the first way that leads to records.
pub(super) fn answer(
    arguments: &MapArguments,
    script: &str,
    file: &Path,
    files: &Files,
) -> Result<Answer, Failure> {
    let told = arguments.given().display();
    let body = std::fs::read(file)
        .map_err(|error| Failure::other(Exit::Failed, format!("cannot read {told}: {error}")))?;
    let mut empty = None;
    let mut errors: Vec<String> = Vec::new();
    for way in ways(arguments, script, files)? {
        match source::records_of(&way.shape, &body) {
            Ok(records) if records.is_empty() => {
                empty.get_or_insert((way, records));
            }
            Ok(records) => return Ok(Answer { way, records, body }),
            Err(error) => errors.push(match &way.connector {
                Some(connector) => format!("request `{}` of {connector}: {error}", way.request),
                None => error,
            }),
        }
    }
    errors.dedup();
    let empty = empty.map(|(way, records)| Answer { way, records, body });
    empty.ok_or_else(|| {
        let remedy = "say where they are with --records PATH, and --format json, xml, soap or csv";
        Failure::other(
            Exit::Failed,
            format!("no records in {told}; {remedy}\n  {}", errors.join("\n  ")),
        )
    })
}

impl Way {
    /// What a run would make of the answer, were it all that comes; none where no connector says.
    pub(super) fn alone(
        &self,
        body: &[u8],
        script: &Script,
        inputs: &Inputs,
    ) -> Option<Result<Alone, String>> {
        let source = self.source.as_ref()?;
        let judge = CaseJudge { script, inputs };
        let asked = AnswerTo {
            request: &self.request,
            property: &inputs.property,
            attached: &inputs.properties,
            shape: Some(&self.shape),
        };
        let sample = Sample {
            status: 200,
            headers: &[],
            body,
        };
        let judge = script.judges().then_some(&judge as &dyn Judge);
        Some(source.alone(asked, judge, sample))
    }
}

fn ways(arguments: &MapArguments, script: &str, files: &Files) -> Result<Vec<Way>, Failure> {
    let by_hand = arguments.records.is_some() || arguments.format.is_some();
    let mut ways = Vec::new();
    for (name, read) in &files.connectors {
        match &arguments.connector {
            Some(wanted) if wanted != name => continue,
            Some(_) => {}
            None => {
                let names_it = read.as_ref().is_ok_and(|file| {
                    let named = &file.value.script;
                    named.strip_suffix(".rhai").unwrap_or(named) == script
                });
                if by_hand || !names_it {
                    continue;
                }
            }
        }
        let source = match read {
            Ok(file) => Source::compile(file),
            Err(problems) => Err(problems.clone()),
        };
        let source = std::rc::Rc::new(source.map_err(|found| Failure::Config(Problems(found)))?);
        let read_back = OF_TARGET.into_iter().filter(|request| source.has(request));
        for request in source.feeds().chain(read_back) {
            if arguments.request.as_deref().is_some_and(|it| it != request) {
                continue;
            }
            let Some(shape) = source.shape(request) else {
                continue;
            };
            ways.push(Way {
                connector: Some(name.clone()),
                request: request.to_owned(),
                source: Some(std::rc::Rc::clone(&source)),
                shape: shaped(arguments, shape.clone())?,
            });
        }
    }
    if let Some(wanted) = &arguments.connector
        && !files.connectors.contains_key(wanted)
    {
        let names: Vec<&str> = files.connectors.keys().map(String::as_str).collect();
        let told = format!(
            "there is no connector `{wanted}`; there are: {}",
            names.join(", ")
        );
        return Err(Failure::other(Exit::Invalid, told));
    }
    if ways.is_empty() && arguments.request.is_some() && !by_hand {
        let told = "no connector of this script has a request of that name that feeds residents";
        return Err(Failure::other(Exit::Invalid, told));
    }
    if by_hand || ways.is_empty() {
        let records = arguments.records.as_deref().unwrap_or_default();
        let path = source::Path::parse(records)
            .map_err(|message| Failure::other(Exit::Invalid, format!("--records: {message}")))?;
        ways = vec![Way {
            connector: None,
            request: arguments
                .request
                .clone()
                .unwrap_or_else(|| "residents".into()),
            source: None,
            shape: shaped(arguments, Shape::new(by_ending(arguments), path))?,
        }];
    }
    Ok(ways)
}

/// The form that was asked for, or that the file's ending says.
fn by_ending(arguments: &MapArguments) -> Format {
    let ending = arguments.given().extension();
    let ending = ending.and_then(|ending| ending.to_str());
    arguments.format.unwrap_or(match ending {
        Some("xml") => Format::Xml,
        Some("csv") => Format::Csv,
        _ => Format::Json,
    })
}
