//! A script, compiled with everything it imports, and called with every limit set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rhai::module_resolvers::DummyModuleResolver;
use rhai::{AST, Dynamic, Engine, EvalAltResult, Position, Scope};

use crate::model::{Code, Place, Problem};

use super::about::{About, At};
use super::engine::{self, engine};
use super::error::{ImportError, file_of, locate, locate_about, place};
use super::frame::Frames;
use super::limits::Seeker;
use super::resolver::{Modules, Resolver};
use super::sparse::Sparse;
use super::used;
use super::{Context, Library, ScriptError, lint, literals, meant, required};

/// A compiled script: the mapping of one kind of PMS, or of one kind of target.
#[derive(Debug)]
pub struct Script {
    name: String,
    engine: Engine,
    ast: AST,
    frames: Frames,
    /// It is one of a target.
    pub(super) of_target: bool,
    pub(super) excludes: bool,
    pub(super) judges: bool,
    status_words: BTreeSet<String>,
    names_read: BTreeMap<String, Place>,
    /// How it gets sparse records; none where it gets whole ones alone.
    pub(super) sparse: Option<Sparse>,
    /// The lookups that it asks for by their names, and where each is asked first.
    lookups: BTreeMap<String, Asked>,
    /// Where it may ask for others as well, which is known only when it runs.
    asks_others: Option<Asked>,
    warnings: Vec<Problem>,
    /// The words that it gives as verdicts, as far as they are written out.
    verdicts: Vec<(String, Asked)>,
    pub(super) about: About,
    limits: Seeker,
    hash: [u8; 32],
}

/// Where a script asks for something.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The file, from the home.
    pub file: PathBuf,
    /// The line and the column, where they are known.
    pub place: Option<Place>,
}

impl Script {
    /// Compiles `scripts/<name>` and what it imports, or tells everything that is wrong with it.
    pub fn compile(library: &Library, name: &str) -> Result<Script, Vec<Problem>> {
        Script::compile_with(library, name, engine())
    }

    /// The same, to be run by the engine that it was compiled with and by no other.
    #[must_use]
    pub(super) fn of_whole_records(mut self) -> Script {
        self.sparse = None;
        self
    }

