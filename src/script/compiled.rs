//! A script, compiled with everything it imports, and called with every limit set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rhai::module_resolvers::DummyModuleResolver;
use rhai::{AST, Dynamic, Engine, EvalAltResult, Position, Scope};

use crate::model::{Code, Place, Problem, Resident};

use super::about::About;
use super::decode::decode;
use super::engine::{self, engine};
use super::error::{ImportError, file_of, locate, locate_about, place, type_called};
use super::frame::Frames;
use super::limits::Seeker;
use super::output::{MAX_RESIDENTS, id, resident};
use super::resolver::{Modules, Resolver};
use super::room::with_room;
use super::sparse::Sparse;
use super::used;
use super::{Context, Library, ScriptError, lint, literals, meant};

/// A compiled script: the mapping of one kind of PMS.
#[derive(Debug)]
pub struct Script {
    name: String,
    engine: Engine,
    ast: AST,
    frames: Frames,
    excludes: bool,
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
    about: About,
    limits: Seeker,
    hash: [u8; 32],
}

/// One resident of a record, with the map it came from.
#[derive(Debug, Clone)]
pub struct Mapped {
    /// The resident, as the script gave it.
    pub resident: Resident,
    map: Dynamic,
}

/// A resident whom a script gave in a list, and who is none. What is wrong with one member of a household is that
/// member's alone (R12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Which one of the list, from 1.
    pub place: usize,
    /// The PMS id, where that is right.
    pub id: Option<String>,
    /// What is wrong.
    pub error: ScriptError,
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
            for (position, message) in literals::wrong(&written) {
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
            about.take(module, &written);
            if module == name {
                status_words = literals::status_words(&written);
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
        let functions = lint::defined(&ast);
        for (function, first) in [
            ("residents", "record"),
            ("exclude", "resident"),
            ("verdict", "answer"),
        ] {
            let at = literals::function(&ast, function);
            match functions.get(function) {
                None if function == "residents" => {
                    let near = lint::nearest(function, functions.keys());
                    let (at, remedy) = match near {
                        Some(near) => (
                            literals::function(&ast, near),
                            format!("rename `{near}`, if that is it"),
                        ),
                        None => (None, "add `fn residents(record, ctx) { … }`".to_owned()),
                    };
                    problems.push(problem(
                        name,
                        at.unwrap_or(Position::NONE),
                        Code::ScriptFunction,
                        format!("there is no function `residents`; {remedy}"),
                    ));
                }
                Some(arities) if !arities.contains(&2) => problems.push(problem(
                    name,
                    at.unwrap_or(Position::NONE),
                    Code::ScriptFunction,
                    format!(
                        "`{function}` takes two parameters, such as `fn {function}({first}, ctx)`"
                    ),
                )),
                _ => {}
            }
        }
        if !problems.is_empty() {
            problems.sort();
            problems.dedup();
            return Err(problems);
        }
        let all_written = closure.len() == 1 + loaded.len();
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

    /// The residents of one record: none, one, or a household. Of a household each stands for itself; an error of the
    /// script is one of the record.
    pub fn residents(
        &self,
        record: &str,
        ctx: &Context,
    ) -> Result<Vec<Result<Mapped, Wrong>>, ScriptError> {
        with_room(|| self.residents_here(record, ctx))
    }

    fn residents_here(
        &self,
        record: &str,
        ctx: &Context,
    ) -> Result<Vec<Result<Mapped, Wrong>>, ScriptError> {
        if let Some(result) = self.of_sparse(record, ctx) {
            return self.mapped(result);
        }
        let decoded = decode(record, None).map_err(|_| {
            self.error(
                None,
                "the record is not readable: it is nested too deep, or no JSON".into(),
            )
        })?;
        let again = || decode(record, None).ok();
        let result = self.call("residents", decoded, again, ctx)?;
        self.mapped(result)
    }

    pub(super) fn of_sparse(&self, record: &str, ctx: &Context) -> Option<Dynamic> {
        let call = |engine: &Engine, frames: &Frames, record| {
            self.call_on(engine, frames, "residents", record, ctx)
        };
        self.sparse.as_ref()?.given(record, call)
    }

    fn mapped(&self, result: Dynamic) -> Result<Vec<Result<Mapped, Wrong>>, ScriptError> {
        if result.is_unit() {
            return Ok(Vec::new());
        }
        let Ok(maps) = result.as_array_ref().map(|maps| maps.len()) else {
            return Ok(vec![Ok(self.resident(result)?)]);
        };
        if maps > MAX_RESIDENTS {
            return Err(self.error(
                None,
                format!("`residents` gave more than {MAX_RESIDENTS} residents for one record"),
            ));
        }
        let maps = result.into_array().unwrap_or_default();
        let members = (1..).zip(maps).map(|(place, map)| {
            let id = map.as_map_ref().ok().and_then(|map| id(&map));
            let resident = self.resident(map);
            resident.map_err(|error| Wrong { place, id, error })
        });
        Ok(members.collect())
    }

    fn resident(&self, map: Dynamic) -> Result<Mapped, ScriptError> {
        let resident = match map.as_map_ref() {
            Ok(map) => resident(&map).map_err(|(field, message)| self.wrong(field, message))?,
            Err(found) => {
                let message = format!(
                    "`residents` gives maps #{{ … }}, a list of them, or (), not {}",
                    type_called(found)
                );
                return Err(self.wrong_of("residents", message));
            }
        };
        Ok(Mapped { resident, map })
    }

    /// The script's reason to leave a resident out, if it has one (R6).
    pub fn exclude(&self, mapped: &Mapped, ctx: &Context) -> Result<Option<String>, ScriptError> {
        if !self.excludes {
            return Ok(None);
        }
        with_room(|| self.excluded_here(mapped, ctx))
    }

    fn excluded_here(&self, mapped: &Mapped, ctx: &Context) -> Result<Option<String>, ScriptError> {
        let again = || Some(mapped.map.clone());
        let result = self.call("exclude", mapped.map.clone(), again, ctx)?;
        if result.is_unit() {
            return Ok(None);
        }
        match result.into_immutable_string() {
            Ok(reason) if !reason.trim().is_empty() => {
                Ok(Some(reason.trim().chars().take(120).collect()))
            }
            _ => Err(self.wrong_of(
                "exclude",
                "`exclude` gives a reason as text, or () to leave the resident in".into(),
            )),
        }
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

    fn call_on(
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
        /// So many other places are named.
        const OTHERS: usize = 3;
        let field = field.into();
        let mut error = self.error(None, message.into());
        if let [(file, place), others @ ..] = self.about.given(&field) {
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
