//! Where in a script a call went beyond a limit. Rhai gives such an error the place of the call that it is in, and nobody in
//! the script calls its outermost function. Limits nothing itself.

use std::sync::atomic::{AtomicU32, Ordering};

use rhai::{AST, Dynamic, Engine, EvalAltResult, ImmutableString, Position, Scope};

use super::{Context, literals, said, used};

/// So often the place is sought: the call is made once more for it.
const SOUGHT_AT_MOST: u32 = 20;

/// Seeks the places of one script.
#[derive(Debug)]
pub(super) struct Seeker {
    text: Box<str>,
    sought: AtomicU32,
}

/// Whether an error is that of a limit.
fn is_of_limit(error: &EvalAltResult) -> bool {
    matches!(
        error,
        EvalAltResult::ErrorTooManyOperations(_)
            | EvalAltResult::ErrorTooManyVariables(_)
            | EvalAltResult::ErrorStackOverflow(_)
            | EvalAltResult::ErrorDataTooLarge(..)
            | EvalAltResult::ErrorTerminated(..)
    )
}

impl Seeker {
    pub(super) fn new(text: &str) -> Seeker {
        Seeker {
            text: text.into(),
            sought: AtomicU32::new(0),
        }
    }

    /// Gives an error its place, where it is one of a limit without any: the body of the function is run once more, as a
    /// script of its own, which nobody calls. Scripts are pure, so that it ends as it did. Gives the function that is called
    /// there, where the limit was met in one of the script's or of what it imports.
    pub(super) fn place(
        &self,
        error: &mut EvalAltResult,
        (engine, ast): (&Engine, &AST),
        function: &str,
        argument: impl FnOnce() -> Option<Dynamic>,
        ctx: &Context,
    ) -> Option<String> {
        let is_placed = !is_of_limit(error) || !error.position().is_none();
        if is_placed || self.sought.fetch_add(1, Ordering::Relaxed) >= SOUGHT_AT_MOST {
            return None;
        }
        let why = used::why();
        let again = || {
            let (body, [first, second]) = self.body_of(engine, ast, function)?;
            let mut scope = Scope::new();
            scope.push_dynamic(first, argument()?);
            scope.push(second, ctx.clone());
            used::begin();
            let ended = engine.eval_ast_with_scope::<Dynamic>(&mut scope, &body);
            ended.err().filter(|again| is_of_limit(again))
        };
        // What it printed was heard the first time.
        let printed = said::so_far();
        let again = again();
        said::forget(printed);
        if let Some(again) = &again {
            error.set_position(again.position());
        }
        used::ended(why);
        self.called_at(ast, again?.position())
    }

    /// The function whose call stands at a place, by its name: one of an import, or of the script itself.
    fn called_at(&self, ast: &AST, position: Position) -> Option<String> {
        let (line, column) = (position.line()?, position.position()?);
        let text = self.text.lines().nth(line.checked_sub(1)?)?;
        let (at, _) = text.char_indices().nth(column.checked_sub(1)?)?;
        let (before, rest) = text.split_at(at);
        let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
        let end = rest.find(|c| !is_of_name(c))?;
        let (name, behind) = rest.split_at(end);
        if name.is_empty() || !behind.trim_start().starts_with('(') {
            return None;
        }
        if let Some(before) = before.strip_suffix("::") {
            let from = before.rfind(|c| !is_of_name(c)).map_or(0, |at| at + 1);
            return Some(format!("{}::{name}", before.get(from..)?));
        }
        let mut own = ast.iter_functions();
        own.any(|function| function.name == name)
            .then(|| name.to_owned())
    }

    /// The body of a function of two parameters, as what a script does, at the place where it stands; and its parameters.
    fn body_of(
        &self,
        engine: &Engine,
        ast: &AST,
        function: &str,
    ) -> Option<(AST, [ImmutableString; 2])> {
        let defined = ast.shared_lib().get_script_fn(function, 2)?;
        let parameters: [ImmutableString; 2] = defined.params.to_vec().try_into().ok()?;
        let begins = self.byte_at(literals::function(ast, function)?)?;
        let head = self.text.get(..begins)?;
        let head = head.rfind(function).and_then(|name| head.get(..name))?;
        let keyword = head.rfind("fn")?;
        let mut text = String::with_capacity(self.text.len());
        for (at, character) in self.text.char_indices() {
            let is_head = (keyword..begins).contains(&at) && character != '\n';
            text.push(if is_head { ' ' } else { character });
        }
        let mut scope = Scope::new();
        for name in &parameters {
            scope.push_dynamic(name.clone(), Dynamic::UNIT);
        }
        let body = engine.compile_with_scope(&scope, text).ok()?;
        // What is imported is known to the script alone.
        let mut all = ast.clone();
        all.clear_statements();
        all.combine(body);
        Some((all, parameters))
    }

    fn byte_at(&self, position: Position) -> Option<usize> {
        let (line, column) = (position.line()?, position.position()?);
        let mut begins = 0;
        for (number, text) in (1..).zip(self.text.split_inclusive('\n')) {
            if number == line {
                let (at, character) = text.char_indices().nth(column.checked_sub(1)?)?;
                return (character == '{').then_some(begins + at);
            }
            begins += text.len();
        }
        None
    }
}
