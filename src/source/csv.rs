//! A CSV answer: a header row, then a record for each row. An empty field is null.

use csv::{ReaderBuilder, Trim};
use serde_json::{Map, Value};

use super::decode::{DecodeError, Decoded};

/// Takes the rows apart. What stands around them is `header`, the names of the columns.
pub(super) fn split(
    text: &str,
    delimiter: u8,
    column: Option<&str>,
) -> Result<Decoded, DecodeError> {
    if text.trim_start().starts_with('<') {
        return Err(DecodeError::Csv("it begins with <, as a page does".into()));
    }
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

/// What is wrong, and in which line, without the fields.
fn unreadable(error: &csv::Error) -> DecodeError {
    let line = error
        .position()
        .map(|position| format!(" in line {}", position.line()))
        .unwrap_or_default();
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
        let error = |text| split(text, b',', Some("Id")).unwrap_err().to_string();
        assert_eq!(
            error("Id,Name\n7,Ana\n8\n"),
            "the answer is not readable as CSV: 1 fields in line 3, and 2 in the header"
        );
        assert!(error("").ends_with("it has no header row"));
        assert!(error("Down\n").ends_with("it has no column `Id`"));
        assert!(error("<html>").ends_with("as a page does"));
    }
}
