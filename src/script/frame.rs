//! What the calls of a script have in common, kept from one to the next: what it imports, and which function each of its calls
//! means. Nothing of a record is in it.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rhai::{
    AST, Caches, Dynamic, Engine, EvalAltResult, EvalContext, Expr, FuncArgs, GlobalRuntimeState,
    Scope, Stmt,
};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// So many calls share a frame: a script that makes up names of functions as it runs leaves each of them there.
const CALLS: u32 = 4_096;

/// So deep in the language is a function that is called through a frame.
pub(super) const DEPTH: usize = 2;

/// The frames of one script in one engine that nobody uses now.
pub(super) struct Frames {
    idle: Mutex<Vec<Frame>>,
    /// Frames are used again.
    kept: bool,
}

struct Frame {
    global: GlobalRuntimeState,
    caches: Caches,
    calls: u32,
}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept.then(|| self.idle().len());
        f.debug_tuple("Frames").field(&kept).finish()
    }
}

impl Frames {
    /// Of a script, used again or not. The language keeps no two functions of one name apart that the script and what it
    /// imports define: what a call of either means depends on what was called before, which may then be nothing of another
    /// record.
    pub(super) fn new(kept: bool) -> Frames {
        Frames {
            idle: Mutex::default(),
            kept,
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Frame>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls a function of a script. Nothing that one call sets can be seen by the next.
    pub(super) fn call(
        &self,
        engine: &Engine,
        ast: &AST,
        function: &str,
        arguments: impl FuncArgs,
    ) -> Fallible<Dynamic> {
        let idle = self.idle().pop();
        let mut frame = match idle {
            Some(frame) => frame,
            None => Frame::new(engine, ast)?,
        };
        // One in which a call failed, or panicked, is not used again.
        let given = frame.call(engine, function, arguments)?;
        if self.kept && frame.calls < CALLS && is_still(ast) {
            self.idle().push(frame);
        }
        Ok(given)
    }
}

/// Whether what a script does outside of its functions gives the same each time and says nothing: it imports, and has
/// constants.
fn is_still(ast: &AST) -> bool {
    ast.statements().iter().all(|statement| match statement {
        Stmt::Noop(_) => true,
        Stmt::Import(import, _) => matches!(import.0, Expr::StringConstant(..)),
        Stmt::Var(variable, ..) => variable.1.is_constant(),
        _ => false,
    })
}

impl Frame {
    /// With all that a script does outside of its functions.
    fn new(engine: &Engine, ast: &AST) -> Fallible<Frame> {
        let mut global = engine.new_global_runtime_state();
        global.source = ast.source().map(Into::into);
        global.lib.push(ast.shared_lib().clone());
        global.embedded_module_resolver = ast.resolver().cloned();
        let mut caches = Caches::new();
        #[allow(deprecated, reason = "nothing else takes a state that is kept")]
        let _ = engine.eval_statements_raw(
            &mut global,
            &mut caches,
            &mut Scope::new(),
            ast.statements(),
        )?;
        Ok(Frame {
            global,
            caches,
            calls: 0,
        })
    }

    fn call(
        &mut self,
        engine: &Engine,
        function: &str,
        arguments: impl FuncArgs,
    ) -> Fallible<Dynamic> {
        self.calls += 1;
        self.global.num_operations = 0;
        let (global, caches, mut scope) = (&mut self.global, &mut self.caches, Scope::new());
        let mut context = EvalContext::new(engine, global, caches, &mut scope, None);
        let given = context.call_fn::<Dynamic>(function, arguments);
        given.or_else(|error| match *error {
            EvalAltResult::Exit(given, _) => Ok(given),
            EvalAltResult::ErrorInFunctionCall(name, _, inner, _) if name == function => Err(inner),
            _ => Err(error),
        })
    }
}

#[cfg(test)]
mod tests;
