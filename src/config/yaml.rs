//! YAML text to typed values, with every problem at once. Knows nothing of what the values mean.
//!
//! `serde-saphyr` parses the text (positions, budgets, no alias bombs) into a [`Node`] tree; a serde
//! deserializer over that tree fills the structs. Where a field does not fit, the problem is noted, the
//! field is muted and the tree is read again, so that one faulty line does not hide the next; something stands in for
//! what must be there.

mod node;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_yaml::Spanned;

use crate::model::{Code, Place, Problem};

use node::{Kind, Node, Parsed, node, place};

/// A file of this size is no configuration.
const MAX_BYTES: usize = 1024 * 1024;

/// A parsed file: the checked value, and the places of everything in it.
#[derive(Debug, Clone)]
pub struct Document {
    file: PathBuf,
    root: Node,
    /// Keys that stand in it a second time: the first of each is read, to tell what else is wrong.
    twice: Vec<Problem>,
}

/// What fits of a document.
#[derive(Debug, Clone)]
pub struct Partly<T> {
    /// The value, as if what does not fit were not there.
    pub value: T,
    /// What does not fit, as dotted paths: whatever is said of these is said of nothing that was written.
    pub unfit: Vec<String>,
}

impl<T> Partly<T> {
    /// Whether something that is said of a field is said of what was written.
    pub fn is_written(&self, field: &str) -> bool {
        let mut unfit = self.unfit.iter();
        !unfit.any(|path| {
            let rest = field.strip_prefix(path.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }

    /// A problem that was found in the value, as one of what is written in the document: an item of a list stands there at
    /// another place where others before it do not fit. None where it is said of nothing that was written, such as that
    /// a list is empty of which only no item fits.
    pub fn as_written(&self, problem: Problem, document: &Document) -> Option<Problem> {
        let mut field = String::new();
        let mut is_moved = false;
        for part in problem.field.split('.') {
            let unfit = self.unfit_items(&field, document);
            let index = part.parse().ok().filter(|_: &usize| !unfit.is_empty());
            if !field.is_empty() {
                field.push('.');
            }
            match index {
                None => field += part,
                Some(index) => {
                    let at = unfit
                        .iter()
                        .fold(index, |at, one| at + usize::from(*one <= at));
                    is_moved |= at != index;
                    field += &at.to_string();
                }
            }
        }
        if !self.is_written(&field) || !self.unfit_items(&field, document).is_empty() {
            return None;
        }
        Some(Problem {
            place: if is_moved {
                Some(document.place(&field))
            } else {
                problem.place
            },
            field,
            ..problem
        })
    }

    /// The items of a list that do not fit, in order.
    fn unfit_items(&self, list: &str, document: &Document) -> Vec<usize> {
        if !document.is_list(list) {
            return Vec::new();
        }
        let items = self.unfit.iter().filter_map(|path| {
            let rest = path.strip_prefix(list)?;
            rest.strip_prefix('.').unwrap_or(rest).parse().ok()
        });
        let items: BTreeSet<usize> = items.collect();
        items.into_iter().collect()
    }
}

/// What does not fit, and what stands in for what must be there.
#[derive(Debug, Default)]
struct Faults {
    muted: BTreeSet<Vec<String>>,
    /// Fields that were meant by others that are not known.
    meant: BTreeSet<Vec<String>>,
    /// How many stand-ins were tried of a field.
    tried: BTreeMap<Vec<String>, usize>,
}

impl Faults {
    /// Whether it was told of a field, or of another that was meant by it.
    fn is_known(&self, field: &[String]) -> bool {
        self.muted.contains(field) || self.meant.contains(field)
    }

    /// The field whose stand-in stands at a path, or around it.
    fn stand_in_at(&self, path: &[String]) -> Option<Vec<String>> {
        let mut fields = self.tried.keys();
        fields.find(|field| path.starts_with(field)).cloned()
    }

    /// Lets the next stand-in be where a field must be; false where there is none left.
    fn stands_in(&mut self, root: &mut Node, field: Vec<String>) -> bool {
        let next = self.tried.entry(field.clone()).or_default();
        let kind = match *next {
            0 => text("x", false),
            1 => text("1", true),
            2 => text("true", true),
            3 => text("1h", false),
            4 => Kind::Map(Vec::new()),
            5 => Kind::Seq(Vec::new()),
            6 => text("x@example.com", false),
            _ => return false,
        };
        *next += 1;
        let put = |(key, around): (&String, &[String])| root.put(around, key, kind);
        field.split_last().is_some_and(put)
    }

    /// Leaves out the nearest thing around a field that nothing can stand in for; false where that is all of the file.
    fn leaves_out(&mut self, root: &mut Node, field: &[String]) -> bool {
        let mut around = field;
        while let Some((_, outer)) = around.split_last().filter(|(_, outer)| !outer.is_empty()) {
            around = outer;
            if root.mute(around) {
                self.muted.insert(around.to_vec());
                return true;
            }
        }
        false
    }
}

fn text(text: &str, plain: bool) -> Kind {
    Kind::Scalar {
        text: text.to_owned(),
        plain,
    }
}

impl Document {
    /// Parses `text`. A document that is no YAML gives its problems; one that has a key twice gives them when it is read.
    pub fn parse(file: &Path, text: &str) -> Result<Document, Vec<Problem>> {
        let whole = |message: String| Problem {
            file: file.to_owned(),
            place: None,
            field: String::new(),
            message,
            code: Code::Syntax,
        };
        if text.len() > MAX_BYTES {
            return Err(vec![whole(format!(
                "the file has {} bytes; a configuration has at most {MAX_BYTES}",
                text.len()
            ))]);
        }
        let options = serde_yaml::options! {
            strict_booleans: true,
            duplicate_keys: serde_yaml::options::DuplicateKeyPolicy::PassThrough,
            with_snippet: false,
            budget: serde_yaml::budget! {
                max_reader_input_bytes: Some(MAX_BYTES),
                max_depth: 32,
                max_nodes: 20_000,
                max_anchors: 100,
                max_aliases: 1_000,
                max_documents: 1,
            },
        };
        let parsed: Spanned<Parsed> =
            serde_yaml::from_str_with_options(text, options).map_err(|error| {
                let said = error.to_string();
                let said = said.split(" at line ").next().unwrap_or_default();
                let tab = text.lines().position(|line| {
                    let indent = line.len() - line.trim_start().len();
                    line[..indent].contains('\t')
                });
                if let Some(line) = tab.filter(|_| said.contains("tab")) {
                    let line = u32::try_from(line).map_or(u32::MAX, |line| line + 1);
                    return vec![Problem {
                        place: Some(Place { line, column: 1 }),
                        ..whole("a tab stands in the indent; YAML indents with spaces".into())
                    }];
                }
                let remedy = if said.contains("mapping values are not allowed") {
                    "; look at the indent of this line and the one before"
                } else {
                    ""
                };
                let at_end = error.location().is_none_or(|location| location.line() == 0);
                vec![Problem {
                    place: if at_end {
                        None
                    } else {
                        error.location().map(|location| place(&location))
                    },
                    ..whole(format!("not readable as YAML: {said}{remedy}"))
                }]
            })?;
        let root = node(text, parsed);
        let mut root = root;
        let mut twice = Vec::new();
        keep_first(&mut root, &mut Vec::new(), &mut twice);
        let twice = twice
            .into_iter()
            .map(|(path, second, first)| Problem {
                place: Some(second),
                field: path.join("."),
                message: format!(
                    "the key stands here a second time, first in line {}; keep one",
                    first.line
                ),
                code: Code::DuplicateKey,
                ..whole(String::new())
            })
            .collect();
        Ok(Document {
            file: file.to_owned(),
            root,
            twice,
        })
    }

    /// Keys that stand in it a second time.
    pub fn twice(&self) -> &[Problem] {
        &self.twice
    }

    /// Fills `T` from the document, or tells everything that does not fit.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Vec<Problem>> {
        match self.read_partly() {
            (Some(partly), problems) if problems.is_empty() => Ok(partly.value),
            (_, problems) => Err(problems),
        }
    }

    /// Fills `T` from what fits of the document, where that can be done, and tells everything that does not. Whatever
    /// must be there and is not, or does not fit, has a stand-in.
    pub fn read_partly<T: DeserializeOwned>(&self) -> (Option<Partly<T>>, Vec<Problem>) {
        let mut root = self.root.clone();
        let mut problems = self.twice.clone();
        let mut faults = Faults::default();
        loop {
            let error = match T::deserialize(&root) {
                Ok(value) => {
                    let unfit = faults
                        .muted
                        .into_iter()
                        .map(|path| path.join("."))
                        .collect();
                    return (Some(Partly { value, unfit }), problems);
                }
                Err(error) => error,
            };
            if let Some(stands_in) = faults.stand_in_at(&error.path) {
                // It does not fit here; nothing that was written is wrong with it.
                let goes_on = faults.stands_in(&mut root, stands_in.clone())
                    || faults.leaves_out(&mut root, &stands_in);
                if !goes_on {
                    return (None, problems);
                }
                continue;
            }
            let mut field = error.path.clone();
            field.extend(error.missing.clone());
            if !faults.is_known(&field) {
                problems.push(Problem {
                    file: self.file.clone(),
                    place: error.place,
                    field: field.join("."),
                    message: error.message,
                    code: error.code,
                });
            }
            if let Some(meant) = error.meant {
                let around = error
                    .path
                    .split_last()
                    .map_or(&[][..], |(_, around)| around);
                let mut meant_field = around.to_vec();
                meant_field.push(meant.to_owned());
                faults.meant.insert(meant_field);
            }
            faults.muted.insert(field.clone());
            let goes_on = match error.missing {
                Some(_) => {
                    faults.stands_in(&mut root, field.clone())
                        || faults.leaves_out(&mut root, &field)
                }
                None => !error.path.is_empty() && root.mute(&error.path),
            };
            if !goes_on {
                return (None, problems);
            }
        }
    }

    /// The place of the value at a dotted path, or of the nearest thing around it.
    pub fn place(&self, field: &str) -> Place {
        self.nearest(field).0.place
    }

    fn is_list(&self, field: &str) -> bool {
        let (node, rest) = self.nearest(field);
        rest.is_empty() && matches!(node.kind, Kind::Seq(_))
    }

    /// The value at a dotted path, or the nearest thing around it, and what is left of the path.
    fn nearest<'f>(&self, field: &'f str) -> (&Node, &'f str) {
        let mut node = &self.root;
        let mut rest = field;
        'down: while !rest.is_empty() {
            match &node.kind {
                // A key may have dots of its own: the longest key that fits is meant.
                Kind::Map(entries) => {
                    for (key, _, value) in entries {
                        if let Some(after) = rest.strip_prefix(key.as_str())
                            && (after.is_empty() || after.starts_with('.'))
                        {
                            rest = after.strip_prefix('.').unwrap_or(after);
                            node = value;
                            continue 'down;
                        }
                    }
                    break;
                }
                Kind::Seq(items) => {
                    let (index, after) = rest.split_once('.').unwrap_or((rest, ""));
                    let Some(item) = index.parse().ok().and_then(|index: usize| items.get(index))
                    else {
                        break;
                    };
                    rest = after;
                    node = item;
                }
                Kind::Null | Kind::Scalar { .. } => break,
            }
        }
        (node, rest)
    }

