//! Scripts that loop, grow, nest and recurse without end, and helpers that are given anything: at worst a record is
//! rejected, or a run is given up at its deadline. The process, and everybody else in it, goes on.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::support::{Daemon, Home, has_its_own_process, pms, searching, shut};
use epms::model::{Fate, Outcome};
use epms::sandbox::Kind;
use epms::script::{Context, Inputs, Library, Script, described};
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

/// As large as the stacks of the threads on which records are mapped.
const STACK: usize = 2 << 20;

fn script(text: String) -> Script {
    let text: &'static str = text.leak();
    Script::compile(&Library::of([("pms", text)]), "pms.rhai").unwrap()
}

/// Every helper with every number of arguments that it takes: name and number.
fn helpers() -> BTreeSet<(String, usize)> {
    let mut found = BTreeSet::new();
    for helper in described() {
        for signature in &helper.signatures {
            let Some((name, rest)) = signature.split_once('(') else {
                continue;
            };
            let arguments = rest.trim_end_matches(')');
            let count = arguments.split(',').filter(|one| !one.trim().is_empty());
            // What stands before the dot is an argument, too.
            let (count, method) = (count.count(), name.rsplit_once('.'));
            let (name, count) = method.map_or((name, count), |(_, name)| (name, count + 1));
            found.insert((name.to_owned(), count));
        }
    }
    assert!(found.len() > 10, "{found:?}");
    found
}

/// Calls every helper with the values of the record in every place, and with what no record can hold.
fn calls_everything() -> Script {
    let mut text = String::from("fn residents(record, ctx) {\n");
    for (name, count) in helpers() {
        for turn in 0..2 {
            let arguments: Vec<String> = (0..count)
                .map(|place| format!("record.v{}", (place + turn) % 4))
                .collect();
            writeln!(
                text,
                "try {{ {name}({}); }} catch {{ }}",
                arguments.join(", ")
            )
            .unwrap();
        }
        for odd in [
            "'x'",
            "0..3",
            "ctx",
            "Fn(\"f\")",
            "blob(3, 7)",
            "-9223372036854775807 - 1",
        ] {
            let arguments: Vec<&str> = (0..count)
                .map(|place| if place == 0 { odd } else { "record.v1" })
                .collect();
            writeln!(
                text,
                "try {{ {name}({}); }} catch {{ }}",
                arguments.join(", ")
            )
            .unwrap();
        }
    }
    text += "[]\n}\n";
    script(text)
}

