//! Recordings: what is written, when they end, and what is wrong with those that are.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use chat_core::{Command, HubLimits, Notice, OperatorText, Output, Role, Text, Title};

use super::super::recording::{Replay, ReplayError, replay};
use super::super::{Mailbox, MailboxState, Request, SharedHub};
use crate::testing::faults::Fault;

/// Keeps what is written in memory, until it is full.
struct Memory {
    written: Sender<Vec<u8>>,
    room: usize,
}

impl Memory {
    fn new(room: usize) -> (Self, Receiver<Vec<u8>>) {
        let (written, pieces) = mpsc::channel();
        (Self { written, room }, pieces)
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.room = self.room.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        // Its reader may be gone.
        let _ = self.written.send(bytes.to_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn post(hub: &SharedHub, mailbox: &Mailbox, request: Request) {
    assert!(mailbox.post(&mut vec![request]), "nobody else runs it");
    let mut scratch = Vec::new();
    while hub.run_inline(mailbox, &mut scratch) != MailboxState::Idle {}
}

/// Somebody who talks in a room, and takes what comes of it.
fn talk(hub: &SharedHub, chats: usize) -> Arc<Mailbox> {
    let mailbox = Arc::new(Mailbox::new(hub.connect(Role::Guest)));
    let title = Title::new("tea").expect("a title");
    post(hub, &mailbox, Request::Do(Command::Create(title)));
    for _ in 0..chats {
        let text = Text::new("안녕").expect("a text");
        post(hub, &mailbox, Request::Do(Command::Chat(text)));
        hub.take(&mut Vec::new());
    }
    mailbox
}

/// A recording of somebody who talks.
fn recording(chats: usize) -> Vec<u8> {
    let hub = SharedHub::new(HubLimits::new(), || {});
    let (memory, pieces) = Memory::new(usize::MAX);
    hub.record(memory).expect("a thread");
    let mailbox = talk(&hub, chats);
    hub.announce_to_all(OperatorText::new("hi").expect("a text"));
    post(&hub, &mailbox, Request::Disconnect);
    hub.end_recording();
    assert_eq!(hub.take(&mut Vec::new()).lost_recordings, 0);
    pieces.iter().flatten().collect()
}

#[test]
fn a_recording_leads_to_the_same_hub() {
    let recording = recording(3_000);
    let replayed = replay(&recording[..]).expect("it is the same");
    let Replay { inputs, hashes, is_complete, is_cut, .. } = replayed.clone();
    // A connection, a room, an announcement and an end besides.
    assert_eq!((inputs, hashes, is_complete, is_cut), (3_004, 3, true, false));
    assert_eq!(replayed.to_string(), "3004 inputs, 3 hashes equal");
}

/// A server that is recorded from the middle on, which has sessions and rooms by then.
#[test]
fn a_recording_may_begin_at_any_time() {
    let hub = SharedHub::new(HubLimits::new(), || {});
    let mailbox = talk(&hub, 10);
    let (memory, pieces) = Memory::new(usize::MAX);
    hub.record(memory).expect("a thread");
    post(&hub, &mailbox, Request::Do(Command::Leave));
    let (next, next_pieces) = Memory::new(usize::MAX);
    hub.record(next).expect("a thread");
    post(&hub, &mailbox, Request::Disconnect);
    hub.end_recording();
    for pieces in [pieces, next_pieces] {
        let recording: Vec<_> = pieces.iter().flatten().collect();
        let replayed = replay(&recording[..]).expect("it is the same");
        assert_eq!((replayed.inputs, replayed.hashes), (1, 1));
    }
}

#[test]
fn a_file_that_takes_no_more_ends_the_recording_and_nothing_else() {
    let hub = SharedHub::new(HubLimits::new(), || {});
    let (memory, pieces) = Memory::new(10_000);
    hub.record(memory).expect("a thread");
    let mailbox = talk(&hub, 1_000);
    // The thread that writes ends in its own time.
    let recording: Vec<_> = pieces.iter().flatten().collect();
    talk(&hub, 1);
    assert_eq!(hub.take(&mut Vec::new()).lost_recordings, 1);
    post(&hub, &mailbox, Request::Do(Command::Leave));
    assert_eq!(hub.take(&mut Vec::new()).lost_recordings, 1);
    hub.end_recording();
    let replayed = replay(&recording[..]).expect("what there is is right");
    assert!(replayed.inputs > 10 && !replayed.is_complete, "{replayed:?}");
    let refused = hub.record(Memory::new(10).0).expect_err("not even the first line fits");
    assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
}

/// Blocks until it is told to go on.
struct Stuck(Receiver<()>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The first line comes before the thread.
        if !bytes.starts_with(b"{\"recording\"") {
            let _ = self.0.recv();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_file_that_is_too_slow_ends_the_recording_before_it_takes_all_memory() {
    let hub = SharedHub::new(HubLimits::new(), || {});
    let (go_on, stuck) = mpsc::channel();
    hub.record(Stuck(stuck)).expect("a thread");
    let mailbox = talk(&hub, 0);
    let text = "x".repeat(60_000);
    let mut said = 0;
    while hub.take(&mut Vec::new()).lost_recordings == 0 {
        let text = Text::new(&text).expect("a text");
        post(&hub, &mailbox, Request::Do(Command::Chat(text)));
        said += 1;
        assert!(said < 2_000, "120 MB wait for the file");
    }
    assert!(said > 500, "only {said} texts of 60 kB");
    drop(go_on);
}

fn error(recording: &[u8]) -> ReplayError {
    replay(recording).expect_err("there is something wrong with it")
}

#[test]
fn a_recording_that_is_cut_off_is_replayed_as_far_as_it_goes() {
    let whole = recording(5);
    let lines: Vec<_> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    for end in lines[0].len()..whole.len() {
        let replayed = replay(&whole[..end]).unwrap_or_else(|error| panic!("{end}: {error}"));
        assert_eq!(replayed.is_cut, whole[end - 1] != b'\n', "{end}");
        assert!(!replayed.is_complete, "{end}: the last line is not whole");
    }
    for end in 0..lines[0].len() {
        assert!(matches!(error(&whole[..end]), ReplayError::Line { line: 1, .. }), "{end}");
    }
}

#[test]
fn a_recording_that_has_been_changed_is_found_out() {
    let whole = String::from_utf8(recording(1_500)).expect("JSON");
    let changed = |from: &str, to: &str| {
        assert!(whole.contains(from), "{from}");
        error(whole.replacen(from, to, 1).as_bytes())
    };
    // The room gets another title, and the first hash after it is another one.
    match changed("tea", "Tea") {
        ReplayError::Differs { equal: 0, inputs: 1024, .. } => {}
        other => panic!("{other:?}"),
    }
    for (from, to, wrong) in [
        ("\"now\"", "\"then\"", 2),
        ("\"CSChat\"", "\"CSChut\"", 4),
        ("{\"now\"", "{\"now\":1,\"now\"", 2),
        ("\"connect\"", "\"disconnect\"", 2),
        ("\"inputs\":1024", "\"inputs\":1023", 1026),
        ("\"hash\":\"", "\"hash\":\"+", 1026),
        ("\n{", "\n\n{", 2),
        ("\n{", "\n[]\n{", 2),
        ("\"snapshot\"", "\"snapshots\"", 1),
        ("\"last\":true", "\"last\":null", whole.lines().count() as u64),
    ] {
        match changed(from, to) {
            ReplayError::Line { line, .. } => assert_eq!(line, wrong, "{from}"),
            other => panic!("{from}: {other:?}"),
        }
    }
    let other_version = changed("\"recording\":1", "\"recording\":2");
    assert!(matches!(other_version, ReplayError::Version(2)), "{other_version:?}");
    let impossible = changed("\"nextSession\":1", "\"nextSession\":0");
    assert!(matches!(impossible, ReplayError::Restore(_)), "{impossible:?}");
    let more = error(format!("{whole}{}\n", whole.lines().nth(1).expect("an input")).as_bytes());
    assert!(matches!(more, ReplayError::Line { .. }), "nothing follows the last hash: {more:?}");
}

/// The recording has what the server did then.
#[test]
fn a_panic_does_not_end_a_recording() {
    let hub = SharedHub::new(HubLimits::new(), || {});
    let (memory, pieces) = Memory::new(usize::MAX);
    hub.record(memory).expect("a thread");
    let mailbox = talk(&hub, 1);
    let mut outputs = Vec::new();
    let text = Text::new(Fault::HubPanics.trigger()).expect("a text");
    post(&hub, &mailbox, Request::Do(Command::Chat(text)));
    let progress = hub.take(&mut outputs);
    assert_eq!((progress.panics, progress.lost_recordings), (1, 0));
    let is_internal =
        |output: &Output| matches!(output, Output::Reply { notice: Notice::Internal, .. });
    assert!(outputs.iter().any(is_internal));
    hub.end_recording();
    let recording: Vec<_> = pieces.iter().flatten().collect();
    let replayed = replay(&recording[..]).expect("it is the same");
    assert!(replayed.is_complete);
}
