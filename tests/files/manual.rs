//! What the README, the manual and the recipes say is there: commands, paths of the socket, metrics, words, files, tests and
//! links. That the sessions in them run is in `readme`.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use clap::CommandFactory;
use clap::error::ErrorKind;
use epms::cli::Arguments;
use epms::control::protocol::Health;
use epms::model::{AlertKind, ChangeKind, Outcome};
use serde_json::Value;

use crate::pages::{Page, root};
use crate::support::{Daemon, Doors, Home, epms, eventually, told};

/// The words of a line of shell, up to where a comment, a pipe or another command begins.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quote, mut depth) = (None, 0);
    for c in line.chars() {
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('(', None) => depth += 1,
            (')', None) => depth -= 1,
            // A redirection may have the number of what it redirects before it.
            ('>' | '<', None) if word.chars().all(|c| c.is_ascii_digit()) => {
                word.clear();
                break;
            }
            ('#' | '|' | '&', None) if word.is_empty() => break,
            (';', None) => break,
            (c, None) if c.is_whitespace() && depth == 0 => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (c, _) => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The commands in the blocks of a page that are for a shell.
fn typed(page: &Page) -> Vec<String> {
    let blocks = page.blocks().into_iter();
    let blocks = blocks.filter(|block| ["sh", "console"].contains(&&*block.kind));
    let mut lines: Vec<String> = Vec::new();
    for block in blocks {
        let text = block.text.replace("\\\n", " ");
        let whole = text.lines().filter_map(|line| {
            let line = match &*block.kind {
                "console" => line.strip_prefix("$ ")?,
                _ => line,
            };
            Some(line.to_owned())
        });
        lines.extend(whole);
    }
    lines
}

/// Why a command of `epms` is none; `named` for one that is only named, without what it needs.
fn is_no_command(words: &[String], named: bool) -> Option<String> {
    if words.get(1).is_some_and(|verb| verb == "help") {
        let output = epms().args(&words[1..]).output().unwrap();
        return (!output.status.success()).then(|| told(&output));
    }
    let error = Arguments::command().try_get_matches_from(words).err()?;
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => None,
        ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            if named =>
        {
            None
        }
        _ => Some(error.to_string()),
    }
}

#[test]
fn every_command_that_stands_in_a_page_is_one() {
    let mut count = 0;
    for page in Page::all() {
        let typed = typed(&page).into_iter().map(|line| (line, false));
        let spans = page.spans().into_iter().map(|span| (span, true));
        for (line, named) in typed.chain(spans) {
            let words = words(&line);
            if words.first().is_none_or(|word| word != "epms") || words.len() == 1 {
                continue;
            }
            count += 1;
            let wrong = is_no_command(&words, named);
            assert_eq!(wrong, None, "{}: `{line}`: {words:?}", page.name);
        }
    }
    assert!(count > 150, "{count} commands were found");
}

#[test]
fn a_command_that_is_none_is_told() {
    let of = |line: &str, named| is_no_command(&words(line), named);
    assert_eq!(of("epms sync elm # now", false), None);
    assert_eq!(of("epms sync", true), None);
    assert_eq!(
        of("epms backup /b-$(date +%F).redb   # a copy", false),
        None
    );
    assert_eq!(of("epms run 2> run.log &", false), None);
    for wrong in [
        "epms sink elm",
        "epms sync --al",
        "epms sync elm --limit 3",
        "epms help nothing",
    ] {
        assert!(of(wrong, true).is_some(), "{wrong}");
    }
    assert!(of("epms sync", false).is_some());
}

#[test]
fn every_command_of_the_program_stands_on_their_page() {
    let page = Page::read("docs/commands.md");
    let spans = page.spans();
    for verb in Arguments::command().get_subcommands() {
        let name = verb.get_name();
        let has = |span: &String| span.split(' ').next() == Some(name);
        assert!(spans.iter().any(has), "`{name}` is not in {}", page.name);
    }
}

#[test]
fn every_shipped_connector_stands_on_their_page() {
    let page = Page::read("docs/connectors.md");
    let spans = page.spans();
    for file in std::fs::read_dir(root().join("config/connectors")).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let has = spans.iter().any(|span| span == name);
        assert!(has, "`{name}` is not in {}", page.name);
    }
}

/// Where a link of a page leads to, from the top of the repository.
fn led(page: &str, link: &str) -> PathBuf {
    let mut path = PathBuf::from(page);
    path.pop();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => {
                assert!(path.pop(), "{page}: {link} leads out of the repository");
            }
            part => path.push(part),
        }
    }
    path
}

