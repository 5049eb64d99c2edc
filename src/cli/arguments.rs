//! The command line as a type. What a verb does is in the verb's own file.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use super::{
    add, alerts, approve, backup, changes, check, credentials, definitions, deliveries, demo, diff,
    discover, doctor, explain, help, init, integration, man, map, pause, people, preview, probe,
    record, restore, run, runs, sandbox, schema, secret, status, sync, targets, test, verify, web,
};

const TEMPLATE: &str = "\
{about}

{usage-heading} {usage}

try it
  demo         local PMSs, a daemon and a first sync, all in one
  sandbox      the local PMSs alone

set up
  init         a home to start from: files, connectors, scripts, tests
  add          an integration or a target: questions, or flags
  secret       keep a secret in the home: set
  web          the page: url, passwd, token
  check        validate all files and compile all scripts, offline
  test         run the mapping tests of the scripts
  map          one script on one recorded answer
  record       answers of a PMS as test fixtures, about made-up people
  discover     properties and lease statuses of a PMS, places of a target
  probe        one request as it was sent, its answer as it came
  doctor       whether PMSs, targets, machine and daemon are as they should be
  reload       make the daemon read all files again

run
  run          the daemon; with a run's id, what that run did
  sync         sync now, and report
  preview      what the next run would do, for whom, and why
  diff         what the files of another checkout would change
  explain      why a resident came in, or did not
  approve      let a held plan through
  reject       let a held plan wait, and hear no more of it
  pause        keep an integration from syncing
  resume       let a paused integration sync again
  integration  one as a whole: rename, retire, undo
  notify       a test to those who are told of what is wrong
  status       integrations: state, last and next sync, health
  credentials  what may still be asked with each, until when it is taken
  runs         the latest runs

people
  people       list, show, history; link, lock, pin
  alerts       list, show, resolve, dismiss, comment, assign, undo
  changes      the change log, as JSON lines

doors
  targets      where access is delivered to: state, lag, what waits
  deliveries   list, show, preview, approve, retry

the store
  backup       a copy of the store, while the daemon runs
  restore      a backup in the place of the store
  verify       every table held against every other, of a backup too
  compact      give back the room that the file does not need

editors
  schema       JSON Schema of each kind of file
  definitions  the helpers of scripts, for the language server of Rhai
  completions  completions for a shell
  man          manual pages

  help         help on a command; on files, scripts, connectors, alerts, rules, exit-codes

options
{options}{after-help}
";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "epms",
    disable_help_subcommand = true,
    version,
    about = "feeds residents from property management systems into a store of people",
    help_template = TEMPLATE,
    after_help = "\
examples
  epms demo                        see it work, with made-up people
  epms init acme                   a home to start from
  epms run                         start the daemon of this folder
  epms sync --all                  sync everything now
  epms alerts list --kind name_mismatch

