//! The protocol that a client of the soak speaks: frames, messages of a WebSocket, or something else. In any case,
//! callers send whole frames and parts of them, and receive payloads.

use chat_proto::websocket::{Decoder, Event, Opcode, Peer, write_masked};
use chat_proto::{FrameDecoder, HEADER_LEN, MAX_PAYLOAD};

use crate::load::websocket;

/// The protocol that a client is to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speech {
    Frames,
    WebSocket,
    /// Something else, whose response must begin with this.
    Other(&'static [u8]),
}

/// The protocol that a client speaks, with what has begun to arrive.
#[derive(Debug)]
pub(super) enum Form {
    Frames(FrameDecoder),
    WebSocket(Box<WebSocket>),
    Other { wanted: &'static [u8], answer: Vec<u8> },
}

/// A WebSocket, beginning with its request.
#[derive(Debug)]
pub(super) struct WebSocket {
    /// The response to the request, until it is complete.
    head: Option<Vec<u8>>,
    /// Bytes to be sent once it is complete.
    held: Vec<u8>,
    decoder: Decoder,
    /// The number of messages sent, each with a different mask.
    sent: u32,
    /// Whether a message has begun and will never end.
    is_cut: bool,
    /// Whether the server has closed it.
    is_closed: bool,
}

impl Form {
    pub(super) fn new(speech: Speech) -> Self {
        match speech {
            Speech::Frames => Self::Frames(FrameDecoder::new()),
            Speech::Other(wanted) => Self::Other { wanted, answer: Vec::new() },
            Speech::WebSocket => Self::WebSocket(Box::new(WebSocket {
                head: Some(Vec::new()),
                held: Vec::new(),
                decoder: Decoder::new(Peer::Server, MAX_PAYLOAD),
                sent: 0,
                is_cut: false,
                is_closed: false,
            })),
        }
    }

    /// Encodes `frames` for the connection. The last frame may be incomplete.
    pub(super) fn encode(&mut self, frames: &[u8]) -> Vec<u8> {
        match self {
            Self::Frames(_) | Self::Other { .. } => frames.to_vec(),
            Self::WebSocket(websocket) => websocket.encode(frames),
        }
    }

    /// Returns what ends a conversation, before the end of the stream.
    pub(super) fn close(&mut self) -> Vec<u8> {
        match self {
            Self::WebSocket(websocket) if !websocket.is_cut => {
                let mut out = Vec::new();
                write_masked(&mut out, Opcode::Close, websocket.mask(), &1000_u16.to_be_bytes());
                out
            }
            _ => Vec::new(),
        }
    }

    /// Keeps bytes that cannot be sent yet. Returns whether it did.
    pub(super) fn hold(&mut self, bytes: &[u8]) -> bool {
        match self {
            Self::WebSocket(websocket) if websocket.head.is_some() => {
                websocket.held.extend_from_slice(bytes);
                true
            }
            _ => false,
        }
    }

    /// Whether bytes are kept that cannot be sent yet.
    pub(super) fn is_holding(&self) -> bool {
        matches!(self, Self::WebSocket(websocket) if !websocket.held.is_empty())
    }

    /// Decodes what was received, and passes each complete payload to `on`. Returns the bytes that were kept, once
    /// they can be sent.
    ///
    /// # Errors
    /// What is wrong with it, or what `on` finds wrong.
    pub(super) fn receive(
        &mut self,
        bytes: &mut [u8],
        on: &mut dyn FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<Vec<u8>, String> {
        match self {
            Self::Frames(decoder) => {
                let mut frames = decoder.feed(bytes);
                while let Some(payload) = frames.next_frame() {
                    on(payload)?;
                }
                Ok(Vec::new())
            }
            Self::Other { answer, .. } => {
                answer.extend_from_slice(bytes);
                Ok(Vec::new())
            }
            Self::WebSocket(websocket) => match &mut websocket.head {
                None => websocket.decode(bytes, on).map(|()| Vec::new()),
                Some(head) => {
                    head.extend_from_slice(bytes);
                    if head.starts_with(b"\0") {
                        // It is refused before anybody knows what it speaks.
                        let mut head = std::mem::take(head);
                        *self = Self::new(Speech::Frames);
                        return self.receive(&mut head, on);
                    }
                    websocket.open(on)
                }
            },
        }
    }

    /// Whether the stream may end here.
    ///
    /// # Errors
    /// What is wrong with everything that was received.
    pub(super) fn is_whole(&self) -> Result<bool, String> {
        match self {
            Self::Frames(decoder) => Ok(decoder.buffered().is_empty()),
            Self::WebSocket(websocket) => Ok(websocket.is_closed),
            Self::Other { wanted, answer } if answer.starts_with(wanted) => Ok(true),
            Self::Other { wanted, answer } => {
                let [answer, wanted] =
                    [answer, *wanted].map(|bytes| bytes[..bytes.len().min(100)].escape_ascii());
                Err(format!("{answer} instead of {wanted}"))
            }
        }
    }
}

impl WebSocket {
    fn mask(&mut self) -> [u8; 4] {
        self.sent += 1;
        self.sent.wrapping_mul(0x9e37_79b9).to_be_bytes()
    }

