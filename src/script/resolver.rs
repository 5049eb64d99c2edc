//! Imports: only what the library holds, compiled once, and never in a circle. rhai's own resolver of files
//! is no jail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rhai::{AST, Engine, EvalAltResult, Module, ModuleResolver, Position, Scope};

use super::Library;
use super::error::{ImportError, lower};
use super::used;

/// The modules that a compilation has imported so far, and those it is in the middle of.
#[derive(Clone, Default)]
pub(super) struct Modules(Arc<Mutex<Imports>>);

#[derive(Default)]
pub(super) struct Imports {
    pub(super) loaded: BTreeMap<String, AST>,
    open: Vec<String>,
}

impl Modules {
    pub(super) fn state(&self) -> MutexGuard<'_, Imports> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves only what the library holds.
pub(super) struct Resolver {
    pub(super) library: Library,
    pub(super) modules: Modules,
}

impl Resolver {
    fn compile(
        &self,
        engine: &Engine,
        path: &str,
        position: Position,
    ) -> Result<AST, Box<EvalAltResult>> {
        let refuse = |message: String| -> Box<EvalAltResult> {
            ImportError::thrown(path, message, position)
        };
        let plain = path
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_/".contains(&b));
        let Some(text) = self.library.text(path).filter(|_| plain) else {
            if let Some(problem) = self.library.why_not(path).filter(|_| plain) {
                return Err(refuse(format!("`{path}` cannot be imported: {problem}")));
            }
            return Err(refuse(format!(
                "there is no script `{path}` to import; names are paths below scripts/, such as \"lib/names\""
            )));
        };
        let mut ast = engine.compile(text).map_err(|error| {
            let message = lower(&error.err_type().to_string());
            let inner = EvalAltResult::ErrorRuntime(message.into(), error.position()).into();
            Box::new(EvalAltResult::ErrorInModule(
                path.to_owned(),
                inner,
                position,
            ))
        })?;
        ast.set_source(path);
        Ok(ast)
    }
}

impl ModuleResolver for Resolver {
    fn resolve(
        &self,
        engine: &Engine,
        _source: Option<&str>,
        path: &str,
        position: Position,
    ) -> Result<rhai::Shared<Module>, Box<EvalAltResult>> {
        let open = self.modules.state().open.clone();
        if open.iter().any(|open| open == path) {
            let circle = format!(
                "the imports run in a circle: {} → {path}; remove one of them",
                open.join(" → ")
            );
            return Err(ImportError::thrown(path, circle, position));
        }
        let ast = self.compile(engine, path, position)?;
        self.modules.state().open.push(path.to_owned());
        used::begin();
        let module = Module::eval_ast_as_new(Scope::new(), &ast, engine);
        let mut state = self.modules.state();
        state.open.pop();
        state.loaded.insert(path.to_owned(), ast);
        module.map(Into::into)
    }
}
