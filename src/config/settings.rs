//! `config/epms.yaml`: the daemon itself.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BackupSettings, Notify, Proxy, Size, Span, Tiers, WebSettings};

/// The daemon's file. Every key has a default; without the file all of them apply.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Version of the file's form: 1.
    #[schemars(extend("const" = 1))]
    pub version: u32,
    /// When integrations are synced, unless they say otherwise.
    #[serde(default)]
    pub schedule: Schedule,
    /// How many runs may be under way at once.
    #[serde(default = "two")]
    pub workers: usize,
    /// The control socket.
    #[serde(default)]
    pub socket: Socket,
    /// Logging.
    #[serde(default)]
    pub log: Log,
    /// When changed files come into effect.
    #[serde(default)]
    pub reload: Reload,
    /// Where the store lives, instead of `state/` in the home.
    #[serde(default)]
    pub state_dir: Option<PathBuf>,
    /// Emails that stand for 'none' (R11): whole, or `local@*` for any domain.
    #[serde(default = "placeholder_emails")]
    pub placeholder_emails: Vec<String>,
    /// How long runs, changes and alerts are kept.
    #[serde(default)]
    pub retention: Retention,
    /// The people store.
    #[serde(default)]
    pub store: StoreSettings,
    /// Copies of the store that the daemon makes by itself. Without this it makes none.
    #[serde(default)]
    pub backup: Option<BackupSettings>,
    /// How long a run may read and map before it is given up, with nothing written: one second to one day. The next
    /// one is ordinary.
    #[serde(default = "deadline")]
    pub deadline: Span,
    /// How long a stop waits for runs under way.
    #[serde(default = "grace")]
    pub grace: Span,
    /// A proxy that requests go through, where the connector does not say otherwise; never those to loopback. The proxy
    /// variables of the environment are ignored.
    #[serde(default)]
    pub proxy: Option<Proxy>,
    /// Who is told when something is wrong, and when it is over.
    #[serde(default)]
    pub notify: Vec<Notify>,
    /// The page over the network. Without this it is on the control socket alone.
    #[serde(default)]
    pub web: Option<WebSettings>,
}

/// The rhythm of an integration (R2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// The time from one run to the next: one minute to one hour.
    pub every: Span,
    /// By how much a run may be late, at random.
    pub jitter: Span,
}

/// How long runs, changes and alerts are kept: whichever of age and number is reached first. The last run of an
/// integration, runs that something open refers to, alerts that are open, and the last change of every person are kept
/// in any case. Age is counted in hours that the daemon was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// The age of a run that is forgotten: a day at the least.
    pub runs: Span,
    /// How many runs of one integration are kept.
    pub most_runs: usize,
    /// The age of a change that is forgotten: a day at the least.
    pub changes: Span,
    /// How many changes are kept.
    pub most_changes: u64,
    /// For how long an alert has not been open, nor found again since it was dismissed, when it is forgotten: a day at
    /// the least.
    pub alerts: Span,
}

/// The people store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSettings {
    /// How much of it is kept in memory: 4MiB to 16GiB. A change takes effect when the daemon starts.
    pub cache: Size,
}

/// The control socket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Socket {
    /// Where it lies, instead of `epms.sock` in `$RUNTIME_DIRECTORY` or the state folder.
    pub path: Option<PathBuf>,
    /// Its permissions, in octal.
    pub mode: Mode,
    /// The group it is given to.
    pub group: Option<String>,
    /// Who may do what over it. Without this, whoever can open it may do everything but `configure`; with it, only the
    /// daemon's user and root may, and everybody else what is written here, which changes without a restart.
    pub tiers: Option<Tiers>,
}

/// File permissions, written in octal: `"0660"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
pub struct Mode(#[schemars(with = "String", regex(pattern = "^0*[0-7]{1,3}$"))] pub u32);

/// When changed files come into effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reload {
    /// That a script comes in only when it has mapping tests and passes them, at the start too. Until then its
    /// integrations stay on the generation before.
    pub require_tests: bool,
}

