//! Who gets in over the network: accounts with passwords, people whom a provider of identities knows, sessions of browsers,
//! tokens of programs, and the certificate. Decides and remembers; answers no request, and every moment that counts is an
//! argument.

mod password;
mod token;
mod sessions;
mod slowing;
mod register;
mod certificates;
mod hooks;
mod oidc;
mod turns;

pub use certificates::{CertificateError, Kept};
pub use hooks::{Fold, Folding, Shown, is_genuine};
pub use oidc::{Asks, Came, Identity, Leaving, OidcError, Provider};
pub use password::{PasswordError, Passwords};
pub use register::{Refused, Register};
pub use token::NewToken;
pub use turns::Turns;
