//! The two framings of a server's output.

use crate::frame::{FrameTooLong, HEADER_LEN, frame_len, write_frame};
use crate::websocket::{message_header_len, message_len, write_message};

/// How payloads are framed on their way to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Framing {
    /// A length of two bytes, big-endian: see [`write_frame`].
    #[default]
    Length,
    /// A text message of a WebSocket (RFC 6455, 5.2), unmasked, as servers send it.
    WebSocket,
}

impl Framing {
    /// Appends one frame to `out`; `payload` appends the payload.
    ///
    /// # Errors
    /// [`FrameTooLong`] when the payload is longer than [`MAX_PAYLOAD`](crate::MAX_PAYLOAD); `out` is then unchanged.
    #[inline]
    pub fn write(
        self,
        out: &mut Vec<u8>,
        payload: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), FrameTooLong> {
        match self {
            Self::Length => write_frame(out, payload),
            Self::WebSocket => write_message(out, payload),
        }
    }

    /// The payload of a frame that was written by [`Framing::write`].
    pub fn payload(self, frame: &[u8]) -> &[u8] {
        let header = match self {
            Self::Length => HEADER_LEN,
            Self::WebSocket => message_header_len(frame),
        };
        frame.get(header..).unwrap_or_default()
    }

    /// The length of the frame at the start of `bytes`, header included; `None` before the header is
    /// complete. `bytes` were written by [`Framing::write`].
    pub fn frame_len(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Length => frame_len(bytes),
            Self::WebSocket => message_len(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_PAYLOAD;

    #[test]
    fn what_does_not_fit_a_frame_fits_no_message() {
        for framing in [Framing::Length, Framing::WebSocket] {
            let mut out = b"before".to_vec();
            let result = framing.write(&mut out, |out| out.resize(out.len() + MAX_PAYLOAD + 1, 0));
            assert_eq!(result, Err(FrameTooLong { len: MAX_PAYLOAD + 1 }));
            assert_eq!(out, b"before");
        }
    }

    #[test]
    fn the_payload_of_a_frame_is_what_was_written() {
        for framing in [Framing::Length, Framing::WebSocket] {
            for len in [0, 1, 125, 126, MAX_PAYLOAD] {
                let mut out = Vec::new();
                framing.write(&mut out, |out| out.resize(out.len() + len, b'x')).expect("it fits");
                assert_eq!(framing.payload(&out), vec![b'x'; len]);
            }
        }
    }
}
