//! Functions that scripts may call, registered together with what is said of them: for the language server of an
//! editor, and for `epms help scripts`. Each has examples, and a test evaluates all of them.

use rhai::{Engine, FuncRegistration, RhaiNativeFunc, Variant};

use super::{context, dates, helpers, instants, names, nobody, patterns, places, units};

/// What stands between an example and what comes out.
const GIVES: &str = " → ";

/// A function, a value of `ctx`, and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helper {
    /// As it is called, in all its ways: `text(record, path)`.
    pub signatures: Vec<String>,
    /// What it does.
    pub says: String,
    /// Expressions, and what they give.
    pub examples: Vec<(String, String)>,
}

/// Registers functions with their descriptions.
pub(super) struct Described<'e>(pub(super) &'e mut Engine);

impl Described<'_> {
    /// `parameters` are `name: type`, the last is the type of what it gives; `says` ends in lines `example → result`.
    pub(super) fn function<A: 'static, const N: usize, const X: bool, R, const F: bool>(
        &mut self,
        name: &str,
        parameters: &[&str],
        says: &str,
        function: impl RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
    ) -> &mut Self
    where
        R: Variant + Clone,
    {
        self.register(FuncRegistration::new(name), parameters, says, function)
    }

    /// A value of a type of ours.
    pub(super) fn value<A: 'static, const N: usize, const X: bool, R, const F: bool>(
        &mut self,
        name: &str,
        parameters: &[&str],
        says: &str,
        function: impl RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
    ) -> &mut Self
    where
        R: Variant + Clone,
    {
        let getter = FuncRegistration::new_getter(name);
        self.register(getter, parameters, says, function)
    }

    fn register<A: 'static, const N: usize, const X: bool, R, const F: bool>(
        &mut self,
        registration: FuncRegistration,
        parameters: &[&str],
        says: &str,
        function: impl RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
    ) -> &mut Self
    where
        R: Variant + Clone,
    {
        registration
            .with_params_info(parameters)
            .with_comments([comment(says)])
            .register_into_engine(self.0, function);
        self
    }
}

