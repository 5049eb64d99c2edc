//! Words of commands as a page has them: where a sentence names a command for which there is a page, it names the page. The
//! sentences themselves are those of the commands. Pure.

/// The same sentence for somebody who looks at pages. A command that no page does stays as it is.
pub(super) fn clicked(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('`') {
        told.push_str(before);
        let Some((quoted, after)) = behind.split_once('`') else {
            told.push('`');
            rest = behind;
            break;
        };
        if let Some(page) = page_of(quoted) {
            told.push_str(&page);
        } else {
            told.push('`');
            told.push_str(quoted);
            told.push('`');
        }
        rest = after;
    }
    told.push_str(rest);
    told
}

/// What a page has for a command.
fn page_of(command: &str) -> Option<String> {
    let mut words = command.strip_prefix("epms ")?.split_whitespace();
    let verb = words.next()?;
    let words: Vec<&str> = words.filter(|word| !word.starts_with("--")).collect();
    let of = words.get(1).or(words.first()).copied();
    let named = |what: &str| match of {
        Some(id) if is_id(id) => format!("{what} of {id}"),
        _ => what.to_owned(),
    };
    let told = match (verb, words.first().copied()) {
        ("status", Some(id)) => format!("the page of {id}"),
        ("status", None) => "the page “Integrations”".to_owned(),
        ("runs", _) => "the page “Runs”".to_owned(),
        ("run", Some(_)) | ("people", Some("show" | "history")) | ("alerts", Some("show")) => {
            named("the page")
        }
        ("people", Some("unlink")) => "“Unlink” on the person’s page".to_owned(),
        ("people", Some("unlock")) => "“Unlock” on the person’s page".to_owned(),
        ("people", Some("undo")) => "“Undo” in the person’s history".to_owned(),
        ("people", None) => "the page “People”".to_owned(),
        ("alerts", Some("assign")) => "“Assign” on the alert’s page".to_owned(),
        ("alerts", None | Some("list")) => "the page “Alerts”".to_owned(),
        ("targets", _) => "the page “Targets”".to_owned(),
        ("deliveries", Some("approve")) => "“Approve” on the target’s page".to_owned(),
        ("deliveries", Some("retry")) => "“Try again” on the target’s page".to_owned(),
        ("deliveries", Some("list")) => "the page “Deliveries”".to_owned(),
        ("deliveries", Some("preview")) => "the target’s page".to_owned(),
        ("sync", _) => "“Sync now”".to_owned(),
        ("resume", _) => "“Resume”".to_owned(),
        ("approve", Some(run)) if is_id(run) => {
            format!("“Approve exactly this” on the page of {run}")
        }
        ("approve", None) if !command.contains("--") => {
            "“Approve exactly this” on the run’s page".to_owned()
        }
        ("reject", Some(run)) if is_id(run) => format!("“Reject” on the page of {run}"),
        ("integration", Some("rename")) => {
            "“Give its people to another” on the integration’s page".to_owned()
        }
        ("integration", Some("retire")) => "“Retire” on the integration’s page".to_owned(),
        ("integration", Some("undo")) => "“Undo” on the integration’s page".to_owned(),
        _ => return None,
    };
    Some(told)
}

/// `r12`, `p7`, `a3`, `x9`: something that has a page of its own.
fn is_id(word: &str) -> bool {
    let mut letters = word.chars();
    let first = letters.next().is_some_and(|c| "rpax".contains(c));
    first && word.len() > 1 && letters.all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_the_page_where_there_is_one_and_else_the_command() {
        for (of, told) in [
            (
                "there is no person p9; `epms people` lists them",
                "there is no person p9; the page “People” lists them",
            ),
            (
                "there is no integration `elm`; `epms status` lists them",
                "there is no integration `elm`; the page “Integrations” lists them",
            ),
            (
                "p7 has no stay at `elm`; `epms people show p7` shows their stays",
                "p7 has no stay at `elm`; the page of p7 shows their stays",
            ),
            (
                "look at `epms run r7`, then `epms approve r7` or `epms reject r7`",
                "look at the page of r7, then “Approve exactly this” on the page of r7 or “Reject” on the page of r7",
            ),
            (
                "paused by hand; `epms resume elm` lets it sync again",
                "paused by hand; “Resume” lets it sync again",
            ),
            (
                "`epms check` says what is wrong; and `epms alerts list --kind left_behind --integration elm` who",
                "`epms check` says what is wrong; and the page “Alerts” who",
            ),
            (
                "`epms approve --all --since-upgrade` shows it",
                "`epms approve --all --since-upgrade` shows it",
            ),
            ("one ` alone, and `epms", "one ` alone, and `epms"),
            ("", ""),
        ] {
            assert_eq!(clicked(of), told);
        }
    }
}
