//! What files would change, as Markdown for the comment of a pull request: counts by effect and rule, and nothing that
//! came from a record, a script or the store; with names also who is meant and why, folded away. What others wrote
//! stands in it as text alone: it makes no link, no mention and no markup.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::model::{Difference, Differs, Effect, Field, Switch};

use super::table::field;
use super::{Report, Tried};

/// So many people and alerts of an integration stand in it: a comment has a largest size.
const MOST: usize = 50;
/// So many integrations have a row in the first table.
const ROWS: usize = 200;
/// No more bytes are written: GitHub takes 65,536 letters, others less.
const ROOM: usize = 60_000;

pub(super) fn render(report: &Report, names: bool) -> String {
    let changed: Vec<&Tried> = report.different().collect();
    let any = changed.iter().filter(|one| one.difference.is_any()).count();
    let mut text = if report.is_calm() {
        "### epms: nothing would change\n".to_owned()
    } else {
        format!("### epms: {}\n", report.total())
    };
    if any > 0 {
        text += "\n| integration | comes in | stays out | goes | stays | changes | left out | not left out | waits | other | alerts | run |\n";
        text += "|---|---|---|---|---|---|---|---|---|---|---|---|\n";
        let rows = changed.iter().filter(|one| one.difference.is_any());
        rows.take(ROWS).for_each(|one| text += &row(one));
        text += &more(any, ROWS);
    }
    for one in &report.failed {
        let _ = writeln!(
            text,
            "\n- {} could not be tried: {}",
            code(one.integration.as_str()),
            plain(&one.why)
        );
    }
    for (ids, what) in [
        (&report.new, "is new, and not read before it is live"),
        (
            &report.gone,
            "has no file any more: it would not run, and its people would stay",
        ),
    ] {
        for id in ids {
            let _ = writeln!(text, "\n- {} {what}", code(id.as_str()));
        }
    }
    for (at, one) in changed.iter().enumerate() {
        let folded = folded(one, names);
        if text.len() + folded.len() > ROOM {
            let more = changed.len() - at;
            let told = "whom it is about does not fit into a comment: `epms diff` shows it";
            let _ = writeln!(text, "\nof {more} of them {told}");
            break;
        }
        text += &folded;
    }
    text
}

fn row(one: &Tried) -> String {
    let difference = &one.difference;
    let counts = difference.counts();
    let count = |effects: &[Effect]| -> String {
        let all = effects.iter().filter_map(|effect| counts.get(effect));
        match all.sum::<usize>() {
            0 => String::new(),
            some => some.to_string(),
        }
    };
    let mut cells = vec![code(&one.title())];
    let alone = [
        Effect::ComesIn,
        Effect::StaysOut,
        Effect::Goes,
        Effect::Stays,
        Effect::Changes,
        Effect::LeftOut,
        Effect::NotLeftOut,
        Effect::Waits,
    ];
    cells.extend(alone.map(|effect| count(&[effect])));
    cells.push(count(&[Effect::NotNamed, Effect::Otherwise]));
    cells.push(match difference.alerts.len() {
        0 => String::new(),
        some => some.to_string(),
    });
    cells.push(ends(difference));
    format!("| {} |\n", cells.join(" | "))
}

/// What the guard, or anything else that stops a run, would say; and whether it would run at all.
fn ends(difference: &Difference) -> String {
    let held = difference.is_held().then_some("**held**".to_owned());
    let fails = difference.fails();
    let fails = fails.map(|outcome| format!("**{}**", outcome.as_str().replace('_', " ")));
    let switch = difference.tried.switch.map(|switch| match switch {
        Switch::On => "**on**".to_owned(),
        Switch::Off => "**off**".to_owned(),
    });
    let parts: Vec<String> = switch.into_iter().chain(held.or(fails)).collect();
    parts.join(", ")
}

fn folded(one: &Tried, names: bool) -> String {
    let difference = &one.difference;
    let mut text = format!("\n<details><summary>{}</summary>\n", html(&one.title()));
    if let Some(switch) = difference.tried.switch {
        let _ = writeln!(text, "\n{}", switch.as_str());
    }
    let end = if names { one.end() } else { one.word() };
    if let Some(end) = end {
        let _ = writeln!(text, "\n{}", plain(&end));
    }
    for told in &difference.tried.untried {
        let _ = writeln!(text, "\n- not tried: {}", plain(told));
    }
    text += &if names {
        named(difference)
    } else {
        counted(difference)
    };
    text + "\n</details>\n"
}