    /// Whether the document has something at a dotted path, be it empty. A key that has dots of its own is not found.
    pub fn names(&self, field: &str) -> bool {
        let mut node = &self.root;
        field.split('.').all(|part| {
            let Kind::Map(entries) = &node.kind else {
                return false;
            };
            let found = entries.iter().find(|(key, ..)| key == part);
            found.inspect(|(_, _, value)| node = value).is_some()
        })
    }

    /// A problem with the value at a dotted path.
    pub fn problem(&self, field: &str, message: impl Into<String>) -> Problem {
        Problem {
            file: self.file.clone(),
            place: Some(self.place(field)),
            field: field.to_owned(),
            message: message.into(),
            code: Code::default(),
        }
    }

    /// The file the document was read from.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

/// Takes out what stands under a key that was there before.
fn keep_first(
    node: &mut Node,
    path: &mut Vec<String>,
    found: &mut Vec<(Vec<String>, Place, Place)>,
) {
    match &mut node.kind {
        Kind::Map(entries) => {
            let mut first: BTreeMap<String, Place> = BTreeMap::new();
            entries.retain(|(key, at, _)| {
                let Some(first) = first.get(key) else {
                    first.insert(key.clone(), *at);
                    return true;
                };
                let mut path = path.clone();
                path.push(key.clone());
                found.push((path, *at, *first));
                false
            });
            for (key, _, value) in entries {
                path.push(key.clone());
                keep_first(value, path, found);
                path.pop();
            }
        }
        Kind::Seq(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                path.push(index.to_string());
                keep_first(item, path, found);
                path.pop();
            }
        }
        Kind::Null | Kind::Scalar { .. } => {}
    }
}

