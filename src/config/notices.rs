//! `notify:` of the daemon's file, as it is written: who is told of which alerts and runs, by which way, and when not.
//! Sends nothing, reads no secret, and renders no text.

mod check;

use std::path::PathBuf;

use jiff::civil::Time;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::{self, Deserialize, Deserializer};
use url::Url;

use crate::model::AlertKind;

pub use check::NAMES as NOTICE_NAMES;
pub(in crate::config) use check::problems;

use super::request::text_or_mapping;
use super::{CredentialValue, SecretReference, Span};

/// Somebody is told: of alerts of these kinds while they are open, and of integrations whose last runs ended so; and once
/// when that is over.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// What it is called: by this name it is tested, and what was told is kept. `smtp`, `webhook` or `exec` without it.
    /// Under another name everything that is open is told again.
    #[serde(default)]
    pub name: Option<String>,
    /// The kinds of alerts, such as `mass_change_held`.
    #[serde(default)]
    pub alerts: Vec<AlertKind>,
    /// How runs end that are told, such as `failed`. It is over with the next run that succeeds.
    #[serde(default)]
    pub runs: Vec<RunEnd>,
    /// By which way.
    pub to: NotifyTo,
    /// What comes within this time about one integration is one message: `0s` to `1d`.
    #[serde(default = "an_hour")]
    pub fold: Span,
    /// Hours of the day in which nothing is told, such as `"22:00-06:00"`: it is told when they are over.
    #[serde(default)]
    pub quiet: Option<Quiet>,
    /// The time zone of `quiet` and of the times in texts, such as `America/New_York`; without it that of the
    /// integration's property, and UTC where its file is gone.
    #[serde(default)]
    pub timezone: Option<String>,
    /// That messages may hold personal data: whom an alert is about, and what a PMS said.
    #[serde(default)]
    pub personal: bool,
    /// The template of the subject, instead of the one that comes with epms.
    #[serde(default)]
    pub subject: Option<String>,
    /// The template of the text, instead of the one that comes with epms.
    #[serde(default)]
    pub text: Option<String>,
}

/// How a run ends that did not do what it was asked to do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is an `Outcome`")]
pub enum RunEnd {
    Failed,
    NotUnderstood,
    Incomplete,
    Held,
    Postponed,
    Interrupted,
}

impl RunEnd {
    /// Every one.
    pub const ALL: [RunEnd; 6] = [
        RunEnd::Failed,
        RunEnd::NotUnderstood,
        RunEnd::Incomplete,
        RunEnd::Held,
        RunEnd::Postponed,
        RunEnd::Interrupted,
    ];

    /// The word of the outcome.
    pub fn as_str(self) -> &'static str {
        match self {
            RunEnd::Failed => "failed",
            RunEnd::NotUnderstood => "not_understood",
            RunEnd::Incomplete => "incomplete",
            RunEnd::Held => "held",
            RunEnd::Postponed => "postponed",
            RunEnd::Interrupted => "interrupted",
        }
    }
}

/// By which way somebody is told.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotifyTo {
    /// By email.
    Smtp(Smtp),
    /// By a POST to a URL.
    Webhook(Hook),
    /// By a program and its arguments, without a shell, run in the home: it gets the message on its standard input, the
    /// subject as the first line, and `EPMS_MESSAGE_ID` in its environment, which is the same where a message comes again.
    /// It has 30 seconds, and says by exit code 0 that it took the message.
    Exec(Vec<String>),
}

impl NotifyTo {
    /// The word of the way.
    pub fn as_str(&self) -> &'static str {
        match self {
            NotifyTo::Smtp(_) => "smtp",
            NotifyTo::Webhook(_) => "webhook",
            NotifyTo::Exec(_) => "exec",
        }
    }
}

/// A mail server, and who gets mail by it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// The mail server: a name or an address.
    pub host: String,
    /// Its port; without it 587 for `starttls`, 465 for `tls`, 25 for `none`.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection is encrypted.
    #[serde(default)]
    pub tls: SmtpTls,
    /// A PEM file with certificates of authorities that the server may be signed by, besides those that the system trusts;
    /// as seen from the home.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The user, where the server wants to know who sends.
    #[serde(default)]
    pub username: Option<String>,
    /// Where the user's password is kept, as the secrets of credentials are.
    #[serde(default)]
    pub password: Option<SecretReference>,
    /// Who writes.
    pub from: Mailbox,
    /// Who gets it: each gets a message of their own.
    pub to: Vec<Mailbox>,
    /// How long one message may take: `1s` to `5m`.
    #[serde(default = "half_a_minute")]
    pub timeout: Span,
}

/// How the connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// It begins in the clear, and goes on encrypted or not at all.
    #[default]
    Starttls,
    /// From the beginning.
    Tls,
    /// Not at all: to this machine only.
    None,
}

/// An email address: as text, or `{ name: Ada Quill, address: ada@example.com }`.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(title = "mailbox", with = "MailboxForm")]
pub struct Mailbox {
    /// The name that stands beside it.
    pub name: Option<String>,
    /// The address, its domain in ASCII.
    pub address: String,
}

/// A mailbox.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code, reason = "says how it is written")]
enum MailboxForm {
    Short(String),
    Long(MailboxMapping),
}

