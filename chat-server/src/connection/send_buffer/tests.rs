//! The bytes on the wire are the bytes of the queue, no matter how few the kernel takes at a time.

use chat_core::{Notice, RoomEntry, RoomId, Title};
use chat_proto::{FrameDecoder, Framing, Incoming, write_rooms_page};
use proptest::prelude::*;

use super::*;
use crate::room_log::ChunkPool;
use crate::testing::scripted_socket::{ScriptedSocket, Step};

const ROOMS: List = List::Rooms { after: None };

fn chunk(bytes: &[u8]) -> Rc<Chunk> {
    let mut chunk = ChunkPool::default().take(0);
    let only = Rc::get_mut(&mut chunk).expect("new");
    only.append(None, |out| out.extend_from_slice(bytes));
    chunk
}

/// Appends the frame of a list of `count` rooms that begins after `after`.
fn write_page(count: u64, after: Option<RoomId>, out: &mut Vec<u8>) -> Option<RoomId> {
    let title = Title::new(&"긴 제목".repeat(20)).expect("a title");
    let first = after.map_or(1, |room| room.number() + 1);
    let ids = (first..=count).map(|number| RoomId::new(number).expect("above 0"));
    write_rooms_page(Framing::Length, ids.map(|room| RoomEntry::new(room, &title, [], 0)), out)
}

/// Flushes, and encodes the frames that a list of `rooms` rooms needs.
fn flush(
    buffer: &mut SendBuffer,
    socket: &mut ScriptedSocket,
    budget: usize,
    rooms: u64,
) -> Flushed {
    loop {
        let flushed = buffer.flush(socket, &mut { budget }).expect("no error in the script");
        let wanted = buffer.wanted_page().filter(|_| flushed == Flushed::Page);
        let Some(&List::Rooms { after }) = wanted else { return flushed };
        let mut page = Vec::new();
        let rest = write_page(rooms, after, &mut page);
        buffer.push_page(page, rest.map(|room| List::Rooms { after: Some(room) }));
    }
}

fn push_notice(buffer: &mut SendBuffer) {
    buffer.push_notice(Framing::Length, Lang::En, &Notice::NotInRoom, None);
}

/// A buffer with segments of every kind, and its bytes.
fn mixed() -> (SendBuffer, Vec<u8>) {
    let fill = |buffer: &mut SendBuffer| {
        let shared = chunk(b"0123456789");
        buffer.push_shared(&shared, 0..4);
        push_notice(buffer);
        push_notice(buffer);
        buffer.push_shared(&shared, 4..5);
        buffer.push_shared(&shared, 6..10);
        buffer.push_list(ROOMS);
        push_notice(buffer);
        buffer.push_list(ROOMS);
    };
    let (mut buffer, mut whole) = (SendBuffer::default(), SendBuffer::default());
    fill(&mut buffer);
    fill(&mut whole);
    let mut socket = ScriptedSocket::default();
    assert_eq!(flush(&mut whole, &mut socket, usize::MAX, 3), Flushed::All);
    assert!(whole.is_empty() && whole.pending() == 0);
    (buffer, socket.written)
}

/// Flushes until everything is written, as on events.
fn flush_out(buffer: &mut SendBuffer, socket: &mut ScriptedSocket) {
    while flush(buffer, socket, usize::MAX, 3) == Flushed::Blocked {
        check_counts(buffer);
    }
    check_counts(buffer);
}

/// Compares the running counts with the queue.
fn check_counts(buffer: &SendBuffer) {
    let segments = || buffer.segments.iter();
    assert_eq!(buffer.pending(), segments().map(Segment::pending).sum::<usize>());
    assert_eq!(buffer.own_memory(), buffer.count_own_memory());
    assert_eq!(buffer.has_waiting_list(), segments().any(Segment::is_list));
}

#[test]
fn o5_a_byte_at_a_time() {
    let (mut buffer, bytes) = mixed();
    let mut socket = ScriptedSocket::new(vec![Step::Take(1); bytes.len()]);
    flush_out(&mut buffer, &mut socket);
    assert_eq!(socket.written, bytes);
    assert_eq!(socket.calls, bytes.len());
}