/// The candidate that `given` is most likely a misspelling of.
pub fn nearest<'a>(given: &str, candidates: &[&'a str]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|candidate| (strsim::jaro_winkler(given, candidate), *candidate))
        .filter(|(likeness, _)| *likeness >= 0.82)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Outer {
        version: u32,
        #[serde(default)]
        ids: Vec<String>,
        #[serde(default)]
        inner: BTreeMap<String, Inner>,
        enabled: bool,
        kind: Option<Way>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Inner {
        name: String,
        count: Option<u8>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    #[allow(dead_code)]
    enum Way {
        Plain,
        Page { size: u32 },
    }

    fn problems(text: &str) -> Vec<String> {
        let problems = match Document::parse(Path::new("f.yaml"), text) {
            Ok(document) => document.read::<Outer>().map_or_else(|p| p, |_| Vec::new()),
            Err(problems) => problems,
        };
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_problem_of_a_file_is_told_at_once_with_its_place() {
        let text = "version: one\nids: [1, [2], 03]\nenabeld: true\ninner:\n  a: { nam: x, count: 300 }\n  b: 7\n";
        assert_eq!(
            problems(text),
            [
                "f.yaml:1:10: version: expected a whole number in range, found `one`",
                "f.yaml:2:10: ids.1: expected text, found a list",
                "f.yaml:3:1: enabeld: unknown field; did you mean `enabled`?",
                "f.yaml:5:8: inner.a.nam: unknown field; did you mean `name`?",
                "f.yaml:5:23: inner.a.count: expected a whole number in range, found `300`",
                "f.yaml:6:6: inner.b: expected a mapping (`key: value`), found `7`",
            ]
        );
    }

    #[test]
    fn what_fits_is_read_whatever_is_missing_or_wrong_beside_it() {
        let read = |text: &str| {
            let document = Document::parse(Path::new("f.yaml"), text).unwrap();
            document.read_partly::<Outer>()
        };
        let (partly, problems) = read("ids: [a]\nenabled: 7\ninner: { a: { count: 3 } }\n");
        let fields: Vec<&str> = problems.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(fields, ["enabled", "inner.a.name", "version"]);
        let partly = partly.unwrap();
        assert_eq!(partly.value.ids, ["a"]);
        assert_eq!(partly.value.inner["a"].count, Some(3));
        assert!(partly.is_written("ids.0") && partly.is_written("inner.a.count"));
        assert!(!partly.is_written("enabled") && !partly.is_written("version.x"));
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_wherever_it_stands_and_hides_nothing_else() {
        let mut told = problems(
            "version: 1\nenabled: 7\ninner:\n  a: {name: x}\n  a: {name: y}\nversion: 2\n",
        );
        told.sort();
        assert_eq!(
            told,
            [
                "f.yaml:2:10: enabled: expected true or false, found `7`",
                "f.yaml:5:3: inner.a: the key stands here a second time, first in line 4; keep one",
                "f.yaml:6:1: version: the key stands here a second time, first in line 1; keep one",
            ]
        );
    }

    #[test]
    fn what_nothing_can_stand_in_for_is_left_out_with_what_is_around_it() {
        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        struct Outer {
            deep: BTreeMap<String, Strange>,
            after: u32,
        }
        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        struct Strange {
            way: Narrow,
        }
        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        enum Narrow {
            North,
            East,
        }
        let text = "deep: { a: { way: South }, b: { way: North } }\nafter: 7\n";
        let document = Document::parse(Path::new("f.yaml"), text).unwrap();
        let (partly, problems) = document.read_partly::<Outer>();
        assert_eq!(problems.len(), 1, "{problems:?}");
        let partly = partly.unwrap();
        assert_eq!((partly.value.deep.len(), partly.value.after), (1, 7));
        assert!(!partly.is_written("deep.a") && partly.is_written("deep.b"));
    }

    #[test]
    fn what_is_said_of_a_list_is_said_of_the_item_that_is_written_there() {
        let text = "version: 1\nenabled: true\nids: [[1], a, [2], b]\n";
        let document = Document::parse(Path::new("f.yaml"), text).unwrap();
        let partly = document.read_partly::<Outer>().0.unwrap();
        assert_eq!(partly.value.ids, ["a", "b"]);
        let said = |field: &str| {
            let problem = partly.as_written(document.problem(field, "is odd"), &document);
            problem.map(|one| one.to_string())
        };
        assert_eq!(said("ids.0").unwrap(), "f.yaml:3:12: ids.1: is odd");
        assert_eq!(said("ids.1").unwrap(), "f.yaml:3:20: ids.3: is odd");
        assert_eq!(said("ids"), None);
        assert_eq!(said("version").unwrap(), "f.yaml:1:10: version: is odd");
    }

    #[test]
    fn texts_stay_as_written_and_only_true_and_false_are_booleans() {
        let document = Document::parse(
            Path::new("f.yaml"),
            "version: 1\nenabled: true\nids: [0123, no, 1.10, 'x']\n",
        )
        .unwrap();
        assert_eq!(
            document.read::<Outer>().unwrap().ids,
            ["0123", "no", "1.10", "x"]
        );
        assert_eq!(
            problems("version: 1\nenabled: yes\n"),
            ["f.yaml:2:10: enabled: expected true or false, found `yes`"]
        );
    }

    #[test]
    fn variants_are_written_as_a_word_or_as_a_mapping_of_one_key() {
        let read = |text: &str| {
            Document::parse(Path::new("f.yaml"), text)
                .unwrap()
                .read::<Outer>()
                .map(|outer| outer.kind)
        };
        assert!(matches!(
            read("version: 1\nenabled: true\nkind: plain\n"),
            Ok(Some(Way::Plain))
        ));
        let page = read("version: 1\nenabled: true\nkind: { page: { size: 5 } }\n");
        assert!(matches!(page, Ok(Some(Way::Page { size: 5 }))));
        assert_eq!(
            problems("version: 1\nenabled: true\nkind: plian\n"),
            ["f.yaml:3:7: kind: `plian` is not known here; did you mean `plain`?"]
        );
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_place() {
        assert_eq!(
            problems("version: 1\nids:\n\t- a\n"),
            ["f.yaml:3:1: a tab stands in the indent; YAML indents with spaces"]
        );
        assert_eq!(problems("").len(), 1);
    }

    #[test]
    fn bombs_end_in_an_error_soon() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..10 {
            let previous = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", vec![previous; 10].join(","));
        }
        assert_eq!(problems(&bomb).len(), 1);
        assert_eq!(problems(&"[".repeat(100_000)).len(), 1);
        assert_eq!(problems(&"x".repeat(MAX_BYTES + 1)).len(), 1);
    }

    #[test]
    fn a_document_names_what_is_written_in_it_and_no_default() {
        let text = "version: 1\nids: []\ninner: { a: { name: x } }\n";
        let document = Document::parse(Path::new("f.yaml"), text).unwrap();
        for named in ["ids", "inner", "inner.a", "inner.a.name"] {
            assert!(document.names(named), "{named}");
        }
        for absent in ["enabled", "inner.b", "inner.a.count", "ids.0", "version.x"] {
            assert!(!document.names(absent), "{absent}");
        }
    }

    #[test]
    fn a_place_is_found_by_its_path_also_through_keys_with_dots() {
        let document = Document::parse(Path::new("f.yaml"), "a.b:\n  - x\n  - { c: 1 }\n").unwrap();
        assert_eq!(
            document.place("a.b.1.c"),
            Place {
                line: 3,
                column: 10
            }
        );
    }
}
