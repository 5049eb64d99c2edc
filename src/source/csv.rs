//! A CSV answer: a header row, then a record for each row. An empty field is null.

use std::ops::Range;

use csv::{ReaderBuilder, Trim};
use serde_json::{Map, Value};

use super::decode::{DecodeError, Decoded, Shape};
use super::position::Position;

/// Takes the rows apart. What stands around them is `header`, the names of the columns, and the line of the footer.
pub(super) fn split(text: &str, shape: &Shape) -> Result<Decoded, DecodeError> {
    if text.trim_start().starts_with('<') {
        return Err(DecodeError::Csv("it begins with <, as a page does".into()));
    }
    let parts = parts(text, shape)?;
    let rows = parts.rows.clone();
    check_quotes(text, &rows, shape)?;
    let unreadable = |error: &csv::Error| unreadable(text, rows.start, error);
    let mut reader = ReaderBuilder::new()
        .delimiter(shape.delimiter)
        .quote(shape.quote)
        .trim(Trim::All)
        .from_reader(text.get(rows.clone()).unwrap_or_default().as_bytes());
    let header: Vec<String> = reader
        .headers()
        .map_err(|error| unreadable(&error))?
        .iter()
        .map(str::to_owned)
        .collect();
    if header.iter().all(String::is_empty) {
        return Err(DecodeError::Csv("it has no header row".into()));
    }
    if let Some(column) = &shape.column
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
    parts.check(text, records.len(), shape)?;
    let mut around = Map::from_iter([("header".to_owned(), Value::from(header))]);
    if let Some(footer) = parts.footer {
        around.insert("footer".into(), text.get(footer).unwrap_or_default().into());
    }
    Ok(Decoded {
        around: Value::Object(around),
        records,
        found: true,
        known: Vec::new(),
        broken: None,
    })
}

/// A footer has so many lines at most.
const FOOTER_AT_MOST: usize = 20;

/// Where the rows stand, the header among them, and the first line of the footer, in bytes.
pub(super) struct Parts {
    pub(super) rows: Range<usize>,
    pub(super) footer: Option<Range<usize>>,
}

/// Finds what stands around the rows.
pub(super) fn parts(text: &str, shape: &Shape) -> Result<Parts, DecodeError> {
    let mut begin = 0;
    for _ in 0..shape.skip {
        let rest = text.get(begin..).unwrap_or_default();
        let Some(end) = line_end(rest) else {
            let what = format!("it ends within the {} lines that are skipped", shape.skip);
            return Err(DecodeError::Csv(what));
        };
        begin += end;
    }
    let Some(footer) = &shape.footer else {
        return Ok(Parts {
            rows: begin..text.len(),
            footer: None,
        });
    };
    let wanted = footer.begins.trim().to_lowercase();
    let quote = char::from(shape.quote);
    let body = text.get(begin..).unwrap_or_default().trim_end();
    let mut end = body.len();
    let mut row = None;
    for _ in 0..FOOTER_AT_MOST {
        let line_begin = body
            .get(..end)
            .and_then(|before| before.rfind(['\n', '\r']))
            .map_or(0, |at| at + 1);
        let line = body.get(line_begin..end).unwrap_or_default();
        let plain = line.trim_start_matches([' ', '\t', quote]).to_lowercase();
        let is_footer = begins(&plain, &wanted, char::from(shape.delimiter), quote);
        if line_begin > 0 && !is_footer && plain.starts_with(&wanted) {
            row = row.or(Some(line_begin));
        }
        if line_begin > 0 && is_footer {
            return Ok(Parts {
                rows: begin..begin + line_begin,
                footer: Some(begin + line_begin..begin + end),
            });
        }
        if line_begin == 0 {
            break;
        }
        end = line_begin - 1;
    }
    let alike = row.map_or_else(String::new, |row| {
        let line = Position::of(text, begin + row).line;
        format!("; line {line} goes on behind that word, as a row may, and is none")
    });
    Err(DecodeError::Csv(format!(
        "it has no footer that begins with `{}`, and may have been cut off{alike}",
        footer.begins
    )))
}

/// Whether a line, in lower case, begins with a footer's words and not with a longer word: `Total-20` may be a resident's id.
fn begins(line: &str, wanted: &str, delimiter: char, quote: char) -> bool {
    let Some(rest) = line.strip_prefix(wanted) else {
        return false;
    };
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '#' | '@');
    match rest.chars().next() {
        None => true,
        // What is written out to a sign, such as `--`, ends there.
        Some(_) if !wanted.ends_with(char::is_alphanumeric) => true,
        Some(next) => next == delimiter || next == quote || !goes_on(next),
    }
}

/// Where the first line ends, its end included.
fn line_end(text: &str) -> Option<usize> {
    let at = text.find(['\n', '\r'])?;
    let two = text.get(at..at + 2) == Some("\r\n");
    Some(at + if two { 2 } else { 1 })
}

