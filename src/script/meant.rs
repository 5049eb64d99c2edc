//! What a script names that is not there, and that rhai finds out only when it runs: values of `ctx`, time zones, and words
//! that `verdict` gives. Whether a word is a verdict is not known here.

use std::sync::LazyLock;

use rhai::{AST, ASTNode, Expr, Position, Stmt};

use crate::model::time_zone;

use super::described::described;
use super::lint::nearest;
use super::literals::{call, literal, members};

/// What `ctx` has.
static OF_CTX: LazyLock<Vec<String>> = LazyLock::new(|| {
    let all = described().into_iter().flat_map(|one| one.signatures);
    let of_ctx = all.filter_map(|signature| {
        let name = signature.strip_prefix("ctx.")?;
        Some(name.split('(').next()?.to_owned())
    });
    of_ctx.collect()
});

/// What a person has whom the script of a target gets.
const PERSON: [&str; 9] = [
    "id",
    "first_name",
    "last_name",
    "email",
    "phone",
    "is_over",
    "stays",
    "openings",
    "places",
];

/// Values of `ctx` that it has not, and names of time zones that are none.
pub(super) fn in_vain(ast: &AST) -> Vec<(Position, String)> {
    let mut found = Vec::new();
    ast.walk(&mut |path| {
        match path.last() {
            Some(ASTNode::Expr(Expr::Dot(sides, ..))) => {
                if let Expr::Variable(variable, ..) = &sides.lhs
                    && variable.1 == "ctx"
                    && let Some((name, position)) = first_of(&sides.rhs)
                    && !OF_CTX.iter().any(|known| known == name)
                {
                    let remedy = match nearest(name, OF_CTX.iter()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("it has: {}", OF_CTX.join(", ")),
                    };
                    found.push((position, format!("`ctx` has no `{name}`; {remedy}")));
                }
            }
            Some(node) => {
                let zone = call(node).and_then(|call| match call.name.as_str() {
                    "epoch_date" => call.args.get(3),
                    "instant_date" => call.args.get(2),
                    _ => None,
                });
                if let Some(zone) = zone
                    && let Some(name) = literal(zone).filter(|name| !name.is_empty())
                    && let Err(message) = time_zone(name)
                {
                    found.push((zone.position(), message));
                }
            }
            None => {}
        }
        true
    });
    found
}

/// Members of a person that no person has, of the script of a target.
pub(super) fn of_person(ast: &AST) -> Vec<(Position, String)> {
    let mut found = Vec::new();
    ast.walk(&mut |path| {
        if let Some(ASTNode::Expr(Expr::Dot(sides, ..))) = path.last()
            && let Expr::Variable(variable, ..) = &sides.lhs
            && variable.1 == "person"
            && let Some((name, position)) = first_of(&sides.rhs)
            && !PERSON.contains(&name)
        {
            let remedy = match nearest(name, PERSON) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has: {}", PERSON.join(", ")),
            };
            found.push((position, format!("a person has no `{name}`; {remedy}")));
        }
        true
    });
    found.sort_by_key(|(position, _)| (position.line(), position.position()));
    found
}

/// The first name behind a dot.
fn first_of(behind: &Expr) -> Option<(&str, Position)> {
    match behind {
        Expr::Property(property, position) => Some((property.2.as_str(), *position)),
        Expr::Dot(sides, ..) | Expr::Index(sides, ..) => first_of(&sides.lhs),
        _ => None,
    }
}

/// The words that a script gives as verdicts, as far as they are written out: those of maps with a `verdict`, and those that
/// the function of that name gives alone.
pub(super) fn verdicts(ast: &AST) -> Vec<(String, Position)> {
    let functions = ast.shared_lib().iter_script_fn_info();
    let spans: Vec<_> = functions
        .filter(|(_, _, name, parameters, _)| *name == "verdict" && *parameters == 2)
        .map(|(.., function)| function.body.start_position()..=function.body.end_position())
        .collect();
    let mut found = Vec::new();
    let mut take = |expr: &Expr| {
        if let Some(word) = literal(expr) {
            found.push((word.to_owned(), expr.position()));
        }
    };
    ast.walk(&mut |path| {
        let Some((last, before)) = path.split_last() else {
            return true;
        };
        if let ASTNode::Expr(expr) = last {
            let of_map = members(expr).unwrap_or_default();
            let of_map = of_map.into_iter().filter(|(name, ..)| *name == "verdict");
            of_map.for_each(|(_, value, _)| take(value));
        }
        let given = match last {
            ASTNode::Stmt(Stmt::Return(Some(expr), ..)) => Some(&**expr),
            // What comes out last, whatever it depends on.
            ASTNode::Stmt(Stmt::Expr(expr)) if before.iter().all(is_way) => Some(&**expr),
            ASTNode::Expr(expr)
                if matches!(before.last(), Some(ASTNode::Stmt(Stmt::Switch(..))))
                    && before.iter().all(is_way) =>
            {
                Some(*expr)
            }
            _ => None,
        };
        if let Some(expr) = given
            && spans.iter().any(|span| span.contains(&expr.position()))
        {
            take(expr);
        }
        true
    });
    found.sort_by_key(|(_, position)| (position.line(), position.position()));
    found.dedup();
    found
}

/// Whether what is inside may be what a function gives.
fn is_way(node: &ASTNode<'_>) -> bool {
    matches!(
        node,
        ASTNode::Stmt(Stmt::If(..) | Stmt::Switch(..) | Stmt::Block(..) | Stmt::Expr(..))
            | ASTNode::Expr(Expr::Stmt(..))
    )
}

#[cfg(test)]
mod tests {
    use super::super::engine::engine;
    use super::super::literals::parse;
    use super::*;

    fn at(position: Position) -> String {
        format!(
            "{}:{}",
            position.line().unwrap(),
            position.position().unwrap()
        )
    }

    #[test]
    fn what_ctx_has_not_and_zones_that_are_none_are_found_where_they_stand() {
        let ast = parse(
            engine(),
            r#"fn residents(record, ctx) {
    let day = instant_date(record, "at", "Amercia/Chicago");
    if ctx.tody == "x" || ctx.lookup("units", 1) == () { return []; }
    let company = ctx.fields.company + ctx.fieds.company;
    [epoch_date(record, "at", "s", ctx.timezone), ctx.properties[0], epoch_date(record, "at", "s", "")]
}"#,
        )
        .unwrap();
        let found = in_vain(&ast).into_iter();
        let found: Vec<String> = found
            .map(|(position, message)| format!("{} {message}", at(position)))
            .collect();
        assert_eq!(
            found,
            [
                "2:42 `Amercia/Chicago` is no IANA time zone; did you mean `America/Chicago`?",
                "3:12 `ctx` has no `tody`; did you mean `today`?",
                "4:44 `ctx` has no `fieds`; did you mean `fields`?",
            ]
        );
    }

    #[test]
    fn words_of_verdicts_are_found_where_they_are_given() {
        let ast = parse(
            engine(),
            r#"fn verdict(answer, ctx) {
    let word = "no";
    if answer.status == 403 { return "deny"; }
    if answer.text == "busy" { #{ verdict: "retri", hint: "later" } }
    else if word == "night" { "maintenance" }
    else { switch answer.status { 401 => "login", 404 => word, _ => () } }
}
fn other() { "else" }"#,
        )
        .unwrap();
        let found = verdicts(&ast).into_iter();
        let found: Vec<String> = found
            .map(|(word, position)| format!("{} {word}", at(position)))
            .collect();
        assert_eq!(
            found,
            ["3:38 deny", "4:44 retri", "5:31 maintenance", "6:42 login"]
        );
    }
}