    pub(super) fn compile_with(
        library: &Library,
        name: &str,
        mut engine: Engine,
    ) -> Result<Script, Vec<Problem>> {
        let name = name.strip_suffix(".rhai").unwrap_or(name);
        let Some(text) = library.text(name) else {
            if let Some(problem) = library.why_not(name) {
                return Err(vec![problem.clone()]);
            }
            let names: Vec<&str> = library
                .names()
                .filter(|name| !name.starts_with("lib/"))
                .collect();
            return Err(vec![Problem {
                file: file_of(name),
                place: None,
                field: String::new(),
                message: format!("there is no such script; there are: {}", names.join(", ")),
                code: Code::Reference,
            }]);
        };
        let modules = Modules::default();
        engine.set_module_resolver(Resolver {
            library: library.clone(),
            modules: modules.clone(),
        });
        let problem = |module: &str, position: Position, code: Code, message: String| Problem {
            file: file_of(module),
            place: place(position),
            field: String::new(),
            message,
            code,
        };
        let mut ast = engine
            .compile_into_self_contained(&Scope::new(), text)
            .map_err(|error| {
                let import = ImportError::of(&error);
                let error = locate(name, *error);
                let here = import
                    .as_ref()
                    .filter(|_| error.place.is_none())
                    .and_then(|import| literals::import(engine::engine(), text, &import.path));
                vec![Problem {
                    code: import.map_or(Code::ScriptSyntax, |_| Code::ScriptImport),
                    file: error.file,
                    place: error.place.or_else(|| here.and_then(place)),
                    field: error.field.unwrap_or_default(),
                    message: error.message,
                }]
            })?;
        ast.set_source(name);
        // From here on nothing can be imported that was not imported now.
        engine.set_module_resolver(DummyModuleResolver::new());

        let functions = lint::defined(&ast);
        let of_target = required::is_of_target(&functions);
        let mut problems = Vec::new();
        let loaded = std::mem::take(&mut modules.state().loaded);
        let registered = lint::registered(&engine);
        let imported: BTreeMap<String, lint::Arities> = loaded
            .iter()
            .map(|(module, ast)| (module.clone(), lint::defined(ast)))
            .collect();
        let all: Vec<(&str, &AST)> = std::iter::once((name, &ast))
            .chain(loaded.iter().map(|(module, ast)| (module.as_str(), ast)))
            .collect();
        let mut lookups = BTreeMap::new();
        let mut asks_others = None;
        for (module, ast) in &all {
            let (here, others) = lint::lookups(ast);
            asks_others = asks_others.or_else(|| {
                others.map(|position| Asked {
                    file: file_of(module),
                    place: place(position),
                })
            });
            for (lookup, position) in here {
                lookups.entry(lookup).or_insert_with(|| Asked {
                    file: file_of(module),
                    place: place(position),
                });
            }
        }
        let (mut warnings, mut verdicts) = (Vec::new(), Vec::new());
        let mut status_words = BTreeSet::new();
        let mut names_read: BTreeMap<String, Place> = BTreeMap::new();
        let (mut own_names, mut closure) = (BTreeSet::new(), Vec::new());
        let mut about = About::default();
        for module in std::iter::once(name).chain(loaded.keys().map(String::as_str)) {
            let text = library.text(module).unwrap_or_default();
            let Some(written) = literals::parse(engine::engine(), text) else {
                continue;
            };
            let mut wrong = literals::wrong(&written);
            if !of_target {
                wrong.extend(literals::wrong_residents(&written));
            }
            for (position, message) in wrong {
                problems.push(problem(module, position, Code::ScriptOutput, message));
            }
            for (position, message) in literals::doubtful(&written) {
                warnings.push(problem(module, position, Code::DateForm, message));
            }
            for (position, message) in meant::in_vain(&written) {
                warnings.push(problem(module, position, Code::ScriptName, message));
            }
            for (word, position) in meant::verdicts(&written) {
                let asked = Asked {
                    file: file_of(module),
                    place: place(position),
                };
                verdicts.push((word, asked));
            }
            own_names.extend(literals::keys(&written));
            about.take(module, &written, of_target);
            if module == name {
                status_words = literals::status_words(&written);
                if of_target {
                    for (position, message) in meant::of_person(&written) {
                        warnings.push(problem(module, position, Code::ScriptName, message));
                    }
                }
                names_read = literals::names_read(&written)
                    .into_iter()
                    .filter_map(|(name, position)| Some((name, place(position)?)))
                    .collect();
            }
            closure.push(written);
        }
        names_read.retain(|path, _| !path.split('/').all(|part| own_names.contains(part)));
        for (module, ast) in &all {
            for (position, message) in lint::wrong_calls(ast, &registered, &imported) {
                problems.push(problem(module, position, Code::ScriptCall, message));
            }
        }
        let of_one_name = lint::of_one_name(&all);
        for twin in &of_one_name {
            let message = format!(
                "a function `{}` with as many parameters is in {} too, and rhai may call that one here; rename one of them",
                twin.function,
                file_of(twin.other).display()
            );
            warnings.push(problem(twin.script, twin.at, Code::SameName, message));
        }
        for (position, message) in required::wrong(&ast, &functions) {
            problems.push(problem(name, position, Code::ScriptFunction, message));
        }
        if !problems.is_empty() {
            problems.sort();
            problems.dedup();
            return Err(problems);
        }
        let all_written = closure.len() == 1 + loaded.len() && !of_target;
        let kept = of_one_name.is_empty();
        let sparse = all_written.then(|| Sparse::of(&closure, Frames::new(kept)));
        let sparse = sparse.flatten();
        let mut hasher = blake3::Hasher::new();
        for module in std::iter::once(name).chain(loaded.keys().map(String::as_str)) {
            hasher.update(module.as_bytes());
            hasher.update(
                blake3::hash(library.text(module).unwrap_or_default().as_bytes()).as_bytes(),
            );
        }
        Ok(Script {
            name: name.to_owned(),
            engine,
            ast,
            frames: Frames::new(kept),
            lookups,
            asks_others,
            warnings,
            verdicts,
            about,
            limits: Seeker::new(text),
            of_target,
            excludes: functions.contains_key("exclude"),
            judges: functions.contains_key("verdict"),
            status_words,
            names_read,
            sparse,
            hash: *hasher.finalize().as_bytes(),
        })
    }

    /// Whether a script, and everything it imports, is as it was shipped.
    pub fn is_as_shipped(library: &Library, shipped: &Library, name: &str) -> bool {
        let closure = Script::closure(library, name);
        let is_shipped = |module: &String| {
            let text = library.text(module);
            text.is_some() && text == shipped.text(module)
        };
        !closure.is_empty() && closure.iter().all(is_shipped)
    }

    /// A hash of the script and everything it imports.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Its file, relative to the home.
    pub fn file(&self) -> PathBuf {
        file_of(&self.name)
    }

    /// The PMS's words that its tables of status know, as far as they are written out.
    pub fn status_words(&self) -> &BTreeSet<String> {
        &self.status_words
    }

    /// The names of the PMS's records that it reads, as far as they are written out, each with its first place.
    pub fn names_read(&self) -> &BTreeMap<String, Place> {
        &self.names_read
    }

