//! What an answer must be. Pure. No message repeats an answer in which a secret may stand.

use std::path::{Path, PathBuf};

use crate::config::{SecretReference, is_name};
use crate::model::time_zone;

const REFERENCE: &str = "write where the secret is kept, not the secret: `file:PATH`, `env:NAME`, `credential:NAME` or `exec:PROGRAM ARGUMENT`";

/// The two sides of `NAME=VALUE`.
pub fn pair(text: &str) -> Result<(&str, &str), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim(), value)),
        _ => Err("has no name and value; write `NAME=VALUE`".into()),
    }
}

/// Where a secret is kept, as a flag says it.
pub fn reference(text: &str) -> Result<SecretReference, String> {
    match text.trim().split_once(':') {
        Some(("file", path)) if !path.trim().is_empty() => {
            Ok(SecretReference::File(PathBuf::from(path.trim())))
        }
        Some(("env", name)) if is_variable(name.trim()) => {
            Ok(SecretReference::Env(name.trim().to_owned()))
        }
        Some(("credential", name)) if is_file_name(name.trim()) => {
            Ok(SecretReference::Credential(name.trim().to_owned()))
        }
        Some(("exec", line)) if !line.trim().is_empty() => Ok(SecretReference::Exec(
            line.split_whitespace().map(String::from).collect(),
        )),
        _ => Err(REFERENCE.into()),
    }
}

/// Where a secret is kept, as somebody at a terminal says it: a path alone is enough where the file is there.
/// What is neither may be the secret itself.
pub fn typed_reference(text: &str, home: &Path) -> Result<SecretReference, String> {
    reference(text).or_else(|told| {
        let path = text.trim();
        if !path.is_empty() && home.join(path).is_file() {
            Ok(SecretReference::File(path.into()))
        } else {
            Err(format!("no file has this name; {told}"))
        }
    })
}

/// A text that is not empty.
pub fn filled(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("is empty; write something".into()),
        text => Ok(text.to_owned()),
    }
}

/// The stem of a file.
pub fn stem(text: &str) -> Result<String, String> {
    let text = text.trim();
    if is_name(text) && !text.starts_with('.') {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` cannot be a file's name here; use lower-case letters, digits, `-`, `_` and `.` only"
        ))
    }
}

/// An IANA time zone.
pub fn timezone(text: &str) -> Result<String, String> {
    let text = text.trim();
    time_zone(text).map(|_| text.to_owned())
}

/// An ISO 3166 country.
pub fn country(text: &str) -> Result<String, String> {
    let code = text.trim().to_ascii_uppercase();
    if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(code)
    } else {
        Err(format!(
            "`{}` is no ISO 3166 country code; write two letters such as `US`",
            text.trim()
        ))
    }
}

/// Yes or no.
pub fn yes(text: &str) -> Result<bool, String> {
    match text.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err("is neither; write `y` or `n`".into()),
    }
}

/// The parts of a list with commas; empty ones are none, and one that comes twice counts once.
pub fn parts(text: &str) -> Vec<String> {
    unique(text.split(','))
}

/// Trimmed, without empty ones, each once.
pub fn unique<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in texts.into_iter().map(str::trim) {
        if !part.is_empty() && !parts.iter().any(|known| known == part) {
            parts.push(part.to_owned());
        }
    }
    parts
}

/// A file's name that a name suggests: `12 Elm Court, North` → `12-elm-court-north`.
pub fn slug(name: &str) -> Option<String> {
    let words: Vec<String> = name
        .to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let slug = words.join("-");
    is_name(&slug).then_some(slug)
}

fn is_variable(name: &str) -> bool {
    name.bytes()
        .enumerate()
        .all(|(at, b)| b.is_ascii_alphabetic() || b == b'_' || at > 0 && b.is_ascii_digit())
        && !name.is_empty()
}

fn is_file_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_named_by_its_place_and_never_told_back() {
        assert_eq!(
            reference("file: secrets/x").unwrap(),
            SecretReference::File("secrets/x".into())
        );
        assert_eq!(
            reference("env:ACME_KEY").unwrap(),
            SecretReference::Env("ACME_KEY".into())
        );
        assert_eq!(
            reference("credential:acme").unwrap(),
            SecretReference::Credential("acme".into())
        );
        for text in [
            "hunter2",
            "env:hunter 2",
            "file:",
            "credential:../hunter2",
            "pass:hunter2",
            "",
        ] {
            let told = reference(text).unwrap_err();
            assert!(!told.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn at_a_terminal_the_path_of_a_file_that_is_there_is_enough() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("key"), "hunter2").unwrap();
        assert_eq!(
            typed_reference(" key ", home.path()).unwrap(),
            SecretReference::File("key".into())
        );
        let told = typed_reference("hunter2", home.path()).unwrap_err();
        assert!(told.starts_with("no file has this name") && !told.contains("hunter2"));
    }

    #[test]
    fn a_name_suggests_an_id() {
        assert_eq!(
            slug("12 Elm Court, North").as_deref(),
            Some("12-elm-court-north")
        );
        assert_eq!(slug("—"), None);
        assert_eq!(parts(" a, ,b,a "), ["a", "b"]);
    }
}
