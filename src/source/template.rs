//! Templates of requests: compiled, and rendered with their values escaped for where they stand.

mod doubt;
mod names;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;

use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use url::Url;

use super::filters::{self, Escaped, segment};
use crate::config::stands_alone;

pub(super) use doubt::{Doubts, in_one_brace};
pub(super) use names::Uses;
pub(super) use values::{About, Before, PageValues, Signing, Values};

use names::{is_of_property, unknown};

/// So many steps are enough for any template.
const FUEL: u64 = 10_000;

/// Where a rendered text goes, and so what its values must not break out of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Encoded as a whole afterwards: JSON leaves, query and form values, credentials of Basic.
    Plain,
    /// An HTTP header: no control characters.
    Header,
    /// A URL: values are path segments, unless they are an http(s) URL themselves.
    Url,
    /// XML text or attribute.
    Xml,
}

impl Place {
    fn name(self) -> &'static str {
        match self {
            Place::Plain => "plain",
            Place::Header => "header",
            Place::Url => "url",
            Place::Xml => "xml",
        }
    }
}

/// Renders one template as a request does that goes to `place`, with these values of its credential, or says why
/// it gives nothing.
pub fn rendered(
    place: Place,
    template: &str,
    credential: &BTreeMap<String, String>,
) -> Result<String, String> {
    let credential = constants(credential);
    let values = Values {
        credential: &credential,
        ..Values::default()
    };
    alone(place, "template", template, &values, &[])
}

/// Why a template that is made of one field of the credential gives nothing for this value. Nothing is said of one that needs
/// more.
pub fn refused(template: &str, field: &str, value: &str) -> Option<String> {
    let credential = BTreeMap::from([(field.to_owned(), Value::from(value))]);
    let values = Values {
        credential: &credential,
        ..Values::default()
    };
    let rendered = attempted(Place::Plain, "template", template, &values, &[]).ok()?;
    rendered
        .err()
        .filter(|error| !error.is_unset && !error.takes_more)
        .map(|error| error.why)
}

fn constants(credential: &BTreeMap<String, String>) -> BTreeMap<String, Value> {
    let fields = credential.iter();
    fields
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect()
}

/// What one template gives that is the only one, with these values; `before` is what may come before its request.
pub(super) fn alone(
    place: Place,
    field: &str,
    template: &str,
    values: &Values<'_>,
    before: &[String],
) -> Result<String, String> {
    attempted(place, field, template, values, before)?.map_err(|error| error.what)
}

/// The same, with the whole error of what gives nothing.
fn attempted(
    place: Place,
    field: &str,
    template: &str,
    values: &Values<'_>,
    before: &[String],
) -> Result<Result<String, Unrendered>, String> {
    let fields: Vec<&str> = values.credential.keys().map(String::as_str).collect();
    let mut templates = Templates::new();
    templates.add(place, field, template, &fields, Uses::All, before)?;
    Ok(templates.render(place, field, values))
}

/// The templates of one connector.
#[derive(Debug)]
pub(super) struct Templates {
    environment: Environment<'static>,
    /// What each of them names, by where it stands.
    names: BTreeMap<String, Vec<String>>,
    /// The fields of the credential that a template uses, and `token`, by its name.
    shows: BTreeMap<String, Vec<String>>,
    /// Whether any of them asks for the moment.
    of_the_moment: bool,
}

impl Templates {
    pub(super) fn new() -> Templates {
        Templates::with(true)
    }

    /// Of a target: what is a list or an object is no text of its own there.
    pub(super) fn of_target() -> Templates {
        Templates::with(false)
    }

