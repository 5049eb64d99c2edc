//! Changes what the file of an integration says at some places, and leaves all else of its text as it is: comments, order and
//! spaces. What cannot be changed so is told, with the line that somebody writes instead. Pure.

use std::ops::Range;
use std::path::Path;

use crate::config::quoted::{scalar, sequence};
use crate::config::{Document, File, Integration};

/// What is to stand at a place: a dotted path of one key, or of one in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The path, such as `guard.limit`.
    pub field: &'static str,
    /// What is to stand there.
    pub to: To,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// A text, which is quoted where YAML would take it for something else.
    Text(String),
    /// A number, a duration or a truth, as it is written.
    Plain(String),
    /// A list of texts.
    List(Vec<String>),
}

impl To {
    fn written(&self) -> String {
        match self {
            To::Text(text) => scalar(text),
            To::Plain(text) => text.clone(),
            To::List(items) => sequence(items),
        }
    }
}

impl Edit {
    /// A line of a file that says nothing else of it.
    pub fn line(&self) -> String {
        let value = self.to.written();
        match self.field.split_once('.') {
            Some((outer, inner)) => format!("{outer}: {{ {inner}: {value} }}"),
            None => format!("{}: {value}", self.field),
        }
    }

    /// What somebody writes who does it by hand, beside what stands there.
    pub fn by_hand(&self) -> String {
        let value = self.to.written();
        match self.field.split_once('.') {
            Some((outer, inner)) => format!("{inner}: {value}   # in {outer}"),
            None => self.line(),
        }
    }
}

/// A file after its edits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// Its text, with what could be changed.
    pub text: String,
    /// What could not be.
    pub by_hand: Vec<Edit>,
}

/// Makes each edit that changes nothing but its own value.
pub fn edited(id: &str, text: &str, edits: &[Edit]) -> Edited {
    let mut done = Edited {
        text: text.to_owned(),
        by_hand: Vec::new(),
    };
    for edit in edits {
        match made(id, &done.text, edit) {
            Some(text) => done.text = text,
            None => done.by_hand.push(edit.clone()),
        }
    }
    done
}

/// The text with an edit, where reading it again shows that value, and every other as before.
fn made(id: &str, text: &str, edit: &Edit) -> Option<String> {
    let before = File::of_integration(id, text).ok()?.value;
    let wanted = wanted(before, edit)?;
    let after = put(text, edit)?;
    let read = File::of_integration(id, &after).ok()?.value;
    (read == wanted && keeps_comments(text, &after)).then_some(after)
}

/// What the file is to say.
fn wanted(before: Integration, edit: &Edit) -> Option<Integration> {
    let mut to = before;
    let number = |plain: &To| match plain {
        To::Plain(text) => text.parse().ok(),
        _ => None,
    };
    let span = |plain: &To| match plain {
        To::Plain(text) => text.parse().ok(),
        _ => None,
    };
    match (edit.field, &edit.to) {
        ("property.name", To::Text(text)) => to.property.name.clone_from(text),
        ("property.timezone", To::Text(text)) => to.property.timezone.clone_from(text),
        ("property.country", To::Text(text)) => to.property.country.clone_from(text),
        ("pms_properties", To::List(list)) => to.pms_properties.clone_from(list),
        ("exclude_statuses", To::List(list)) => to.exclude_statuses.clone_from(list),
        ("enabled", To::Plain(text)) => to.enabled = text.parse().ok()?,
        ("schedule.every", plain) => {
            let mut schedule = to.schedule.unwrap_or_default();
            schedule.every = span(plain)?;
            to.schedule = Some(schedule);
        }
        ("guard.limit", plain) => to.guard.limit = number(plain)?,
        ("guard.percent", plain) => to.guard.percent = number(plain)?,
        ("guard.newcomers", plain) => to.guard.newcomers = number(plain)?,
        ("guard.month", plain) => to.guard.month = number(plain)?,
        ("guard.window", plain) => to.guard.window = span(plain)?,
        _ => return None,
    }
    Some(to)
}

/// Whether every line that is a comment is still there, in its order.
fn keeps_comments(before: &str, after: &str) -> bool {
    let is_comment = |line: &&str| line.trim_start().starts_with('#');
    let mut rest = after.lines().filter(is_comment);
    before
        .lines()
        .filter(is_comment)
        .all(|one| rest.any(|other| other == one))
}

