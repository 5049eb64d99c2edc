//! Who gets in over the network: accounts with passwords, sessions of browsers, tokens of programs, and the certificate. Decides
//! and remembers; speaks no HTTP, and every moment is an argument.

mod password;
mod token;
mod sessions;
mod slowing;
mod register;
mod certificates;

pub use certificates::{CertificateError, Kept};
pub use password::{PasswordError, Passwords};
pub use register::{Refused, Register};
pub use token::NewToken;
