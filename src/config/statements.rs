//! Which statements a template of a file may have: those with which it stands alone. The pages of the daemon are made of
//! several templates, and so the engine knows more. Looks at statements only, and compiles nothing.

/// What names another template, or keeps a part of one under a name.
const FOREIGN: [&str; 7] = [
    "block", "call", "extends", "from", "import", "include", "macro",
];

/// Refuses a template with a statement that the templates of files do not have. Says which, where, and what to do.
pub fn stands_alone(template: &str) -> Result<(), String> {
    let Some((word, at)) = foreign(template) else {
        return Ok(());
    };
    let before = template.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    Err(format!(
        "`{word}` is no statement of these templates (line {line} of it): each stands alone; write what it shall give here, with `if`, `for` and `set`"
    ))
}

/// The first such statement, and where it begins.
fn foreign(template: &str) -> Option<(&str, usize)> {
    let mut at = 0;
    loop {
        let rest = template.get(at..)?;
        let start = rest.match_indices('{').find_map(|(start, _)| {
            let kind = rest.as_bytes().get(start + 1)?;
            matches!(kind, b'{' | b'%' | b'#').then_some((start, *kind))
        });
        let (start, kind) = start?;
        let inner = at + start + 2;
        let inside = template.get(inner..)?;
        at = match kind {
            b'#' => inner + inside.find("#}")? + 2,
            b'{' => inner + length(inside, b'}'),
            _ => {
                let bare = inside.strip_prefix(['-', '+']).unwrap_or(inside);
                let bare = bare.trim_start_matches(|c: char| c.is_ascii_whitespace());
                let is_part = |c: char| c == '_' || c.is_alphanumeric();
                let word = bare.split(|c| !is_part(c)).next().unwrap_or_default();
                if FOREIGN.contains(&word) {
                    return Some((word, at + start));
                }
                let end = inner + length(inside, b'%');
                if tag(inside, "raw") {
                    end + raw(template.get(end..)?)?
                } else {
                    end
                }
            }
        };
    }
}

/// Whether what stands behind `{%` is that word and nothing else.
fn tag(inside: &str, word: &str) -> bool {
    let inside = inside.split("%}").next().unwrap_or_default();
    let signs = |c: char| c.is_ascii_whitespace() || matches!(c, '-' | '+');
    inside.trim_matches(signs) == word
}

/// How much it is to the end of what is to be taken as it stands.
fn raw(rest: &str) -> Option<usize> {
    let mut starts = rest.match_indices("{%");
    starts.find_map(|(start, _)| {
        let inside = rest.get(start + 2..)?;
        let end = start + 2 + inside.find("%}")? + 2;
        tag(inside, "endraw").then_some(end)
    })
}

/// How much it is to the end of an expression or a statement, which closes by this sign and `}`. What stands in quotes or
/// brackets closes nothing.
fn length(inside: &str, sign: u8) -> usize {
    let mut depth: i64 = 0;
    let mut quoted = None;
    let mut bytes = inside.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match (quoted, byte) {
            (Some(_), b'\\') => {
                bytes.next();
            }
            (Some(quote), byte) if quote == byte => quoted = None,
            (None, b'"' | b'\'') => quoted = Some(byte),
            (None, byte)
                if depth == 0
                    && byte == sign
                    && bytes.peek().is_some_and(|(_, next)| *next == b'}') =>
            {
                return at + 2;
            }
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth -= 1,
            (Some(_) | None, _) => {}
        }
    }
    inside.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_another_template_is_refused_with_its_line() {
        for (word, template) in [
            ("macro", "{% macro m(x) %}{{ x }}{% endmacro %}"),
            ("include", "a\n{%- include 'b' -%}"),
            ("import", "{%import 'b' as b%}"),
            ("from", "\n{%+\n from 'b' import c %}"),
            ("extends", "{% extends 'b' %}"),
            ("block", "{{ x }}{# #}{% block b %}{% endblock %}"),
            ("call", "{% call m() %}{% endcall %}"),
            ("include", "{% raw %}{% if %}{% endraw %}{% include 'b' %}"),
            ("include", "{{ '\\'}}' }}{% include 'b' %}"),
            ("include", "{{ {'a': {}} }}{% include 'b' %}"),
            ("include", "{% set a = '%}' %}{% include 'b' %}"),
            ("include", "{%- raw -%} {%- endraw +%}{% include 'b' %}"),
            ("include", "{ {% if x %}{% include x %}{% endif %}"),
        ] {
            let told = stands_alone(template).expect_err(template);
            assert!(told.starts_with(&format!("`{word}` is no")), "{told}");
        }
        let told = stands_alone("a\nb {% include 'c' %}").unwrap_err();
        assert!(told.contains("(line 2 of it)"), "{told}");
    }

    #[test]
    fn what_only_looks_like_such_a_statement_is_let_through() {
        for template in [
            "",
            "{",
            "{{",
            "{%",
            "{#",
            "{% raw %}",
            "plain { % include } text, include and macro",
            "{% if a %}{{ b }}{% else %}{% for c in d %}{{ c }}{% endfor %}{% endif %}",
            "{% set from = 1 %}{{ from }}{{ include }}",
            "{# {% include 'b' %} #}",
            "{{ '{% include %}' }}",
            "{{ \"}} {% include 'b' %}\" }}",
            "{% raw %}{% include 'b' %}{%- endraw %}",
            "{% set a = '{% include %}' %}",
            "{% set includes = 1 %}",
            "{% if a == '\\'{% include' %}{% endif %}",
            "query { residents { property } }",
        ] {
            assert_eq!(stands_alone(template), Ok(()), "{template}");
        }
    }

    #[test]
    fn what_the_engine_takes_for_such_a_statement_is_found() {
        // Each word, in each place where a statement may stand, held against the engine's own reading.
        let environment = minijinja::Environment::new();
        let around = [
            "",
            "x",
            "{{ a }}",
            "{{ a | default('}}') }}",
            "{{ {'a': [1, {}]} }}",
            "{# {% #}",
            "{% if a %}b{% endif %}",
            "{% raw %}{{ {% {% endraw %}",
            "{% set b = \"%}\" %}",
            "{ }",
        ];
        for before in around {
            for signs in ["", "-", "+", " ", "\n"] {
                let text = format!("{before}{{%{signs}include 'other' %}}");
                let read = environment.template_from_str(&text);
                assert!(read.is_ok(), "{text}: {read:?}");
                assert!(stands_alone(&text).is_err(), "{text}");
            }
        }
    }
}
