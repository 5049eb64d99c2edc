//! Text of a page: paragraphs that fit a width, indented. It knows nothing of what it says.

/// A page under way.
pub(super) struct Text {
    out: String,
    width: usize,
}

impl Text {
    /// An empty page for so many columns.
    pub(super) fn new(width: usize) -> Text {
        Text {
            out: String::new(),
            width,
        }
    }

    /// A line as it is; it is not broken.
    pub(super) fn line(&mut self, indent: usize, line: &str) {
        if !line.is_empty() {
            self.out.extend(std::iter::repeat_n(' ', indent));
            self.out += line;
        }
        self.out.push('\n');
    }

    /// An empty line, unless the page begins or one is there.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A heading, with an empty line before it.
    pub(super) fn heading(&mut self, text: &str) {
        self.gap();
        self.line(0, text);
        self.out.push('\n');
    }

    /// Words, broken into lines.
    pub(super) fn words(&mut self, indent: usize, text: &str) {
        self.item(indent, "", 0, text);
    }

    /// A word, and beside it what it means: lines begin `column` behind the word.
    pub(super) fn item(&mut self, indent: usize, word: &str, column: usize, text: &str) {
        let mut line = format!("{:indent$}{word}", "");
        let below = indent + column;
        let count = |line: &str| line.chars().count();
        if !word.is_empty() {
            let pad = below.saturating_sub(count(&line)).max(1);
            line += &" ".repeat(pad);
        }
        let mut is_begun = false;
        for part in &parts(text) {
            if is_begun && count(&line) + 1 + count(part) > self.width {
                self.out += line.trim_end();
                self.out.push('\n');
                line = " ".repeat(below);
            } else if is_begun {
                line.push(' ');
            }
            line += part;
            is_begun = true;
        }
        self.out += line.trim_end();
        self.out.push('\n');
    }

    /// An expression and what it gives, on one line if it fits.
    pub(super) fn example(&mut self, indent: usize, expression: &str, result: &str) {
        let whole = format!("{expression} → {result}");
        if indent + whole.chars().count() <= self.width {
            self.line(indent, &whole);
        } else {
            self.line(indent, expression);
            self.line(indent + 2, &format!("→ {result}"));
        }
    }

    /// The page.
    pub(super) fn finish(self) -> String {
        self.out
    }
}

/// Words; what stands between backticks is one, unless it is long.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut is_open = false;
    for word in text.split_whitespace() {
        let flips = word.matches('`').count() % 2 == 1;
        match parts.last_mut() {
            Some(last) if is_open && last.chars().count() < 40 => {
                last.push(' ');
                *last += word;
            }
            _ => parts.push(word.to_owned()),
        }
        is_open ^= flips;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_broken_and_stand_below_each_other() {
        let mut text = Text::new(24);
        text.words(2, "one two three four five six seven");
        text.item(2, "ab", 6, "one two three four five six");
        text.item(2, "longer-than-that", 6, "one two");
        assert_eq!(
            text.finish(),
            "  one two three four\n  five six seven\n  ab    one two three\n        four five six\n  longer-than-that one\n        two\n"
        );
    }
}