impl Parts {
    /// Whether as many rows came as the footer says.
    fn check(&self, text: &str, came: usize, shape: &Shape) -> Result<(), DecodeError> {
        let (Some(footer), Some(range)) = (&shape.footer, &self.footer) else {
            return Ok(());
        };
        if !footer.counts {
            return Ok(());
        }
        let line = text.get(range.clone()).unwrap_or_default();
        let digits = line
            .trim_start_matches(|c: char| !c.is_ascii_digit())
            .split(|c: char| !c.is_ascii_digit() && c != ',')
            .next()
            .unwrap_or_default();
        // `1,234` is a number with a separator, where the columns have another.
        let digits = if shape.delimiter == b',' {
            digits.split(',').next().unwrap_or_default().to_owned()
        } else {
            digits.replace(',', "")
        };
        match digits.parse::<usize>() {
            Ok(said) if said == came => Ok(()),
            Ok(said) => Err(DecodeError::Csv(format!(
                "its footer says {said} rows, and {came} came"
            ))),
            Err(_) => Err(DecodeError::Csv("its footer has no number of rows".into())),
        }
    }
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
fn check_quotes(all: &str, rows: &Range<usize>, shape: &Shape) -> Result<(), DecodeError> {
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
    let (delimiter, mark) = (shape.delimiter, shape.quote);
    let text = all.get(rows.clone()).unwrap_or_default();
    if !text.contains(char::from(mark)) {
        return Ok(());
    }
    let wrong = |what: &str, quote: usize| {
        let line = Position::of(all, rows.start + quote).line;
        Err(DecodeError::Csv(format!(
            "the quote that opens in line {line} {what}"
        )))
    };
    let mut at = At::Begin;
    for (place, byte) in text.bytes().enumerate() {
        let ends = byte == delimiter || matches!(byte, b'\n' | b'\r');
        at = match (at, byte) {
            (At::Begin, byte) if byte == mark => At::Quoted(place),
            (At::Quoted(quote), byte) if byte == mark => At::Quote(quote),
            (At::Quote(quote), byte) if byte == mark => At::Quoted(quote),
            (At::Quoted(quote), _) => At::Quoted(quote),
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
fn unreadable(text: &str, start: usize, error: &csv::Error) -> DecodeError {
    // The position of a row is before the line feed that ends the row before it.
    let line = error.position().map(|position| {
        let begin = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let begin = begin.saturating_add(start);
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
    use crate::config::{Csv, Footer, Format};

    use super::super::Path;
    use super::*;

    fn split(text: &str, delimiter: u8, column: Option<&str>) -> Result<Decoded, DecodeError> {
        let mut shape = Shape::new(Format::Csv, Path::default()).separated_by(delimiter);
        shape.column = column.map(str::to_owned);
        super::split(text, &shape)
    }

    #[test]
    fn lines_before_the_header_and_behind_the_rows_are_no_rows_and_the_footer_must_be_there() {
        let shape = Shape::new(Format::Csv, Path::default()).separated_by(b';');
        let csv = Csv {
            skip: 2,
            quote: Some('\''),
            footer: Some(Footer {
                begins: "Total".into(),
                counts: true,
            }),
        };
        let shape = shape.with_csv(&csv).unwrap();
        let split = |text: &str| super::split(text, &shape).map(|decoded| decoded.records);
        for end in ["\n", "\r\n", "\r"] {
            let text = |text: &str| text.replace('|', end);
            let whole = text("Rent roll||Id;Name|1;'Ana; Bo'|2;5\" wide|TOTAL: 2 rows|by nobody||");
            assert_eq!(
                split(&whole).unwrap(),
                [
                    r#"{"Id":"1","Name":"Ana; Bo"}"#.into(),
                    r#"{"Id":"2","Name":"5\" wide"}"#.into()
                ]
            );
            let error = |one: &str| split(&text(one)).unwrap_err().to_string();
            assert!(
                error("Rent roll||Id;Name|1;Ana|Total 2|")
                    .ends_with("its footer says 2 rows, and 1 came")
            );
            assert!(error("Rent roll||Id;Name|1;Ana|2;Bo").contains("may have been cut off"));
            assert!(error("Rent roll||Id;Name|1|Total 1|").contains("1 fields in line 4"));
            assert!(error("Rent roll||Id;Name|1;'Ana|Total 1|").contains("line 4 is not closed"));
            assert!(error("Rent roll").contains("2 lines that are skipped"));
        }
    }

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

    #[test]
    fn a_row_that_begins_like_the_footer_is_no_footer() {
        let shape = |begins: &str| {
            let csv = Csv {
                footer: Some(Footer {
                    begins: begins.into(),
                    counts: false,
                }),
                ..Csv::default()
            };
            let shape = Shape::new(Format::Csv, Path::default());
            shape.with_csv(&csv).unwrap()
        };
        let cut = "id,name\n1,Ana\nTotal-20,Bo\n3,Cy\n";
        let told = super::split(cut, &shape("Total")).unwrap_err().to_string();
        assert!(
            told.contains("no footer that begins with `Total`"),
            "{told}"
        );
        assert!(told.contains("line 3 goes on behind that word"), "{told}");
        for (begins, footer) in [
            ("Total", "Total: 3"),
            ("Total", "\"Total\",3"),
            ("Total", "TOTAL 3 rows"),
            ("Total", "total"),
            ("Total", "Total,,"),
            ("--", "--end of report"),
            ("Rows=", "Rows=3"),
        ] {
            let decoded = super::split(&format!("{cut}{footer}\n"), &shape(begins)).unwrap();
            assert_eq!(decoded.records.len(), 3, "{footer}");
        }
    }
}
