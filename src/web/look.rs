//! How pages look: the templates, what they may do with values, and the headers of every answer. Knows no page.
//!
//! Whatever a template writes is escaped, and what would steer the text around it stands there as an escape. Only the filters
//! here make markup, each of an escaped text.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use include_dir::{Dir, include_dir};
use jiff::Timestamp;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, context,
};
use serde::Serialize;

use crate::control::protocol::ProblemDocument;
use crate::model::{Actor, rule_text, shown_lines};

use super::said::Said;
use super::{assets, clicks, times, words};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/web/templates");

/// A template that does more than this goes round in circles.
const FUEL: u64 = 5_000_000;
/// So many letters of a text stand in a cell.
const SHORT: usize = 80;
/// So many letters of a text are told beside a cell.
const BESIDE: usize = 300;
/// So many letters of a text stand there before the rest is folded.
const FOLDED: usize = 400;

/// Nothing is loaded from elsewhere, and nothing that stands in a page runs or styles it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page as its handler gives it.
#[derive(Debug)]
pub(super) struct Page {
    /// Its name, for the browser's title and the heading.
    pub(super) title: String,
    /// The part of the navigation that it belongs to.
    pub(super) part: &'static str,
    /// The template.
    pub(super) template: &'static str,
    /// The values of the template.
    pub(super) values: Value,
}

/// What every page has around it.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) now: Timestamp,
    pub(super) may_operate: bool,
    pub(super) may_approve: bool,
    pub(super) may_configure: bool,
    /// Who signed in, over the network.
    pub(super) account: Option<String>,
    /// Whether they signed in here, and not at a proxy before it.
    pub(super) may_sign_out: bool,
    pub(super) said: Option<Said>,
    pub(super) path: String,
    /// How much was committed when it was asked for: what comes later is told to the page.
    pub(super) commits: u64,
}

impl Frame {
    /// Of nobody, at no moment.
    fn nobodys() -> Frame {
        Frame {
            now: Timestamp::UNIX_EPOCH,
            may_operate: false,
            may_approve: false,
            may_configure: false,
            account: None,
            may_sign_out: false,
            said: None,
            path: String::new(),
            commits: 0,
        }
    }
}

/// The templates, read once.
pub(super) struct Look {
    environment: Environment<'static>,
    style: String,
    mark: String,
    script: String,
}

/// A value for a template, as it is in JSON.
pub(super) fn value(of: &impl Serialize) -> Value {
    Value::from(Serde(of))
}

impl Look {
    /// Reads the templates.
    pub(super) fn new() -> Result<Look, Error> {
        let mut blocks = SyntaxConfig::builder();
        let blocks = blocks.trim_blocks(true).lstrip_blocks(true).build()?;
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_syntax(blocks);
        environment.set_formatter(written);
        environment.add_filter("short", short);
        environment.add_filter("whole", whole);
        environment.add_filter("urlencode", urlencode);
        environment.add_filter("rule", |rule: String| rule_text(&rule));
        environment.add_filter("words", |word: String| word.replace('_', " "));
        environment.add_filter("tone", |word: String| words::tone(&word));
        environment.add_filter("says", |word: String| words::says(&word));
        environment.add_filter("number", words::number);
        environment.add_filter("many", |of: u64, what: String| words::many(of, &what));
        environment.add_filter("sentence", |text: String| words::sentence(&text));
        environment.add_filter("clicked", |text: Option<String>| {
            text.map(|text| clicks::clicked(&text))
        });
        environment.add_filter("actor", |actor: Serde<Actor>| actor.0.to_string());
        for file in TEMPLATES.files() {
            let name = file.path().to_str().unwrap_or_default();
            environment.add_template(name, file.contents_utf8().unwrap_or_default())?;
        }
        Ok(Look {
            environment,
            style: assets::address("style.css"),
            mark: assets::address("mark.svg"),
            script: assets::address("live.js"),
        })
    }

    /// A page.
    pub(super) fn page(&self, page: &Page, frame: &Frame) -> Response {
        self.rendered(StatusCode::OK, page, frame)
    }

    /// A problem, as a page with the same text.
    pub(super) fn problem(&self, problem: &ProblemDocument) -> Response {
        let status = StatusCode::from_u16(problem.status);
        let page = Page {
            title: problem.title.clone(),
            part: "",
            template: "problem.html",
            values: context! { problem => value(problem) },
        };
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.rendered(status, &page, &Frame::nobodys())
    }

