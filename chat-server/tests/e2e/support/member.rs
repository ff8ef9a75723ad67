//! A member of a room, and the checker that follows its deliveries.

use std::sync::{Mutex, PoisonError};

use chat_proto::Incoming;
use chat_testing::{Checker, Event, Violation};

use super::{Client, chats};

/// A client that enters and leaves a room, and reports everything it receives there. The text of each chat contains
/// the peer's number and its own.
pub(crate) struct Member<'a> {
    pub(crate) client: Client,
    pub(crate) room: u64,
    /// The number of this peer for the checker.
    peer: usize,
    checker: &'a Mutex<Checker>,
    /// The number of chats said so far.
    said: u64,
}

impl<'a> Member<'a> {
    /// A client that is going to enter `room`.
    pub(crate) fn new(client: Client, room: u64, peer: usize, checker: &'a Mutex<Checker>) -> Self {
        let member = Self { client, room, peer, checker, said: 0 };
        member.check(|checker| checker.connect(peer));
        member
    }

    /// A client that makes a room of its own, and so enters it.
    pub(crate) fn maker(mut client: Client, peer: usize, checker: &'a Mutex<Checker>) -> Self {
        let room = client.enter_new("room");
        let member = Self::new(client, room, peer, checker);
        member.check(|checker| checker.enter(peer, room, 0)).expect("an entry");
        member
    }

    /// Enters the room.
    pub(crate) fn enter(&mut self) {
        self.client.join(self.room);
        self.entered();
    }

    /// Receives the answer to a join.
    pub(crate) fn entered(&mut self) {
        let seq = self.client.expect_code("room-entered").seq.expect("an entry is an event");
        self.check(|checker| checker.enter(self.peer, self.room, seq)).expect("an entry");
    }

    /// Sends this many chats in one write.
    pub(crate) fn say(&mut self, count: u64) {
        let numbers = self.said..self.said + count;
        self.said += count;
        for number in numbers.clone() {
            self.check(|checker| checker.send(self.peer, number));
        }
        self.client.send_raw(&chats(numbers.map(|number| Event::text(self.peer, number, 0))));
    }

    /// Receives until it has heard this many chats.
    pub(crate) fn hear(&mut self, mut count: usize) {
        while count > 0 {
            let message = self.client.receive();
            count -= usize::from(message.kind == "SCChat");
            self.report(&message);
        }
    }

    /// Receives everything said before the server answers.
    pub(crate) fn hear_rest(&mut self) {
        self.client.ask_for_rooms();
        loop {
            let message = self.client.receive();
            if message.kind == "SCRoomsResult" {
                return;
            }
            self.report(&message);
        }
    }

    /// Leaves the room, and checks that nothing from it follows the answer.
    pub(crate) fn leave(&mut self) {
        self.client.leave();
        loop {
            let message = self.client.receive();
            if message.code.as_deref() == Some("room-left") {
                let seq = message.seq.expect("a leave is an event");
                self.check(|checker| checker.leave(self.peer, seq)).expect("a leave");
                return self.client.expect_nothing();
            }
            self.report(&message);
        }
    }

    fn report(&self, message: &Incoming) {
        let (room, seq) = message.room_id.zip(message.seq).expect("only broadcasts come");
        let event = Event::read(message).expect("a chat carries its number");
        let received: Result<(), Violation> =
            self.check(|checker| checker.receive(self.peer, room, seq, event));
        received.expect("a delivery");
    }

    fn check<T>(&self, report: impl FnOnce(&mut Checker) -> T) -> T {
        report(&mut self.checker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Checks that every member has received everything, at the end of a test.
pub(crate) fn check_all(checker: Mutex<Checker>) {
    let checker = checker.into_inner().unwrap_or_else(PoisonError::into_inner);
    checker.finish().expect("everything was delivered");
}
