#!/usr/bin/env bash
# rhai 1.27.0 (crates), the script language: a script and a module that it imports both have a function `tidy(x)`.
# The first calls by the bare name go where they should, each to the function of its own text. Which of the two comes
# second then serves both: after the script has called its `tidy` twice, the module's own function runs the script's;
# after script and module have each called it once, the next call runs the one of whoever came last. No error is raised,
# and `private` in the module changes nothing. A test that calls each function once is green.
# Functions of a module are taken for a name space of their own by whoever writes a shared library of scripts; those that
# it calls inside need names that no script will choose.
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat >"$dir/Cargo.toml" <<'TOML'
[package]
name = "one-name"
version = "0.0.0"
edition = "2021"

[dependencies]
rhai = "=1.27.0"
TOML
cat >"$dir/src/main.rs" <<'RUST'
use rhai::module_resolvers::StaticModuleResolver;
use rhai::{Engine, Module, Scope};

fn called(module: &str, body: &str) -> String {
    let mut engine = Engine::new();
    let ast = engine.compile(module).unwrap();
    let mut modules = StaticModuleResolver::new();
    modules.insert("lib", Module::eval_ast_as_new(Scope::new(), &ast, &engine).unwrap());
    engine.set_module_resolver(modules);
    let script = format!("import \"lib\" as lib;\nfn tidy(x) {{ \"script:\" + x }}\nfn work() {{ {body} }}");
    let ast = engine.compile(script).unwrap();
    engine.call_fn(&mut Scope::new(), &ast, "work", ()).unwrap()
}

fn main() {
    let open = "fn tidy(x) { \"module:\" + x }\nfn through(x) { tidy(x) }";
    let private = "private fn tidy(x) { \"module:\" + x }\nfn through(x) { tidy(x) }";
    let mut as_described = true;
    for (module, body, expected) in [
        (open, "tidy(`1`) + ` ` + lib::tidy(`2`) + ` ` + tidy(`3`)", "script:1 module:2 script:3"),
        (open, "lib::through(`1`) + ` ` + tidy(`2`)", "module:1 script:2"),
        (open, "tidy(`1`) + ` ` + lib::through(`2`) + ` ` + tidy(`3`)", "script:1 module:2 module:3"),
        (open, "lib::through(`1`) + ` ` + tidy(`2`) + ` ` + lib::through(`3`)", "module:1 script:2 script:3"),
        (private, "lib::through(`1`) + ` ` + tidy(`2`) + ` ` + lib::through(`3`)", "module:1 script:2 script:3"),
        (open, "tidy(`1`) + ` ` + tidy(`2`) + ` ` + lib::through(`3`)", "script:1 script:2 script:3"),
    ] {
        let seen = called(module, body);
        println!("{body}: {seen}");
        as_described &= seen == expected;
    }
    if !as_described {
        println!("this has changed");
        std::process::exit(1);
    }
}
RUST
cd "$dir"
cargo run --quiet
