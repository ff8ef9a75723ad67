//! The two pages: metrics of the server and the process, and the server's health. `docs/METRICS.md` explains each
//! metric.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use chat_server::{Limits, Metric, MetricUnit, MetricValue, Monitor};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::encoder;
use super::process;
use crate::logging::Log;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    Metrics,
    Health,
}

/// Renders the pages from the counters.
#[derive(Debug)]
pub(crate) struct Pages {
    monitor: Monitor,
    registry: Registry,
}

impl Pages {
    /// The content type of pages for people.
    pub(super) const PLAIN: &'static str = "text/plain; charset=utf-8";

    const OPEN_METRICS: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    pub(crate) fn new(monitor: Monitor, limits: Limits, log: Log) -> Self {
        let mut registry = Registry::default();
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("chat_build", "The version of the server", version);
        let start = SystemTime::now();
        let source = Source { monitor: monitor.clone(), limits, start, log };
        registry.register_collector(Box::new(source));
        Self { monitor, registry }
    }

    /// The status, content type and body of a page.
    pub(super) fn render(&self, page: Page) -> (&'static str, &'static str, String) {
        match page {
            Page::Metrics => {
                let mut body = String::new();
                match text::encode(&mut body, &self.registry) {
                    Ok(()) => ("200 OK", Self::OPEN_METRICS, body),
                    Err(e) => ("500 Internal Server Error", Self::PLAIN, format!("{e}\n")),
                }
            }
            Page::Health if self.monitor.stats().stopping => {
                ("503 Service Unavailable", Self::PLAIN, "stopping\n".to_owned())
            }
            Page::Health => ("200 OK", Self::PLAIN, "serving\n".to_owned()),
        }
    }
}

/// Where the numbers come from.
#[derive(Debug)]
struct Source {
    monitor: Monitor,
    limits: Limits,
    start: SystemTime,
    log: Log,
}

impl Collector for Source {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.monitor.stats();
        for metric in stats.metrics() {
            encoder::encode(&mut encoder, &metric)?;
        }
        self.of_program().try_for_each(|metric| encoder::encode(&mut encoder, &metric))
    }
}

impl Source {
    /// The limits that gauges are compared with, so that alerts need not repeat them, and the system's figures about
    /// the process.
    fn of_program(&self) -> impl Iterator<Item = Metric<'static>> {
        use MetricUnit::{Bytes, Count, Nanoseconds};
        let start = self.start.duration_since(UNIX_EPOCH).unwrap_or_default();
        let start = u64::try_from(start.as_nanos()).ok();
        let limit = |most: usize| Some(most as u64);
        let Limits { connections, rooms, total_backlog, .. } = self.limits;
        let lost = self.log.lost_lines();
        let (memory, open) = (process::resident_bytes(), process::open_descriptors());
        let most = process::most_descriptors();
        let gauges = [
            ("chat_max_connections", "The limit on connections.", Count, limit(connections)),
            ("chat_max_rooms", "The limit on rooms.", Count, limit(rooms)),
            (
                "chat_max_backlog",
                "The limit on all backlogs together.",
                Bytes,
                limit(total_backlog),
            ),
            ("process_start_time", "Start time since the Unix epoch.", Nanoseconds, start),
            ("process_resident_memory", "Resident memory.", Bytes, memory),
            ("process_open_fds", "Open descriptors.", Count, open),
            ("process_max_fds", "The limit on open descriptors.", Count, most),
        ];
        let lost_help = "Log lines dropped because they could not be written, or not in time.";
        let counters = [
            ("chat_log_lines_dropped", lost_help, Count, lost),
            ("process_cpu", "Processor time used.", Nanoseconds, process::cpu_nanos()),
        ];
        let gauges = gauges.into_iter().filter_map(|(name, help, unit, amount)| {
            Some(Metric::new(name, help, unit, MetricValue::Gauge(amount?)))
        });
        gauges.chain(counters.map(|(name, help, unit, count)| {
            Metric::new(name, help, unit, MetricValue::Counter(count))
        }))
    }
}