exit codes
  0 done · 1 failed · 2 configuration or usage · 3 out of reach · 4 held
  5 denied",
    max_term_width = 100
)]
pub struct Arguments {
    /// the folder with config/ and scripts/ [default: this folder if it has config/epms.yaml, else /etc/epms]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        display_order = 900,
        env = "EPMS_HOME",
        hide_env = true
    )]
    pub home: Option<PathBuf>,
    /// the daemon's socket, instead of the one that the home names
    #[arg(long, global = true, value_name = "PATH", display_order = 901)]
    pub socket: Option<PathBuf>,
    /// read the store itself, while no daemon runs
    #[arg(long, global = true, display_order = 902)]
    pub offline: bool,
    /// print JSON
    #[arg(long, global = true, display_order = 903)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// local PMSs, a daemon and a first sync, all in one
    Demo(demo::DemoArguments),
    /// the local PMSs alone
    Sandbox(sandbox::SandboxArguments),
    /// a home to start from: settings, connectors, scripts and their mapping tests
    Init(init::InitArguments),
    /// an integration or a target, step by step: questions, or flags
    Add {
        /// What to add.
        #[command(subcommand)]
        what: add::AddVerb,
    },
    /// a secret that the home keeps, for a credential to name
    Secret {
        /// What to do with it.
        #[command(subcommand)]
        what: secret::SecretVerb,
    },
    /// the page: where it is, and who gets in over the network
    Web {
        /// What to do with it.
        #[command(subcommand)]
        what: web::WebVerb,
    },
    /// validate all files and compile all scripts, offline
    Check(check::CheckArguments),
    /// run the mapping tests of the scripts
    Test(test::TestArguments),
    /// one script on one recorded answer: residents, exclusions, errors
    Map(map::MapArguments),
    /// answers of a PMS as test fixtures, about made-up people
    Record(record::RecordArguments),
    /// the properties and lease statuses that a PMS has, or what can be granted at a target
    Discover(discover::DiscoverArguments),
    /// one request of a connector as it was sent, its answer as it came, and what a run makes of it
    Probe(probe::ProbeArguments),
    /// whether PMSs, targets, this machine and the daemon are as they should be
    Doctor(doctor::DoctorArguments),
    /// make the daemon read all files again; the answer is the outcome for each integration
    ///
    /// Ends with 2 when something was refused. What was refused goes on as it was.
    #[command(verbatim_doc_comment)]
    Reload,
    /// the daemon; with a run's id, what that run did
    Run(run::RunArguments),
    /// sync now, and report when it has ended
    Sync(sync::SyncArguments),
    /// what the next run would do: the whole run, of which nothing remains
    Preview(preview::PreviewArguments),
    /// what the files of another checkout would change, before they are live
    Diff(diff::DiffArguments),
    /// why a resident came in, or did not: from the PMS's record to the decision
    Explain(explain::ExplainArguments),
    /// let the plan of a held run through
    Approve(approve::ApproveArguments),
    /// let the plan of a held run wait, and hear no more of it
    Reject(approve::RejectArguments),
    /// keep an integration from syncing, for a while or until it is resumed
    Pause(pause::PauseArguments),
    /// let a paused integration sync again
    Resume(pause::ResumeArguments),
    /// an integration as a whole: another name, its end
    Integration {
        /// What to do with it.
        #[command(subcommand)]
        verb: integration::IntegrationVerb,
    },
    /// those who are told of what is wrong
    Notify {
        /// What to do with them.
        #[command(subcommand)]
        verb: super::notify::NotifyVerb,
    },
    /// integrations: state, last and next sync, health
    Status(status::StatusArguments),
    /// the accounts in use: budgets used and left, when they expire, when their secrets were read
    Credentials(credentials::CredentialsArguments),
    /// the latest runs
    Runs(runs::RunsArguments),
    /// people of the store; alone, it lists them
    People {
        /// What to do with them.
        #[command(subcommand)]
        verb: Option<people::PeopleVerb>,
    },
    /// what somebody must look at; alone, it lists it
    Alerts {
        /// What to do with them.
        #[command(subcommand)]
        verb: Option<alerts::AlertsVerb>,
    },
    /// where access is delivered to: state, lag, what waits or is parked
    Targets(targets::TargetsArguments),
    /// what people have at targets, or shall have there; alone, it lists it
    Deliveries(deliveries::DeliveriesArguments),
    /// the change log, as JSON lines
    Changes(changes::ChangesArguments),
    /// help on a command; on files, scripts, connectors, alerts, rules, exit-codes
    Help(help::HelpArguments),
    /// a copy of the store as of now, while the daemon runs
    Backup(backup::BackupArguments),
    /// a backup in the place of the store, which is kept; no daemon may run
    Restore(restore::RestoreArguments),
    /// every table of the store, or of a backup, held against every other
    Verify(verify::VerifyArguments),
    /// give back the room that the store's file does not need; no daemon may run
    Compact,
    /// JSON Schema of each kind of file, for editors
    Schema(schema::SchemaArguments),
    /// the helpers of scripts, for the language server of Rhai
    Definitions(definitions::DefinitionsArguments),
    /// completions for a shell, to standard output
    #[command(after_help = "examples\n  epms completions bash > /etc/bash_completion.d/epms")]
    Completions {
        /// the shell
        shell: Shell,
    },
    /// manual pages: that of epms to standard output, or all of them into a folder
    Man(man::ManArguments),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_help_names_every_verb() {
        let mut command = Arguments::command();
        let help = command.render_long_help().to_string();
        for verb in command.get_subcommands() {
            assert!(
                help.contains(&format!("\n  {} ", verb.get_name())),
                "{}",
                verb.get_name()
            );
        }
    }

    /// Terminals of 80 columns break no line of them a second time.
    #[test]
    fn what_is_said_below_the_options_is_as_narrow_as_a_terminal() {
        fn look(command: &clap::Command) {
            let below = command.get_after_help().map(ToString::to_string);
            let below = below.unwrap_or_default();
            // Examples are as wide as what is to be written.
            for line in below.lines().filter(|line| !line.starts_with(' ')) {
                assert!(line.chars().count() <= 80, "{}: {line}", command.get_name());
            }
            command.get_subcommands().for_each(look);
        }
        look(&Arguments::command());
    }

    #[test]
    fn run_is_the_daemon_without_an_id_and_a_run_with_one() {
        let run = |line: &[&str]| match Arguments::try_parse_from(line).unwrap().verb {
            Verb::Run(arguments) => arguments.run,
            _ => unreachable!(),
        };
        assert_eq!(run(&["epms", "run"]), None);
        assert_eq!(run(&["epms", "run", "r3"]), Some(crate::model::RunId(3)));
        let error = Arguments::try_parse_from(["epms", "run", "p3"]).unwrap_err();
        assert!(error.to_string().contains("it looks like `r3`"));
    }

    #[test]
    fn global_options_may_stand_anywhere() {
        let line = ["epms", "status", "--json", "--socket", "/x.sock"];
        let arguments = Arguments::try_parse_from(line).unwrap();
        assert!(arguments.json);
        assert_eq!(arguments.socket, Some("/x.sock".into()));
    }

    #[test]
    fn a_sync_of_nothing_is_refused() {
        let error = Arguments::try_parse_from(["epms", "sync"]).unwrap_err();
        assert!(error.to_string().contains("<INTEGRATION|--all>"), "{error}");
        assert!(Arguments::try_parse_from(["epms", "sync", "--all", "x"]).is_err());
        assert!(Arguments::try_parse_from(["epms", "sync", ".."]).is_err());
    }
}