/// The text with the value put where its key is, or at the end where there is none.
fn put(text: &str, edit: &Edit) -> Option<String> {
    let value = edit.to.written();
    let Some((outer, inner)) = edit.field.split_once('.') else {
        let Some(key) = top(text, edit.field) else {
            return Some(appended(text, &edit.line()));
        };
        return match &edit.to {
            To::List(items) => list(text, edit.field, &key, items),
            _ => scalar_at(text, edit.field, false, &value),
        };
    };
    let Some(key) = top(text, outer) else {
        return Some(appended(text, &edit.line()));
    };
    let document = Document::parse(Path::new("integration.yaml"), text).ok()?;
    let flow = flow(text, &key);
    if document.names(edit.field) {
        return scalar_at(text, edit.field, flow.is_some(), &value);
    }
    if let Some(flow) = flow {
        let inside = text.get(flow.start + 1..flow.end - 1)?;
        if inside.contains(['#', '\n']) {
            return None;
        }
        let end = flow.start + 1 + inside.trim_end().len();
        let joined = if inside.trim().is_empty() { " " } else { ", " };
        let made = format!("{joined}{inner}: {value}");
        return Some(replaced(text, end..end, &made));
    }
    // Below its key, as far in as what is there.
    let rest = text.get(key.value..)?;
    let (line, below) = rest.split_once('\n')?;
    if !line.split('#').next()?.trim().is_empty() {
        return None;
    }
    let is_said = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let first = below.lines().find(is_said)?;
    let indent = first.len() - first.trim_start().len();
    let at = key.value + line.len() + 1;
    let made = format!("{}{inner}: {value}\n", " ".repeat(indent));
    (indent > 0).then(|| replaced(text, at..at, &made))
}

/// Where a key of the outermost map stands.
struct Top {
    /// Behind its colon.
    value: usize,
}

fn top(text: &str, key: &str) -> Option<Top> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let rest = line
            .strip_prefix(key)
            .and_then(|rest| rest.strip_prefix(':'));
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\n', '\r'])) {
            return Some(Top {
                value: at + key.len() + 1,
            });
        }
        at += line.len();
    }
    None
}

fn appended(text: &str, line: &str) -> String {
    let joined = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{text}{joined}\n{line}\n")
}

fn replaced(text: &str, range: Range<usize>, with: &str) -> String {
    let mut text = text.to_owned();
    text.replace_range(range, with);
    text
}

