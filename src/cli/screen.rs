//! Where a command writes to. Nothing else in `cli` names standard output or standard error.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::model::{shown, shown_json, shown_lines};

use super::exit::Failure;
use super::view::View;

/// Where a command writes to, and how.
pub struct Screen<'a> {
    /// For what was asked.
    pub out: &'a mut dyn Write,
    /// For errors.
    pub err: &'a mut dyn Write,
    /// How it looks.
    pub view: View,
    /// Whether progress may be drawn, on standard error.
    pub progress: bool,
}

impl Screen<'_> {
    /// Writes `value` as it went over the socket, or what `text` makes of it.
    pub(super) fn show<T: Serialize>(
        &mut self,
        json: bool,
        value: &T,
        text: impl FnOnce(&T, &View) -> String,
    ) -> Result<(), Failure> {
        if json {
            let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from)?;
            writeln!(self.out, "{}", shown_json(&text))?;
        } else {
            self.tell(&text(value, &self.view))?;
        }
        Ok(())
    }

    /// Writes a text that may hold what others said.
    pub(super) fn tell(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(self.harmless(text).as_bytes())?;
        Ok(())
    }

    /// The same, where errors go, and a line break.
    pub(super) fn complain(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.err, "{}", self.harmless(text))?;
        Ok(())
    }

    /// A text that steers nothing but its own colours.
    fn harmless(&self, text: &str) -> String {
        let mut pieces = text.split("\u{1b}[");
        let mut made = shown_lines(pieces.next().unwrap_or_default()).into_owned();
        for piece in pieces {
            let numbers = piece.find(|c: char| !(c.is_ascii_digit() || c == ';'));
            let is_color = numbers.is_some_and(|end| piece[end..].starts_with('m'));
            made += if self.view.color && is_color {
                "\u{1b}["
            } else {
                "\\u{1b}["
            };
            made += &shown_lines(piece);
        }
        made
    }

    /// Writes a value as one line of JSON, at once.
    pub(super) fn line<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(std::io::Error::from)?;
        writeln!(self.out, "{}", shown_json(&text))?;
        self.out.flush()?;
        Ok(())
    }
}

/// Tells whoever sits before the terminal, whatever else is shown there, that an answer is waited for.
pub(super) fn waits_for(socket: &Path) {
    // Where this cannot be written, nobody reads it.
    let _ = writeln!(
        std::io::stderr(),
        "waiting for the daemon on {} to answer; Ctrl-C ends",
        shown(&socket.to_string_lossy())
    );
}

#[cfg(test)]
mod tests {
    use super::super::testing::view;
    use super::*;

    fn told(color: bool, text: &str) -> String {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut screen = Screen {
            out: &mut out,
            err: &mut err,
            view: View { color, ..view() },
            progress: false,
        };
        screen.tell(text).unwrap();
        screen.complain(text).unwrap();
        let told = String::from_utf8(out).unwrap();
        assert_eq!(String::from_utf8(err).unwrap(), format!("{told}\n"));
        told
    }

    #[test]
    fn what_is_told_steers_nothing_but_its_own_colours() {
        let text = "\u{1b}[1;31mred\u{1b}[0m\n\u{1b}[2J\u{202e}\u{1b}]0;title\u{7}";
        let rest = "\n\\u{1b}[2J\\u{202e}\\u{1b}]0;title\\u{7}";
        assert_eq!(told(true, text), format!("\u{1b}[1;31mred\u{1b}[0m{rest}"));
        assert_eq!(
            told(false, text),
            format!("\\u{{1b}}[1;31mred\\u{{1b}}[0m{rest}")
        );
    }
}
