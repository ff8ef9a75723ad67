//! The header of a frame: 2 to 14 bytes that say what the frame is, how long it is, and how it is masked.

use super::violation::Violation;

/// The longest header in bytes: two, a length of eight, and a mask.
pub(super) const MAX_HEADER: usize = 14;

/// The longest payload of a close, ping or pong in bytes.
pub(super) const MAX_CONTROL: usize = 125;

/// In the first byte: the last frame of a message.
pub(super) const FINAL: u8 = 0x80;
/// In the second byte: a mask follows the length.
pub(super) const MASKED: u8 = 0x80;
/// In the second byte: the length follows in 2 bytes, or in 8.
pub(super) const LENGTH_16: u8 = 126;
pub(super) const LENGTH_64: u8 = 127;

const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0f;

/// The sender of a stream. A client masks its frames, a server must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Its frames are masked.
    Client,
    /// Its frames are not masked.
    Server,
}

/// The kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// The next part of a fragmented message.
    Continuation = 0x0,
    /// A text, or the first part of one.
    Text = 0x1,
    /// Bytes, or the first part of them.
    Binary = 0x2,
    /// The last frame of its sender.
    Close = 0x8,
    /// A question, to be answered by a pong with the same payload.
    Ping = 0x9,
    /// An answer to a ping, or an unsolicited sign of life.
    Pong = 0xa,
}

impl Opcode {
    fn new(first: u8) -> Result<Self, Violation> {
        Ok(match first & OPCODE {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xa => Self::Pong,
            _ => return Err(Violation::UnknownOpcode),
        })
    }

    /// Whether frames of this kind may stand between the fragments of a message.
    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// What the state of the stream allows the next frame to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) peer: Peer,
    /// A fragmented message has begun.
    pub(super) in_message: bool,
    /// The longest payload that a frame of a message may have.
    pub(super) max_payload: usize,
}

/// A header that is valid in its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) opcode: Opcode,
    pub(super) is_final: bool,
    /// Zeros if the frame is not masked.
    pub(super) mask: [u8; 4],
    /// The length of the payload.
    pub(super) payload: usize,
    /// The length of the header itself.
    pub(super) len: usize,
}

impl Header {
    /// Parses the header at the start of `bytes`. Returns `None` when it is not complete.
    ///
    /// Checks each of the first two bytes as soon as it is there, and the length once it is complete, before the mask;
    /// more bytes never change the violation.
    pub(super) fn parse(bytes: &[u8], rules: Rules) -> Result<Option<Self>, Violation> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        let (opcode, is_final) = parse_first(first, rules)?;
        let Some(&second) = bytes.get(1) else { return Ok(None) };
        check_second(second, opcode, rules)?;
        let Some((payload, len)) = parse_length(bytes, second & !MASKED)? else { return Ok(None) };
        // `check_second` has limited the length of control frames.
        let payload = usize::try_from(payload).unwrap_or(usize::MAX);
        if !opcode.is_control() && payload > rules.max_payload {
            return Err(Violation::TooLong);
        }
        let (mask, len) = match rules.peer {
            Peer::Server => ([0; 4], len),
            Peer::Client => match bytes[len..].first_chunk() {
                Some(mask) => (*mask, len + mask.len()),
                None => return Ok(None),
            },
        };
        Ok(Some(Self { opcode, is_final, mask, payload, len }))
    }
}

fn parse_first(first: u8, rules: Rules) -> Result<(Opcode, bool), Violation> {
    if first & RESERVED != 0 {
        return Err(Violation::ReservedBits);
    }
    let (opcode, is_final) = (Opcode::new(first)?, first & FINAL != 0);
    match opcode {
        Opcode::Continuation if !rules.in_message => Err(Violation::NothingToContinue),
        Opcode::Text | Opcode::Binary if rules.in_message => Err(Violation::Interrupted),
        _ if opcode.is_control() && !is_final => Err(Violation::FragmentedControl),
        _ => Ok((opcode, is_final)),
    }
}

fn check_second(second: u8, opcode: Opcode, rules: Rules) -> Result<(), Violation> {
    let (is_masked, len) = (second & MASKED != 0, second & !MASKED);
    match rules.peer {
        Peer::Client if !is_masked => Err(Violation::Unmasked),
        Peer::Server if is_masked => Err(Violation::Masked),
        _ if opcode.is_control() && usize::from(len) > MAX_CONTROL => Err(Violation::LongControl),
        // A status code takes two bytes.
        _ if opcode == Opcode::Close && len == 1 => Err(Violation::InvalidClose),
        _ => Ok(()),
    }
}

/// The length of the payload, and the length of the header up to there; `None` when incomplete. `short` is the length
/// in the second byte.
fn parse_length(bytes: &[u8], short: u8) -> Result<Option<(u64, usize)>, Violation> {
    match short {
        LENGTH_16 => {
            let Some(len) = bytes[2..].first_chunk() else { return Ok(None) };
            match u16::from_be_bytes(*len) {
                ..126 => Err(Violation::NonMinimalLength),
                len => Ok(Some((len.into(), 4))),
            }
        }
        LENGTH_64 => {
            let Some(len) = bytes[2..].first_chunk() else { return Ok(None) };
            match u64::from_be_bytes(*len) {
                ..0x1_0000 => Err(Violation::NonMinimalLength),
                0x8000_0000_0000_0000.. => Err(Violation::InvalidLength),
                len => Ok(Some((len, 10))),
            }
        }
        len => Ok(Some((len.into(), 2))),
    }
}
