//! What to do next, after a command that is a step on a way: what to type or do, and what it is for.

use serde::Serialize;

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Step {
    /// A command, or something to do elsewhere.
    step: String,
    /// What it is for; empty where that is clear.
    #[serde(skip_serializing_if = "String::is_empty")]
    why: String,
}

impl Step {
    pub(super) fn new(step: impl Into<String>, why: impl Into<String>) -> Step {
        Step {
            step: step.into(),
            why: why.into(),
        }
    }
}

/// The steps below each other, the reasons in a column of their own.
pub(super) fn told(steps: &[Step]) -> String {
    let explained = steps.iter().filter(|step| !step.why.is_empty());
    let width = explained.map(|step| step.step.chars().count()).max();
    let width = width.unwrap_or(0);
    let mut text = "\nnext\n".to_owned();
    for Step { step, why } in steps {
        let line = format!("  {step:width$}   {why}");
        text += line.trim_end();
        text.push('\n');
    }
    text
}
