//! Decodes a terminal's input into keys: UTF-8, control characters, and the escape sequences of xterm and its
//! relatives.

use chat_proto::MAX_PAYLOAD;

/// The end of a pasted text (xterm, "Bracketed Paste Mode").
const PASTE_END: &[u8] = b"\x1b[201~";

/// Anything longer is not a sequence.
const MAX_SEQUENCE: usize = 32;

const ESC: u8 = 0x1b;

/// A key, named by its effect here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    /// A pasted text, including newlines.
    Paste(String),
    /// A pasted text that is longer than any message, and is not kept.
    PasteTooLong,
    Enter,
    Tab,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Up,
    Down,
    Backspace,
    Delete,
    KillToEnd,
    KillToStart,
    KillWordLeft,
    KillWordRight,
    Yank,
    ClearScreen,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    EndOfInput,
    /// Ctrl-Z.
    Suspend,
}

/// Decodes bytes into keys, wherever they are split. Holds at most an incomplete sequence, or a pasted text up to the
/// length of a message.
#[derive(Debug, Default)]
pub(crate) struct KeyDecoder {
    held: Vec<u8>,
    pasted: Option<Pasted>,
}

/// The part of a pasted text that has arrived.
#[derive(Debug, Default)]
struct Pasted {
    /// At most [`MAX_PAYLOAD`].
    bytes: Vec<u8>,
    /// Whether there were more bytes.
    too_long: bool,
}

/// What the held bytes begin with.
enum Token {
    /// A key, or a sequence without meaning here, and its length.
    Whole(Option<Key>, usize),
    /// The mark before a pasted text, and its length.
    PasteBegins(usize),
    /// More bytes are needed.
    Incomplete,
}

impl KeyDecoder {
    /// Takes bytes and appends the keys that they complete.
    pub(crate) fn feed(&mut self, bytes: &[u8], keys: &mut Vec<Key>) {
        self.held.extend_from_slice(bytes);
        while !self.held.is_empty() {
            if self.pasted.is_some() {
                match self.take_pasted() {
                    Some(key) => keys.push(key),
                    None => return,
                }
                continue;
            }
            match first(&self.held) {
                Token::Whole(key, len) => {
                    keys.extend(key);
                    self.held.drain(..len);
                }
                Token::PasteBegins(len) => {
                    self.held.drain(..len);
                    self.pasted = Some(Pasted::default());
                }
                Token::Incomplete => return,
            }
        }
    }

    /// Whether more bytes are needed to decode the last ones.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.held.is_empty() && self.pasted.is_none()
    }

    /// Drops an incomplete sequence: after a pause, it was the Escape key or a broken sequence.
    pub(crate) fn give_up(&mut self) {
        if self.pasted.is_none() {
            self.held.clear();
        }
    }

    /// Moves the held bytes into the pasted text, and returns the text once its end has arrived.
    fn take_pasted(&mut self) -> Option<Key> {
        let pasted = self.pasted.as_mut()?;
        let end = self.held.windows(PASTE_END.len()).position(|window| window == PASTE_END);
        // A part of the end mark may have arrived.
        let kept = PASTE_END.len() - 1;
        let taken = end.unwrap_or(self.held.len().saturating_sub(kept));
        pasted.too_long |= pasted.bytes.len() + taken > MAX_PAYLOAD;
        if !pasted.too_long {
            pasted.bytes.extend_from_slice(&self.held[..taken]);
        }
        self.held.drain(..taken + end.map_or(0, |_| PASTE_END.len()));
        end?;
        let Pasted { bytes, too_long } = self.pasted.take()?;
        if too_long {
            return Some(Key::PasteTooLong);
        }
        Some(Key::Paste(String::from_utf8_lossy(&bytes).replace("\r\n", "\n").replace('\r', "\n")))
    }
}

