//! The server's statistics: one table that declares the reactor's counters, their snapshot and the metrics.
//!
//! The reactor is the only writer; any thread may read. Nothing here knows about formats or networks: the program's
//! `metrics` turns [`Metric`]s into pages.

mod counter;
mod histogram;
mod kinds;
mod metric;

use crate::workers::Request;
use histogram::Recorder;

pub(crate) use counter::Counter;
pub use counter::Counts;
pub use histogram::Histogram;
pub use kinds::{CloseReason, LimitKind, MessageKind, ReliefStep};
pub use metric::{Metric, MetricUnit, MetricValue};

/// Declares every counter once: its field in [`Stats`] and [`Counters`] and, from the second section on, the name and
/// the help text (the documentation of the field) of its metric.
macro_rules! stats {
    (
        numbers { $($(#[doc = $n_doc:literal])+ $number:ident;)* }
        metrics { $($(#[doc = $m_doc:literal])+ $metric:ident: $Kind:ident($m_name:literal, $Unit:ident);)* }
        families { $($(#[doc = $f_doc:literal])+ $family:ident: $By:ident, $f_name:literal by $label:literal;)* }
        histograms {
            $($(#[doc = $h_doc:literal])+ $histogram:ident: $Recorder:ty, $h_name:literal, $h_unit:ident;)*
        }
    ) => {
        /// A snapshot of the server's counters at the end of a turn of the event loop.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            /// Whether the server has begun to stop.
            pub stopping: bool,
            $($(#[doc = $n_doc])+ pub $number: u64,)*
            $($(#[doc = $m_doc])+ pub $metric: u64,)*
            $($(#[doc = $f_doc])+ pub $family: Counts<$By>,)*
            $($(#[doc = $h_doc])+ pub $histogram: Histogram,)*
        }

        /// The live counters behind [`Stats`].
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            /// 1 once the server has begun to stop.
            pub(crate) stopping: Counter,
            $(pub(crate) $number: Counter,)*
            $(pub(crate) $metric: Counter,)*
            $($family: [Counter; $By::ALL.len()],)*
            $(pub(crate) $histogram: $Recorder,)*
        }

        impl Counters {
            pub(crate) fn stats(&self) -> Stats {
                Stats {
                    stopping: self.stopping.value() > 0,
                    $($number: self.$number.value(),)*
                    $($metric: self.$metric.value(),)*
                    $($family: Counts::new($By::ALL.iter().zip(&self.$family)),)*
                    $($histogram: self.$histogram.histogram(),)*
                }
            }
        }

        impl Stats {
            /// The metrics whose value is a single counter or gauge.
            fn declared(&self) -> Vec<Metric<'_>> {
                vec![
                    $(Metric::new($m_name, help(concat!($($m_doc),+)), MetricUnit::$Unit,
                        MetricValue::$Kind(self.$metric)),)*
                    $(Metric::new($f_name, help(concat!($($f_doc),+)), MetricUnit::Count,
                        MetricValue::Counters($label,
                            self.$family.iter().map(|(kind, n)| (kind.as_str(), n)).collect())),)*
                    $(Metric::new($h_name, help(concat!($($h_doc),+)), MetricUnit::$h_unit,
                        MetricValue::Histogram(&self.$histogram)),)*
                ]
            }
        }
    };
}

stats! {
    numbers {
        /// Connections, those that are closing or being refused included.
        connections;
        /// Connections that may send commands, or whose last commands are being carried out.
        sessions;
        /// Connections being refused: they are sent the reason and closed.
        refused;
        /// Requests put into mailboxes: commands, and frames that held none.
        requests;
        /// Requests carried out.
        requests_done;
    }
    metrics {
        /// Connections accepted, those refused later included.
        accepted: Counter("chat_connections_accepted", Count);
        /// TLS handshakes completed.
        tls_handshakes: Counter("chat_tls_handshakes", Count);
        /// Rooms with members.
        rooms: Gauge("chat_rooms", Count);
        /// Sessions in a room.
        members: Gauge("chat_members", Count);
        /// Sessions that have outlived their connections.
        kept_sessions: Gauge("chat_sessions_kept", Count);
        /// Sessions taken over by connections whose clients came back.
        resumed: Counter("chat_sessions_resumed", Count);
        /// Bytes of history kept of rooms.
        history: Gauge("chat_history", Bytes);
        /// Bytes held for connections.
        backlog: Gauge("chat_backlog", Bytes);
        /// Chats and notices sent to rooms, counted once for each receiver.
        deliveries: Counter("chat_messages_delivered", Count);
        /// Bytes read from connections.
        bytes_read: Counter("chat_received", Bytes);
        /// Bytes that the kernel took for connections.
        bytes_written: Counter("chat_sent", Bytes);
        /// Mailboxes that a worker stole from another.
        steals: Counter("chat_worker_steals", Count);
        /// Times that accepting failed for want of descriptors or memory.
        accept_failures: Counter("chat_accept_failures", Count);
        /// Recordings that ended before the server, because their file could not be written, or not in time.
        lost_recordings: Counter("chat_recordings_lost", Count);
        /// Broadcasts written to the data directory.
        stored: Counter("chat_store_written", Count);
        /// Broadcasts that the data directory could not take, and does not have.
        store_lost: Counter("chat_store_lost", Count);
        /// Whether the data directory cannot be written to now: 1 if so.
        store_failing: Gauge("chat_store_failing", Count);
        /// Bytes that wait to be written to the data directory.
        store_pending: Gauge("chat_store_pending", Bytes);
        /// Bytes of the database in the data directory.
        store_size: Gauge("chat_store_size", Bytes);
        /// Requests that made the server panic.
        panics: Counter("chat_panics", Count);
    }
    families {
        /// Connections closed, by reason.
        closed: CloseReason, "chat_connections_closed" by "reason";
        /// Frames received, by the type of their message.
        received: MessageKind, "chat_messages_received" by "type";
        /// Times that a limit was reached, by limit.
        limits: LimitKind, "chat_limits_reached" by "limit";
        /// Steps taken to free memory because too much was held, by step.
        relief: ReliefStep, "chat_memory_relief" by "step";
    }
    histograms {
        /// Duration of turns of the event loop.
        turns: Recorder<10, 22>, "chat_turn_duration", Nanoseconds;
        /// Requests received in a turn, of the turns that received any.
        turn_requests: Recorder<0, 15>, "chat_turn_requests", Count;
        /// Time from handing a backlog to the workers until its results are back.
        worker_wait: Recorder<10, 22>, "chat_worker_wait", Nanoseconds;
    }
}

/// Returns a field's documentation as the help text of its metric.
const fn help(doc: &'static str) -> &'static str {
    match doc.as_bytes() {
        [b' ', ..] => doc.split_at(1).1,
        _ => doc,
    }
}

impl Stats {
    /// All of it as metrics, with names and help texts, for an exporter.
    pub fn metrics(&self) -> Vec<Metric<'_>> {
        let closing = self.connections.saturating_sub(self.sessions + self.refused);
        let states = vec![("open", self.sessions), ("closing", closing), ("refused", self.refused)];
        let pending = self.requests.saturating_sub(self.requests_done);
        let mut metrics = self.declared();
        metrics.extend([
            Metric::new(
                "chat_connections",
                "Connections, by state.",
                MetricUnit::Count,
                MetricValue::Gauges("state", states),
            ),
            Metric::new(
                "chat_requests_pending",
                "Requests not carried out yet.",
                MetricUnit::Count,
                MetricValue::Gauge(pending),
            ),
        ]);
        metrics
    }
}

impl Counters {
    pub(crate) fn close(&self, reason: CloseReason) {
        self.closed[reason as usize].add(1);
        match reason {
            CloseReason::FrameTimeout => self.reach(LimitKind::FrameTimeout),
            CloseReason::Backlog => self.reach(LimitKind::Backlog),
            CloseReason::SlowBacklog => self.reach(LimitKind::SlowBacklogTime),
            CloseReason::TotalBacklog => self.reach(LimitKind::TotalBacklog),
            CloseReason::ServerFull => self.reach(LimitKind::Connections),
            CloseReason::TooManyFromAddress => self.reach(LimitKind::ConnectionsPerAddress),
            CloseReason::PeerEnded
            | CloseReason::PeerEndedInFrame
            | CloseReason::Lost
            | CloseReason::Http
            | CloseReason::BadInput
            | CloseReason::BadProxyHeader
            | CloseReason::TlsRequired
            | CloseReason::TlsFailed
            | CloseReason::ResumedElsewhere
            | CloseReason::Removed
            | CloseReason::Internal
            | CloseReason::Stopped => {}
        }
    }

    pub(crate) fn relieve(&self, step: ReliefStep) {
        self.relief[step as usize].add(1);
    }

    pub(crate) fn reach(&self, limit: LimitKind) {
        self.reach_often(limit, 1);
    }

    pub(crate) fn reach_often(&self, limit: LimitKind, times: u64) {
        self.limits[limit as usize].add(times);
    }

    /// Records the duration of a turn, and the requests that it received beyond `requests_before`.
    pub(crate) fn end_turn(&self, nanos: u64, requests_before: u64) {
        self.turns.record(nanos);
        let requests = self.requests.value() - requests_before;
        if requests > 0 {
            self.turn_requests.record(requests);
        }
    }

    pub(crate) fn receive(&self, requests: &[Request]) {
        // Nearly all requests are chats: count the others, and take the rest as chats.
        let mut chats = requests.len() as u64;
        for request in requests {
            if !matches!(request, Request::Do(chat_proto::Command::Chat(_))) {
                chats -= 1;
                if let Some(kind) = MessageKind::of(request) {
                    self.received[kind as usize].add(1);
                }
            }
        }
        self.received[MessageKind::Chat as usize].add(chats);
    }
}
