//! Bytes of an answer to records and what stands around them. Judges nothing.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use serde_json::Value;

use crate::config::{Csv, Footer, Format, Packed};
use crate::model::Printer;
use crate::outbound::{from_gzip, from_zip};

use super::known::{Known, Same};
use super::path::Segment;
use super::{Path, csv, json, skim, xml};

/// An answer taken apart.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The answer without its records.
    pub(super) around: Value,
    /// The records, as JSON texts.
    pub(super) records: Vec<Box<str>>,
    /// Those of them that are known; their texts may be left out. Empty where none is looked for.
    pub(super) known: Vec<Option<Same>>,
    /// Whether the place was there where the records stand, be it empty.
    pub(super) found: bool,
    /// Why nothing was found in a text inside the answer, although the answer itself is readable.
    pub(super) broken: Option<DecodeError>,
}

/// What an answer looks like.
#[derive(Debug, Clone)]
pub struct Shape {
    pub(super) format: Format,
    pub(super) records: Path,
    /// The form of a text inside the answer, and its path: there the records are.
    pub(super) inner: Option<(Format, Path)>,
    /// The encoding of the answer, where the connector says it.
    pub(super) encoding: Option<&'static Encoding>,
    /// What the answer is packed in.
    pub(super) packed: Option<Packed>,
    /// What separates the columns of CSV, and quotes its fields.
    pub(super) delimiter: u8,
    pub(super) quote: u8,
    /// What stands before the header of CSV, and behind its rows.
    pub(super) skip: usize,
    pub(super) footer: Option<Footer>,
    /// The column that CSV must have, as it is told from an error page by nothing else.
    pub(super) column: Option<String>,
}

impl Shape {
    /// An answer of this form, with its records at this path.
    pub fn new(format: Format, records: Path) -> Shape {
        Shape {
            format,
            records,
            inner: None,
            encoding: None,
            packed: None,
            delimiter: b',',
            quote: b'"',
            skip: 0,
            footer: None,
            column: None,
        }
    }

    /// The form of the answer.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The path of its records.
    pub fn records(&self) -> &Path {
        &self.records
    }

    /// The form and the path of a text in it that is itself an answer.
    pub fn inner(&self) -> Option<(Format, &Path)> {
        let inner = self.inner.as_ref();
        inner.map(|(format, path)| (*format, path))
    }

    /// What separates the columns of CSV.
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Whose records stand in a text of this form, at this path of the answer.
    #[must_use]
    pub fn inside(mut self, format: Format, path: Path) -> Shape {
        self.inner = Some((format, path));
        self
    }

    /// In this encoding, by its label, whatever an answer says about itself.
    pub fn encoded(mut self, label: &str) -> Result<Shape, String> {
        let known = Encoding::for_label(label.trim().as_bytes());
        self.encoding = Some(known.ok_or_else(|| {
            format!(
                "`{label}` is no encoding that is known; write one such as utf-8 or windows-1252"
            )
        })?);
        Ok(self)
    }

    /// With this around its rows, if it is CSV. An error comes with the key that it is about.
    pub fn with_csv(mut self, csv: &Csv) -> Result<Shape, (&'static str, String)> {
        if let Some(quote) = csv.quote {
            let one = u8::try_from(quote).ok();
            let one = one
                .filter(|one| one.is_ascii() && !one.is_ascii_control() && *one != self.delimiter);
            self.quote = one.ok_or_else(|| {
                let what = "cannot quote fields; write one such as \"'\"";
                ("quote", what.to_owned())
            })?;
        }
        if csv
            .footer
            .as_ref()
            .is_some_and(|footer| footer.begins.trim().is_empty())
        {
            let what = "is empty; write how the line behind the rows begins";
            return Err(("footer", what.to_owned()));
        }
        self.skip = csv.skip;
        self.footer.clone_from(&csv.footer);
        Ok(self)
    }

    /// What stands around the rows of CSV, as connectors say it; none where nothing does.
    pub fn csv(&self) -> Option<Csv> {
        let csv = Csv {
            skip: self.skip,
            quote: (self.quote != b'"').then(|| char::from(self.quote)),
            footer: self.footer.clone(),
        };
        (csv != Csv::default()).then_some(csv)
    }

    /// Whether the connector says the encoding.
    pub fn is_encoded(&self) -> bool {
        self.encoding.is_some()
    }

