//! The line that a problem is about, with a mark under the place. Reads the file again, and shows nothing of
//! what may be a secret.

use std::path::Path;

use crate::model::{Code, Place, Problem};

/// A line longer than this is cut around the place.
const WIDTH: usize = 110;

/// The line of a problem and a mark below it; nothing where there is no place, or the line is not there any more.
pub(super) fn excerpt(problem: &Problem, text: &str) -> Option<String> {
    let Place { line, column } = problem.place?;
    let shown = text
        .lines()
        .nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    let at = usize::try_from(column).ok()?.checked_sub(1)?;
    let mut shown: Vec<char> = shown
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if at > shown.len() {
        return None;
    }
    hide_login(&mut shown);
    if may_hold_secrets(problem) {
        elide(&mut shown, at, problem.code == Code::Reference);
    }
    let rest = &shown[at..];
    let word = match rest.first() {
        Some(quote @ ('"' | '\'')) => {
            let closed = rest.iter().skip(1).position(|c| c == quote);
            closed.map_or(1, |length| length + 2)
        }
        _ => rest
            .iter()
            .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '.'))
            .count(),
    };
    // Of what is longer than the width its begin is shown.
    let from = (at + word.max(1)).saturating_sub(WIDTH).min(at);
    let cut: String = shown.iter().skip(from).take(WIDTH).collect();
    let number = line.to_string();
    let pad = " ".repeat(number.len());
    let before: String = " ".repeat(at - from);
    let mark = "^".repeat(word.clamp(1, WIDTH.saturating_sub(at - from).max(1)));
    Some(format!(
        "  {number} | {}\n  {pad} | {before}{mark}\n",
        cut.trim_end()
    ))
}

/// Hides user and password of an address, `https://user:password@host`, wherever it stands.
fn hide_login(shown: &mut [char]) {
    let mut from = 0;
    while let Some(at) = shown[from..]
        .windows(3)
        .position(|three| three == [':', '/', '/'])
    {
        let begin = from + at + 3;
        let is_end = |c: &char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | ',' | '}');
        let host = &shown[begin..];
        let host = &host[..host.iter().position(is_end).unwrap_or(host.len())];
        let login = host.iter().rposition(|c| *c == '@').unwrap_or(0);
        shown[begin..begin + login].fill('*');
        from = begin;
    }
}

/// A credential's values may be secrets that stand where they should not.
fn may_hold_secrets(problem: &Problem) -> bool {
    problem.code == Code::Secret || problem.file.starts_with(Path::new("config/credentials"))
}

/// Leaves of a line only the key at a place, or the `name` that stands there; not what stands before or behind it.
fn elide(shown: &mut Vec<char>, at: usize, name: bool) {
    let word = shown[at..]
        .iter()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        .count();
    let keeps = match shown.get(at + word) {
        Some(':') => word + 1,
        _ if name => word,
        _ => 0,
    };
    if shown.len() > at + keeps {
        shown.truncate(at + keeps);
        shown.push('…');
    }
    // In a block mapping, a key of plain characters is all that stands before a value.
    let before: String = shown[..at].iter().collect();
    let key = before.trim_end().strip_suffix(':').unwrap_or(&before);
    if !key.trim().chars().all(|c| c.is_alphanumeric() || c == '_') {
        shown[..at].fill(' ');
        if let Some(dots) = at.checked_sub(2) {
            shown[dots] = '…';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: u32, column: u32, code: Code) -> Problem {
        Problem {
            file: "config/integrations/elm.yaml".into(),
            place: Some(Place { line, column }),
            field: String::new(),
            message: "is wrong".into(),
            code,
        }
    }

    #[test]
    fn the_line_is_shown_with_a_mark_under_the_word() {
        let text = "version: 1\nscrpt: yardi.rhai\n\tx: [é, wrong]\n";
        let shown = |line, column| excerpt(&problem(line, column, Code::Value), text);
        assert_eq!(
            shown(2, 1).unwrap(),
            "  2 | scrpt: yardi.rhai\n    | ^^^^^\n"
        );
        assert_eq!(
            shown(3, 9).unwrap(),
            "  3 |  x: [é, wrong]\n    |         ^^^^^\n"
        );
        assert_eq!(
            shown(2, 6).unwrap(),
            "  2 | scrpt: yardi.rhai\n    |      ^\n"
        );
        assert_eq!(shown(9, 1), None);
        assert_eq!(shown(2, 80), None);
    }

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        let text = "fields:\n  password: hunter2 is secret\n";
        let shown = excerpt(&problem(2, 13, Code::Secret), text).unwrap();
        assert_eq!(shown, "  2 |   password: …\n    |             ^\n");
        let mut other = problem(2, 13, Code::UnknownField);
        other.file = "config/credentials/acme.yaml".into();
        assert!(!excerpt(&other, text).unwrap().contains("hunter2"));
        let flow = "fields: { password: hunter2, usrname: x }\n";
        let mut other = problem(1, 30, Code::UnknownField);
        other.file = "config/credentials/acme.yaml".into();
        let shown = excerpt(&other, flow).unwrap();
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("… usrname:…\n"), "{shown}");
    }

    #[test]
    fn a_password_in_an_address_is_shown_nowhere() {
        let text = "proxy: \"http://ana:s3cret@proxy.example:3128/x\"  # https://b:c@d\n";
        let shown = excerpt(&problem(1, 8, Code::Value), text).unwrap();
        let hidden = "  1 | proxy: \"http://**********@proxy.example:3128/x\"  # https://***@d\n";
        assert!(shown.starts_with(hidden), "{shown}");
    }

    #[test]
    fn of_a_value_longer_than_a_line_the_begin_is_shown() {
        let long = "w".repeat(3 * WIDTH);
        for text in [
            format!("url: \"{long}\""),
            format!("{}url: {long}", "a".repeat(WIDTH)),
        ] {
            let column = u32::try_from(text.find(['"', 'w']).unwrap()).unwrap() + 1;
            let shown = excerpt(&problem(1, column, Code::Value), &text).unwrap();
            let lines: Vec<&str> = shown.lines().collect();
            assert!(lines[1].ends_with("^^^"), "{shown}");
            assert!(
                lines.iter().all(|line| line.chars().count() <= WIDTH + 6),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}wrong{}", "a, ".repeat(200), ", b".repeat(200));
        let shown = excerpt(&problem(1, 601, Code::Value), &text).unwrap();
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[0].ends_with("wrong"), "{shown}");
        assert!(lines[1].ends_with(" ^^^^^"), "{shown}");
        assert_eq!(lines[0].chars().count(), lines[1].chars().count());
    }
}