    /// A page of which it does not matter who asks.
    pub(super) fn alone(&self, page: &Page) -> Response {
        self.rendered(StatusCode::OK, page, &Frame::nobodys())
    }

    fn rendered(&self, status: StatusCode, page: &Page, frame: &Frame) -> Response {
        match self.text(page, frame) {
            Ok(text) => {
                let headers = [(header::CACHE_CONTROL, "no-store")];
                guarded((status, headers, Html(text)).into_response())
            }
            Err(error) => {
                // What a value is stands in no log: only where the template failed.
                tracing::error!(
                    template = error.name().unwrap_or(page.template),
                    line = error.line().unwrap_or_default(),
                    kind = %error.kind(),
                    "a page could not be made"
                );
                let text = "500: the page could not be made; the log of the daemon says where";
                guarded((StatusCode::INTERNAL_SERVER_ERROR, text).into_response())
            }
        }
    }

    /// The text of a page.
    pub(super) fn text(&self, page: &Page, frame: &Frame) -> Result<String, Error> {
        let now = frame.now;
        let mut environment = self.environment.clone();
        environment.add_filter("when", move |time: Option<String>| when(time, now));
        environment.add_filter("ago", move |time: Option<String>| {
            moment(time.as_deref()).map(|time| times::relative(time, now))
        });
        let around = context! {
            title => page.title.as_str(),
            part => page.part,
            style => self.style.as_str(),
            script => self.script.as_str(),
            mark => self.mark.as_str(),
            may_operate => frame.may_operate,
            may_approve => frame.may_approve,
            may_configure => frame.may_configure,
            account => frame.account.as_deref(),
            may_sign_out => frame.may_sign_out,
            said => value(&frame.said),
            path => frame.path.as_str(),
            commits => frame.commits.to_string(),
            now => frame.now.to_string(),
        };
        let template = environment.get_template(page.template)?;
        template.render(context! { ..page.values.clone(), ..around })
    }
}

/// The answer with what keeps a browser from loading, running or framing anything.
pub(super) fn guarded(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    answer
}

/// Writes a value: escaped, `yes` and `no` for truths, nothing for none. A list or an object is no text.
fn written(out: &mut Output, _: &mut State, value: &Value) -> Result<(), Error> {
    let told = match value.kind() {
        ValueKind::None => Ok(()),
        ValueKind::Bool => out.write_str(if value.is_true() { "yes" } else { "no" }),
        ValueKind::Number => write!(out, "{value}"),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            if value.is_safe() {
                out.write_str(text)
            } else {
                out.write_str(&escaped(text))
            }
        }
        kind => {
            let what = format!("a {kind} is no text");
            return Err(Error::new(ErrorKind::InvalidOperation, what));
        }
    };
    told.map_err(Error::from)
}

/// The text as it may stand between tags and in quotes.
fn escaped(text: &str) -> String {
    let shown = shown_lines(text);
    let mut made = String::with_capacity(shown.len());
    for c in shown.chars() {
        match c {
            '&' => made.push_str("&amp;"),
            '<' => made.push_str("&lt;"),
            '>' => made.push_str("&gt;"),
            '"' => made.push_str("&quot;"),
            '\'' => made.push_str("&#39;"),
            c => made.push(c),
        }
    }
    made
}

/// The first letters of a text; none where it has no more.
fn cut(text: &str, letters: usize) -> Option<String> {
    let (at, _) = text.char_indices().nth(letters)?;
    let start = text.get(..at).unwrap_or_default();
    Some(format!("{}…", start.trim_end()))
}

/// A text of somebody else in a cell: its own direction, and no longer than a cell.
fn short(text: Option<String>) -> Value {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Value::from("");
    };
    Value::from_safe_string(match cut(&text, SHORT) {
        None => format!("<bdi>{}</bdi>", escaped(&text)),
        Some(start) => {
            let beside = cut(&text, BESIDE).unwrap_or(text);
            let (start, beside) = (escaped(&start), escaped(&beside));
            format!("<bdi title=\"{beside}\">{start}</bdi>")
        }
    })
}

