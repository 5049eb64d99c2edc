//! Where something stands in a text, by line and column. Pure.

use std::fmt;

/// A place in a text. Both numbers begin with 1; a column is a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Position {
    /// Of the byte `at`. A line ends with LF, CR LF or CR.
    pub(super) fn of(text: &str, at: usize) -> Position {
        let before = text
            .get(..text.floor_char_boundary(at.min(text.len())))
            .unwrap_or_default();
        let bytes = before.as_bytes();
        let ends = |(at, byte): &(usize, &u8)| match byte {
            b'\n' => true,
            b'\r' => text.as_bytes().get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        let (mut line, mut begin) = (1, 0);
        for (at, _) in bytes.iter().enumerate().filter(ends) {
            line += 1;
            begin = at + 1;
        }
        let column = before.get(begin..).unwrap_or_default().chars().count() + 1;
        Position { line, column }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_whatever_ends_them_and_columns_are_characters() {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!("a{end}éb{end}{end}c");
            let at = |wanted: char| Position::of(&text, text.find(wanted).unwrap()).to_string();
            assert_eq!(at('a'), "line 1, column 1");
            assert_eq!(at('b'), "line 2, column 2");
            assert_eq!(at('c'), "line 4, column 1");
        }
        assert_eq!(Position::of("ab", 9).to_string(), "line 1, column 3");
    }
}
