//! `epms web`: where the page is, and the files that say who gets in over the network. Asks no daemon.

use std::fs::File;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;

use crate::config::{
    Account, Environment, Files, Home, Secret, Settings, Span, TokenEntry, WebFileError,
    WebSettings, Zeroizing, accounts_text, is_name, read_accounts, read_tokens, tokens_text,
};
use crate::model::{Problems, Tier};
use crate::setup;
use crate::signin::{NewToken, Passwords};

use super::next::{self, Step};
use super::view::View;
use super::{Exit, Failure, Screen, hidden, secret};

/// Where accounts lie unless the settings say otherwise.
const ACCOUNTS: &str = "secrets/accounts.yaml";
/// And tokens.
const TOKENS: &str = "secrets/tokens.yaml";

/// What to do with the page.
#[derive(Debug, Subcommand)]
pub enum WebVerb {
    /// where the page is, and how a browser gets there
    Url,
    /// the password of an account: a new one, another one, or none any more
    Passwd(PasswdArguments),
    /// a token for a program, such as Prometheus, which is shown once
    Token(TokenArguments),
}

/// Whose password.
#[derive(Debug, Args)]
#[command(after_help = "\
asks for the password on a terminal, twice, and shows nothing of it; elsewhere
all of standard input is the password, but for one line break at its end. the
account is in effect at once, without a restart; whoever gets another password
or is removed is signed out

examples
  epms web passwd ada --tier approve
  epms web passwd ada --remove")]
pub struct PasswdArguments {
    /// the account: lower-case letters, digits, `-`, `_` and `.`
    #[arg(value_parser = name)]
    pub name: String,
    /// how much it may do [default: what it has, and `observe` for a new one]
    #[arg(long, value_parser = tier())]
    pub tier: Option<Tier>,
    /// remove the account
    #[arg(long, conflicts_with = "tier")]
    pub remove: bool,
}

/// For what program.
#[derive(Debug, Args)]
#[command(after_help = "\
the token is shown once; the file keeps a hash of it. whoever has it may do what
its tier may, until it expires or is removed

examples
  epms web token prometheus
  epms web token ticket-system --tier operate --expires 90d
  epms web token prometheus --remove")]
pub struct TokenArguments {
    /// the program: lower-case letters, digits, `-`, `_` and `.`
    #[arg(value_parser = name)]
    pub name: String,
    /// how much it may do
    #[arg(long, value_parser = tier(), default_value = "observe")]
    pub tier: Tier,
    /// for how long, such as 90d [default: 366d]
    #[arg(long, value_name = "TIME")]
    pub expires: Option<Span>,
    /// remove the token
    #[arg(long, conflicts_with_all = ["tier", "expires"])]
    pub remove: bool,
}

fn name(text: &str) -> Result<String, &'static str> {
    if is_name(text) && !text.starts_with('.') {
        Ok(text.to_owned())
    } else {
        Err("is no name; use lower-case letters, digits, `-`, `_` and `.`")
    }
}

fn tier() -> impl TypedValueParser<Value = Tier> {
    PossibleValuesParser::new(Tier::ALL.map(Tier::as_str))
        .try_map(|word| serde_json::from_value::<Tier>(serde_json::Value::from(word)))
}

/// Where the page is.
#[derive(Serialize)]
struct Url {
    /// What to type into a browser.
    url: String,
    /// What to do before, where it is on the control socket alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
}

/// What became of an account or a token.
#[derive(Serialize)]
struct Kept {
    name: String,
    file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<Tier>,
    /// Whether there was one before.
    replaced: bool,
    removed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    /// Shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next: Vec<Step>,
}

