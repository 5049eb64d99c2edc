//! An answer written anew, each of its values as somebody else gives it: names, order, lists and form stay. Decides
//! nothing about values.

use ::csv::{ReaderBuilder, WriterBuilder};
use quick_xml::events::{BytesDecl, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer, XmlVersion};
use serde_json::{Map, Number, Value};

use crate::config::Format;

use super::csv;
use super::decode::{self, Shape};

/// Gives what is written in the place of what stands in an answer.
pub trait Rewrite {
    /// In the place of a value. Its path is the names down to it, as paths of a connector are written: without the
    /// numbers of lists, attributes as `@name`.
    fn value(&mut self, path: &str, text: &str) -> String;

    /// In the place of a name that may be a value itself, as ids are in an object keyed by them.
    fn name(&mut self, name: &str) -> String;
}

/// Writes an answer anew, with no more records than `most`. Comments and the like are left out.
pub fn rewritten(
    shape: &Shape,
    text: &str,
    most: Option<usize>,
    with: &mut dyn Rewrite,
) -> Result<String, String> {
    let mut writing = Writing {
        shape,
        records: shape.records.to_string(),
        inner: shape.inner.as_ref().map(|(_, path)| path.to_string()),
        left: most.unwrap_or(usize::MAX),
        with,
    };
    let written = writing.format(shape.format, text)?;
    // It is written in UTF-8, whatever it was and says of itself.
    let is_read_so = decode::text(written.as_bytes(), None, shape.encoding);
    Ok(match is_read_so {
        Ok(read) if read == written => written,
        _ => format!("\u{feff}{written}"),
    })
}

struct Writing<'a> {
    shape: &'a Shape,
    records: String,
    inner: Option<String>,
    /// So many records may still come.
    left: usize,
    with: &'a mut dyn Rewrite,
}