fn first(held: &[u8]) -> Token {
    match held {
        [ESC] => Token::Incomplete,
        [ESC, b'[', rest @ ..] => csi(rest),
        [ESC, b'O'] => Token::Incomplete,
        [ESC, b'O', key, ..] => Token::Whole(arrow(*key, false), 3),
        // Another sequence begins; the Escape key by itself has no meaning.
        [ESC, ESC, ..] => Token::Whole(None, 1),
        [ESC, key, ..] => Token::Whole(alt(*key), 2),
        [byte, ..] if *byte < 0x20 || *byte == 0x7f => Token::Whole(control(*byte), 1),
        _ => character(held),
    }
}

/// Decodes what follows `ESC [`: parameters, then a final byte (ECMA-48, 5.4).
fn csi(rest: &[u8]) -> Token {
    // The function keys of the Linux console.
    if let [b'[', ..] = rest {
        return if rest.len() < 2 { Token::Incomplete } else { Token::Whole(None, 4) };
    }
    let mut parameters = rest.iter().take(MAX_SEQUENCE);
    let Some(end) = parameters.position(|byte| !(0x20..=0x3f).contains(byte)) else {
        let endless = rest.len() >= MAX_SEQUENCE;
        return if endless { Token::Whole(None, 2 + MAX_SEQUENCE) } else { Token::Incomplete };
    };
    let (parameters, last) = (&rest[..end], rest[end]);
    if !(0x40..=0x7e).contains(&last) {
        // Interrupted by a byte that begins something else.
        return Token::Whole(None, 2 + end);
    }
    let len = 2 + end + 1;
    if (parameters, last) == (b"200", b'~') {
        return Token::PasteBegins(len);
    }
    // With Alt or Ctrl, arrow keys move by words.
    let by_word = matches!(parameters, [.., b';', b'3' | b'5' | b'7']);
    let key = match (parameters.split(|&byte| byte == b';').next(), last) {
        (Some(b"1" | b"7"), b'~') => Some(Key::Home),
        (Some(b"4" | b"8"), b'~') => Some(Key::End),
        (Some(b"3"), b'~') => Some(if by_word { Key::KillWordRight } else { Key::Delete }),
        (_, last) => arrow(last, by_word),
    };
    Token::Whole(key, len)
}

fn arrow(last: u8, by_word: bool) -> Option<Key> {
    match last {
        b'A' => Some(Key::Up),
        b'B' => Some(Key::Down),
        b'C' => Some(if by_word { Key::WordRight } else { Key::Right }),
        b'D' => Some(if by_word { Key::WordLeft } else { Key::Left }),
        b'F' => Some(Key::End),
        b'H' => Some(Key::Home),
        _ => None,
    }
}

fn alt(key: u8) -> Option<Key> {
    match key {
        b'b' => Some(Key::WordLeft),
        b'f' => Some(Key::WordRight),
        b'd' => Some(Key::KillWordRight),
        0x08 | 0x7f => Some(Key::KillWordLeft),
        _ => None,
    }
}

/// The bindings of Emacs and readline.
fn control(byte: u8) -> Option<Key> {
    // A control character is its letter without the upper bits.
    let letter = char::from(byte | 0x40);
    match (byte, letter) {
        (b'\r' | b'\n', _) => Some(Key::Enter),
        (b'\t', _) => Some(Key::Tab),
        (0x7f | 0x08, _) => Some(Key::Backspace),
        (_, 'A') => Some(Key::Home),
        (_, 'B') => Some(Key::Left),
        (_, 'C') => Some(Key::Interrupt),
        (_, 'D') => Some(Key::EndOfInput),
        (_, 'E') => Some(Key::End),
        (_, 'F') => Some(Key::Right),
        (_, 'K') => Some(Key::KillToEnd),
        (_, 'L') => Some(Key::ClearScreen),
        (_, 'N') => Some(Key::Down),
        (_, 'P') => Some(Key::Up),
        (_, 'U') => Some(Key::KillToStart),
        (_, 'W') => Some(Key::KillWordLeft),
        (_, 'Y') => Some(Key::Yank),
        (_, 'Z') => Some(Key::Suspend),
        _ => None,
    }
}

