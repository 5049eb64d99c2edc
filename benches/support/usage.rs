//! What a process used: time by the clock, time of the processor, memory.

use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::{Deserialize, Serialize};

/// What something took.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Seconds by the clock.
    pub(crate) wall: f64,
    /// Seconds of the processors, of all threads, in the program and in the kernel.
    pub(crate) cpu: f64,
    /// The most memory that the process had so far, in bytes.
    pub(crate) peak: f64,
}

/// Seconds of the processors that this process took so far.
fn cpu() -> f64 {
    let used = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let micros = (used.user_time() + used.system_time()).num_microseconds();
    f64::from(u32::try_from(micros).unwrap()) / 1e6
}

/// What `work` gives, and what it took.
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> (T, Usage) {
    let (begun, before) = (Instant::now(), cpu());
    let done = work();
    let usage = Usage {
        wall: begun.elapsed().as_secs_f64(),
        cpu: cpu() - before,
        peak: memory("self", "VmHWM"),
    };
    (done, usage)
}

/// A line of `/proc/…/status`, in bytes: `VmHWM` is the most that was resident, `VmRSS` what is.
pub(crate) fn memory(pid: &str, line: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let found = status
        .lines()
        .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'))
        .unwrap();
    let kib: f64 = found.trim().trim_end_matches(" kB").parse().unwrap();
    kib * 1024.0
}

/// The median.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