    /// Whether the script may ask for a lookup: what none asks for need not be read.
    pub fn asks(&self, lookup: &str) -> bool {
        self.asks_others.is_some() || self.lookups.contains_key(lookup)
    }

    /// What of it may be meant, and most likely is not.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The words that it gives as verdicts, as far as they are written out, and where each stands.
    pub fn verdicts(&self) -> &[(String, Asked)] {
        &self.verdicts
    }

    /// Where the script may ask for lookups whose names are known only when it runs.
    pub fn asks_others(&self) -> Option<&Asked> {
        self.asks_others.as_ref()
    }

    /// The lookups that the script asks for by their names, and where each is asked first.
    pub fn lookups(&self) -> &BTreeMap<String, Asked> {
        &self.lookups
    }

    /// Calls a function; `again` gives its argument once more.
    pub(super) fn call(
        &self,
        function: &str,
        argument: Dynamic,
        again: impl FnOnce() -> Option<Dynamic>,
        ctx: &Context,
    ) -> Result<Dynamic, ScriptError> {
        let result = self.call_on(&self.engine, &self.frames, function, argument, ctx);
        result.map_err(|mut error| {
            let script = (&self.engine, &self.ast);
            let called = self.limits.place(&mut error, script, function, again, ctx);
            let mut error = locate_about(&self.name, *error, &self.about);
            if let Some(called) = called {
                error.message += &format!(" (in `{called}`, which is called here)");
            }
            error
        })
    }

    pub(super) fn call_on(
        &self,
        engine: &Engine,
        frames: &Frames,
        function: &str,
        argument: Dynamic,
        ctx: &Context,
    ) -> Result<Dynamic, Box<EvalAltResult>> {
        used::begin();
        frames.call(engine, &self.ast, function, (argument, ctx.clone()))
    }

    /// What is wrong with a field of a resident, where it is given.
    pub fn wrong(&self, field: impl Into<String>, message: impl Into<String>) -> ScriptError {
        let field = field.into();
        let given: Vec<&At> = self.about.given(&field).iter().collect();
        self.wrong_at(field, message.into(), &given)
    }

    /// What is wrong with a field that is given at these places.
    pub(super) fn wrong_at(&self, field: String, message: String, given: &[&At]) -> ScriptError {
        /// So many other places are named.
        const OTHERS: usize = 3;
        let mut error = self.error(None, message);
        if let [(file, place), others @ ..] = given {
            error.file.clone_from(file);
            error.place = Some(*place);
            let others: BTreeSet<String> = others
                .iter()
                .map(|(file, place)| format!("{}:{}", file.display(), place.line))
                .collect();
            if !others.is_empty() {
                let more = others.len().saturating_sub(OTHERS);
                let mut named: Vec<String> = others.into_iter().take(OTHERS).collect();
                named.extend((more > 0).then(|| format!("{more} more")));
                error.message +=
                    &format!(" (`{field}` is given in {} too)", named.join(" and in "));
            }
        }
        error.field = Some(field);
        error
    }

    /// What is wrong with what a function gives, told where the function begins.
    pub(super) fn wrong_of(&self, function: &str, message: String) -> ScriptError {
        let begins = literals::function(&self.ast, function);
        ScriptError {
            place: begins.and_then(place),
            ..self.error(None, message)
        }
    }

    /// From where to where in its file the body of a function reaches.
    pub(super) fn span(&self, function: &str) -> Option<(Place, Place)> {
        let (begins, ends) = literals::span(&self.ast, function)?;
        Some((place(begins)?, place(ends)?))
    }

    pub(super) fn error(&self, field: Option<String>, message: String) -> ScriptError {
        ScriptError {
            file: file_of(&self.name),
            place: None,
            field,
            message,
            thrown: false,
        }
    }
}

impl Script {
    /// Every text that is written out in a script and in what it imports: the PMS's words that it knows are among
    /// them.
    pub fn words(library: &Library, name: &str) -> BTreeSet<String> {
        let closure = Script::closure(library, name);
        let texts = closure.iter().filter_map(|module| library.text(module));
        texts
            .filter_map(|text| literals::parse(engine(), text))
            .flat_map(|ast| literals::words(&ast))
            .collect()
    }

    /// The names of everything the script imports by name, itself first.
    pub fn closure(library: &Library, name: &str) -> BTreeSet<String> {
        let engine = engine();
        let mut open = vec![name.strip_suffix(".rhai").unwrap_or(name).to_owned()];
        let mut closure = BTreeSet::new();
        while let Some(name) = open.pop() {
            if let Some(text) = library.text(&name)
                && closure.insert(name)
                && let Ok(ast) = engine.compile(text)
            {
                open.extend(lint::aliases(&ast).into_values());
            }
        }
        closure
    }
}

#[cfg(test)]
mod tests;
