//! Frames that a server writes and, for tests and other clients, those that a client writes. One per message.

use super::header::{FINAL, LENGTH_16, LENGTH_64, MASKED, MAX_CONTROL, Opcode};
use super::mask;
use crate::frame::FrameTooLong;

/// The header of a message of 126 bytes or more. A shorter one has 2 bytes.
const LONG_HEADER: usize = 4;

/// Appends one text message of a server to `out`, in one frame; `payload` appends the payload, which must be UTF-8.
///
/// # Errors
/// [`FrameTooLong`] when the payload is longer than [`MAX_PAYLOAD`](crate::MAX_PAYLOAD); `out` is then
/// unchanged.
pub fn write_message(
    out: &mut Vec<u8>,
    payload: impl FnOnce(&mut Vec<u8>),
) -> Result<(), FrameTooLong> {
    let start = out.len();
    out.extend_from_slice(&[FINAL | Opcode::Text as u8, LENGTH_16, 0, 0]);
    let payload_start = out.len();
    payload(out);
    let len = out.len() - payload_start;
    let Ok(long) = u16::try_from(len) else {
        out.truncate(start);
        return Err(FrameTooLong { len });
    };
    if long < LENGTH_16.into() {
        // Few messages are this short, and moving one costs little compared with writing it.
        out[start + 1] = len as u8;
        drop(out.drain(start + 2..payload_start));
    } else {
        out[start + 2..payload_start].copy_from_slice(&long.to_be_bytes());
    }
    Ok(())
}

/// Appends a server's answer to a ping with this payload.
pub fn write_pong(out: &mut Vec<u8>, payload: &[u8]) {
    write_unmasked(out, Opcode::Pong, payload);
}

/// Appends a server's close with a status code and a reason, cut to 123 bytes.
pub fn write_close(out: &mut Vec<u8>, code: u16, reason: &str) {
    let code = code.to_be_bytes();
    let mut len = reason.len().min(MAX_CONTROL - code.len());
    while !reason.is_char_boundary(len) {
        len -= 1;
    }
    write_header(out, Opcode::Close, 0, code.len() + len);
    out.extend_from_slice(&code);
    out.extend_from_slice(&reason.as_bytes()[..len]);
}

/// Appends a server's frame to `out`, the only one of its message. A ping has at most 125 bytes.
pub fn write_unmasked(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8]) {
    write_header(out, opcode, 0, payload.len());
    out.extend_from_slice(payload);
}

/// Appends a client's frame to `out`, the only one of its message, masked with `mask`. A ping has at most 125 bytes.
pub fn write_masked(out: &mut Vec<u8>, opcode: Opcode, mask: [u8; 4], payload: &[u8]) {
    write_header(out, opcode, MASKED, payload.len());
    out.extend_from_slice(&mask);
    let start = out.len();
    out.extend_from_slice(payload);
    mask::apply(mask, &mut out[start..]);
}

fn write_header(out: &mut Vec<u8>, opcode: Opcode, masked: u8, len: usize) {
    out.push(FINAL | opcode as u8);
    match len {
        ..126 => out.push(masked | len as u8),
        126..0x1_0000 => {
            out.push(masked | LENGTH_16);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(masked | LENGTH_64);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

/// The length of the server's frame at the start of `bytes`, header included; `None` before its header is complete.
/// Validates nothing: it is for walking over the output of these functions, with payloads of at most
/// [`MAX_PAYLOAD`](crate::MAX_PAYLOAD) bytes.
pub fn message_len(bytes: &[u8]) -> Option<usize> {
    match *bytes.get(1)? {
        LENGTH_16 => {
            let len = bytes[2..].first_chunk()?;
            Some(LONG_HEADER + usize::from(u16::from_be_bytes(*len)))
        }
        len => Some(2 + usize::from(len)),
    }
}

/// The length of the header of such a frame.
pub(crate) fn message_header_len(frame: &[u8]) -> usize {
    if frame.get(1) == Some(&LENGTH_16) { LONG_HEADER } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MAX_PAYLOAD, write_frame};

    fn message(len: usize) -> Vec<u8> {
        let mut out = b"before".to_vec();
        write_message(&mut out, |out| out.resize(out.len() + len, b'x')).expect("it fits");
        out.split_off(6)
    }

    #[test]
    fn a_message_has_the_shortest_header() {
        for (len, header) in [
            (0, &[0x81, 0][..]),
            (1, &[0x81, 1]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (258, &[0x81, 126, 1, 2]),
            (MAX_PAYLOAD, &[0x81, 126, 0xff, 0xff]),
        ] {
            let message = message(len);
            assert!(message.starts_with(header), "{len}: {:?}", &message[..header.len()]);
            assert_eq!(message[header.len()..], vec![b'x'; len]);
            for end in 0..header.len() {
                assert_eq!(message_len(&message[..end]), None);
            }
            assert_eq!(message_len(&message), Some(message.len()));
        }
    }

    #[test]
    fn a_message_from_126_bytes_on_is_two_bytes_and_the_plain_frame() {
        for len in [126, MAX_PAYLOAD] {
            let mut plain = vec![0x81, 0x7e];
            write_frame(&mut plain, |out| out.resize(out.len() + len, b'x')).expect("it fits");
            assert_eq!(message(len), plain);
        }
    }

    #[test]
    fn a_reason_that_is_too_long_is_cut_between_two_characters() {
        let mut out = Vec::new();
        write_close(&mut out, 1008, &"한".repeat(42));
        assert_eq!(out[..4], [0x88, 125, 3, 240], "41 characters of 3 bytes, and the code");
        assert_eq!(str::from_utf8(&out[4..]), Ok("한".repeat(41).as_str()));
        assert_eq!(message_len(&out), Some(out.len()));
    }
}
