//! The pages of `epms help`: what a page of documentation would say. What can be said by the types, the helpers
//! and the kinds of alerts themselves, they say.

use schemars::{JsonSchema, Schema};
use serde_json::Value;

use crate::cli::exit::Exit;
use crate::cli::schema::Kind;
use crate::config::{Verdict, schema_of};
use crate::model::{AlertKind, AlertState, Code, RULES, Resident, Resolution};
use crate::script;
use crate::source::{Described, FILTERS, LETTERS, PATHS};

use super::fields::Fields;
use super::text::Text;

/// The words of an enum, and what is said of each.
fn words<T: JsonSchema>() -> Vec<(String, String)> {
    let schema = schema_of::<T>("");
    let ways = schema.get("oneOf").and_then(Value::as_array);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    ways.into_iter()
        .flatten()
        .map(|way| {
            let word = way
                .get("const")
                .or_else(|| way.pointer("/properties/how/const"));
            (text(word), text(way.get("description")))
        })
        .collect()
}

fn items(text: &mut Text, items: &[(String, String)]) {
    let longest = items.iter().map(|(word, _)| word.chars().count()).max();
    for (word, meaning) in items {
        text.item(2, word, longest.unwrap_or(0) + 2, meaning);
    }
}

fn kind(text: &mut Text, kind: Kind) {
    text.heading(kind.files());
    let schema: Schema = kind.schema();
    Fields::of(&schema, text).tell(2);
}

pub(super) fn files(text: &mut Text) {
    text.words(
        0,
        "Files are YAML. An unknown key is an error, and so is a key with nothing behind it. Texts need no quotes, \
         also where they look like numbers. Durations are a whole number and one of s, m, h, d: 90s, 5m, 1h, 2d. \
         `epms check` tells everything that is wrong; `epms schema` gives the same to editors. How a kind of PMS is \
         reached is in `epms help connectors`.",
    );
    for one in Kind::ALL {
        if one != Kind::Connector {
            kind(text, one);
        }
    }
}

pub(super) fn connectors(text: &mut Text) {
    text.words(
        0,
        "A connector says how a kind of PMS, or a target that access is delivered to, is reached: which requests read it, how they prove who asks, how pages \
         follow each other, what answers mean. What its records mean is said by its script (`epms help scripts`). A \
         new PMS is a connector, a script and mapping tests; copy the one that is most like it. `epms probe` shows a \
         request as it is sent and its answer as it comes; `epms discover` and `epms doctor` ask a target for its lists; a mapping test with an `answer` says what rules must make \
         of one.",
    );
    text.words(
        0,
        "What could end in a feed that looks whole and is not, `epms check` warns of in files of version 1; in version 2 \
         it is an error, and nothing that has one is loaded: a rule that can never decide; residents of all PMS \
         properties, of which nothing says whose they are; a form of dates that no date has; a filter of a template that \
         does not exist; a lookup that a script \
         asks and no request reads; a request that nobody asks for. `epms check --strict` takes no warning at all. A lookup whose name is not written out as a \
         text in the script is read in every run; where that fails, only a run that asks for it fails, and the others \
         tell it as `unread_lookup` among their notes.",
    );
    kind(text, Kind::Connector);
    text.heading("filters of templates");
    described(text, &FILTERS, |example, gives| {
        format!("{} → {gives}", example.0)
    });
    text.heading("forms of dates and moments");
    items(
        text,
        &LETTERS.map(|(letter, says)| (letter.to_owned(), says.to_owned())),
    );
    text.heading("paths");
    described(text, &PATHS, |(path, answer), gives| {
        format!("{path} in {answer} → {gives}")
    });
}

/// What may be written, with an example of each.
fn described(text: &mut Text, all: &[Described], example: impl Fn((&str, &str), &str) -> String) {
    for one in all {
        text.gap();
        text.line(2, one.form);
        text.words(6, one.says);
        text.line(6, &example(one.example, one.gives));
    }
}

