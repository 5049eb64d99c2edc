//! Room on the stack for what scripts leave behind: giving it back may take more than a thread has. It knows no script.

/// So much is kept for a call of a script, in bytes. Memory is taken only as far as it is used.
const ROOM: usize = 256 << 20;

/// Where so much is left, none is added.
const ENOUGH: usize = ROOM - (4 << 20);

/// How large the stack of a thread is best that calls scripts again and again: then none is added for each call.
pub const STACK: usize = ROOM;

/// Does something that calls scripts, with room for what they leave.
pub fn with_room<T>(does: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(ENOUGH, ROOM, does)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Context, Inputs, Library, Script};

    /// Uses some kilobytes of the stack for each step.
    fn goes_down(steps: usize) -> u64 {
        let here = std::hint::black_box([steps as u64; 512]);
        if steps == 0 {
            return here[0];
        }
        goes_down(steps - 1) + here[511]
    }

    #[test]
    fn there_is_room_for_a_hundred_megabytes_also_on_the_smallest_stack() {
        let small = std::thread::Builder::new().stack_size(256 << 10);
        let called = small.spawn(|| with_room(|| goes_down(20_000)));
        assert!(called.unwrap().join().unwrap() > 0);
    }

    /// It is given back elsewhere, where there may be less room.
    #[test]
    fn what_holds_a_function_is_no_resident() {
        let ctx = Context::new(Inputs::default());
        for field in crate::script::output::FIELDS {
            for value in [
                "|| 0",
                "[|| 0]",
                "#{ label: || 0 }",
                "[#{ label: \"1\", id: || 0 }]",
            ] {
                let text = format!(
                    "fn residents(record, ctx) {{ let r = #{{ id: \"1\" }}; r.{field} = {value}; r }}"
                );
                let library = Library::of([("pms", text.leak() as &str)]);
                let script = Script::compile(&library, "pms.rhai").unwrap();
                assert!(script.residents("{}", &ctx).is_err(), "{field}: {value}");
            }
        }
    }
}
