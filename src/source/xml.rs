//! An XML answer, element by element, to JSON: local names, attributes as `@name`, text beside attributes
//! or children as `#text`, repeated elements as lists, empty elements as null. No document types, no
//! entities of the document's own.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

use super::decode::{DecodeError, Decoded};
use super::path::{Path, Segment};

/// Deeper documents are attacks: dropping a nested value is recursive.
const MAX_DEPTH: usize = 64;

pub(super) fn split(text: &str, records: &Path, soap: bool) -> Result<Decoded, DecodeError> {
    let mut walk = Walk {
        stack: Vec::new(),
        records: Vec::new(),
        found: false,
        root: None,
        soap,
    };
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    loop {
        match reader.read_event().map_err(|error| unreadable(&error))? {
            Event::Start(start) => walk.open(&start, records)?,
            Event::End(_) => walk.close()?,
            Event::Text(content) => walk.text(&content.xml10_content()),
            Event::CData(content) => walk.text(&content.xml10_content()),
            Event::GeneralRef(reference) => {
                if let Some(character) = reference
                    .resolve_char_ref()
                    .map_err(|error| unreadable(&error))?
                {
                    walk.text(character.encode_utf8(&mut [0; 4]));
                } else {
                    let name = reference.xml10_content();
                    let text =
                        quick_xml::escape::resolve_predefined_entity(&name).ok_or_else(|| {
                            DecodeError::Xml("it uses an entity that XML does not know".into())
                        })?;
                    walk.text(text);
                }
            }
            Event::DocType(_) => return Err(DecodeError::Xml("it has a document type".into())),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => {}
        }
    }
    if !walk.stack.is_empty() {
        return Err(DecodeError::Xml("it ends too early".into()));
    }
    let around = match walk.root {
        Some(around) => around,
        // The root itself is the record: nothing stands around it.
        None if !walk.records.is_empty() => Value::Null,
        None => return Err(DecodeError::Xml("it has no element".into())),
    };
    Ok(Decoded {
        around,
        records: walk.records,
        found: walk.found,
        known: Vec::new(),
        broken: None,
    })
}

fn unreadable(error: &quick_xml::Error) -> DecodeError {
    DecodeError::Xml(match error {
        quick_xml::Error::IllFormed(_) => "its elements do not match".into(),
        quick_xml::Error::Syntax(_) => "a syntax error, or it ends too early".into(),
        _ => "a syntax error".into(),
    })
}

/// How an element lies to the path of the records.
#[derive(Clone, Copy)]
enum Way {
    /// On it: so many segments are behind us.
    On(usize),
    /// It is a record.
    Record,
    /// Inside a record, or beside the path.
    Off,
}

struct Open {
    name: String,
    way: Way,
    text: String,
    members: Map<String, Value>,
}

struct Walk {
    stack: Vec<Open>,
    records: Vec<Box<str>>,
    found: bool,
    root: Option<Value>,
    soap: bool,
}

