//! What a script's literals show before it runs: fields and words that no resident has, the words of its
//! status tables, and the names it reads. What is only known when it runs is not judged here.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Engine, Expr, FnCallExpr, OptimizationLevel, Position, Stmt};

use super::dates::never_fits;
use super::instants::unit_of;
use super::output::{
    UNIT_FIELDS, has_field, has_unit_field, is_relationship, is_status, relationships, statuses,
};
use super::patterns;

/// The members of a map that is written out, with their values.
pub(super) type Members<'a> = Vec<(&'a str, &'a Expr, Position)>;

/// Parses a text as it is written: an optimised tree has no literals left to look at.
pub(super) fn parse(engine: Engine, text: &str) -> Option<AST> {
    let mut engine = engine;
    engine.set_optimization_level(OptimizationLevel::None);
    engine.compile(text).ok()
}

/// Where a text imports a module.
pub(super) fn import(engine: Engine, text: &str, module: &str) -> Option<Position> {
    let ast = parse(engine, text)?;
    ast.statements()
        .iter()
        .find_map(|statement| match statement {
            Stmt::Import(import, _) if literal(&import.0) == Some(module) => {
                Some(import.0.position())
            }
            _ => None,
        })
}

/// Where the body of a function begins.
pub(super) fn function(ast: &AST, name: &str) -> Option<Position> {
    let mut functions = ast.shared_lib().iter_script_fn_info();
    let (.., function) = functions.find(|(_, _, found, ..)| *found == name)?;
    Some(function.body.start_position())
}

/// From where to where the body of a function of two parameters reaches.
pub(super) fn span(ast: &AST, name: &str) -> Option<(Position, Position)> {
    let mut functions = ast.shared_lib().iter_script_fn_info();
    let (.., function) =
        functions.find(|(_, _, found, parameters, _)| *found == name && *parameters == 2)?;
    Some((function.body.start_position(), function.body.end_position()))
}

/// The functions of a text, as they are called, each with where its body begins.
pub(super) fn functions(engine: Engine, text: &str) -> Vec<(String, Position)> {
    let Some(ast) = parse(engine, text) else {
        return Vec::new();
    };
    let functions = ast.shared_lib().iter_script_fn_info();
    let mut found: Vec<(String, Position)> = functions
        .filter(|(_, _, name, ..)| !name.starts_with("anon$"))
        .map(|(_, _, name, _, function)| {
            let parameters: Vec<&str> = function.params.iter().map(AsRef::as_ref).collect();
            let signature = format!("{name}({})", parameters.join(", "));
            (signature, function.body.start_position())
        })
        .collect();
    found.sort_by_key(|(_, position)| (position.line(), position.position()));
    found
}

pub(super) fn members(expr: &Expr) -> Option<Members<'_>> {
    let Expr::Map(map, _) = expr else { return None };
    Some(
        map.0
            .iter()
            .map(|(name, value)| (name.name.as_str(), value, name.pos))
            .collect(),
    )
}

pub(super) fn literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::StringConstant(text, _) => Some(text.as_str()),
        _ => None,
    }
}

pub(super) fn call<'a>(node: &ASTNode<'a>) -> Option<&'a FnCallExpr> {
    match node {
        ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)) => Some(call),
        _ => None,
    }
}

/// Maps that are written as residents, and what is wrong with them.
pub(super) fn wrong_residents(ast: &AST) -> Vec<(Position, String)> {
    let mut found = Vec::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Expr(expr)) = path.last()
            && let Some(members) = residents_members(expr)
        {
            wrong_resident(&members, &mut found);
        }
        true
    });
    found
}

/// Forms of dates, patterns and units of time that are none; tables of status with words that are none.
pub(super) fn wrong(ast: &AST) -> Vec<(Position, String)> {
    let mut found = Vec::new();
    ast.walk(&mut |path| {
        if let Some(call) = path.last().and_then(call)
            && matches!(call.name.as_str(), "to_date" | "parse_date")
            && let Some(format) = call.args.get(2)
            && let Some(text) = literal(format)
            && !text.contains('%')
        {
            let message = format!(
                "`{text}` is no form of a date; parts are written %Y, %m and %d, such as %m/%d/%Y"
            );
            found.push((format.position(), message));
        }
        let pattern = match path.last() {
            Some(ASTNode::Expr(Expr::MethodCall(call, _))) if call.name == "matches" => {
                call.args.first()
            }
            Some(node) => call(node)
                .filter(|call| call.name == "matches")
                .and_then(|call| call.args.get(1)),
            None => None,
        };
        if let Some(pattern) = pattern
            && let Some(text) = literal(pattern)
            && let Err(message) = patterns::compile(text)
        {
            found.push((pattern.position(), message));
        }
        if let Some(call) = path.last().and_then(call)
            && call.name == "epoch_date"
            && let Some(unit) = call.args.get(2)
            && let Some(text) = literal(unit)
            && let Err(message) = unit_of(text)
        {
            found.push((unit.position(), message));
        }
        true
    });
    for (_, status, position) in tables(ast) {
        if let Some(status) = status
            && !is_status(&status)
        {
            found.push((position, no_status(&status)));
        }
    }
    found.sort_by_key(|(position, _)| (position.line(), position.position()));
    found.dedup();
    found
}