/// Who is meant, and why.
fn named(difference: &Difference) -> String {
    let mut text = String::new();
    if !difference.people.is_empty() {
        text += "\n| resident | what | rule | why |\n|---|---|---|---|\n";
        let people = difference.people.iter().take(MOST);
        people.for_each(|who| text += &person(who));
        text += &more(difference.people.len(), MOST);
    }
    if !difference.alerts.is_empty() {
        text += "\n| alert | what | detail |\n|---|---|---|\n";
        for alert in difference.alerts.iter().take(MOST) {
            let (kind, would) = (alert.kind.as_str(), alert.would.as_str());
            let detail = plain(&alert.detail);
            let _ = writeln!(text, "| `{kind}` | {would} | {detail} |");
        }
        text += &more(difference.alerts.len(), MOST);
    }
    text
}

/// How many of what kind. Ids, reasons, details and values may say who somebody is, and do not stand in it.
fn counted(difference: &Difference) -> String {
    let mut text = String::new();
    let people = difference.people.iter();
    let people = counts(people.map(|one| (one.effect, one.rule.as_str(), fields(one))));
    if !people.is_empty() {
        text += "\n| what | rule | fields | residents |\n|---|---|---|---|\n";
        for ((effect, rule, fields), count) in people.iter().take(MOST) {
            let _ = writeln!(text, "| {effect} | {} | {fields} | {count} |", plain(rule));
        }
        text += &more(people.len(), MOST);
    }
    let alerts = difference.alerts.iter();
    let alerts = counts(alerts.map(|one| (one.kind, one.would)));
    if !alerts.is_empty() {
        text += "\n| alert | what | alerts |\n|---|---|---|\n";
        for ((kind, would), count) in &alerts {
            let (kind, would) = (kind.as_str(), would.as_str());
            let _ = writeln!(text, "| `{kind}` | {would} | {count} |");
        }
    }
    text
}

fn counts<T: Ord>(all: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    all.for_each(|one| *counts.entry(one).or_default() += 1);
    counts
}

/// The names of the fields that differ.
fn fields(one: &Differs) -> String {
    let names = one.fields.iter().map(|one| one.field);
    let names: Vec<String> = names.map(|name: Field| code(name.as_str())).collect();
    names.join(", ")
}

fn more(all: usize, shown: usize) -> String {
    match all.saturating_sub(shown) {
        0 => String::new(),
        more => format!("\nand {more} more\n"),
    }
}

fn person(one: &Differs) -> String {
    let mut resident = code(&one.resident);
    if !one.name.is_empty() {
        let _ = write!(resident, " {}", plain(&one.name));
    }
    let fields = one.fields.iter().map(|one| code(&field(one)));
    let reason = Some(plain(&one.reason)).filter(|reason| !reason.is_empty());
    let why: Vec<String> = reason.into_iter().chain(fields).collect();
    format!(
        "| {resident} | {} | {} | {} |\n",
        one.effect,
        plain(&one.rule),
        why.join(", ")
    )
}

/// A text that means nothing but itself, as code.
fn code(text: &str) -> String {
    let one_line = text.replace(['\n', '\r', '`'], " ").replace('|', "\\|");
    match one_line.trim() {
        "" => String::new(),
        text => format!("`{text}`"),
    }
}

/// A text that means nothing but itself.
fn plain(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    // What stands between backticks in our own sentences stays code.
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            made += &code(part);
        } else {
            made += &escaped(part);
        }
    }
    made
}

fn escaped(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => made.push(' '),
            '<' => made += "&lt;",
            '>' => made += "&gt;",
            '&' => made += "&amp;",
            '@' => made += "&#64;",
            '#' => made += "&#35;",
            '|' | '*' | '_' | '[' | ']' | '~' | '\\' | '!' => {
                made.push('\\');
                made.push(c);
            }
            c => made.push(c),
        }
    }
    // These become links by themselves.
    made.replace("://", "&#58;//").replace("www.", "www&#46;")
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_no_markup() {
        assert_eq!(
            plain("see @all <b> [x](http://y) | #7"),
            "see &#64;all &lt;b&gt; \\[x\\](http&#58;//y) \\| &#35;7"
        );
        assert_eq!(code("a`b|c\nd"), "`a b\\|c d`");
        assert_eq!(
            plain("look at `epms run r7` *now*"),
            "look at `epms run r7` \\*now\\*"
        );
    }
}
