//! What the system knows of this process. What it does not tell is left out.

use std::fs;

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Bytes of memory that are not swapped out, or anybody else's.
pub(super) fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Descriptors that are open.
pub(super) fn open_descriptors() -> Option<u64> {
    // Linux has said so in the directory's size since 6.2; to list them takes long when there are many.
    match fs::metadata("/proc/self/fd").ok()?.len() {
        // One of them is that of the listing.
        0 => (fs::read_dir("/proc/self/fd").ok()?.count() as u64).checked_sub(1),
        n => Some(n),
    }
}

/// Descriptors that may be open.
pub(super) fn most_descriptors() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Seconds that the process's threads have run for.
pub(super) fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
