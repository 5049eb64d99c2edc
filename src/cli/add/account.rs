//! The credential: one that is there, or a new one with exactly the fields that its connector asks for.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::{
    Connector, Credential, CredentialField, CredentialValue, Document, File, Files, Home, Read,
    SecretReference, nearest,
};
use crate::model::Problems;
use crate::setup::account::{fits, in_order};
use crate::setup::{NewCredential, Pasted, answer, new_file, text};

use super::super::{Exit, Failure};
use super::AccountArguments;
use super::ask::{Dialog, Question};

/// A credential, be it there already or new.
pub(super) struct Account<'a> {
    pub(super) name: String,
    /// As it is used now: a secret that was pasted is not yet where the file says.
    pub(super) credential: Credential,
    pub(super) file: &'a File<Connector>,
    /// Of the file that is to be written.
    pub(super) text: Option<String>,
    /// Secrets that are to be kept in the home.
    pub(super) pasted: Vec<Pasted>,
}

/// Whose account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// Of a PMS, which is read.
    Pms,
    /// Of a target, which access is delivered to.
    Target,
}

impl Of {
    fn fits(self, connector: &Connector) -> bool {
        connector.target.is_some() == (self == Of::Target)
    }

    /// Why a connector does not fit.
    fn unfit(self, name: &str) -> String {
        match self {
            Of::Pms => format!(
                "the connector `{name}` delivers to a target, and reads no PMS; `epms add target` adds one"
            ),
            Of::Target => format!(
                "the connector `{name}` reads a PMS, and delivers nothing; `epms add integration` adds one"
            ),
        }
    }
}

/// The credential that the flags name, or the answers.
pub(super) fn account<'a>(
    arguments: &AccountArguments,
    whose: Of,
    home: &Home,
    files: &'a Files,
    dialog: &mut Dialog<'_, '_>,
) -> Result<Account<'a>, Failure> {
    let connector = connector(arguments, whose, home, files, dialog)?;
    let wanted = connector.map(|(name, _)| name);
    let known: Vec<&str> = files
        .credentials
        .iter()
        .filter(|(_, read)| {
            read.as_ref()
                .is_ok_and(|file| wanted.is_none_or(|name| file.value.connector == name))
        })
        .map(|(name, _)| name.as_str())
        .collect();
    let text = match known.as_slice() {
        [] => "name of the new credential".to_owned(),
        known => format!(
            "credential (there are: {}; or a new name)",
            known.join(", ")
        ),
    };
    // Nobody there: which account feeds a property is not to be guessed.
    let default = known.first().copied().or(wanted);
    let question = Question {
        flag: "--credential",
        text: &text,
        default: default.filter(|_| dialog.is_open()),
    };
    let name = dialog.answer(arguments.credential.as_deref(), question, answer::stem)?;
    let invalid = |told: String| Failure::other(Exit::Invalid, told);
    if files.credentials.contains_key(&name) {
        let (_, file) = of(&files.credentials, &name)?;
        let of_file = &file.value.connector;
        if let Some(wanted) = wanted.filter(|wanted| wanted != of_file) {
            return Err(invalid(format!(
                "the credential `{name}` is for the connector `{of_file}`, not `{wanted}`; give another --credential"
            )));
        }
        if !(arguments.fields.is_empty() && arguments.secrets.is_empty()) {
            return Err(invalid(format!(
                "the credential `{name}` is there already and is not changed; leave --field and --secret away, \
                 or give a new name with --credential"
            )));
        }
        let connector = of(&files.connectors, of_file)?.1;
        if !whose.fits(&connector.value) {
            return Err(invalid(whose.unfit(of_file)));
        }
        return Ok(Account {
            credential: file.value.clone(),
            file: connector,
            name,
            text: None,
            pasted: Vec::new(),
        });
    }
    let Some((connector, file)) = connector else {
        return Err(invalid(format!(
            "there is no credential `{name}`; add --connector to make it"
        )));
    };
    let name = new_stem(home, "credentials", &name).map_err(invalid)?;
    let asked = &file.value.ask_vendor_for;
    if !asked.is_empty() {
        dialog.say("  what you need for it:")?;
    }
    for one in asked {
        dialog.say(&format!("  - {one}"))?;
    }
    let mut asking = Asking {
        home,
        credential: &name,
        connector: (connector, file),
        pasted: Vec::new(),
    };
    let new = NewCredential {
        connector: connector.to_owned(),
        fields: asking.fields(arguments, dialog)?,
    };
    let pasted = asking.pasted;
    let text = text::credential(&new, &in_order(file));
    let mut credential: Credential = Document::parse(Path::new("credential.yaml"), &text)
        .and_then(|document| document.read())
        .map_err(|problems| Failure::Config(Problems(problems)))?;
    for (field, pasted) in &pasted {
        let now = CredentialValue::Secret(pasted.now());
        credential.fields.insert(field.clone(), now);
    }
    Ok(Account {
        name,
        credential,
        file,
        text: Some(text),
        pasted: pasted.into_iter().map(|(_, pasted)| pasted).collect(),
    })
}