/// Forms of dates that no date has, where the others of a list may fit, or the form looks like one.
pub(super) fn doubtful(ast: &AST) -> Vec<(Position, String)> {
    let mut found = Vec::new();
    ast.walk(&mut |path| {
        if let Some(call) = path.last().and_then(call)
            && matches!(call.name.as_str(), "to_date" | "parse_date")
            && let Some(formats) = call.args.get(2)
        {
            let formats = match formats {
                Expr::Array(formats, _) => formats.as_slice(),
                one if literal(one).is_some_and(|text| text.contains('%')) => {
                    std::slice::from_ref(one)
                }
                // What has no part at all is an error.
                _ => &[],
            };
            for format in formats {
                if let Some(text) = literal(format).filter(|text| never_fits(text)) {
                    let message = format!(
                        "no date is of the form `{text}`; parts are written %Y, %m and %d, such as %m/%d/%Y, and all three are needed"
                    );
                    found.push((format.position(), message));
                }
            }
        }
        true
    });
    found
}

/// The members of a map that is written as a resident.
pub(super) fn residents_members(expr: &Expr) -> Option<Members<'_>> {
    members(expr).filter(is_resident)
}

/// A map with an id and something else that only residents have.
fn is_resident(members: &Members<'_>) -> bool {
    let has = |name: &str| members.iter().any(|(member, ..)| *member == name);
    has("id")
        && ["status", "status_word", "first_name", "last_name"]
            .into_iter()
            .any(has)
}

fn wrong_resident(members: &Members<'_>, found: &mut Vec<(Position, String)>) {
    for (name, value, position) in members {
        if let Err(remedy) = has_field(name) {
            found.push((
                *position,
                format!("a resident has no field `{name}`; {remedy}"),
            ));
        }
        match (*name, literal(value)) {
            ("status", Some(word)) if !is_status(word) => {
                found.push((value.position(), no_status(word)));
            }
            ("relationship", Some(word)) if !is_relationship(word) => {
                found.push((
                    value.position(),
                    format!(
                        "`{word}` is no relationship; it is one of: {}",
                        relationships()
                    ),
                ));
            }
            ("unit", None) => {
                for (part, _, position) in self::members(value).unwrap_or_default() {
                    if !has_unit_field(part) {
                        let message = format!(
                            "a unit has no field `{part}`; it has: {}",
                            UNIT_FIELDS.join(", ")
                        );
                        found.push((position, message));
                    }
                }
            }
            _ => {}
        }
    }
}

fn no_status(word: &str) -> String {
    format!("`{word}` is no status; it is one of: {}", statuses())
}

/// A row of a table: the PMS's word, the status where it is written out, and its place.
type Row = (String, Option<String>, Position);

fn rows(members: &Members<'_>) -> Vec<Row> {
    members
        .iter()
        .map(|(word, status, _)| {
            let text = literal(status).map(str::to_owned);
            ((*word).to_owned(), text, status.position())
        })
        .collect()
}

/// The rows of all tables of status. A table is what `to_status` gets, as a map or as a function that gives one.
fn tables(ast: &AST) -> Vec<Row> {
    // Functions without parameters, by where they begin and end.
    let mut spans = Vec::new();
    for (_, _, name, parameters, function) in ast.shared_lib().iter_script_fn_info() {
        if parameters == 0 {
            let span = function.body.start_position()..=function.body.end_position();
            spans.push((span, name));
        }
    }
    let mut given: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    ast.walk(&mut |path| {
        if let [ASTNode::Stmt(Stmt::Expr(expr))] = path
            && let Some(members) = members(expr)
        {
            let at = expr.position();
            let of = spans.iter().find(|(span, _)| span.contains(&at));
            given.extend(of.map(|(_, name)| (*name, rows(&members))));
        }
        true
    });
    let mut found = Vec::new();
    ast.walk(&mut |path| {
        if let Some(call) = path.last().and_then(call)
            && call.name == "to_status"
            && let Some(table) = call.args.get(1)
        {
            if let Some(members) = members(table) {
                found.extend(rows(&members));
            } else if let Expr::FnCall(table, _) = table
                && let Some(rows) = given.get(table.name.as_str())
            {
                found.extend(rows.iter().cloned());
            }
        }
        true
    });
    found
}