    /// The answer without what it is packed in.
    pub(super) fn unpacked<'a>(&self, body: &'a [u8]) -> Result<Cow<'a, [u8]>, DecodeError> {
        let unpacked = match &self.packed {
            Some(Packed::Zip(name)) => from_zip(body, name.as_deref()),
            Some(Packed::Gzip) => from_gzip(body),
            None => Ok(None),
        };
        match unpacked {
            Ok(unpacked) => Ok(unpacked.map_or(Cow::Borrowed(body), Cow::Owned)),
            Err(error) => Err(DecodeError::Packed(error.to_string())),
        }
    }

    /// The answer as text; `charset` is what its header names.
    pub(super) fn text<'a>(
        &self,
        body: &'a [u8],
        charset: Option<&str>,
    ) -> Result<Cow<'a, str>, DecodeError> {
        text(body, charset, self.encoding)
    }

    /// Whose columns are separated by this, if it is CSV.
    #[must_use]
    pub fn separated_by(mut self, delimiter: u8) -> Shape {
        self.delimiter = delimiter;
        self
    }
}

/// Bytes that are not what the connector says they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DecodeError {
    /// Not in the encoding that it declares.
    #[error(
        "the answer is not valid {0}; where it is in another encoding, name that by `encoding`"
    )]
    Encoding(&'static str),
    /// Not JSON.
    #[error("the answer is not readable as JSON: {0}")]
    Json(String),
    /// Not XML, or XML with a document type, or too deep.
    #[error("the answer is not readable as XML: {0}")]
    Xml(String),
    /// Not CSV, or rows that do not fit the header.
    #[error("the answer is not readable as CSV: {0}")]
    Csv(String),
    /// Not packed as the connector says.
    #[error("{0}")]
    Packed(String),
    /// XML, but no SOAP envelope.
    #[error("the answer is no SOAP envelope; it begins with <{0}>")]
    NoEnvelope(String),
    /// A page of HTML, as web servers answer in the place of an API that is away.
    #[error("the answer is a page of HTML, and no {0}")]
    Page(&'static str),
}

impl Shape {
    /// The records of an answer as it was [unpacked](Shape::unpacked), and its text, which is empty where it has none.
    pub(super) fn opened<'a>(
        &self,
        charset: Option<&str>,
        unpacked: &'a Result<Cow<'_, [u8]>, DecodeError>,
        known: Option<(&Known, Printer)>,
        keeps: bool,
    ) -> (Result<Decoded, DecodeError>, Cow<'a, str>) {
        match unpacked {
            Ok(body) => (
                self.skim(charset, body, known, keeps),
                self.text(body, charset).unwrap_or_default(),
            ),
            Err(error) => (Err(error.clone()), Cow::default()),
        }
    }

    /// Takes an answer apart in which most records may be known. Their texts are left out, unless it `keeps` them.
    pub(super) fn skim(
        &self,
        charset: Option<&str>,
        body: &[u8],
        known: Option<(&Known, Printer)>,
        keeps: bool,
    ) -> Result<Decoded, DecodeError> {
        if let Some((known, printer)) = known
            && self.format == Format::Json
            && self.inner.is_none()
            && let Some(skimmed) = skim::split(
                &self.text(body, charset)?,
                &self.records,
                known,
                printer,
                keeps,
            )
        {
            return Ok(skimmed);
        }
        let mut decoded = decode(self, charset, body)?;
        if let Some((known, printer)) = known {
            let records = decoded.records.iter();
            decoded.known = records.map(|text| known.find(printer, text)).collect();
            for (text, place) in decoded.records.iter_mut().zip(&decoded.known) {
                if place.is_some() && !keeps {
                    *text = Box::default();
                }
            }
        }
        Ok(decoded)
    }
}

/// Takes an answer apart.
pub(super) fn decode(
    shape: &Shape,
    charset: Option<&str>,
    body: &[u8],
) -> Result<Decoded, DecodeError> {
    let body = shape.unpacked(body)?;
    let text = shape.text(&body, charset)?;
    let Some((format, path)) = &shape.inner else {
        return split(shape.format, shape, &text)
            .map_err(|error| or_page(error, shape.format, &text));
    };
    let mut around = whole(shape.format, &text)?;
    let inner = path
        .text(&around)
        .map(|text| split(*format, shape, text.trim_start_matches('\u{feff}')));
    let (records, found, broken) = match inner {
        Some(Ok(inner)) => {
            put(&mut around, path.segments(), inner.around);
            (inner.records, inner.found, None)
        }
        Some(Err(error)) => (Vec::new(), false, Some(error)),
        None => (Vec::new(), false, None),
    };
    Ok(Decoded {
        around,
        records,
        found,
        known: Vec::new(),
        broken,
    })
}

