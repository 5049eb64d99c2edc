//! What the reference says of templates and paths. Its examples are tests.

/// Something that may be written, and what it does.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    /// How it is written.
    pub form: &'static str,
    /// What it does.
    pub says: &'static str,
    /// An example: a template, or a path and the answer that it leads through.
    pub example: (&'static str, &'static str),
    /// What the example gives.
    pub gives: &'static str,
}

/// The filters of templates. The second of an example is what stands around it: nothing.
pub const FILTERS: [Described; 11] = [
    Described {
        form: "days_ago(DAYS)",
        says: "Of `today`, so many days before it.",
        example: ("{{ today | days_ago(30) }}", ""),
        gives: "2026-01-30",
    },
    Described {
        form: "date(FORM)",
        says: "Of `today`, the day in this form.",
        example: ("{{ today | date('%m/%d/%Y') }}", ""),
        gives: "03/01/2026",
    },
    Described {
        form: "moment(FORM)",
        says: "Of `since`, the moment in this form, in UTC; nothing where all is asked for.",
        example: ("{{ since | moment('%Y-%m-%d %H:%M') }}", ""),
        gives: "2026-03-01 07:05",
    },
    Described {
        form: "host",
        says: "The host of a URL, with its port where it names one: what `hosts` lists.",
        example: ("{{ credential.url | host }}", ""),
        gives: "pms.example:8443",
    },
    Described {
        form: "resolve(URL)",
        says: "Where a link leads that may be a path alone, seen from a URL. Elsewhere in a URL a `/` of a value is escaped.",
        example: ("{{ given.file | resolve(credential.url) }}", ""),
        gives: "https://pms.example:8443/files/7.zip?a=b",
    },
    Described {
        form: "path",
        says: "Of a path, with its query where it has one: its `/` stay in a URL.",
        example: ("{{ given.file | path }}", ""),
        gives: "/files/7.zip?a=b",
    },
    Described {
        form: "number",
        says: "In `json` of a body, where a leaf is this alone: the number, and no text.",
        example: ("{{ page.number | number }}", ""),
        gives: "2",
    },
    Described {
        form: "boolean",
        says: "In the same place: true or false, of true, yes, 1, false, no or 0.",
        example: ("{{ fields.all | boolean }}", ""),
        gives: "true",
    },
    Described {
        form: "json",
        says: "The value as JSON writes it. In `json` of a body, where a leaf is this alone: the list, the object, the number, \
               true or null as it is.",
        example: ("{{ grant.doors | json }}", ""),
        gives: "[\"d1\",\"d2\"]",
    },
    Described {
        form: "optional",
        says: "The value. Where it is not set, or null, a member of `json`, or a value of `form` or of a query, that is this \
               alone is left out, and elsewhere it cannot stand; directly behind the value, before other filters.",
        example: ("{{ grant.phone | optional }}", ""),
        gives: "2125550100",
    },
    Described {
        form: "sha256",
        says: "Of a text, its SHA-256 in hexadecimal digits; for `sign`.",
        example: ("{{ property | sha256 }}", ""),
        gives: "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
    },
];

/// The forms of paths.
pub const PATHS: [Described; 7] = [
    Described {
        form: "NAME/NAME",
        says: "Names, one inside the other. In XML the first is that of the root, inside SOAP that of what the Body holds; \
               namespaces are left out.",
        example: (
            "People/Person",
            "<People xmlns=\"urn:a\"><Person>Ana</Person></People>",
        ),
        gives: "Ana",
    },
    Described {
        form: "@NAME",
        says: "An attribute in XML. In JSON, `@key` is what a record is called that is a member of an object.",
        example: ("Person/@id", "<Person id=\"7\">Ana</Person>"),
        gives: "7",
    },
    Described {
        form: "#text",
        says: "In XML, the text of an element that has attributes; the element itself is as good.",
        example: ("Person/#text", "<Person id=\"7\">Ana</Person>"),
        gives: "Ana",
    },
    Described {
        form: "*",
        says: "Any member of an object, and any element of a list.",
        example: ("people/*/id", "{\"people\": {\"x\": {\"id\": 7}}}"),
        gives: "7",
    },
    Described {
        form: "**/NAME",
        says: "A name at any depth; not for `records`.",
        example: ("**/Message", "{\"a\": [{\"b\": {\"Message\": \"no\"}}]}"),
        gives: "no",
    },
    Described {
        form: "NAME[MEMBER=TEXT]",
        says: "Those of a name that have a member, or an attribute, of this text; case does not matter. Not for `records`.",
        example: (
            "R/M[@kind=error]",
            "<R><M kind=\"note\">hello</M><M kind=\"Error\">no</M></R>",
        ),
        gives: "no",
    },
    Described {
        form: "\\/",
        says: "A `/` in a name.",
        example: ("a\\/b", "{\"a/b\": 7}"),
        gives: "7",
    },
];

