//! Bytes of an answer to records and what stands around them. Judges nothing.

use encoding_rs::{Encoding, UTF_8};
use serde_json::Value;

use crate::config::Format;

use super::{Path, json, xml};

/// An answer taken apart.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The answer without its records.
    pub(super) around: Value,
    /// The records, as JSON texts.
    pub(super) records: Vec<Box<str>>,
    /// Whether the place was there where the records stand, be it empty.
    pub(super) found: bool,
}

/// Bytes that are not what the connector says they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DecodeError {
    /// Not in the encoding that it declares.
    #[error("the answer is not valid {0}")]
    Encoding(&'static str),
    /// Not JSON.
    #[error("the answer is not readable as JSON: {0}")]
    Json(String),
    /// Not XML, or XML with a document type, or too deep.
    #[error("the answer is not readable as XML: {0}")]
    Xml(String),
    /// XML, but no SOAP envelope.
    #[error("the answer is no SOAP envelope; it begins with <{0}>")]
    NoEnvelope(String),
}

/// Takes an answer apart.
pub(super) fn decode(
    format: Format,
    records: &Path,
    charset: Option<&str>,
    body: &[u8],
) -> Result<Decoded, DecodeError> {
    let text = text(body, charset)?;
    match format {
        Format::Json => json::split(&text, records),
        Format::Xml => xml::split(&text, records, false),
        Format::Soap => xml::split(&text, records, true),
    }
}

/// The body as text: by its byte-order mark, by its XML declaration, by the header, else UTF-8.
pub(super) fn text<'a>(
    body: &'a [u8],
    charset: Option<&str>,
) -> Result<std::borrow::Cow<'a, str>, DecodeError> {
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
    let encoding = Encoding::for_bom(body)
        .map(|(encoding, _)| encoding)
        .or_else(|| declared().and_then(|label| Encoding::for_label(label.as_bytes())))
        .or_else(|| charset.and_then(|label| Encoding::for_label(label.as_bytes())))
        .unwrap_or(UTF_8);
    let (text, broken) = encoding.decode_with_bom_removal(body);
    if broken {
        Err(DecodeError::Encoding(encoding.name()))
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_in_the_encoding_it_declares() {
        assert_eq!(text("\u{feff}é".as_bytes(), None).unwrap(), "é");
        assert_eq!(text(b"\xe9", Some("iso-8859-1")).unwrap(), "é");
        let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>";
        assert!(text(latin, None).unwrap().ends_with("<a>é</a>"));
        assert_eq!(
            text(b"\xff\x00", None).unwrap_err(),
            DecodeError::Encoding("UTF-8")
        );
    }
}
