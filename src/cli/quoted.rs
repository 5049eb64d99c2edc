//! Texts as YAML files have them. Pure.

/// A list of texts on one line.
pub(super) fn sequence<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| scalar(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// Bare where no reader of YAML can take it for anything but text; else in quotes, as JSON writes it, which
/// YAML reads: so no number, date or sign is taken for something else.
pub(super) fn scalar(text: &str) -> String {
    const OTHERS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let goes_on = |c: char| c.is_ascii_alphanumeric() || "_-./ ".contains(c);
    let bare = begins
        && text.chars().all(goes_on)
        && !text.ends_with(' ')
        && !OTHERS.contains(&text.to_ascii_lowercase().as_str());
    if bare { text.to_owned() } else { quoted(text) }
}

/// In quotes.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

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

/// Without line breaks, as a comment has it.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
