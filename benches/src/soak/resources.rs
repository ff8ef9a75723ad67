//! The server's memory and descriptors over time.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::measure::process::Process;

/// Bytes that a server may retain, on average, for each connection that is gone: the smallest block of glibc's
/// allocator. So not even the smallest allocation is leaked per connection.
pub(super) const MAX_KEPT_PER_CONNECTION: f64 = 32.0;

/// A slope over less time than this means nothing, since the allocator's reserves vary by more.
pub(super) const MIN_WINDOW: Duration = Duration::from_secs(120);

/// Time between two samples.
const INTERVAL: Duration = Duration::from_secs(1);

/// One sample of the server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    /// Seconds since the run began.
    pub(super) at: f64,
    pub(super) resident_kib: f64,
    pub(super) files: u64,
    /// Connections made by that time.
    pub(super) connected: u64,
}

/// All samples.
#[derive(Debug)]
pub(super) struct Resources {
    process: Process,
    began: Instant,
    next: Instant,
    samples: Vec<Sample>,
}

/// The trend of resident memory after the warm-up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Seconds sampled.
    pub seconds: f64,
    /// The slope of the least-squares line, in bytes per second.
    pub slope: f64,
    /// The same in bytes per connection made in that time.
    pub per_connection: f64,
    /// The least and the most resident memory, in KiB.
    pub resident_kib: (f64, f64),
    /// Whether the time is long enough for a judgement.
    pub is_long_enough: bool,
}

impl Resources {
    pub(super) fn new(process: Process) -> Self {
        let now = Instant::now();
        Self { process, began: now, next: now, samples: Vec::new() }
    }

    /// Takes a sample if it is due.
    pub(super) fn turn(&mut self, now: Instant, connected: u64) -> Result<(), Error> {
        if now < self.next {
            return Ok(());
        }
        self.next = now + INTERVAL;
        self.samples.push(Sample {
            at: now.duration_since(self.began).as_secs_f64(),
            resident_kib: self.process.resident_kib()? as f64,
            files: self.process.open_files()?,
            connected,
        });
        Ok(())
    }

    pub(super) fn last(&self) -> Option<Sample> {
        self.samples.last().copied()
    }

    /// The most descriptors at a time.
    pub(super) fn most_files(&self) -> u64 {
        self.samples.iter().map(|sample| sample.files).max().unwrap_or(0)
    }

    /// The trend over the second half of the run; `None` if there are too few samples. In the first half, memory grows
    /// to what the load needs at its worst, which may take minutes to occur.
    pub(super) fn trend(&self) -> Option<Trend> {
        let warm_up = self.samples.last()?.at / 2.0;
        let samples = &self.samples[self.samples.partition_point(|sample| sample.at < warm_up)..];
        let (first, last) = (samples.first()?, samples.last()?);
        let seconds = last.at - first.at;
        let slope = slope(samples)? * 1024.0;
        let connections = last.connected - first.connected;
        let resident = samples.iter().map(|sample| sample.resident_kib);
        Some(Trend {
            seconds,
            slope,
            per_connection: slope * seconds / connections.max(1) as f64,
            resident_kib: (resident.clone().fold(f64::MAX, f64::min), resident.fold(0.0, f64::max)),
            is_long_enough: seconds >= MIN_WINDOW.as_secs_f64(),
        })
    }
}

/// The slope of the least-squares line, in KiB per second; `None` unless there are two different times.
fn slope(samples: &[Sample]) -> Option<f64> {
    let n = samples.len() as f64;
    let mean = |of: fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / n;
    let (at, resident) = (mean(|sample| sample.at), mean(|sample| sample.resident_kib));
    let (mut both, mut square) = (0.0, 0.0);
    for sample in samples {
        both += (sample.at - at) * (sample.resident_kib - resident);
        square += (sample.at - at).powi(2);
    }
    (square > 0.0).then_some(both / square)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources(resident_kib: impl Fn(f64) -> f64) -> Resources {
        let mut resources = Resources::new(Process::own());
        resources.samples = (0..=600)
            .map(|at| {
                let at = f64::from(at);
                let resident_kib = resident_kib(at);
                Sample { at, resident_kib, files: 9, connected: at as u64 * 10 }
            })
            .collect();
        resources
    }

    #[test]
    fn growth_after_the_warm_up_is_found_and_noise_is_not() {
        // 1 KiB per second at 10 connections per second.
        let grows = resources(|at| 5_000.0 + at).trend().expect("there are samples");
        assert!((grows.slope - 1024.0).abs() < 0.01 && grows.is_long_enough, "{grows:?}");
        assert!((grows.per_connection - 102.4).abs() < 0.01, "{grows:?}");
        let noise = |at: f64| 5_000.0 + 500.0 * (at / 7.0).sin() - 4_000.0 * (-at / 10.0).exp();
        let steady = resources(noise).trend().expect("there are samples");
        assert!(steady.per_connection.abs() < MAX_KEPT_PER_CONNECTION / 2.0, "{steady:?}");
    }

    #[test]
    fn a_single_sample_has_no_trend() {
        let mut resources = Resources::new(Process::own());
        assert_eq!(resources.trend(), None);
        resources.turn(Instant::now(), 0).expect("this process runs");
        assert_eq!(resources.trend(), None);
        assert!(resources.last().expect("it was sampled").files > 2);
    }
}