    fn encode(&mut self, mut frames: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some((header, rest)) = frames.split_first_chunk::<HEADER_LEN>() {
            let len = usize::from(u16::from_be_bytes(*header));
            let (mut payload, rest) = rest.split_at(len.min(rest.len()));
            let missing = len - payload.len();
            let padded = [payload, &vec![0; missing]].concat();
            if missing > 0 {
                payload = &padded;
            }
            write_masked(&mut out, Opcode::Text, self.mask(), payload);
            out.truncate(out.len() - missing);
            self.is_cut |= missing > 0;
            frames = rest;
        }
        if !frames.is_empty() {
            // Half a header.
            out.push(0x81);
            self.is_cut = true;
        }
        out
    }

    /// Handles the response to the request, if it is complete, and what came after it.
    fn open(&mut self, on: &mut dyn FnMut(&[u8]) -> Result<(), String>) -> Result<Vec<u8>, String> {
        let Some(head) = &mut self.head else { return Ok(Vec::new()) };
        let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(Vec::new());
        };
        let mut rest = head.split_off(end + 4);
        if !head.starts_with(b"HTTP/1.1 101 ") {
            return Err(format!("no WebSocket: {:?}", String::from_utf8_lossy(head)));
        }
        self.head = None;
        self.decode(&mut rest, on)?;
        Ok(std::mem::take(&mut self.held))
    }

    fn decode(
        &mut self,
        bytes: &mut [u8],
        on: &mut dyn FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        if self.is_closed && !bytes.is_empty() {
            return Err("something came after the close".to_owned());
        }
        let mut events = self.decoder.feed(bytes);
        while let Some(event) = events.next_event() {
            match event.map_err(|violation| violation.to_string())? {
                Event::Text(payload) => on(payload.as_bytes())?,
                Event::Close(Some(1000 | 1001 | 1008 | 1013)) => self.is_closed = true,
                other => return Err(format!("unexpected: {other:?}")),
            }
        }
        Ok(())
    }
}

/// Returns the request for a WebSocket, if the client is to speak that.
pub(super) fn request(speech: Speech, server: std::net::SocketAddr) -> Vec<u8> {
    match speech {
        Speech::WebSocket => websocket::request("/ws", server),
        Speech::Frames | Speech::Other(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_testing::frame;

    fn open() -> Form {
        let mut form = Form::new(Speech::WebSocket);
        assert!(form.hold(b"held") && form.is_holding());
        let mut head = *b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02{}";
        let mut seen = Vec::new();
        let on = &mut |payload: &[u8]| {
            seen.push(payload.to_vec());
            Ok(())
        };
        assert_eq!(form.receive(&mut head, on), Ok(b"held".to_vec()));
        assert_eq!(seen, [b"{}"]);
        assert!(!form.hold(b"x") && !form.is_holding());
        form
    }

    #[test]
    fn frames_become_messages_and_half_a_frame_half_a_message() {
        let frames = [frame("{}"), frame(""), frame("x".repeat(300))].concat();
        let half = [&frames[..], b"\0\x0ahalf"].concat();
        let mut decoder = Decoder::new(Peer::Client, MAX_PAYLOAD);
        let mut bytes = open().encode(&half);
        let mut events = decoder.feed(&mut bytes);
        for payload in ["{}", "", &"x".repeat(300)] {
            assert_eq!(events.next_event(), Some(Ok(Event::Text(payload))));
        }
        assert_eq!(events.next_event(), None);
        drop(events);
        assert!(!decoder.is_between_messages());
    }

    #[test]
    fn a_websocket_may_end_after_its_close_alone() {
        let mut form = open();
        assert_eq!(form.is_whole(), Ok(false));
        assert_eq!(form.close()[0], 0x88);
        assert_eq!(form.receive(&mut [0x88, 2, 3, 232], &mut |_| Ok(())), Ok(Vec::new()));
        assert_eq!(form.is_whole(), Ok(true));
        assert!(form.receive(&mut [0x81, 0], &mut |_| Ok(())).is_err());
        let mut cut = open();
        cut.encode(b"\0\x0ahalf");
        assert_eq!(cut.close(), b"", "it would be a part of the message");
    }

    #[test]
    fn another_answer_has_to_be_the_right_one() {
        let mut form = Form::new(Speech::Other(b"HTTP/1.1 200 "));
        assert!(form.is_whole().is_err());
        let received = form.receive(&mut b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), &mut |_| Ok(()));
        assert_eq!((received, form.is_whole()), (Ok(Vec::new()), Ok(true)));
        let wrong = Form::Other { wanted: b"HTTP/1.1 200 ", answer: b"HTTP/1.1 404 ".to_vec() };
        let error = wrong.is_whole().expect_err("another status");
        assert_eq!(error, "HTTP/1.1 404  instead of HTTP/1.1 200 ");
    }

    #[test]
    fn a_client_refused_at_once_is_told_in_a_frame() {
        let mut form = Form::new(Speech::WebSocket);
        let mut seen = Vec::new();
        let on = &mut |payload: &[u8]| {
            seen.push(payload.to_vec());
            Ok(())
        };
        assert_eq!(form.receive(&mut frame("full"), on), Ok(Vec::new()));
        assert_eq!((seen, form.is_whole()), (vec![b"full".to_vec()], Ok(true)));
    }
}
