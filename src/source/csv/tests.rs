//! What is read of CSV, and what is told.

use std::io::Write;

use encoding_rs::WINDOWS_1252;
use proptest::prelude::*;

use crate::config::{Csv, Footer, Format, Packed};

use super::super::Path;
use super::super::decode::decode;
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
            r#"{"Id":"7","Name":"Ana; \"B\"","Tag":"x","Tag#2":"y"}"#.into(),
            r#"{"Id":"8","Name":null,"Tag":null,"Tag#2":null}"#.into()
        ]
    );
    assert!(split("Id,Name\n", b',', None).unwrap().records.is_empty());
}

#[test]
fn of_two_columns_of_one_name_the_first_keeps_it_and_they_are_told() {
    let text = "Id,Date,Date,Date#2,,\n7,a,b,c,,\n";
    let decoded = split(text, b',', Some("Id")).unwrap();
    let record: Value = serde_json::from_str(&decoded.records[0]).unwrap();
    let wanted = serde_json::json!({"Id": "7", "Date": "a", "Date#3": "b", "Date#2": "c", "": null, "#2": null});
    assert_eq!(record, wanted);
    let told: Vec<_> = twice(&decoded.around).into_iter().collect();
    assert_eq!(told, [("Date", 2)]);
}

#[test]
fn rows_behind_a_footer_are_told_and_summaries_there_are_not() {
    let read = |footer: &str, behind: &str, counts: bool| {
        let csv = Csv {
            footer: Some(Footer {
                begins: "Total".into(),
                counts,
            }),
            ..Csv::default()
        };
        let shape = Shape::new(Format::Csv, Path::default());
        let shape = shape.with_csv(&csv).unwrap();
        let text = format!("id,name,unit,note\n1,Ana,1A,\n2,Bo,2A,x\n{footer}\n{behind}");
        super::split(&text, &shape).map(|decoded| decoded.records.len())
    };
    for behind in ["3,Cy,3A,\n", "\n3,\"Cy\nOrtiz\",3A,x\nprinted,,,\n"] {
        for (footer, counts) in [
            ("Total", false),
            ("Total 2 rows", true),
            ("Total,2,,", true),
        ] {
            let told = read(footer, behind, counts).unwrap_err().to_string();
            let line = if behind.starts_with('\n') { 6 } else { 5 };
            let wanted =
                format!("line {line} looks like a row, and stands behind the footer in line 4");
            assert!(told.contains(&wanted), "{told}");
        }
    }
    for behind in [
        "",
        "printed by nobody\n",
        "Printed,,,\n",
        "\n\n,,,\n",
        "Printed on Monday, June 1, by Ana, at Oak, Inc\n",
        ",,,,,\n",
    ] {
        assert_eq!(read("Total", behind, false), Ok(2), "{behind}");
        assert_eq!(read("Total 2 rows", behind, true), Ok(2), "{behind}");
    }
    // A row may be as empty; where the footer counts them, none is missing.
    for summary in ["3,Cy,,\n", "Groups,Rent,,\nOccupied,2,,\n"] {
        let told = read("Total", summary, false).unwrap_err().to_string();
        assert!(told.contains("line 5 looks like a row"), "{told}");
        assert_eq!(read("Total 2 rows", summary, true), Ok(2), "{summary}");
    }
    for wider in ["3,Cy,3A,x,\n", "printed\n3,Cy, Jr,3A,x\n", "a,b,c,d,e\n"] {
        for (footer, counts) in [("Total", false), ("Total 2 rows", true)] {
            let told = read(footer, wider, counts).unwrap_err().to_string();
            assert!(told.contains("has more fields than the header"), "{told}");
        }
    }
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

/// A report as it lies in an archive, and the rows that are in it.
#[derive(Debug, Clone)]
struct Report {
    text: String,
    rows: Vec<Vec<String>>,
    shape: Shape,
}

impl Report {
    /// Its bytes in windows-1252.
    fn bytes(&self) -> Vec<u8> {
        let (bytes, _, unmapped) = WINDOWS_1252.encode(&self.text);
        assert!(!unmapped, "{}", self.text);
        bytes.into_owned()
    }

    fn zipped(&self) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file("out/report.csv", options).unwrap();
        writer.write_all(&self.bytes()).unwrap();
        writer.finish().unwrap().into_inner()
    }

    /// What a run makes of these bytes.
    fn read(&self, bytes: &[u8]) -> Option<Vec<Vec<String>>> {
        let decoded = decode(&self.shape, None, bytes).ok()?;
        let row = |record: &str| {
            let record: serde_json::Value = serde_json::from_str(record).unwrap();
            let field = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
            ["id", "name", "note"].map(field).to_vec()
        };
        Some(decoded.records.iter().map(|record| row(record)).collect())
    }
}