/// A mailbox with a name.
#[derive(serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MailboxMapping {
    /// The name that stands beside the address.
    #[serde(default)]
    name: Option<String>,
    /// The address.
    address: String,
}

/// A URL that is told by a POST.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// The URL: https, or http on this machine. Where it is itself a secret, as those of Slack and Teams are, by reference:
    /// `{ file: PATH }`.
    pub url: CredentialValue,
    /// What is sent.
    #[serde(default)]
    pub form: HookForm,
    /// Where the secret is kept that signs messages of the form `standard`: `whsec_` and 24 to 64 random bytes in base64.
    #[serde(default)]
    pub secret: Option<SecretReference>,
    /// A PEM file with certificates of authorities that the server may be signed by, besides those that the system trusts;
    /// as seen from the home.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How long one message may take: `1s` to `5m`.
    #[serde(default = "half_a_minute")]
    pub timeout: Span,
}

/// What is sent to a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookForm {
    /// A signed message after Standard Webhooks (standardwebhooks.com).
    #[default]
    Standard,
    /// What an incoming webhook of Slack takes, and what takes the same.
    Slack,
    /// What a workflow of Microsoft Teams takes: an adaptive card.
    Teams,
}

/// Hours of a day, from the first to before the last; over midnight where the last is earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(title = "hours of a day")]
pub struct Quiet(
    #[schemars(
        with = "String",
        regex(pattern = "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$")
    )]
    pub (Time, Time),
);

impl Notify {
    /// What it is called.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_else(|| self.to.as_str())
    }
}

fn an_hour() -> Span {
    Span::seconds(3600)
}

fn half_a_minute() -> Span {
    Span::seconds(30)
}

impl<'de> Deserialize<'de> for Quiet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hours(&text).map(Quiet).ok_or_else(|| {
            de::Error::custom(format!(
                "`{text}` is no part of a day; write from when to when, such as \"22:00-06:00\""
            ))
        })
    }
}

fn hours(text: &str) -> Option<(Time, Time)> {
    let time = |text: &str| {
        let (hour, minute) = text.split_once(':')?;
        let is_number = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(hour) || !is_number(minute) {
            return None;
        }
        Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
    };
    let (from, until) = text.split_once('-')?;
    let (from, until) = (time(from)?, time(until)?);
    (from != until).then_some((from, until))
}

impl<'de> Deserialize<'de> for Mailbox {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or_mapping(
            deserializer,
            "an address, or `{ name: Ada Quill, address: ada@example.com }`",
            |text: String| mailbox(None, &text),
            |MailboxMapping { name, address }| mailbox(name, &address),
        )?
        .map_err(de::Error::custom)
    }
}

/// An address is one address: neither a name beside it nor several.
fn mailbox(name: Option<String>, text: &str) -> Result<Mailbox, String> {
    let wrong = || {
        format!(
            "`{text}` is no address; write it alone, such as `ada@example.com`, or `{{ name: Ada Quill, address: ada@example.com }}`"
        )
    };
    if name
        .as_deref()
        .is_some_and(|name| name.chars().any(char::is_control))
    {
        return Err("`name` has a line break in it; write it on one line".into());
    }
    let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
    let is_local = local.len() <= 64
        && local
            .split('.')
            .all(|part| !part.is_empty() && part.chars().all(is_atom));
    // Mail servers know domains by their ASCII form alone.
    let domain = idna::domain_to_ascii_strict(domain).map_err(|_| wrong())?;
    if !is_local || domain.is_empty() {
        return Err(wrong());
    }
    Ok(Mailbox {
        name: name.filter(|name| !name.trim().is_empty()),
        address: format!("{local}@{domain}"),
    })
}

/// An error of a template without the place in a file that is none.
fn without_line(error: &minijinja::Error) -> String {
    error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned)
}

/// What a URL of a webhook is, where it may be one.
pub fn hook_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text.trim()).map_err(|_| "is no URL; write `https://HOST/PATH`")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("may hold no user and no password");
    }
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("is no URL that can be asked; write `https://HOST/PATH`");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_are_from_when_to_when() {
        let told = |text: &str| hours(text).map(|(from, until)| format!("{from} {until}"));
        assert_eq!(told("22:00-06:30").as_deref(), Some("22:00:00 06:30:00"));
        for wrong in [
            "",
            "22-6",
            "22:00",
            "24:00-06:00",
            "22:00-22:00",
            "22:00-6:00",
            "22:60-06:00",
            "+2:00-06:00",
        ] {
            assert_eq!(hours(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_mailbox_is_one_address_and_its_domain_is_ascii() {
        let of = |text: &str| mailbox(None, text).map(|one| one.address);
        assert_eq!(
            of("ada.quill@example.com").unwrap(),
            "ada.quill@example.com"
        );
        assert_eq!(
            of("ada@bücher.example").unwrap(),
            "ada@xn--bcher-kva.example"
        );
        for wrong in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "Ada <ada@example.com>",
            "ada@example.com, bob@example.com",
            "ada quill@example.com",
            "ada..quill@example.com",
            "ada@exa mple.com",
            "ada@example.com\nBcc: bob@example.com",
            "äda@example.com",
        ] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        assert!(mailbox(Some("Ada\nBcc: x".into()), "ada@example.com").is_err());
    }
}
