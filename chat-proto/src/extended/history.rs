//! What was said in a room, as it is told again.

use serde::Serialize;

use super::RequestId;
use crate::frame::{FrameTooLong, MAX_PAYLOAD};
use crate::framing::Framing;
use crate::values::RoomId;

/// A broadcast of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// The number of the broadcast.
    pub seq: u64,
    /// The time of the broadcast, in ms since 1970.
    pub at: u64,
    /// Its payload as it was broadcast: a JSON object.
    pub payload: &'a [u8],
}

impl Event<'_> {
    /// Whether it is a chat, rather than a notice.
    pub fn is_chat(&self) -> bool {
        self.payload.starts_with(br#"{"type":"SCChat""#)
    }

    /// Appends the broadcast to `out` once more, as a frame of its own, for a client that did not say hello: with
    /// `past: true`, and otherwise as it was.
    ///
    /// # Errors
    /// [`FrameTooLong`] when that does not fit a frame; `out` is then unchanged.
    pub fn write_past(&self, framing: Framing, out: &mut Vec<u8>) -> Result<(), FrameTooLong> {
        framing.write(out, |out| {
            out.extend_from_slice(self.payload.strip_suffix(b"}").unwrap_or(self.payload));
            out.extend_from_slice(br#","past":true}"#);
        })
    }

    /// Bytes of [`HistoryHead::SPACE`] that the event takes in an `SCHistory`.
    pub const fn space(&self) -> usize {
        /// A comma, and the time with its key.
        const AROUND: usize = r#",,"at":"#.len() + 20;
        self.payload.len() + AROUND
    }
}

/// The room that is left for events in an `SCHistory`.
///
/// ```
/// use chat_proto::extended::{Event, HistorySpace};
///
/// let said = [4, 5, 6].map(|seq| Event { seq, at: 0, payload: br#"{"type":"SCChat"}"# });
/// let mut space = HistorySpace::new(2);
/// let fitting = said.iter().rev().take_while(|event| space.take(event));
/// assert_eq!(fitting.count(), 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistorySpace {
    bytes: usize,
    events: usize,
}

impl HistorySpace {
    /// Room for at most so many events, and for [`HistoryHead::SPACE`] bytes.
    pub const fn new(events: usize) -> Self {
        Self { bytes: HistoryHead::SPACE, events }
    }

    /// Takes the room for an event. Returns whether there was enough.
    pub fn take(&mut self, event: &Event<'_>) -> bool {
        let fits = event.space() <= self.bytes && self.events > 0;
        if fits {
            self.bytes -= event.space();
            self.events -= 1;
        }
        fits
    }
}

/// What an `SCHistory` says besides its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryHead<'a> {
    /// The `id` of the request.
    pub re: Option<&'a RequestId>,
    /// The room.
    pub room: RoomId,
    /// The number of the first event; without events, that of the next one.
    pub from: u64,
    /// Whether there are others beyond these, in the direction that was asked for.
    pub more: bool,
    /// Whether something between these and what was asked for is not kept any more.
    pub gap: bool,
}

impl HistoryHead<'_> {
    /// Bytes that there are for events: see [`Event::space`] and [`HistorySpace`].
    pub const SPACE: usize = MAX_PAYLOAD - 1024;

    /// Appends one `SCHistory` to `out`, framed like this. `events` are consecutive, and fit into
    /// [`SPACE`](Self::SPACE). Each is as it was broadcast, and has its time as `at`.
    pub fn write<'a>(
        &self,
        framing: Framing,
        events: impl IntoIterator<Item = Event<'a>>,
        out: &mut Vec<u8>,
    ) {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Head<'a> {
            r#type: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            re: Option<&'a RequestId>,
            room_id: RoomId,
        }
        let fits = framing.write(out, |out| {
            let head = Head { r#type: "SCHistory", re: self.re, room_id: self.room };
            serde_json::to_writer(&mut *out, &head).expect("strings and integers always serialize");
            out.pop();
            out.extend_from_slice(br#","events":["#);
            let mut next = self.from;
            for Event { at, payload, .. } in events {
                if next > self.from {
                    out.push(b',');
                }
                out.extend_from_slice(payload.strip_suffix(b"}").unwrap_or(payload));
                out.extend_from_slice(format!(r#","at":{at}}}"#).as_bytes());
                next += 1;
            }
            let (from, to) = (self.from, next.saturating_sub(1));
            let Self { more, gap, .. } = self;
            let tail = format!(r#"],"from":{from},"to":{to},"more":{more},"gap":{gap}}}"#);
            out.extend_from_slice(tail.as_bytes());
        });
        debug_assert!(fits.is_ok(), "the events fit, and all else is short");
    }
}
