//! The program: everything is in the library.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use epms::cli::{self, Exit};
use mimalloc::MiMalloc;
use tokio::runtime::Runtime;

/// Each run maps its records on threads of its own, and the C library keeps a heap for each thread that grows for days.
/// The heaps of this one grow less than half as fast, and what is free in them is given back.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// What still waits for a disk when everything has ended is given so long, and is not waited for.
const REST: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            // Where even this cannot be written, the exit code is all there is.
            let _ = writeln!(
                std::io::stderr(),
                "epms: no threads can be started: {error}"
            );
            return Exit::OutOfReach.into();
        }
    };
    let exit = runtime.block_on(cli::of_process());
    runtime.shutdown_timeout(REST);
    exit.into()
}
