//! Who gets in over the network: accounts with passwords, sessions of browsers, tokens of programs, and the certificate. Decides
//! and remembers; speaks no HTTP, and every moment is an argument.

mod password;
mod token;
mod sessions;
mod slowing;
mod register;
mod certificates;
mod hooks;

pub use certificates::{CertificateError, Kept};
pub use hooks::{Fold, Folding, Shown, is_genuine};
pub use password::{PasswordError, Passwords};
pub use register::{Refused, Register};
pub use token::NewToken;
