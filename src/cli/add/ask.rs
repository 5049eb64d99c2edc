//! Questions, where somebody is there to answer them. A flag answers its question beforehand.

use std::io::{BufRead, Write};

use crate::model::shown_lines;

use super::super::{Exit, Failure};

/// Somebody at a terminal, or nobody.
pub(super) struct Dialog<'i, 'e> {
    /// Where answers come from; none where nobody is there.
    pub(super) input: Option<&'i mut (dyn BufRead + 'i)>,
    /// Where questions go.
    pub(super) err: &'e mut dyn Write,
    /// Whether defaults are taken without a question.
    pub(super) yes: bool,
}

/// A question, and the flag that answers it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) flag: &'a str,
    pub(super) text: &'a str,
    pub(super) default: Option<&'a str>,
}

impl Dialog<'_, '_> {
    /// Whether somebody is there who wants to be asked what could be taken as it is.
    pub(super) fn is_open(&self) -> bool {
        self.input.is_some() && !self.yes
    }

    /// Says something to whoever answers.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Failure> {
        if self.input.is_some() {
            writeln!(self.err, "{}", shown_lines(text))?;
        }
        Ok(())
    }

    /// The answer of the flag, else the default where nobody is to be asked, else what is answered. A wrong
    /// answer is asked for again; a wrong flag is an error.
    pub(super) fn answer<T>(
        &mut self,
        given: Option<&str>,
        question: Question<'_>,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Failure> {
        let Question {
            flag,
            text,
            default,
        } = question;
        let invalid = |told: String| Failure::other(Exit::Invalid, format!("{flag}: {told}"));
        if let Some(given) = given {
            return check(given).map_err(invalid);
        }
        if let (false, Some(default)) = (self.is_open(), default) {
            return check(default).map_err(invalid);
        }
        let missing = || {
            let told = format!("there is no answer to `{text}`; give it with {flag}");
            Failure::other(Exit::Invalid, told)
        };
        let Some(input) = &mut self.input else {
            return Err(missing());
        };
        loop {
            match default {
                Some("") | None => write!(self.err, "{text}: ")?,
                Some(default) => write!(self.err, "{text} [{default}]: ")?,
            }
            self.err.flush()?;
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                writeln!(self.err)?;
                return Err(missing());
            }
            let line = match (line.trim(), default) {
                ("", Some(default)) => default,
                (line, _) => line,
            };
            match check(line) {
                Ok(answer) => return Ok(answer),
                Err(told) => writeln!(self.err, "  {}", shown_lines(&told))?,
            }
        }
    }
}