/// The connector by its name; none where an existing credential says it.
fn connector<'a>(
    arguments: &AccountArguments,
    whose: Of,
    home: &Home,
    files: &'a Files,
    dialog: &mut Dialog<'_, '_>,
) -> Result<Option<(&'a str, &'a File<Connector>)>, Failure> {
    let existing = arguments
        .credential
        .as_deref()
        .is_some_and(|name| files.credentials.contains_key(name.trim()));
    if existing && arguments.connector.is_none() {
        return Ok(None);
    }
    // One that is not right is told of once it is named.
    let fits = |read: &Read<Connector>| read.as_ref().map_or(true, |file| whose.fits(&file.value));
    let (fit, unfit): (Vec<_>, Vec<_>) = files.connectors.iter().partition(|(_, read)| fits(read));
    let names: Vec<&str> = fit.iter().map(|(name, _)| name.as_str()).collect();
    if names.is_empty() {
        let what = match whose {
            Of::Pms => "no connectors",
            Of::Target => "no connectors with a `target`",
        };
        let told = format!(
            "there are {what} in {}; name a home that has some with --home, or bring those that come with epms by `epms init --upgrade`",
            home.config().join("connectors").display()
        );
        return Err(Failure::other(Exit::Invalid, told));
    }
    let list = names.join(", ");
    let text = format!("connector ({list})");
    let question = Question {
        flag: "--connector",
        text: &text,
        default: None,
    };
    let name = dialog.answer(arguments.connector.as_deref(), question, |name| {
        let name = name.trim();
        if names.contains(&name) {
            return Ok(name.to_owned());
        }
        if unfit.iter().any(|(unfit, _)| *unfit == name) {
            return Err(whose.unfit(name));
        }
        let near = nearest(name, &names).map_or_else(
            || format!("there are: {list}"),
            |near| format!("did you mean `{near}`?"),
        );
        Err(format!("there is no connector `{name}`; {near}"))
    })?;
    of(&files.connectors, &name).map(Some)
}

/// A new credential, while its fields are asked for.
struct Asking<'a> {
    home: &'a Home,
    credential: &'a str,
    connector: (&'a str, &'a File<Connector>),
    /// By the fields that they are.
    pasted: Vec<(String, Pasted)>,
}

/// Where a secret is, as somebody says it.
enum Place {
    /// There is none.
    Nowhere,
    /// There.
    At(SecretReference),
    /// Whoever is asked pastes it.
    Here,
}

/// The answer of whoever has a secret at hand.
const PASTE: &str = "paste";

