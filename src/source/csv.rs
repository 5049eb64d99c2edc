//! A CSV answer: a header row, then a record for each row. An empty field is null. Judges nothing but whether all rows are there.

use std::collections::{BTreeMap, HashMap, HashSet};
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
    let names = distinct(&header);
    let (mut records, mut least) = (Vec::new(), header.len());
    for row in reader.records() {
        let row = row.map_err(|error| unreadable(&error))?;
        least = least.min(filled(&row));
        let fields = names.iter().zip(&row).map(|(name, field)| {
            let value = match field {
                "" => Value::Null,
                text => text.into(),
            };
            (name.clone(), value)
        });
        let record = Value::Object(fields.collect());
        records.push(record.to_string().into_boxed_str());
    }
    parts.check(text, records.len(), shape)?;
    parts.nothing_behind(text, header.len(), least, shape)?;
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
    /// Whether no rows stand behind the footer: it would be one in the middle, and they would be lost. Summaries may stand there
    /// in as many fields as the header has, most of them empty; `least` is how many fields the emptiest row has. Where the
    /// footer counts the rows that came, they may be fuller.
    fn nothing_behind(
        &self,
        text: &str,
        columns: usize,
        least: usize,
        shape: &Shape,
    ) -> Result<(), DecodeError> {
        let Some(footer) = &self.footer else {
            return Ok(());
        };
        let counts = shape.footer.as_ref().is_some_and(|footer| footer.counts);
        let part = if counts { least } else { least.div_ceil(2) };
        let enough = part.max(2).min(columns);
        let is_padded = self.is_padded(text, shape);
        let mut lines = ReaderBuilder::new()
            .delimiter(shape.delimiter)
            .quote(shape.quote)
            .has_headers(false)
            .flexible(true)
            .from_reader(text.get(footer.end..).unwrap_or_default().as_bytes());
        for line in lines.records() {
            let line = line.map_err(|error| unreadable(text, footer.end, &error))?;
            let is_wider = line.len() > columns && (is_padded || !is_prose(&line));
            if is_wider || line.len() == columns && filled(&line) >= enough {
                let begin = line.position().map_or(0, csv::Position::byte);
                let begin = usize::try_from(begin).unwrap_or_default() + footer.end;
                let rest = text.get(begin..).unwrap_or_default();
                let blank = rest.len() - rest.trim_start().len();
                let (footer, line) = (footer.start, begin + blank);
                let [footer, line] = [footer, line].map(|at| Position::of(text, at).line);
                let looks = if is_wider {
                    "has more fields than the header"
                } else {
                    "looks like a row"
                };
                return Err(DecodeError::Csv(format!(
                    "line {line} {looks}, and stands behind the footer in line {footer}; let `footer` be what no row begins with"
                )));
            }
        }
        Ok(())
    }

    /// Whether a blank stands behind what separates the columns, as in a sentence.
    fn is_padded(&self, text: &str, shape: &Shape) -> bool {
        let rows = text.get(self.rows.clone()).unwrap_or_default();
        let header = rows.trim_start().lines().next().unwrap_or_default();
        header.contains(&format!("{} ", char::from(shape.delimiter)))
    }

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

/// The names of columns as records have them: of several of one name the first has it, and the others get their number.
fn distinct(header: &[String]) -> Vec<String> {
    let all: HashSet<&str> = header.iter().map(String::as_str).collect();
    let mut count: HashMap<&str, u64> = HashMap::new();
    let names = header.iter().map(|name| {
        let count = count.entry(name).or_default();
        *count += 1;
        let mut own = name.clone();
        while *count > 1 {
            own = format!("{name}#{count}");
            // A column may be called so itself.
            if !all.contains(own.as_str()) {
                break;
            }
            *count += 1;
        }
        own
    });
    names.collect()
}

/// The names that several columns of an answer have, with how many: which of them is meant is not for us to say.
pub(super) fn twice(around: &Value) -> BTreeMap<&str, u64> {
    let mut count: BTreeMap<&str, u64> = BTreeMap::new();
    let header = around.get("header").and_then(Value::as_array);
    for name in header.into_iter().flatten().filter_map(Value::as_str) {
        *count.entry(name).or_default() += 1;
    }
    // What nobody named nobody asks for.
    count.retain(|name, count| *count > 1 && !name.is_empty());
    count
}

/// Whether a line is a sentence: `Printed on Monday, June 1, by nobody`.
fn is_prose(line: &csv::StringRecord) -> bool {
    line.iter()
        .skip(1)
        .all(|field| field.is_empty() || field.starts_with(' '))
}

/// How many fields of a row have something.
fn filled(row: &csv::StringRecord) -> usize {
    row.iter().filter(|field| !field.trim().is_empty()).count()
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
mod tests;
