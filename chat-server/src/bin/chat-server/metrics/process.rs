//! The system's figures about this process; `None` where they are not available.

use std::fs;

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Resident memory, in bytes.
pub(super) fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// The number of open descriptors.
pub(super) fn open_descriptors() -> Option<u64> {
    // Since Linux 6.2, this is the size of the directory; listing many descriptors would take long.
    match fs::metadata("/proc/self/fd").ok()?.len() {
        // The listing itself uses one descriptor.
        0 => (fs::read_dir("/proc/self/fd").ok()?.count() as u64).checked_sub(1),
        n => Some(n),
    }
}

/// The limit on open descriptors.
pub(super) fn most_descriptors() -> Option<u64> {
    getrlimit(Resource::Nofile).current
}

/// Processor time of all threads, in nanoseconds.
pub(super) fn cpu_nanos() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let [seconds, nanos] = [time.tv_sec, time.tv_nsec].map(|n| u64::try_from(n).unwrap_or(0));
    seconds * 1_000_000_000 + nanos
}
