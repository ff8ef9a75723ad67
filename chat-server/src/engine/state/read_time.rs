//! Estimates of how long reading takes. The engine reads no clock, so tests can determine what a turn does.
//!
//! The unit is the time of one chat among many, some 0.4 µs. Anything slower is counted at its worst case.

use chat_proto::{Command, Rejection};

use crate::connection::Read;
use crate::workers::Request;

/// The time of a read by itself.
pub(super) const READ: usize = 4;

/// The time of a read that completes no frame: the kernel acknowledges it at once, it is buffered, and it sets a
/// deadline.
const PIECE: usize = 24;

/// The extra charge for such a read, beyond its time: nobody is waiting for such frames.
const PIECE_CHARGE: usize = 600;

/// Bytes that can be parsed in a unit, and bytes that can be buffered.
const PARSED: usize = 96;
const BUFFERED: usize = 128;

/// The time of a request other than a chat, with its answer.
const ANSWER: usize = 12;

/// The time of a name beyond ASCII, which is normalized and compared with others.
const NAME: usize = 80;

/// The time to close a connection and tell others.
const END: usize = 60;

/// The time that a read and its requests take, beyond [`READ`].
pub(super) fn read_time(read: &Read, requests: &[Request], is_in_room: bool) -> usize {
    let work = read.work as usize;
    // Only the last request can be expensive.
    let last = match requests.last() {
        None => return PIECE + read.bytes / BUFFERED + work,
        Some(Request::Do(Command::Chat(_))) if is_in_room => 0,
        Some(Request::Reject(Rejection::BadName(_))) => NAME,
        Some(Request::Disconnect) => END,
        Some(last) => match last.command() {
            Some(Command::Rename(name)) if !name.as_str().is_ascii() => NAME,
            _ => ANSWER,
        },
    };
    requests.len().max(read.accepted / PARSED) + last + work
}

/// The charge to the connection: see [`Inbound::charge_time`](crate::connection::Inbound::charge_time).
pub(super) fn charge(read: &Read, time: usize) -> usize {
    READ + time + if read.accepted > 0 { 0 } else { PIECE_CHARGE }
}