/// As a doc comment of Rhai: the words, then the examples as code.
fn comment(says: &str) -> String {
    let (examples, words): (Vec<&str>, Vec<&str>) = says
        .lines()
        .map(str::trim)
        .partition(|line| line.contains(GIVES));
    let mut lines = words;
    lines.push("");
    lines.push("```");
    lines.extend(examples);
    lines.push("```");
    let lines: Vec<String> = lines
        .iter()
        .map(|line| format!("/// {line}").trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// An engine with our functions and nothing else of ours.
fn engine() -> Engine {
    let mut engine = Engine::new();
    helpers::register(&mut engine);
    dates::register(&mut engine);
    instants::register(&mut engine);
    names::register(&mut engine);
    nobody::register(&mut engine);
    places::register(&mut engine);
    units::register(&mut engine);
    patterns::register(&mut engine);
    context::register(&mut engine);
    engine
}

/// The name of the file that defines our functions.
pub const DEFINED: &str = "epms.d.rhai";

/// Definition files for the language server of Rhai, by name: ours, and those of the language itself.
pub fn definitions() -> Vec<(String, String)> {
    let (ours, bare) = (engine(), Engine::new());
    let definitions = ours.definitions().include_standard_packages(false);
    let mut all = vec![(DEFINED.to_owned(), definitions.single_file())];
    let definitions = bare.definitions();
    all.extend(definitions.iter_files().map(|(name, text)| {
        let name = name.replace("__static__", "standard").replace("__", "");
        (name, text)
    }));
    all
}

/// Everything that scripts may call besides the language's own functions, by name; what `ctx` has comes last.
pub fn described() -> Vec<Helper> {
    let engine = engine();
    let mut all: Vec<Helper> = Vec::new();
    let mut known = engine.collect_fn_metadata(
        None,
        |info| {
            let metadata = info.metadata;
            let comment = metadata.comments.first()?.to_string();
            let names: Vec<&str> = metadata
                .params_info
                .iter()
                .map(|one| one.split(':').next().unwrap_or(one))
                .collect();
            let getter = metadata.name.strip_prefix("get$");
            let signature = match (getter, names.as_slice()) {
                (Some(name), _) => format!("ctx.{name}"),
                (None, ["ctx", names @ ..]) => {
                    format!("ctx.{}({})", metadata.name, names.join(", "))
                }
                (None, names) => format!("{}({})", metadata.name, names.join(", ")),
            };
            Some((signature.starts_with("ctx."), signature, comment))
        },
        false,
    );
    known.sort();
    for (_, signature, comment) in known {
        let lines = comment
            .lines()
            .map(|line| line.trim_start_matches('/').trim())
            .filter(|line| !line.is_empty() && *line != "```");
        let (examples, words): (Vec<&str>, Vec<&str>) =
            lines.partition(|line| line.contains(GIVES));
        let examples = examples
            .into_iter()
            .filter_map(|line| line.split_once(GIVES))
            .map(|(expression, result)| (expression.to_owned(), result.to_owned()));
        let name = |signature: &str| signature.split('(').next().map(str::to_owned);
        match all.last_mut() {
            // Another way to call the one before.
            Some(last) if last.signatures.first().and_then(|one| name(one)) == name(&signature) => {
                last.signatures.push(signature);
                if last.says != words.join(" ") {
                    last.says += " ";
                    last.says += &words.join(" ");
                }
                last.examples.extend(examples);
            }
            _ => all.push(Helper {
                signatures: vec![signature],
                says: words.join(" "),
                examples: examples.collect(),
            }),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use rhai::{Dynamic, Scope};

    use super::*;
    use crate::script::{Context, Inputs, Lookups};

    fn ctx() -> Context {
        let mut lookups = Lookups::new();
        let unit = r#"{"UnitName":"12B"}"#;
        lookups.put("units", "bldg123", "7".to_owned(), unit.to_owned());
        Context::new(Inputs {
            today: jiff::civil::date(2026, 3, 1),
            property: "bldg123".into(),
            request: "residents".into(),
            integration: "123-building-name".into(),
            country: "US".into(),
            timezone: "America/New_York".into(),
            properties: vec!["bldg123".into(), "bldg124".into()],
            fields: BTreeMap::from([("company".to_owned(), "Acme".to_owned())]),
            lookups: Arc::new(lookups),
            grant: Some(r#"{"key":"p17","user_name":"ada.quill@example.com"}"#.into()),
            ..Inputs::default()
        })
    }

    #[test]
    fn every_helper_has_examples_and_they_give_what_they_say() {
        let engine = engine();
        let all = described();
        assert!(all.len() > 15, "{all:?}");
        for helper in all {
            assert!(!helper.says.is_empty(), "{helper:?}");
            assert!(!helper.examples.is_empty(), "{helper:?}");
            for (expression, result) in helper.examples {
                let mut scope = Scope::new();
                scope.push("ctx", ctx());
                let given =
                    match engine.eval_expression_with_scope::<Dynamic>(&mut scope, &expression) {
                        Ok(value) => format!("{value:?}"),
                        Err(error) => {
                            let error = crate::script::error::locate("test", *error);
                            let field = error.field.map(|field| format!("{field}: "));
                            format!("error: {}{}", field.unwrap_or_default(), error.message)
                        }
                    };
                assert_eq!(given, result, "{expression}");
            }
        }
    }

    #[test]
    fn nothing_that_scripts_may_call_is_left_out() {
        let engine = engine();
        let bare = engine.collect_fn_metadata(
            None,
            |info| {
                info.metadata
                    .comments
                    .is_empty()
                    .then(|| info.metadata.name.to_string())
            },
            false,
        );
        assert_eq!(bare, [] as [&str; 0]);
    }

    #[test]
    fn the_definitions_of_our_functions_are_as_they_were() {
        let files = definitions();
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        let known = ["epms", "builtin", "builtin-operators", "standard"];
        assert_eq!(names, known.map(|name| format!("{name}.d.rhai")));
        let is_module = |text: &String| text.starts_with("module static;");
        assert!(files.iter().all(|(_, text)| is_module(text)));
        insta::assert_snapshot!(files[0].1);
    }
}
