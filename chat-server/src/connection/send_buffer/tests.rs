//! The bytes on the wire are the bytes of the queue, whatever the kernel takes at a time.

use std::sync::{Arc, Weak};

use chat_core::{Command, Hub, HubLimits, Name, Notice, Output, Role, RoomEntry, RoomId};
use chat_core::{SessionId, Title};
use chat_proto::{FrameDecoder, Incoming};
use proptest::prelude::*;

use super::*;
use crate::room_log::ChunkPool;
use crate::testing::scripted_socket::{ScriptedSocket, Step};

fn chunk(bytes: &[u8]) -> Rc<Chunk> {
    let mut chunk = ChunkPool::default().take(0);
    let only = Rc::get_mut(&mut chunk).expect("new");
    only.append(None, |out| out.extend_from_slice(bytes));
    chunk
}

fn rooms(count: u64) -> RoomList {
    let title = Title::new(&"긴 제목".repeat(20)).expect("a title");
    (1..=count)
        .map(|n| Arc::new(RoomEntry::new(RoomId::new(n).expect("above 0"), &title, [], 0)))
        .collect()
}

fn push_notice(buffer: &mut SendBuffer) {
    buffer.push_notice(Lang::En, &Notice::NotInRoom, None);
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
        buffer.push_rooms(rooms(3));
        push_notice(buffer);
        buffer.push_rooms(rooms(0));
    };
    let (mut buffer, mut whole) = (SendBuffer::default(), SendBuffer::default());
    fill(&mut buffer);
    fill(&mut whole);
    let mut socket = ScriptedSocket::default();
    assert_eq!(whole.flush(&mut socket, usize::MAX).expect("it takes everything"), Flushed::All);
    assert!(whole.is_empty() && whole.pending == 0);
    (buffer, socket.written)
}

/// Flushes until everything is written, as on events.
fn flush_out(buffer: &mut SendBuffer, socket: &mut ScriptedSocket) {
    while buffer.flush(socket, usize::MAX).expect("no error in the script") == Flushed::Blocked {
        check_counts(buffer);
    }
    check_counts(buffer);
}

/// Compares the running counts with the queue.
fn check_counts(buffer: &SendBuffer) {
    let segments = || buffer.segments.iter();
    assert_eq!(buffer.pending, segments().map(Segment::pending).sum::<usize>());
    assert_eq!(buffer.own_memory, buffer.count_own_memory());
    assert_eq!(buffer.has_waiting_list(), segments().any(Segment::is_rooms));
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
    assert_eq!(buffer.flush(&mut socket, usize::MAX).expect("no error"), Flushed::Blocked);
    assert!(socket.written.is_empty());
    assert_eq!(buffer.flush(&mut socket, usize::MAX).expect("no error"), Flushed::All);
    assert_eq!(socket.written, bytes);
}

#[test]
fn a_budget_ends_a_flush_that_could_go_on() {
    let mut buffer = SendBuffer::default();
    buffer.push_rooms(rooms(3_000));
    let mut socket = ScriptedSocket::default();
    let mut flushes = 1;
    while buffer.flush(&mut socket, 64 * 1024).expect("no error") == Flushed::Budget {
        flushes += 1;
    }
    assert!(flushes > 3, "{flushes}");
    assert!(buffer.is_empty());
}

#[test]
fn answers_to_a_reader_that_never_catches_up_are_given_back() {
    let mut buffer = SendBuffer::default();
    let mut socket = ScriptedSocket::default();
    for _ in 0..10_000 {
        push_notice(&mut buffer);
        push_notice(&mut buffer);
        let blocked = Step::Fail(ErrorKind::WouldBlock);
        socket.script.extend([Step::Take(buffer.pending.saturating_sub(100)), blocked]);
        assert_eq!(buffer.flush(&mut socket, usize::MAX).expect("no error"), Flushed::Blocked);
        let held = |segment: &Segment| match segment {
            Segment::Own { bytes, .. } => bytes.capacity(),
            _ => 0,
        };
        let held: usize = buffer.segments.iter().map(held).sum();
        assert!(held <= 4 * SendBuffer::OWN_FULL, "{held} bytes held, {} owed", buffer.pending);
    }
}

#[test]
fn o6_an_interruption_is_not_noticed() {
    let (mut buffer, bytes) = mixed();
    let interrupted = Step::Fail(ErrorKind::Interrupted);
    let mut socket = ScriptedSocket::new([interrupted, interrupted, Step::Take(3), interrupted]);
    assert_eq!(buffer.flush(&mut socket, usize::MAX).expect("no error"), Flushed::All);
    assert_eq!(socket.written, bytes);
}

#[test]
fn a_write_of_nothing_is_an_error_and_not_a_loop() {
    let (mut buffer, _) = mixed();
    let mut socket = ScriptedSocket::new([Step::Take(0)]);
    let error = buffer.flush(&mut socket, usize::MAX).expect_err("the kernel took nothing");
    assert_eq!(error.kind(), ErrorKind::WriteZero);
}