/// Does what `verb` says; `asked` is somebody at a terminal, if anybody is.
pub(super) fn run(
    verb: &WebVerb,
    json: bool,
    (home, environment): (&Home, &Environment),
    asked: bool,
    input: &mut dyn BufRead,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    if !home.config().is_dir() {
        let told = format!(
            "{} is no home: it has no config; name one with --home",
            home.root().display()
        );
        return Err(Failure::other(Exit::Invalid, told));
    }
    let settings = Files::read_settings(home);
    if matches!(verb, WebVerb::Url) {
        let settings = settings.map_err(|problems| Failure::Config(Problems(problems)))?;
        let told = url(&settings.value, home, environment);
        screen.show(json, &told, |told, _| match &told.before {
            Some(before) => format!("{before}\n{}\n", told.url),
            None => format!("{}\n", told.url),
        })?;
        return Ok(Exit::Done);
    }
    // Who is to be made or removed does not wait until the settings are right, which may name these files only then.
    let settings = settings.map_or_else(|_| Settings::default(), |file| file.value);
    // One at a time: each writes the file anew.
    let alone = File::open(home.config())?;
    alone.lock()?;
    match verb {
        WebVerb::Url => {}
        WebVerb::Passwd(arguments) => {
            let kept = passwd(arguments, home, &settings, asked, input, screen)?;
            screen.show(json, &kept, |kept, view| told("account", kept, view))?;
        }
        WebVerb::Token(arguments) => {
            let kept = token(arguments, home, &settings, screen.view.now)?;
            screen.show(json, &kept, |kept, view| told("token", kept, view))?;
        }
    }
    Ok(Exit::Done)
}

fn url(settings: &Settings, home: &Home, environment: &Environment) -> Url {
    let on_socket = || {
        let socket = home.socket(settings, environment);
        Url {
            url: "http://localhost:8080/".to_owned(),
            before: Some(format!("ssh -L 8080:{} HOST", socket.display())),
        }
    };
    let Some(web) = &settings.web else {
        return on_socket();
    };
    let Some(listen) = web.listen else {
        // A proxy speaks TLS, on its own port.
        return match web.hosts.first() {
            Some(host) => Url {
                url: format!("https://{host}/"),
                before: None,
            },
            None => on_socket(),
        };
    };
    let scheme = if web.cert.is_some() { "https" } else { "http" };
    let host = match web.hosts.first() {
        Some(host) => host.clone(),
        None if listen.ip().is_loopback() => "localhost".to_owned(),
        None => listen.ip().to_string(),
    };
    Url {
        url: format!("{scheme}://{host}:{}/", listen.port()),
        before: None,
    }
}

fn passwd(
    arguments: &PasswdArguments,
    home: &Home,
    settings: &Settings,
    asked: bool,
    input: &mut dyn BufRead,
    screen: &mut Screen<'_>,
) -> Result<Kept, Failure> {
    let web = settings.web.as_ref();
    let file = web.and_then(|web| web.accounts.clone());
    let file = file.unwrap_or_else(|| ACCOUNTS.into());
    let mut accounts = there(home, &file, read_accounts)?;
    let name = &arguments.name;
    let before = accounts.remove(name);
    if arguments.remove {
        let Some(before) = before else {
            return Err(nobody(name, &file));
        };
        keep(home, &file, &accounts_text(accounts))?;
        return Ok(Kept {
            removed: true,
            ..Kept::of(name, file, before.tier, true)
        });
    }
    let password = password(name, asked, input, screen)?;
    let passwords = Passwords::new().and_then(|passwords| passwords.hash(&password));
    let hash = passwords.map_err(|error| Failure::other(Exit::Invalid, error.to_string()))?;
    let tier = arguments.tier.or(before.as_ref().map(|before| before.tier));
    let tier = tier.unwrap_or(Tier::Observe);
    let password = hash;
    accounts.insert(name.clone(), Account { tier, password });
    keep(home, &file, &accounts_text(accounts))?;
    let is_named = web.is_some_and(|web: &WebSettings| web.accounts.is_some());
    let next = (!is_named).then(|| named("accounts", &file, web));
    Ok(Kept {
        next: next.into_iter().collect(),
        ..Kept::of(name, file, tier, before.is_some())
    })
}

