//! The program: everything is in the library.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use epms::cli::{self, Exit};
use tikv_jemallocator::Jemalloc;
use tokio::runtime::Runtime;

/// What a run takes is given back, on whatever threads it was: three hundred integrations that sync every minute leave the
/// memory flat. The C library keeps a heap for each thread; mimalloc gave little of what was free back in time.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// What still waits for a disk when everything has ended is given so long, and is not waited for.
const REST: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    cli::answer_the_shell();
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
