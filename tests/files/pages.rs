//! The pages that somebody reads: the README, the manual, and what stands beside them, taken apart into blocks, spans, links
//! and headings. Judges nothing.

use std::path::{Path, PathBuf};

/// A page in Markdown.
#[derive(Debug)]
pub(crate) struct Page {
    /// Its file, as it is named from the top of the repository.
    pub(crate) name: String,
    text: String,
}

/// A block between fences.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The word behind the fence, such as `sh`.
    pub(crate) kind: String,
    pub(crate) text: String,
}

/// The top of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            found.push(path);
        }
    }
}

impl Page {
    pub(crate) fn read(name: &str) -> Page {
        let text = std::fs::read_to_string(root().join(name));
        Page {
            name: name.to_owned(),
            text: text.unwrap_or_else(|error| panic!("{name}: {error}")),
        }
    }

    /// The README, what stands beside it but for the list of changes, and the manual.
    pub(crate) fn all() -> Vec<Page> {
        let mut paths = Vec::new();
        below(&root().join("docs"), &mut paths);
        paths.sort();
        let beside = ["README.md", "CONTRIBUTING.md", "SECURITY.md"];
        let names = paths
            .iter()
            .map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap());
        beside.into_iter().chain(names).map(Page::read).collect()
    }

    /// Its lines, and the kind of the block that each is in.
    fn lines(&self) -> Vec<(Option<&str>, &str)> {
        let mut inside = None;
        let mut lines = Vec::new();
        for line in self.text.lines() {
            match (line.trim_start().strip_prefix("```"), inside) {
                (Some(kind), None) => inside = Some(kind),
                (Some(_), Some(_)) => inside = None,
                (None, _) => lines.push((inside, line)),
            }
        }
        assert_eq!(inside, None, "{}: a block has no end", self.name);
        lines
    }

    /// What stands between fences.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        for rest in self.text.split("\n```").skip(1).step_by(2) {
            let (kind, text) = rest.split_once('\n').unwrap();
            blocks.push(Block {
                kind: kind.to_owned(),
                text: text.to_owned(),
            });
        }
        blocks
    }

    /// The lines that are in no block.
    pub(crate) fn prose(&self) -> Vec<&str> {
        let lines = self.lines().into_iter();
        let lines = lines.filter(|(inside, _)| inside.is_none());
        lines.map(|(_, line)| line).collect()
    }

    /// What stands between backticks. A span may go over the end of a line, and not over that of a paragraph.
    pub(crate) fn spans(&self) -> Vec<String> {
        let prose = self.prose().join("\n");
        let mut spans = Vec::new();
        for paragraph in prose.split("\n\n") {
            // Two of them hold one that is meant.
            let paragraph = paragraph.replace("``", "");
            let pieces: Vec<&str> = paragraph.split('`').collect();
            assert!(
                pieces.len() % 2 == 1,
                "{}: a span has no end: {paragraph}",
                self.name
            );
            let inside = pieces.iter().skip(1).step_by(2);
            spans.extend(inside.map(|span| {
                let words: Vec<&str> = span.split_whitespace().collect();
                words.join(" ")
            }));
        }
        spans
    }

    /// Where its links lead to.
    pub(crate) fn links(&self) -> Vec<String> {
        let prose = self.prose().join("\n");
        let rest = prose.split("](").skip(1);
        rest.map(|rest| rest.split(')').next().unwrap().to_owned())
            .collect()
    }

    /// Its headings, as links name them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let headings = self.prose().into_iter().filter_map(|line| {
            line.trim_start_matches('#')
                .strip_prefix(' ')
                .filter(|_| line.starts_with('#'))
        });
        headings.map(anchor).collect()
    }
}

/// A heading as links name it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    kept.chars()
        .filter(|c| c.is_alphanumeric() || ['-', '_'].contains(c))
        .collect()
}

#[test]
fn a_page_is_taken_apart() {
    let page = Page {
        name: "a.md".into(),
        text: "# The `one`, and 2\n\nA `b\nc` in [d](e.md#f).\n\n```sh\nepms x `y`\n```\n\n```text\n[g](h)\n```\n".into(),
    };
    assert_eq!(page.spans(), ["one", "b c"]);
    assert_eq!(page.links(), ["e.md#f"]);
    assert_eq!(page.anchors(), ["the-one-and-2"]);
    let kinds: Vec<(String, String)> = page
        .blocks()
        .into_iter()
        .map(|block| (block.kind, block.text))
        .collect();
    let expected = [("sh", "epms x `y`"), ("text", "[g](h)")];
    let expected = expected.map(|(kind, text)| (kind.to_owned(), text.to_owned()));
    assert_eq!(kinds, expected);
}
