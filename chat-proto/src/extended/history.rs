//! What was said in a room, as it is told again.

use serde::Serialize;

use super::RequestId;
use crate::frame::MAX_PAYLOAD;
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

/// What an `SCHistory` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History<'a> {
    /// The `id` of the request.
    pub re: Option<&'a RequestId>,
    /// The room.
    pub room: RoomId,
    /// Whether something between what was asked for and the first event is not kept any more.
    pub gap: bool,
}

/// Appends one `SCHistory` to `out`, framed like this, with as many of `events`, which are in order, as fit. Each is as
/// it was broadcast, and has its time as `at`. `more`: there are others behind them, fit or not. Returns how many were
/// written. `from` and `to` are the numbers of the first and the last; without events, neither is there.
pub fn write_history<'a>(
    framing: Framing,
    history: History<'_>,
    events: impl IntoIterator<Item = Event<'a>>,
    more: bool,
    out: &mut Vec<u8>,
) -> usize {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Head<'a> {
        r#type: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        re: Option<&'a RequestId>,
        room_id: RoomId,
        gap: bool,
    }
    /// The longest tail, with two numbers of 20 digits.
    const TAIL: usize = r#"],"from":,"to":,"more":false}"#.len() + 40;
    const AT: usize = r#","at":"#.len() + 20;

    let (mut written, mut range, mut more) = (0, None, more);
    let fits = framing.write(out, |out| {
        let end = out.len() + MAX_PAYLOAD - TAIL;
        let head =
            Head { r#type: "SCHistory", re: history.re, room_id: history.room, gap: history.gap };
        serde_json::to_writer(&mut *out, &head).expect("strings and integers always serialize");
        out.pop();
        out.extend_from_slice(br#","events":["#);
        for Event { seq, at, payload } in events {
            if out.len() + payload.len() + AT + 1 > end {
                more = true;
                break;
            }
            if written > 0 {
                out.push(b',');
            }
            let object = payload.strip_suffix(b"}").unwrap_or(payload);
            out.extend_from_slice(object);
            out.extend_from_slice(format!(r#","at":{at}}}"#).as_bytes());
            written += 1;
            range = Some((range.map_or(seq, |(from, _)| from), seq));
        }
        out.push(b']');
        if let Some((from, to)) = range {
            out.extend_from_slice(format!(r#","from":{from},"to":{to}"#).as_bytes());
        }
        out.extend_from_slice(format!(r#","more":{more}}}"#).as_bytes());
    });
    debug_assert!(fits.is_ok(), "there is room for the tail");
    written
}
