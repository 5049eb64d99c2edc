//! A line that is typed or pasted at a terminal and not shown there. Keeps nothing.

use std::io::{self, BufRead, Write};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};

use crate::config::Zeroizing;

/// No secret is longer.
const LONGEST: usize = 64 * 1024;

/// The terminal of this process as it was; put back when this is dropped.
struct Silent(Option<Termios>);

impl Silent {
    /// Shows nothing of what is typed, and hands each key over at once. What is no terminal shows nothing by itself.
    fn begin() -> Silent {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(before) = &before {
            let mut silent = before.clone();
            // Ctrl-C comes as a key too: whoever was ended by it would leave the terminal silent.
            silent
                .local_modes
                .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
            silent.special_codes[SpecialCodeIndex::VMIN] = 1;
            silent.special_codes[SpecialCodeIndex::VTIME] = 0;
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &silent);
        }
        Silent(before)
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, before);
        }
    }
}

/// A line from the terminal, without its end, after this question; none where whoever was asked gave up.
pub(super) fn line(
    question: &str,
    input: &mut dyn BufRead,
    err: &mut dyn Write,
) -> io::Result<Option<Zeroizing<String>>> {
    // Before the question: whoever pastes as soon as it stands there is shown nothing of it either.
    let silent = Silent::begin();
    write!(err, "{question} (it is not shown): ")?;
    err.flush()?;
    let line = typed(input);
    drop(silent);
    writeln!(err)?;
    line
}

/// What the keys make: Backspace takes one away, Ctrl-U all; Ctrl-C, and Ctrl-D with nothing before it, give up.
fn typed(input: &mut dyn BufRead) -> io::Result<Option<Zeroizing<String>>> {
    // Room for all of it, so that nothing is left behind in memory that was too small.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST));
    loop {
        let Some(&key) = input.fill_buf()?.first() else {
            return Ok(None);
        };
        input.consume(1);
        match key {
            3 | 4 if key == 3 || bytes.is_empty() => return Ok(None),
            b'\r' | b'\n' | 4 => break,
            0x15 => bytes.clear(),
            8 | 0x7f => while bytes.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            // No secret has such a key in it.
            0..=31 if key != b'\t' => {}
            _ if bytes.len() == LONGEST => {
                return Err(io::Error::other(
                    "it is longer than 64 KiB, as no secret is",
                ));
            }
            key => bytes.push(key),
        }
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| io::Error::other("it is not UTF-8; set the terminal to UTF-8"))?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(keys: &[u8]) -> Option<String> {
        let mut keys = keys;
        typed(&mut keys).unwrap().map(|line| line.to_string())
    }

    #[test]
    fn a_line_ends_with_enter_and_keys_take_of_it_what_they_take_elsewhere() {
        assert_eq!(of(b"hunter2\nmore").as_deref(), Some("hunter2"));
        assert_eq!(of(b"hunter3\x7f2\r").as_deref(), Some("hunter2"));
        assert_eq!(of("é\x7fe\r".as_bytes()).as_deref(), Some("e"));
        assert_eq!(of(b"wrong\x15right\n").as_deref(), Some("right"));
        assert_eq!(of(b"\n").as_deref(), Some(""));
    }

    #[test]
    fn whoever_gives_up_has_typed_nothing() {
        for keys in [&b"hunter2\x03"[..], b"\x04", b"", b"hunter2"] {
            assert_eq!(of(keys), None);
        }
    }
}
