//! The script's function `verdict`: what an answer means, where the connector's rules do not say. Knows only
//! the shape of what is given, not the words.

use rhai::{Dynamic, Map};

use super::room::with_room;
use super::{Context, Script, ScriptError};

impl Script {
    /// Whether the script has something to say about what answers mean.
    pub fn judges(&self) -> bool {
        self.judges
    }

    /// What is wrong with a word that it gave: told where the word is written out, else where the function begins.
    pub fn wrong_verdict(&self, word: &str, message: String) -> ScriptError {
        let mut verdicts = self.verdicts().iter();
        match verdicts.find(|(written, _)| written == word) {
            Some((_, at)) => ScriptError {
                file: at.file.clone(),
                place: at.place,
                ..self.error(None, message)
            },
            None => self.wrong_of("verdict", message),
        }
    }

    /// What an answer means, where the connector's rules do not say: a word and a hint, or nothing, and
    /// the status decides as usual.
    pub fn verdict(
        &self,
        answer: &serde_json::Value,
        ctx: &Context,
    ) -> Result<Option<(String, Option<String>)>, ScriptError> {
        if !self.judges {
            return Ok(None);
        }
        with_room(|| self.judged(answer, ctx))
    }

    fn judged(
        &self,
        answer: &serde_json::Value,
        ctx: &Context,
    ) -> Result<Option<(String, Option<String>)>, ScriptError> {
        let shape = || {
            self.wrong_of(
                "verdict",
                "`verdict` gives a word, a map such as #{ verdict: \"maintenance\", hint: \"…\" }, or ()".into(),
            )
        };
        let again = || rhai::serde::to_dynamic(answer).ok();
        let given = self.call("verdict", again().ok_or_else(shape)?, again, ctx)?;
        if given.is_unit() {
            return Ok(None);
        }
        if given.is_string() {
            return Ok(given.into_string().ok().map(|word| (word, None)));
        }
        let mut map = given.try_cast::<Map>().ok_or_else(shape)?;
        let mut text = |key: &str| map.remove(key).map(Dynamic::into_string).transpose();
        let (word, hint) = (text("verdict"), text("hint"));
        match (word, hint) {
            (Ok(Some(word)), Ok(hint)) if map.is_empty() => Ok(Some((word, hint))),
            _ => Err(shape()),
        }
    }
}
