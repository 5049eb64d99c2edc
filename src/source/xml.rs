//! An XML answer, element by element, to JSON: local names, attributes as `@name`, or `@prefix:name` where another one of the
//! element has that name, text beside attributes or children as `#text`, repeated elements as lists, empty elements as null. No document types, no
//! entities of the document's own.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value};

use super::decode::{DecodeError, Decoded};
use super::path::{Path, Segment};
use super::position::Position;
use super::trouble::tells_an_error;

/// Deeper documents are attacks: dropping a nested value is recursive.
const MAX_DEPTH: usize = 64;

pub(super) fn split(text: &str, records: &Path, soap: bool) -> Result<Decoded, DecodeError> {
    let mut walk = Walk {
        stack: Vec::new(),
        records: Vec::new(),
        found: false,
        refused: false,
        root: None,
        ended: false,
        soap,
    };
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    loop {
        let begin = reader.buffer_position();
        let event = match reader.read_event() {
            Ok(Event::Eof) => break,
            Ok(event) => event,
            Err(error) => return Err(at(text, reader.error_position(), unreadable(&error))),
        };
        walk.take(event, records)
            .map_err(|error| at(text, begin, error))?;
    }
    if !walk.stack.is_empty() {
        let end = text.len() as u64;
        return Err(at(text, end, DecodeError::Xml("it ends too early".into())));
    }
    let around = match walk.root {
        Some(around) => around,
        // The root itself is the record: nothing stands around it.
        None if !walk.records.is_empty() => Value::Null,
        None => return Err(DecodeError::Xml("it has no element".into())),
    };
    let is_refused = walk.refused && walk.records.is_empty();
    Ok(Decoded {
        around,
        records: walk.records,
        found: walk.found && !is_refused,
        known: Vec::new(),
        broken: None,
    })
}

/// The same error, with its place.
fn at(text: &str, byte: u64, error: DecodeError) -> DecodeError {
    match error {
        DecodeError::Xml(what) => {
            let position = Position::of(text, usize::try_from(byte).unwrap_or(usize::MAX));
            DecodeError::Xml(format!("{what} in {position}"))
        }
        other => other,
    }
}

fn unreadable(error: &quick_xml::Error) -> DecodeError {
    DecodeError::Xml(match error {
        quick_xml::Error::IllFormed(_) => "its elements do not match".into(),
        quick_xml::Error::Syntax(_) => "a syntax error, or it ends too early".into(),
        quick_xml::Error::Escape(_) => "a reference to a character that XML does not know".into(),
        _ => "a syntax error".into(),
    })
}

/// Whether a reference, without `&` and `;`, is one to the character NUL. XML has none; .NET writes it all the same.
fn is_nul(reference: &str) -> bool {
    let digits = reference.strip_prefix('#').map(|number| {
        number
            .strip_prefix(['x', 'X'])
            .unwrap_or(number)
            .trim_start_matches('0')
    });
    digits == Some("") && reference.ends_with('0')
}

/// A text with references, each to NUL replaced by a blank.
fn without_nul(text: &str) -> Option<String> {
    if !text.contains("&#") {
        return None;
    }
    let mut parts = text.split('&');
    let mut clean = parts.next()?.to_owned();
    for part in parts {
        match part.split_once(';') {
            Some((reference, rest)) if is_nul(reference) => {
                clean.push(' ');
                clean.push_str(rest);
            }
            _ => {
                clean.push('&');
                clean.push_str(part);
            }
        }
    }
    Some(clean)
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
    /// Records stand right in it.
    holds: bool,
    text: String,
    members: Map<String, Value>,
}

struct Walk {
    stack: Vec<Open>,
    records: Vec<Box<str>>,
    found: bool,
    /// Where records would stand there is a text, or an error.
    refused: bool,
    root: Option<Value>,
    /// The root is behind us.
    ended: bool,
    soap: bool,
}