/// Letters, what separates and quotes, line ends, and letters that windows-1252 alone has.
const LETTERS: &str = "[a-c0-9 ;,|'\"\r\nŠž–€ë]{0,6}";

fn field(text: &str, quote: char, always: bool) -> String {
    let wants = [';', ',', '|', '\r', '\n', '\'', '"'];
    if always || text.contains(wants) {
        let doubled = text.replace(quote, &format!("{quote}{quote}"));
        format!("{quote}{doubled}{quote}")
    } else {
        text.to_owned()
    }
}

fn report() -> impl Strategy<Value = Report> {
    let row = (1_u32..9999, LETTERS, LETTERS, any::<bool>());
    let rows = prop::collection::vec(row, 0..12);
    let delimiter = prop::sample::select(vec![';', ',', '|']);
    let quote = prop::sample::select(vec!['\'', '"']);
    let end = prop::sample::select(vec!["\n", "\r\n"]);
    let title = prop::collection::vec("[a-z –';\"]{0,8}", 0..4);
    (rows, delimiter, quote, end, title).prop_map(|(rows, delimiter, quote, end, title)| {
        let separator = delimiter.to_string();
        let mut lines: Vec<String> = title.clone();
        lines.push(["id", "name", "note"].join(&separator));
        for (id, name, note, quoted) in &rows {
            let fields = [
                field(&id.to_string(), quote, *quoted),
                field(name, quote, *quoted),
                field(note, quote, *quoted),
            ];
            lines.push(fields.join(&separator));
        }
        lines.push(format!("Total{delimiter}{} rows", rows.len()));
        lines.push("printed by nobody".into());
        let csv = Csv {
            skip: title.len(),
            quote: Some(quote),
            footer: Some(Footer {
                begins: "total".into(),
                counts: true,
            }),
        };
        let delimiter = u8::try_from(delimiter).unwrap();
        let shape = Shape::new(Format::Csv, Path::default()).separated_by(delimiter);
        let mut shape = shape
            .with_csv(&csv)
            .unwrap()
            .encoded("windows-1252")
            .unwrap();
        shape.column = Some("id".into());
        shape.packed = Some(Packed::Zip(Some("*/*.csv".into())));
        let rows = rows.into_iter().map(|(id, name, note, _)| {
            vec![
                id.to_string(),
                name.trim().to_owned(),
                note.trim().to_owned(),
            ]
        });
        Report {
            text: lines.join(end) + end,
            rows: rows.collect(),
            shape,
        }
    })
}

proptest! {
    #[test]
    fn a_report_is_read_as_it_was_written_packed_or_not(report in report()) {
        prop_assert_eq!(report.read(&report.zipped()), Some(report.rows.clone()));
        prop_assert_eq!(report.read(&report.bytes()), Some(report.rows.clone()));
    }

    /// R24: what was cut off is never a smaller list.
    #[test]
    fn a_report_that_was_cut_off_anywhere_is_told_or_has_all_its_rows(report in report(), at in any::<prop::sample::Index>()) {
        let (plain, packed) = (report.bytes(), report.zipped());
        for whole in [&plain, &packed] {
            let cut = &whole[..at.index(whole.len())];
            if let Some(rows) = report.read(cut) {
                prop_assert_eq!(&rows, &report.rows);
            }
        }
    }

    #[test]
    fn a_report_of_which_a_byte_of_the_archive_is_another_is_told_or_the_same(
        report in report(),
        at in any::<prop::sample::Index>(),
        by in 1_u8..,
    ) {
        let mut packed = report.zipped();
        let at = at.index(packed.len());
        packed[at] ^= by;
        if let Some(rows) = report.read(&packed) {
            prop_assert_eq!(rows, report.rows);
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
