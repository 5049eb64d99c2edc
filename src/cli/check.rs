//! `epms check`: all files validated, all scripts compiled, offline. The daemon loads by the same code.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use crate::beneath::MAX_FILE;
use crate::cases;
use crate::catalog;
use crate::config::{Files, Home, SecretError, WebFileError, read_accounts, read_tokens};
use crate::model::{Problem, Problems};

use super::excerpt::excerpt;
use super::{Exit, Failure, Screen};

/// What to check.
#[derive(Debug, Args)]
#[command(after_help = "\
ends with 2 when something is wrong; each problem is one line,
file:line:column: field: what to do, and the line it is about. --json has a
`code` for each, which stays

a warning is of what may be meant, and most likely is not: a rule that never
decides, a lookup that the connector does not have, residents of properties
that are not attached, names that a script reads and the PMS never sent in the
answers recorded beside the mapping tests. warnings count with --strict; of
those that could end in a feed that looks whole and is not, `version: 2` of a
connector's file makes errors, and what has one does not load

examples
  epms check
  epms check --strict
  epms check config/integrations/123-building-name.yaml
  epms check config/targets/acme-door.yaml")]
pub struct CheckArguments {
    /// Report only what concerns these files or folders [default: all of the home]
    pub paths: Vec<PathBuf>,
    /// Let warnings count: end with 2 where there is one
    #[arg(long)]
    pub strict: bool,
}

pub(super) fn run(
    arguments: &CheckArguments,
    json: bool,
    home: &Home,
    current: &Path,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let mut found = catalog::check(home, Timestamp::now()).0;
    found.extend(cases::recorded(home));
    found.extend(who_gets_in(home));
    let mut found = Problems(found).sorted().0;
    if !arguments.paths.is_empty() {
        let asked: Vec<PathBuf> = arguments
            .paths
            .iter()
            .map(|path| home.name(&current.join(path)))
            .collect();
        for path in &asked {
            if !home.root().join(path).exists() {
                let told = format!(
                    "there is no {}; paths lie below {}",
                    path.display(),
                    home.root().display()
                );
                return Err(Failure::other(Exit::Invalid, told));
            }
        }
        found.retain(|problem| asked.iter().any(|path| problem.file.starts_with(path)));
    }
    let counts = |problem: &Problem| arguments.strict || !problem.code.is_warning();
    let exit = if found.iter().any(counts) {
        Exit::Invalid
    } else {
        Exit::Done
    };
    screen.show(json, &Problems(found), |found, _| told(&found.0, home))?;
    Ok(exit)
}

/// What is wrong with the files that say who gets in over the network, where they can be read here. Where they are not, or are
/// closed to whoever checks, `doctor` says so, run as the daemon's user.
fn who_gets_in(home: &Home) -> Vec<Problem> {
    let Ok(settings) = Files::read_settings(home) else {
        return Vec::new();
    };
    let Some(web) = &settings.value.web else {
        return Vec::new();
    };
    let told = |error: WebFileError| match error {
        WebFileError::Read(SecretError::File { .. } | SecretError::Shut { .. }) => None,
        error => Some(error.to_string()),
    };
    let accounts = web.accounts.as_ref().and_then(|path| {
        match read_accounts(&home.root().join(path)) {
            Ok(accounts) => {
                let is_hash = |hash: &str| hash.starts_with("$argon2id$");
                let odd = accounts.values().filter(|one| !is_hash(&one.password));
                let odd = odd.count();
                let what = format!("{odd} of the accounts there have no hash of a password, and do not get in; set them anew: epms web passwd NAME");
                (odd > 0).then_some(what)
            }
            Err(error) => told(error),
        }
    });
    let tokens = web.tokens.as_ref().and_then(|path| {
        match read_tokens(&home.root().join(path)) {
            Ok(tokens) => {
                let odd = tokens.values().filter(|one| !is_token(&one.token)).count();
                let what = format!("{odd} of the tokens there are no hashes of one, and let nobody in; make them anew: epms web token NAME");
                (odd > 0).then_some(what)
            }
            Err(error) => told(error),
        }
    });
    let found = [("web.accounts", accounts), ("web.tokens", tokens)];
    let found = found.into_iter();
    found
        .filter_map(|(field, what)| Some(settings.document.problem(field, what?)))
        .collect()
}

fn is_token(hash: &str) -> bool {
    let digits = hash.strip_prefix("blake3:").unwrap_or_default();
    digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Problems with the lines that they are about; each file is read once.
fn with_lines(found: &[Problem], home: &Home) -> String {
    let mut text = String::new();
    let mut read: Option<(&Path, String)> = None;
    for problem in found {
        text += &line(problem);
        if read.as_ref().is_none_or(|(file, _)| *file != problem.file) {
            let lines = home.beneath().read(&problem.file, MAX_FILE);
            let lines = lines.unwrap_or_default();
            read = Some((&problem.file, String::from_utf8_lossy(&lines).into_owned()));
        }
        if let Some((_, lines)) = &read {
            let lines = lines.strip_prefix('\u{feff}').unwrap_or(lines);
            text += &excerpt(problem, lines).unwrap_or_default();
        }
    }
    text
}

/// A problem as a compiler would tell it: `file:line:column: warning: field: what`.
fn line(problem: &Problem) -> String {
    let told = problem.to_string();
    let at = problem.at();
    match told.strip_prefix(&at) {
        Some(what) if problem.code.is_warning() => format!("{at}: warning{what}\n"),
        _ => format!("{told}\n"),
    }
}

fn told(found: &[Problem], home: &Home) -> String {
    if found.is_empty() {
        return format!("everything in {} is right\n", home.root().display());
    }
    let counted = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        count => Some(format!("{count} {what}s")),
    };
    let warnings = found.iter().filter(|one| one.code.is_warning()).count();
    let counts: Vec<String> = [
        counted(found.len() - warnings, "problem"),
        counted(warnings, "warning"),
    ]
    .into_iter()
    .flatten()
    .collect();
    format!("{}\n{}\n", with_lines(found, home), counts.join(", "))
}