fn split(format: Format, shape: &Shape, text: &str) -> Result<Decoded, DecodeError> {
    match format {
        Format::Json => json::split(text, &shape.records),
        Format::Xml => xml::split(text, &shape.records, false),
        Format::Soap => xml::split(text, &shape.records, true),
        Format::Csv => csv::split(text, shape),
    }
}

impl Decoded {
    /// No records, and nothing around them.
    pub(super) fn nothing() -> Decoded {
        Decoded {
            around: Value::Null,
            records: Vec::new(),
            known: Vec::new(),
            found: true,
            broken: None,
        }
    }
}

impl Shape {
    /// Whether the records are in this form.
    pub(super) fn is_of(&self, format: Format) -> bool {
        self.inner.as_ref().map_or(self.format, |(inner, _)| *inner) == format
    }

    /// That no records are there, by the path that leads nowhere, and the key that says it.
    pub(super) fn nothing_in(&self, around: &Value, came: usize) -> (String, &'static str) {
        if let Some((_, path)) = &self.inner {
            // A text that could be read stands there as what it holds.
            let is_read = path
                .first(around)
                .is_some_and(|inner| inner.is_object() || inner.is_array());
            if !is_read {
                let what =
                    format!("there is no text at `{path}` in the answer, where `inner` looks");
                return (what, "inner.path");
            }
        }
        (no_records_at(&self.records, came), "records")
    }

    /// The path of the records from the beginning of the answer, through the text inside it where there is one.
    pub(super) fn place(&self) -> Path {
        match &self.inner {
            Some((_, path)) => path.then(&self.records),
            None => self.records.clone(),
        }
    }

    /// An answer with the records in it. None where it cannot be read, or has no place for records, as CSV.
    pub(super) fn whole(&self, text: &str) -> Option<Value> {
        let mut around = whole(self.format, text).ok()?;
        if let Some((format, path)) = &self.inner {
            let inner = path.text(&around)?;
            let inner = whole(*format, inner.trim_start_matches('\u{feff}')).ok()?;
            put(&mut around, path.segments(), inner);
        }
        Some(around)
    }
}

/// An answer as one value, no records taken out.
pub(super) fn whole(format: Format, text: &str) -> Result<Value, DecodeError> {
    let value = match format {
        Format::Json => json::whole(text),
        format => {
            let nowhere = Shape::new(format, Path::default());
            split(format, &nowhere, text).map(|decoded| decoded.around)
        }
    };
    value.map_err(|error| or_page(error, format, text))
}

/// What is wrong with an answer that could not be taken apart: where it is a page, that says more than any place in it.
fn or_page(error: DecodeError, format: Format, text: &str) -> DecodeError {
    let begins = |tag: &str| {
        let head = text.trim_start().get(..tag.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(tag))
    };
    if !begins("<!doctype html") && !begins("<html") {
        return error;
    }
    DecodeError::Page(match format {
        Format::Json => "JSON",
        Format::Xml => "XML",
        Format::Soap => "SOAP envelope",
        Format::Csv => "CSV",
    })
}

/// Puts a value where a path of names leads.
fn put(around: &mut Value, path: &[Segment], value: Value) {
    match path.split_first() {
        None => *around = value,
        Some((Segment::Name(name), rest)) => {
            if let Some(inner) = around.get_mut(name) {
                put(inner, rest, value);
            }
        }
        // Refused when the connector is compiled.
        Some(_) => {}
    }
}

