//! `epms status --exit-code`: the one line and the exit code that Nagios and its kin ask a plugin for, and a shell in a
//! cron job. It asks nobody.

use crate::control::protocol::{Health, IntegrationStatus, Severity, Status};

use super::Exit;
use super::status::number;
use super::table::clean;

/// What a monitor is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) line: String,
    /// 0, 1, 2 or 3, as a monitor reads them: not as the other commands mean theirs.
    pub(super) exit: Exit,
}

/// So many integrations are named in the line.
const NAMED: usize = 3;

/// Of the daemon and all its integrations.
pub(super) fn all(status: &Status) -> Told {
    let all: Vec<&IntegrationStatus> = status.integrations.iter().collect();
    if status.offline {
        return told(Severity::Critical, "no daemon runs", &all);
    }
    let mut worst = worst(&all);
    let mut parts = trouble(&all);
    if !status.problems.is_empty() {
        worst = worst.max(Severity::Warning);
        parts.push(number(status.problems.len() as u64, "file is", "files are") + " not right");
    }
    if status.web.as_ref().is_some_and(|web| web.problem.is_some()) {
        worst = worst.max(Severity::Warning);
        parts.push("the page is not on the network, or with an old certificate".to_owned());
    }
    if status.loading_since.is_some() {
        worst = worst.max(Severity::Warning);
        parts.push("the files do not finish loading".to_owned());
    }
    if parts.is_empty() {
        let what = format!(
            "{}, {}",
            number(all.len() as u64, "integration", "integrations"),
            number(status.open_alerts, "open alert", "open alerts")
        );
        return told(Severity::Ok, &what, &all);
    }
    told(worst, &parts.join("; "), &all)
}

/// Of one integration.
pub(super) fn one(status: &IntegrationStatus) -> Told {
    let what = match &status.because {
        Some(why) => format!("{} is {}: {}", status.id, word(status), why),
        None => format!("{} is {}", status.id, word(status)),
    };
    told(status.severity, &what, &[status])
}

/// Nobody answered.
pub(super) fn unknown(why: &str) -> Told {
    let first = why.lines().next().unwrap_or_default();
    Told {
        line: format!("EPMS UNKNOWN - {}\n", plain(first)),
        exit: Exit::OutOfReach,
    }
}

fn told(severity: Severity, what: &str, all: &[&IntegrationStatus]) -> Told {
    let (word, exit) = match severity {
        Severity::Ok => ("OK", Exit::Done),
        Severity::Warning => ("WARNING", Exit::Failed),
        Severity::Critical => ("CRITICAL", Exit::Invalid),
    };
    let count = |severity| all.iter().filter(|one| one.severity == severity).count();
    let alerts: u64 = all.iter().map(|one| one.open_alerts).sum();
    let line = format!(
        "EPMS {word} - {} | ok={} warning={} critical={} alerts={alerts}\n",
        plain(what),
        count(Severity::Ok),
        count(Severity::Warning),
        count(Severity::Critical),
    );
    Told { line, exit }
}

/// What stands before the numbers ends at the first bar.
fn plain(text: &str) -> String {
    clean(text).replace('|', "/")
}

fn worst(all: &[&IntegrationStatus]) -> Severity {
    let severities = all.iter().map(|one| one.severity);
    severities.max().unwrap_or_default()
}

/// Who is not well, the worst first.
fn trouble(all: &[&IntegrationStatus]) -> Vec<String> {
    let mut parts = Vec::new();
    for severity in [Severity::Critical, Severity::Warning] {
        let mut of_it: Vec<&IntegrationStatus> = all.to_vec();
        of_it.retain(|one| one.severity == severity);
        parts.extend(
            of_it
                .iter()
                .take(NAMED)
                .map(|one| format!("{} is {}", one.id, word(one))),
        );
        let more = of_it.len().saturating_sub(NAMED);
        if more > 0 {
            parts.push(format!("{more} more"));
        }
    }
    parts
}

/// How it stands, also while a run is under way.
fn word(one: &IntegrationStatus) -> String {
    match (one.health, one.severity) {
        (Health::Syncing | Health::Waiting, Severity::Warning | Severity::Critical) => {
            "not well".to_owned()
        }
        (Health::Ok, Severity::Warning | Severity::Critical) if !one.problems.is_empty() => {
            "ok by files that are not those on disk".to_owned()
        }
        (Health::Ok, Severity::Warning | Severity::Critical) => "stuck".to_owned(),
        (health, _) => health.as_str().replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples;
    use super::*;

    fn integration(id: &str, health: Health, severity: Severity) -> IntegrationStatus {
        IntegrationStatus {
            health,
            severity,
            problems: Vec::new(),
            open_alerts: 1,
            ..examples::integration(id)
        }
    }

    fn status(integrations: Vec<IntegrationStatus>) -> Status {
        Status {
            problems: Vec::new(),
            open_alerts: 2,
            ..examples::status(integrations)
        }
    }

    #[test]
    fn the_line_names_the_worst_first_and_the_code_is_theirs() {
        let ok = || integration("oak", Health::Ok, Severity::Ok);
        let held = || integration("elm", Health::Held, Severity::Warning);
        let stale = || integration("ash", Health::Stale, Severity::Critical);
        let told = all(&status(vec![ok(), ok()]));
        assert_eq!(told.exit, Exit::Done);
        assert_eq!(
            told.line,
            "EPMS OK - 2 integrations, 2 open alerts | ok=2 warning=0 critical=0 alerts=2\n"
        );
        let told = all(&status(vec![ok(), held()]));
        assert_eq!(told.exit, Exit::Failed);
        let told = all(&status(vec![held(), stale(), ok()]));
        assert_eq!(told.exit, Exit::Invalid);
        assert_eq!(
            told.line,
            "EPMS CRITICAL - ash is stale; elm is held | ok=1 warning=1 critical=1 alerts=3\n"
        );
    }

    #[test]
    fn many_are_counted_and_a_bar_in_a_sentence_begins_no_numbers() {
        let many: Vec<_> = (0..6)
            .map(|n| integration(&format!("e{n}"), Health::Failing, Severity::Warning))
            .collect();
        assert!(all(&status(many)).line.contains("e2 is failing; 3 more |"));
        let mut paused = integration("elm", Health::Paused, Severity::Warning);
        paused.because = Some("paused (a | b)".into());
        let told = one(&paused);
        assert_eq!(
            told.line,
            "EPMS WARNING - elm is paused: paused (a / b) | ok=0 warning=1 critical=0 alerts=1\n"
        );
    }

    #[test]
    fn what_is_wrong_beside_integrations_counts_too() {
        let mut nothing = status(Vec::new());
        nothing.loading_since = Some(nothing.started);
        assert_eq!(all(&nothing).exit, Exit::Failed);
        nothing.offline = true;
        assert_eq!(all(&nothing).exit, Exit::Invalid);
        let told = unknown("the daemon does not run\nmore");
        assert_eq!(
            (told.line.as_str(), told.exit),
            ("EPMS UNKNOWN - the daemon does not run\n", Exit::OutOfReach)
        );
    }
}
