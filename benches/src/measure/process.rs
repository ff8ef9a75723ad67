//! A process's CPU time, memory and descriptors, read from `/proc`.

use std::fs;
use std::time::Duration;

use crate::error::Error;

/// A process to be measured.
#[derive(Debug, Clone, Copy)]
pub struct Process {
    pid: u32,
}

/// CPU time used since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuTime {
    /// User and system time together, to the nanosecond if the kernel counts that.
    pub total: Duration,
    /// User time, in ticks of 10 ms.
    pub user_ticks: u64,
    /// System time, in ticks of 10 ms.
    pub system_ticks: u64,
}

/// CPU time used between two samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CpuUsed {
    /// Nanoseconds of user time.
    pub user: f64,
    /// Nanoseconds of system time.
    pub system: f64,
}

impl Process {
    /// The process with this id.
    ///
    /// # Errors
    /// If there is no such process.
    pub fn new(pid: u32) -> Result<Self, Error> {
        let process = Self { pid };
        process.cpu_time()?;
        Ok(process)
    }

    /// The calling process.
    pub fn own() -> Self {
        Self { pid: std::process::id() }
    }

    /// CPU time of all its threads.
    ///
    /// The total is the sum of all threads' `schedstat`, in nanoseconds; only its split into user and system time
    /// comes from `stat`, in ticks of 10 ms.
    ///
    /// # Errors
    /// If the process is gone.
    pub fn cpu_time(self) -> Result<CpuTime, Error> {
        let (user_ticks, system_ticks) =
            ticks(&self.read("stat")?).ok_or_else(|| self.unreadable("stat"))?;
        let total =
            self.scheduled().unwrap_or(Duration::from_millis(user_ticks + system_ticks) * 10);
        Ok(CpuTime { total, user_ticks, system_ticks })
    }

    /// Resident memory, in KiB.
    ///
    /// # Errors
    /// If the process is gone.
    pub fn resident_kib(self) -> Result<u64, Error> {
        let status = self.read("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| self.unreadable("status"))
    }

    /// The number of files that the process may open.
    ///
    /// # Errors
    /// If the process is gone.
    pub fn max_open_files(self) -> Result<u64, Error> {
        let limits = self.read("limits")?;
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
        let word = line.and_then(|line| line.split_whitespace().next());
        word.map(|word| word.parse().unwrap_or(u64::MAX)).ok_or_else(|| self.unreadable("limits"))
    }

    /// The number of files that the process has open, including sockets.
    ///
    /// # Errors
    /// If the process is gone.
    pub fn open_files(self) -> Result<u64, Error> {
        let files = fs::read_dir(format!("/proc/{}/fd", self.pid));
        let files =
            files.map_err(|error| Error::Server(format!("process {}: {error}", self.pid)))?;
        Ok(files.count() as u64)
    }

    /// The time for which its threads were ready to run, but others had the core.
    pub fn waited(self) -> Duration {
        self.schedstat(1).unwrap_or_default()
    }

    fn scheduled(self) -> Option<Duration> {
        self.schedstat(0).filter(|total| !total.is_zero())
    }

    /// The sum over all threads of a field of `schedstat`, in nanoseconds.
    fn schedstat(self, field: usize) -> Option<Duration> {
        let mut total = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.pid)).ok()? {
            // A thread may have ended since the directory was listed.
            if let Ok(stat) = fs::read_to_string(task.ok()?.path().join("schedstat")) {
                total += stat.split_whitespace().nth(field)?.parse::<u64>().ok()?;
            }
        }
        Some(Duration::from_nanos(total))
    }

    fn read(self, file: &str) -> Result<String, Error> {
        fs::read_to_string(format!("/proc/{}/{file}", self.pid))
            .map_err(|error| Error::Server(format!("process {}: {error}", self.pid)))
    }

    fn unreadable(self, file: &str) -> Error {
        Error::Server(format!("/proc/{}/{file} is not as expected", self.pid))
    }
}

impl CpuTime {
    /// CPU time used from `self` to `later`.
    pub fn until(self, later: Self) -> CpuUsed {
        let total = later.total.saturating_sub(self.total).as_nanos() as f64;
        let user = later.user_ticks.saturating_sub(self.user_ticks) as f64;
        let system = later.system_ticks.saturating_sub(self.system_ticks) as f64;
        let share = if user + system > 0.0 { user / (user + system) } else { 0.5 };
        CpuUsed { user: total * share, system: total * (1.0 - share) }
    }
}

impl CpuUsed {
    /// Nanoseconds of user and system time.
    pub fn total(self) -> f64 {
        self.user + self.system
    }
}

/// CPU time used by all processes on all cores, including that stolen by a virtual machine's host.
///
/// # Errors
/// If the kernel does not provide it.
pub fn machine_cpu_time() -> Result<Duration, Error> {
    let stat = fs::read_to_string("/proc/stat").map_err(Error::io("reading /proc/stat"))?;
    busy_ticks(&stat)
        .map(|ticks| Duration::from_millis(ticks * 10))
        .ok_or_else(|| Error::Server("/proc/stat is not as expected".to_owned()))
}

/// The ticks in the first line of `/proc/stat`, except those spent idle or waiting for a disk.
fn busy_ticks(stat: &str) -> Option<u64> {
    const IDLE: std::ops::RangeInclusive<usize> = 3..=4;
    /// Later fields are guest time, which the first two include.
    const FIELDS: usize = 8;
    let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().take(FIELDS);
    let busy = fields.enumerate().filter(|(at, _)| !IDLE.contains(at));
    busy.map(|(_, ticks)| ticks.parse::<u64>().ok()).sum()
}

/// `utime` and `stime` in a line of `/proc/PID/stat`. The second field is the program's name in parentheses, and may
/// contain anything.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticks_are_found_after_any_name() {
        let stat = "7380 (a) b (c) S 7377 7377 3534 0 -1 4194368 90 0 0 0 60 7 0 0 20 0 1 0 171273";
        assert_eq!(ticks(stat), Some((60, 7)));
        assert_eq!(ticks("nothing"), None);
    }

    #[test]
    fn the_sum_is_split_as_the_ticks_are() {
        let before = CpuTime { total: Duration::ZERO, user_ticks: 10, system_ticks: 10 };
        let after =
            CpuTime { total: Duration::from_nanos(1_000), user_ticks: 11, system_ticks: 13 };
        assert_eq!(before.until(after), CpuUsed { user: 250.0, system: 750.0 });
    }

    #[test]
    fn idle_time_and_guests_do_not_count_as_busy() {
        assert_eq!(busy_ticks("cpu  1 2 4 1000 1000 8 16 32 1000 1000\ncpu0 1\n"), Some(63));
        assert_eq!(busy_ticks("nothing"), None);
        assert!(machine_cpu_time().is_ok());
    }

    #[test]
    fn this_process_can_be_read() {
        let own = Process::own();
        assert!(own.resident_kib().expect("it runs") > 0);
        assert!(own.open_files().expect("it runs") > 2);
        assert!(own.max_open_files().expect("it runs") > 0);
        assert!(own.cpu_time().is_ok());
        assert!(Process::new(u32::MAX).is_err());
    }
}
