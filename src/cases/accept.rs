//! A case whose expectation becomes what came out. Whether that is right is for whoever asks to say.

use std::io::Write;

use crate::beneath::MAX_FILE;
use crate::config::Home;
use crate::script::Script;

use super::case::Case;
use super::find::open;

/// Writes what the script makes of a case's records as what it expects; all else in its file stays as it is written. Tells
/// why not, and then nothing is changed.
pub fn accept(home: &Home, case: &Case, script: &Script) -> Result<(), String> {
    let path = home.root().join(case.file());
    let folder = path.parent().ok_or("it lies in no folder")?;
    let text = home
        .beneath()
        .read_text(&path, MAX_FILE)
        .map_err(|error| error.to_string())?;
    let expectations = case
        .expectations(script)
        .ok_or("nothing came out of it that could be written")?;
    let text = with_expectations(&text, &expectations)
        .ok_or("its `expect` does not begin a line; write it so, or by hand")?;
    let failed = |error: std::io::Error| format!("cannot be written: {error}");
    let mut beside = tempfile::Builder::new()
        .prefix(".accepted-")
        .suffix(".yaml")
        .tempfile_in(folder)
        .map_err(failed)?;
    beside.write_all(text.as_bytes()).map_err(failed)?;
    // What was written must be read again as what came out.
    let read = open(home, beside.path()).map_err(|problems| {
        let first = problems.first().map(|problem| problem.message.clone());
        format!("cannot be written as YAML: {}", first.unwrap_or_default())
    })?;
    if !read.run_with(script).passed {
        return Err(
            "what came out cannot be written so that it passes; write it by hand".to_owned(),
        );
    }
    let permissions = std::fs::metadata(&path).map_err(failed)?.permissions();
    beside
        .as_file()
        .set_permissions(permissions)
        .map_err(failed)?;
    beside.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A case's text with other expectations: from `expect:` at the beginning of a line to the next key there.
fn with_expectations(text: &str, expectations: &str) -> Option<String> {
    let mut written = String::with_capacity(text.len() + expectations.len());
    let (mut found, mut inside) = (false, false);
    // What stands before the next key may be said of that.
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        let begins =
            line.starts_with(|c: char| !c.is_whitespace() && c != '#' && c != '}' && c != ']');
        if line.starts_with("expect:") {
            (found, inside) = (true, true);
            written += expectations;
        } else if inside && begins {
            inside = false;
            written += &kept;
            written += line;
        } else if inside {
            let is_remark = line.starts_with('#') || line.trim().is_empty() && !kept.is_empty();
            if is_remark {
                kept += line;
            } else {
                kept.clear();
            }
        } else {
            written += line;
        }
    }
    if inside {
        written += &kept;
    }
    found.then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_a_case_but_what_it_expects_stays_as_it_is_written() {
        let new = "expect:\n  residents:\n    - { id: b }\n";
        let text = "# About.\nversion: 1\nexpect:\n  # old\n  residents: [{ id: a }]\n# of today\ntoday: 2026-03-01\n";
        assert_eq!(
            with_expectations(text, new).unwrap(),
            format!("# About.\nversion: 1\n{new}# of today\ntoday: 2026-03-01\n")
        );
        let flow = "version: 1\nexpect: { residents: [\n  { id: a },\n] }\n";
        assert_eq!(
            with_expectations(flow, new).unwrap(),
            format!("version: 1\n{new}")
        );
        assert_eq!(with_expectations("{ version: 1, expect: {} }\n", new), None);
    }
}
