//! The token at the start of each text: the sender, the number of the message, and the time.
//!
//! It is 33 bytes that every protocol carries unescaped: `~`, then 4 bits per byte as `a` to `p`. It is written and
//! read eight bytes at a time, so that accounting for a delivery costs a few nanoseconds.

/// The length of a token in bytes, which is also the shortest text.
pub const TOKEN_LEN: usize = 33;

const MARK: u8 = b'~';
const LETTERS: u64 = 0x6161_6161_6161_6161;
const NIBBLES: u64 = 0x0f0f_0f0f_0f0f_0f0f;

/// The identity of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The talker's index in the plan.
    pub talker: u32,
    /// The number of messages that the talker sent before.
    pub counter: u32,
    /// When it was sent, or was due, in nanoseconds of the run's clock.
    pub sent: u64,
}

impl Token {
    /// Writes the token over the first [`TOKEN_LEN`] bytes of `text`, which must be that long.
    pub fn write(&self, text: &mut [u8]) {
        text[0] = MARK;
        let words = [self.talker, self.counter, (self.sent >> 32) as u32, self.sent as u32];
        for (bytes, word) in text[1..TOKEN_LEN].chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&(spread(word) + LETTERS).to_be_bytes());
        }
    }

    /// Reads the token at the start of `bytes`.
    #[inline]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.first_chunk::<TOKEN_LEN>()?;
        if bytes[0] != MARK {
            return None;
        }
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(bytes[1..].chunks_exact(8)) {
            let letters = u64::from_be_bytes(*bytes.first_chunk()?);
            // A byte below `a` or above `p` leaves its high nibble set. Nothing is borrowed from the lowest such byte,
            // so no other byte can hide it.
            let nibbles = letters.wrapping_sub(LETTERS);
            if nibbles & !NIBBLES != 0 {
                return None;
            }
            *word = gather(nibbles);
        }
        let [talker, counter, high, low] = words;
        Some(Self { talker, counter, sent: u64::from(high) << 32 | u64::from(low) })
    }

    /// Finds the token in a frame. `hint` is its last position, which is usually right again.
    #[inline]
    pub fn find(frame: &[u8], hint: &mut usize) -> Option<Self> {
        if let Some(token) = frame.get(*hint..).and_then(Self::read) {
            return Some(token);
        }
        let at = frame.iter().position(|&byte| byte == MARK)?;
        let token = Self::read(&frame[at..])?;
        *hint = at;
        Some(token)
    }
}

/// Spreads eight nibbles to eight bytes.
const fn spread(word: u32) -> u64 {
    let x = word as u64;
    let x = (x | x << 16) & 0x0000_ffff_0000_ffff;
    let x = (x | x << 8) & 0x00ff_00ff_00ff_00ff;
    (x | x << 4) & NIBBLES
}

/// Gathers eight bytes, each a nibble, into eight nibbles.
const fn gather(nibbles: u64) -> u32 {
    let x = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
    let x = (x | x >> 8) & 0x0000_ffff_0000_ffff;
    (x | x >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(token: Token) -> [u8; TOKEN_LEN] {
        let mut text = [b'x'; TOKEN_LEN];
        token.write(&mut text);
        text
    }

    #[test]
    fn what_is_written_is_read() {
        for token in [
            Token { talker: 0, counter: 0, sent: 0 },
            Token { talker: 0x1234_5678, counter: 0x9abc_def0, sent: 0x0123_4567_89ab_cdef },
            Token { talker: u32::MAX, counter: u32::MAX, sent: u64::MAX },
        ] {
            assert_eq!(Token::read(&written(token)), Some(token));
        }
    }

    #[test]
    fn every_damaged_byte_is_noticed() {
        let text = written(Token { talker: 7, counter: 0x0f0f_0f0f, sent: 99 });
        for at in 0..TOKEN_LEN {
            for byte in (0..=255).filter(|byte| !(b'a'..=b'p').contains(byte)) {
                let mut text = text;
                let was = std::mem::replace(&mut text[at], byte);
                assert!(was == byte || Token::read(&text).is_none(), "byte {byte} at {at}");
            }
        }
        assert_eq!(Token::read(&text[..TOKEN_LEN - 1]), None);
    }

    #[test]
    fn it_is_found_wherever_it_is_and_the_place_is_remembered() {
        let token = Token { talker: 1, counter: 2, sent: 3 };
        let mut hint = 0;
        for name in ["user9", "user10", "user10"] {
            let mut frame = format!(r#"{{"type":"SCChat","member":"{name}","text":""#).into_bytes();
            let at = frame.len();
            frame.extend_from_slice(&written(token));
            frame.extend_from_slice(br#"xxxx","roomId":1,"seq":5}"#);
            assert_eq!(Token::find(&frame, &mut hint), Some(token));
            assert_eq!(hint, at);
        }
        assert_eq!(Token::find(b"no ~ in here", &mut hint), None);
        assert_eq!(Token::find(b"", &mut hint), None);
    }
}