impl Writing<'_> {
    fn format(&mut self, format: Format, text: &str) -> Result<String, String> {
        match format {
            Format::Json => {
                let value = serde_json::from_str(text)
                    .map_err(|_| "the answer is not readable as JSON".to_owned())?;
                let value = self.json("", value)?;
                Ok(format!("{value:#}\n"))
            }
            Format::Xml => self.xml(text, 0),
            // Paths of SOAP begin inside the Body.
            Format::Soap => self.xml(text, 2),
            Format::Csv => self.csv(text),
        }
    }

    /// A text of the answer: a value, or an answer of its own.
    fn text(&mut self, path: &str, text: &str) -> Result<String, String> {
        if self.inner.as_deref() == Some(path)
            && let Some((format, _)) = &self.shape.inner
            && !text.trim().is_empty()
        {
            let format = *format;
            self.inner = None;
            return self.format(format, text.trim_start_matches('\u{feff}'));
        }
        Ok(self.with.value(path, text))
    }

    fn json(&mut self, path: &str, value: Value) -> Result<Value, String> {
        let are_records = self.inner.is_none() && fits(&self.records, path);
        Ok(match value {
            Value::String(text) => Value::String(self.text(path, &text)?),
            Value::Number(number) => {
                let text = self.with.value(path, &number.to_string());
                match serde_json::from_str::<Number>(&text) {
                    Ok(number) => Value::Number(number),
                    Err(_) => Value::String(text),
                }
            }
            Value::Array(mut items) => {
                if are_records {
                    items.truncate(self.left);
                    self.left -= items.len();
                }
                let items = items.into_iter().map(|item| self.json(path, item));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Value::Object(members) => {
                let mut written = Map::new();
                for (name, value) in members {
                    let below = below(path, &name);
                    let name = self.with.name(&name);
                    written.insert(name, self.json(&below, value)?);
                }
                Value::Object(written)
            }
            value => value,
        })
    }

    fn csv(&mut self, text: &str) -> Result<String, String> {
        let unreadable = |_| "the answer is not readable as CSV".to_owned();
        let (delimiter, quote) = (self.shape.delimiter, self.shape.quote);
        let parts = csv::parts(text, self.shape).map_err(|error| error.to_string())?;
        let rows = text.get(parts.rows).unwrap_or_default();
        let mut reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .quote(quote)
            .from_reader(rows.as_bytes());
        // What stands around the rows may be about anybody.
        let mut writer = WriterBuilder::new()
            .delimiter(delimiter)
            .quote(quote)
            .from_writer("\n".repeat(self.shape.skip).into_bytes());
        let mut count = 0;
        let header = reader.headers().map_err(unreadable)?.clone();
        writer.write_record(&header).map_err(unreadable)?;
        for row in reader.records().take(self.left) {
            let row = row.map_err(unreadable)?;
            count += 1;
            let fields = header.iter().zip(&row);
            let fields = fields.map(|(name, field)| self.with.value(name.trim(), field));
            writer
                .write_record(fields.collect::<Vec<_>>())
                .map_err(unreadable)?;
        }
        let mut bytes = writer.into_inner().map_err(|_| "cannot write CSV")?;
        if let Some(footer) = &self.shape.footer {
            bytes.extend(format!("{} {count}\n", footer.begins).into_bytes());
        }
        String::from_utf8(bytes).map_err(|_| "cannot write CSV".to_owned())
    }

    fn xml(&mut self, text: &str, outside: usize) -> Result<String, String> {
        let unreadable = |_| "the answer is not readable as XML".to_owned();
        let mut reader = Reader::from_str(text);
        let mut writer = Writer::new(Vec::new());
        let mut names: Vec<String> = Vec::new();
        let mut pending = String::new();
        // How deep a record stands that is left out.
        let mut skipped: Option<usize> = None;
        loop {
            let event = reader.read_event().map_err(unreadable)?;
            let is_text = matches!(
                event,
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_)
            );
            if !is_text && !pending.is_empty() {
                let path = path_of(&names, outside);
                let told = if pending.trim().is_empty() {
                    std::mem::take(&mut pending)
                } else {
                    self.text(&path, &std::mem::take(&mut pending))?
                };
                write(&mut writer, Event::Text(BytesText::new(&told)))?;
            }
            match event {
                Event::Start(start) => {
                    names.push(start.local_name().into_inner().to_owned());
                    if skipped.is_none() && !self.is_wanted(&path_of(&names, outside)) {
                        skipped = Some(names.len());
                    }
                    if skipped.is_none() {
                        let start = self.start(&start, &path_of(&names, outside))?;
                        write(&mut writer, Event::Start(start))?;
                    }
                }
                Event::Empty(start) => {
                    names.push(start.local_name().into_inner().to_owned());
                    let path = path_of(&names, outside);
                    if skipped.is_none() && self.is_wanted(&path) {
                        let start = self.start(&start, &path)?;
                        write(&mut writer, Event::Empty(start))?;
                    }
                    names.pop();
                }
                Event::End(end) => {
                    match skipped {
                        None => write(&mut writer, Event::End(end))?,
                        Some(depth) if depth == names.len() => skipped = None,
                        Some(_) => {}
                    }
                    names.pop();
                }
                _ if skipped.is_some() && is_text => {}
                Event::Text(content) => pending.push_str(&content.xml10_content()),
                Event::CData(content) => pending.push_str(&content.xml10_content()),
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref().map_err(unreadable)?;
                    let name = reference.xml10_content();
                    match (
                        character,
                        quick_xml::escape::resolve_predefined_entity(&name),
                    ) {
                        (Some(character), _) => pending.push(character),
                        (None, Some(text)) => pending.push_str(text),
                        (None, None) => return Err("it uses an entity of its own".to_owned()),
                    }
                }
                Event::Decl(_) => {
                    let declaration = BytesDecl::new("1.0", Some("utf-8"), None);
                    write(&mut writer, Event::Decl(declaration))?;
                }
                Event::DocType(_) => return Err("it has a document type".to_owned()),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
        }
        let text = String::from_utf8(writer.into_inner());
        text.map_err(|_| "cannot write XML".to_owned())
    }

    /// Whether an element is to be written: all but records beyond those that may come.
    fn is_wanted(&mut self, path: &str) -> bool {
        if self.inner.is_some() || !fits(&self.records, path) {
            return true;
        }
        let wanted = self.left > 0;
        self.left = self.left.saturating_sub(1);
        wanted
    }

    fn start(&mut self, start: &BytesStart<'_>, path: &str) -> Result<BytesStart<'static>, String> {
        let mut written = BytesStart::new(start.name().into_inner().to_owned());
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| "an attribute is not well formed".to_owned())?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| "an attribute is not well formed".to_owned())?;
            let name = attribute.key.into_inner();
            // Names of schemas say nothing about anybody.
            let value = if attribute.key.as_namespace_binding().is_some() || name.contains(':') {
                value.into_owned()
            } else {
                let below = below(
                    path,
                    &format!("@{}", attribute.key.local_name().into_inner()),
                );
                self.with.value(&below, &value)
            };
            written.push_attribute((name, value.as_str()));
        }
        Ok(written)
    }
}

