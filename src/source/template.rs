//! Templates of requests: what may stand in them, and how their values are escaped for where they stand.

use std::collections::BTreeMap;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::Date;
use minijinja::value::{Object, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, context};
use url::Url;

use super::filters::{self, Day, Escaped, in_seconds};

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
/// What a page's request may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PageValues {
    pub(super) number: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) cursor: String,
    /// When it is asked, in milliseconds since 1970.
    pub(super) now: u64,
}

impl PageValues {
    /// The same, as they are asked for now.
    pub(super) fn as_of_now(&self) -> PageValues {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_millis());
        PageValues {
            now: u64::try_from(now).unwrap_or(u64::MAX),
            ..self.clone()
        }
    }
}

/// A request that is signed, and its signature.
#[derive(Debug, Clone, Default)]
pub(super) struct Signing<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) body: &'a str,
    pub(super) signature: &'a str,
}

/// The values for one request.
#[derive(Debug, Clone)]
pub(super) struct Values<'a> {
    pub(super) credential: &'a BTreeMap<String, Value>,
    pub(super) fields: &'a BTreeMap<String, String>,
    pub(super) property: &'a str,
    pub(super) today: Date,
    pub(super) page: &'a PageValues,
    /// The token of a login, for the header that carries it.
    pub(super) token: &'a str,
    /// The request, for its signature.
    pub(super) signing: &'a Signing<'a>,
    /// What came before the request.
    pub(super) before: Before<'a>,
}

/// None at all.
impl Default for Values<'_> {
    fn default() -> Self {
        static NO_CREDENTIAL: BTreeMap<String, Value> = BTreeMap::new();
        static NO_FIELDS: BTreeMap<String, String> = BTreeMap::new();
        static FIRST: PageValues = PageValues {
            number: 0,
            offset: 0,
            size: 0,
            cursor: String::new(),
            now: 0,
        };
        static UNSIGNED: Signing<'static> = Signing {
            method: "",
            path: "",
            query: "",
            body: "",
            signature: "",
        };
        Values {
            credential: &NO_CREDENTIAL,
            fields: &NO_FIELDS,
            property: "",
            today: Date::ZERO,
            page: &FIRST,
            token: "",
            signing: &UNSIGNED,
            before: Before::default(),
        }
    }
}

/// What came before a request: what others gave it, and the record that it is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before<'a> {
    pub(super) given: Option<&'a BTreeMap<String, String>>,
    pub(super) record: Option<&'a serde_json::Value>,
    /// From when on changes are asked for; none where all is.
    pub(super) since: Option<Timestamp>,
    /// The token that is given back, for the request that does.
    pub(super) token: Option<&'a str>,
}

/// The templates of one connector.
#[derive(Debug)]
pub(super) struct Templates {
    environment: Environment<'static>,
    /// Where those stand that give something else for each PMS property, or integration.
    of_property: Vec<String>,
    /// The fields of the credential that a template uses, and `token`, by its name.
    shows: BTreeMap<String, Vec<String>>,
    /// Whether any of them asks for the moment.
    of_the_moment: bool,
}

/// What a template may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Uses {
    /// Everything about the request at hand.
    All,
    /// Only what is the same for all integrations of a credential.
    Credential,
    /// That, and the token of the login.
    Token,
    /// The request that is signed.
    Signed,
    /// Its signature.
    Signature,
}

impl Uses {
    /// The names, `credential.*` and `fields.*` apart.
    fn names(self) -> &'static [&'static str] {
        match self {
            Uses::All => &[
                "property",
                "today",
                "now.seconds",
                "now.milliseconds",
                "page.number",
                "page.offset",
                "page.size",
                "page.cursor",
                "fields",
            ],
            Uses::Credential => &["today", "now.seconds", "now.milliseconds"],
            Uses::Token => &["today", "now.seconds", "now.milliseconds", "token"],
            Uses::Signed => &[
                "today",
                "now.seconds",
                "now.milliseconds",
                "method",
                "path",
                "query",
                "body",
            ],
            Uses::Signature => &["today", "now.seconds", "now.milliseconds", "signature"],
        }
    }
}

/// A text under every name, in the place of what is only known when a request is made.
#[derive(Debug)]
struct Anything;

impl Object for Anything {
    fn get_value(self: &std::sync::Arc<Self>, _: &Value) -> Option<Value> {
        Some(Value::from("https://pms.example.com/1"))
    }
}

