//! Messages of a WebSocket as input: the same requests as in frames, and control frames.

use chat_proto::websocket::{self, Event};

use super::input::{Input, WebInput};
use super::{Accepted, Closing, Inbound, InboundLimits, Standing, Verdict};
use crate::net::Instant;
use crate::stats::CloseReason;
use crate::workers::Request;

/// The code for a message that is not a text (RFC 6455, 7.4.1).
const UNSUPPORTED: u16 = 1003;

/// The code for a close that gave none.
const NORMAL: u16 = 1000;

impl Inbound {
    /// Like [`Inbound::accept`], for input from a browser.
    #[inline(never)]
    pub(super) fn accept_web(
        &mut self,
        now: Instant,
        limits: &InboundLimits,
        bytes: &mut [u8],
        requests: &mut Vec<Request>,
    ) -> Accepted {
        let most = self.commands.left(now, limits.commands).min(limits.frames_per_turn);
        let Input::Web(web) = &mut self.input else { return Accepted::NOTHING };
        let (decoder, replies, within) = match &mut **web {
            head @ WebInput::Head { .. } => {
                head.add_to_head(bytes);
                self.note_incomplete(now, false);
                return Accepted::NOTHING;
            }
            WebInput::Messages { decoder, replies, within } => (decoder, replies, within),
        };
        let (mut count, mut accepted, mut verdict) = (0, Accepted::NOTHING, Verdict::Chat);
        // Neither a fragment nor a ping within a message gives that message more time.
        let mut is_completed = false;
        let mut standing =
            Standing { bad_frames: &mut self.bad_frames, dialect: &mut self.dialect };
        // A control frame between messages completes what was incomplete; one within a message does not.
        let mut is_in_message = decoder.is_in_message();
        let mut events = decoder.feed(bytes);
        while count < most && verdict == Verdict::Chat && accepted.closing.is_none() {
            let Some(event) = events.next_event() else { break };
            count += 1;
            let close = |reason, code| Some(Closing { reason, code: Some(code) });
            match event {
                Ok(Event::Text(payload)) => {
                    (is_completed, is_in_message, *within) = (true, false, 0);
                    accepted.bytes += chat_proto::HEADER_LEN + payload.len();
                    verdict = standing.accept(now, limits, Ok(payload), requests);
                    if verdict == Verdict::Violation {
                        accepted.closing = Some(Closing::for_bad_input());
                    }
                }
                Ok(Event::Ping(payload)) => {
                    is_completed |= !is_in_message;
                    *within += u32::from(is_in_message);
                    accepted.bytes += payload.len();
                    websocket::write_pong(replies, payload);
                }
                Ok(Event::Binary(_)) => {
                    accepted.closing = close(CloseReason::BadInput, UNSUPPORTED);
                }
                Ok(Event::Close(code)) => {
                    accepted.closing = close(CloseReason::PeerEnded, code.unwrap_or(NORMAL));
                }
                Err(violation) => {
                    accepted.closing = close(CloseReason::BadInput, violation.close_code());
                }
                // Fragments count as commands, whose number is limited.
                Ok(Event::Fragment) => {
                    is_in_message = true;
                    *within += 1;
                }
                Ok(_) => {
                    is_completed |= !is_in_message;
                    *within += u32::from(is_in_message);
                }
            }
        }
        events.buffer_rest();
        self.charge(now, limits, count, accepted.bytes);
        self.note_incomplete(now, is_completed);
        accepted
    }
}