pub(super) fn scripts(text: &mut Text) {
    text.words(
        0,
        "A script says what the records of a PMS mean, or what people should have at a target that access is delivered \
         to. It is Rhai (https://rhai.rs), lies in scripts/, and may import \
         what lies in scripts/lib/. It reaches no clock, file, network or chance: the same record gives the same \
         residents. An error rejects that one record, with file, line and column.",
    );
    text.heading("functions of a script");
    items(
        text,
        &[
            (
                "residents(record, ctx)",
                "The residents of a record: a map #{ … }, a list of them, or () for nobody.",
            ),
            (
                "exclude(resident, ctx)",
                "May be there: a reason to leave a resident out, as text, or (). It runs after `exclude_statuses`.",
            ),
            (
                "wanted(person, ctx)",
                "Of a target, in place of `residents`: the grants that somebody should have there: a map with a `key`, a \
                 list of them, or (). The key tells a person's grants apart; all else are fields of the grant: texts, \
                 numbers, true and false, (), and lists and maps of these. There are 200 at most.",
            ),
            (
                "held(record, ctx)",
                "Of a target, beside `wanted`: what a record that was read back is: a map with the `key` that `wanted` \
                 gives the same grant, the `id` that the target calls it by, and its fields as `wanted` gives them; or () \
                 for what is none of ours. `others: true` says that somebody else granted it, `visit: true` that a door \
                 has not heard of it yet, `off: true` that it opens nothing.",
            ),
            (
                "verdict(answer, ctx)",
                "May be there: what an answer means where the connector's rules do not say: one of the words below, \
                 #{ verdict: …, hint: … }, or (). `answer` has request, status, headers, body (what \
                 stands around the records), the number of its records, and the beginning of its text.",
            ),
        ]
        .map(|(word, says)| (word.to_owned(), says.to_owned())),
    );
    text.heading("a resident");
    let schema = schema_of::<Resident>("resident");
    let mut without = schema.clone();
    without.insert("description".into(), "".into());
    // A script gives such a date as it is: what is unreadable follows from that.
    if let Some(Value::Object(fields)) = without.get_mut("properties") {
        fields.remove("unreadable");
    }
    Fields::of(&without, text).tell(2);
    text.heading("a person, as `wanted` gets one");
    Fields::of(&crate::cases::person_schema(), text).tell(2);
    text.heading("helpers, and what `ctx` has");
    text.words(
        2,
        "`to_…` never fails, `parse_…` may. `()` is what is absent. `epms definitions` gives them to editors.",
    );
    for helper in script::described() {
        text.gap();
        text.line(2, &helper.signatures.join("   "));
        text.words(6, &helper.says);
        for (expression, result) in &helper.examples {
            text.example(6, expression, result);
        }
    }
    text.heading("words of `verdict`");
    items(text, &words::<Verdict>());
    text.gap();
    text.words(
        0,
        "Mapping tests lie beside the scripts, in scripts/tests/PMS/CASE.yaml (`epms help files`); `epms test` runs \
         them. One with an `answer` is about rules and `verdict`: it says `expect: { verdict: denied, hint: … }`. One of a target has a `person` and expects what is `wanted`, or a `record` and expects what is `held`. `epms map SCRIPT FILE` shows what a script makes of a recorded answer.",
    );
}

pub(super) fn alerts(text: &mut Text) {
    text.words(
        0,
        "An alert is a discrepancy that a person must resolve. There is one for each cause: the next run refreshes it, \
         and closes it when the cause is gone. `epms alerts show ID` sets both sides beside each other and names the \
         commands that fit.",
    );
    text.heading("kinds, in the order in which they are listed");
    items(text, &words::<AlertKind>());
    text.heading("epms alerts resolve ID …");
    let ways: Vec<(String, String)> = words::<Resolution>()
        .into_iter()
        .map(|(word, says)| {
            let word = match word.as_str() {
                "merge" => "merge [--into PERSON]".to_owned(),
                "map_unit" => "map-unit UNIT [--force]".to_owned(),
                word => word.replace('_', "-"),
            };
            (word, says)
        })
        .collect();
    items(text, &ways);
    text.gap();
    text.words(
        2,
        "The others are corrected in the PMS, in the script or in the files, and close themselves. Any of them can be \
         dismissed: `epms alerts dismiss ID`. `epms alerts undo ID` puts everything back, as long as nothing newer \
         touched the same.",
    );
    text.heading("states");
    items(text, &words::<AlertState>());
}

pub(super) fn rules(text: &mut Text) {
    text.words(
        0,
        "By these it is decided who comes in, what changes and who leaves, and what is delivered. A run, a change and \
         `epms explain` name the rule that decided.",
    );
    text.gap();
    items(
        text,
        &RULES.map(|(name, says)| (name.to_owned(), says.to_owned())),
    );
}

pub(super) fn exit_codes(text: &mut Text) {
    text.words(0, "What a command leaves behind, for scripts:");
    text.gap();
    let meanings = words::<Exit>();
    let numbered: Vec<(String, String)> = Exit::ALL
        .into_iter()
        .zip(meanings)
        .map(|(exit, (_, meaning))| ((exit as u8).to_string(), meaning))
        .collect();
    items(text, &numbered);
    text.heading("codes of problems, in `epms check --json` and over the socket");
    items(text, &words::<Code>());
}
