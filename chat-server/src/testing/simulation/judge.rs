//! Judges, by a client's own record, whether its connection ended for a reason that the client gave.

use std::time::Duration;

use crate::limits::Limits;
use crate::stats::CloseReason;
use crate::testing::simulation::audit::Ending;
use crate::testing::simulation::client::{Client, Temper};
use crate::testing::simulation::trace::{Entry, Trace};

/// Judges an ending at the end of the turn in which it became known.
///
/// # Panics
/// With the number of an invariant, when none of the possible reasons is true.
pub(super) fn judge(now: u64, limits: &Limits, stopping: bool, client: &Client, ending: &Ending) {
    let is_true = |reason: &CloseReason| is_true(now, limits, stopping, client, ending, *reason);
    assert!(
        ending.reasons.iter().any(is_true),
        "I5b: client {} was sent away for nothing, as {:?}",
        client.id,
        ending.reasons
    );
}

fn is_true(
    now: u64,
    limits: &Limits,
    stopping: bool,
    client: &Client,
    ending: &Ending,
    reason: CloseReason,
) -> bool {
    let has_lasted = |since: Option<u64>, time: Duration| {
        since.is_some_and(|since| since + time.as_nanos() as u64 <= now)
    };
    let is_witness = client.temper == Temper::Witness;
    match reason {
        CloseReason::PeerEnded => {
            client.has_quit || (client.end.has_finished() && !client.is_in_frame())
        }
        CloseReason::PeerEndedInFrame => client.end.has_finished() && client.is_in_frame(),
        CloseReason::Lost => client.end.is_lost(),
        CloseReason::BadInput | CloseReason::Http => client.temper == Temper::Vandal,
        CloseReason::FrameTimeout => has_lasted(client.frame_begun(), limits.frame_timeout),
        CloseReason::Backlog => ending.choked,
        CloseReason::SlowBacklog => {
            ending.choked && has_lasted(ending.behind_from, limits.slow_backlog_time)
        }
        CloseReason::TotalBacklog => limits.total_backlog < 1 << 28 && !is_witness,
        // The limits were checked when it connected.
        CloseReason::ServerFull | CloseReason::TooManyFromAddress => client.trace.session.is_none(),
        CloseReason::Stopped => stopping,
        CloseReason::ResumedElsewhere => client.is_replaced,
        CloseReason::BadProxyHeader
        | CloseReason::TlsRequired
        | CloseReason::TlsFailed
        | CloseReason::Removed
        | CloseReason::Internal => false,
    }
}

/// The code of the last message to a connection that ends for this reason, if any.
pub(super) fn farewell(reason: CloseReason) -> Option<&'static str> {
    match reason {
        CloseReason::FrameTimeout => Some("frame-timeout"),
        CloseReason::Backlog | CloseReason::SlowBacklog | CloseReason::TotalBacklog => {
            Some("slow-consumer")
        }
        CloseReason::ServerFull => Some("server-full"),
        CloseReason::TooManyFromAddress => Some("too-many-from-address"),
        CloseReason::BadProxyHeader => Some("proxy-header-expected"),
        CloseReason::TlsRequired => Some("tls-required"),
        CloseReason::ResumedElsewhere => Some("resumed-elsewhere"),
        CloseReason::Stopped => Some("server-stopping"),
        CloseReason::PeerEnded
        | CloseReason::PeerEndedInFrame
        | CloseReason::Lost
        | CloseReason::Http
        | CloseReason::BadInput
        | CloseReason::TlsFailed
        | CloseReason::Removed
        | CloseReason::Internal => None,
    }
}

/// The code of the last message of a connection, if it is a farewell.
pub(super) fn last_farewell(trace: &Trace) -> Option<&str> {
    let last = trace.entries.iter().rev().find_map(|entry| match entry {
        Entry::Received(message) => Some(message.code.as_deref()),
        _ => None,
    });
    let codes = || CloseReason::ALL.into_iter().filter_map(farewell);
    last.flatten().filter(|code| codes().any(|other| other == *code))
}