impl Asking<'_> {
    /// Exactly the fields that the connector asks for.
    fn fields(
        &mut self,
        arguments: &AccountArguments,
        dialog: &mut Dialog<'_, '_>,
    ) -> Result<BTreeMap<String, CredentialValue>, Failure> {
        let file = self.connector.1;
        let given = self.given(arguments)?;
        let mut fields = BTreeMap::new();
        for (name, field) in in_order(file) {
            if let Some(help) = &field.help {
                dialog.say(&format!("  {name}: {help}"))?;
            }
            let value = match given.get(name) {
                Some(("--secret", value)) => {
                    let reference = answer::reference(value).map_err(|told| {
                        Failure::other(Exit::Invalid, format!("--secret {name}: {told}"))
                    })?;
                    Some(CredentialValue::Secret(reference))
                }
                Some((_, value)) => {
                    fits(&file.value, name, value).map_err(|told| {
                        Failure::other(Exit::Invalid, format!("--field {name}: {told}"))
                    })?;
                    Some(CredentialValue::Plain((*value).to_owned()))
                }
                // Where there is a default nobody has to give one; the default itself stays with the connector.
                None if field.secret && field.default.is_some() && !dialog.is_open() => None,
                None if field.secret => self.secret(name, field, dialog)?,
                None => self.plain(name, field, dialog)?,
            };
            fields.extend(value.map(|value| (name.to_owned(), value)));
        }
        Ok(fields)
    }

    /// What flags say, by field, each with its flag.
    fn given<'g>(
        &self,
        arguments: &'g AccountArguments,
    ) -> Result<BTreeMap<&'g str, (&'g str, &'g str)>, Failure> {
        let (connector, file) = self.connector;
        let mut given: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
        let flags = [
            ("--field", &arguments.fields),
            ("--secret", &arguments.secrets),
        ];
        for (flag, texts) in flags {
            for text in texts {
                let invalid =
                    |told: String| Failure::other(Exit::Invalid, format!("{flag}: {told}"));
                let (name, value) = answer::pair(text).map_err(invalid)?;
                let Some(field) = file.value.credential_fields.get(name) else {
                    let names: Vec<&str> = in_order(file).iter().map(|(name, _)| *name).collect();
                    return Err(invalid(format!(
                        "the connector `{connector}` has no field `{name}`; it asks for: {}",
                        names.join(", ")
                    )));
                };
                if field.secret && flag == "--field" {
                    return Err(invalid(format!(
                        "`{name}` is a secret; put it elsewhere and give its place with --secret {name}=file:PATH"
                    )));
                }
                if given.insert(name, (flag, value)).is_some() {
                    return Err(invalid(format!("`{name}` is given twice; keep one")));
                }
            }
        }
        Ok(given)
    }

    /// Where a secret is kept, or the secret itself, which is then kept in the home.
    fn secret(
        &mut self,
        name: &str,
        field: &CredentialField,
        dialog: &mut Dialog<'_, '_>,
    ) -> Result<Option<CredentialValue>, Failure> {
        let file = new_file(self.home, self.credential, name);
        let is_optional = field.default.is_some();
        let flag = format!("--secret {name}=file:PATH");
        let places = "a file's path, env:NAME or credential:NAME";
        let text = if is_optional {
            format!("where {name} is kept ({places}; empty: there is none)")
        } else {
            format!("where {name} is kept ({places})")
        };
        if dialog.is_open() {
            let file = file.display();
            dialog.say(&format!(
                "  answer `{PASTE}` to paste it next, without its being shown: it is kept in {file}"
            ))?;
        }
        let question = Question {
            flag: &flag,
            text: &text,
            default: is_optional.then_some(""),
        };
        let home = self.home.root();
        let check = |text: &str| match text {
            "" if is_optional => Ok(Place::Nowhere),
            PASTE => Ok(Place::Here),
            text => answer::typed_reference(text, home).map(Place::At),
        };
        let reference = match dialog.answer(None, question, check)? {
            Place::Nowhere => return Ok(None),
            Place::At(reference) => reference,
            Place::Here => {
                let secret = dialog.secret(&flag, name)?;
                let pasted = Pasted::new(file.clone(), secret)?;
                self.pasted.push((name.to_owned(), pasted));
                SecretReference::File(file)
            }
        };
        Ok(Some(CredentialValue::Secret(reference)))
    }

    /// What is no secret. The connector's own default is left to it.
    fn plain(
        &self,
        name: &str,
        field: &CredentialField,
        dialog: &mut Dialog<'_, '_>,
    ) -> Result<Option<CredentialValue>, Failure> {
        let connector = &self.connector.1.value;
        let default = field.default.as_deref();
        let flag = format!("--field {name}=VALUE");
        let question = Question {
            flag: &flag,
            text: name,
            default,
        };
        let check = |text: &str| match (text, default) {
            ("", Some("")) => Ok(String::new()),
            (text, _) => {
                let text = answer::filled(text)?;
                fits(connector, name, &text).map(|()| text)
            }
        };
        let value = dialog.answer(None, question, check)?;
        let is_own = Some(value.as_str()) != default;
        Ok(is_own.then_some(CredentialValue::Plain(value)))
    }
}

/// A file that must be right.
pub(super) fn of<'a, T>(
    files: &'a BTreeMap<String, Read<T>>,
    name: &str,
) -> Result<(&'a str, &'a File<T>), Failure> {
    match files.get_key_value(name) {
        Some((name, Ok(file))) => Ok((name, file)),
        Some((_, Err(problems))) => Err(Failure::Config(Problems(problems.clone()))),
        None => Err(Failure::other(
            Exit::Invalid,
            format!("there is no `{name}`; `epms check` says what is wrong"),
        )),
    }
}

/// A stem under which nothing lies yet.
pub(super) fn new_stem(home: &Home, folder: &str, stem: &str) -> Result<String, String> {
    let stem = answer::stem(stem)?;
    let name = format!("config/{folder}/{stem}.yaml");
    match home.root().join(&name).symlink_metadata() {
        Err(_) => Ok(stem),
        Ok(_) => Err(format!(
            "{name} is there already and is not overwritten; give another name"
        )),
    }
}
