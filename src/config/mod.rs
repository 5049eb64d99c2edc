//! Files: YAML, field for field, checked, with every problem at once. Resolves nothing between files and
//! compiles nothing; secrets stay references until a run reads them.

mod home;
mod yaml;
mod schema;
pub mod quoted;
mod duration;
mod expires;
mod age;
mod size;
mod secret;
mod program;
mod proxy;
mod settings;
mod backup;
mod tiers;
mod credential;
mod connector;
mod request;
mod target_requests;
mod answer;
mod integration;
mod units;
mod notices;
mod statements;
mod web;
mod target;
mod files;

pub use age::Age;
pub use answer::{AnswerRule, Condition, HeaderRule, Statuses, Verdict};
pub use backup::BackupSettings;
pub use connector::{
    Auth, ClientStyle, Connector, CredentialField, Grant, KeyForm, Limits, Login, OAuth2, Recorded,
    Retry, Sign, SignatureForm, TokenPlace,
};
pub use credential::{ContractLimits, Credential, CredentialValue, Defaults};
pub use duration::Span;
pub use expires::{Expires, ExpiresAt};
pub use files::{File, Files, Read, Rest, check_fields, is_name};
pub use home::{Environment, Home};
pub use integration::{EmailChange, Guard, Include, Integration, OnTrip, Property, Units};
pub use notices::{
    Hook, HookForm, Mailbox, NOTICE_NAMES, Notify, NotifyTo, Quiet, RunEnd, Smtp, SmtpTls, hook_url,
};
pub use program::tell_program;
pub use proxy::{Proxy, ProxyLogin, Server};
pub use request::{
    Body, Counted, Csv, Feeds, Footer, Format, Given, Inner, Keep, Link, Method, Missing, Newest,
    Next, Packed, Page, Per, Poll, Request, Since, Soap, SoapVersion, Total, Until,
};
pub use schema::{SCHEMAS, schema_line, schema_of};
pub use secret::{Secret, SecretError, SecretReference, Zeroizing, read_closed};
pub use settings::{
    Log, LogFormat, LogLevel, Mode, Reload, Retention, Schedule, Settings, Socket, StoreSettings,
};
pub use size::Size;
pub use statements::stands_alone;
pub use target::{AccessEnd, DeliveryMode, Places, Target, TargetGuard};
pub use target_requests::{Operation, TargetRequests};
pub use tiers::{Caller, Callers, Named, Tiers};
pub use web::{
    Account, Accounts, OidcClaims, OidcSettings, REDIRECT_PATH, TierGroups, TokenEntry, Tokens,
    WebFileError, WebHook, WebProxy, WebSettings, accounts_text, read_accounts, read_tokens,
    tokens_text,
};
pub use yaml::{Document, Partly, nearest};
