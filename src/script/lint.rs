//! What rhai finds out only when a call is made, found out when a script is loaded: functions that do not
//! exist, and functions with the wrong number of arguments.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Array, Dynamic, Engine, Expr, FnPtr, Map, Position, Stmt};

/// How many arguments each function takes, by name.
pub(super) type Arities = BTreeMap<String, BTreeSet<usize>>;

/// The functions that every script may call.
pub(super) fn registered(engine: &Engine) -> Arities {
    let mut arities = Arities::new();
    let known = engine.collect_fn_metadata(
        None,
        |info| Some((info.metadata.name.to_string(), info.metadata.num_params)),
        true,
    );
    for (name, arity) in known {
        arities.entry(name).or_default().insert(arity);
    }
    arities.remove("sleep");
    // Of the language itself, without an entry among the functions.
    for (name, arity) in [
        ("type_of", 1),
        ("is_def_var", 1),
        ("is_def_fn", 2),
        ("call", 1),
        ("curry", 2),
        ("Fn", 1),
        ("is_shared", 1),
    ] {
        arities.entry(name.to_owned()).or_default().insert(arity);
    }
    arities
}

/// The functions that a script defines.
pub(super) fn defined(ast: &AST) -> Arities {
    let mut arities = Arities::new();
    for function in ast.iter_functions() {
        arities
            .entry(function.name.to_string())
            .or_default()
            .insert(function.params.len());
    }
    arities
}

/// A function that rhai 1.27 may take for another: of the same name and with as many parameters, in another script.
pub(super) struct Twin<'s> {
    pub(super) function: String,
    pub(super) script: &'s str,
    /// Where its body begins.
    pub(super) at: Position,
    /// A script that has the other.
    pub(super) other: &'s str,
}

/// The functions that several scripts have. Which of them a call by the name alone means depends on what was called before.
pub(super) fn of_one_name<'s>(scripts: &[(&'s str, &AST)]) -> Vec<Twin<'s>> {
    let mut defined: BTreeMap<(&str, usize), Vec<(&str, Position)>> = BTreeMap::new();
    for (script, ast) in scripts {
        for (.., name, arity, function) in ast.shared_lib().iter_script_fn_info() {
            // Those without a name are called by nobody's name.
            if !name.starts_with("anon$") {
                let place = (*script, function.body.start_position());
                defined.entry((name, arity)).or_default().push(place);
            }
        }
    }
    let mut twins = Vec::new();
    for ((function, _), places) in defined {
        for (script, at) in &places {
            if let Some((other, _)) = places.iter().find(|(other, _)| other != script) {
                twins.push(Twin {
                    function: function.to_owned(),
                    script,
                    at: *at,
                    other,
                });
            }
        }
    }
    twins
}

/// Calls that cannot succeed, with their places.
pub(super) fn wrong_calls(
    ast: &AST,
    registered: &Arities,
    imported: &BTreeMap<String, Arities>,
) -> Vec<(Position, String)> {
    let own = defined(ast);
    let aliases = aliases(ast);
    let mut found = Vec::new();
    ast.walk(&mut |path| {
        let (call, position, receiver) = match path.last() {
            Some(
                ASTNode::Expr(Expr::FnCall(call, position))
                | ASTNode::Stmt(Stmt::FnCall(call, position)),
            ) => (call, *position, 0),
            Some(ASTNode::Expr(Expr::MethodCall(call, position))) => (call, *position, 1),
            _ => return true,
        };
        if call.op_token.is_some()
            || call.name.starts_with("anon$")
            || matches!(call.name.as_str(), "call" | "curry")
        {
            return true;
        }
        let count = call.args.len() + receiver;
        let alias = call
            .namespace
            .path
            .first()
            .map(|ident| ident.name.to_string());
        let known: Vec<&Arities> = match &alias {
            Some(alias) => match aliases.get(alias).and_then(|module| imported.get(module)) {
                Some(functions) => vec![functions],
                // A module whose name is not a literal is known only when it runs.
                None => return true,
            },
            None => vec![&own, registered],
        };
        let arities: BTreeSet<usize> = known
            .iter()
            .filter_map(|functions| functions.get(call.name.as_str()))
            .flatten()
            .copied()
            .collect();
        if arities.is_empty() {
            let names: Vec<&str> = known
                .iter()
                .flat_map(|functions| functions.keys())
                .map(String::as_str)
                .collect();
            let remedy = nearest(&call.name, names)
                .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            found.push((
                position,
                format!("there is no function `{}`{remedy}", call.name),
            ));
        } else if !arities.contains(&count) {
            let takes: Vec<String> = arities.iter().map(ToString::to_string).collect();
            found.push((
                position,
                format!(
                    "`{}` takes {} arguments, not {count}",
                    call.name,
                    takes.join(" or ")
                ),
            ));
        }
        true
    });
    found
}

/// The function that a name is most likely a misspelling of.
pub(super) fn nearest<'a>(
    given: &str,
    names: impl IntoIterator<Item = &'a (impl AsRef<str> + ?Sized + 'a)>,
) -> Option<&'a str> {
    names
        .into_iter()
        .map(AsRef::as_ref)
        .map(|name: &str| (strsim::jaro_winkler(given, name), name))
        .filter(|(likeness, name)| {
            *likeness >= 0.82 && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        })
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, near)| near)
}

/// The lookups that a script asks for by their names, each where it is asked first, and where it may ask for others,
/// whose names are known only when it runs. A function that is called as a value is `lookup` only where it was made of
/// that name, or of one that is not written out.
pub(super) fn lookups(ast: &AST) -> (BTreeMap<String, Position>, Option<Position>) {
    let (mut asked, mut others) = (BTreeMap::new(), None);
    ast.walk(&mut |path| {
        let (call, at, name) = match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) => {
                (call, at, 1)
            }
            Some(ASTNode::Expr(Expr::MethodCall(call, at))) => (call, at, 0),
            // `Fn` of a name that is written out.
            Some(ASTNode::Expr(Expr::DynamicConstant(value, at))) => {
                if is_made_of_lookup(value) {
                    others.get_or_insert(*at);
                }
                return true;
            }
            _ => return true,
        };
        match (call.name.as_str(), call.args.get(name), call.args.first()) {
            ("lookup", Some(Expr::StringConstant(name, position)), _) => {
                asked.entry(name.to_string()).or_insert(*position);
            }
            ("Fn", _, Some(Expr::StringConstant(name, _))) if name.as_str() != "lookup" => {}
            ("lookup" | "Fn", ..) => {
                others.get_or_insert(*at);
            }
            _ => {}
        }
        true
    });
    (asked, others)
}

/// Whether a value is the function `lookup`, or has it in it.
fn is_made_of_lookup(value: &Dynamic) -> bool {
    if let Some(function) = value.read_lock::<FnPtr>() {
        return function.fn_name() == "lookup";
    }
    if let Some(list) = value.read_lock::<Array>() {
        return list.iter().any(is_made_of_lookup);
    }
    let map = value.read_lock::<Map>();
    map.is_some_and(|map| map.values().any(is_made_of_lookup))
}

/// The modules that a script imports by a literal name, by what it calls them.
pub(super) fn aliases(ast: &AST) -> BTreeMap<String, String> {
    let mut aliases = BTreeMap::new();
    for statement in ast.statements() {
        if let Stmt::Import(import, _) = statement
            && let Expr::StringConstant(module, _) = &import.0
        {
            aliases.insert(import.1.name.to_string(), module.to_string());
        }
    }
    aliases
}
