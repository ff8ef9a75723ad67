//! Summarizes the reports of all rounds, in one line per workload and server.

use serde::Serialize;

use super::workload::Workload;
use crate::load::{Dialect, Report};

/// The median of `values`; `None` if there are none.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(lower.midpoint(upper))
}

/// The result of one server under one workload in one round.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    /// The round's number, from 0.
    pub round: u32,
    /// The workload.
    #[serde(rename = "shape")]
    pub workload: Workload,
    /// The server.
    pub server: Dialect,
    /// The load generator's report.
    pub report: Report,
}

/// One server under one workload, with the medians of all rounds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The workload.
    #[serde(rename = "shape")]
    pub workload: Workload,
    /// The server.
    pub server: Dialect,
    /// CPU time of the server, in µs per delivery.
    pub cpu_us: f64,
    /// The part of that time spent in the server's own code.
    pub user_us: f64,
    /// Its CPU time divided by that of [`Outcome::base`] in the same round.
    pub ratio: Option<f64>,
    /// The least and the greatest of these ratios over all rounds.
    pub ratio_range: Option<(f64, f64)>,
    /// Deliveries a second.
    pub delivered_per_second: f64,
    /// Share of a core that the server used.
    pub busy: f64,
    /// Share of a core that the generator used.
    pub generator_busy: f64,
    /// Share of a core that all other processes used, which disturbs the measurement.
    pub others_busy: f64,
    /// Median latency, in µs.
    pub p50_us: f64,
    /// 99th percentile of the latency, in µs.
    pub p99_us: f64,
    /// Resident memory, in KiB.
    pub resident_kib: f64,
    /// Messages lost, repeated or misplaced in all rounds.
    pub wrong: u64,
}

/// The result of a comparison.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The server that the others are compared with.
    pub base: Dialect,
    /// One line for each workload and server.
    pub lines: Vec<Line>,
    /// The rounds being summarized.
    pub rounds: Vec<Round>,
}

impl Outcome {
    /// Summarizes `rounds`, ordered by workload and server.
    pub fn new(base: Dialect, rounds: Vec<Round>) -> Self {
        let mut pairs: Vec<(Workload, Dialect)> = Vec::new();
        for round in &rounds {
            if !pairs.contains(&(round.workload, round.server)) {
                pairs.push((round.workload, round.server));
            }
        }
        pairs.sort_by_key(|&(workload, server)| (workload.letter, server));
        let lines = pairs.iter().filter_map(|&pair| line(&rounds, base, pair));
        Self { base, lines: lines.collect(), rounds }
    }
}

fn line(rounds: &[Round], base: Dialect, (workload, server): (Workload, Dialect)) -> Option<Line> {
    let of = |kind| {
        rounds.iter().filter(move |round| round.workload == workload && round.server == kind)
    };
    let middle = |value: fn(&Report) -> f64| median(of(server).map(|round| value(&round.report)));
    let cost = |value: fn(&crate::load::report::ServerCost) -> f64| {
        median(of(server).filter_map(|round| round.report.server.as_ref().map(value)))
    };
    let ratios: Vec<f64> = of(server)
        .filter_map(|round| {
            let base = of(base).find(|base| base.round == round.round)?;
            Some(round.report.server?.total_us / base.report.server?.total_us)
        })
        .filter(|ratio| ratio.is_finite())
        .collect();
    let ratio = median(ratios.iter().copied());
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = ratios.iter().copied().fold(0.0, f64::max);
    Some(Line {
        workload,
        server,
        cpu_us: cost(|cost| cost.total_us)?,
        user_us: cost(|cost| cost.user_us)?,
        ratio,
        ratio_range: ratio.map(|_| (least, greatest)),
        delivered_per_second: middle(|report| report.delivered_per_second)?,
        busy: cost(|cost| cost.busy)?,
        generator_busy: middle(|report| report.generator_busy)?,
        others_busy: middle(|report| report.others_busy)?,
        p50_us: middle(|report| report.latency.p50_us)?,
        p99_us: middle(|report| report.latency.p99_us)?,
        resident_kib: cost(|cost| cost.resident_kib as f64)?,
        wrong: of(server)
            .map(|round| round.report.lost + round.report.repeated + round.report.alien)
            .sum(),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::load::report::{Latency, ServerCost};
    use crate::measure::process::CpuUsed;

    pub(in crate::compare) fn dialect(name: &str) -> Dialect {
        name.parse().expect("it exists")
    }

    /// A round in which a delivery cost the server `us` µs.
    pub(in crate::compare) fn round(round: u32, letter: &str, server: &str, us: f64) -> Round {
        let server = dialect(server);
        let workload = Workload::list(letter).expect("it exists")[0];
        let used = CpuUsed { user: us * 500.0, system: us * 500.0 };
        let report = Report {
            dialect: server,
            rooms: workload.rooms,
            members: workload.members,
            talkers: 1,
            window: Some(1),
            rate: None,
            size: 64,
            seconds: 1.0,
            sent: 1,
            delivered: 1,
            delivered_per_second: 1e6 / us,
            lost: 0,
            repeated: 0,
            alien: 0,
            server: Some(ServerCost::new(used, 1, 1.0, 1_024)),
            latency: Latency {
                p50_us: 10.0,
                p99_us: 20.0,
                p999_us: 30.0,
                max_us: 40.0,
                samples: 1,
            },
            late_p99_us: None,
            generator_busy: 0.5,
            others_busy: 0.0,
        };
        Round { round, workload, server, report }
    }

    #[test]
    fn the_median_of_odd_even_and_none() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([7.0]), Some(7.0));
        assert_eq!(median([]), None);
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        // Twice the relay in each round, on a machine that gets slower and slower.
        let rounds = (0..3).flat_map(|number| {
            let us = f64::from(number + 1);
            [round(number, "A", "redis", us * 2.0), round(number, "A", "relay", us)]
        });
        let outcome = Outcome::new(dialect("relay"), rounds.collect());
        let [relay, redis] = &outcome.lines[..] else { panic!("two lines") };
        assert_eq!((relay.server.name(), relay.ratio), ("relay", Some(1.0)));
        assert_eq!(
            (redis.cpu_us, redis.ratio, redis.ratio_range),
            (4.0, Some(2.0), Some((2.0, 2.0)))
        );
    }

    #[test]
    fn any_server_can_be_the_base() {
        let rounds = vec![round(0, "A", "chat", 2.0), round(0, "A", "chat+ws", 2.5)];
        let outcome = Outcome::new(dialect("chat"), rounds);
        assert_eq!(outcome.lines[1].ratio, Some(1.25));
    }

    #[test]
    fn without_the_base_there_is_no_ratio() {
        let outcome = Outcome::new(dialect("relay"), vec![round(0, "B", "nats", 8.0)]);
        assert_eq!((outcome.lines[0].ratio, outcome.lines[0].ratio_range), (None, None));
    }
}
