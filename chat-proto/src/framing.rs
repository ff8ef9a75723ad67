//! The two ways in which a server frames what it sends.

use crate::frame::{FrameTooLong, HEADER_LEN, MAX_PAYLOAD, frame_len, write_frame};

/// How payloads are framed on their way to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Framing {
    /// A length of two bytes, big-endian: see [`write_frame`].
    #[default]
    Length,
    /// A text message of a WebSocket (RFC 6455, 5.2), unmasked, as servers send it.
    WebSocket,
}

/// The first byte of a text message that is not fragmented.
const TEXT: u8 = 0x81;

/// The second byte if the length follows in two bytes, as it does from [`SHORT`] on.
const LENGTH_FOLLOWS: u8 = 126;
const SHORT: usize = 126;

impl Framing {
    /// Appends one frame to `out`; `payload` appends the payload.
    ///
    /// # Errors
    /// [`FrameTooLong`] when the payload is longer than [`MAX_PAYLOAD`]; `out` is then unchanged.
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

    /// The length of the frame at the start of `bytes`, header included; `None` before the header is
    /// complete. `bytes` were written by [`Framing::write`].
    pub fn frame_len(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Length => frame_len(bytes),
            Self::WebSocket => match *bytes {
                [_, LENGTH_FOLLOWS, high, low, ..] => {
                    Some(2 + HEADER_LEN + usize::from(u16::from_be_bytes([high, low])))
                }
                [_, LENGTH_FOLLOWS, ..] => None,
                [_, len, ..] => Some(2 + usize::from(len)),
                _ => None,
            },
        }
    }
}

/// A message of [`SHORT`] bytes or more is two bytes before the plain frame; a shorter one has to take the shorter
/// header.
fn write_message(
    out: &mut Vec<u8>,
    payload: impl FnOnce(&mut Vec<u8>),
) -> Result<(), FrameTooLong> {
    const LONG_HEADER: usize = 2 + HEADER_LEN;
    const SHORT_HEADER: usize = 2;

    let start = out.len();
    out.extend_from_slice(&[TEXT, LENGTH_FOLLOWS, 0, 0]);
    payload(out);
    let len = out.len() - start - LONG_HEADER;
    if len > MAX_PAYLOAD {
        out.truncate(start);
        return Err(FrameTooLong { len });
    }
    let [high, low] = (len as u16).to_be_bytes();
    if len < SHORT {
        out[start + 1] = low;
        out.copy_within(start + LONG_HEADER.., start + SHORT_HEADER);
        out.truncate(start + SHORT_HEADER + len);
    } else {
        out[start + 2] = high;
        out[start + 3] = low;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_shortest_header_and_its_length_can_be_read() {
        for (len, header) in [
            (0, &[0x81, 0][..]),
            (1, &[0x81, 1]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (256, &[0x81, 126, 1, 0]),
            (MAX_PAYLOAD, &[0x81, 126, 0xff, 0xff]),
        ] {
            let payload: Vec<u8> = (0..len).map(|n| n as u8).collect();
            let mut out = b"before".to_vec();
            let written = Framing::WebSocket.write(&mut out, |out| out.extend_from_slice(&payload));
            assert_eq!(written, Ok(()));
            let frame = &out[b"before".len()..];
            assert_eq!(frame, [header, &payload].concat(), "{len}");
            for cut in 0..header.len() {
                assert_eq!(Framing::WebSocket.frame_len(&frame[..cut]), None);
            }
            assert_eq!(Framing::WebSocket.frame_len(frame), Some(frame.len()));
        }
    }

    #[test]
    fn what_does_not_fit_a_frame_fits_no_message() {
        for framing in [Framing::Length, Framing::WebSocket] {
            let mut out = b"before".to_vec();
            let result = framing.write(&mut out, |out| out.resize(out.len() + MAX_PAYLOAD + 1, 0));
            assert_eq!(result, Err(FrameTooLong { len: MAX_PAYLOAD + 1 }));
            assert_eq!(out, b"before");
        }
    }
}