/// The PMS's words that the script's tables of status know.
pub(super) fn status_words(ast: &AST) -> BTreeSet<String> {
    tables(ast).into_iter().map(|(word, ..)| word).collect()
}

/// Every text that is written out, keys of maps too: the words that a script compares with are among them.
pub(super) fn words(ast: &AST) -> BTreeSet<String> {
    let mut words = keys(ast);
    ast.walk(&mut |path| {
        if let Some(ASTNode::Expr(Expr::StringConstant(text, _))) = path.last() {
            words.insert(text.to_string());
        }
        true
    });
    words
}

/// The keys of all maps that are written out: what a script reads of these, no PMS sent.
pub(super) fn keys(ast: &AST) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Expr(expr)) = path.last() {
            let members = members(expr).unwrap_or_default();
            keys.extend(members.into_iter().map(|(key, ..)| key.to_owned()));
        }
        true
    });
    keys
}

/// The names of the PMS's record that a script reads, each with its first place: the literal paths that helpers
/// get, and members of the variable `record`.
pub(super) fn names_read(ast: &AST) -> BTreeMap<String, Position> {
    const READERS: [&str; 9] = [
        "get",
        "text",
        "list",
        "flag",
        "text_by",
        "to_date",
        "parse_date",
        "epoch_date",
        "instant_date",
    ];
    let of_record = |expr: Option<&Expr>| matches!(expr, Some(Expr::Variable(variable, ..)) if variable.1 == "record");
    // What an integration's `fields` are is no matter of the PMS.
    let of_settings = |expr: Option<&Expr>| matches!(expr, Some(Expr::Dot(sides, ..)) if matches!(&sides.lhs, Expr::Variable(variable, ..) if variable.1 == "ctx"));
    let mut names = BTreeMap::new();
    ast.walk(&mut |path| {
        match path.last() {
            Some(ASTNode::Expr(Expr::Dot(sides, ..))) => {
                if let (Expr::Variable(variable, ..), Expr::Property(property, position)) =
                    (&sides.lhs, &sides.rhs)
                    && variable.1 == "record"
                {
                    names.entry(property.2.to_string()).or_insert(*position);
                }
            }
            Some(node) => {
                if let Some(call) = call(node)
                    && (READERS.contains(&call.name.as_str()) || of_record(call.args.first()))
                    && !of_settings(call.args.first())
                {
                    let paths = if call.name == "text_by" {
                        &[1, 3][..]
                    } else {
                        &[1]
                    };
                    for path in paths.iter().filter_map(|path| call.args.get(*path)) {
                        if let Expr::StringConstant(name, position) = path {
                            names.entry(name.to_string()).or_insert(*position);
                        }
                    }
                }
            }
            None => {}
        }
        true
    });
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> AST {
        parse(Engine::new(), text).unwrap()
    }

    #[test]
    fn literals_that_no_resident_has_are_found_where_they_stand() {
        let ast = read(
            r#"fn statuses() { #{ "Future": "pending", "Curr": "currrent" } }
fn residents(record, ctx) {
    let word = text(record, "Status");
    if word == "Void" { return #{ id: 1, status: "Gone", unit: #{ id: 1, name: "x" } }; }
    [#{ id: record.Id, frist_name: "", relationship: "spouse", status: to_status(word, statuses()) },
     #{ id: 2, status: to_status(word, #{ "Past": "past", "Old": "passed" }) }, #{ id: 7, anything: 1 }]
}"#,
        );
        let mut found = wrong_residents(&ast);
        found.extend(wrong(&ast));
        found.sort_by_key(|(position, _)| (position.line(), position.position()));
        let found: Vec<String> = found
            .into_iter()
            .map(|(at, message)| {
                let (line, column) = (at.line().unwrap(), at.position().unwrap());
                format!("{line}:{column}: {}", message.split(';').next().unwrap())
            })
            .collect();
        assert_eq!(
            found,
            [
                "1:49: `currrent` is no status",
                "4:50: `Gone` is no status",
                "4:74: a unit has no field `name`",
                "5:24: a resident has no field `frist_name`",
                "5:54: `spouse` is no relationship",
                "6:66: `passed` is no status",
            ]
        );
        let words: Vec<String> = status_words(&ast).into_iter().collect();
        assert_eq!(words, ["Curr", "Future", "Old", "Past"]);
    }

    #[test]
    fn the_names_that_a_script_reads_are_found_with_their_first_place() {
        let ast = read(
            r#"fn day(record, name) { parse_date(record, name, "%Y") }
fn residents(record, ctx) {
    let lease = get(record, "Lease/0");
    [record.Id, text(lease, "From"), day(record, "Born"), flag(record, "Id"), same(lease, "None")]
}"#,
        );
        let names: Vec<String> = names_read(&ast).into_keys().collect();
        assert_eq!(names, ["Born", "From", "Id", "Lease/0"]);
    }
}
