//! The program: everything is in the library.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    epms::cli::of_process().await.into()
}
