//! What scripts print with `print` and `debug`: heard where somebody listens, as `epms map` and `epms test` do, and nowhere
//! else. A run does not: what is printed may hold what the PMS sent.

use std::cell::RefCell;

/// So many lines are heard at once; what comes behind them is not.
const MOST: usize = 200;

/// So many characters of a line are heard.
const LONGEST: usize = 400;

thread_local! {
    static HEARD: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Does something that calls scripts on this thread, and gives what they print meanwhile.
pub fn listening<T>(does: impl FnOnce() -> T) -> (T, Vec<String>) {
    HEARD.set(Some(Vec::new()));
    let done = does();
    (done, HEARD.take().unwrap_or_default())
}

/// A script prints.
pub(super) fn say(text: &str) {
    HEARD.with_borrow_mut(|heard| {
        let Some(heard) = heard else { return };
        for line in text.lines() {
            match heard.len() {
                MOST => heard.push("… and more".to_owned()),
                0..MOST => heard.push(line.chars().take(LONGEST).collect()),
                _ => {}
            }
        }
    });
}

/// How many lines were heard.
pub(super) fn so_far() -> usize {
    HEARD.with_borrow(|heard| heard.as_ref().map_or(0, Vec::len))
}

/// Forgets what was heard since there were so many lines: it is said again.
pub(super) fn forget(since: usize) {
    HEARD.with_borrow_mut(|heard| {
        if let Some(heard) = heard {
            heard.truncate(since);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Context, Inputs, Library, Script};

    #[test]
    fn what_a_script_prints_is_heard_once_by_whoever_listens_and_by_nobody_else() {
        let text = r#"fn residents(record, ctx) {
            print(`id ${record.id}`);
            debug(record.id);
            print(record);
            for i in 0..1000 { print("a\nb"); }
        }"#;
        let script = Script::compile(&Library::of([("pms", text)]), "pms").unwrap();
        let ctx = Context::new(Inputs::default());
        let call = || script.residents(r#"{"id":"r1","other":2}"#, &ctx).unwrap();
        call();
        let (_, heard) = listening(call);
        assert_eq!(
            &heard[..4],
            [
                "id r1",
                "scripts/pms.rhai:3:13: \"r1\"",
                "#{\"id\": \"r1\", \"other\": 2}",
                "a"
            ]
        );
        assert_eq!(heard.len(), MOST + 1);
        assert_eq!(heard.last().unwrap(), "… and more");
        let ((), long) = listening(|| say(&"x".repeat(1_000)));
        assert_eq!(long[0].len(), LONGEST);
    }
}
