//! Which functions of a script run: each one says so itself, in a copy of the script that is good for nothing else.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rhai::ImmutableString;

use crate::model::{Place, Problem};

use super::engine::engine;
use super::error::{file_of, place};
use super::{Library, Script, literals};

/// What a marked function calls first.
const MARK: &str = "reached__";

/// The functions of a script and of everything it imports, and which of them have run.
#[derive(Debug)]
pub struct Coverage {
    functions: Vec<Function>,
    reached: Reached,
}

/// A function of a script.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Function {
    /// Its file, relative to the home.
    pub file: PathBuf,
    /// Where its body begins.
    pub place: Option<Place>,
    /// How it is called: `unit(record, ctx)`.
    pub signature: String,
}

/// Numbers of functions.
type Reached = Arc<Mutex<BTreeSet<usize>>>;

impl Coverage {
    /// Compiles a script so that it says which functions run. Places of its errors are not those of the file.
    pub fn of(library: &Library, name: &str) -> Result<(Script, Coverage), Vec<Problem>> {
        let mut marked = library.clone();
        let mut functions = Vec::new();
        for module in Script::closure(library, name) {
            let text = library.text(&module).unwrap_or_default();
            let first = functions.len();
            let found = literals::functions(engine(), text);
            let mut marks = Vec::new();
            for (signature, position) in found {
                if let Some(at) = place(position) {
                    marks.push((at, functions.len()));
                    functions.push(Function {
                        file: file_of(&module),
                        place: Some(at),
                        signature,
                    });
                }
            }
            if functions.len() > first {
                marked.put(&module, mark(text, &marks));
            }
        }
        let reached = Reached::default();
        let mut engine = engine();
        let into = Arc::clone(&reached);
        engine.register_fn(MARK, move |number: ImmutableString| {
            let mut reached = into.lock().unwrap_or_else(PoisonError::into_inner);
            reached.extend(number.parse::<usize>());
        });
        let script = Script::compile_with(&marked, name, engine)?.of_whole_records();
        Ok((script, Coverage { functions, reached }))
    }

    /// Every function, and whether it has run.
    pub fn functions(&self) -> impl Iterator<Item = (&Function, bool)> {
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let reached = reached.clone();
        let all = self.functions.iter().enumerate();
        all.map(move |(number, function)| (function, reached.contains(&number)))
    }
}

/// Puts a mark behind the brace at each place. Lines stay lines.
fn mark(text: &str, marks: &[(Place, usize)]) -> String {
    let mut marked = String::with_capacity(text.len() + marks.len() * 20);
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        for (column, character) in (1..).zip(line.chars()) {
            marked.push(character);
            let here = |(at, _): &&(Place, usize)| at.line == number && at.column == column;
            if let Some((_, function)) = marks.iter().find(here)
                && character == '{'
            {
                marked += &format!(" {MARK}(\"{function}\"); ");
            }
        }
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::super::{Context, Inputs};
    use super::*;

    #[test]
    fn functions_that_ran_are_known_also_those_of_imported_scripts() {
        let library = Library::of([
            (
                "pms",
                "import \"lib/a\" as a;\nfn residents(record, ctx)\n{\n  // {\n  if record.x == 1 { a::one() } else { two(1) }\n}\n\
                 fn two(x) { [] } fn three() { () }\nfn exclude(resident, ctx) { () }\n",
            ),
            (
                "lib/a",
                "fn one() { [] } /* { */ fn other() { [].map(|x| x) }",
            ),
        ]);
        let (script, coverage) = Coverage::of(&library, "pms.rhai").unwrap();
        let ctx = Context::new(Inputs::default());
        let ran = || -> Vec<String> {
            let ran = coverage.functions().filter(|(_, ran)| *ran);
            ran.map(|(function, _)| function.signature.clone())
                .collect()
        };
        assert_eq!(coverage.functions().count(), 6);
        assert!(ran().is_empty());
        script.residents("{\"x\": 1}", &ctx).unwrap();
        assert_eq!(ran(), ["one()", "residents(record, ctx)"]);
        script.residents("{\"x\": 2}", &ctx).unwrap();
        assert_eq!(ran(), ["one()", "residents(record, ctx)", "two(x)"]);
    }
}
