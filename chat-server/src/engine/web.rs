//! Browsers: answers to HTTP requests, and the pongs and closes of a WebSocket.

use super::Engine;
use super::state::Workers;
use crate::connection::{Form, Head};
use crate::net::{ConnKey, Instant, Socket, StreamState};
use crate::stats::CloseReason;
use crate::web::Status;

/// The time that answering a request takes, in the units of `state::read_time`.
const ANSWER: usize = 60;

impl<S: Socket, W: Workers> Engine<S, W> {
    /// Answers an HTTP request or the pings of a WebSocket, if any have arrived.
    pub(super) fn advance_web(&mut self, now: Instant, key: ConnKey) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if let Some(head) = connection.take_head() {
            return self.answer_request(key, &head);
        }
        let added = connection.push_replies();
        if added > 0 {
            connection.outbound.charge_answer(now, self.egress.answers, added);
            self.enqueue_flush(key);
        }
    }

    fn answer_request(&mut self, key: ConnKey, head: &Head) {
        let Some(site) = &self.site else { return };
        let Some(connection) = self.connections.get_mut(key) else { return };
        self.ingress.spend(ANSWER);
        let answer = if connection.state() == StreamState::Refused {
            site.redirect(&head.bytes)
        } else {
            site.answer(&head.bytes, head.is_followed)
        };
        if answer.end.is_none() {
            connection.upgrade();
        }
        connection.outbound.send.push_bytes(&answer.bytes);
        self.enqueue_flush(key);
        if let Some(reason) = answer.end {
            self.begin_close(key, reason);
        }
    }

    /// Appends the last output to a browser whose connection closes for this reason: the close of a WebSocket, or the
    /// response to an incomplete request.
    pub(super) fn push_web_close(&mut self, key: ConnKey, reason: CloseReason) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        match connection.outbound.form() {
            Form::Frames => {}
            Form::WebSocket => connection.outbound.push_close(close_code(reason)),
            Form::Http { is_head } => {
                let status = match reason {
                    CloseReason::FrameTimeout => Status::RequestTimeout,
                    CloseReason::Stopped => Status::ServiceUnavailable,
                    CloseReason::ServerFull => Status::Full,
                    CloseReason::TooManyFromAddress => Status::TooManyRequests,
                    _ => return,
                };
                if connection.outbound.send.is_empty() {
                    connection.outbound.send.push_bytes(&status.response(is_head));
                }
            }
        }
    }
}

/// The code to close a WebSocket with (RFC 6455, 7.4.1).
fn close_code(reason: CloseReason) -> u16 {
    match reason {
        CloseReason::Stopped => 1001,
        CloseReason::Internal => 1011,
        CloseReason::PeerEnded | CloseReason::PeerEndedInFrame | CloseReason::Lost => 1000,
        _ => 1008,
    }
}
