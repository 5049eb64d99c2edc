//! Why a host could not be connected to, in words, as far as the system says. What to do about it is the same each time.

use std::error::Error;
use std::io;

use super::egress::cause;

/// What to do about a host that cannot be connected to.
pub(super) const REMEDY: &str = "the next run tries again; where it goes on, look at host and port in the credential: `epms doctor` tries the way there step by step";

/// Why a connection was not made; nothing where the system's word for it says no more.
pub(super) fn why(error: &(dyn Error + 'static)) -> &'static str {
    let Some(error) = cause::<io::Error>(error) else {
        return "";
    };
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ": nothing listens on that port (connection refused)",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            ": no network leads there"
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
            ": the connection was broken off at once"
        }
        // The system has no kind for it.
        _ if error.to_string().contains("lookup address") => ": nobody knows the name of that host",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_of_a_connection_is_told_in_words() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(
            why(&refused),
            ": nothing listens on that port (connection refused)"
        );
        let unknown =
            io::Error::other("failed to lookup address information: Name or service not known");
        assert_eq!(why(&unknown), ": nobody knows the name of that host");
        assert_eq!(why(&io::Error::other("whatever")), "");
    }
}
