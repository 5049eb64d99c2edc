//! Questions, where somebody is there to answer them. A flag answers its question beforehand. Whoever goes a step back, or
//! changes an answer, goes the whole way again; what was answered before is taken as it was, and not asked.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use crate::config::{Credential, Zeroizing};
use crate::model::shown_lines;
use crate::setup::OfAccount;

use super::super::{Exit, Failure, hidden};
use super::look::Seen;

/// The answer that goes a step back.
const BACK: &str = "<";

/// Somebody at a terminal, or nobody.
pub(super) struct Dialog<'i, 'e> {
    /// Where answers come from; none where nobody is there.
    pub(super) input: Option<&'i mut (dyn BufRead + 'i)>,
    /// Where questions go.
    pub(super) err: &'e mut dyn Write,
    /// Whether defaults are taken without a question.
    pub(super) yes: bool,
    pub(super) answers: Answers,
}

/// What was answered so far.
#[derive(Default)]
pub(super) struct Answers {
    /// By the flag of the question: taken as they are when it comes again.
    kept: BTreeMap<String, String>,
    /// What was answered to questions that are asked anew.
    before: BTreeMap<String, String>,
    /// The questions of this way, in their order, with their answers.
    way: Vec<Answered>,
    /// What is said before a question that may not be asked.
    unsaid: Vec<String>,
    /// The way is gone again.
    again: bool,
    /// The last answer was taken as it was before.
    pub(super) was_kept: bool,
    /// Secrets that were typed, by the flags of their questions.
    secrets: BTreeMap<String, Zeroizing<String>>,
    /// What was seen elsewhere on the way, so that nobody is asked for it twice.
    pub(super) seen: Seen,
    /// The same of all properties of an account.
    pub(super) of_account: Option<(Credential, Vec<OfAccount>)>,
}

/// A question that was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answered {
    flag: String,
    text: String,
    answer: String,
}

/// What is to become of what was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Write,
    Drop,
    /// An answer is another: the way is gone again.
    Change,
}

/// A question, and the flag that answers it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) flag: &'a str,
    pub(super) text: &'a str,
    pub(super) default: Option<&'a str>,
}

