//! Files: YAML, field for field, checked, with every problem at once. Resolves nothing between files and
//! compiles nothing; secrets stay references until a run reads them.

mod home;
mod yaml;
mod duration;
mod secret;
mod settings;
mod credential;
mod connector;
mod integration;
mod files;

pub use connector::{
    AnswerRule, Auth, Body, Connector, Counted, CredentialField, Format, Limits, Method, Page, Per,
    Request, Retry, Soap, SoapVersion, Statuses, Verdict,
};
pub use credential::{Credential, CredentialValue};
pub use duration::Span;
pub use files::{File, Files, Read, check_fields};
pub use home::{Environment, Home};
pub use integration::{EmailChange, Include, Integration, Property, Units};
pub use secret::{Secret, SecretError, SecretReference};
pub use settings::{Log, LogFormat, LogLevel, Mode, Schedule, Settings, Socket};
pub use yaml::{Document, nearest};
