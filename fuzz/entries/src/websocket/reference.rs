//! A straightforward reading of RFC 6455, byte by byte.

use chat_proto::websocket::{Peer, Violation};

use super::Owned;

/// The events of a stream, and the violation that ends them, if any, each with the number of bytes after which it is
/// certain.
pub(super) fn read(
    stream: &[u8],
    peer: Peer,
    max: usize,
) -> Vec<(usize, Result<Owned, Violation>)> {
    let mut reference = Reference { stream, at: 0, peer, max, events: Vec::new(), message: None };
    let violation = reference.run();
    let at = reference.at;
    let mut events = reference.events;
    events.extend(violation.map(|violation| (at, Err(violation))));
    events
}

struct Reference<'a> {
    stream: &'a [u8],
    at: usize,
    peer: Peer,
    max: usize,
    events: Vec<(usize, Result<Owned, Violation>)>,
    /// The current message: whether it is a text, and its payload so far.
    message: Option<(bool, Vec<u8>)>,
}

impl Reference<'_> {
    /// Reads up to a violation. Returns `None` at a close, and where the stream breaks off.
    fn run(&mut self) -> Option<Violation> {
        loop {
            let first = self.next()?;
            let (is_final, opcode) = (first >= 0x80, first & 15);
            let violation = match (opcode, &self.message) {
                _ if first & 0x70 != 0 => Some(Violation::ReservedBits),
                (3..8 | 11.., _) => Some(Violation::UnknownOpcode),
                (8.., _) if !is_final => Some(Violation::FragmentedControl),
                (0, None) => Some(Violation::NothingToContinue),
                (1 | 2, Some(_)) => Some(Violation::Interrupted),
                _ => None,
            };
            if violation.is_some() {
                return violation;
            }
            let second = self.next()?;
            match (self.peer, second >= 0x80) {
                (Peer::Client, false) => return Some(Violation::Unmasked),
                (Peer::Server, true) => return Some(Violation::Masked),
                _ => {}
            }
            let short = second & 0x7f;
            if opcode >= 8 && short > 125 {
                return Some(Violation::LongControl);
            }
            if opcode == 8 && short == 1 {
                return Some(Violation::InvalidClose);
            }
            let (len, least) = match short {
                126 => (self.number(2)?, 126),
                127 => (self.number(8)?, 65_536),
                len => (u64::from(len), 0),
            };
            if len < least {
                return Some(Violation::NonMinimalLength);
            }
            if len >= 1 << 63 {
                return Some(Violation::InvalidLength);
            }
            let before = self.message.as_ref().map_or(0, |(_, payload)| payload.len() as u64);
            if opcode < 8 && before + len > self.max as u64 {
                return Some(Violation::TooLong);
            }
            let mut mask = [0; 4];
            if self.peer == Peer::Client {
                for byte in &mut mask {
                    *byte = self.next()?;
                }
            }
            let violation = match opcode {
                8.. => self.control(opcode, len, mask)?,
                _ => self.data(opcode, is_final, len, mask)?,
            };
            if violation.is_some() || opcode == 8 {
                return violation;
            }
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = *self.stream.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn push(&mut self, event: Owned) {
        self.events.push((self.at, Ok(event)));
    }

    fn number(&mut self, bytes: usize) -> Option<u64> {
        let mut number = 0;
        for _ in 0..bytes {
            number = number << 8 | u64::from(self.next()?);
        }
        Some(number)
    }

    /// Returns `None` where the stream breaks off, and otherwise the violation, if any.
    fn control(&mut self, opcode: u8, len: u64, mask: [u8; 4]) -> Option<Option<Violation>> {
        let mut payload = Vec::new();
        for i in 0..len as usize {
            payload.push(self.next()? ^ mask[i % 4]);
        }
        let event = match (opcode, &payload[..]) {
            (8, []) => Owned::Close(None),
            (8, [high, low, reason @ ..]) => {
                let code = u16::from_be_bytes([*high, *low]);
                if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                    return Some(Some(Violation::InvalidClose));
                }
                if str::from_utf8(reason).is_err() {
                    return Some(Some(Violation::InvalidUtf8));
                }
                Owned::Close(Some(code))
            }
            (9, _) => Owned::Ping(payload),
            _ => Owned::Pong,
        };
        self.push(event);
        Some(None)
    }

    /// Returns `None` where the stream breaks off, and otherwise the violation, if any.
    fn data(
        &mut self,
        opcode: u8,
        is_final: bool,
        len: u64,
        mask: [u8; 4],
    ) -> Option<Option<Violation>> {
        let (is_text, mut payload) = self.message.take().unwrap_or((opcode == 1, Vec::new()));
        for i in 0..len as usize {
            payload.push(self.next()? ^ mask[i % 4]);
            if is_text && !may_go_on(&payload) {
                return Some(Some(Violation::InvalidUtf8));
            }
        }
        if !is_final {
            self.message = Some((is_text, payload));
            self.push(Owned::Fragment);
        } else if !is_text {
            self.push(Owned::Binary(payload));
        } else if str::from_utf8(&payload).is_ok() {
            self.push(Owned::Text(payload));
        } else {
            return Some(Some(Violation::InvalidUtf8));
        }
        Some(None)
    }
}

/// Whether bytes are the beginning of a valid text.
fn may_go_on(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}
