//! One fault in a file, with its place and its remedy.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where in a file: line and column count from 1.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// What kind of fault it is: words that stay, for whoever reads `--json`.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// A file cannot be read, is not read for its name, or is no UTF-8.
    File,
    /// A file is no YAML.
    Syntax,
    /// A key stands in a mapping twice.
    DuplicateKey,
    /// A key that nobody knows.
    UnknownField,
    /// A key is not there.
    MissingField,
    /// A value of the wrong form, or out of range.
    #[default]
    Value,
    /// A name of something that is not there.
    Reference,
    /// Two that exclude each other.
    Conflict,
    /// A secret stands in a file as text.
    Secret,
    /// A template cannot be rendered, or names a value that is not there.
    Template,
    /// A script cannot be parsed, or uses a variable that is not there.
    ScriptSyntax,
    /// A function that a script must have is not there, or takes other parameters.
    ScriptFunction,
    /// A script calls what is not there, or with too many or too few arguments.
    ScriptCall,
    /// A script imports what is not there, or in a circle.
    ScriptImport,
    /// A script gives a resident a field or a word that none has.
    ScriptOutput,
    /// A mapping test that a script must pass does not, or is not there.
    Test,
    /// A warning: a script reads a field that the PMS never sent in its recorded answers.
    UnreadField,
    /// A warning: a word of status in recorded answers that the script does not know.
    UnknownStatus,
    /// A warning: a script asks for a lookup that the connector has no request for.
    UnknownLookup,
    /// A warning: a request of a connector that nobody asks for.
    UnaskedRequest,
    /// A warning: a script asks for a lookup whose name is known only when it runs, so that all are read.
    UnnamedLookup,
    /// A warning: a form of dates that no date has.
    DateForm,
    /// A warning: a script names a value of `ctx`, a time zone or a verdict that does not exist.
    ScriptName,
    /// A warning: two functions of one name, of a script and of what it imports, each of which may be called for the other.
    SameName,
    /// A warning: a template has a filter that does not exist, that gets other arguments than it takes, or that makes nothing
    /// of what it stands behind.
    Filter,
    /// A warning: a template asks for a value that is never set where it stands, that an integration does not set, or in one
    /// brace where two are meant.
    UnsetValue,
    /// A warning: a host of a connector that no request can have.
    Host,
    /// A warning: a request reads the residents of all PMS properties, attached or not, or the same for several.
    AllProperties,
    /// A warning: two PMS properties of an integration that differ by case or blanks alone, and so are one.
    SameProperty,
    /// A warning: a rule of a connector that can never decide, or that decides about every answer.
    Rule,
    /// A warning: a key of a request at which nothing looks in a request of its kind, or as its other keys are.
    UnusedKey,
    /// A warning: what a credential may ask in a day or a month does not last for the schedule, or a limit or a pause is 0.
    Budget,
    /// A warning: the last day on which a credential is taken is past.
    Expired,
}

impl Code {
    /// Whether what was found may be right nonetheless.
    pub fn is_warning(self) -> bool {
        matches!(
            self,
            Code::UnreadField
                | Code::UnknownStatus
                | Code::UnknownLookup
                | Code::UnaskedRequest
                | Code::UnnamedLookup
                | Code::DateForm
                | Code::ScriptName
                | Code::SameName
                | Code::Filter
                | Code::UnsetValue
                | Code::Host
                | Code::AllProperties
                | Code::SameProperty
                | Code::Rule
                | Code::UnusedKey
                | Code::Budget
                | Code::Expired
        )
    }

    /// The word as reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::File => "file",
            Code::Syntax => "syntax",
            Code::DuplicateKey => "duplicate_key",
            Code::UnknownField => "unknown_field",
            Code::MissingField => "missing_field",
            Code::Value => "value",
            Code::Reference => "reference",
            Code::Conflict => "conflict",
            Code::Secret => "secret",
            Code::Template => "template",
            Code::ScriptSyntax => "script_syntax",
            Code::ScriptFunction => "script_function",
            Code::ScriptCall => "script_call",
            Code::ScriptImport => "script_import",
            Code::ScriptOutput => "script_output",
            Code::Test => "test",
            Code::UnreadField => "unread_field",
            Code::UnknownStatus => "unknown_status",
            Code::UnknownLookup => "unknown_lookup",
            Code::UnaskedRequest => "unasked_request",
            Code::UnnamedLookup => "unnamed_lookup",
            Code::DateForm => "date_form",
            Code::ScriptName => "script_name",
            Code::SameName => "same_name",
            Code::Filter => "filter",
            Code::UnsetValue => "unset_value",
            Code::Host => "host",
            Code::AllProperties => "all_properties",
            Code::SameProperty => "same_property",
            Code::Rule => "rule",
            Code::UnusedKey => "unused_key",
            Code::Budget => "budget",
            Code::Expired => "expired",
        }
    }

    /// What a warning is where nothing that is most likely wrong is taken.
    fn as_error(self) -> Code {
        match self {
            Code::UnknownLookup => Code::Reference,
            Code::DateForm | Code::ScriptName => Code::ScriptOutput,
            Code::SameName => Code::ScriptFunction,
            Code::Filter | Code::UnsetValue => Code::Template,
            Code::SameProperty => Code::Conflict,
            Code::AllProperties => Code::MissingField,
            code if code.is_warning() => Code::Value,
            code => code,
        }
    }
}

/// One fault: `file:line:column: field: what, and what to do`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The file, relative to the home where it lies in it.
    pub file: PathBuf,
    /// The place, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The dotted path of the field, empty for the file as a whole.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// What is wrong, and what to do.
    pub message: String,
    /// What kind of fault it is.
    #[serde(default)]
    pub code: Code,
}

impl Problem {
    /// The same, of another kind.
    #[must_use]
    pub fn coded(self, code: Code) -> Problem {
        Problem { code, ..self }
    }

    /// Where it is: `file:line:column`, as far as that is known.
    pub fn at(&self) -> String {
        let file = self.file.display();
        match self.place {
            Some(Place { line, column }) => format!("{file}:{line}:{column}"),
            None => file.to_string(),
        }
    }

    /// The same, where a warning is an error.
    #[must_use]
    pub fn as_error(self) -> Problem {
        let code = self.code.as_error();
        self.coded(code)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.at())?;
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// All faults found, sorted by file and place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One after the other, each once, by file and place.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.0.sort();
        self.0.dedup();
        self
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
