//! A strict reader of OpenMetrics 1.0 text: what the specification forbids in what we use of it, it refuses.

use std::collections::{BTreeMap, BTreeSet};

type Labels = BTreeMap<String, String>;

/// One line with a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub family: String,
    pub name: String,
    pub labels: Labels,
    pub value: f64,
}

/// A page of metrics.
#[derive(Debug, Default)]
pub struct Exposition {
    /// The type of every family, by its name.
    pub families: BTreeMap<String, String>,
    pub samples: Vec<Sample>,
}

impl Exposition {
    /// Reads a page, or says what is wrong with it.
    pub fn read(text: &str) -> Result<Exposition, String> {
        let body = text
            .strip_suffix("# EOF\n")
            .ok_or("does not end with `# EOF` and a line feed")?;
        let mut page = Exposition::default();
        let mut family = String::new();
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for line in body.lines() {
            let wrong = |what: &str| Err(format!("{what}: {line}"));
            if line.is_empty() || line.contains('\r') || line.trim() != line {
                return wrong("an empty line, or space around it");
            }
            if let Some(comment) = line.strip_prefix("# ") {
                let mut words = comment.splitn(3, ' ');
                let (kind, name, rest) = (words.next(), words.next(), words.next());
                let (Some(kind), Some(name), Some(rest)) = (kind, name, rest) else {
                    return wrong("a comment that says nothing");
                };
                if name != family {
                    if !is_name(name) || page.families.contains_key(name) {
                        return wrong("a name that is none, or a family in two places");
                    }
                    name.clone_into(&mut family);
                    page.families.insert(family.clone(), "unknown".to_owned());
                    told.clear();
                } else if page
                    .samples
                    .last()
                    .is_some_and(|last| last.family == family)
                {
                    return wrong("metadata behind samples");
                }
                match kind {
                    "TYPE" => {
                        let known = ["gauge", "counter", "info", "histogram"];
                        if !known.contains(&rest) {
                            return wrong("a type that we do not use");
                        }
                        if rest == "counter" && name.ends_with("_total") {
                            return wrong("a counter's family whose name ends as its sample");
                        }
                        page.families.insert(family.clone(), rest.to_owned());
                    }
                    "UNIT" if !name.ends_with(&format!("_{rest}")) => {
                        return wrong("a unit that the name does not end with");
                    }
                    "HELP" | "UNIT" => {}
                    _ => return wrong("neither HELP nor TYPE nor UNIT"),
                }
                if !told.insert(match kind {
                    "TYPE" => "TYPE",
                    "UNIT" => "UNIT",
                    _ => "HELP",
                }) {
                    return wrong("metadata twice");
                }
                continue;
            }
            let sample = sample(line, &family)?;
            let suffix = &sample.name[family.len()..];
            let fits = match page.families[&family].as_str() {
                "gauge" => suffix.is_empty(),
                "counter" => suffix == "_total",
                "info" => suffix == "_info" && line.ends_with("} 1"),
                _ => ["_bucket", "_sum", "_count"].contains(&suffix),
            };
            if !fits || (suffix == "_bucket") != sample.labels.contains_key("le") {
                return wrong("not as its type has it");
            }
            let counts = ["_total", "_bucket", "_count", "_sum"].contains(&suffix);
            if counts && !(sample.value.is_finite() && sample.value >= 0.0) {
                return wrong("a count below nothing");
            }
            let twice = |other: &Sample| other.name == sample.name && other.labels == sample.labels;
            if page.samples.iter().any(twice) {
                return wrong("a series twice");
            }
            page.samples.push(sample);
        }
        page.histograms()?;
        Ok(page)
    }

    /// Every histogram's buckets grow and end with all.
    fn histograms(&self) -> Result<(), String> {
        for count in &self.samples {
            let Some(name) = count.name.strip_suffix("_count") else {
                continue;
            };
            let buckets: Vec<(f64, f64)> = self
                .samples
                .iter()
                .filter(|one| one.name == format!("{name}_bucket"))
                .filter(|one| {
                    let mut labels = one.labels.clone();
                    labels.remove("le");
                    labels == count.labels
                })
                .map(|one| (one.labels["le"].parse().unwrap_or(f64::NAN), one.value))
                .collect();
            let grows = buckets
                .windows(2)
                .all(|two| two[0].0 < two[1].0 && two[0].1 <= two[1].1);
            if !grows || buckets.last() != Some(&(f64::INFINITY, count.value)) {
                return Err(format!("{name}: {buckets:?}"));
            }
        }
        Ok(())
    }

    /// The value of the series of this name with exactly these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: Labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        self.samples
            .iter()
            .find(|one| one.name == name && one.labels == labels)
            .map(|one| one.value)
    }

    /// Every name of a series.
    pub fn names(&self) -> BTreeSet<&str> {
        self.samples.iter().map(|one| one.name.as_str()).collect()
    }
}

fn sample(line: &str, family: &str) -> Result<Sample, String> {
    let wrong = |what: &str| format!("{what}: {line}");
    let end = line
        .find(['{', ' '])
        .ok_or_else(|| wrong("nothing behind the name"))?;
    let (name, mut rest) = line.split_at(end);
    if !is_name(name) || family.is_empty() || !name.starts_with(family) {
        return Err(wrong("a sample outside its family"));
    }
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            if !labels.is_empty() {
                rest = rest.strip_prefix(',').ok_or_else(|| wrong("no comma"))?;
            }
            let (label, value) = rest.split_once("=\"").ok_or_else(|| wrong("no value"))?;
            let (value, after) = quoted(value).ok_or_else(|| wrong("a label's value"))?;
            if !is_name(label) || label.contains(':') || label.starts_with("__") {
                return Err(wrong("a label's name"));
            }
            if labels.insert(label.to_owned(), value).is_some() {
                return Err(wrong("a label twice"));
            }
            rest = after;
        }
        rest = &rest[1..];
    }
    let number = rest.strip_prefix(' ').ok_or_else(|| wrong("no space"))?;
    let plain = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    if !number.chars().all(plain) {
        return Err(wrong("no number, or something behind it"));
    }
    Ok(Sample {
        family: family.to_owned(),
        name: name.to_owned(),
        labels,
        value: number.parse().map_err(|_| wrong("no number"))?,
    })
}

/// What stands in quotes, and what stands behind them.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                escaped @ ('\\' | '"') => escaped,
                _ => return None,
            }),
            _ => value.push(letter),
        }
    }
    None
}

fn is_name(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    text.starts_with(letter) && text.chars().all(|c| letter(c) || c.is_ascii_digit())
}