#[test]
fn o6_an_error_is_passed_on_after_a_prefix() {
    for kind in [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe, ErrorKind::TimedOut] {
        let (mut buffer, bytes) = mixed();
        let mut socket = ScriptedSocket::new([Step::Take(5), Step::Fail(kind)]);
        assert_eq!(
            buffer.flush(&mut socket, usize::MAX).expect_err("the script says so").kind(),
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
    let mut socket = ScriptedSocket::new((1..2_000).map(Step::Take));
    flush_out(&mut buffer, &mut socket);
    assert_eq!(socket.written, bytes);
    assert_eq!(Rc::strong_count(&shared), 1, "nothing holds the chunk any more");
    assert!(!buffer.segments.has_rest(), "nor memory for so many segments");
}

#[test]
fn s7_a_long_list_is_bytes_only_when_its_turn_comes() {
    let list = rooms(3_000);
    let mut buffer = SendBuffer::default();
    let pages = list.size();
    buffer.push_rooms(list);
    assert!(buffer.pending < pages + 100 && pages < 4_096, "it costs its pages");
    let mut socket = ScriptedSocket::new([Step::Take(10), Step::Fail(ErrorKind::WouldBlock)]);
    assert_eq!(buffer.flush(&mut socket, usize::MAX).expect("no error"), Flushed::Blocked);
    assert!(buffer.pending < 2 + 65_535 + pages + 100, "and one frame of it");
    flush_out(&mut buffer, &mut socket);
    assert!(socket.written.len() > 10 * 65_535);
    assert_eq!(buffer.pending, 0);
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

/// A hub with a room that changes before each list, and the rooms in all these lists.
struct Changing {
    hub: Hub,
    members: Vec<SessionId>,
    listed: Vec<Weak<RoomEntry>>,
}

impl Changing {
    fn new(members: usize) -> Self {
        let mut hub = Hub::new(HubLimits::default());
        let members: Vec<_> = (0..members).map(|_| hub.connect(Role::Guest)).collect();
        let title = Title::new("of many names").expect("a title");
        hub.handle(members[0], Command::Create(title), &mut Vec::new());
        for &member in &members[1..] {
            let room = RoomId::new(1).expect("above 0");
            hub.handle(member, Command::Join(room), &mut Vec::new());
        }
        Self { hub, members, listed: Vec::new() }
    }

    /// The list after the next change.
    fn list(&mut self) -> RoomList {
        let name = Name::new(&format!("{:>032}", self.listed.len())).expect("a name");
        let mut outputs = Vec::new();
        self.hub.handle(self.members[0], Command::Rename(name), &mut outputs);
        self.hub.handle(self.members[0], Command::Rooms, &mut outputs);
        let Some(Output::Rooms { rooms, .. }) = outputs.pop() else { panic!("a list comes last") };
        self.listed.extend(rooms.iter().map(Arc::downgrade));
        rooms
    }

    /// Bytes of the rooms that still exist, without the allocator's overhead.
    fn kept(&self) -> usize {
        let size = |room: Arc<RoomEntry>| {
            let names = room.members.iter().map(|name| size_of::<String>() + name.len());
            size_of::<RoomEntry>() + room.title.len() + names.sum::<usize>()
        };
        self.listed.iter().filter_map(Weak::upgrade).map(size).sum()
    }
}

/// Each version of the room is in one list, which nobody reads.
#[test]
fn s7_outdated_lists_count_what_they_retain_and_pend_as_pages() {
    const LISTS: usize = 100;
    let (mut changing, mut buffer) = (Changing::new(50), SendBuffer::default());
    for _ in 0..LISTS {
        buffer.push_rooms(changing.list());
        check_counts(&buffer);
        assert!(
            buffer.own_memory >= changing.kept(),
            "{} of {}",
            buffer.own_memory,
            changing.kept()
        );
    }
    assert!(changing.kept() > LISTS * 1_500, "each room is there in {LISTS} versions");
    assert!(
        buffer.own_memory < 4 * changing.kept(),
        "{} of {}",
        buffer.own_memory,
        changing.kept()
    );
    assert!(buffer.pending < LISTS * 128, "{}: it may be read slowly", buffer.pending);
    assert_eq!(buffer.memory(), buffer.own_memory, "who is cut off first goes by what it keeps");

    // Reading frees one list at a time.
    let mut socket = ScriptedSocket::default();
    for left in (0..LISTS).rev() {
        let before = buffer.own_memory;
        while buffer.has_waiting_list() && buffer.segments.len() > left {
            buffer.flush(&mut socket, 1).expect("no error");
            check_counts(&buffer);
        }
        assert!(buffer.own_memory < before && buffer.own_memory >= changing.kept() * left / LISTS);
    }
    assert_eq!((buffer.pending, buffer.own_memory), (0, 0));
    assert!(changing.kept() < 4_000, "but for the list of now");
}

/// A list of several frames retains no more than what has yet to be sent.
#[test]
fn s7_a_long_list_is_given_back_while_it_is_sent() {
    let list = rooms(3_000);
    let kept: Vec<_> = list.iter().map(Arc::downgrade).collect();
    let mut buffer = SendBuffer::default();
    buffer.push_rooms(list);
    let whole = buffer.own_memory;
    let mut socket = ScriptedSocket::default();
    let mut frames = 0;
    while buffer.flush(&mut socket, 1).expect("no error") == Flushed::Budget {
        frames += 1;
        check_counts(&buffer);
        let left = kept.iter().filter(|room| room.strong_count() > 0).count();
        assert!(left + frames * 50 < 3_000, "{left} after {frames} frames");
        assert!(
            buffer.own_memory < whole * left / 3_000 + 4_096,
            "{} for {left}",
            buffer.own_memory
        );
    }
    assert!(frames > 10 && buffer.own_memory == 0 && !buffer.has_waiting_list());
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
                    1 => buffer.push_rooms(rooms(len as u64 % 5)),
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
        prop_assert_eq!((buffer.pending, buffer.own_memory), (0, 0));
    }
}

#[test]
fn the_end_of_a_frame_is_found() {
    let frames = b"\x00\x01a\x00\x00\x00\x02bc";
    let ends: Vec<_> = (0..=frames.len()).map(|at| end_of_frame(frames, at)).collect();
    assert_eq!(ends, [0, 3, 3, 3, 5, 5, 9, 9, 9, 9]);
}
