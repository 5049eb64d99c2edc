//! The script's function `verdict`, as the judge of answers about which the connector's rules say nothing: the same for
//! runs, which take it through `catalog`, and for cases. Decides nothing itself.

use std::sync::Arc;

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;
use serde_json::json;

use crate::config::{self, Verdict};
use crate::script::{Context, Inputs, Script};
use crate::source::{Judge, Ruling, Said};

/// A script that judges, and what it may know besides the answer.
#[derive(Debug)]
pub struct ScriptJudge {
    script: Arc<Script>,
    inputs: Inputs,
}

impl ScriptJudge {
    /// The judge of an integration's answers; none where the script has no function `verdict`.
    pub fn of(
        script: &Arc<Script>,
        id: &str,
        config: &config::Integration,
        today: Date,
    ) -> Option<Arc<dyn Judge>> {
        script.judges().then(|| {
            let inputs = Inputs {
                today,
                integration: id.to_owned(),
                country: config.property.country.clone(),
                timezone: config.property.timezone.clone(),
                properties: config.pms_properties.clone(),
                fields: config.fields.clone(),
                ..Inputs::default()
            };
            let script = Arc::clone(script);
            Arc::new(ScriptJudge { script, inputs }) as Arc<dyn Judge>
        })
    }
}

impl Judge for ScriptJudge {
    fn judge(&self, said: &Said<'_>) -> Result<Option<Ruling>, String> {
        ruling(&self.script, &self.inputs, said)
    }
}

/// The script of a case, as the judge of its answer.
#[derive(Debug)]
pub struct CaseJudge<'a> {
    /// The script.
    pub script: &'a Script,
    /// What it may know besides the answer.
    pub inputs: &'a Inputs,
}

impl Judge for CaseJudge<'_> {
    fn judge(&self, said: &Said<'_>) -> Result<Option<Ruling>, String> {
        ruling(self.script, self.inputs, said)
    }
}

fn ruling(script: &Script, inputs: &Inputs, said: &Said<'_>) -> Result<Option<Ruling>, String> {
    let answer = json!({
        "request": said.request,
        "status": said.status,
        "headers": said.headers,
        "body": said.body,
        "records": said.records,
        "text": said.text,
    });
    let context = Context::new(Inputs {
        request: said.request.to_owned(),
        property: said.property.to_owned(),
        ..inputs.clone()
    });
    let given = script.verdict(&answer, &context).map_err(|mut error| {
        if error.thrown {
            "the script threw an error".clone_into(&mut error.message);
        }
        error.to_string()
    })?;
    given
        .map(|(word, hint)| {
            let verdict =
                Verdict::deserialize(IntoDeserializer::<Error>::into_deserializer(word.as_str()))
                    .map_err(|_| {
                    // The word may come from the answer: it is not repeated.
                    let words = Verdict::WORDS.join(", ");
                    let message =
                        format!("`verdict` gave a word that is no verdict; it is one of: {words}");
                    script.wrong_verdict(&word, message).to_string()
                })?;
            Ok(Ruling { verdict, hint })
        })
        .transpose()
}