/// A text of somebody else as a whole; what is long is folded.
fn whole(text: Option<String>) -> Value {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Value::from("");
    };
    let all = escaped(&text);
    Value::from_safe_string(match cut(&text, FOLDED) {
        None => format!("<bdi>{all}</bdi>"),
        Some(start) => {
            let start = escaped(&start);
            format!(
                "<details class=\"long\"><summary><bdi>{start}</bdi></summary><bdi>{all}</bdi></details>"
            )
        }
    })
}

/// A text as a part of an address.
pub(super) fn urlencode(text: String) -> String {
    // `/integrations/new` is a page of its own; what is called so is found all the same.
    if text == "new" {
        return "%6Eew".to_owned();
    }
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    // In a path `+` is itself; in it and behind `?` a blank may be `%20`.
    encoded.replace('+', "%20")
}

fn moment(time: Option<&str>) -> Option<Timestamp> {
    time?.parse().ok()
}

/// A moment: how long ago, with the exact one beside it.
fn when(time: Option<String>, now: Timestamp) -> Value {
    let Some(time) = moment(time.as_deref()) else {
        return Value::from_safe_string("<span class=\"faint\">never</span>".to_owned());
    };
    let (relative, exact) = (times::relative(time, now), times::exact(time));
    Value::from_safe_string(format!(
        "<time datetime=\"{time}\" title=\"{exact}\">{relative}</time>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &str, text: &str) -> String {
        let look = Look::new().unwrap();
        let values = context! { text => text };
        look.environment.render_str(template, values).unwrap()
    }

    #[test]
    fn a_text_with_markup_quotes_and_directions_is_shown_as_text() {
        let odd = "<script>\"'&\u{202e}x\u{1b}[2J";
        let told = "&lt;script&gt;&quot;&#39;&amp;\\u{202e}x\\u{1b}[2J";
        assert_eq!(rendered("{{ text }}", odd), told);
        assert_eq!(
            rendered("<a title=\"{{ text }}\">", odd),
            format!("<a title=\"{told}\">")
        );
        assert_eq!(
            rendered("{{ text|short }}", odd),
            format!("<bdi>{told}</bdi>")
        );
        assert_eq!(
            rendered("{{ text|whole }}", odd),
            format!("<bdi>{told}</bdi>")
        );
        assert_eq!(
            rendered("{% macro m(x) %}{{ x }}{% endmacro %}{{ m(text) }}", odd),
            told
        );
        assert_eq!(
            rendered("{{ text|urlencode }}", "a b/ü?&+.."),
            "a%20b%2F%C3%BC%3F%26%2B.."
        );
    }

    #[test]
    fn a_long_text_takes_no_more_of_a_cell_than_others_do() {
        let long = "<b>".repeat(5_000);
        let cell = rendered("{{ text|short }}", &long);
        assert!(cell.len() < 4_000 && cell.contains('…'), "{}", cell.len());
        assert!(!cell.contains("<b>"));
        let whole = rendered("{{ text|whole }}", &long);
        assert!(whole.starts_with("<details class=\"long\"><summary>"));
        assert!(whole.contains(&escaped(&long)));
    }

    #[test]
    fn a_list_or_a_value_that_is_not_there_is_no_text() {
        let look = Look::new().unwrap();
        for wrong in ["{{ [1] }}", "{{ nothing }}", "{{ {}.a }}"] {
            assert!(
                look.environment.render_str(wrong, context! {}).is_err(),
                "{wrong}"
            );
        }
        assert_eq!(
            look.environment
                .render_str("{{ none }}{{ true }}{{ 7 }}", context! {})
                .unwrap(),
            "yes7"
        );
    }

    #[test]
    fn no_template_takes_a_text_for_markup_or_has_style_or_script_in_it() {
        assert!(TEMPLATES.files().count() > 10);
        for file in TEMPLATES.files() {
            let text = file.contents_utf8().unwrap();
            let name = file.path().display();
            for never in [
                "|safe",
                "| safe",
                "autoescape",
                "style=",
                "<style",
                " onclick",
                "javascript:",
                "http://",
                "https://",
            ] {
                let is_of_svg = never == "http://" && text.contains("http://www.w3.org/2000/svg");
                assert!(!text.contains(never) || is_of_svg, "{name}: {never}");
            }
        }
    }
}
