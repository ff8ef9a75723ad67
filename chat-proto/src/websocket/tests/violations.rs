//! Violations, and the byte at which each is found.

use super::*;

/// Checks that a stream is valid without its last byte, and breaks the protocol with it, whatever the chunks and
/// whatever follows.
#[track_caller]
fn assert_found_at_the_last_byte(stream: &[u8], violation: Violation) {
    let before = decode([&stream[..stream.len() - 1]]);
    assert!(before.iter().all(Result::is_ok), "too early: {before:?}");
    let expected: Vec<_> = before.into_iter().chain([Err(violation)]).collect();
    assert_eq!(decode([stream]), expected, "in one chunk");
    assert_eq!(decode(stream.chunks(1)), expected, "byte by byte");
    assert_eq!(decode([&[stream, &frame(0x81, b"more")].concat()[..]]), expected, "with more");
}

/// A client's frame up to and including `len` bytes of its payload.
fn cut(frame: &[u8], len: usize) -> &[u8] {
    &frame[..6 + len]
}

#[test]
fn w1_reserved_bits_and_opcodes_are_refused_with_the_first_byte() {
    for reserved in [0xc1, 0xa1, 0x91, 0xf1, 0x40] {
        assert_found_at_the_last_byte(&[reserved], Violation::ReservedBits);
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        assert_found_at_the_last_byte(&[0x80 | opcode], Violation::UnknownOpcode);
        assert_found_at_the_last_byte(&[opcode], Violation::UnknownOpcode);
    }
}

#[test]
fn w2_a_client_masks_its_frames_and_a_server_does_not() {
    for len in [0, 1, 125, 126, 127] {
        assert_found_at_the_last_byte(&[0x81, len], Violation::Unmasked);
    }
    assert_found_at_the_last_byte(&[0x88, 2], Violation::Unmasked);
    let mut returned = Vec::new();
    feed(&mut Decoder::new(Peer::Server, MAX_MESSAGE), &frame(0x81, b"hi"), &mut returned);
    assert_eq!(returned, [Err(Violation::Masked)]);
}

#[test]
fn w3_a_length_takes_no_more_bytes_than_it_needs() {
    for len in [0_u16, 1, 125] {
        let [high, low] = len.to_be_bytes();
        assert_found_at_the_last_byte(&[0x81, 0xfe, high, low], Violation::NonMinimalLength);
    }
    for len in [0_u64, 125, 126, 65_535] {
        let header = [&[0x81, 0xff][..], &len.to_be_bytes()].concat();
        assert_found_at_the_last_byte(&header, Violation::NonMinimalLength);
    }
    let header = [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0];
    assert_found_at_the_last_byte(&header, Violation::InvalidLength);
}

#[test]
fn w4_a_message_that_is_too_long_is_refused_from_its_header() {
    let [high, low] = (MAX_MESSAGE as u16 + 1).to_be_bytes();
    assert_found_at_the_last_byte(&[0x81, 0xfe, high, low], Violation::TooLong);
    assert_found_at_the_last_byte(&[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0], Violation::TooLong);
    let longest = [0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255];
    assert_found_at_the_last_byte(&longest, Violation::TooLong);
    assert_eq!(kinds(&decode([&frame(0x81, &[b'x'; MAX_MESSAGE])[..]])), "t");
}

#[test]
fn w4_fragments_are_bounded_by_their_sum() {
    let first = frame(0x01, &[b'x'; MAX_MESSAGE - 1]);
    assert_eq!(kinds(&decode([&[&first[..], &frame(0x80, b"x")].concat()[..]])), ".t");
    let over = [&first[..], &frame(0x89, b"ping"), &[0x00, 0x82]].concat();
    assert_found_at_the_last_byte(&over, Violation::TooLong);
}

#[test]
fn w5_control_frames_are_short_and_whole() {
    for opcode in [8, 9, 10] {
        assert_found_at_the_last_byte(&[opcode], Violation::FragmentedControl);
        for len in [0xfe, 0xff] {
            assert_found_at_the_last_byte(&[0x80 | opcode, len], Violation::LongControl);
        }
    }
    assert_eq!(kinds(&decode([&frame(0x89, &[0xff; 125])[..]])), "i");
}

#[test]
fn w6_fragments_belong_to_one_message() {
    assert_found_at_the_last_byte(&[0x80], Violation::NothingToContinue);
    assert_found_at_the_last_byte(&[0x00], Violation::NothingToContinue);
    let whole = [&frame(0x81, b"whole")[..], &[0x80]].concat();
    assert_found_at_the_last_byte(&whole, Violation::NothingToContinue);
    for second in [0x81, 0x01, 0x82, 0x02] {
        let begun = [&frame(0x01, b"begun")[..], &[second]].concat();
        assert_found_at_the_last_byte(&begun, Violation::Interrupted);
    }
}