impl Templates {
    pub(super) fn new() -> Templates {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(10_000));
        environment.set_auto_escape_callback(|name| {
            let place = name.split(':').next().unwrap_or_default();
            AutoEscape::Custom(place.to_owned().into())
        });
        environment.set_formatter(|out, state, value| {
            let AutoEscape::Custom(place) = state.auto_escape() else {
                return Ok(());
            };
            // What an answer leaves out is no text `none`.
            if value.is_none() {
                return Err(Error::from(ErrorKind::UndefinedError));
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
            of_property: Vec::new(),
            of_the_moment: false,
        }
    }

    /// Whether what they give depends on the moment.
    pub(super) fn are_of_the_moment(&self) -> bool {
        self.of_the_moment
    }

    /// Whether a template that stands there, or below, gives something else for each PMS property or integration.
    pub(super) fn are_of_property(&self, field: &str) -> bool {
        let below = |one: &String| {
            let rest = one.strip_prefix(field);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.of_property.iter().any(below)
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
        if used.iter().any(|variable| is_of_property(variable)) {
            self.of_property.push(field.to_owned());
        }
        let shows = used.iter().filter_map(|variable| match variable.as_str() {
            "token" => Some(variable.as_str()),
            _ => variable.strip_prefix("credential."),
        });
        let shows = shows.map(str::to_owned).collect();
        self.shows.insert(name, shows);
        for variable in used {
            if let Some(field) = variable.strip_prefix("credential.") {
                if !credential_fields.contains(&field) {
                    let near = crate::config::nearest(field, credential_fields).map_or_else(
                        || format!("`credential_fields` has: {}", credential_fields.join(", ")),
                        |near| format!("did you mean `credential.{near}`?"),
                    );
                    return Err(format!(
                        "the template uses `{variable}`, which is no credential field; {near}"
                    ));
                }
                continue;
            }
            let comes_before = |name: &String| {
                variable == *name || name.ends_with('.') && variable.starts_with(name.as_str())
            };
            if before.iter().any(comes_before) {
                continue;
            }
            let names = uses.names();
            if names.contains(&variable.as_str())
                || (uses == Uses::All && variable.starts_with("fields."))
            {
                continue;
            }
            let all = Uses::All.names();
            let why = if all.contains(&variable.as_str()) || variable.starts_with("fields.") {
                "is not the same for all integrations of the credential, which share this"
            } else {
                "does not exist"
            };
            return Err(format!(
                "the template uses `{variable}`, which {why}; there are: credential.…, {}",
                match uses {
                    Uses::All => {
                        let before = before.iter().map(|name| match name.strip_suffix('.') {
                            Some(name) => format!(", {name}.…"),
                            None => format!(", {name}"),
                        });
                        let before: String = before.collect();
                        format!("fields.…, {}{before}", names[..8].join(", "))
                    }
                    _ => names.join(", "),
                }
            ));
        }
        Ok(())
    }

    /// What is wrong with a template whatever it is given: a filter that does not exist, or that gets other arguments than it
    /// takes. What hangs on a value shows only with that.
    pub(super) fn doubt(&self, place: Place, field: &str) -> Option<String> {
        let template = self.environment.get_template(&named(place, field)).ok()?;
        let some = || Value::from_object(Anything);
        let day = jiff::civil::date(2026, 2, 28);
        let rendered = template.render(context! {
            credential => some(),
            fields => some(),
            given => some(),
            record => some(),
            property => "1",
            today => Value::from_object(Day(day)),
            since => "2026-02-28T00:00:00Z",
            token => "t",
            method => "GET",
            path => "/",
            query => "",
            body => "",
            signature => "s",
            now => context! { seconds => 1_772_236_800, milliseconds => 1_772_236_800_000_u64 },
            page => context! { number => 1, offset => 0, size => 1, cursor => "c" },
        });
        let error = rendered.err()?;
        let told = detail(&error);
        match error.kind() {
            ErrorKind::UnknownFilter => {
                let name = told
                    .split_whitespace()
                    .nth(1)
                    .unwrap_or_default()
                    .to_owned();
                let names = filters::names();
                let remedy = crate::config::nearest(&name, &names).map_or_else(
                    || format!("there are: {}", names.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                Some(format!("the template has no filter `{name}`; {remedy}"))
            }
            ErrorKind::MissingArgument | ErrorKind::TooManyArguments => Some(format!(
                "a filter of the template gets other arguments than it takes ({told}); write {{{{ today | date('%m/%d/%Y') }}}} or {{{{ today | days_ago(30) }}}}"
            )),
            ErrorKind::UnknownTest | ErrorKind::UnknownFunction | ErrorKind::UnknownMethod => {
                Some(format!("the template can give nothing: {told}; correct it"))
            }
            ErrorKind::InvalidOperation if told.contains(filters::NO_DATE_FORM) => Some(told),
            _ => None,
        }
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
        template
            .render(context! {
                credential => values.credential,
                fields => values.fields,
                property => values.property,
                today => Value::from_object(Day(values.today)),
                token => values.token,
                method => values.signing.method,
                path => values.signing.path,
                query => values.signing.query,
                body => values.signing.body,
                signature => values.signing.signature,
                given => values.before.given,
                since => values.before.since.map(in_seconds).unwrap_or_default(),
                since_exactly => values.before.since.map(|since| since.to_string()),
                record => values.before.record.map(|record| of_record(record, place)),
                now => context! {
                    seconds => values.page.now / 1000,
                    milliseconds => values.page.now,
                },
                page => context! {
                    number => values.page.number,
                    offset => values.page.offset,
                    size => values.page.size,
                    cursor => values.page.cursor.as_str(),
                },
            })
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

/// A record of an answer, for templates. In a URL an empty text would lead to something else than the record: there it is
/// as good as none.
fn of_record(value: &serde_json::Value, place: Place) -> Value {
    match value {
        serde_json::Value::String(text) if place == Place::Url && text.trim().is_empty() => {
            Value::from(())
        }
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(truth) => Value::from(*truth),
        // As it is written: no digit is lost.
        serde_json::Value::Number(number) => Value::from(number.to_string()),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => {
            items.iter().map(|item| of_record(item, place)).collect()
        }
        serde_json::Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| (name.clone(), of_record(value, place)));
            Value::from(members.collect::<BTreeMap<String, Value>>())
        }
    }
}

fn is_of_property(variable: &str) -> bool {
    variable == "property" || variable.starts_with("fields.")
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
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(place: Place, text: &str) -> Result<String, String> {
        let credential = BTreeMap::from([
            (
                "url".to_owned(),
                Value::from("https://pms.example.com:8443/acme/"),
            ),
            ("password".to_owned(), Value::from("a&b<\"c\n")),
        ]);
        let values = Values {
            credential: &credential,
            fields: &BTreeMap::from([("zone".to_owned(), "a/b".to_owned())]),
            property: "../x y",
            today: jiff::civil::date(2026, 3, 1),
            page: &PageValues {
                number: 2,
                ..PageValues::default()
            },
            ..Values::default()
        };
        alone(place, "f", text, &values, &[])
    }

    #[test]
    fn values_are_escaped_for_where_they_stand() {
        assert_eq!(
            render(Place::Xml, "<P>{{ credential.password }}</P>").unwrap(),
            "<P>a&amp;b&lt;&quot;c\n</P>"
        );
        assert_eq!(
            render(
                Place::Url,
                "{{ credential.url }}/v1/{{ property }}/{{ page.number }}"
            )
            .unwrap(),
            "https://pms.example.com:8443/acme/v1/..%2Fx%20y/2"
        );
        assert_eq!(render(Place::Plain, "{{ fields.zone }}").unwrap(), "a/b");
        assert!(render(Place::Header, "{{ credential.password }}").is_err());
        let segment = |value: &str| {
            let credential = BTreeMap::from([("v".to_owned(), value.to_owned())]);
            rendered(
                Place::Url,
                "https://h.example/a/{{ credential.v }}/b",
                &credential,
            )
        };
        for walks in [".", ".."] {
            assert!(segment(walks).unwrap_err().contains("walk up the path"));
        }
        for (value, path) in [
            ("...", "/a/.../b"),
            ("%2e%2e", "/a/%252e%252e/b"),
            ("a/..", "/a/a%2F../b"),
        ] {
            let url = Url::parse(&segment(value).unwrap()).unwrap();
            assert_eq!(url.path(), path);
        }
    }

    #[test]
    fn hosts_and_dates_come_from_filters() {
        assert_eq!(
            render(Place::Plain, "{{ credential.url | host }}").unwrap(),
            "pms.example.com:8443"
        );
        assert_eq!(
            render(
                Place::Plain,
                "{{ today }} {{ today | days_ago(1) | date('%m/%d/%Y') }}"
            )
            .unwrap(),
            "2026-03-01 02/28/2026"
        );
    }

    #[test]
    fn a_name_that_does_not_exist_is_refused_when_compiled() {
        assert_eq!(
            render(Place::Plain, "{{ credential.pasword }}").unwrap_err(),
            "the template uses `credential.pasword`, which is no credential field; did you mean `credential.password`?"
        );
        assert!(
            render(Place::Plain, "{{ proprety }}")
                .unwrap_err()
                .contains("`proprety`, which does not exist")
        );
        assert!(
            render(Place::Plain, "{{ property")
                .unwrap_err()
                .starts_with("the template is not readable")
        );
    }

    #[test]
    fn no_error_tells_a_value() {
        let error = render(Place::Plain, "{{ credential.password | host }}").unwrap_err();
        assert_eq!(
            error,
            "the template of `f` gives nothing: the value is no http(s) URL (it takes `credential.password`)"
        );
    }

    #[test]
    fn a_value_is_refused_by_a_template_of_its_field_alone() {
        let url = "{{ credential.url | host }}";
        let why = |template, value| refused(template, "url", value);
        assert_eq!(
            why(url, "acme.example"),
            Some("the value is no http(s) URL".into())
        );
        assert_eq!(why(url, "https://acme.example"), None);
        assert_eq!(
            why("{{ credential.user | number }}", "x"),
            None,
            "of another field"
        );
        assert_eq!(why("{{ property | number }}", "x"), None, "of no field");
        let number = refused("{{ credential.id | number }}", "id", "main");
        assert_eq!(number, Some("the value is no number".into()));
    }
}