fn token(
    arguments: &TokenArguments,
    home: &Home,
    settings: &Settings,
    now: Timestamp,
) -> Result<Kept, Failure> {
    let web = settings.web.as_ref();
    let file = web.and_then(|web| web.tokens.clone());
    let file = file.unwrap_or_else(|| TOKENS.into());
    let mut tokens = there(home, &file, read_tokens)?;
    let name = &arguments.name;
    let before = tokens.remove(name);
    if arguments.remove {
        let Some(before) = before else {
            return Err(nobody(name, &file));
        };
        keep(home, &file, &tokens_text(tokens))?;
        return Ok(Kept {
            removed: true,
            ..Kept::of(name, file, before.tier, true)
        });
    }
    let mut chance = [0; 32];
    getrandom::fill(&mut chance).map_err(|error| {
        let told = format!("the system gives no random numbers: {error}");
        Failure::other(Exit::Failed, told)
    })?;
    let token = NewToken::new(chance);
    let lasts = arguments.expires.unwrap_or(Span::seconds(366 * 86_400));
    if lasts.0.is_zero() {
        let told = "a token that expires at once is nobody's; nothing was written";
        return Err(Failure::other(Exit::Invalid, told));
    }
    let expires = now.checked_add(lasts.0).ok();
    let entry = TokenEntry {
        tier: arguments.tier,
        token: token.kept.to_string(),
        expires,
    };
    tokens.insert(name.clone(), entry);
    keep(home, &file, &tokens_text(tokens))?;
    let is_named = web.is_some_and(|web| web.tokens.is_some());
    let next = (!is_named).then(|| named("tokens", &file, web));
    Ok(Kept {
        expires,
        token: Some(token.secret.expose().to_owned()),
        next: next.into_iter().collect(),
        ..Kept::of(name, file, arguments.tier, before.is_some())
    })
}

impl Kept {
    fn of(name: &str, file: PathBuf, tier: Tier, replaced: bool) -> Kept {
        Kept {
            name: name.to_owned(),
            file,
            tier: Some(tier),
            replaced,
            removed: false,
            expires: None,
            token: None,
            next: Vec::new(),
        }
    }
}

/// What a file has; nothing where there is none yet.
fn there<T: Default>(
    home: &Home,
    file: &Path,
    read: impl Fn(&Path) -> Result<T, WebFileError>,
) -> Result<T, Failure> {
    let path = home.root().join(file);
    if !path.exists() {
        return Ok(T::default());
    }
    read(&path).map_err(|error| Failure::other(Exit::Invalid, error.to_string()))
}

fn keep(home: &Home, file: &Path, text: &str) -> Result<(), Failure> {
    let kept = setup::keep(home.root(), file, text.trim_end());
    kept.map_err(|error| secret::unkept(file, &error))?;
    Ok(())
}

fn nobody(name: &str, file: &Path) -> Failure {
    let told = format!("there is no `{name}` in {}", file.display());
    Failure::other(Exit::Failed, told)
}

/// The settings do not name the file.
fn named(key: &str, file: &Path, web: Option<&WebSettings>) -> Step {
    let file = file.display();
    let step = match web {
        Some(_) => format!("add `{key}: {file}` to `web` in config/epms.yaml"),
        None => format!(
            "write `web: {{ listen: 127.0.0.1:8080, {key}: {file} }}` into config/epms.yaml"
        ),
    };
    Step::new(step, "until then nobody gets in by it")
}

fn password(
    name: &str,
    asked: bool,
    input: &mut dyn BufRead,
    screen: &mut Screen<'_>,
) -> Result<Secret, Failure> {
    let none = || Failure::other(Exit::Invalid, "there is no password; nothing was written");
    let typed = |text: Option<Zeroizing<String>>| {
        text.filter(|text| !text.is_empty())
            .map(|text| Secret::new(text.to_string()))
    };
    if !asked {
        return typed(Some(secret::all(input)?)).ok_or_else(none);
    }
    let question = format!("a password for {name}");
    let first = typed(hidden::line(&question, input, &mut *screen.err)?).ok_or_else(none)?;
    let again = typed(hidden::line("the same again", input, &mut *screen.err)?).ok_or_else(none)?;
    if first.expose() == again.expose() {
        return Ok(first);
    }
    let told = "the two are not the same; nothing was written";
    Err(Failure::other(Exit::Invalid, told))
}

fn told(what: &str, kept: &Kept, view: &View) -> String {
    let Kept { name, file, .. } = kept;
    let file = file.display();
    if kept.removed {
        return format!("removed the {what} {name} from {file}: it is out at once\n");
    }
    let tier = kept.tier.map_or("nothing", Tier::as_str);
    let done = if kept.replaced { "replaced" } else { "added" };
    let mut text = format!("{done} the {what} {name} in {file}: it may {tier}");
    if let Some(expires) = kept.expires {
        text += &format!(" until {}", view.absolute(expires));
    }
    text.push('\n');
    if let Some(token) = &kept.token {
        text += &format!(
            "\n  {token}\n\nit is shown this once; a program shows it as `Authorization: Bearer TOKEN`\n"
        );
    }
    if !kept.next.is_empty() {
        text += &next::told(&kept.next);
    }
    text
}
