//! The protocol of a virtual client: frames, or, like a browser, HTTP followed by messages of a WebSocket.

use chat_proto::websocket::{self, Decoder, Event, Opcode, Peer};
use chat_proto::{FrameDecoder, HEADER_LEN, MAX_PAYLOAD};

/// The protocol of a client.
pub(super) enum Form {
    Frames(FrameDecoder),
    Browser(Box<Browser>),
}

/// A browser's side of a WebSocket.
pub(super) struct Browser {
    /// The response to the request, until it is complete.
    head: Option<Vec<u8>>,
    decoder: Decoder,
    /// Whether the server has closed the WebSocket: nothing more may come.
    has_closed: bool,
    /// Whether the response was not an upgrade. The rest is text for people.
    is_refused: bool,
}

/// The refusals sent to browsers over HTTP, with the codes that plain clients get.
const REFUSALS: [(&str, &str); 4] = [
    ("HTTP/1.1 408 ", r#"{"type":"SCSystemMessage","text":"","code":"frame-timeout"}"#),
    ("HTTP/1.1 429 ", r#"{"type":"SCSystemMessage","text":"","code":"too-many-from-address"}"#),
    (
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After:",
        r#"{"type":"SCSystemMessage","text":"","code":"server-full"}"#,
    ),
    ("HTTP/1.1 503 ", r#"{"type":"SCSystemMessage","text":"","code":"server-stopping"}"#),
];

impl Form {
    pub(super) fn frames() -> Self {
        Self::Frames(FrameDecoder::new())
    }

    pub(super) fn browser() -> Self {
        let decoder = Decoder::new(Peer::Server, MAX_PAYLOAD);
        Self::Browser(Box::new(Browser {
            head: Some(Vec::new()),
            decoder,
            has_closed: false,
            is_refused: false,
        }))
    }

    pub(super) fn is_browser(&self) -> bool {
        matches!(self, Self::Browser(_))
    }

    /// Whether the response to the request is still awaited: nothing may be sent before it.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self, Self::Browser(browser) if browser.head.is_some())
    }

    /// Encodes the payload of a frame for sending.
    pub(super) fn encode(&self, frame: &[u8]) -> Vec<u8> {
        match self {
            Self::Frames(_) => frame.to_vec(),
            Self::Browser(_) => {
                let mut out = Vec::new();
                websocket::write_masked(&mut out, Opcode::Text, *b"MASK", &frame[HEADER_LEN..]);
                out
            }
        }
    }

    /// Whether what has been received ends in the middle of a message.
    pub(super) fn is_partial(&self) -> bool {
        match self {
            Self::Frames(decoder) => !decoder.buffered().is_empty(),
            Self::Browser(browser) => {
                browser.head.as_ref().is_some_and(|head| !head.is_empty())
                    || !browser.decoder.is_between_messages()
            }
        }
    }

    /// Decodes what was received.
    pub(super) fn decode(&mut self, bytes: &[u8], mut hear: impl FnMut(&[u8])) {
        let mut bytes = bytes.to_vec();
        if let Self::Browser(browser) = self
            && let Some(head) = &mut browser.head
        {
            head.append(&mut bytes);
            if head.starts_with(b"\0") {
                // It was refused before it could ask.
                bytes = std::mem::take(head);
                *self = Self::frames();
            } else if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
                bytes = head.split_off(end + 4);
                let text = String::from_utf8_lossy(head).into_owned();
                browser.head = None;
                if !text.starts_with("HTTP/1.1 101 ") {
                    let refusal = REFUSALS.iter().find(|(status, _)| text.starts_with(status));
                    let (_, told) = refusal.unwrap_or_else(|| panic!("I15: {text}"));
                    browser.is_refused = true;
                    return hear(told.as_bytes());
                }
            } else {
                return;
            }
        }
        match self {
            Self::Frames(decoder) => {
                let mut frames = decoder.feed(&bytes);
                while let Some(payload) = frames.next_frame() {
                    hear(payload);
                }
            }
            Self::Browser(browser) if browser.is_refused => {}
            Self::Browser(browser) => {
                let mut events = browser.decoder.feed(&mut bytes);
                while let Some(event) = events.next_event() {
                    assert!(!browser.has_closed, "I15: something after the close");
                    match event.expect("I15: a message") {
                        Event::Text(payload) => hear(payload.as_bytes()),
                        Event::Close(_) => browser.has_closed = true,
                        other => panic!("I15: {other:?}"),
                    }
                }
            }
        }
    }
}
