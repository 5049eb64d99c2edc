//! Where a command writes to. Nothing else in `cli` names standard output or standard error.

use std::io::Write;

use serde::Serialize;

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
            serde_json::to_writer_pretty(&mut *self.out, value).map_err(std::io::Error::from)?;
            writeln!(self.out)?;
        } else {
            self.out.write_all(text(value, &self.view).as_bytes())?;
        }
        Ok(())
    }

    /// Writes a value as one line of JSON, at once.
    pub(super) fn line<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        serde_json::to_writer(&mut *self.out, value).map_err(std::io::Error::from)?;
        writeln!(self.out)?;
        self.out.flush()?;
        Ok(())
    }
}