/// Letters of forms of dates and moments, and what they stand for.
pub const LETTERS: [(&str, &str); 13] = [
    ("%Y", "year, of four digits"),
    ("%y", "year, of two digits"),
    ("%m", "month"),
    ("%d", "day"),
    ("%b", "month, by the beginning of its name"),
    ("%B", "month, by its name"),
    ("%a", "day of the week, by the beginning of its name"),
    ("%H", "hour, to 23"),
    ("%I", "hour, to 12"),
    ("%p", "AM or PM"),
    ("%M", "minute"),
    ("%S", "second"),
    (
        "%3f",
        "three digits of the second's fraction; `%.3f` with its dot",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use minijinja::Value;

    use crate::config::Format;

    use super::super::Path;
    use super::super::decode::whole;
    use super::super::template::{About, Before, PageValues, Place, Values, alone};
    use super::*;

    fn rendered(template: &str) -> Result<String, String> {
        let before = ["since", "given.file", "grant."].map(str::to_owned);
        let grant = serde_json::json!({ "doors": ["d1", "d2"], "phone": "2125550100" });
        let url = Value::from("https://pms.example:8443/acme/");
        let given = BTreeMap::from([("file".to_owned(), "/files/7.zip?a=b".to_owned())]);
        let values = Values {
            credential: &BTreeMap::from([("url".to_owned(), url)]),
            fields: &BTreeMap::from([("all".to_owned(), "Yes".to_owned())]),
            property: "a",
            today: jiff::civil::date(2026, 3, 1),
            page: &PageValues {
                number: 2,
                ..PageValues::default()
            },
            before: Before {
                given: Some(&given),
                since: "2026-03-01T07:05:09Z".parse().ok(),
                ..Before::default()
            },
            about: Some(About {
                name: "grant",
                value: &grant,
            }),
            ..Values::default()
        };
        alone(Place::Url, "f", template, &values, &before)
    }

    #[test]
    fn every_filter_is_described_and_does_what_is_said() {
        for one in FILTERS {
            let template = one.example.0;
            let given = rendered(template).unwrap();
            // What stands in a URL is escaped, unless it is one.
            let given = percent(&given);
            assert_eq!(given, one.gives, "{template}");
            let name = one.form.split('(').next().unwrap();
            assert!(template.contains(name), "{name}");
        }
        let source = include_str!("filters.rs");
        assert_eq!(
            source.matches("environment.add_filter(").count(),
            FILTERS.len()
        );
        assert!(rendered("{{ property | nothing }}").is_err());
    }

    fn percent(text: &str) -> String {
        ["%2F/", "%20 ", "%3A:", "%5B[", "%5D]", "%22\"", "%2C,"]
            .iter()
            .fold(text.to_owned(), |text, pair| {
                let (escaped, plain) = pair.split_at(3);
                text.replace(escaped, plain)
            })
    }

    #[test]
    fn every_form_of_a_path_leads_where_it_is_said() {
        for one in PATHS {
            let (path, answer) = one.example;
            let form = if answer.starts_with('<') {
                Format::Xml
            } else {
                Format::Json
            };
            let whole = whole(form, answer).unwrap();
            let path = Path::parse(path).unwrap();
            let found = path.texts(&whole);
            assert_eq!(found.first().map(AsRef::as_ref), Some(one.gives), "{path}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_resolved_and_what_is_no_url_is_told() {
        assert_eq!(
            rendered("{{ 'https://other.example/x' | resolve(credential.url) }}").unwrap(),
            "https://other.example/x"
        );
        let error = rendered("{{ property | resolve(property) }}").unwrap_err();
        assert!(error.contains("is no URL"), "{error}");
    }

    #[test]
    fn every_letter_is_one() {
        let moment = jiff::civil::date(2026, 3, 1).at(19, 5, 9, 0);
        for (letter, _) in LETTERS {
            let written = jiff::fmt::strtime::format(letter, moment);
            assert!(written.is_ok_and(|text| !text.is_empty()), "{letter}");
        }
    }
}