#[test]
fn o5_a_short_write_at_every_boundary() {
    let (_, bytes) = mixed();
    for at in 1..bytes.len() {
        let (mut buffer, _) = mixed();
        let block = Step::Fail(ErrorKind::WouldBlock);
        let mut socket = ScriptedSocket::new([Step::Take(at), block]);
        flush_out(&mut buffer, &mut socket);
        assert_eq!(socket.written, bytes, "short write at {at}");
    }
}

#[test]
fn o5_would_block_leaves_everything_for_later() {
    let (mut buffer, bytes) = mixed();
    let mut socket = ScriptedSocket::new([Step::Fail(ErrorKind::WouldBlock)]);
    assert_eq!(flush(&mut buffer, &mut socket, usize::MAX, 3), Flushed::Blocked);
    assert!(socket.written.is_empty());
    assert_eq!(flush(&mut buffer, &mut socket, usize::MAX, 3), Flushed::All);
    assert_eq!(socket.written, bytes);
}

#[test]
fn a_budget_ends_a_flush_that_could_go_on() {
    let mut buffer = SendBuffer::default();
    let shared = chunk(&[0; 100_000]);
    (0..5).for_each(|_| buffer.push_shared(&shared, 0..100_000));
    let mut socket = ScriptedSocket::new([Step::Take(60_000); 9]);
    let mut flushes = 1;
    while flush(&mut buffer, &mut socket, 64 * 1024, 0) == Flushed::Budget {
        flushes += 1;
    }
    assert!(flushes > 3 && buffer.is_empty(), "{flushes}");
}

#[test]
fn answers_to_a_reader_that_never_catches_up_are_given_back() {
    let mut buffer = SendBuffer::default();
    let mut socket = ScriptedSocket::default();
    for _ in 0..10_000 {
        push_notice(&mut buffer);
        push_notice(&mut buffer);
        let blocked = Step::Fail(ErrorKind::WouldBlock);
        socket.script.extend([Step::Take(buffer.pending().saturating_sub(100)), blocked]);
        assert_eq!(flush(&mut buffer, &mut socket, usize::MAX, 3), Flushed::Blocked);
        let held = buffer.own_memory();
        assert!(held <= 4 * SendBuffer::OWN_FULL, "{held} bytes held, {} owed", buffer.pending());
    }
}

#[test]
fn o6_an_interruption_is_not_noticed() {
    let (mut buffer, bytes) = mixed();
    let interrupted = Step::Fail(ErrorKind::Interrupted);
    let mut socket = ScriptedSocket::new([interrupted, interrupted, Step::Take(3), interrupted]);
    assert_eq!(flush(&mut buffer, &mut socket, usize::MAX, 3), Flushed::All);
    assert_eq!(socket.written, bytes);
}

#[test]
fn a_write_of_nothing_is_an_error_and_not_a_loop() {
    let (mut buffer, _) = mixed();
    let mut socket = ScriptedSocket::new([Step::Take(0)]);
    let error =
        buffer.flush(&mut socket, &mut { usize::MAX }).expect_err("the kernel took nothing");
    assert_eq!(error.kind(), ErrorKind::WriteZero);
}

#[test]
fn o6_an_error_is_passed_on_after_a_prefix() {
    for kind in [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe, ErrorKind::TimedOut] {
        let (mut buffer, bytes) = mixed();
        let mut socket = ScriptedSocket::new([Step::Take(5), Step::Fail(kind)]);
        assert_eq!(
            buffer.flush(&mut socket, &mut { usize::MAX }).expect_err("the script says so").kind(),
            kind
        );
        assert_eq!(socket.written, bytes[..5]);
    }
}