fn character(held: &[u8]) -> Token {
    let longest = &held[..held.len().min(4)];
    let valid = match std::str::from_utf8(longest) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 => {
            std::str::from_utf8(&longest[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(error) if error.error_len().is_none() => return Token::Incomplete,
        Err(error) => return Token::Whole(None, error.error_len().unwrap_or(1)),
    };
    let Some(c) = valid.chars().next() else { return Token::Incomplete };
    // The only control characters left are C1 controls.
    Token::Whole(Some(Key::Char(c)).filter(|_| !c.is_control()), c.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let (mut decoder, mut keys) = (KeyDecoder::default(), Vec::new());
        decoder.feed(bytes, &mut keys);
        keys
    }

    #[test]
    fn characters_controls_and_sequences() {
        use Key::*;
        assert_eq!(keys("a한😀".as_bytes()), [Char('a'), Char('한'), Char('😀')]);
        assert_eq!(
            keys(b"\r\t\x7f\x03\x04\x01"),
            [Enter, Tab, Backspace, Interrupt, EndOfInput, Home]
        );
        assert_eq!(keys(b"\x1b[A\x1bOB\x1b[1;5C\x1b[D"), [Up, Down, WordRight, Left]);
        assert_eq!(
            keys(b"\x1b[3~\x1b[1~\x1b[F\x1bb\x1b\x7f"),
            [Delete, Home, End, WordLeft, KillWordLeft]
        );
    }

    #[test]
    fn unknown_sequences_are_skipped_whole() {
        assert_eq!(keys(b"\x1b[15~\x1b[?1;2c\x1b[[A\x1bx\x00\xff\xc2\x85a"), [Key::Char('a')]);
        assert_eq!(keys(b"\x1b\x1b[A"), [Key::Up]);
    }

    #[test]
    fn a_lone_escape_is_dropped() {
        let (mut decoder, mut keys) = (KeyDecoder::default(), Vec::new());
        decoder.feed(b"\x1b", &mut keys);
        assert!(decoder.is_waiting() && keys.is_empty());
        decoder.give_up();
        decoder.feed(b"[", &mut keys);
        assert_eq!(keys, [Key::Char('[')]);
    }

    #[test]
    fn a_pasted_text_is_one_key_and_its_lines_end_as_ours_do() {
        let pasted = b"x\x1b[200~one\rtwo\r\n\x1b[A\x1b[201~y";
        let expected = [Key::Char('x'), Key::Paste("one\ntwo\n\x1b[A".into()), Key::Char('y')];
        assert_eq!(keys(pasted), expected);
    }

    #[test]
    fn a_paste_is_kept_whole_or_not_at_all() {
        for len in [MAX_PAYLOAD, MAX_PAYLOAD + 1, 1_000_000] {
            let (mut decoder, mut pasted) = (KeyDecoder::default(), Vec::new());
            let text = "x".repeat(len);
            for part in format!("\x1b[200~{text}\x1b[201~y").as_bytes().chunks(4096) {
                decoder.feed(part, &mut pasted);
                assert!(decoder.pasted.as_ref().is_none_or(|it| it.bytes.len() <= MAX_PAYLOAD));
            }
            let paste =
                if len > MAX_PAYLOAD { Key::PasteTooLong } else { Key::Paste(text.clone()) };
            assert_eq!(pasted, [paste, Key::Char('y')]);
        }
    }

    /// Bytes that often begin a sequence.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            prop::sample::select(vec![
                &b"\x1b"[..],
                b"\x1b[",
                b"\x1b[200~",
                b"\x1b[201~",
                b";5",
                b"~"
            ])
            .prop_map(<[u8]>::to_vec),
            any::<char>().prop_map(|c| c.to_string().into_bytes()),
        ];
        prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn the_keys_do_not_depend_on_how_the_bytes_are_split(bytes in bytes()) {
            let (mut decoder, mut one_by_one) = (KeyDecoder::default(), Vec::new());
            for byte in &bytes {
                decoder.feed(&[*byte], &mut one_by_one);
            }
            prop_assert_eq!(keys(&bytes), one_by_one);
        }

        #[test]
        fn no_key_is_a_control_character(bytes in bytes()) {
            for key in keys(&bytes) {
                prop_assert!(!matches!(key, Key::Char(c) if c.is_control()));
            }
        }
    }
}
