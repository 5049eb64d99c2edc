//! What was measured, by name, as JSON that a later run is compared with, and as Markdown that people read.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Where and how it was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Conditions {
    pub(crate) version: String,
    pub(crate) when: jiff::Timestamp,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    /// Processes that waited for a processor in the minute before, on average, at the beginning and at the end.
    pub(crate) load: Vec<f64>,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    Seconds,
    Bytes,
}

/// A value; less is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measure {
    pub(crate) unit: Unit,
    pub(crate) value: f64,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (steps, unit): (&[(f64, &str)], _) = match self.unit {
            Unit::Seconds => (&[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs")], "ns"),
            Unit::Bytes => (&[(1e9, "GB"), (1e6, "MB"), (1e3, "KB")], "B"),
        };
        let smallest = if self.unit == Unit::Seconds {
            1e-9
        } else {
            1.0
        };
        let (scale, unit) = steps
            .iter()
            .find(|(scale, _)| self.value >= *scale)
            .copied()
            .unwrap_or((smallest, unit));
        let value = self.value / scale;
        let digits = if value < 10.0 {
            2
        } else {
            usize::from(value < 100.0)
        };
        write!(f, "{value:.digits$} {unit}")
    }
}

/// Everything that was measured in one go.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) conditions: Conditions,
    pub(crate) measures: BTreeMap<String, Measure>,
}

impl Report {
    pub(crate) fn begin() -> Report {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Report {
            conditions: Conditions {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                when: jiff::Timestamp::now(),
                processor: model.map_or("unknown", |(_, name)| name).to_owned(),
                cores: std::thread::available_parallelism().map_or(1, usize::from),
                load: vec![load()],
            },
            measures: BTreeMap::new(),
        }
    }

    pub(crate) fn seconds(&mut self, name: &str, value: f64) {
        self.put(name, Unit::Seconds, value);
    }

    pub(crate) fn bytes(&mut self, name: &str, value: f64) {
        self.put(name, Unit::Bytes, value);
    }

    fn put(&mut self, name: &str, unit: Unit, value: f64) {
        let measure = Measure { unit, value };
        eprintln!("  {name}: {measure}");
        self.measures.insert(name.to_owned(), measure);
    }

    pub(crate) fn get(&self, name: &str) -> Option<Measure> {
        self.measures.get(name).copied()
    }

    /// A value as a table shows it; `–` where it was not measured.
    pub(crate) fn cell(&self, name: &str) -> String {
        self.get(name)
            .map_or_else(|| "–".to_owned(), |measure| measure.to_string())
    }

    /// How often the second goes into the first.
    pub(crate) fn ratio(&self, name: &str, of: &str) -> String {
        match (self.get(name), self.get(of)) {
            (Some(one), Some(other)) => times(one.value / other.value),
            _ => "–".to_owned(),
        }
    }

    pub(crate) fn end(&mut self) {
        self.conditions.load.push(load());
    }

    pub(crate) fn write(&self, file: &Path) {
        let text = serde_json::to_string_pretty(self).unwrap();
        std::fs::write(file, text + "\n").unwrap();
    }

    pub(crate) fn read(file: &Path) -> Report {
        let text = std::fs::read_to_string(file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        serde_json::from_str(&text).unwrap()
    }

    /// This report beside an earlier one.
    pub(crate) fn against(&self, before: &Report) -> Table {
        let mut table = Table::new(&["measured", "before", "now", "now / before"]);
        for (name, now) in &self.measures {
            if let Some(then) = before.measures.get(name) {
                let ratio = times(now.value / then.value);
                table.row([name.clone(), then.to_string(), now.to_string(), ratio]);
            }
        }
        table
    }
}

fn times(ratio: f64) -> String {
    let digits = match ratio {
        ..0.1 => 4,
        ..10.0 => 2,
        _ => usize::from(ratio < 100.0),
    };
    format!("{ratio:.digits$} ×")
}

fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split(' ').next();
    first.and_then(|load| load.parse().ok()).unwrap_or_default()
}

impl fmt::Display for Conditions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let load: Vec<String> = self.load.iter().map(|load| format!("{load:.1}")).collect();
        write!(
            f,
            "epms {}, {}, {} cores, load {}, {}",
            self.version,
            self.processor,
            self.cores,
            load.join(" → "),
            self.when.strftime("%Y-%m-%d"),
        )
    }
}

/// A table of Markdown, whose columns stand below each other; all but the first to the right.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Table {
        let head = head.iter().map(ToString::to_string).collect();
        Table { rows: vec![head] }
    }

    /// Whether nothing in it was measured.
    pub(crate) fn is_empty(&self) -> bool {
        let measured = |row: &Vec<String>| {
            row.iter()
                .skip(1)
                .any(|cell| cell.contains(char::is_numeric))
        };
        !self.rows.iter().skip(1).any(measured)
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.rows[0].len()).map(width).collect();
        for (number, row) in self.rows.iter().enumerate() {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                if column == 0 {
                    write!(f, "| {cell:<width$} ")?;
                } else {
                    write!(f, "| {cell:>width$} ")?;
                }
            }
            writeln!(f, "|")?;
            if number == 0 {
                for (column, width) in widths.iter().enumerate() {
                    let colon = if column == 0 { '-' } else { ':' };
                    write!(f, "|{}{colon}", "-".repeat(width + 1))?;
                }
                writeln!(f, "|")?;
            }
        }
        Ok(())
    }
}