fn anything() -> impl Strategy<Value = serde_json::Value> {
    let text = prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        "[0-9/.:-]{0,24}",
        "[%a-zA-Z0-9 -]{0,16}",
        Just("\u{0}".to_owned()),
        Just("9".repeat(400)),
        Just("a,".repeat(500)),
        Just("\u{fdfa}".repeat(60)),
        Just("0000-00-00".to_owned()),
        Just("-9999-12-31".to_owned()),
        Just("%Y-%m-%d".to_owned()),
        Just("%9999999999Y%".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        Just(1e308.into()),
        text.prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map("[a-z#@/]{0,6}", inner, 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn no_helper_panics_whatever_it_is_given() {
    let script = calls_everything();
    let ctx = Context::new(Inputs::default());
    let values = prop::collection::vec(anything(), 4);
    let mut runner = proptest::test_runner::TestRunner::new(searching(300));
    runner
        .run(&values, |values| {
            let members = values.into_iter().enumerate();
            let record: serde_json::Map<String, serde_json::Value> = members
                .map(|(place, value)| (format!("v{place}"), value))
                .collect();
            let record = serde_json::Value::Object(record).to_string();
            // A panic ends the test; a slow machine may make it run into the deadline of a record.
            if let Err(error) = script.residents(&record, &ctx) {
                prop_assert!(error.to_string().contains("runs too long"), "{error}");
            }
            Ok(())
        })
        .unwrap();
}

/// What a script may try: each is an error of its record, and nothing worse.
const HOSTILE: [&str; 24] = [
    "loop { }",
    "while true { let x = 1; }",
    "for i in 0..9223372036854775807 { let x = i; }",
    "let a = []; loop { a = [a]; }",
    "let m = #{}; loop { m = #{ m: m }; }",
    "let a = []; for i in 0..9000 { a = [a]; } a.to_string().len()",
    "let a = []; for i in 0..9000 { a = [a]; } a == [a]",
    "let s = \"x\"; loop { s += s; }",
    "let s = \"aaaaaaaa\"; for i in 0..12 { s += s; } s.replace(\"a\", s); s.replace(\"a\", s); s",
    "let s = \"aaaaaaaa\"; for i in 0..12 { s += s; } s.replace('a', s); s",
    "let s = \"aaaaaaaa\"; for i in 0..12 { s += s; } s.replace(\"\", s); s",
    "let s = \"x\"; s.pad(1000000000, \"y\"); s",
    "let a = [0]; a.pad(1000000000, 7); a",
    "blob(1000000000, 7)",
    "let a = [1]; loop { a += a; }",
    "let a = [1]; loop { a.append(a); }",
    "let a = [1]; loop { a.push(a); }",
    "let b = blob(9000, 1); loop { b += b; }",
    "let m = #{}; let i = 0; loop { m[i.to_string()] = i; i += 1; }",
    "let f = |x, f| f.call(x, f); f.call(1, f)",
    "let c = \"\"; loop { c = `${c}${c}xxxxxxxx`; }",
    "let r = []; for i in 0..5000 { r.push(#{ id: i }); } r",
    "throw #{ a: [1, [2, [3]]] }",
    "9223372036854775807 + 1",
];

/// D1, D2.
#[test]
fn whatever_a_script_tries_it_is_an_error_of_its_record_in_bounded_time_and_memory() {
    let name =
        "scripts::whatever_a_script_tries_it_is_an_error_of_its_record_in_bounded_time_and_memory";
    if !has_its_own_process(name) {
        return;
    }
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(|| {
        let ctx = Context::new(Inputs::default());
        let sound = "let s = \"a-b-c\"; s.replace(\"-\", \", \"); s.replace('b', \"\"); if s != \"a, , c\" { throw s } []";
        let sound = script(format!("fn residents(record, ctx) {{ {sound} }}"));
        assert!(sound.residents("{}", &ctx).is_ok());
        for body in HOSTILE {
            let (before, began) = (most_megabytes(), processor_time());
            let script = script(format!("fn residents(record, ctx) {{ {body} }}"));
            let error = script.residents("{}", &ctx).map(|mapped| mapped.len());
            let error = error.map_err(|error| error.to_string());
            let error = error.expect_err(body);
            assert!(error.contains("pms.rhai"), "{body}: {error}");
            let grown = most_megabytes() - before;
            let took = processor_time().saturating_sub(began);
            assert!(took < Duration::from_secs(5), "{body}: {took:?}");
            assert!(grown < 250, "{body}: {grown} MB");
        }
        // Its own functions, without end.
        let own = script("fn f(x) { f(x + 1) }\nfn residents(record, ctx) { f(1) }".to_owned());
        assert!(own.residents("{}", &ctx).is_err());
        // A record that is nested as deep as one can be, copied, compared and told.
        let deep = format!("{{\"a\":{}7{}}}", "[".repeat(120), "]".repeat(120));
        let copies =
            "let a = record.a; let b = [a, a]; if b != [a, a] { throw \"no\" } b.to_string(); []";
        let copies = script(format!("fn residents(record, ctx) {{ {copies} }}"));
        assert!(copies.residents(&deep, &ctx).is_ok());
        let deeper = format!("{{\"a\":{}7{}}}", "[".repeat(9_999), "]".repeat(9_999));
        let error = copies
            .residents(&deeper, &ctx)
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(error.contains("nested too deep"), "{error}");
    });
    thread.unwrap().join().unwrap();
}

/// How much of a processor's time this thread has used.
fn processor_time() -> Duration {
    use nix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)
        .unwrap()
        .into()
}

fn most_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() / 1024
}

/// What keeps to its own values, and never comes to an end.
const ENDLESS: [&str; 12] = [
    "let a = []; for i in 0..4000 { a.push(i); } loop { a.sort(|x, y| y - x); }",
    "let s = \"a,b,c\"; loop { s.split(\",\"); }",
    "let a = []; for i in 0..4000 { a.push(i.to_string()); } loop { a.contains(\"none\"); }",
    "let a = []; for i in 0..4000 { a.push(i); } loop { a.reduce(|s, v| s + v, 0); }",
    "let a = []; for i in 0..4000 { a.push(i); } loop { a.filter(|v| v > 7).map(|v| v * 2); }",
    "let m = #{}; for i in 0..90 { m[`k${i}`] = i; } loop { m.keys(); m.values(); }",
    "loop { record.to_string(); }",
    "loop { try { throw 1; } catch { } }",
    "let f = |x| x; loop { f.call(1); }",
    "let b = blob(4000, 1); loop { b.reverse(); }",
    "let s = \"x\"; s.pad(4000, \"y\"); loop { s.index_of(\"z\"); s.to_upper(); }",
    "let i = 0; while i >= 0 { i += 1; i -= 1; }",
];

/// A hook at the beginning of the shipped script: what it does with some records.
fn hook(home: &Home, does: &str) {
    let name = "scripts/appfolio.rhai";
    let text = home.read(name);
    let begin = "fn residents(record, ctx) {";
    assert!(text.contains(begin), "{text}");
    home.write(
        name,
        text.replacen(begin, &format!("{begin}\n    {does}"), 1),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_a_script_cannot_bear_is_rejected_and_the_run_and_the_daemon_go_on() {
    let pms = pms(Kind::AppFolio, 31, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let usual = daemon.sync("elm").await.counts.of(Fate::Rejected);
    let (people, before) = (daemon.people().await, daemon.generation("elm").await);
    for first in ["Loopa", "Nesta", "Grower", "Recur", "Holder"] {
        let email = format!("{}@example.com", first.to_lowercase());
        pms.world()
            .move_in("elm", first, "Hostile", Some(&email), None)
            .unwrap();
    }
    let does = "switch get(record, \"FirstName\") {
        \"Loopa\" => { loop { } },
        \"Nesta\" => { let a = []; loop { a = [a]; } },
        \"Grower\" => { let s = \"x\"; loop { s += s; } },
        \"Recur\" => { let f = |f| f.call(f); f.call(f); },
        \"Holder\" => { return #{ f: || 0 }; },
        _ => ()
    }";
    hook(&home, does);
    daemon.reloaded("elm", before).await;
    let report = daemon.sync("elm").await;
    assert!(report.outcome.is_success(), "{report:?}");
    assert_eq!(report.counts.of(Fate::Rejected), usual + 5, "{report:?}");
    assert_eq!(daemon.people().await, people);
    assert_eq!(daemon.get("/v1/status").await.status, 200);
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_a_script_holds_up_is_given_up_at_its_deadline_and_the_next_is_ordinary() {
    let pms = pms(Kind::AppFolio, 32, 900).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    let before = daemon.generation("elm").await;
    let good = home.read("scripts/appfolio.rhai");
    home.set("deadline: 1s");
    hook(&home, "loop { }");
    daemon.reloaded("elm", before).await;
    let begun = daemon.begin("elm").await;
    // While it is held up, others are answered.
    assert_eq!(daemon.get("/v1/status").await.status, 200);
    daemon.settle().await;
    let ended = daemon
        .client
        .run(begun)
        .await
        .unwrap()
        .state
        .report
        .unwrap();
    let Outcome::Incomplete { reason } = &ended.outcome else {
        panic!("{ended:?}")
    };
    assert!(
        reason.starts_with("deadline: the run had not read and mapped all within 1s"),
        "{reason}"
    );
    assert!(
        reason.contains("raise `deadline` in config/epms.yaml"),
        "{reason}"
    );
    assert_eq!(daemon.people().await, people);
    let before = daemon.generation("elm").await;
    home.set("deadline: 1h");
    home.write("scripts/appfolio.rhai", good);
    daemon.reloaded("elm", before).await;
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_the_pms_holds_up_is_given_up_at_its_deadline_and_the_next_is_ordinary() {
    let pms = pms(Kind::AppFolio, 33, 60).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let people = daemon.people().await;
    home.set("deadline: 1s");
    assert_eq!(daemon.post("/v1/reload").await.status, 200);
    let gate = shut(&pms);
    let report = daemon.sync("elm").await;
    assert!(
        report.outcome.reason().unwrap().starts_with("deadline: "),
        "{report:?}"
    );
    let preview = daemon.post("/v1/integrations/elm/preview").await;
    assert!(preview.body.contains("deadline: "), "{preview:?}");
    drop(gate);
    home.set("deadline: 1h");
    assert_eq!(daemon.post("/v1/reload").await.status, 200);
    assert_eq!(daemon.people().await, people);
    assert_eq!(daemon.sync("elm").await.outcome, Outcome::Unchanged);
}

/// How many megabytes of a process are in memory.
fn megabytes(pid: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages / 256
}

/// D1, D2. `EPMS_HOSTILE_MINUTES=10 cargo test --release --test hostile while_scripts -- --nocapture` goes on for ten minutes.
#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stdout, reason = "the figures are what is to be seen")]
async fn while_scripts_try_everything_each_run_ends_status_answers_and_memory_comes_back() {
    let long = std::env::var("EPMS_HOSTILE_MINUTES").ok();
    let long = long.map(|minutes| Duration::from_secs(60 * minutes.parse::<u64>().unwrap()));
    let pms = pms(Kind::AppFolio, 33, 6).await;
    let home = Home::new();
    home.feed("elm", &pms);
    let daemon = Daemon::start(&home).await;
    daemon.settle().await;
    let good = home.read("scripts/appfolio.rhai");
    let (people, early) = (daemon.people().await, megabytes(daemon.pid()));

    let ended = CancellationToken::new();
    let (client, until) = (daemon.client.clone(), ended.clone());
    let asks = tokio::spawn(async move {
        let mut took = Vec::new();
        while !until.is_cancelled() {
            let begun = Instant::now();
            client.status().await.unwrap();
            took.push(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        took.sort();
        took
    });
    let begun = Instant::now();
    let (mut runs, mut most) = (0, early);
    let bodies = HOSTILE.iter().chain(&ENDLESS);
    let mut bodies: Box<dyn Iterator<Item = &&str> + Send> = match long {
        Some(_) => Box::new(bodies.cycle()),
        None => Box::new(bodies.step_by(12)),
    };
    while let Some(body) = bodies.next()
        && long.is_none_or(|long| begun.elapsed() < long)
    {
        let before = daemon.generation("elm").await;
        home.write("scripts/appfolio.rhai", &good);
        hook(&home, &format!("let tried = {{ {body} }}; return tried;"));
        daemon.reloaded("elm", before).await;
        let report = daemon.sync("elm").await;
        assert_eq!(
            report.counts.of(Fate::Rejected),
            report.counts.seen,
            "{body}: {report:?}"
        );
        runs += 1;
        most = most.max(megabytes(daemon.pid()));
    }
    ended.cancel();
    let took = asks.await.unwrap();
    let before = daemon.generation("elm").await;
    home.write("scripts/appfolio.rhai", good);
    daemon.reloaded("elm", before).await;
    assert!(daemon.sync("elm").await.outcome.is_success());
    assert_eq!(daemon.people().await, people);
    let at = |of: usize| took[(took.len() - 1) * of / 100];
    let late = megabytes(daemon.pid());
    println!(
        "{runs} runs in {:?}; status {} times: median {:?}, 99 of 100 {:?}, at most {:?}; {early} MB, at most {most} MB, then {late} MB",
        begun.elapsed(),
        took.len(),
        at(50),
        at(99),
        at(100),
    );
    assert!(late <= early + 20, "{early} MB, then {late} MB");
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
}
