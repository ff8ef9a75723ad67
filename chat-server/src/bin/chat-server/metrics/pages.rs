//! What there is to read: the counters of the server in the text format of OpenMetrics, which
//! Prometheus reads, and whether it serves. `docs/METRICS.md` says what to make of them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use chat_server::{CloseReason, LimitKind, Limits, MessageKind, Monitor, Stats};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::logging::Log;

use super::encoder::{BYTES, Encoder, NONE, SECONDS};
use super::process;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    Metrics,
    Health,
}

/// What the pages are made of.
#[derive(Debug)]
pub(super) struct Pages {
    monitor: Monitor,
    registry: Registry,
}

impl Pages {
    /// The type of pages that people read.
    pub(super) const PLAIN: &'static str = "text/plain; charset=utf-8";

    const OPEN_METRICS: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    pub(super) fn new(monitor: Monitor, limits: Limits, log: Log) -> Self {
        let mut registry = Registry::default();
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("chat_build", "The version of the server", version);
        let server = ServerMetrics { monitor: monitor.clone(), limits };
        registry.register_collector(Box::new(server));
        registry.register_collector(Box::new(ProcessMetrics { start: SystemTime::now(), log }));
        Self { monitor, registry }
    }

    /// The status, the type and the body of a page.
    pub(super) fn render(&self, page: Page) -> (&'static str, &'static str, String) {
        match page {
            Page::Metrics => {
                let mut body = String::new();
                match encode(&mut body, &self.registry) {
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

#[derive(Debug)]
struct ServerMetrics {
    monitor: Monitor,
    limits: Limits,
}

impl Collector for ServerMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (stats, mut sheet) = (self.monitor.stats(), Encoder::new(encoder));
        write_people(&mut sheet, &stats)?;
        write_traffic(&mut sheet, &stats)?;
        write_work(&mut sheet, &stats)?;
        write_trouble(&mut sheet, &stats)?;
        write_limits(&mut sheet, &self.limits)
    }
}

/// Connections, and where they are.
fn write_people(sheet: &mut Encoder<'_>, stats: &Stats) -> fmt::Result {
    let closing = stats.connections.saturating_sub(stats.sessions + stats.refused);
    let states = [("open", stats.sessions), ("closing", closing), ("refused", stats.refused)];
    sheet.gauges("chat_connections", "Connections there are.", "state", states)?;
    let accepted = stats.accepted;
    sheet.counter("chat_connections_accepted", NONE, "Connections that came.", accepted)?;
    let closed = CloseReason::ALL.map(|reason| (reason, stats.closed.count(reason)));
    sheet.counters("chat_connections_closed", "Connections that ended.", "reason", closed)?;
    sheet.gauge("chat_rooms", NONE, "Rooms with members.", stats.rooms)?;
    sheet.gauge("chat_members", NONE, "Sessions that are in a room.", stats.members)
}

/// What comes in and goes out.
fn write_traffic(sheet: &mut Encoder<'_>, stats: &Stats) -> fmt::Result {
    let received = MessageKind::ALL.map(|kind| (kind, stats.received.count(kind)));
    sheet.counters("chat_messages_received", "Frames taken in.", "type", received)?;
    let help = "Chats and notices said to rooms, once for each member to be told.";
    sheet.counter("chat_messages_delivered", NONE, help, stats.deliveries)?;
    sheet.counter("chat_received", BYTES, "Bytes read from connections.", stats.bytes_read)?;
    sheet.counter("chat_sent", BYTES, "Bytes the kernel took.", stats.bytes_written)?;
    sheet.gauge("chat_backlog", BYTES, "Bytes held for connections.", stats.backlog)
}

/// How the event loop and the workers get on.
fn write_work(sheet: &mut Encoder<'_>, stats: &Stats) -> fmt::Result {
    let pending = stats.requests.saturating_sub(stats.requests_done);
    sheet.gauge("chat_requests_pending", NONE, "Requests not carried out yet.", pending)?;
    let help = "How long turns of the event loop took.";
    sheet.histogram("chat_turn_duration", SECONDS, help, &stats.turns, 1e9)?;
    let help = "Requests taken in by turns that took in any.";
    sheet.histogram("chat_turn_requests", NONE, help, &stats.turn_requests, 1.0)?;
    let help = "How long a backlog that was handed to the workers took to come back.";
    sheet.histogram("chat_worker_wait", SECONDS, help, &stats.worker_wait, 1e9)?;
    let help = "Mailboxes that a worker took from another.";
    sheet.counter("chat_worker_steals", NONE, help, stats.steals)
}

/// What went wrong, or nearly so.
fn write_trouble(sheet: &mut Encoder<'_>, stats: &Stats) -> fmt::Result {
    let limits = LimitKind::ALL.map(|limit| (limit, stats.limits.count(limit)));
    sheet.counters("chat_limits_reached", "How often a limit was reached.", "limit", limits)?;
    let failures = stats.accept_failures;
    sheet.counter("chat_accept_failures", NONE, "Times that accepting failed.", failures)?;
    sheet.counter("chat_panics", NONE, "Requests that made the server panic.", stats.panics)
}

/// The limits that a gauge comes near to, so that alerts need not repeat them.
fn write_limits(sheet: &mut Encoder<'_>, limits: &Limits) -> fmt::Result {
    let most = limits.connections as u64;
    sheet.gauge("chat_max_connections", NONE, "The limit on connections in force.", most)?;
    let most = limits.rooms as u64;
    sheet.gauge("chat_max_rooms", NONE, "The limit on rooms in force.", most)?;
    let most = limits.total_backlog as u64;
    sheet.gauge("chat_max_backlog", BYTES, "The limit on all backlogs in force.", most)
}

#[derive(Debug)]
struct ProcessMetrics {
    start: SystemTime,
    log: Log,
}

impl Collector for ProcessMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut sheet = Encoder::new(encoder);
        let lost = self.log.lost_lines();
        let help = "Lines of the log that nobody read in time.";
        sheet.counter("chat_log_lines_dropped", NONE, help, lost)?;
        let start = self.start.duration_since(UNIX_EPOCH).unwrap_or_default();
        sheet.seconds("process_start_time", "When the process began.", start.as_secs_f64())?;
        let help = "Processor time that was used.";
        sheet.seconds_counter("process_cpu", help, process::cpu_seconds())?;
        if let Some(bytes) = process::resident_bytes() {
            sheet.gauge("process_resident_memory", BYTES, "Memory that is in use.", bytes)?;
        }
        if let Some(open) = process::open_descriptors() {
            sheet.gauge("process_open_fds", NONE, "Descriptors that are open.", open)?;
        }
        if let Some(most) = process::most_descriptors() {
            sheet.gauge("process_max_fds", NONE, "Descriptors that may be open.", most)?;
        }
        Ok(())
    }
}