impl Walk {
    fn open(&mut self, start: &BytesStart<'_>, records: &Path) -> Result<(), DecodeError> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(DecodeError::Xml(format!(
                "it is nested deeper than {MAX_DEPTH}"
            )));
        }
        let name = start.local_name().into_inner().to_owned();
        let depth = self.stack.len();
        let way = match (self.soap, depth) {
            (true, 0) if name != "Envelope" => {
                return Err(DecodeError::NoEnvelope(name.chars().take(40).collect()));
            }
            (true, 0) => Way::On(0),
            (true, 1) => {
                if name == "Body" {
                    Way::On(0)
                } else {
                    Way::Off
                }
            }
            // The root of plain XML is the first name of the path.
            _ => self.step(&name, records.segments()),
        };
        // The place is there as soon as the element around the records is.
        if let Way::On(behind) = way
            && behind + 1 >= records.segments().len()
        {
            self.found = true;
        }
        if matches!(way, Way::Record) {
            self.found = true;
        }
        let mut members = Map::new();
        for attribute in start.attributes() {
            let attribute = attribute
                .map_err(|_| DecodeError::Xml("an attribute is not well formed".into()))?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| DecodeError::Xml("an attribute is not well formed".into()))?;
            let name = attribute.key.local_name();
            members.insert(
                format!("@{}", name.into_inner()),
                Value::String(value.into_owned()),
            );
        }
        self.stack.push(Open {
            name,
            way,
            text: String::new(),
            members,
        });
        Ok(())
    }

    fn step(&self, name: &str, path: &[Segment]) -> Way {
        let behind = match self.stack.last() {
            None => 0,
            Some(Open {
                way: Way::On(behind),
                ..
            }) => *behind,
            Some(_) => return Way::Off,
        };
        let fits = match path.get(behind) {
            Some(Segment::Name(wanted)) => wanted == name,
            Some(Segment::Any) => true,
            // Refused for records when the connector is compiled.
            Some(Segment::Deep | Segment::Having { .. }) | None => false,
        };
        match fits {
            true if behind + 1 == path.len() => Way::Record,
            true => Way::On(behind + 1),
            false => Way::Off,
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(open) = self.stack.last_mut() {
            open.text.push_str(text);
        }
    }

    fn close(&mut self) -> Result<(), DecodeError> {
        let open = self
            .stack
            .pop()
            .ok_or_else(|| DecodeError::Xml("its elements do not match".into()))?;
        let Open {
            name,
            way,
            text,
            mut members,
        } = open;
        let text = text.trim();
        let value = match (text.is_empty(), members.is_empty()) {
            (true, true) => Value::Null,
            (false, true) => Value::String(text.to_owned()),
            (true, false) => Value::Object(members),
            (false, false) => {
                members.insert("#text".into(), Value::String(text.to_owned()));
                Value::Object(members)
            }
        };
        if matches!(way, Way::Record) {
            let value = if value.is_null() {
                Value::Object(Map::new())
            } else {
                value
            };
            self.records.push(value.to_string().into_boxed_str());
            return Ok(());
        }
        let Some(parent) = self.stack.last_mut() else {
            let mut root = Map::new();
            // Paths of SOAP begin inside the Body; those of plain XML at the root.
            let value = match value {
                Value::Object(mut envelope) if self.soap => {
                    envelope.remove("Body").unwrap_or_default()
                }
                value => {
                    root.insert(name, value);
                    Value::Object(root)
                }
            };
            self.root = Some(value);
            return Ok(());
        };
        match parent.members.get_mut(&name) {
            None => {
                parent.members.insert(name, value);
            }
            Some(Value::Array(items)) => items.push(value),
            Some(single) => {
                let first = single.take();
                *single = Value::Array(vec![first, value]);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn split_at(path: &str, text: &str, soap: bool) -> Decoded {
        split(text, &Path::parse(path).unwrap(), soap).unwrap()
    }

    fn record(path: &str, text: &str) -> Value {
        serde_json::from_str(&split_at(path, text, false).records[0]).unwrap()
    }

    #[test]
    fn an_element_becomes_an_object_by_local_names() {
        let text = r#"<a xmlns:m="u"><m:R Type="x" m:k="1"><m:N> Ana &amp; <![CDATA[<B>]]>&#233; </m:N>
            <E/><P t="cell">1</P><P t="home"/></m:R></a>"#;
        assert_eq!(
            record("a/R", text),
            json!({"@Type": "x", "@k": "1", "N": "Ana & <B>é", "E": null,
                   "P": [{"@t": "cell", "#text": "1"}, {"@t": "home"}]})
        );
    }

    #[test]
    fn soap_paths_begin_inside_the_body() {
        let text = r#"<s:Envelope xmlns:s="u"><s:Header/><s:Body><XResponse><XResult><L c="1"><I/><I>2</I></L>
            </XResult></XResponse></s:Body></s:Envelope>"#;
        let decoded = split_at("XResponse/XResult/L/I", text, true);
        assert_eq!(decoded.records.len(), 2);
        assert_eq!(
            decoded.around,
            json!({"XResponse": {"XResult": {"L": {"@c": "1"}}}})
        );
        let error = split("<html><body>down</body></html>", &Path::default(), true).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the answer is no SOAP envelope; it begins with <html>"
        );
    }

    #[test]
    fn the_root_itself_may_be_the_record() {
        for path in ["a", "*"] {
            let decoded = split_at(path, "<?xml version=\"1.0\"?><a k=\"1\"/>", false);
            assert_eq!(decoded.records, [r#"{"@k":"1"}"#.into()]);
            assert_eq!(decoded.around, Value::Null);
        }
    }

    #[test]
    fn no_records_are_found_only_where_the_element_around_them_is() {
        assert!(split_at("a/b/c", "<a><b/></a>", false).found);
        assert!(!split_at("a/b/c", "<a><x/></a>", false).found);
        assert!(!split_at("a/b/c", "<a><x><b/></x></a>", false).found);
    }

    #[test]
    fn hostile_documents_end_in_an_error() {
        for text in [
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            "<a>&unknown;</a>",
            "<a><b></a>",
            "<a>",
            "",
            &"<a>".repeat(100_000),
        ] {
            assert!(split(text, &Path::parse("a").unwrap(), false).is_err());
        }
    }
}
