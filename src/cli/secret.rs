//! `epms secret`: keeps a secret in the home, for a credential to name. It is never shown, and no answer says anything of it.

use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::config::{CredentialValue, Files, Home, SecretReference, Zeroizing};
use crate::setup::keep;

use super::next::{self, Step};
use super::{Exit, Failure, Screen, hidden};

/// The folder of secrets in a home.
const FOLDER: &str = "secrets";
/// No secret is longer.
const LONGEST: u64 = 64 * 1024;

/// What to do with a secret.
#[derive(Debug, Subcommand)]
pub enum SecretVerb {
    /// keep a secret in secrets/NAME of the home, in the place of the one before
    Set(SetArguments),
}

/// Which secret.
#[derive(Debug, Args)]
#[command(after_help = "\
asks for it on a terminal and shows nothing of it; elsewhere all of standard
input is the secret, but for one line break at its end. only the daemon's user
may read the file. one that is there already is replaced: whoever rotates a
password sets it anew, and the next request is made with it, without a restart

examples
  epms secret set acme-yardi
  pass show acme/yardi | epms secret set acme-yardi")]
pub struct SetArguments {
    /// the name of its file in secrets/, as `{ file: secrets/NAME }` of a credential says it
    #[arg(value_name = "NAME", value_parser = name)]
    pub name: String,
}

#[derive(Serialize)]
struct Kept {
    file: PathBuf,
    /// Whether there was one before.
    replaced: bool,
    /// The credentials whose files name it.
    credentials: Vec<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next: Vec<Step>,
}

/// A name that stays in the folder.
fn name(text: &str) -> Result<String, String> {
    let bare = text.strip_prefix("secrets/").unwrap_or(text);
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if bare.is_empty() || bare.len() > 100 || bare.starts_with('.') || !bare.chars().all(fits) {
        return Err(
            "is no name of a file in secrets/; use letters, digits, `-`, `_` and `.`".into(),
        );
    }
    Ok(bare.to_owned())
}

/// Does what `verb` says; `asked` is somebody at a terminal, if anybody is.
pub(super) fn run(
    verb: &SecretVerb,
    json: bool,
    home: &Home,
    asked: bool,
    input: &mut dyn BufRead,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let SecretVerb::Set(SetArguments { name }) = verb;
    let file = Path::new(FOLDER).join(name);
    if !home.config().is_dir() {
        let told = format!(
            "{} is no home: it has no config; name one with --home",
            home.root().display()
        );
        return Err(Failure::other(Exit::Invalid, told));
    }
    let secret = if asked {
        hidden::line(name, input, &mut *screen.err)?
    } else {
        Some(all(input)?)
    };
    let Some(secret) = secret.filter(|secret| !secret.is_empty()) else {
        let told = "there is no secret; nothing was written. type or paste it, or give it on standard input";
        return Err(Failure::other(Exit::Invalid, told));
    };
    let replaced = keep(home.root(), &file, &secret).map_err(|error| unkept(&file, &error))?;
    let credentials = naming(home, &file);
    let next = credentials.is_empty().then(|| {
        let step = format!("write `{{ file: {} }}` into a credential", file.display());
        Step::new(step, "for the field that it is")
    });
    let kept = Kept {
        file,
        replaced,
        credentials,
        next: next.into_iter().collect(),
    };
    screen.show(json, &kept, |kept, _| told(kept))?;
    Ok(Exit::Done)
}

/// Why one was not kept.
pub(super) fn unkept(file: &Path, error: &io::Error) -> Failure {
    let told = format!(
        "{} cannot be written: {error}; look at the folder's rights",
        file.display()
    );
    Failure::other(Exit::Failed, told)
}

/// All of the input, but for one line break at its end.
pub(super) fn all(input: &mut dyn BufRead) -> Result<Zeroizing<String>, Failure> {
    let wrong = |told: &str| Failure::other(Exit::Invalid, format!("standard input {told}"));
    let mut bytes = Zeroizing::new(Vec::with_capacity(
        usize::try_from(LONGEST + 1).unwrap_or(0),
    ));
    input.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(wrong("is longer than 64 KiB, as no secret is"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("is not UTF-8"))?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    Ok(Zeroizing::new(line.to_owned()))
}

/// The credentials that name a file as a secret.
fn naming(home: &Home, file: &Path) -> Vec<String> {
    let is_it = |value: &CredentialValue| match value {
        CredentialValue::Secret(SecretReference::File(path)) => {
            home.root().join(path) == home.root().join(file)
        }
        _ => false,
    };
    let all = Files::read(home).credentials.into_iter();
    let named = all.filter_map(|(name, read)| {
        let credential = read.ok()?.value;
        credential.fields.values().any(is_it).then_some(name)
    });
    named.collect()
}

fn told(kept: &Kept) -> String {
    let Kept {
        file,
        replaced,
        credentials,
        next,
    } = kept;
    let what = if *replaced {
        "replaced the secret in"
    } else {
        "kept the secret in"
    };
    let mut text = format!("{what} {}; only its owner may read it\n", file.display());
    if !credentials.is_empty() {
        text += &format!(
            "the next request with {} is made with it; no restart is needed\n",
            credentials.join(", ")
        );
    }
    if !next.is_empty() {
        text += &next::told(next);
    }
    text
}