impl<'i, 'e> Dialog<'i, 'e> {
    pub(super) fn new(
        input: Option<&'i mut (dyn BufRead + 'i)>,
        err: &'e mut dyn Write,
        yes: bool,
    ) -> Dialog<'i, 'e> {
        Dialog {
            input,
            err,
            yes,
            answers: Answers::default(),
        }
    }

    /// Whether somebody is there who wants to be asked what could be taken as it is.
    pub(super) fn is_open(&self) -> bool {
        self.input.is_some() && !self.yes
    }

    /// Begins the way, or begins it again.
    pub(super) fn begin(&mut self) {
        self.answers.way.clear();
        self.answers.unsaid.clear();
        self.answers.again = false;
    }

    /// The way is at its end: what was answered to questions that are not asked any more counts no longer.
    pub(super) fn arrived(&mut self) {
        let Answers {
            kept, way, unsaid, ..
        } = &mut self.answers;
        kept.retain(|flag, _| way.iter().any(|one| one.flag == *flag));
        unsaid.clear();
    }

    /// Whether the way is to be gone again.
    pub(super) fn goes_again(&self) -> bool {
        self.answers.again
    }

    /// Whether the next question may be one that was answered already.
    fn is_ahead(&self) -> bool {
        let is_asked = |flag: &String| self.answers.way.iter().any(|one| one.flag == *flag);
        self.answers.kept.keys().any(|flag| !is_asked(flag))
    }

    /// Says something to whoever answers.
    pub(super) fn say(&mut self, text: &str) -> Result<(), Failure> {
        if self.input.is_none() {
            return Ok(());
        }
        if self.is_ahead() {
            self.answers.unsaid.push(text.to_owned());
            return Ok(());
        }
        writeln!(self.err, "{}", shown_lines(text))?;
        Ok(())
    }

    /// Says what was kept back, as the question is asked.
    fn say_unsaid(&mut self) -> Result<(), Failure> {
        for text in std::mem::take(&mut self.answers.unsaid) {
            writeln!(self.err, "{}", shown_lines(&text))?;
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
        let Question { flag, default, .. } = question;
        let invalid = |told: String| Failure::other(Exit::Invalid, format!("{flag}: {told}"));
        self.answers.was_kept = false;
        if let Some(given) = given {
            return check(given).map_err(invalid);
        }
        if let (false, Some(default)) = (self.is_open(), default) {
            return check(default).map_err(invalid);
        }
        if let Some(answer) = self.kept(question, &check) {
            return Ok(answer);
        }
        if self.input.is_none() {
            return Err(missing(question));
        }
        self.say_unsaid()?;
        let before = self.answers.before.get(flag).cloned();
        // Where nothing is an answer too, it must go on being one.
        let question = Question {
            default: match default {
                Some("") => default,
                default => before.as_deref().or(default),
            },
            ..question
        };
        loop {
            let line = self.line(question)?;
            if line == BACK {
                self.back()?;
                continue;
            }
            match check(&line) {
                Ok(answer) => {
                    self.keep(question, line);
                    return Ok(answer);
                }
                Err(told) => writeln!(self.err, "  {}", shown_lines(&told))?,
            }
        }
    }

    /// What was answered before, where that still fits.
    fn kept<T>(
        &mut self,
        question: Question<'_>,
        check: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let Question { flag, .. } = question;
        let is_asked = self.answers.way.iter().any(|one| one.flag == flag);
        let kept = self.answers.kept.get(flag).filter(|_| !is_asked)?.clone();
        let Ok(answer) = check(&kept) else {
            self.forget(flag);
            return None;
        };
        self.answers.unsaid.clear();
        self.keep(question, kept);
        self.answers.was_kept = true;
        Some(answer)
    }

    fn keep(&mut self, question: Question<'_>, line: String) {
        let answers = &mut self.answers;
        answers.kept.insert(question.flag.to_owned(), line.clone());
        answers.way.retain(|one| one.flag != question.flag);
        answers.way.push(Answered {
            flag: question.flag.to_owned(),
            text: question.text.to_owned(),
            answer: line,
        });
    }

    fn forget(&mut self, flag: &str) {
        if let Some(line) = self.answers.kept.remove(flag) {
            self.answers.before.insert(flag.to_owned(), line);
        }
        self.answers.secrets.remove(flag);
    }

    /// Goes back to the question before; where there is none, says so.
    fn back(&mut self) -> Result<(), Failure> {
        let Some(last) = self.answers.way.last().map(|one| one.flag.clone()) else {
            writeln!(self.err, "  this is the first question")?;
            return Ok(());
        };
        self.forget(&last);
        self.answers.again = true;
        Err(Failure::other(Exit::Failed, "went back"))
    }

    /// A line, or the default in the place of an empty one.
    fn line(&mut self, question: Question<'_>) -> Result<String, Failure> {
        let Question { text, default, .. } = question;
        match default {
            Some("") | None => write!(self.err, "{text}: ")?,
            Some(default) => write!(self.err, "{text} [{default}]: ")?,
        }
        self.err.flush()?;
        let Some(input) = &mut self.input else {
            return Err(missing(question));
        };
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            writeln!(self.err)?;
            return Err(missing(question));
        }
        Ok(match (line.trim(), default) {
            ("", Some(default)) => default.to_owned(),
            (line, _) => line.to_owned(),
        })
    }

    /// A secret that is typed or pasted, and not shown; the one from before where the way is gone again.
    pub(super) fn secret(&mut self, flag: &str, name: &str) -> Result<Zeroizing<String>, Failure> {
        if let Some(secret) = self.answers.secrets.get(flag) {
            return Ok(secret.clone());
        }
        let gave_up = || {
            Failure::other(
                Exit::Invalid,
                format!("there is no {name}; nothing was written"),
            )
        };
        loop {
            let input = self.input.as_deref_mut().ok_or_else(gave_up)?;
            let line = hidden::line(name, input, &mut *self.err)?.ok_or_else(gave_up)?;
            if line.is_empty() {
                writeln!(self.err, "  is empty; paste it, or give up with Ctrl-C")?;
                continue;
            }
            self.answers.secrets.insert(flag.to_owned(), line.clone());
            return Ok(line);
        }
    }

    /// Shows what was answered, and asks what is to become of it.
    pub(super) fn verdict(&mut self) -> Result<Verdict, Failure> {
        let way = self.answers.way.clone();
        for (at, Answered { text, answer, .. }) in way.iter().enumerate() {
            let answer = if answer.is_empty() { "–" } else { answer };
            let question = text.split(" (").next().unwrap_or_default();
            self.say(&format!("  {:2}  {question}: {answer}", at + 1))?;
        }
        if !way.is_empty() {
            self.say(
                "y writes it, n does not, `<` goes a step back, and a number changes that answer",
            )?;
        }
        let question = Question {
            flag: "--yes",
            text: "write it",
            default: Some("y"),
        };
        loop {
            let line = self.line(question)?;
            if line == BACK {
                self.back()?;
                continue;
            }
            let number: Option<usize> = line.parse().ok();
            let changed = number.and_then(|number| way.get(number.checked_sub(1)?));
            if let Some(changed) = changed {
                self.forget(&changed.flag);
                return Ok(Verdict::Change);
            }
            match crate::setup::answer::yes(&line) {
                Ok(true) => return Ok(Verdict::Write),
                Ok(false) => return Ok(Verdict::Drop),
                Err(told) => writeln!(self.err, "  {told}, or the number of an answer")?,
            }
        }
    }
}

fn missing(question: Question<'_>) -> Failure {
    let Question { flag, text, .. } = question;
    let told = format!("there is no answer to `{text}`; give it with {flag}");
    Failure::other(Exit::Invalid, told)
}