impl Walk {
    fn take(&mut self, event: Event<'_>, records: &Path) -> Result<(), DecodeError> {
        match event {
            Event::Start(start) => self.open(&start, records)?,
            Event::End(_) => self.close()?,
            Event::Text(content) => self.text(&content.xml10_content()),
            Event::CData(content) => self.text(&content.xml10_content()),
            // A blank: at the end of a padded text it is nothing, and inside a name or an email it joins nothing.
            Event::GeneralRef(reference) if is_nul(&reference) => self.text(" "),
            Event::GeneralRef(reference) => {
                if let Some(character) = reference
                    .resolve_char_ref()
                    .map_err(|error| unreadable(&error))?
                {
                    self.text(character.encode_utf8(&mut [0; 4]));
                } else {
                    let name = reference.xml10_content();
                    let text =
                        quick_xml::escape::resolve_predefined_entity(&name).ok_or_else(|| {
                            DecodeError::Xml("it uses an entity that XML does not know".into())
                        })?;
                    self.text(text);
                }
            }
            Event::DocType(_) => return Err(DecodeError::Xml("it has a document type".into())),
            Event::Eof | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => {}
        }
        Ok(())
    }

    fn open(&mut self, start: &BytesStart<'_>, records: &Path) -> Result<(), DecodeError> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(DecodeError::Xml(format!(
                "it is nested deeper than {MAX_DEPTH}"
            )));
        }
        let name = start.local_name().into_inner().to_owned();
        let depth = self.stack.len();
        if depth == 0 && self.ended {
            // Read as one they would be an answer that nobody gave.
            let name: String = name.chars().take(40).collect();
            return Err(DecodeError::Xml(format!(
                "a second document begins behind the first, with <{name}>,"
            )));
        }
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
        let is_place = matches!(way, Way::On(behind) if behind + 1 >= records.segments().len());
        self.found |= is_place;
        if matches!(way, Way::Record) {
            self.found = true;
        }
        let mut members = Map::new();
        let mut prefixed = Vec::new();
        for attribute in start.attributes() {
            let mut attribute = attribute
                .map_err(|_| DecodeError::Xml("an attribute is not well formed".into()))?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            if let Some(clean) = without_nul(&attribute.value) {
                attribute.value = clean.into();
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| DecodeError::Xml("an attribute is not well formed".into()))?;
            let name = format!("@{}", attribute.key.local_name().into_inner());
            let value = Value::String(value.into_owned());
            match attribute.key.prefix() {
                None => {
                    members.insert(name, value);
                }
                Some(prefix) => prefixed.push((name, prefix.into_inner().to_owned(), value)),
            }
        }
        // `type` and `xsi:type` are two attributes: the plain name is that of the one without a prefix, or of one alone.
        let count = |wanted: &str| prefixed.iter().filter(|(name, ..)| name == wanted).count();
        let alone: Vec<bool> = prefixed
            .iter()
            .map(|(name, ..)| count(name) == 1 && !members.contains_key(name))
            .collect();
        for ((name, prefix, value), alone) in prefixed.into_iter().zip(alone) {
            let name = match name.strip_prefix('@') {
                Some(local) if !alone => format!("@{prefix}:{local}"),
                _ => name,
            };
            members.insert(name, value);
        }
        self.stack.push(Open {
            name,
            way,
            holds: is_place && !(self.soap && depth == 0),
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
            holds,
            text,
            mut members,
        } = open;
        self.ended = self.stack.is_empty();
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
        self.refused |= holds && (!text.is_empty() || tells_an_error(&value));
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
    fn attributes_of_one_local_name_do_not_take_each_other_s_place() {
        for (attributes, wanted) in [
            (r#"id="1" x:id="9""#, json!({"@id": "1", "@x:id": "9"})),
            (r#"x:id="9" id="1""#, json!({"@id": "1", "@x:id": "9"})),
            (
                r#"a:id="1" b:id="2" n="3""#,
                json!({"@a:id": "1", "@b:id": "2", "@n": "3"}),
            ),
            (
                r#"xsi:type="T" y:id="1""#,
                json!({"@type": "T", "@id": "1"}),
            ),
        ] {
            let text = format!("<r><t {attributes}/></r>");
            let decoded = split_at("r/t", &text, false);
            let record: Value = serde_json::from_str(&decoded.records[0]).unwrap();
            assert_eq!(record, wanted, "{attributes}");
        }
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
    fn a_text_or_an_error_in_the_place_of_the_list_is_no_empty_list() {
        let found = |list: &str| split_at("Resp/People/Person", list, false).found;
        for refused in [
            "<Resp><People>Timeout</People></Resp>",
            "<Resp><People><![CDATA[No access]]></People></Resp>",
            "<Resp><People><Error>Timeout</Error></People></Resp>",
            "<Resp><People><Errors><Error code='5'/></Errors></People></Resp>",
            "<Resp><People error='x'/></Resp>",
        ] {
            assert!(!found(refused), "{refused}");
        }
        for empty in [
            "<Resp><People/></Resp>",
            "<Resp><People> \n <!-- nobody --> </People></Resp>",
            "<Resp><People xmlns='u' xmlns:x='v' x:nil='true'/></Resp>",
            "<Resp><People xmlns:x='v' x:type='e:Array' x:arrayType='Person[0]' count='0'/></Resp>",
            "<Resp><People NextPageLink='' property='12'><Count>0</Count></People></Resp>",
            "<Resp><People errors='0'><Errors/><ErrorCode>0</ErrorCode></People></Resp>",
            "<Resp><People><Person/><Error>Timeout</Error></People></Resp>",
        ] {
            assert!(found(empty), "{empty}");
        }
        let soap = |list: &str| {
            let text = format!("<s:Envelope xmlns:s='u'> <s:Body> {list} </s:Body></s:Envelope>");
            split_at("L/P", &text, true).found
        };
        assert!(soap("<L/>") && !soap("<L>Timeout</L>"));
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

    #[test]
    fn two_documents_one_behind_the_other_are_none() {
        let envelope = "<s:Envelope xmlns:s=\"u\"><s:Body><L><I>1</I></L></s:Body></s:Envelope>";
        let path = Path::parse("L/I").unwrap();
        assert_eq!(split(envelope, &path, true).unwrap().records.len(), 1);
        let error = split(&format!("{envelope}\n{envelope}"), &path, true).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the answer is not readable as XML: a second document begins behind the first, with <Envelope>, in line 2, column 1"
        );
        assert!(split("<a/><!-- b --><?c?>\n", &path, false).is_ok());
        for two in ["<a/><b/>", "<I/><I/>"] {
            assert!(split(two, &Path::parse("I").unwrap(), false).is_err());
        }
    }

    #[test]
    fn a_nul_is_a_blank_and_another_wrong_reference_is_told_with_its_place() {
        let text = "<a><R k=\"x&#0;&#x41;\"><N>Ana&#0;&#x00;</N><E>ana&#000;b@c.de</E></R></a>";
        assert_eq!(
            record("a/R", text),
            json!({"@k": "x A", "N": "Ana", "E": "ana b@c.de"})
        );
        for (text, told) in [
            (
                "<a>\n <b>é&#xD800;</b></a>",
                "a reference to a character that XML does not know in line 2, column 6",
            ),
            (
                "<a>\n <b>é</c></a>",
                "its elements do not match in line 2, column 6",
            ),
            (
                "<a>\n&b;</a>",
                "it uses an entity that XML does not know in line 2, column 1",
            ),
            ("<a>\n<b>", "it ends too early in line 2, column 4"),
        ] {
            let error = split(text, &Path::default(), false).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the answer is not readable as XML: {told}")
            );
        }
    }
}
