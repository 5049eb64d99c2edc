//! Blocks of YAML to paste. Pure.

pub(super) use crate::config::quoted::{one_line, quoted, scalar, sequence};

/// The lines of `map` in a block to paste, and behind a remark those that somebody has to fill in.
pub(super) fn map_to_paste(lines: &[String], open: &[String], remark: &str) -> String {
    let head = if lines.is_empty() {
        "  map: {}\n"
    } else {
        "  map:\n"
    };
    let remark = (!open.is_empty()).then(|| format!("# {remark}"));
    let rest = lines.iter().chain(&remark).chain(open);
    rest.fold(head.to_owned(), |text, line| format!("{text}    {line}\n"))
}
