//! `epms help`: on a command, or a page of the reference. What it says is elsewhere.

mod fields;
mod pages;
mod text;

use clap::{Args, CommandFactory, ValueEnum};

use super::{Arguments, Exit, Failure, Screen, View};

use text::Text;

/// On what.
#[derive(Debug, Args)]
#[command(after_help = "\
topics
  files        every key of every file: what it is, what applies without it
  scripts      functions of a script, a resident's fields, helpers with examples
  connectors   how a kind of PMS is reached
  alerts       kinds, and what to do about them
  rules        R1 to R47: who comes in, changes and leaves, a sentence each
  exit-codes   what a command leaves behind, and the codes of problems

examples
  epms help files
  epms help people import")]
pub struct HelpArguments {
    /// a command, or a topic
    #[arg(value_name = "COMMAND|TOPIC")]
    pub words: Vec<String>,
}

/// A page of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Topic {
    Files,
    Scripts,
    Connectors,
    Alerts,
    Rules,
    ExitCodes,
}

pub(super) fn run(arguments: &HelpArguments, screen: &mut Screen<'_>) -> Result<Exit, Failure> {
    let words: Vec<&str> = arguments.words.iter().map(String::as_str).collect();
    let topic = match words.as_slice() {
        [word] => Topic::from_str(word, false).ok(),
        _ => None,
    };
    let text = match topic {
        Some(topic) => page(topic, &screen.view),
        None => of_command(&words, &screen.view)?,
    };
    screen.out.write_all(text.as_bytes())?;
    Ok(Exit::Done)
}

/// As wide as the terminal, as long as lines can be read.
fn page(topic: Topic, view: &View) -> String {
    let width = view
        .width
        .map_or(80, |width| usize::from(width.clamp(40, 100)));
    let mut text = Text::new(width);
    match topic {
        Topic::Files => pages::files(&mut text),
        Topic::Scripts => pages::scripts(&mut text),
        Topic::Connectors => pages::connectors(&mut text),
        Topic::Alerts => {
            pages::alerts(&mut text);
            text.gap();
            text.line(0, "The command: `epms alerts --help`.");
        }
        Topic::Rules => pages::rules(&mut text),
        Topic::ExitCodes => pages::exit_codes(&mut text),
    }
    text.finish()
}

fn of_command(words: &[&str], view: &View) -> Result<String, Failure> {
    let mut command = Arguments::command();
    command.build();
    let mut found = &mut command;
    for (at, word) in words.iter().enumerate() {
        let names = found.get_subcommands().map(|one| one.get_name().to_owned());
        let names: Vec<String> = names.collect();
        found = found.find_subcommand_mut(word).ok_or_else(|| {
            let before = words.iter().take(at).copied().collect::<Vec<_>>().join(" ");
            let known = if at == 0 {
                "see `epms --help` for the commands, `epms help help` for the topics".to_owned()
            } else if names.is_empty() {
                format!("`epms {before}` has none")
            } else {
                format!("`epms {before}` has: {}", names.join(", "))
            };
            let told = format!("there is no command or topic `{word}`; {known}");
            Failure::other(Exit::Invalid, told)
        })?;
    }
    let help = found.render_long_help();
    Ok(if view.color {
        help.ansi().to_string()
    } else {
        help.to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::plain;
    use super::*;

    fn help(line: &str) -> Result<String, String> {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut screen = Screen {
            out: &mut out,
            err: &mut err,
            view: plain(),
            progress: false,
        };
        let words = line.split_whitespace().map(String::from).collect();
        let ran = run(&HelpArguments { words }, &mut screen);
        ran.map_err(|failure| failure.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn pages_read_well_at_80_columns() {
        for topic in Topic::value_variants() {
            let name = topic.to_possible_value().unwrap().get_name().to_owned();
            let page = help(&name).unwrap();
            for line in page.lines() {
                // A signature or an example is not torn.
                let is_code = line.contains('→') || line.contains("   ");
                assert!(line.chars().count() <= 80 || is_code, "{name}: {line}");
            }
            insta::assert_snapshot!(name, page);
        }
    }

    #[test]
    fn help_on_a_command_is_what_the_command_says_itself() {
        let said = help("sync").unwrap();
        assert!(said.contains("the integrations: names of files"), "{said}");
        let said = help("people import").unwrap();
        assert!(said.contains("--dry-run"), "{said}");
        let said = help("").unwrap();
        assert!(said.contains("set up\n"), "{said}");
        assert!(help("help").unwrap().contains("topics\n"));
        let error = help("people sync").unwrap_err();
        assert!(error.contains("`epms people` has: list,"), "{error}");
        let error = help("snyc").unwrap_err();
        assert!(error.contains("see `epms --help`"), "{error}");
    }

    #[test]
    fn every_exit_code_is_in_the_help_of_the_program() {
        let help = Arguments::command().render_long_help().to_string();
        let codes = help.split("exit codes\n").nth(1).unwrap();
        for exit in Exit::ALL {
            assert!(codes.contains(&format!("{} ", exit as u8)), "{codes}");
        }
    }
}
