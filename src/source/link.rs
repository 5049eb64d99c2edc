//! The `Link` header (RFC 8288). Pure.

/// The target of the first link with the relation, among the header's values; none where they have no such link. An error says
/// why that is no answer: one of them is not readable, or there is a next page under another name.
pub(super) fn target<'a>(
    values: impl IntoIterator<Item = &'a str>,
    rel: &str,
) -> Result<Option<String>, String> {
    let (mut is_readable, mut has_next) = (true, false);
    for value in values {
        for link in links(value) {
            let Some((target, rels)) = link else {
                is_readable = false;
                continue;
            };
            let is = |wanted: &str| rels.iter().any(|one| one.eq_ignore_ascii_case(wanted));
            if is(rel) {
                return Ok(Some(target.to_owned()));
            }
            has_next |= is("next");
        }
    }
    if !is_readable {
        return Err("the header `Link` is not readable; it is written <URL>; rel=\"next\"".into());
    }
    if has_next {
        return Err(format!(
            "the header `Link` has a link `next`, and none `{rel}`, which `page.link` of the connector looks for"
        ));
    }
    Ok(None)
}

/// The links of a value with their relations; none in the place of what is no link.
fn links(value: &str) -> Vec<Option<(&str, Vec<&str>)>> {
    let (mut links, mut rest) = (Vec::new(), value);
    loop {
        rest = rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
        if rest.is_empty() {
            return links;
        }
        let target = rest
            .strip_prefix('<')
            .and_then(|behind| behind.split_once('>'));
        let (target, behind) = target.map_or((None, rest), |(one, behind)| (Some(one), behind));
        let end = outside_quotes(behind, ',').unwrap_or(behind.len());
        let (parameters, behind) = behind.split_at(end);
        links.push(target.map(str::trim).zip(relations(parameters)));
        rest = behind;
    }
}

/// What `; rel="…"` among the parameters names; none where there is none. Only the first `rel` counts. Some servers write
/// single quotes.
fn relations(mut parameters: &str) -> Option<Vec<&str>> {
    while let Some(at) = outside_quotes(parameters, ';') {
        let (_, rest) = parameters.split_at(at);
        parameters = rest.strip_prefix(';').unwrap_or(rest);
        let end = outside_quotes(parameters, ';').unwrap_or(parameters.len());
        let (parameter, _) = parameters.split_at(end);
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim().eq_ignore_ascii_case("rel")
        {
            let value = value.trim().trim_matches(['"', '\'']);
            return Some(value.split_whitespace().collect());
        }
    }
    None
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
        let found = |values: &[&str], rel: &str| target(values.iter().copied(), rel).unwrap();
        assert_eq!(found(&[header], "next").as_deref(), Some("/b?y=2"));
        assert_eq!(
            found(&[header], "prev").as_deref(),
            Some("https://h/a?x=1,2")
        );
        let two = ["<a>; rel=prev", "<b>;rel=next"];
        assert_eq!(found(&two, "next").as_deref(), Some("b"));
        let single = "<b?page=2>; rel='next', <z>; rel='last'";
        assert_eq!(found(&[single], "next").as_deref(), Some("b?page=2"));
        for none in [
            "",
            " , ",
            "<a>; rel=prev",
            "</x.css>; rel=preload; as=style",
        ] {
            assert_eq!(target([none], "next"), Ok(None), "{none}");
        }
    }

    #[test]
    fn a_header_that_cannot_be_read_or_names_the_next_page_otherwise_is_not_the_end() {
        for broken in ["<a", "a; rel=next", "<a>, rel=next", "<a>;rel", "<a>; rel"] {
            assert!(target([broken], "next").is_err(), "{broken}");
        }
        // What is broken beside it does not matter where it is found.
        let found = target(["a; rel=prev", "<b>; rel=next"], "next");
        assert_eq!(found, Ok(Some("b".into())));
        let told = target(["<b>; rel=next"], "nxet").unwrap_err();
        assert!(told.contains("`next`, and none `nxet`"), "{told}");
    }
}
