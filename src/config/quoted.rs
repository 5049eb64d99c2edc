//! Texts as YAML files have them. Pure.

/// A list of texts on one line.
pub fn sequence<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| scalar(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// Bare where no reader of YAML can take it for anything but text; else in quotes, as JSON writes it, which
/// YAML reads: so no number, date or sign is taken for something else.
pub fn scalar(text: &str) -> String {
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
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Without line breaks, as a comment has it.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