/// A list or a map in brackets that begins on the line of its key: all of it.
fn flow(text: &str, key: &Top) -> Option<Range<usize>> {
    let rest = text.get(key.value..)?;
    let line = rest.lines().next()?;
    let begins = line.len() - line.trim_start().len();
    let start = key.value + begins;
    if !line.trim_start().starts_with(['[', '{']) {
        return None;
    }
    let mut depth = 0_u32;
    let mut signs = text.get(start..)?.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '[' | '{' => depth += 1,
            ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(start..start + at + 1);
                }
            }
            '"' => {
                while let Some((_, sign)) = signs.next() {
                    match sign {
                        '\\' => drop(signs.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '\'' => {
                signs.by_ref().find(|(_, sign)| *sign == '\'');
            }
            _ => {}
        }
    }
    None
}

/// Another value in the place of one that is no list and no map, on one line.
fn scalar_at(text: &str, field: &str, in_flow: bool, value: &str) -> Option<String> {
    let document = Document::parse(Path::new("integration.yaml"), text).ok()?;
    let place = document.place(field);
    let line = usize::try_from(place.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(place.column).ok()?.checked_sub(1)?;
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(before..)?.lines().next()?;
    let from = rest.char_indices().nth(column).map(|(at, _)| at)?;
    let rest = rest.get(from..)?;
    let length = match rest.chars().next()? {
        '"' => {
            let mut is_escaped = false;
            let closes = |c: char| {
                let closes = c == '"' && !is_escaped;
                is_escaped = c == '\\' && !is_escaped;
                closes
            };
            rest.get(1..)?.find(closes)? + 2
        }
        '\'' => {
            let mut at = 1;
            loop {
                at += rest.get(at..)?.find('\'')? + 1;
                if !rest.get(at..)?.starts_with('\'') {
                    break at;
                }
                at += 1;
            }
        }
        '|' | '>' | '&' | '*' | '!' | '[' | '{' => return None,
        _ => {
            let ends = rest.find(" #").unwrap_or(rest.len());
            let in_brackets = rest.find([',', '}', ']']).filter(|_| in_flow);
            let rest = rest.get(..in_brackets.map_or(ends, |at| at.min(ends)))?;
            rest.trim_end().len()
        }
    };
    let start = before + from;
    (length > 0).then(|| replaced(text, start..start + length, value))
}

/// Other items in a list of the outermost map. In one with an item a line, lines go and come; the others stay.
fn list(text: &str, field: &str, key: &Top, items: &[String]) -> Option<String> {
    if let Some(flow) = flow(text, key) {
        let written = text.get(flow.clone())?;
        return (!written.contains('#')).then(|| replaced(text, flow, &sequence(items)));
    }
    let file = File::of_integration("integration", text).ok()?.value;
    let known = match field {
        "pms_properties" => file.pms_properties,
        _ => file.exclude_statuses,
    };
    let rest = text.get(key.value..)?;
    let (line, below) = rest.split_once('\n')?;
    if !line.split('#').next()?.trim().is_empty() {
        return None;
    }
    let start = key.value + line.len() + 1;
    let (mut at, mut places) = (start, Vec::new());
    let mut indent = None;
    for line in below.split_inclusive('\n') {
        let bare = line.trim_start();
        let is_item = bare.starts_with("- ");
        if is_item && *indent.get_or_insert(line.len() - bare.len()) == line.len() - bare.len() {
            places.push(at..at + line.len());
        } else if !bare.is_empty() && !bare.starts_with('#') {
            break;
        }
        at += line.len();
    }
    // Each item has a line of its own, else nothing is known of it.
    if places.len() != known.len() || items.is_empty() {
        return None;
    }
    let indent = " ".repeat(indent.unwrap_or(0));
    let new = items.iter().filter(|item| !known.contains(item));
    let new = new.fold(String::new(), |text, item| {
        format!("{text}{indent}- {}\n", scalar(item))
    });
    let end = places.last()?.end;
    let mut made = text.to_owned();
    let is_closed = made.get(..end)?.ends_with('\n');
    made.insert_str(end, &if is_closed { new } else { format!("\n{new}") });
    for (place, _) in places
        .into_iter()
        .zip(&known)
        .rev()
        .filter(|(_, item)| !items.contains(item))
    {
        made.replace_range(place, "");
    }
    Some(made)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FLOW: &str = "# Ours
version: 1
# The place
property: { name: \"Elm, #1\", timezone: America/New_York, country: US }  # of Ana
credential: acme
pms_properties: [b1, \"002\"]   # both
# never
exclude_statuses: []
enabled: true # for now
units:
  here: [\"1\", \"2\"]
";
    const BLOCK: &str = "version: 1
property:
  # as the sign says
  name: 'It''s Elm'
  country: US   # phones
credential: acme
guard:
  # careful
  percent: 5
pms_properties:
  - b1 # the tower
  # the rest
  - \"002\"
exclude_statuses:
- Past
schedule: { jitter: 1m }
enabled: false";

    fn edit(field: &'static str, to: To) -> Edit {
        Edit { field, to }
    }

    fn text(text: &str) -> To {
        To::Text(text.into())
    }

    fn plain(text: &str) -> To {
        To::Plain(text.into())
    }

    fn items(items: &[&str]) -> To {
        To::List(items.iter().map(|item| (*item).to_owned()).collect())
    }

    #[test]
    fn a_value_is_changed_and_everything_around_it_stays() {
        let edits = [
            edit("property.name", text("Oak: \"Court\"")),
            edit("property.timezone", text("Europe/Oslo")),
            edit("pms_properties", items(&["b1", "0003"])),
            edit("exclude_statuses", items(&["Past", "no"])),
            edit("enabled", plain("false")),
            edit("schedule.every", plain("30m")),
            edit("guard.limit", plain("7")),
        ];
        let Edited { text, by_hand } = edited("elm", FLOW, &edits);
        assert_eq!(by_hand, []);
        assert_eq!(
            text,
            "# Ours
version: 1
# The place
property: { name: \"Oak: \\\"Court\\\"\", timezone: Europe/Oslo, country: US }  # of Ana
credential: acme
pms_properties: [b1, \"0003\"]   # both
# never
exclude_statuses: [Past, \"no\"]
enabled: false # for now
units:
  here: [\"1\", \"2\"]

schedule: { every: 30m }

guard: { limit: 7 }
"
        );
    }

    #[test]
    fn what_has_a_line_of_its_own_is_changed_in_its_line() {
        let edits = [
            edit("property.name", text("Oak")),
            edit("property.country", text("CA")),
            edit("pms_properties", items(&["b1", "b3"])),
            edit("exclude_statuses", items(&["Past", "Denied"])),
            edit("schedule.every", plain("15m")),
            edit("guard.percent", plain("20")),
            edit("guard.limit", plain("9")),
            edit("enabled", plain("true")),
            edit("property.timezone", text("Europe/Oslo")),
        ];
        let Edited { text, by_hand } = edited("elm", BLOCK, &edits);
        assert_eq!(by_hand, []);
        assert_eq!(
            text,
            "version: 1
property:
  timezone: Europe/Oslo
  # as the sign says
  name: Oak
  country: CA   # phones
credential: acme
guard:
  limit: 9
  # careful
  percent: 20
pms_properties:
  - b1 # the tower
  # the rest
  - b3
exclude_statuses:
- Past
- Denied
schedule: { jitter: 1m, every: 15m }
enabled: true"
        );
    }

    #[test]
    fn what_cannot_be_changed_alone_is_left_and_its_line_told() {
        let anchored = "version: 1\nproperty: &p { name: Elm, timezone: UTC }\ncredential: a\npms_properties: [\n  b1, # the tower\n  b2,\n]\nexclude_statuses: &w [Past]\n";
        let edits = [
            edit("property.name", text("Oak")),
            edit("pms_properties", items(&["b1"])),
            edit("exclude_statuses", items(&["Past", "Denied"])),
            edit("guard.limit", plain("9")),
        ];
        let Edited { text, by_hand } = edited("elm", anchored, &edits);
        let lines: Vec<String> = by_hand.iter().map(Edit::by_hand).collect();
        assert_eq!(
            lines,
            [
                "name: Oak   # in property",
                "pms_properties: [b1]",
                "exclude_statuses: [Past, Denied]"
            ]
        );
        assert!(text.contains("property: &p { name: Elm, timezone: UTC }"));
        assert!(text.ends_with("exclude_statuses: &w [Past]\n\nguard: { limit: 9 }\n"));
        let one = "{ version: 1, property: { name: Elm, timezone: UTC }, credential: a, pms_properties: [b1] }\n";
        let done = edited("elm", one, &edits[..1]);
        assert_eq!((done.text.as_str(), done.by_hand.len()), (one, 1));
    }

    fn word() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-zA-Z0-9 :#,'\"{}\\[\\]\\\\|>&*!%@`-]{1,12}",
            Just("yes".to_owned()),
            Just("0123".to_owned()),
            "\\PC{1,8}",
        ]
    }

    proptest! {
        #[test]
        fn an_edit_changes_its_value_alone_or_nothing(
            is_flow in any::<bool>(),
            name in word(),
            list in prop::collection::vec(word(), 0..4),
            limit in 1_u32..1000,
        ) {
            let before = if is_flow { FLOW } else { BLOCK };
            let mut list = list;
            list.retain(|one| !one.trim().is_empty());
            list.dedup();
            let edits = [
                edit("property.name", To::Text(name)),
                edit("exclude_statuses", To::List(list.clone())),
                edit("pms_properties", To::List(list)),
                edit("guard.limit", To::Plain(limit.to_string())),
            ];
            let mut expected = File::of_integration("elm", before).unwrap().value;
            let done = edited("elm", before, &edits);
            for one in edits.iter().filter(|one| !done.by_hand.contains(one)) {
                expected = wanted(expected, one).unwrap();
            }
            let read = File::of_integration("elm", &done.text).unwrap().value;
            prop_assert_eq!(read, expected);
            prop_assert!(keeps_comments(before, &done.text));
            prop_assert!(!done.by_hand.iter().any(|one| one.field.starts_with("guard")));
        }
    }
}