#[test]
fn o5_more_segments_than_one_writev_takes() {
    let shared = chunk(&(0..=255).collect::<Vec<u8>>());
    let mut buffer = SendBuffer::default();
    let mut bytes = Vec::new();
    for i in 0..5_000 {
        let piece = i % 200..i % 200 + 1 + i % 50;
        bytes.extend_from_slice(&shared.bytes()[piece.clone()]);
        buffer.push_shared(&shared, piece);
    }
    assert!(buffer.own_memory() >= 5_000 * size_of::<Segment>(), "the queue counts");
    let mut socket = ScriptedSocket::new((1..2_000).map(Step::Take));
    flush_out(&mut buffer, &mut socket);
    assert_eq!(socket.written, bytes);
    assert_eq!(Rc::strong_count(&shared), 1, "nothing holds the chunk any more");
    assert!(!buffer.segments.has_rest(), "nor memory for so many segments");
}

/// A list is encoded as it is read: no more than one frame of it is ever pending, however long the list is.
#[test]
fn s7_a_long_list_is_bytes_only_when_its_turn_comes() {
    let mut buffer = SendBuffer::default();
    buffer.push_list(ROOMS);
    assert_eq!((buffer.pending(), buffer.own_memory()), (0, 0));
    let blocked = |n| [Step::Take(n), Step::Fail(ErrorKind::WouldBlock)];
    let mut socket = ScriptedSocket::new((1..200).flat_map(|n| blocked(100 * n)));
    while flush(&mut buffer, &mut socket, usize::MAX, 3_000) != Flushed::All {
        check_counts(&buffer);
        assert!(buffer.own_memory() <= 2 + 65_535 + 1_024, "{}", buffer.own_memory());
    }
    assert!(socket.written.len() > 10 * 65_535 && buffer.is_empty());
    let mut decoder = FrameDecoder::new();
    let mut frames = decoder.feed(&socket.written);
    let mut listed = Vec::new();
    while let Some(payload) = frames.next_frame() {
        let page = Incoming::parse(payload).expect("complete JSON");
        listed.extend(page.rooms.into_iter().map(|room| room.room_id));
        assert_eq!(page.more, listed.len() < 3_000);
    }
    assert!(listed.into_iter().eq(1..=3_000));
}

proptest! {
    #[test]
    fn o5_any_queue_through_any_kernel(
        pieces in prop::collection::vec((0usize..500, 1usize..300, 0u8..4), 1..40),
        script in prop::collection::vec(
            prop_oneof![
                4 => (1usize..700).prop_map(Step::Take),
                1 => Just(Step::Fail(ErrorKind::WouldBlock)),
                1 => Just(Step::Fail(ErrorKind::Interrupted)),
            ],
            0..80,
        ),
    ) {
        let shared = chunk(&(0..800).map(|i| i as u8).collect::<Vec<u8>>());
        let fill = |buffer: &mut SendBuffer| {
            for &(from, len, kind) in &pieces {
                match kind {
                    0 => push_notice(buffer),
                    1 => buffer.push_list(ROOMS),
                    _ => buffer.push_shared(&shared, from..from + len),
                }
            }
        };
        let (mut buffer, mut whole) = (SendBuffer::default(), SendBuffer::default());
        fill(&mut buffer);
        fill(&mut whole);
        check_counts(&buffer);
        let (mut socket, mut all) = (ScriptedSocket::new(script), ScriptedSocket::default());
        flush_out(&mut whole, &mut all);
        flush_out(&mut buffer, &mut socket);
        prop_assert_eq!(socket.written, all.written);
        prop_assert_eq!((buffer.pending(), buffer.own_memory()), (0, 0));
    }
}

#[test]
fn the_end_of_a_frame_is_found() {
    let frames = b"\x00\x01a\x00\x00\x00\x02bc";
    let ends = |framing, frames: &[u8]| -> Vec<_> {
        (0..=frames.len()).map(|at| end_of_frame(framing, frames, at)).collect()
    };
    assert_eq!(ends(Framing::Length, frames), [0, 3, 3, 3, 5, 5, 9, 9, 9, 9]);
    let messages = b"\x81\x01a\x81\x00\x81\x7e\x00\x01b";
    assert_eq!(ends(Framing::WebSocket, messages), [0, 3, 3, 3, 5, 5, 10, 10, 10, 10, 10]);
}