#[test]
fn every_link_leads_somewhere() {
    let beside = ["CHANGELOG.md", "benches/README.md", "fuzz/README.md"].map(Page::read);
    let mut count = 0;
    for page in Page::all().iter().chain(&beside) {
        let links = page.links().into_iter();
        for link in links.filter(|link| !link.contains("://")) {
            count += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let to = match path {
                "" => PathBuf::from(&page.name),
                path => led(&page.name, path),
            };
            assert!(root().join(&to).exists(), "{}: {link}", page.name);
            if !anchor.is_empty() {
                let there = Page::read(to.to_str().unwrap()).anchors();
                let has = there.iter().any(|one| one == anchor);
                assert!(has, "{}: {link} is none of {there:?}", page.name);
            }
        }
    }
    assert!(count > 100, "{count} links were found");
}

#[test]
fn every_page_of_the_manual_is_in_its_contents_once() {
    let contents = Page::read("docs/SUMMARY.md").links();
    let listed: BTreeSet<PathBuf> = contents
        .iter()
        .map(|link| led("docs/SUMMARY.md", link))
        .collect();
    assert_eq!(listed.len(), contents.len());
    let pages: BTreeSet<PathBuf> = Page::all()
        .iter()
        .map(|page| PathBuf::from(&page.name))
        .filter(|path| path.starts_with("docs") && !path.ends_with("SUMMARY.md"))
        .collect();
    assert_eq!(listed, pages);
}

/// Which file of a home a block is, by its first line; whether it is a part of one.
fn file_of(text: &str) -> Option<(&str, bool)> {
    let first = text.lines().next()?.strip_prefix("# ")?;
    match first.strip_prefix("part of ") {
        Some(name) => Some((name, true)),
        None => Some((first, false)),
    }
}

#[tokio::test]
async fn every_file_that_stands_in_a_page_is_right() {
    let home = Home::new();
    let mut whole = Vec::new();
    for block in Page::read("README.md").blocks() {
        if let Some((name, false)) = file_of(&block.text).filter(|_| block.kind == "yaml") {
            home.write(name, format!("{}\n", block.text));
            whole.push(name.to_owned());
        }
    }
    assert_eq!(whole.len(), 2);
    home.write("config/epms.yaml", "version: 1\n");
    // Where access is delivered to, for the pages about that.
    Doors::start().await.files(&home, "");
    home.write(
        "config/credentials/acme-door.yaml",
        home.read("config/credentials/doors.yaml"),
    );
    let mut count = 0;
    for page in Page::all() {
        let blocks = page.blocks().into_iter();
        for block in blocks.filter(|block| block.kind == "yaml") {
            let (name, is_part) = file_of(&block.text)
                .unwrap_or_else(|| panic!("{}: which file is this?\n{}", page.name, block.text));
            let before = std::fs::read_to_string(home.path(name)).ok();
            let around = before.as_deref().filter(|_| is_part).unwrap_or_default();
            home.write(name, format!("{around}{}\n", block.text));
            let output = home.epms(&["check", "--strict"]).await;
            assert!(output.status.success(), "{}: {}", page.name, told(&output));
            match before {
                Some(before) => home.write(name, before),
                None => home.remove(name),
            }
            count += 1;
        }
    }
    assert!(count > 7, "{count} files were found");
}

/// Methods and paths with their query in a page: as they are named, and as `curl` asks for them.
fn asked(page: &Page) -> Vec<(String, String)> {
    let spans = page.spans().into_iter().filter_map(|span| {
        let (method, path) = span.split_once(' ')?;
        let is_method = ["GET", "POST"].contains(&method);
        is_method.then(|| (method.to_lowercase(), path.to_owned()))
    });
    let lines = typed(page).into_iter().filter_map(|line| {
        let path = line.split("http://epms").nth(1)?;
        let path = path.split([' ', '\'', '"']).next()?;
        let method = if line.contains("-X POST") {
            "post"
        } else {
            "get"
        };
        Some((method.to_owned(), path.to_owned()))
    });
    spans.chain(lines).collect()
}

/// Whether a path is one of those that `template` stands for.
fn is_of(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(path)
            .all(|(one, part)| one.starts_with('{') || *one == part)
}

