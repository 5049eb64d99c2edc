//! A case about an answer: what the connector's rules and the script's `verdict` make of it, as in a run, held against what
//! is expected.

use std::sync::Arc;

use serde_json::Value;

use crate::config::Verdict;
use crate::script::{Context, Inputs, Lookups, Script};
use crate::source::{By, Judge, Meaning, Sample, Source};

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
    /// What it means to a run of this script. An error says what is wrong with the case or the script.
    pub(super) fn meaning(&self, script: &Script, context: &Context) -> Result<Meaning, String> {
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
        self.source
            .meaning(&inputs.request, &inputs.property, judge, sample)
    }

    /// What is different from what is expected, as lines.
    pub(super) fn difference(
        &self,
        expect: &Expect,
        script: &Script,
        context: &Context,
    ) -> Vec<String> {
        let meaning = match self.meaning(script, context) {
            Ok(meaning) => meaning,
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
        match (&expect.incomplete, &meaning.wrong) {
            (Some(wanted), Some(wrong)) if wrong.contains(wanted.as_str()) => {}
            (wanted, wrong) => {
                let of_it = wanted
                    .iter()
                    .map(|wanted| format!("  - incomplete: {wanted}"));
                lines.extend(of_it);
                lines.extend(match (wanted, wrong) {
                    (None, Some(wrong)) => Some(format!("  + a run would be incomplete: {wrong}")),
                    (Some(_), Some(wrong)) => Some(format!("  + incomplete: {wrong}")),
                    (Some(_), None) => Some(format!(
                        "  + a run would not be: verdict {}, {}, and {} records",
                        word(meaning.verdict),
                        self.by(&meaning.by, context),
                        meaning.records
                    )),
                    (None, None) => None,
                });
            }
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

    /// What came out, as a case says it; none where nothing did.
    pub(super) fn expectations(&self, script: &Script, context: &Context) -> Option<String> {
        let meaning = self.meaning(script, context).ok()?;
        let mut text = format!("expect:\n  verdict: {}\n", word(meaning.verdict));
        if let Some(hint) = meaning.hint {
            text += &format!("  hint: {}\n", Value::String(hint));
        }
        if let Some(wrong) = meaning.wrong {
            text += &format!("  incomplete: {}\n", Value::String(wrong));
        }
        Some(text)
    }
}

/// As connectors and scripts write it.
fn word(verdict: Verdict) -> String {
    let word = serde_json::to_value(verdict).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}
