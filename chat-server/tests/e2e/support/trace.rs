//! What the members of a room received, and what has to hold of it.

use std::collections::{BTreeMap, BTreeSet};

use chat_proto::Incoming;

use super::Client;

/// A broadcast as a member saw it: the sender and text of a chat, the code and text of a notice.
type Seen = (String, String);

/// What a client received while it was in a room: from the answer to its join to the answer to its
/// leave, or to the end of the test.
#[derive(Debug)]
pub(crate) struct Trace {
    /// The name of the client.
    name: String,
    /// The number of its entry.
    entered: u64,
    /// The number of its leaving, if it has left.
    left: Option<u64>,
    broadcasts: Vec<(u64, Seen)>,
}

impl Trace {
    /// The trace of a client that entered a room as its event `entered`.
    pub(crate) fn new(name: &str, entered: u64) -> Self {
        Self { name: name.to_owned(), entered, left: None, broadcasts: Vec::new() }
    }

    /// Enters the room, and begins the trace.
    pub(crate) fn enter(client: &mut Client, name: &str, room: u64) -> Self {
        Self::new(name, client.enter(room))
    }

    pub(crate) fn add(&mut self, room: u64, message: Incoming) {
        assert_eq!(message.room_id, Some(room), "no other room is heard: {message:?}");
        let seq = message.seq.expect("every broadcast is numbered");
        let by = if message.kind == "SCChat" {
            message.member
        } else {
            message.code.expect("every notice has a code")
        };
        self.broadcasts.push((seq, (by, message.text)));
    }

    /// Reads until `count` chats have been seen.
    pub(crate) fn read_chats(&mut self, client: &mut Client, room: u64, count: usize) {
        let mut seen = 0;
        while seen < count {
            let message = client.next();
            seen += usize::from(message.kind == "SCChat");
            self.add(room, message);
        }
    }

    /// Leaves the room: nothing of the room comes after the answer.
    pub(crate) fn leave(&mut self, client: &mut Client, room: u64) {
        client.leave();
        loop {
            let message = client.next();
            if message.code.as_deref() == Some("room-left") {
                assert_eq!(message.room_id, Some(room));
                self.left = message.seq;
                break;
            }
            self.add(room, message);
        }
        client.expect_nothing();
    }

    /// Reads what is still on its way to a member that stays.
    pub(crate) fn read_rest(&mut self, client: &mut Client, room: u64) {
        client.ask_for_rooms();
        loop {
            let message = client.next();
            if message.kind == "SCRoomsResult" {
                return;
            }
            self.add(room, message);
        }
    }
}

/// Checks that all traces of a room agree on one sequence of broadcasts, of which each member saw everything
/// from its entry to its leaving, once, except its own chats; and that the chats of each of `talkers`, "0",
/// "1" and so on up to `count`, came in that order.
pub(crate) fn check_room(traces: &[Trace], talkers: &[String], count: usize) {
    let mut events = BTreeMap::<u64, &Seen>::new();
    for trace in traces {
        for (seq, seen) in &trace.broadcasts {
            let known = events.insert(*seq, seen).unwrap_or(seen);
            assert_eq!(known, seen, "number {seq} is one and the same event for everybody");
        }
    }
    let (&first, &last) =
        events.keys().next().zip(events.keys().last()).expect("something was said");
    assert_eq!(events.len() as u64, last - first + 1, "the numbers have no gap");
    for trace in traces {
        let seqs: Vec<_> = trace.broadcasts.iter().map(|(seq, _)| *seq).collect();
        assert!(seqs.is_sorted_by(|a, b| a < b), "{}: in order, each once", trace.name);
        let interval = trace.entered + 1..trace.left.unwrap_or(last + 1);
        let owed: BTreeSet<_> = events
            .range(interval)
            .filter(|(_, seen)| seen.0 != trace.name)
            .map(|(seq, _)| *seq)
            .collect();
        let got: BTreeSet<_> = seqs.into_iter().collect();
        let difference: Vec<_> = owed.symmetric_difference(&got).take(5).collect();
        assert_eq!(difference, Vec::<&u64>::new(), "{}: everything owed, nothing else", trace.name);
    }
    for talker in talkers {
        let said: Vec<_> = events.values().filter(|seen| seen.0 == *talker).collect();
        let texts: Vec<_> =
            said.iter().map(|seen| seen.1.split(' ').next().unwrap_or("")).collect();
        let expected: Vec<_> = (0..count).map(|n| n.to_string()).collect();
        assert_eq!(texts, expected, "{talker} is heard in the order in which it spoke");
    }
}
