//! What a template that stands alone gives: a text, or a value of JSON; and whether it may be left out. Renders nothing.

/// What a leaf of a body, or a value of a query, gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) kind: Kind,
    /// That it is left out where its value is not set.
    pub(super) is_optional: bool,
}

/// What it is in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Boolean,
    /// Whatever the value is.
    Json,
}

/// The filter by which a value may be left out.
pub(super) const OPTIONAL: &str = "optional";

impl Leaf {
    /// A template alone whose last filter gives more than a text, or whose first lets it be left out.
    pub(super) fn of(template: &str) -> Leaf {
        let inner = template
            .trim()
            .strip_prefix("{{")
            .and_then(|rest| rest.strip_suffix("}}"))
            .filter(|inner| !inner.contains("{{") && !inner.contains("}}"));
        let inner = inner.unwrap_or_default();
        let mut filters = filters(inner);
        let first = filters.next();
        let kind = match filters.last().or(first) {
            Some("number") => Kind::Number,
            Some("boolean") => Kind::Boolean,
            Some("json") => Kind::Json,
            _ => Kind::Text,
        };
        Leaf {
            kind,
            is_optional: first == Some(OPTIONAL),
        }
    }
}

/// Whether a template has the filter by which it may be left out, wherever it stands.
pub(super) fn names_optional(template: &str) -> bool {
    let mut pieces = template.split("{{").skip(1);
    pieces.any(|piece| {
        let inner = piece.split("}}").next().unwrap_or_default();
        filters(inner).any(|filter| filter == OPTIONAL)
    })
}

/// The names of the filters behind a value.
fn filters(inner: &str) -> impl Iterator<Item = &str> {
    let filters = inner.split('|').skip(1);
    filters.map(|filter| {
        let name = filter.split('(').next().unwrap_or_default();
        name.trim().trim_end_matches('-').trim()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_filter_of_a_template_alone_says_what_it_gives() {
        for (template, kind, is_optional) in [
            ("{{ page.number | number }}", Kind::Number, false),
            ("{{- fields.all|boolean -}}", Kind::Boolean, false),
            ("{{ grant.doors | json }}", Kind::Json, false),
            ("{{ grant.doors | optional | json }}", Kind::Json, true),
            ("{{ grant.phone | optional }}", Kind::Text, true),
            ("{{grant.phone|optional-}}", Kind::Text, true),
            ("{{ grant.phone | upper | optional }}", Kind::Text, false),
            (
                "{{ grant.phone | default('x') | number }}",
                Kind::Number,
                false,
            ),
            ("a {{ page.number | number }}", Kind::Text, false),
            ("{{ a | json }}{{ b | json }}", Kind::Text, false),
            ("optional", Kind::Text, false),
        ] {
            assert_eq!(Leaf::of(template), Leaf { kind, is_optional }, "{template}");
        }
    }

    #[test]
    fn the_filter_by_which_a_value_may_be_left_out_is_found_wherever_it_stands() {
        for (template, names) in [
            ("{{ grant.phone | optional }}", true),
            ("x{{ a }}{{ grant.phone | upper | optional }}", true),
            ("{{ grant.optional }} | optional", false),
            ("{{ a | default('x') }}", false),
        ] {
            assert_eq!(names_optional(template), names, "{template}");
        }
    }
}