/// Logging, to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// Text for people or JSON for machines.
    pub format: LogFormat,
    /// The least that is told.
    pub level: LogLevel,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// The least that is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            version: 1,
            schedule: Schedule::default(),
            workers: two(),
            socket: Socket::default(),
            log: Log::default(),
            reload: Reload::default(),
            state_dir: None,
            placeholder_emails: placeholder_emails(),
            retention: Retention::default(),
            store: StoreSettings::default(),
            backup: None,
            deadline: deadline(),
            grace: grace(),
            proxy: None,
            notify: Vec::new(),
            web: None,
        }
    }
}

impl Default for StoreSettings {
    fn default() -> Self {
        StoreSettings {
            cache: Size::mebibytes(32),
        }
    }
}

impl StoreSettings {
    /// What is wrong with it, by field.
    pub(super) fn problems(self) -> Vec<(&'static str, String)> {
        let (least, most) = (Size::mebibytes(4), Size::mebibytes(16 * 1024));
        let mut found = Vec::new();
        if self.cache < least || self.cache > most {
            let told = format!(
                "{} is out of range; write `{least}` to `{most}`",
                self.cache
            );
            found.push(("cache", told));
        }
        found
    }
}

impl Default for Retention {
    fn default() -> Self {
        Retention {
            runs: Span::seconds(90 * 86_400),
            most_runs: 2_500,
            changes: Span::seconds(366 * 86_400),
            most_changes: 1_000_000,
            alerts: Span::seconds(366 * 86_400),
        }
    }
}

impl Retention {
    /// What is wrong with it, by field.
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let ages = [
            ("runs", self.runs),
            ("changes", self.changes),
            ("alerts", self.alerts),
        ];
        for (field, age) in ages {
            if age < Span::seconds(86_400) {
                found.push((field, format!("{age} is too short; write `1d` or more")));
            }
        }
        if self.most_runs < 24 {
            found.push(("most_runs", "is too few; write 24 or more".to_owned()));
        }
        if self.most_changes < 1_000 {
            found.push(("most_changes", "is too few; write 1000 or more".to_owned()));
        }
        found
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule {
            every: Span::seconds(3600),
            jitter: Span::seconds(300),
        }
    }
}

impl Schedule {
    /// What is wrong with it, by field.
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if self.every < Span::seconds(60) || self.every > Span::seconds(3600) {
            found.push((
                "every",
                format!("{} is out of range; write `1m` to `1h`", self.every),
            ));
        }
        if self.jitter > self.every {
            found.push((
                "jitter",
                format!("{} is longer than `every`; write less", self.jitter),
            ));
        }
        found
    }
}

impl Default for Socket {
    fn default() -> Self {
        Socket {
            path: None,
            mode: Mode(0o660),
            group: None,
            tiers: None,
        }
    }
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match u32::from_str_radix(&text, 8) {
            Ok(mode) if mode <= 0o777 => Ok(Mode(mode)),
            _ => Err(serde::de::Error::custom(format!(
                "`{text}` is not a file mode; write it in octal, such as \"0660\""
            ))),
        }
    }
}

impl Serialize for Mode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:04o}", self.0))
    }
}

fn two() -> usize {
    2
}

fn deadline() -> Span {
    Span::seconds(3600)
}

fn grace() -> Span {
    Span::seconds(30)
}

fn placeholder_emails() -> Vec<String> {
    [
        "none@none.com",
        "none@nowhere.com",
        "na@na.com",
        "no@email.com",
        "noemail@*",
        "no-email@*",
        "donotemail@*",
    ]
    .map(String::from)
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_between_four_mebibytes_and_sixteen_gibibytes() {
        let told = |mebibytes| {
            let cache = Size::mebibytes(mebibytes);
            let mut problems = StoreSettings { cache }.problems();
            problems
                .pop()
                .map(|(field, message)| format!("{field}: {message}"))
        };
        assert_eq!(told(4), None);
        assert_eq!(told(16 * 1024), None);
        let wrong = "cache: 3MiB is out of range; write `4MiB` to `16GiB`";
        assert_eq!(told(3).as_deref(), Some(wrong));
        assert!(told(16 * 1024 + 1).is_some());
    }
}
