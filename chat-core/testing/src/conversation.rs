//! The checker of one connection: each request has its answer, and broadcasts come in between.

use std::collections::VecDeque;

use chat_proto::{Incoming, MAX_LISTED_MEMBERS};

use crate::checker::Checker;
use crate::event::Event;
use crate::violation::{Violation, ensure};

/// Something that a client sent, with what is needed to check the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Takes a name.
    Rename(String),
    /// Asks for the list of rooms.
    Rooms,
    /// Creates a room with this title.
    Create(String),
    /// Enters a room.
    Join(u64),
    /// Leaves the room.
    Leave,
    /// Sends a chat with the [text](Event::text) of this number: within a room it has no answer.
    Chat {
        /// See [`Event::Chat`].
        number: u64,
    },
    /// Sends a text that fits a request, but not the chat to the members.
    LongChat,
    /// Asks the server to stop, as a guest or an operator.
    Shutdown,
    /// Sends a value that breaks a rule: answered with this code.
    Refused(&'static str),
    /// Sends something other than a command: answered with this code, and with the end of the connection if
    /// it is the first frame or exceeds the budget.
    Bad(&'static str),
}

/// The classification of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// A chat of this peer in the room.
    Chat(usize),
    /// Another broadcast of the room, such as the answer to a rename within it.
    Notice,
    /// An answer, or a page of one.
    Answer,
    /// The last message of the connection.
    Farewell,
}

/// Codes of the last message of a connection.
const FAREWELLS: [&str; 8] = [
    "server-stopping",
    "server-full",
    "slow-consumer",
    "frame-timeout",
    "too-many-from-address",
    "proxy-header-expected",
    "tls-required",
    "internal",
];

/// Checks the messages to one connection (I11, I14), and reports its broadcasts to a [`Checker`].
#[derive(Debug, Default)]
pub struct Conversation {
    peer: usize,
    /// The current name, if known.
    name: Option<String>,
    /// Requests without an answer so far, each with the code of the answer if the request does not imply it.
    pending: VecDeque<(Request, Option<&'static str>)>,
    answers: u64,
    last_was_bad: bool,
    farewell: Option<String>,
    /// Rooms on the pages received so far of an incomplete list.
    listing: usize,
    listed: usize,
}

impl Conversation {
    /// The conversation of a peer that the checker knows. The server gave it `name`, if that is known.
    pub fn new(peer: usize, name: Option<String>) -> Self {
        Self { peer, name, ..Self::default() }
    }

    /// Notes a request that is about to be sent.
    pub fn send(&mut self, checker: &mut Checker, request: Request) {
        self.pending.push_back((request, None));
        self.accept_chats(checker);
    }

    /// Notes a request that must be answered with `code`, although other answers would be legal.
    pub fn send_for(&mut self, request: Request, code: &'static str) {
        self.pending.push_back((request, Some(code)));
    }

    /// Checks a message and reports it to the checker.
    ///
    /// # Errors
    /// The invariant that the message breaks.
    pub fn receive(
        &mut self,
        checker: &mut Checker,
        message: &Incoming,
    ) -> Result<Received, Violation> {
        let peer = self.peer;
        ensure!(
            self.farewell.is_none(),
            "I14",
            "peer {peer} got {message:?} after the last message"
        );
        let code = message.code.as_deref().unwrap_or_default();
        match message.kind.as_str() {
            "SCChat" => self.broadcast(checker, message),
            "SCRoomsResult" => self.answered(checker, message, "rooms"),
            _ if FAREWELLS.contains(&code) => {
                self.farewell = Some(code.to_owned());
                Ok(Received::Farewell)
            }
            _ if matches!(code, "member-entered" | "member-left" | "renamed")
                && message.seq.is_some() =>
            {
                let is_answer = code == "renamed" && self.is_own_rename(message);
                let received = self.broadcast(checker, message)?;
                if is_answer {
                    self.answered(checker, message, code)?;
                }
                Ok(received)
            }
            _ => self.answered(checker, message, code),
        }
    }

    /// The current name, if known.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The requests without an answer so far, except for chats that need none.
    pub fn pending(&self) -> impl Iterator<Item = &Request> {
        self.pending.iter().map(|(request, _)| request)
    }