    fn with(lists_are_texts: bool) -> Templates {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|name| {
            let place = name.split(':').next().unwrap_or_default();
            AutoEscape::Custom(place.to_owned().into())
        });
        environment.set_formatter(move |out, state, value| {
            let AutoEscape::Custom(place) = state.auto_escape() else {
                return Ok(());
            };
            // What an answer leaves out is no text `none`.
            if value.is_none() {
                return Err(Error::from(ErrorKind::UndefinedError));
            }
            let is_list = matches!(value.kind(), ValueKind::Seq | ValueKind::Map);
            if is_list && !lists_are_texts {
                return Err(Error::new(
                    ErrorKind::InvalidOperation,
                    "the value is a list or an object, and no text; write `| json` behind it, or `| join(', ')`",
                ));
            }
            let text = value.to_string();
            let escaped = match place.as_ref() {
                // Escaped already, by `path`.
                "url" if value.downcast_object_ref::<Escaped>().is_some() => text,
                "xml" => quick_xml::escape::escape(text.as_str()).into_owned(),
                "url" => escape_url(&text)?,
                "header" if text.chars().any(char::is_control) => {
                    return Err(Error::new(
                        ErrorKind::InvalidOperation,
                        "a header value has a control character",
                    ));
                }
                _ => text,
            };
            out.write_str(&escaped).map_err(Error::from)
        });
        filters::add_to(&mut environment);
        Templates {
            environment,
            shows: BTreeMap::new(),
            names: BTreeMap::new(),
            of_the_moment: false,
        }
    }

    /// Whether what they give depends on the moment.
    pub(super) fn are_of_the_moment(&self) -> bool {
        self.of_the_moment
    }

    /// Whether a template that stands there, or below, gives something else for each PMS property or integration.
    pub(super) fn are_of_property(&self, field: &str) -> bool {
        self.named_at(field).any(|(_, name)| is_of_property(name))
    }

    /// What templates name that stand there, or below, each with where it does.
    pub(super) fn named_at<'a>(
        &'a self,
        field: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let is_below = move |at: &str| {
            let rest = at.strip_prefix(field);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let below = self.names.iter().filter(move |(at, _)| is_below(at));
        below.flat_map(|(at, names)| names.iter().map(move |name| (at.as_str(), name.as_str())))
    }

    /// The fields of the credential that a template uses, and `token` where it uses the token.
    pub(super) fn shows(&self, place: Place, field: &str) -> &[String] {
        let shows = self.shows.get(&named(place, field));
        shows.map_or(&[], Vec::as_slice)
    }

    /// Compiles a template and says what is wrong with it. `field` names it ever after.
    pub(super) fn add(
        &mut self,
        place: Place,
        field: &str,
        text: &str,
        credential_fields: &[&str],
        uses: Uses,
        before: &[String],
    ) -> Result<(), String> {
        stands_alone(text).map_err(|told| format!("the template is not readable: {told}"))?;
        let name = named(place, field);
        self.environment
            .add_template_owned(name.clone(), text.to_owned())
            .map_err(|error| {
                format!(
                    "the template is not readable: {}; write values as {{{{ credential.url }}}}",
                    detail(&error)
                )
            })?;
        let template = self
            .environment
            .get_template(&name)
            .map_err(|error| detail(&error))?;
        self.of_the_moment |= template.undeclared_variables(false).contains("now");
        let mut used: Vec<String> = template.undeclared_variables(true).into_iter().collect();
        used.sort();
        let shows = used.iter().filter_map(|variable| match variable.as_str() {
            "token" => Some(variable.as_str()),
            _ => variable.strip_prefix("credential."),
        });
        let shows = shows.map(str::to_owned).collect();
        self.shows.insert(name, shows);
        let mut all = used.iter();
        let unknown = all.find_map(|one| unknown(one, credential_fields, uses, before));
        self.names.insert(field.to_owned(), used);
        unknown.map_or(Ok(()), Err)
    }

    /// Renders the template of `field`.
    pub(super) fn render(
        &self,
        place: Place,
        field: &str,
        values: &Values<'_>,
    ) -> Result<String, Unrendered> {
        let told = |error: &Error, takes: &[String], takes_more: bool| {
            let why = detail(error);
            let takes = match takes {
                [] => String::new(),
                fields => format!(" (it takes {})", fields.join(", ")),
            };
            Unrendered {
                what: format!("the template of `{field}` gives nothing: {why}{takes}"),
                why,
                is_unset: error.kind() == ErrorKind::UndefinedError,
                takes_more,
            }
        };
        let template = self
            .environment
            .get_template(&named(place, field))
            .map_err(|error| told(&error, &[], false))?;
        let leads = begins_with(template.source());
        template
            .render(values.seen_at(place, leads))
            .map_err(|error| {
                let used = template.undeclared_variables(true);
                let (of_credential, others): (Vec<String>, Vec<String>) = used
                    .into_iter()
                    .partition(|variable| variable.starts_with("credential."));
                let takes = of_credential.iter().map(|one| format!("`{one}`"));
                let mut takes: Vec<String> = takes.collect();
                takes.sort();
                told(&error, &takes, !others.is_empty())
            })
    }
}

/// Why a template gives nothing. Names the field, never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unrendered {
    pub(super) what: String,
    /// The same without the template.
    why: String,
    /// It uses a value that is not there.
    pub(super) is_unset: bool,
    /// It takes something else than the credential.
    takes_more: bool,
}

fn named(place: Place, field: &str) -> String {
    format!("{}:{field}", place.name())
}

fn detail(error: &Error) -> String {
    match error.detail() {
        Some(detail) => detail.to_owned(),
        None if error.kind() == ErrorKind::UndefinedError => {
            "it uses a value that is not set".into()
        }
        None => error.kind().to_string(),
    }
}

/// The value that a template begins with.
fn begins_with(template: &str) -> Option<&str> {
    let inner = template.trim_start().strip_prefix("{{")?;
    let inner = inner.trim_start_matches('-').trim_start();
    let is_name = |c: char| c.is_alphanumeric() || "._".contains(c);
    let end = inner.find(|c| !is_name(c)).unwrap_or(inner.len());
    inner.get(..end)
}

/// A value as one segment of a path, or why it cannot be one.
fn escape_url(text: &str) -> Result<String, Error> {
    // There is no way to write it: `%2E%2E` means the same.
    if matches!(text, "." | "..") {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "a value of dots alone would walk up the path",
        ));
    }
    let is_url = text.starts_with("http://") || text.starts_with("https://");
    if is_url && Url::parse(text).is_ok() {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    Ok(segment(text))
}
