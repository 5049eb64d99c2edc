//! The `Link` header (RFC 8288). Pure.

/// The target of the first link with the relation, among the header's values.
pub(super) fn target<'a>(values: impl IntoIterator<Item = &'a str>, rel: &str) -> Option<String> {
    values.into_iter().find_map(|value| in_value(value, rel))
}

fn in_value(value: &str, rel: &str) -> Option<String> {
    let mut rest = value;
    loop {
        let (_, behind) = rest.split_once('<')?;
        let (target, behind) = behind.split_once('>')?;
        let end = outside_quotes(behind, ',').unwrap_or(behind.len());
        let (parameters, behind) = behind.split_at(end);
        if has(parameters, rel) {
            return Some(target.trim().to_owned());
        }
        rest = behind;
    }
}

/// Whether `; rel="…"` among the parameters names the relation. Only the first `rel` counts.
fn has(mut parameters: &str, rel: &str) -> bool {
    while let Some(at) = outside_quotes(parameters, ';') {
        let (_, rest) = parameters.split_at(at);
        parameters = rest.strip_prefix(';').unwrap_or(rest);
        let end = outside_quotes(parameters, ';').unwrap_or(parameters.len());
        let (parameter, _) = parameters.split_at(end);
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim().eq_ignore_ascii_case("rel")
        {
            return value
                .trim()
                .trim_matches('"')
                .split_whitespace()
                .any(|one| one.eq_ignore_ascii_case(rel));
        }
    }
    false
}

/// Where a character stands that is not inside a quoted string (RFC 9110, 5.6.4).
pub(super) fn outside_quotes(text: &str, wanted: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if character == wanted && !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_of_a_relation_is_found_among_others() {
        let header = r#"<https://h/a?x=1,2>; rel=prev, </b?y=2>; title="a, <b>; rel=next"; REL="last Next", <c>; rel=next"#;
        assert_eq!(target([header], "next").as_deref(), Some("/b?y=2"));
        assert_eq!(
            target([header], "prev").as_deref(),
            Some("https://h/a?x=1,2")
        );
        assert_eq!(target([header], "first"), None);
        assert_eq!(
            target(["<a>; rel=prev", "<b>;rel=next"], "next").as_deref(),
            Some("b")
        );
        for broken in ["", "<a", "a; rel=next", "<a>, rel=next", "<a>;rel"] {
            assert_eq!(target([broken], "next"), None, "{broken}");
        }
    }
}