/// Texts that stop being valid UTF-8 with their last byte.
const NOT_UTF_8: [&[u8]; 13] = [
    b"\x80",         // a continuation of nothing
    b"abc\xc0",      // only in overlong sequences
    b"\xc1",         //
    b"\xe0\x9f",     // overlong
    b"\xf0\x8f",     //
    b"\xed\xa0",     // a surrogate
    b"\xf4\x90",     // beyond the last character
    b"\xf5",         //
    b"\xff",         //
    b"\xed\x95\x20", // a character of which the end is missing
    b"\xc3\xc3",
    b"\xf0\x9f\x98\x41",
    b"12345678\xec\x95\x88\xe3\x28",
];

#[test]
fn w7_a_text_is_refused_at_the_first_byte_that_is_not_utf_8() {
    for text in NOT_UTF_8 {
        let more = [text, b"and more"].concat();
        for first in [0x81, 0x01] {
            assert_found_at_the_last_byte(
                cut(&frame(first, &more), text.len()),
                Violation::InvalidUtf8,
            );
        }
        for at in 0..text.len() {
            let begun = frame(0x01, &text[..at]);
            for first in [0x80, 0x00] {
                let second = frame(first, &more[at..]);
                let stream =
                    [&begun[..], &frame(0x89, b""), cut(&second, text.len() - at)].concat();
                assert_found_at_the_last_byte(&stream, Violation::InvalidUtf8);
            }
        }
        assert_eq!(kinds(&decode([&frame(0x82, text)[..]])), "b", "bytes need not be a text");
    }
}

#[test]
fn w7_a_text_that_ends_inside_a_character_is_refused_at_its_end() {
    for part in ["한", "😀", "é"].map(|c| &c.as_bytes()[..c.len() - 1]) {
        assert_found_at_the_last_byte(&frame(0x81, part), Violation::InvalidUtf8);
        assert_eq!(kinds(&decode([&frame(0x01, part)[..]])), ".", "it may go on");
        let ended = [frame(0x01, part), frame(0x80, b"")].concat();
        assert_found_at_the_last_byte(&ended, Violation::InvalidUtf8);
    }
}

#[test]
fn w8_a_close_of_one_byte_is_refused() {
    assert_found_at_the_last_byte(&[0x88, 0x81], Violation::InvalidClose);
}

#[test]
fn w8_the_code_of_a_close_is_one_that_may_be_sent() {
    let is_allowed = |code| matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
    for code in (0..=5_100).chain([u16::MAX]) {
        let close = frame(0x88, &code.to_be_bytes());
        if is_allowed(code) {
            assert_eq!(decode([&close[..]]), [show(Event::Close(Some(code)))]);
        } else {
            assert_found_at_the_last_byte(&close, Violation::InvalidClose);
        }
    }
    assert_eq!(decode([&frame(0x88, b"")[..]]), [show(Event::Close(None))]);
}

#[test]
fn w8_the_reason_of_a_close_is_utf_8() {
    let close = frame(0x88, &[&[0x03, 0xe8][..], "안녕".as_bytes()].concat());
    assert_eq!(decode([&close[..]]), [show(Event::Close(Some(1000)))]);
    for reason in NOT_UTF_8.into_iter().chain([&"한".as_bytes()[..2]]) {
        let close = frame(0x88, &[&[0x03, 0xe8][..], reason].concat());
        assert_found_at_the_last_byte(&close, Violation::InvalidUtf8);
    }
}

#[test]
fn a_violation_fits_the_reason_of_a_close() {
    for violation in [
        Violation::ReservedBits,
        Violation::UnknownOpcode,
        Violation::Unmasked,
        Violation::Masked,
        Violation::FragmentedControl,
        Violation::LongControl,
        Violation::NothingToContinue,
        Violation::Interrupted,
        Violation::NonMinimalLength,
        Violation::InvalidLength,
        Violation::TooLong,
        Violation::InvalidUtf8,
        Violation::InvalidClose,
    ] {
        assert!(violation.to_string().len() <= 123, "{violation}");
        let code = match violation {
            Violation::InvalidUtf8 => 1007,
            Violation::TooLong => 1009,
            _ => 1002,
        };
        assert_eq!(violation.close_code(), code);
    }
}
