//! What an error of a script is about, by how the script is written: what is absent where something was done with `()`, and
//! where a field of the returned map is given. Knows no record.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rhai::{AST, ASTNode, EvalAltResult, Expr, FnCallExpr, Position, Stmt};

use crate::model::Place;

use super::error::{file_of, place};
use super::grant;
use super::literals::{literal, members, residents_members};

/// Where something stands.
pub(super) type At = (PathBuf, Place);

/// What stands in a script and in what it imports.
#[derive(Debug, Default)]
pub(super) struct About {
    /// What is called, and with what: by where it stands, the receiver first.
    arguments: BTreeMap<At, Vec<Option<String>>>,
    /// Where a member of a map is given: in the map of a resident or of a grant or by name, and elsewhere.
    given: BTreeMap<String, (Vec<At>, Vec<At>)>,
}

impl About {
    /// Takes in a script as it is written: one of a target, or one of a PMS.
    pub(super) fn take(&mut self, module: &str, ast: &AST, of_target: bool) {
        let file = file_of(module);
        let at = |position: Position| Some((file.clone(), place(position)?));
        ast.walk(&mut |path| {
            match path.last() {
                Some(ASTNode::Expr(Expr::Dot(sides, ..))) => {
                    let base = name(&sides.lhs);
                    self.chain(&at, base, &sides.rhs);
                }
                Some(
                    ASTNode::Expr(Expr::FnCall(call, position))
                    | ASTNode::Stmt(Stmt::FnCall(call, position)),
                ) => self.call(at(*position), Vec::new(), call),
                Some(ASTNode::Stmt(Stmt::Assignment(assigned))) => {
                    if let Expr::Dot(sides, ..) = &assigned.1.lhs
                        && let Expr::Property(property, position) = &sides.rhs
                        && let Some(at) = at(*position)
                    {
                        self.given
                            .entry(property.2.to_string())
                            .or_default()
                            .0
                            .push(at);
                    }
                }
                Some(ASTNode::Expr(expr)) => {
                    let own = if of_target {
                        grant::members_of_grant(expr)
                    } else {
                        residents_members(expr)
                    };
                    for (name, _, position) in members(expr).unwrap_or_default() {
                        let given = self.given.entry(name.to_owned()).or_default();
                        let given = if own.is_some() {
                            &mut given.0
                        } else {
                            &mut given.1
                        };
                        given.extend(at(position));
                    }
                }
                _ => {}
            }
            true
        });
    }

    /// What follows a dot: of each member and each method, what it is asked of.
    fn chain(&mut self, at: &dyn Fn(Position) -> Option<At>, base: Option<String>, rest: &Expr) {
        match rest {
            Expr::Property(_, position) => {
                if let Some(at) = at(*position) {
                    self.arguments.entry(at).or_insert_with(|| vec![base]);
                }
            }
            Expr::MethodCall(call, position) => self.call(at(*position), vec![base], call),
            Expr::Dot(sides, ..) => {
                self.chain(at, base.clone(), &sides.lhs);
                let next = match (&base, &sides.lhs) {
                    (Some(base), Expr::Property(property, _)) => {
                        Some(format!("{base}.{}", property.2))
                    }
                    _ => None,
                };
                self.chain(at, next, &sides.rhs);
            }
            _ => {}
        }
    }

    fn call(&mut self, at: Option<At>, receiver: Vec<Option<String>>, call: &FnCallExpr) {
        let arguments = receiver.into_iter().chain(call.args.iter().map(name));
        if let Some(at) = at {
            self.arguments
                .entry(at)
                .or_insert_with(|| arguments.collect());
        }
    }

    /// What stands there as the `argument`th.
    pub(super) fn argument(&self, file: &Path, place: Place, argument: usize) -> Option<&str> {
        let arguments = self.arguments.get(&(file.to_owned(), place))?;
        arguments.get(argument)?.as_deref()
    }

    /// Where a field of a resident or of a grant is given.
    pub(super) fn given(&self, field: &str) -> &[At] {
        match self.given.get(field) {
            Some((own, _)) if !own.is_empty() => own,
            Some((_, others)) => others,
            None => &[],
        }
    }
}

/// A value as it stands in the script: a variable, a member of it, or what a helper reads.
fn name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Variable(variable, ..) => Some(variable.1.to_string()),
        Expr::Dot(sides, ..) => match (&sides.lhs, &sides.rhs) {
            (Expr::Variable(variable, ..), Expr::Property(property, _)) => {
                Some(format!("{}.{}", variable.1, property.2))
            }
            _ => None,
        },
        Expr::FnCall(call, _) => match call.args.as_slice() {
            [Expr::Variable(variable, ..), path] => {
                let path = literal(path)?;
                Some(format!("{}({}, \"{path}\")", call.name, variable.1))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Something was done with `()`, which stands for what is absent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Absent {
    /// Which argument it was; the receiver is the first.
    pub(super) argument: usize,
    what: Done,
}

#[derive(Debug, PartialEq, Eq)]
enum Done {
    Called(String),
    Asked(String),
    Indexed,
    Needed(String),
}

impl Absent {
    /// Whether an error is one, the innermost.
    pub(super) fn of(error: &EvalAltResult) -> Option<Absent> {
        let first = |what| Some(Absent { argument: 0, what });
        match error {
            EvalAltResult::ErrorFunctionNotFound(signature, _) => {
                let (name, types) = signature.split_once(" (")?;
                let types = types.strip_suffix(')')?;
                let argument = types.split(", ").position(|one| one == "()")?;
                Some(Absent {
                    argument,
                    what: Done::Called(name.to_owned()),
                })
            }
            EvalAltResult::ErrorDotExpr(told, _) => {
                let told = told.strip_suffix("for type '()'")?;
                first(Done::Asked(told.split('\'').nth(1)?.to_owned()))
            }
            EvalAltResult::ErrorIndexingType(told, _) if told.starts_with("() [") => {
                first(Done::Indexed)
            }
            EvalAltResult::ErrorMismatchDataType(needed, found, _) if found == "()" => {
                first(Done::Needed(needed.clone()))
            }
            _ => None,
        }
    }

    /// In words, with what it is that is absent, where that is known.
    pub(super) fn told(&self, what: Option<&str>) -> String {
        let (subject, ask) = match what {
            Some(what) => (format!("`{what}`"), format!("ask for `{what} != ()` first")),
            None => (
                "what stands".to_owned(),
                "ask whether it is () first".to_owned(),
            ),
        };
        let absent = format!("{subject} is absent here, ()");
        match &self.what {
            Done::Called(name) => {
                let other = what.unwrap_or("…");
                format!(
                    "{absent}, and `{name}` cannot be done with it: {ask}, or put something in its place with first([{other}, \"\"])"
                )
            }
            Done::Asked(name) => match what
                .filter(|what| !what.contains('('))
                .and_then(|what| what.split_once('.'))
            {
                Some((record, path)) => format!(
                    "{absent}, and has no `{name}`: read it with get({record}, \"{}/{name}\")",
                    path.replace('.', "/")
                ),
                None => format!("{absent}, and has no `{name}`: {ask}"),
            },
            Done::Indexed => {
                format!("{absent}, and has no elements: read it with list(record, …), or {ask}")
            }
            Done::Needed(needed) if needed == "bool" => {
                format!("{absent}, where true or false is needed: use flag(record, …), or {ask}")
            }
            Done::Needed(needed) => format!("{absent}, where {needed} is needed: {ask}"),
        }
    }
}
