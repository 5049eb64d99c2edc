//! A script, compiled with everything it imports, and called with every limit set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rhai::module_resolvers::DummyModuleResolver;
use rhai::{AST, Dynamic, Engine, EvalAltResult, Position, Scope};

use crate::model::{Code, Place, Problem, Resident};

use super::about::About;
use super::decode::decode;
use super::engine::{self, engine};
use super::error::{ImportError, file_of, locate, locate_about, place};
use super::frame::Frames;
use super::output::{MAX_RESIDENTS, id, resident};
use super::resolver::{Modules, Resolver};
use super::room::with_room;
use super::sparse::Sparse;
use super::used;
use super::{Context, Library, ScriptError, lint, literals};

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
    about: About,
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
        let mut lookups = BTreeMap::new();
        let mut asks_others = None;
        for (module, ast) in std::iter::once((name, &ast))
            .chain(loaded.iter().map(|(module, ast)| (module.as_str(), ast)))
        {
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
        let mut warnings = Vec::new();
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
        let all = std::iter::once((name, &ast))
            .chain(loaded.iter().map(|(module, ast)| (module.as_str(), ast)));
        for (module, ast) in all {
            for (position, message) in lint::wrong_calls(ast, &registered, &imported) {
                problems.push(problem(module, position, Code::ScriptCall, message));
            }
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
        let kept = !lint::share_a_name(std::iter::once(&functions).chain(imported.values()));
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
            about,
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
        let record = decode(record, None).map_err(|_| {
            self.error(
                None,
                "the record is not readable: it is nested too deep, or no JSON".into(),
            )
        })?;
        let result = self.call("residents", record, ctx)?;
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
                let message =
                    format!("`residents` gives maps #{{ … }}, a list of them, or (), not {found}");
                return Err(self.error(None, message));
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
        let result = self.call("exclude", mapped.map.clone(), ctx)?;
        if result.is_unit() {
            return Ok(None);
        }
        match result.into_immutable_string() {
            Ok(reason) if !reason.trim().is_empty() => {
                Ok(Some(reason.trim().chars().take(120).collect()))
            }
            _ => Err(self.error(
                None,
                "`exclude` gives a reason as text, or () to leave the resident in".into(),
            )),
        }
    }

    pub(super) fn call(
        &self,
        function: &str,
        argument: Dynamic,
        ctx: &Context,
    ) -> Result<Dynamic, ScriptError> {
        let result = self.call_on(&self.engine, &self.frames, function, argument, ctx);
        result.map_err(|error| locate_about(&self.name, *error, &self.about))
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
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn ctx() -> Context {
        Context::new(super::super::Inputs {
            today: jiff::civil::date(2026, 3, 1),
            ..Default::default()
        })
    }

    fn compile(text: &'static str) -> Result<Script, Vec<String>> {
        Script::compile(&Library::of([("pms", text)]), "pms.rhai")
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    fn fails(body: &str, record: &str) -> String {
        let text: &'static str =
            Box::leak(format!("fn residents(record, ctx) {{\n{body}\n}}").into_boxed_str());
        compile(text)
            .unwrap()
            .residents(record, &ctx())
            .unwrap_err()
            .to_string()
    }

    fn all_right(script: &Script, record: &str) -> Vec<Mapped> {
        let residents = script.residents(record, &ctx()).unwrap();
        residents.into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn a_record_makes_none_one_or_several_residents() {
        let script = compile(
            r#"fn residents(record, ctx) {
                list(record, "people").map(|p| #{ id: p.id, status: "current", unit: ctx.today })
            }"#,
        )
        .unwrap();
        let residents = all_right(&script, r#"{"people":[{"id":"a"},{"id":7}]}"#);
        let ids: Vec<_> = residents
            .iter()
            .map(|mapped| mapped.resident.id.as_str())
            .collect();
        assert_eq!(ids, ["a", "7"]);
        assert_eq!(
            residents[0].resident.unit.as_ref().unwrap().label,
            "2026-03-01"
        );
        assert!(script.residents("{}", &ctx()).unwrap().is_empty());
    }

    /// A8: a household was lost with its member.
    #[test]
    fn r12_what_is_wrong_with_one_member_of_a_household_is_that_member_s_alone() {
        let script = compile(
            r#"fn residents(record, ctx) {
                [#{ id: "a", status: "current" }, #{ id: "b", status: "current", lease_end: "31.12.2026" },
                 #{ status: "current" }, 7, #{ id: "c", status: "current", move_in: "2026-03-01" }]
            }"#,
        )
        .unwrap();
        let told: Vec<String> = script
            .residents("{}", &ctx())
            .unwrap()
            .into_iter()
            .map(|one| match one {
                Ok(mapped) => mapped.resident.id,
                Err(wrong) => format!("{} {:?} {}", wrong.place, wrong.id, wrong.error),
            })
            .collect();
        assert_eq!(
            told,
            [
                "a",
                "2 Some(\"b\") scripts/pms.rhai:2:82: lease_end: is no date written YYYY-MM-DD; use to_date(record, field, format)",
                "3 None scripts/pms.rhai:2:21: id: is missing; it is the PMS's stable id of the person (`id` is given in \
                 scripts/pms.rhai:2 and in scripts/pms.rhai:3 too)",
                "4 None scripts/pms.rhai: `residents` gives maps #{ … }, a list of them, or (), not i64",
                "c",
            ]
        );
    }

    #[test]
    fn r12_a_date_that_cannot_be_costs_that_date_alone() {
        let script = compile(
            r#"fn residents(record, ctx) {
                #{ id: "a", status: "past", lease_start: to_date(record, "s", "%m/%d/%Y"), lease_end: to_date(record, "e", "%m/%d/%Y"),
                   move_in: "0000-00-00", move_out: to_date(record, "o", ["%m/%d/%Y"]) }
            }
            fn exclude(resident, ctx) { if is_unreadable(resident.lease_start) { "seen" } }"#,
        )
        .unwrap();
        let one = all_right(
            &script,
            r#"{"s":"13/45/2026","e":"00/00/0000","o":"11/20/2026"}"#,
        )
        .remove(0);
        let resident = &one.resident;
        let unreadable: Vec<_> = resident.unreadable.iter().copied().collect();
        assert_eq!(unreadable, [crate::model::Field::LeaseStart]);
        let dates = [
            resident.lease_start,
            resident.lease_end,
            resident.move_in,
            resident.move_out,
        ];
        assert_eq!(
            dates,
            [None, None, None, Some(jiff::civil::date(2026, 11, 20))]
        );
        let excluded = script.exclude(&one, &ctx()).unwrap();
        assert_eq!(excluded.as_deref(), Some("seen"));
    }

    /// A3: ids 2^64 and 2^64 + 1 were one person.
    #[test]
    fn r21_an_id_is_a_text_whatever_the_pms_writes_it_as() {
        let script = compile(
            r#"fn residents(record, ctx) {
                let unit = ctx.lookup("units", get(record, "u"));
                #{ id: get(record, "id"), lease_id: text(record, "id"), household: `${get(record, "id")}`, status: "current",
                   unit: if unit == () { () } else { unit.name }, status_word: digits(get(record, "id")) }
            }"#,
        )
        .unwrap();
        let lookup = BTreeMap::from([(
            "7".to_owned(),
            r#"{"name":18446744073709551617}"#.to_owned(),
        )]);
        let inputs = super::super::Inputs {
            lookups: std::sync::Arc::new(BTreeMap::from([("units".to_owned(), lookup)])),
            ..Default::default()
        };
        let ctx = Context::new(inputs);
        for (written, id) in [
            ("1001", "1001"),
            ("1001.0", "1001"),
            ("18446744073709551616", "18446744073709551616"),
            ("18446744073709551617", "18446744073709551617"),
            ("9223372036854775808", "9223372036854775808"),
            ("9007199254740993.0", "9007199254740993"),
            ("2125550100.0", "2125550100"),
            ("\"0091\"", "0091"),
        ] {
            for rest in ["\"u\":7.0", "\"u\":7,\"rest\":[1.5,{}]"] {
                let record = format!("{{\"id\":{written},{rest}}}");
                let one = script
                    .residents(&record, &ctx)
                    .unwrap()
                    .remove(0)
                    .unwrap()
                    .resident;
                let ids = [
                    Some(one.id),
                    one.lease_id,
                    one.household,
                    Some(one.status_word),
                ];
                assert_eq!(ids, [(); 4].map(|()| Some(id.to_owned())), "{written}");
                assert_eq!(one.unit.unwrap().id, "18446744073709551617");
            }
        }
    }

    /// D3.
    #[test]
    fn a_household_is_as_large_as_is_promised_and_a_limit_says_which_it_is() {
        let script = compile(
            r#"fn residents(record, ctx) {
                let main = #{ unit: #{ id: "Bldg A - 12B", label: "12B" }, lease_start: "2026-01-01", lease_end: "2026-12-31" };
                let household = [];
                for one in list(record, "people") {
                    let resident = main;
                    resident.id = text(one, "id");
                    resident.lease_id = "l";
                    resident.household = "l";
                    resident.relationship = "co_resident";
                    resident.first_name = text(one, "name");
                    resident.last_name = text(one, "name");
                    resident.email = `${text(one, "id")}@example.com`;
                    resident.phone = "+14155550100";
                    resident.move_in = "2026-01-01";
                    resident.move_out = ();
                    resident.status = "current";
                    resident.status_word = "Current";
                    resident.notice = false;
                    resident.eviction = false;
                    household.push(resident);
                }
                household
            }"#,
        )
        .unwrap();
        let record = |people: usize| {
            let people: Vec<String> = (0..people)
                .map(|number| format!("{{\"id\":{number},\"name\":\"{}\"}}", "N".repeat(40)))
                .collect();
            format!("{{\"people\":[{}]}}", people.join(","))
        };
        assert_eq!(
            all_right(&script, &record(MAX_RESIDENTS)).len(),
            MAX_RESIDENTS
        );
        let error = script
            .residents(&record(MAX_RESIDENTS + 1), &ctx())
            .unwrap_err();
        assert!(error.message.contains("more than 100 residents"), "{error}");
        let grows = "let l = [#{ a: 1, b: 2, c: 3, d: 4, e: 5 }]; loop { l += l; }";
        let limit = "the limit `map_members` is 10000 members of a map";
        assert!(fails(grows, "{}").contains(limit), "{}", fails(grows, "{}"));
        let limit = "the limit `text_bytes` is 65536 bytes of text";
        assert!(fails("let s = \"x\"; loop { s += s; }", "{}").contains(limit));
        let limit = "the limit `list_items` is 10000 items of a list";
        assert!(fails("let a = [1]; loop { a += a; }", "{}").contains(limit));
    }

    #[test]
    fn an_exclusion_gives_its_reason() {
        let script = compile(
            r#"fn residents(record, ctx) { #{ id: record.id, status: "current", unit: "WAIT" } }
               fn exclude(resident, ctx) { if resident.unit == "WAIT" { "waiting list" } }"#,
        )
        .unwrap();
        let mapped = all_right(&script, r#"{"id":"a"}"#);
        assert_eq!(
            script.exclude(&mapped[0], &ctx()).unwrap().as_deref(),
            Some("waiting list")
        );
    }

    #[test]
    fn a_script_error_names_file_line_column_and_field() {
        assert_eq!(
            fails(
                "#{ id: record.id,\n   status: record.stauts }",
                r#"{"id":"a"}"#
            ),
            "scripts/pms.rhai:3:19: stauts: there is no `stauts`; if the PMS may leave it out, read it with \
             get(record, \"stauts\")"
        );
        assert_eq!(
            fails(
                r#"#{ id: "a", status: "current", lease_end: parse_date(record, "LeaseTo", "%m/%d/%Y") }"#,
                r#"{"LeaseTo":"31.12.2026"}"#
            ),
            "scripts/pms.rhai:2:43: LeaseTo: is no date of the form %m/%d/%Y"
        );
        assert_eq!(
            fails(
                r#"let one = #{ id: "a", status: "current" }; one.emial = "x"; one"#,
                "{}"
            ),
            "scripts/pms.rhai:2:48: emial: a resident has no such field; did you mean `email`?"
        );
        assert_eq!(
            fails(r#"#{ id: "a", status: "Cur" + "rent" }"#, "{}"),
            "scripts/pms.rhai:2:13: status: `Current` is no status; it is one of: current, pending, past, applicant, void, unknown"
        );
        assert_eq!(
            fails(r#"throw "no household""#, "{}"),
            "scripts/pms.rhai:2:1: no household"
        );
    }

    #[test]
    fn what_cannot_be_called_is_refused_when_loaded() {
        assert_eq!(
            compile(
                "fn residents(record, ctx) {\n  let x = txet(record, \"a\");\n  digits(1, 2)\n}"
            )
            .unwrap_err(),
            [
                "scripts/pms.rhai:2:11: there is no function `txet`; did you mean `text`?",
                "scripts/pms.rhai:3:3: `digits` takes 1 arguments, not 2",
            ]
        );
        assert_eq!(
            compile("fn resident(record, ctx) { [] }").unwrap_err(),
            [
                "scripts/pms.rhai:1:26: there is no function `residents`; rename `resident`, if that is it"
            ]
        );
        assert_eq!(
            compile("fn people(record, ctx) { [] }").unwrap_err(),
            [
                "scripts/pms.rhai: there is no function `residents`; add `fn residents(record, ctx) { … }`"
            ]
        );
        assert_eq!(
            compile("fn residents(record) { [] }").unwrap_err(),
            [
                "scripts/pms.rhai:1:22: `residents` takes two parameters, such as `fn residents(record, ctx)`"
            ]
        );
        let error = compile("fn residents(record, ctx) {\n  let a = b;\n}").unwrap_err();
        assert!(error[0].starts_with("scripts/pms.rhai:2:11: "), "{error:?}");
        assert!(compile("fn residents(record, ctx) { eval(\"1\") }").is_err());
    }

    #[test]
    fn what_is_absent_is_told_in_words_with_its_name() {
        let record = r#"{"status":null,"lease":{"unit":null},"n":1}"#;
        for (body, told) in [
            (
                "record.status.to_lower()",
                "2:15: `record.status` is absent here, (), and `to_lower` cannot be done with it: ask for `record.status != ()` first, \
                 or put something in its place with first([record.status, \"\"])",
            ),
            (
                "let status = text(record, \"status\");\nstatus.to_lower()",
                "3:8: `status` is absent here, (), and `to_lower` cannot be done with it: ask for `status != ()` first, or put \
                 something in its place with first([status, \"\"])",
            ),
            (
                "1 - text(record, \"Unit Name\")",
                "2:3: `text(record, \"Unit Name\")` is absent here, (), and `-` cannot be done with it: ask for `text(record, \"Unit \
                 Name\") != ()` first, or put something in its place with first([text(record, \"Unit Name\"), \"\"])",
            ),
            (
                "record.lease.unit.name",
                "2:19: `record.lease.unit` is absent here, (), and has no `name`: read it with get(record, \"lease/unit/name\")",
            ),
            (
                "let unit = get(record, \"unit\"); unit.name",
                "2:38: `unit` is absent here, (), and has no `name`: ask for `unit != ()` first",
            ),
            (
                "get(text(record, \"unit\"), \"name\")",
                "2:1: `text(record, \"unit\")` is absent here, (), and `get` cannot be done with it: ask for `text(record, \"unit\") != \
                 ()` first, or put something in its place with first([text(record, \"unit\"), \"\"])",
            ),
            (
                "if record.status { 1 }",
                "2:10: what stands is absent here, (), where true or false is needed: use flag(record, …), or ask whether it is () first",
            ),
            (
                "record.status[0]",
                "what stands is absent here, (), and has no elements: read it with list(record, …), or ask whether it is () first",
            ),
        ] {
            let found = fails(body, record);
            assert!(found.ends_with(told), "{body}\n{found}\n{told}");
            assert!(found.starts_with("scripts/pms.rhai:"), "{found}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_field_of_the_returned_map_is_told_where_it_is_given() {
        assert_eq!(
            fails(
                "let one = #{\n  id: record.id,\n  status: 7 };\none",
                r#"{"id":"a"}"#
            ),
            "scripts/pms.rhai:4:3: status: `7` is no status; it is one of: current, pending, past, applicant, void, unknown"
        );
        assert_eq!(
            fails(
                "let one = #{ id: 1, status: \"past\" };\nif record.a { one.unit = [] } else { one.unit = 1.5; }\none",
                r#"{"a":false}"#
            ),
            "scripts/pms.rhai:3:19: unit: is text or (), not f64; the script gave the wrong thing (`unit` is given in \
             scripts/pms.rhai:3 too)"
        );
        // Of an imported script too.
        let library = Library::of([
            (
                "pms",
                "import \"lib/who\" as who;\nfn residents(record, ctx) { who::one(record) }",
            ),
            (
                "lib/who",
                "fn one(record) {\n  #{ id: (), status: \"past\" }\n}",
            ),
        ]);
        let script = Script::compile(&library, "pms").unwrap();
        assert_eq!(
            script.residents("{}", &ctx()).unwrap_err().to_string(),
            "scripts/lib/who.rhai:2:6: id: is missing; it is the PMS's stable id of the person"
        );
    }

    #[test]
    fn a_pattern_that_is_none_is_refused_when_loaded_and_told_when_it_is_made_later() {
        let refused = |body: &str| {
            let text = format!("fn residents(record, ctx) {{\n{body}\n}}");
            compile(Box::leak(text.into_boxed_str())).unwrap_err()
        };
        let told = "`(a` is no pattern: unclosed group";
        assert_eq!(
            refused(r#"matches(record.a, "(a")"#),
            [format!("scripts/pms.rhai:2:19: {told}")]
        );
        assert_eq!(
            refused(r#"record.a.matches("(a")"#),
            [format!("scripts/pms.rhai:2:18: {told}")]
        );
        assert_eq!(
            fails(r#"matches("a", "(" + "a")"#, "{}"),
            format!("scripts/pms.rhai:2:1: matches: {told}")
        );
    }

    #[test]
    fn a_unit_of_time_that_is_none_is_refused_when_loaded_and_a_zone_when_it_is_used() {
        let text = "fn residents(record, ctx) {\n  epoch_date(record, \"d\", \"sec\")\n}";
        assert_eq!(
            compile(text).unwrap_err(),
            [
                "scripts/pms.rhai:2:27: `sec` is no unit of time since 1970; write s for seconds, ms for milliseconds, or us \
                 for microseconds"
            ]
        );
        assert_eq!(
            fails(r#"epoch_date(record, "d", "s" + "ec")"#, "{}"),
            "scripts/pms.rhai:2:1: d: `sec` is no unit of time since 1970; write s for seconds, ms for milliseconds, or us \
             for microseconds"
        );
        assert_eq!(
            fails(r#"instant_date(record, "d", "Amercia/Chicago")"#, "{}"),
            "scripts/pms.rhai:2:1: d: `Amercia/Chicago` is no time zone; give ctx.timezone, or one such as America/New_York"
        );
        assert_eq!(
            fails(r#"days_between("03/01/2026", ctx.today)"#, "{}"),
            "scripts/pms.rhai:2:1: days_between: takes two dates written YYYY-MM-DD, as to_date gives them"
        );
    }

    #[test]
    fn imports_come_from_the_library_alone_and_never_in_a_circle() {
        let library = Library::of([
            (
                "pms",
                "import \"lib/names\" as names;\nfn residents(record, ctx) { names::one(record) }",
            ),
            (
                "lib/names",
                "fn one(record) { #{ id: text(record, \"id\"), status: \"current\" } }",
            ),
            (
                "bad",
                "import \"../secret\" as s;\nfn residents(record, ctx) { s::x() }",
            ),
            (
                "round",
                "import \"lib/a\" as a;\nfn residents(record, ctx) { [] }",
            ),
            ("lib/a", "import \"lib/b\" as b;"),
            ("lib/b", "import \"lib/a\" as a;"),
            (
                "typo",
                "import \"lib/names\" as names;\nfn residents(record, ctx) { names::onee(record) }",
            ),
        ]);
        let script = Script::compile(&library, "pms").unwrap();
        assert_eq!(all_right(&script, r#"{"id":"x"}"#)[0].resident.id, "x");
        assert_eq!(
            Script::closure(&library, "pms")
                .into_iter()
                .collect::<Vec<_>>(),
            ["lib/names", "pms"]
        );
        let refused = |name: &str| Script::compile(&library, name).unwrap_err()[0].to_string();
        assert!(
            refused("bad").contains("there is no script `../secret` to import"),
            "{}",
            refused("bad")
        );
        assert!(
            refused("round").contains("the imports run in a circle"),
            "{}",
            refused("round")
        );
        assert_eq!(
            refused("typo"),
            "scripts/typo.rhai:2:36: there is no function `onee`; did you mean `one`?"
        );
    }

    #[test]
    fn a_script_that_never_ends_or_grows_without_end_is_stopped() {
        for body in [
            "loop {}",
            "fn f(x) { f(x + 1) } f(1)",
            "let s = \"x\"; loop { s += s; }",
            "let a = [1]; loop { a += a; }",
            "let m = #{}; let i = 0; loop { m[i.to_string()] = i; i += 1; }",
        ] {
            let text: &'static str = if body.starts_with("fn f") {
                "fn f(x) { f(x + 1) }\nfn residents(record, ctx) { f(1) }"
            } else {
                Box::leak(format!("fn residents(record, ctx) {{ {body} }}").into_boxed_str())
            };
            let script = compile(text).unwrap();
            let begun = Instant::now();
            assert!(script.residents("{}", &ctx()).is_err(), "{body}");
            assert!(begun.elapsed() < Duration::from_secs(20), "{body}");
        }
    }

    #[test]
    fn scripts_reach_no_clock_and_do_not_sleep() {
        assert_eq!(
            fails("Fn(\"sleep\").call(1)", "{}"),
            "scripts/pms.rhai:2:13: scripts do not sleep"
        );
        assert!(compile("fn residents(record, ctx) { sleep(1) }").is_err());
        assert!(compile("fn residents(record, ctx) { timestamp() }").is_err());
    }

    #[test]
    fn a_script_says_which_lookups_it_asks_for() {
        let asks = |body: &str| {
            let text = format!("fn residents(record, ctx) {{ {body} }}");
            let script = compile(Box::leak(text.into_boxed_str())).unwrap();
            ["units", "rooms"].map(|lookup| script.asks(lookup))
        };
        assert_eq!(asks("[]"), [false, false]);
        assert_eq!(asks("ctx.lookup(\"units\", record.u); []"), [true, false]);
        assert_eq!(
            asks("if true { let r = lookup(ctx, \"rooms\", 1); } []"),
            [false, true]
        );
        assert_eq!(asks("ctx.lookup(record.kind, 1); []"), [true, true]);
        // A function as a value may be that one only where it was made of its name.
        for other in [
            "let of = |one| one; [of.call(record)]; []",
            "Fn(\"text\").call(record, \"id\"); []",
            "[1].map(|one| one + 1); []",
        ] {
            assert_eq!(asks(other), [false, false], "{other}");
        }
        for lookup in [
            "Fn(\"lookup\").call(ctx, \"units\", 1); []",
            "let all = [#{ of: Fn(\"lookup\") }]; all[0].of.call(ctx, \"units\", 1); []",
            "let of = Fn(\"look\" + record.up); of.call(ctx, \"units\", 1); []",
        ] {
            assert_eq!(asks(lookup), [true, true], "{lookup}");
        }
        assert_eq!(
            asks("let of = |key| ctx.lookup(\"units\", key); of.call(1); []"),
            [true, false]
        );
    }
}
