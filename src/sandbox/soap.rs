//! SOAP 1.1 and 1.2 as ASP.NET speaks it: reads a call, wraps an answer, words a fault. It knows no
//! operation.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use quick_xml::NsReader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;

use super::serve::{Asked, Reply};

const ENVELOPE_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const ENVELOPE_12: &str = "http://www.w3.org/2003/05/soap-envelope";

/// The two versions of SOAP; an answer is in that of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V11,
    V12,
}

impl Version {
    /// The version a request says it is in, by its content type.
    pub(super) fn of(asked: &Asked) -> Option<Version> {
        let kind = asked
            .header("content-type")?
            .split(';')
            .next()?
            .trim()
            .to_lowercase();
        match kind.as_str() {
            "text/xml" => Some(Self::V11),
            "application/soap+xml" => Some(Self::V12),
            _ => None,
        }
    }

    fn envelope(self) -> &'static str {
        if self == Self::V11 {
            ENVELOPE_11
        } else {
            ENVELOPE_12
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::V11 => "text/xml; charset=utf-8",
            Self::V12 => "application/soap+xml; charset=utf-8",
        }
    }

    /// An answer around `content`, which is XML already.
    pub(super) fn envelop(self, status: u16, content: &str) -> Reply {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
             <soap:Envelope xmlns:soap=\"{}\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
             xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">\
             <soap:Body>{content}</soap:Body></soap:Envelope>",
            self.envelope()
        );
        Reply::new(status, self.content_type(), body)
    }

    /// A fault, by the caller or by the server.
    pub(super) fn fault(self, by_caller: bool, text: &str) -> Reply {
        let text = escape(text);
        let content = match (self, by_caller) {
            (Self::V11, _) => {
                let code = if by_caller { "Client" } else { "Server" };
                format!(
                    "<soap:Fault><faultcode>soap:{code}</faultcode>\
                     <faultstring>{text}</faultstring><detail /></soap:Fault>"
                )
            }
            (Self::V12, _) => {
                let code = if by_caller { "Sender" } else { "Receiver" };
                format!(
                    "<soap:Fault><soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code>\
                     <soap:Reason><soap:Text xml:lang=\"en\">{text}</soap:Text></soap:Reason>\
                     <soap:Detail /></soap:Fault>"
                )
            }
        };
        self.envelop(500, &content)
    }
}

/// The action a request names: the header of SOAP 1.1, the parameter of SOAP 1.2.
pub(super) fn action(asked: &Asked) -> Option<&str> {
    let named = asked.header("soapaction").or_else(|| {
        let parameters = asked.header("content-type")?.split(';').skip(1);
        parameters
            .filter_map(|one| one.trim().split_once('='))
            .find_map(|(name, value)| {
                name.trim()
                    .eq_ignore_ascii_case("action")
                    .then_some(value.trim())
            })
    })?;
    Some(named.trim().trim_matches('"'))
}

/// A call: the operation and its parameters, by local name; one inside another is `outer/inner`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) envelope: String,
    pub(super) namespace: String,
    pub(super) operation: String,
    pub(super) fields: BTreeMap<String, String>,
}

impl Call {
    /// Reads an envelope; none if it is not well-formed or holds no operation.
    pub(super) fn read(xml: &str) -> Option<Call> {
        let mut reader = NsReader::from_str(xml.trim_start_matches('\u{feff}'));
        let mut call = Call::default();
        let mut path: Vec<String> = Vec::new();
        loop {
            match reader.read_resolved_event().ok()? {
                (namespace, Event::Start(tag)) => {
                    let name = tag.local_name().as_ref().to_owned();
                    call.open(&path, &name, &namespace);
                    path.push(name);
                }
                (namespace, Event::Empty(tag)) => {
                    call.open(&path, tag.local_name().as_ref(), &namespace);
                }
                (_, Event::End(_)) => drop(path.pop()),
                (_, Event::Text(text)) => call.text(&path, &text),
                (_, Event::CData(text)) => call.text(&path, &text),
                (_, Event::GeneralRef(name)) => match name.resolve_char_ref().ok()? {
                    Some(sign) => call.text(&path, sign.encode_utf8(&mut [0; 4])),
                    None => call.text(&path, resolve_predefined_entity(&name)?),
                },
                (_, Event::Eof) => break,
                _ => {}
            }
        }
        (path.is_empty() && !call.operation.is_empty()).then_some(call)
    }

    fn open(&mut self, path: &[String], name: &str, namespace: &ResolveResult) {
        let bound = match namespace {
            ResolveResult::Bound(namespace) => namespace.0.to_owned(),
            _ => String::new(),
        };
        match path {
            [] => self.envelope = bound,
            [_, body] if body == "Body" => {
                name.clone_into(&mut self.operation);
                self.namespace = bound;
            }
            [_, body, _, outer @ ..] if body == "Body" => {
                let mut key = outer.to_vec();
                key.push(name.to_owned());
                self.fields.entry(key.join("/")).or_default();
            }
            _ => {}
        }
    }

    fn text(&mut self, path: &[String], text: &str) {
        if let [_, _, _, names @ ..] = path
            && let Some(value) = self.fields.get_mut(&names.join("/"))
        {
            value.push_str(text);
        }
    }

    /// Whether the envelope is of this version.
    pub(super) fn is(&self, version: Version) -> bool {
        self.envelope == version.envelope()
    }

    /// A parameter; missing and empty are the same.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .get(name)
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
    }
}

/// Text as it may stand in XML.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    quick_xml::escape::escape(text)
}

/// Appends an element with text, or an empty one.
pub(super) fn element(out: &mut String, name: &str, text: &str) {
    if text.is_empty() {
        // Writing into a string cannot fail.
        let _ = write!(out, "<{name}/>");
    } else {
        let _ = write!(out, "<{name}>{}</{name}>", escape(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_by_local_name_in_any_order_and_unescaped() {
        let call = Call::read(
            "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Header/><e:Body>\
             <x:Op xmlns:x='urn:y'><x:B>1</x:B><x:A>p&amp;q&lt;&#33;<![CDATA[<&]]></x:A><x:C/></x:Op>\
             </e:Body></e:Envelope>",
        )
        .unwrap();
        assert_eq!(
            (call.operation.as_str(), call.namespace.as_str()),
            ("Op", "urn:y")
        );
        assert_eq!(call.field("A"), Some("p&q<!<&"));
        assert_eq!(call.field("B"), Some("1"));
        assert_eq!(call.field("C"), None);
        assert!(call.is(Version::V11) && !call.is(Version::V12));
    }

    #[test]
    fn xml_that_is_not_well_formed_is_no_call() {
        assert_eq!(
            Call::read("<Envelope><Body><Op>a&b</Op></Body></Envelope>"),
            None
        );
        assert_eq!(Call::read("<Envelope><Body><Op>"), None);
        assert_eq!(Call::read("hello"), None);
    }
}
