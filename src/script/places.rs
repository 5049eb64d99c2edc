//! Texts that a PMS may have put in one of several places: the functions for them that scripts may call. What a normal email
//! or phone is, is not judged here.

use rhai::{Array, Dynamic, Engine, ImmutableString, Map};

use super::described::Described;
use super::helpers::{Record, as_text, equal, get, inside, is_record, list};

pub(super) fn register(engine: &mut Engine) {
    let record = "record: Map";
    let path = "path: &str";
    Described(engine)
        .function(
            "text_in",
            &[record, "paths: Array", "members: Array", "Dynamic"],
            "The first text at any of several paths, be it a text, a list of texts, or a list of records that have it at any of \
             `members`.
             text_in(#{ Emails: [#{ Address: \"ana@example.com\" }] }, [\"Email\", \"Emails\"], [\"Address\"]) → \"ana@example.com\"
             text_in(#{ Email: \"\" }, [\"Email\", \"Emails\"], [\"Address\"]) → ()",
            |record: &mut Map, paths: Array, members: Array| {
                text_in(record, &paths, &members)
            },
        )
        .function(
            "text_by",
            &["records: Array", "kind: &str", "kinds: Array", path, "Dynamic"],
            "The text at a path of the first of several records whose text at `kind` is one of `kinds`, which go before each other in their \
             order; case does not matter. A record without a text there is passed over.
             text_by([#{ type: \"Home\", no: \"1\" }, #{ type: \"Cell\", no: \"2\" }], \"type\", [\"cell\", \"home\"], \"no\") → \"2\"
             text_by([#{ type: \"Fax\", no: \"1\" }], \"type\", [\"cell\", \"home\"], \"no\") → ()",
            |records: &mut Array, kind: &str, kinds: Array, path: &str| {
                text_by(records, kind, &kinds, path)
            },
        )
        .function(
            "begins_with_any",
            &["value", "beginnings: Array", "bool"],
            "Whether a text begins with one of several; case does not matter, nor do blanks around them. None begins with what is absent.
             begins_with_any(\"WAITA1\", [\"wait\", \"model\"]) → true
             begins_with_any(\"A1\", [\"\", \"wait\"]) → false",
            |value: Dynamic, beginnings: Array| {
                let text = as_text(&value);
                text.is_some_and(|text| {
                    let mut beginnings = beginnings.iter().filter_map(as_text);
                    beginnings.any(|beginning| begins(&text, &beginning))
                })
            },
        );
}

/// The first text at any of the paths, or at any of the members of what is there.
pub(super) fn text_in(record: &impl Record, paths: &[Dynamic], members: &[Dynamic]) -> Dynamic {
    let name = |value: &Dynamic| {
        value
            .as_immutable_string_ref()
            .ok()
            .map(|name| name.clone())
    };
    for path in paths.iter().filter_map(name) {
        for entry in list(get(record, &path)) {
            let found = if is_record(&entry) {
                let mut members = members.iter().filter_map(name);
                members.find_map(|member| as_text(&inside(&entry, &member)))
            } else {
                as_text(&entry)
            };
            if let Some(found) = found {
                return found.into();
            }
        }
    }
    Dynamic::UNIT
}

fn text_by(records: &[Dynamic], kind: &str, kinds: &[Dynamic], path: &str) -> Dynamic {
    let of_kind: Vec<Option<ImmutableString>> = records
        .iter()
        .map(|record| as_text(&inside(record, kind)))
        .collect();
    for kind in kinds.iter().filter_map(as_text) {
        for (record, of_kind) in records.iter().zip(&of_kind) {
            if of_kind.as_ref().is_some_and(|one| equal(one, &kind))
                && let Some(found) = as_text(&inside(record, path))
            {
                return found.into();
            }
        }
    }
    Dynamic::UNIT
}

/// Whether a text begins with another one but for case.
pub(super) fn begins(text: &str, beginning: &str) -> bool {
    if let Some(begun) = text.get(..beginning.len())
        && begun.is_ascii()
        && beginning.is_ascii()
    {
        return begun.eq_ignore_ascii_case(beginning);
    }
    text.to_lowercase().starts_with(&beginning.to_lowercase())
}
