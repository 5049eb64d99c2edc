//! A JSON answer, split into its records where most of them are known: a known one is compared, and not read. What
//! cannot be split so is left to [`json::split`](super::json::split), which also says what is wrong.

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::decode::Decoded;
use super::json;
use super::known::{Known, Same};
use super::path::{Path, Segment};
use crate::model::Printer;

/// Splits an answer whose records are a list, or gives it back untouched. Texts of known records are left out, unless
/// `keeps` them.
pub(super) fn split(
    text: &str,
    records: &Path,
    known: &Known,
    printer: Printer,
    keeps: bool,
) -> Option<Decoded> {
    let begin = list(text, records.segments())?;
    let (mut texts, mut places) = (Vec::new(), Vec::new());
    let mut at = spaces(text, begin + 1);
    while text.as_bytes().get(at) != Some(&b']') {
        let rest = text.get(at..)?;
        let (record, place, length) = match known.begins(printer, rest) {
            Some((place, length)) => (rest.get(..length)?, Some(place), length),
            None => other(rest, known, printer)?,
        };
        let leaves_out = place.is_some() && !keeps;
        texts.push(if leaves_out {
            Box::default()
        } else {
            record.into()
        });
        places.push(place);
        at = spaces(text, at + length);
        match text.as_bytes().get(at)? {
            b',' => {
                at = spaces(text, at + 1);
                if text.as_bytes().get(at) == Some(&b']') {
                    return None;
                }
            }
            b']' => {}
            _ => return None,
        }
    }
    // What stands around the records is read as ever, with none between.
    let around = [text.get(..=begin)?, text.get(at..)?].concat();
    let decoded = json::split(&around, records).ok()?;
    (decoded.found && decoded.records.is_empty()).then_some(Decoded {
        records: texts,
        known: places,
        ..decoded
    })
}

/// A record that is not the one expected: it may be known from elsewhere.
fn other<'a>(
    rest: &'a str,
    known: &Known,
    printer: Printer,
) -> Option<(&'a str, Option<Same>, usize)> {
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
    let record = values.next()?.ok()?.get();
    let length = values.byte_offset();
    if let Some(place) = known.find(printer, record) {
        return Some((record, Some(place), length));
    }
    known.skip();
    Some((record, None, length))
}

/// Where the list begins to which a path of names leads.
fn list(text: &str, path: &[Segment]) -> Option<usize> {
    let mut at = spaces(text, 0);
    for segment in path {
        let Segment::Name(name) = segment else {
            return None;
        };
        at = member(text, at, name)?;
    }
    (text.as_bytes().get(at) == Some(&b'[')).then_some(at)
}

/// Where the value of a member begins, of the object that begins at `at`.
fn member(text: &str, at: usize, name: &str) -> Option<usize> {
    let is = |at: usize, byte: u8| text.as_bytes().get(at) == Some(&byte);
    if !is(at, b'{') {
        return None;
    }
    let mut at = spaces(text, at + 1);
    loop {
        let mut keys = serde_json::Deserializer::from_str(text.get(at..)?).into_iter::<String>();
        let key = keys.next()?.ok()?;
        at = spaces(text, at + keys.byte_offset());
        if !is(at, b':') {
            return None;
        }
        at = spaces(text, at + 1);
        if key == name {
            return Some(at);
        }
        let rest = text.get(at..)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        at = spaces(text, at + values.byte_offset());
        if !is(at, b',') {
            return None;
        }
        at = spaces(text, at + 1);
    }
}

/// The next place that is no white space.
fn spaces(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    let spaces = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
    at + spaces.count()
}

#[cfg(test)]
mod tests {
    use crate::testing::searching;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// What a reading with `known` records says, told as one without them would.
    fn told(text: &str, path: &str, seen: &[String]) -> Option<(Value, Vec<String>, bool)> {
        let printer = Printer::new(7, "residents", "p1");
        let records = seen.iter().map(|text| {
            let length = u32::try_from(text.len()).unwrap();
            (printer.print(text), length)
        });
        let known = Known::new(7, records.collect());
        let path = Path::parse(path).unwrap();
        let whole = split(text, &path, &known, printer, true)?;
        let decoded = split(text, &path, &known, printer, false)?;
        let texts = decoded.records.iter().zip(&decoded.known);
        let texts = texts.map(|(text, place)| match place {
            Some(place) => seen[place.place].clone(),
            None => text.to_string(),
        });
        let texts: Vec<String> = texts.collect();
        assert!(whole.records.iter().map(AsRef::as_ref).eq(&texts));
        Some((decoded.around, texts, decoded.found))
    }

    fn plainly(text: &str, path: &str) -> Option<(Value, Vec<String>, bool)> {
        let decoded = json::split(text, &Path::parse(path).unwrap()).ok()?;
        let texts = decoded.records.iter().map(ToString::to_string);
        Some((decoded.around, texts.collect(), decoded.found))
    }

    proptest! {
        #![proptest_config(searching(256))]

        #[test]
        fn what_is_skimmed_is_what_would_be_read(
            sent in prop::collection::vec((0..12_u32, 0..3_usize), 0..12),
            seen in prop::collection::vec(0..12_u32, 0..12),
            (form, cut, tail) in (0..6_usize, 0..400_usize, 0..3_usize),
        ) {
            let record = |n: u32| format!("{{\"id\": {n}, \"name\": \"A{}[{{\\\"\", \"n\":{n}}}", "é".repeat(n as usize));
            let seen: Vec<String> = seen.into_iter().map(record).collect();
            let mut list = String::new();
            for (place, (n, space)) in sent.iter().enumerate() {
                let space = " \n".repeat(*space);
                let comma = if place == 0 { "" } else { "," };
                list += &format!("{comma}{space}{}{space}", record(*n));
            }
            let tail = ["", ",", "]"][tail];
            let (text, path) = match form {
                0 => (format!("[{list}{tail}]"), ""),
                1 => (format!("{{\"next\": \"/x\", \"data\": [{list}{tail}], \"total\": 3}}"), "data"),
                2 => (format!(" {{\"a\":[1,{{}}],\"b\":-1.5e3,\"d\":{{\"list\":[ {list} ]}},\"e\":null}}{tail}"), "d.list"),
                3 => (format!("{{\"data\": [{list}], \"data\": [{list}]}}"), "data"),
                4 => (format!("{{\"data\": [{list}], \"d\\u0061ta\": 1}}"), "data"),
                _ => (format!("{{\"other\": [{list}]}}"), "data"),
            };
            let end = text.char_indices().map(|(at, _)| at).nth(cut * 3);
            for text in [text.as_str(), end.map_or("", |end| &text[..end])] {
                // Where it cannot be skimmed it is read.
                if let Some(skimmed) = told(text, path, &seen) {
                    prop_assert_eq!(Some(skimmed), plainly(text, path), "{}", text);
                }
            }
        }
    }

    #[test]
    fn a_known_record_is_found_where_it_was_behind_a_gap_and_elsewhere() {
        let seen: Vec<String> = (0..20).map(|n| format!("{{\"id\":{n}}}")).collect();
        for order in [vec![0, 1, 2], vec![0, 5, 6], vec![9, 2, 19]] {
            let list: Vec<&str> = order.iter().map(|n| seen[*n].as_str()).collect();
            let text = format!("{{\"data\":[{}],\"next\":null}}", list.join(","));
            let told = told(&text, "data", &seen).unwrap();
            assert_eq!(told.1, list);
            assert_eq!(told.0, json!({"data": null, "next": null}));
        }
    }
}