fn write(writer: &mut Writer<Vec<u8>>, event: Event<'_>) -> Result<(), String> {
    writer
        .write_event(event)
        .map_err(|_| "cannot write XML".to_owned())
}

fn path_of(names: &[String], outside: usize) -> String {
    names.get(outside..).unwrap_or_default().join("/")
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}/{name}")
    }
}

/// Whether a path is the one of the records, which may have `*` in it.
fn fits(records: &str, path: &str) -> bool {
    let (mut wanted, mut names) = (records.split('/'), path.split('/'));
    loop {
        match (wanted.next(), names.next()) {
            (None, None) => return true,
            (Some(wanted), Some(name)) if wanted == "*" || wanted == name => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Path;
    use super::*;

    /// Marks what it is given.
    struct Mark(Vec<String>);

    impl Rewrite for Mark {
        fn value(&mut self, path: &str, text: &str) -> String {
            self.0.push(path.to_owned());
            if text.parse::<i64>().is_ok() {
                return format!("9{text}");
            }
            format!("<{text}>")
        }

        fn name(&mut self, name: &str) -> String {
            name.to_owned()
        }
    }

    fn shape(format: Format, records: &str) -> Shape {
        Shape::new(format, Path::parse(records).unwrap())
    }

    fn write(shape: &Shape, text: &str, most: Option<usize>) -> (String, Vec<String>) {
        let mut mark = Mark(Vec::new());
        let text = rewritten(shape, text, most, &mut mark).unwrap();
        (text, mark.0)
    }

    #[test]
    fn json_keeps_its_order_and_numbers_stay_numbers() {
        let text = r#"{"b": {"x": [1, "a", null, true]}, "a": ""}"#;
        let (written, paths) = write(&shape(Format::Json, "b/x"), text, None);
        let compact: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(
            compact.to_string(),
            r#"{"b":{"x":[91,"<a>",null,true]},"a":"<>"}"#
        );
        assert_eq!(paths, ["b/x", "b/x", "a"]);
        let (written, _) = write(&shape(Format::Json, "b/x"), text, Some(1));
        assert!(
            written.contains("91") && !written.contains("null"),
            "{written}"
        );
    }

    #[test]
    fn xml_keeps_its_namespaces_and_attributes_and_loses_its_comments() {
        let text = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><s:E xmlns:s=\"u\"><s:Body><!-- Ana --><R k=\"a&amp;b\">\
                    \n <N>O&#39;Hara</N><N><![CDATA[x<y]]></N><E/></R><R/></s:Body></s:E>";
        let (written, paths) = write(&shape(Format::Soap, "R"), text, Some(1));
        assert_eq!(
            written,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:E xmlns:s=\"u\"><s:Body><R k=\"&lt;a&amp;b&gt;\">\
             \n <N>&lt;O&apos;Hara&gt;</N><N>&lt;x&lt;y&gt;</N><E/></R></s:Body></s:E>"
        );
        assert_eq!(paths, ["R/@k", "R/N", "R/N"]);
    }

    #[test]
    fn an_answer_inside_an_answer_and_csv_are_written_anew() {
        let inside = shape(Format::Xml, "L/P").inside(Format::Xml, Path::parse("R/T").unwrap());
        let text = "<R><T>&lt;L&gt;&lt;P&gt;a&lt;/P&gt;&lt;P&gt;b&lt;/P&gt;&lt;/L&gt;</T></R>";
        let (written, paths) = write(&inside, text, Some(1));
        assert_eq!(paths, ["L/P"]);
        assert!(written.contains("&amp;lt;a&amp;gt;"), "{written}");
        let (written, paths) = write(
            &shape(Format::Csv, ""),
            "Id,Name\n7,\"A, B\"\n8,C\n",
            Some(1),
        );
        assert_eq!(written, "Id,Name\n97,\"<A, B>\"\n");
        assert_eq!(paths, ["Id", "Name"]);
    }

    #[test]
    fn what_cannot_be_read_is_not_written() {
        let mut mark = Mark(Vec::new());
        for (format, text) in [
            (Format::Json, "{"),
            (Format::Xml, "<a><b></a>"),
            (Format::Xml, "<!DOCTYPE a><a/>"),
        ] {
            assert!(rewritten(&shape(format, "a"), text, None, &mut mark).is_err());
        }
    }
}