#[tokio::test]
async fn every_path_of_the_socket_and_every_metric_that_stands_in_a_page_is_there() {
    let home = Home::new();
    let backups = home.beside().join("backups");
    home.set(&format!("backup: {{ to: {} }}", backups.display()));
    let daemon = Daemon::start(&home).await;
    eventually("a backup is told of", async || {
        let scraped = daemon.get("/metrics").await.body;
        scraped.contains("\nepms_backup_age_seconds ")
    })
    .await;
    let document = daemon.get("/v1/openapi.json").await.json();
    let paths = document["paths"].as_object().unwrap();
    let mut count = 0;
    for page in Page::all() {
        for (method, asked) in asked(&page) {
            count += 1;
            let (path, query) = asked.split_once('?').unwrap_or((&asked, ""));
            let found = paths.iter().find_map(|(template, methods)| {
                methods.get(&method).filter(|_| is_of(template, path))
            });
            let operation = found.unwrap_or_else(|| panic!("{}: {method} {asked}", page.name));
            let known = operation["parameters"].as_array();
            for name in query.split('&').filter_map(|pair| pair.split('=').next()) {
                let has = known.is_some_and(|known| known.iter().any(|one| one["name"] == name));
                assert!(has || name.is_empty(), "{}: {asked}: {name}", page.name);
            }
        }
    }
    assert!(count > 25, "{count} paths were found");

    let scraped = daemon.get("/metrics").await.body;
    let families = scraped
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    let there: BTreeSet<String> = families
        .map(|line| match line.split_once(' ').unwrap() {
            (name, "counter") => format!("{name}_total"),
            (name, "info") => format!("{name}_info"),
            (name, _) => name.to_owned(),
        })
        .collect();
    let spans = Page::read("docs/metrics.md").spans().into_iter();
    let listed: BTreeSet<String> = spans.filter(|span| span.starts_with("epms_")).collect();
    assert_eq!(listed, there);
    for page in Page::all() {
        let spans = page.spans().into_iter();
        for name in spans.filter(|span| span.starts_with("epms_")) {
            assert!(there.contains(&name), "{}: {name}", page.name);
        }
    }
}

/// The words of an enumeration as JSON has them; of one with a tag those of the tag.
fn words_of<T: schemars::JsonSchema>(tag: Option<&str>) -> Vec<String> {
    let schema = schemars::schema_for!(T).to_value();
    let variants = schema["oneOf"].as_array().unwrap();
    let word = |variant: &Value| match tag {
        Some(tag) => variant["properties"][tag]["const"].clone(),
        None => variant["const"].clone(),
    };
    let words = variants
        .iter()
        .map(|variant| word(variant).as_str().unwrap().to_owned());
    words.collect()
}

#[test]
fn what_somebody_may_meet_stands_on_its_page() {
    let outcomes = words_of::<Outcome>(Some("outcome")).into_iter();
    let outcomes = outcomes.filter(|word| word != "running");
    let pages = [
        ("docs/daily.md", words_of::<AlertKind>(None)),
        ("docs/daily.md", outcomes.collect()),
        ("docs/daily.md", words_of::<Health>(None)),
        ("docs/changes.md", words_of::<ChangeKind>(None)),
    ];
    for (name, words) in pages {
        assert!(words.len() > 5);
        let spans = Page::read(name).spans();
        for word in words {
            assert!(spans.contains(&word), "{name} does not have `{word}`");
        }
    }
}

/// Every file of Rust below a folder.
fn sources(folder: &str) -> String {
    let mut text = String::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                text += &std::fs::read_to_string(&path).unwrap();
            }
        }
    }
    text
}

/// Whether a span is a path of this repository, and no pattern of one.
fn is_path(span: &str) -> bool {
    let tops = [
        "src/",
        "tests/",
        "config/",
        "scripts/",
        "docs/",
        "packaging/",
        "benches/",
        "fuzz/",
        ".ci/",
    ];
    let is_pattern = span.contains(['<', '*', ' ', '…', '{']);
    tops.iter().any(|top| span.starts_with(top)) && !is_pattern
}

/// What a row of a recipe says is in a file: the file, and the names.
fn row(line: &str) -> Option<(&str, Vec<&str>)> {
    let spans: Vec<&str> = line
        .strip_prefix("| ")?
        .split('`')
        .skip(1)
        .step_by(2)
        .collect();
    let (first, names) = spans.split_first()?;
    let is_name = |name: &&str| {
        let mut letters = name.chars();
        letters.all(|c| c.is_ascii_alphanumeric() || ['_', ':'].contains(&c))
    };
    let names = names.iter().copied().filter(is_name);
    is_path(first).then(|| (*first, names.collect()))
}

#[test]
fn files_names_and_tests_of_the_recipes_and_the_promises_are_there() {
    let all = sources("src") + &sources("tests");
    let (mut rows, mut tests) = (0, 0);
    for page in ["CONTRIBUTING.md", "SECURITY.md"].map(Page::read) {
        for span in page.spans() {
            if is_path(&span) {
                assert!(root().join(&span).exists(), "{}: {span}", page.name);
            }
            // Names of tests are sentences.
            if span.matches('_').count() > 3 && !span.contains(['/', ' ']) {
                tests += 1;
                let is_there = all.contains(&format!("fn {span}("));
                assert!(is_there, "{}: there is no test `{span}`", page.name);
            }
        }
        for (file, names) in page.prose().into_iter().filter_map(row) {
            rows += 1;
            let path = root().join(file);
            if path.is_file() {
                let text = std::fs::read_to_string(path).unwrap();
                for name in names {
                    let last = name.rsplit("::").next().unwrap();
                    let is_there = text.contains(last) || name.matches('_').count() > 3;
                    assert!(is_there, "{}: `{name}` is not in {file}", page.name);
                }
            }
        }
    }
    assert!(
        rows > 25 && tests > 20,
        "{rows} rows and {tests} tests were found"
    );
}
