//! What the members of a room received, and what has to hold of it.

use std::ops::Range;

use chat_proto::Incoming;
use chat_testing::{Checker, Event, Violation};

use super::Client;

/// What a client received while it was in a room: from the answer to its join to the answer to its
/// leave, or to the end of the test.
#[derive(Debug)]
pub(crate) struct Trace {
    /// The name of the client.
    name: String,
    room: u64,
    /// The number of its entry.
    entered: u64,
    /// The number of its leaving, if it has left.
    left: Option<u64>,
    broadcasts: Vec<Incoming>,
    /// The numbers of the chats that it sent: the first word of their texts.
    sent: Range<usize>,
}

impl Trace {
    /// The trace of a client that entered a room as its event `entered`.
    pub(crate) fn new(name: &str, room: u64, entered: u64) -> Self {
        let name = name.to_owned();
        Self { name, room, entered, left: None, broadcasts: Vec::new(), sent: 0..0 }
    }

    /// Enters the room, and begins the trace.
    pub(crate) fn enter(client: &mut Client, name: &str, room: u64) -> Self {
        Self::new(name, room, client.enter(room))
    }

    /// Notes that the client sent chats with these numbers. It sends no others in this stay.
    pub(crate) fn sent(&mut self, numbers: Range<usize>) {
        self.sent = numbers;
    }

    /// Reads until `count` chats have been seen.
    pub(crate) fn read_chats(&mut self, client: &mut Client, count: usize) {
        let mut seen = 0;
        while seen < count {
            let message = client.next();
            seen += usize::from(message.kind == "SCChat");
            self.broadcasts.push(message);
        }
    }

    /// Leaves the room: nothing of the room comes after the answer.
    pub(crate) fn leave(&mut self, client: &mut Client) {
        client.leave();
        loop {
            let message = client.next();
            if message.code.as_deref() == Some("room-left") {
                assert_eq!(message.room_id, Some(self.room));
                self.left = message.seq;
                break;
            }
            self.broadcasts.push(message);
        }
        client.expect_nothing();
    }

    /// Reads what is still on its way to a member that stays.
    pub(crate) fn read_rest(&mut self, client: &mut Client) {
        client.ask_for_rooms();
        loop {
            let message = client.next();
            if message.kind == "SCRoomsResult" {
                return;
            }
            self.broadcasts.push(message);
        }
    }

    /// Reports the stay to the checker, as that of `peer`.
    fn report(
        &self,
        checker: &mut Checker,
        peer: usize,
        talkers: &[(String, usize)],
    ) -> Result<(), Violation> {
        checker.enter(peer, self.room, self.entered)?;
        for number in self.sent.clone() {
            checker.send(peer, number as u64);
        }
        for message in &self.broadcasts {
            let room = message.room_id.expect("every broadcast names its room");
            let seq = message.seq.expect("every broadcast is numbered");
            checker.receive(peer, room, seq, event(message, talkers))?;
        }
        self.left.map_or(Ok(()), |left| checker.leave(peer, left))
    }
}

/// Checks that all traces of a room agree on one sequence of broadcasts, of which each member received
/// everything from its entry to its leaving, once, except its own chats; and that each of `talkers` was
/// heard to say "0", "1" and so on up to its count, in that order. A talker may have no trace.
pub(crate) fn check_room(traces: &[Trace], talkers: &[(String, usize)]) {
    let mut checker = Checker::default();
    for (peer, (name, _)) in talkers.iter().enumerate() {
        checker.connect(peer);
        if traces.iter().all(|trace| trace.name != *name) {
            checker.cut_off(peer);
        }
    }
    for (trace, next) in traces.iter().zip(talkers.len()..) {
        let talker = talkers.iter().position(|(name, _)| *name == trace.name);
        if talker.is_none() {
            checker.connect(next);
        }
        let reported = trace.report(&mut checker, talker.unwrap_or(next), talkers);
        reported.unwrap_or_else(|found| panic!("{}: {found}", trace.name));
    }
    for (peer, (name, count)) in talkers.iter().enumerate() {
        let numbers = checker.order(traces[0].room).filter_map(|(_, event)| match event {
            Event::Chat { sender, number, .. } if *sender == peer => Some(*number as usize),
            _ => None,
        });
        assert!(numbers.eq(0..*count), "{name} is heard in the order in which it spoke");
    }
    checker.finish().unwrap_or_else(|found| panic!("{found}"));
}

/// A broadcast as the checker sees it.
pub(super) fn event(message: &Incoming, talkers: &[(String, usize)]) -> Event {
    let text = &message.text;
    let number = text.split(' ').next().and_then(|word| word.parse().ok());
    match (&message.code, talkers.iter().position(|(name, _)| *name == message.member), number) {
        (None, Some(sender), Some(number)) => Event::chat(sender, number, text),
        (None, ..) => Event::notice(&message.member, text),
        (Some(code), ..) => Event::notice(code, text),
    }
}
