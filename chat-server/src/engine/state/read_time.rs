//! Estimates of the time that reading takes. The engine reads no clock, so that tests can say what a turn does.
//!
//! The unit is what a chat takes among others, some 0.4 µs. Whatever takes longer is counted as at its worst.

use chat_proto::{Command, Rejection};

use crate::connection::Read;
use crate::workers::Request;

/// A read.
pub(super) const READ: usize = 4;

/// A read that completes no frame: the kernel acknowledges it at once, and it is buffered, and has a deadline.
const PIECE: usize = 24;

/// What is charged for that beyond the time: such frames are not what others wait for.
const PIECE_CHARGE: usize = 600;

/// Bytes that are parsed, and that are buffered, in a unit.
const PARSED: usize = 96;
const BUFFERED: usize = 128;

/// A request that is no chat, and is answered.
const ANSWER: usize = 12;

/// A name that is not ASCII: it is normalized, and compared with others.
const NAME: usize = 80;

/// The end of a connection: it is closed, and others are told.
const END: usize = 60;

/// The time that a read takes beyond [`READ`], with its requests.
pub(super) fn read_time(read: &Read, requests: &[Request], is_in_room: bool) -> usize {
    let work = read.work as usize;
    // Only the last takes long.
    let last = match requests.last() {
        None => return PIECE + read.bytes / BUFFERED + work,
        Some(Request::Do(Command::Chat(_))) if is_in_room => 0,
        Some(Request::Do(Command::Rename(name))) if !name.as_str().is_ascii() => NAME,
        Some(Request::Reject(Rejection::BadName(_))) => NAME,
        Some(Request::Disconnect) => END,
        Some(_) => ANSWER,
    };
    requests.len().max(read.accepted / PARSED) + last + work
}

/// What the connection is charged for it: see [`Inbound::charge_time`](crate::connection::Inbound::charge_time).
pub(super) fn charge(read: &Read, time: usize) -> usize {
    READ + time + if read.accepted > 0 { 0 } else { PIECE_CHARGE }
}