/// The body as text: by its byte-order mark, as the connector says, by the header, by its XML declaration (RFC 7303, 3), else
/// UTF-8.
pub(super) fn text<'a>(
    body: &'a [u8],
    charset: Option<&str>,
    said: Option<&'static Encoding>,
) -> Result<Cow<'a, str>, DecodeError> {
    // What reads as ASCII has a byte for each character, whatever is said about it.
    let is_narrow = |encoding: &&'static Encoding| {
        ![UTF_16LE, UTF_16BE].contains(encoding) || !body.starts_with(b"<?xml")
    };
    let declared = || {
        let head = String::from_utf8_lossy(body.get(..body.len().min(200))?);
        let after = head
            .strip_prefix("<?xml")?
            .split("?>")
            .next()?
            .split("encoding=")
            .nth(1)?;
        let quote = after.chars().next()?;
        after.get(1..)?.split(quote).next().map(str::to_owned)
    };
    let labelled = |label: &str| Encoding::for_label(label.as_bytes());
    let encoding = Encoding::for_bom(body)
        .map(|(encoding, _)| encoding)
        .or(said)
        .or_else(|| labelled(charset?).filter(is_narrow))
        .or_else(|| labelled(&declared()?).filter(is_narrow))
        .unwrap_or(UTF_8);
    let (text, broken) = encoding.decode_with_bom_removal(body);
    if broken {
        Err(DecodeError::Encoding(encoding.name()))
    } else {
        Ok(text)
    }
}

/// What is wrong with an answer that has no records where they should be, or not them alone.
fn no_records_at(path: &Path, came: usize) -> String {
    if came > 0 {
        format!("not all that stands at `{path}` in the answer is an object or a list")
    } else if path.is_root() {
        "the answer itself is no record and no list of them".into()
    } else {
        format!("there is nothing at `{path}` in the answer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_inside_a_text_of_the_answer_are_found_and_the_rules_see_them_in_place() {
        let shape = Shape {
            inner: Some((Format::Xml, Path::parse("R/Result").unwrap())),
            ..Shape::new(Format::Xml, Path::parse("L/P").unwrap())
        };
        let answer =
            b"<R><Result>&lt;L c=\"1\"&gt;&lt;P&gt;A &amp;amp; B&lt;/P&gt;&lt;/L&gt;</Result></R>";
        let decoded = decode(&shape, None, answer).unwrap();
        assert_eq!(decoded.records, [r#""A & B""#.into()]);
        assert_eq!(
            decoded.around,
            serde_json::json!({"R": {"Result": {"L": {"@c": "1"}}}})
        );
        let decoded = decode(&shape, None, b"<R><Result>Login failed</Result></R>").unwrap();
        assert!(!decoded.found && decoded.broken.is_some());
        assert_eq!(
            decoded.around,
            serde_json::json!({"R": {"Result": "Login failed"}})
        );
        let decoded = decode(&shape, None, b"<R><Result/></R>").unwrap();
        assert!(!decoded.found && decoded.broken.is_none());
    }

    #[test]
    fn a_page_in_the_place_of_an_answer_is_called_one() {
        let page = b"\n<!DOCTYPE html><html><body>We'll be back<br></body></html>";
        let told = |format| {
            decode(&Shape::new(format, Path::default()), None, page)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            told(Format::Json),
            "the answer is a page of HTML, and no JSON"
        );
        assert_eq!(
            told(Format::Soap),
            "the answer is a page of HTML, and no SOAP envelope"
        );
        let json = decode(&Shape::new(Format::Json, Path::default()), None, b"<htm");
        assert!(
            json.unwrap_err()
                .to_string()
                .contains("not readable as JSON")
        );
    }

    #[test]
    fn a_body_is_read_in_the_encoding_it_declares() {
        let text = |body, charset| text(body, charset, None).map(Cow::into_owned);
        assert_eq!(text("\u{feff}é".as_bytes(), None).unwrap(), "é");
        assert_eq!(text(b"\xe9", Some("iso-8859-1")).unwrap(), "é");
        let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>";
        assert!(text(latin, None).unwrap().ends_with("<a>é</a>"));
        // RFC 7303: the header goes before the declaration, and a byte-order mark before both.
        assert!(
            text(latin, Some("windows-1251"))
                .unwrap()
                .ends_with("<a>й</a>")
        );
        let marked = "\u{feff}<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>é</a>";
        assert!(
            text(marked.as_bytes(), Some("iso-8859-1"))
                .unwrap()
                .ends_with("<a>é</a>")
        );
        // What reads as ASCII is not UTF-16.
        let wide = "<?xml version=\"1.0\" encoding=\"utf-16\"?><a>é</a>";
        assert!(text(wide.as_bytes(), None).unwrap().ends_with("<a>é</a>"));
        assert!(
            text(wide.as_bytes(), Some("utf-16"))
                .unwrap()
                .ends_with("<a>é</a>")
        );
        assert_eq!(
            text(b"\xff\x00", None).unwrap_err(),
            DecodeError::Encoding("UTF-8")
        );
    }
}
