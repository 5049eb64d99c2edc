//! Tests of templates: what they give, what is escaped, and what is refused.

use super::*;

fn render(place: Place, text: &str) -> Result<String, String> {
    let credential = BTreeMap::from([
        (
            "url".to_owned(),
            Value::from("https://pms.example.com:8443/acme/"),
        ),
        ("password".to_owned(), Value::from("a&b<\"c\n")),
    ]);
    let values = Values {
        credential: &credential,
        fields: &BTreeMap::from([("zone".to_owned(), "a/b".to_owned())]),
        property: "../x y",
        today: jiff::civil::date(2026, 3, 1),
        page: &PageValues {
            number: 2,
            ..PageValues::default()
        },
        ..Values::default()
    };
    alone(place, "f", text, &values, &[])
}

#[test]
fn values_are_escaped_for_where_they_stand() {
    assert_eq!(
        render(Place::Xml, "<P>{{ credential.password }}</P>").unwrap(),
        "<P>a&amp;b&lt;&quot;c\n</P>"
    );
    assert_eq!(
        render(
            Place::Url,
            "{{ credential.url }}/v1/{{ property }}/{{ page.number }}"
        )
        .unwrap(),
        "https://pms.example.com:8443/acme/v1/..%2Fx%20y/2"
    );
    assert_eq!(render(Place::Plain, "{{ fields.zone }}").unwrap(), "a/b");
    assert!(render(Place::Header, "{{ credential.password }}").is_err());
    let segment = |value: &str| {
        let credential = BTreeMap::from([("v".to_owned(), value.to_owned())]);
        rendered(
            Place::Url,
            "https://h.example/a/{{ credential.v }}/b",
            &credential,
        )
    };
    for walks in [".", ".."] {
        assert!(segment(walks).unwrap_err().contains("walk up the path"));
    }
    for (value, path) in [
        ("...", "/a/.../b"),
        ("%2e%2e", "/a/%252e%252e/b"),
        ("a/..", "/a/a%2F../b"),
    ] {
        let url = Url::parse(&segment(value).unwrap()).unwrap();
        assert_eq!(url.path(), path);
    }
}

#[test]
fn hosts_and_dates_come_from_filters() {
    assert_eq!(
        render(Place::Plain, "{{ credential.url | host }}").unwrap(),
        "pms.example.com:8443"
    );
    assert_eq!(
        render(
            Place::Plain,
            "{{ today }} {{ today | days_ago(1) | date('%m/%d/%Y') }}"
        )
        .unwrap(),
        "2026-03-01 02/28/2026"
    );
}

#[test]
fn a_name_that_does_not_exist_is_refused_when_compiled() {
    assert_eq!(
        render(Place::Plain, "{{ credential.pasword }}").unwrap_err(),
        "the template uses `credential.pasword`, which is no credential field; did you mean `credential.password`?"
    );
    assert!(
        render(Place::Plain, "{{ proprety }}")
            .unwrap_err()
            .contains("`proprety`, which does not exist")
    );
    assert!(
        render(Place::Plain, "{{ property")
            .unwrap_err()
            .starts_with("the template is not readable")
    );
}

#[test]
fn a_template_stands_alone_and_names_no_other() {
    for (word, template) in [
        ("macro", "{% macro m() %}{% endmacro %}"),
        ("include", "{% include 'plain:f' %}"),
        ("import", "{% import 'plain:f' as f %}"),
        ("from", "{% from 'plain:f' import f %}"),
        ("extends", "{% extends 'plain:f' %}"),
        ("block", "{% block b %}{% endblock %}"),
        ("call", "{% call f() %}{% endcall %}"),
    ] {
        for place in [Place::Plain, Place::Header, Place::Url, Place::Xml] {
            let told = render(place, template).unwrap_err();
            let begins = format!(
                "the template is not readable: `{word}` is no statement of these templates (line 1 of it)"
            );
            assert!(told.starts_with(&begins), "{told}");
        }
    }
    for template in ["{{ super() }}", "{{ self.b() }}", "{{ caller() }}"] {
        assert!(render(Place::Plain, template).is_err(), "{template}");
    }
}

#[test]
fn no_error_tells_a_value() {
    let error = render(Place::Plain, "{{ credential.password | host }}").unwrap_err();
    assert_eq!(
        error,
        "the template of `f` gives nothing: the value is no http(s) URL (it takes `credential.password`)"
    );
}

#[test]
fn a_value_is_refused_by_a_template_of_its_field_alone() {
    let url = "{{ credential.url | host }}";
    let why = |template, value| refused(template, "url", value);
    assert_eq!(
        why(url, "acme.example"),
        Some("the value is no http(s) URL".into())
    );
    assert_eq!(why(url, "https://acme.example"), None);
    assert_eq!(
        why("{{ credential.user | number }}", "x"),
        None,
        "of another field"
    );
    assert_eq!(why("{{ property | number }}", "x"), None, "of no field");
    let number = refused("{{ credential.id | number }}", "id", "main");
    assert_eq!(number, Some("the value is no number".into()));
}
