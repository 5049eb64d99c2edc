//! A case about an answer: what the connector's rules and the script's `verdict` make of it, as in a run, held against what
//! is expected.

use std::sync::Arc;

use serde_json::Value;

use crate::config::Verdict;
use crate::script::{Context, Inputs, Lookups, Script};
use crate::source::{Alone, AnswerTo, By, Judge, Meaning, Sample, Source};

use super::judge::CaseJudge;
use super::written::Expect;

/// An answer of a PMS, and the connector that it is judged by.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    pub(super) source: Arc<Source>,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answered {
    /// What a run of this script would make of it, were it all that comes. An error says what is wrong with the case or the
    /// script.
    pub(super) fn alone(&self, script: &Script, context: &Context) -> Result<Alone, String> {
        let inputs = Inputs {
            // Whoever judges an answer of a run has no lookups either.
            lookups: Arc::new(Lookups::new()),
            ..context.inputs().clone()
        };
        let judge = CaseJudge {
            script,
            inputs: &inputs,
        };
        let judge = script.judges().then_some(&judge as &dyn Judge);
        let sample = Sample {
            status: self.status,
            headers: &self.headers,
            body: &self.body,
        };
        let asked = AnswerTo {
            request: &inputs.request,
            property: &inputs.property,
            attached: &inputs.properties,
            shape: None,
        };
        self.source.alone(asked, judge, sample)
    }

    /// What is different from what is expected, as lines. With `as_before`, only what earlier versions saw that looked at no
    /// path of the connector.
    pub(super) fn difference(
        &self,
        expect: &Expect,
        script: &Script,
        context: &Context,
        as_before: bool,
    ) -> Vec<String> {
        let Alone {
            meaning,
            incomplete,
        } = match self.alone(script, context) {
            Ok(alone) => alone,
            Err(error) => return vec!["answer:".to_owned(), format!("  + {error}")],
        };
        let mut lines = Vec::new();
        if let Some(wanted) = expect.verdict
            && wanted != meaning.verdict
        {
            lines.push(format!("  - verdict: {}", word(wanted)));
            lines.push(format!(
                "  + verdict: {}, {}",
                word(meaning.verdict),
                self.by(&meaning.by, context)
            ));
        }
        let hint = meaning.hint.as_deref().unwrap_or_default();
        if let Some(wanted) = &expect.hint
            && !hint.contains(wanted.as_str())
        {
            lines.push(format!("  - hint: {wanted}"));
            let came = if hint.is_empty() { "none" } else { hint };
            lines.push(format!("  + hint: {came}"));
        }
        let wrong = incomplete.as_ref().map(|incomplete| &incomplete.told);
        let is_wanted = |wanted: &String| {
            wrong.is_some_and(|wrong| wrong.to_string().contains(wanted.as_str()))
        };
        match (&expect.incomplete, wrong) {
            (Some(wanted), _) if is_wanted(wanted) => {}
            // Any other verdict says so itself.
            (None, Some(_)) if !says_all_is_well(meaning.verdict) => {}
            (None, Some(_)) if as_before && meaning.wrong.is_none() => {}
            (None, Some(wrong)) => {
                lines.push(format!("  + a run would be incomplete: {}", wrong.what));
            }
            (Some(wanted), wrong) => {
                lines.push(format!("  - incomplete: {wanted}"));
                lines.push(match wrong {
                    Some(wrong) => format!("  + incomplete: {}", wrong.what),
                    None => self.not_incomplete(&meaning, context),
                });
            }
            (None, None) => {}
        }
        if !lines.is_empty() {
            lines.insert(0, "answer:".to_owned());
        }
        lines
    }

    /// Who decided, as whoever wrote it knows it.
    fn by(&self, by: &By, context: &Context) -> String {
        match by {
            By::Rule(at) => {
                let named = self.source.rule_named(&context.inputs().request, at);
                format!("by the rule {named} of the connector")
            }
            By::Judge => "by the function `verdict`".to_owned(),
            By::Usual => "by its status, as no rule says otherwise".to_owned(),
        }
    }

    /// What a run would be that is not incomplete.
    fn not_incomplete(&self, meaning: &Meaning, context: &Context) -> String {
        let by = self.by(&meaning.by, context);
        let judged = format!("verdict {}, {by}", word(meaning.verdict));
        match meaning.verdict {
            Verdict::LoginFailed => format!("  + a run would end as `login_failed`: {judged}"),
            Verdict::Denied => format!("  + a run would end as `failed`: {judged}"),
            _ => format!(
                "  + a run would not be: {judged}, and {} records",
                meaning.records
            ),
        }
    }

    /// What came out, as a case says it; none where nothing did.
    pub(super) fn expectations(&self, script: &Script, context: &Context) -> Option<String> {
        let Alone {
            meaning,
            incomplete,
        } = self.alone(script, context).ok()?;
        let mut text = format!("expect:\n  verdict: {}\n", word(meaning.verdict));
        if let Some(hint) = meaning.hint {
            text += &format!("  hint: {}\n", Value::String(hint));
        }
        if let Some(wrong) = incomplete.filter(|_| says_all_is_well(meaning.verdict)) {
            text += &format!("  incomplete: {}\n", Value::String(wrong.told.what));
        }
        Some(text)
    }
}

/// Whether a run takes records of answers with this verdict.
fn says_all_is_well(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Ok | Verdict::Empty)
}

/// How a run would end in place of being incomplete.
/// As connectors and scripts write it.
fn word(verdict: Verdict) -> String {
    let word = serde_json::to_value(verdict).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}
