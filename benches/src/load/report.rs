//! The result of a run, for people and for programs.

use std::fmt;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::dialect::Dialect;
use crate::measure::process::CpuUsed;

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The dialect spoken.
    #[serde(rename = "protocol")]
    pub dialect: Dialect,
    /// Rooms.
    pub rooms: u32,
    /// Members of each room.
    pub members: u32,
    /// Talkers in each room.
    pub talkers: u32,
    /// Messages in flight per talker, in a closed loop.
    pub window: Option<u32>,
    /// Messages per second of all talkers, in an open loop.
    pub rate: Option<u32>,
    /// Bytes of text in a message.
    pub size: usize,
    /// Seconds measured.
    pub seconds: f64,
    /// Messages sent in the whole run, warm-up included.
    pub sent: u64,
    /// Deliveries in the measured seconds.
    pub delivered: u64,
    /// Deliveries per second.
    pub delivered_per_second: f64,
    /// Deliveries of the whole run that never arrived.
    pub lost: u64,
    /// Messages that arrived again, or out of their talker's order.
    pub repeated: u64,
    /// Messages that arrived where they do not belong.
    pub alien: u64,
    /// The cost to the server, if its process is known.
    pub server: Option<ServerCost>,
    /// The latency, from the (intended) time of sending to the arrival.
    pub latency: Latency,
    /// In an open loop, the 99th percentile of the time from when a message was due to when it was sent, in µs. This
    /// part of the latency is the generator's own.
    pub late_p99_us: Option<f64>,
    /// Share of a core that the generator used. Near 1, the generator may limit the rate.
    pub generator_busy: f64,
    /// Share of a core that all other processes used. If it is large, the result is unreliable.
    pub others_busy: f64,
}

/// What the server used in the measured seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ServerCost {
    /// User time, in µs per delivery.
    pub user_us: f64,
    /// System time, in µs per delivery.
    pub system_us: f64,
    /// User and system time, in µs per delivery.
    pub total_us: f64,
    /// Share of a core that it used.
    pub busy: f64,
    /// Resident memory at the end, in KiB.
    pub resident_kib: u64,
}

impl ServerCost {
    /// The cost of `delivered` messages in `seconds`.
    pub fn new(used: CpuUsed, delivered: u64, seconds: f64, resident_kib: u64) -> Self {
        let per_delivery = |nanos: f64| nanos / 1e3 / (delivered.max(1) as f64);
        let total = used.total();
        Self {
            user_us: per_delivery(used.user),
            system_us: per_delivery(used.system),
            total_us: per_delivery(total),
            busy: total / 1e9 / seconds,
            resident_kib,
        }
    }
}

/// Latencies in µs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Median.
    pub p50_us: f64,
    /// 99th percentile.
    pub p99_us: f64,
    /// 99.9th percentile.
    pub p999_us: f64,
    /// Maximum.
    pub max_us: f64,
    /// Deliveries measured.
    pub samples: u64,
}

impl Latency {
    /// Summarizes a histogram of nanoseconds.
    pub fn of(nanos: &Histogram<u64>) -> Self {
        let at = |quantile| nanos.value_at_quantile(quantile) as f64 / 1e3;
        Self {
            p50_us: at(0.5),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: nanos.max() as f64 / 1e3,
            samples: nanos.len(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rooms, members, talkers, size, sent, lost, repeated, alien, .. } = self;
        write!(f, "{rooms} rooms x {members} members, {talkers} talking in each, ")?;
        match (self.window, self.rate) {
            (Some(window), _) => write!(f, "{window} messages in flight per talker")?,
            (None, rate) => write!(f, "{} messages a second", rate.unwrap_or_default())?,
        }
        writeln!(f, ", texts of {size} bytes, {:.1} s", self.seconds)?;
        writeln!(
            f,
            "delivered   {:>12}   {:.0} a second",
            self.delivered, self.delivered_per_second
        )?;
        writeln!(f, "sent        {sent:>12}   lost {lost}, repeated {repeated}, alien {alien}")?;
        if let Some(cost) = self.server {
            writeln!(
                f,
                "server CPU  {:>9.3} µs   per delivery: user {:.3}, system {:.3}; {:.0} % of a core",
                cost.total_us,
                cost.user_us,
                cost.system_us,
                cost.busy * 100.0
            )?;
            writeln!(f, "server RSS  {:>8} KiB", cost.resident_kib)?;
        }
        let Latency { p50_us, p99_us, p999_us, max_us, samples } = self.latency;
        writeln!(
            f,
            "latency     {p50_us:>9.1} µs   p99 {p99_us:.1}, p99.9 {p999_us:.1}, max {max_us:.1}; \
             {samples} samples"
        )?;
        write!(
            f,
            "generator   {:>10.0} %   of a core, other processes {:.0} %",
            self.generator_busy * 100.0,
            self.others_busy * 100.0
        )?;
        self.late_p99_us.map_or(Ok(()), |late| write!(f, "; p99 of sending too late {late:.1} µs"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_is_per_delivery_and_the_share_per_second() {
        let used = CpuUsed { user: 250_000_000.0, system: 750_000_000.0 };
        let cost = ServerCost::new(used, 1_000_000, 2.0, 4_096);
        assert_eq!((cost.user_us, cost.system_us, cost.total_us), (0.25, 0.75, 1.0));
        assert_eq!((cost.busy, cost.resident_kib), (0.5, 4_096));
        assert!(ServerCost::new(used, 0, 1.0, 0).total_us.is_finite());
    }

    #[test]
    fn latencies_are_in_microseconds() {
        let mut nanos = Histogram::new(3).expect("three digits are allowed");
        for micros in 1..=1_000_u64 {
            nanos.record(micros * 1_000).expect("it resizes");
        }
        let latency = Latency::of(&nanos);
        assert!((latency.p50_us - 500.0).abs() < 1.0, "{latency:?}");
        assert!((latency.p99_us - 990.0).abs() < 1.0, "{latency:?}");
        assert_eq!(latency.samples, 1_000);
    }
}
