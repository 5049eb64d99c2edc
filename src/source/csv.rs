//! A CSV answer: a header row, then a record for each row. An empty field is null.

use csv::{ReaderBuilder, Trim};
use serde_json::{Map, Value};

use super::decode::{DecodeError, Decoded};
use super::position::Position;

/// Takes the rows apart. What stands around them is `header`, the names of the columns.
pub(super) fn split(
    text: &str,
    delimiter: u8,
    column: Option<&str>,
) -> Result<Decoded, DecodeError> {
    if text.trim_start().starts_with('<') {
        return Err(DecodeError::Csv("it begins with <, as a page does".into()));
    }
    check_quotes(text, delimiter)?;
    let unreadable = |error: &csv::Error| unreadable(text, error);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let header: Vec<String> = reader
        .headers()
        .map_err(|error| unreadable(&error))?
        .iter()
        .map(str::to_owned)
        .collect();
    if header.iter().all(String::is_empty) {
        return Err(DecodeError::Csv("it has no header row".into()));
    }
    if let Some(column) = column
        && !header.iter().any(|name| name == column)
    {
        return Err(DecodeError::Csv(format!("it has no column `{column}`")));
    }
    let mut records = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| unreadable(&error))?;
        let mut record = Map::new();
        for (name, field) in header.iter().zip(&row) {
            add(&mut record, name, field);
        }
        records.push(Value::Object(record).to_string().into_boxed_str());
    }
    Ok(Decoded {
        around: Value::Object(Map::from_iter([("header".into(), header.into())])),
        records,
        found: true,
        known: Vec::new(),
        broken: None,
    })
}

/// A column that comes twice becomes a list, as an element of XML does.
fn add(record: &mut Map<String, Value>, name: &str, field: &str) {
    let value = match field {
        "" => Value::Null,
        text => text.into(),
    };
    match record.get_mut(name) {
        None => {
            record.insert(name.to_owned(), value);
        }
        Some(Value::Array(items)) => items.push(value),
        Some(single) => {
            let first = single.take();
            *single = Value::Array(vec![first, value]);
        }
    }
}

/// A quoted field that does not end where it should swallows the rows behind it, and what comes out may still have as many
/// fields as the header.
fn check_quotes(text: &str, delimiter: u8) -> Result<(), DecodeError> {
    enum At {
        /// Where a field begins.
        Begin,
        /// In a field without quotes, or behind the end of one with quotes.
        Plain,
        /// In a field whose quote is at this byte.
        Quoted(usize),
        /// Behind a quote inside such a field: its end, or the first of two that mean one.
        Quote(usize),
    }
    if !text.contains('"') {
        return Ok(());
    }
    let wrong = |what: &str, quote: usize| {
        let line = Position::of(text, quote).line;
        Err(DecodeError::Csv(format!(
            "the quote that opens in line {line} {what}"
        )))
    };
    let mut at = At::Begin;
    for (place, byte) in text.bytes().enumerate() {
        let ends = byte == delimiter || matches!(byte, b'\n' | b'\r');
        at = match (at, byte) {
            (At::Begin, b'"') => At::Quoted(place),
            (At::Quoted(quote), b'"') => At::Quote(quote),
            (At::Quote(quote), b'"') | (At::Quoted(quote), _) => At::Quoted(quote),
            (At::Begin | At::Plain | At::Quote(_), _) if ends => At::Begin,
            (At::Quote(quote), b' ' | b'\t') => At::Quote(quote),
            (At::Quote(quote), _)
                if text
                    .get(quote..place)
                    .is_some_and(|field| field.contains(['\n', '\r'])) =>
            {
                return wrong("closes in the middle of a field of a later line", quote);
            }
            (At::Begin | At::Plain | At::Quote(_), _) => At::Plain,
        };
    }
    match at {
        At::Quoted(quote) => wrong("is not closed", quote),
        At::Begin | At::Plain | At::Quote(_) => Ok(()),
    }
}

/// What is wrong, and in which line, without the fields.
fn unreadable(text: &str, error: &csv::Error) -> DecodeError {
    // The position of a row is before the line feed that ends the row before it.
    let line = error.position().map(|position| {
        let begin = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let rest = text.get(begin..).unwrap_or_default();
        let ends = rest.len() - rest.trim_start_matches(['\r', '\n']).len();
        Position::of(text, begin.saturating_add(ends)).line
    });
    let line = line.map_or_else(String::new, |line| format!(" in line {line}"));
    DecodeError::Csv(match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} fields{line}, and {expected_len} in the header"),
        _ => format!("a syntax error{line}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_objects_by_the_header() {
        let text = "Id; Name ;Tag;Tag\n7;\"Ana; \"\"B\"\"\";x;y\n8; ;;\n";
        let decoded = split(text, b';', Some("Id")).unwrap();
        assert_eq!(
            decoded.records,
            [
                r#"{"Id":"7","Name":"Ana; \"B\"","Tag":["x","y"]}"#.into(),
                r#"{"Id":"8","Name":null,"Tag":[null,null]}"#.into()
            ]
        );
        assert!(split("Id,Name\n", b',', None).unwrap().records.is_empty());
    }

    #[test]
    fn what_is_no_csv_is_told_without_its_values() {
        let error = |text: &str| split(text, b',', Some("Id")).unwrap_err().to_string();
        assert_eq!(
            error("Id,Name\n7,Ana\n8\n"),
            "the answer is not readable as CSV: 1 fields in line 3, and 2 in the header"
        );
        for end in ["\n", "\r\n", "\r"] {
            let footer = format!("Id,Name{end}7,Ana{end}{end}8,Bo{end}2 rows{end}");
            assert_eq!(
                error(&footer),
                "the answer is not readable as CSV: 1 fields in line 5, and 2 in the header",
                "{end:?}"
            );
        }
        assert!(error("").ends_with("it has no header row"));
        assert!(error("Down\n").ends_with("it has no column `Id`"));
        assert!(error("<html>").ends_with("as a page does"));
    }

    #[test]
    fn a_quote_that_swallows_rows_is_told_with_its_line() {
        let split = |text: &str| split(text, b',', Some("Id")).map(|decoded| decoded.records.len());
        for end in ["\n", "\r\n"] {
            for (text, told) in [
                ("Id,Name|1,\"Ana|2,Bo|3,Cy|", "in line 2 is not closed"),
                ("Id,Name|1,Ana|2,Bo|3,\"Cy", "in line 4 is not closed"),
                ("Id,\"Name|1,Ana|", "in line 1 is not closed"),
                (
                    "Id,Name|1,\"Ana|2,\"Bo\"|3,Cy|",
                    "in line 2 closes in the middle of a field of a later line",
                ),
            ] {
                let error = split(&text.replace('|', end)).unwrap_err().to_string();
                assert!(error.ends_with(told), "{error}");
            }
            for (text, rows) in [
                ("Id,Name|1,\"Ana|Maria\"|2,\"\"|3,\"a \"\"b\"\"\"|", 3),
                ("Id,Name|1,5\" wide|2,\"Ana\" Bo|3,\"Cy\" |", 3),
            ] {
                assert_eq!(split(&text.replace('|', end)), Ok(rows), "{text}");
            }
        }
    }
}