    /// Whether every request has been answered.
    pub fn is_answered(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether the last answer rejected a frame that was no command: the server may close the connection with that
    /// answer, and then answers nothing more.
    pub fn last_was_bad(&self) -> bool {
        self.last_was_bad
    }

    /// The code of the last message of the connection, once it has come.
    pub fn farewell(&self) -> Option<&str> {
        self.farewell.as_deref()
    }

    /// The number of answers so far.
    pub fn answers(&self) -> u64 {
        self.answers
    }

    /// The number of rooms on the last list.
    pub fn listed(&self) -> usize {
        self.listed
    }

    /// Reports the chats at the front as sent, if the peer is in a room: they have no answer, so the next
    /// answer belongs to the request after them.
    fn accept_chats(&mut self, checker: &mut Checker) {
        while checker.room_of(self.peer).is_some()
            && let Some((Request::Chat { number }, _)) = self.pending.front()
        {
            checker.send(self.peer, *number);
            self.pending.pop_front();
        }
    }

    fn is_own_rename(&self, message: &Incoming) -> bool {
        match (&self.name, self.pending.front()) {
            (Some(name), _) => message.from.as_ref() == Some(name),
            (None, Some((Request::Rename(wanted), _))) => message.to.as_ref() == Some(wanted),
            (None, _) => false,
        }
    }

    fn broadcast(
        &mut self,
        checker: &mut Checker,
        message: &Incoming,
    ) -> Result<Received, Violation> {
        let (Some(room), Some(seq)) = (message.room_id, message.seq) else {
            let what = format!("peer {} got {message:?} without a room or a number", self.peer);
            return Err(Violation::new("I2", what));
        };
        let event = Event::read(message)?;
        let received = match event {
            Event::Chat { sender, .. } => Received::Chat(sender),
            Event::Notice(_) => Received::Notice,
        };
        checker.receive(self.peer, room, seq, event)?;
        Ok(received)
    }

    fn answered(
        &mut self,
        checker: &mut Checker,
        message: &Incoming,
        code: &str,
    ) -> Result<Received, Violation> {
        let peer = self.peer;
        let Some((request, wanted)) = self.pending.front() else {
            let what = format!("peer {peer} has asked for nothing and got {message:?}");
            return Err(Violation::new("I11", what));
        };
        let fits = wanted.is_none_or(|wanted| wanted == code)
            && self.fits(request, code, message, checker.room_of(peer));
        ensure!(fits, "I11", "peer {peer} asked for {request:?} ({wanted:?}) and got {message:?}");
        self.listing += message.rooms.len();
        if message.more {
            return Ok(Received::Answer);
        }
        self.listed = std::mem::take(&mut self.listing);
        self.answers += 1;
        self.last_was_bad = matches!(request, Request::Bad(_));
        let answered = self.pending.pop_front();
        match (answered, code) {
            (Some((Request::Rename(name), _)), "renamed") => self.name = Some(name),
            (_, "room-created" | "room-entered") => {
                let (Some(room), Some(seq)) = (message.room_id, message.seq) else {
                    let what = format!("peer {peer} entered a room without a number: {message:?}");
                    return Err(Violation::new("I11", what));
                };
                checker.enter(peer, room, seq)?;
            }
            (_, "room-left") => checker.leave(peer, message.seq.unwrap_or(0))?,
            _ => {}
        }
        self.accept_chats(checker);
        Ok(Received::Answer)
    }

    /// Whether a message answers a request of a peer that is in `room`.
    fn fits(&self, request: &Request, code: &str, message: &Incoming, room: Option<u64>) -> bool {
        let misplaced = if room.is_some() { "already-in-room" } else { "not-in-room" };
        match request {
            Request::Rename(name) => match code {
                "name-taken" => true,
                "renamed" => {
                    message.seq.is_some() == room.is_some()
                        && message.to.as_ref() == Some(name)
                        && (self.name.is_none() || message.from == self.name)
                }
                _ => false,
            },
            Request::Rooms => code == "rooms" && self.is_true_list(message, room),
            Request::Create(_) | Request::Join(_) if room.is_some() => code == misplaced,
            Request::Create(title) => {
                code == "limit-reached"
                    || (code == "room-created" && message.title.as_ref() == Some(title))
            }
            Request::Join(room) => {
                (code == "room-entered" && message.room_id == Some(*room))
                    || (code == "no-such-room" && message.text.contains(&format!(" {room}.")))
            }
            Request::Leave if room.is_some() => code == "room-left" && message.room_id == room,
            Request::LongChat if room.is_some() => code == "text-too-long",
            Request::Leave | Request::LongChat | Request::Chat { .. } => code == misplaced,
            Request::Shutdown => code == "shutdown-refused",
            Request::Refused(expected) | Request::Bad(expected) => code == *expected,
        }
    }

    /// Whether a page of a list has each room once, none of them empty, and lists the peer in its own room.
    fn is_true_list(&self, message: &Incoming, room: Option<u64>) -> bool {
        let rooms = &message.rooms;
        let lists_own = room.is_none_or(|own| {
            rooms.iter().any(|room| {
                let names_it = |name| room.members.contains(name);
                room.room_id == own
                    && (room.member_count > MAX_LISTED_MEMBERS
                        || self.name.as_ref().is_none_or(names_it))
            })
        });
        rooms.is_sorted_by(|a, b| a.room_id < b.room_id)
            && rooms.iter().all(|room| {
                room.member_count > 0
                    && room.members.len() == room.member_count.min(MAX_LISTED_MEMBERS)
            })
            && (lists_own || message.more || self.listing > 0)
    }
}

#[cfg(test)]
mod tests;
