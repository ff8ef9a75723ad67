//! The steady talkers: long-lived clients, some in each of a few rooms, from the beginning of the run to its end.
//! Whatever visitors do, talkers lose nothing, receive nothing twice, and all see the same order within a room.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chat_proto::Command;
use chat_testing::{Checker, Received, Rng};

use super::client::{Client, Route};
use super::form::Speech;
use super::scenario::Rooms;
use super::socket::{End, Socket};
use crate::words::{create, join, rename};

/// Bytes read from one talker in a turn.
const READ_PER_TURN: usize = 1024 * 1024;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// One of this many talkers in a room uses a WebSocket.
const BROWSERS: usize = 2;

/// A kind of room.
struct RoomKind {
    rooms: usize,
    members: usize,
    /// Time between two messages of a member.
    interval: Duration,
    /// Bytes in a text.
    size: usize,
}

/// Many rooms with short messages, and a few that no slow reader can follow, with some 200 KB a second.
const ROOM_KINDS: [RoomKind; 2] = [
    RoomKind { rooms: 12, members: 6, interval: Duration::from_millis(250), size: 64 },
    RoomKind { rooms: 2, members: 2, interval: Duration::from_millis(160), size: 16_000 },
];

/// All talkers. Their ids begin at 0.
#[derive(Debug)]
pub(super) struct Talkers {
    talkers: Vec<Talker>,
    sent: u64,
    delivered: u64,
}

#[derive(Debug)]
struct Talker {
    client: Client,
    /// The index of its room among the talkers' rooms, and its own index in that room.
    room: usize,
    seat: usize,
    interval: Duration,
    size: usize,
    /// When it sends next.
    next: Instant,
    /// Since when an answer is due.
    asked: Option<Instant>,
    /// Names it has had.
    names: u32,
    is_leaving: bool,
}

impl Talkers {
    /// Connects all talkers, outside of rooms.
    pub(super) fn connect(
        to: SocketAddr,
        checker: &mut Checker,
        rng: &mut Rng,
    ) -> io::Result<Self> {
        let began = Instant::now();
        let (mut talkers, mut room) = (Vec::new(), 0);
        for RoomKind { rooms, members, interval, size } in ROOM_KINDS {
            for _ in 0..rooms {
                for seat in 0..members {
                    let delay = rng.below(interval.as_millis() as usize) as u64;
                    // In each room, both kinds hear each other.
                    let is_browser = seat % BROWSERS == BROWSERS - 1;
                    let speech = if is_browser { Speech::WebSocket } else { Speech::Frames };
                    let route = Route { to, from: None, receive_buffer: None, speech };
                    talkers.push(Talker {
                        client: Client::open(talkers.len(), route, checker)?,
                        room,
                        seat,
                        interval,
                        size,
                        next: began + Duration::from_millis(delay),
                        asked: None,
                        names: 0,
                        is_leaving: false,
                    });
                }
                room += 1;
            }
        }
        Ok(Self { talkers, sent: 0, delivered: 0 })
    }

    /// The talkers' sockets, to be registered.
    pub(super) fn sockets(&mut self) -> impl Iterator<Item = &mut Socket> {
        self.talkers.iter_mut().map(|talker| &mut talker.client.socket)
    }

    /// Notes that a talker may have something to read.
    pub(super) fn wake(&mut self, index: usize) {
        if let Some(talker) = self.talkers.get_mut(index) {
            talker.client.socket.wake();
        }
    }

    /// Closes all connections.
    pub(super) fn close(&mut self) {
        self.talkers.clear();
    }

    /// Lets the next talker of each room enter. Returns whether all have entered.
    pub(super) fn enter(&mut self, checker: &Checker) -> bool {
        let mut all_in = true;
        let (mut room, mut before_is_in) = (None, true);
        for talker in &mut self.talkers {
            let own = checker.room_of(talker.client.id());
            if talker.seat == 0 {
                (room, before_is_in) = (own, true);
            }
            let may_enter = own.is_none() && before_is_in;
            if may_enter && talker.client.conversation.is_answered() {
                talker.enter(room);
            }
            before_is_in = own.is_some();
            all_in &= own.is_some();
        }
        all_in
    }

    /// The rooms that the talkers are in.
    pub(super) fn rooms(&self, checker: &Checker) -> Rooms {
        let mut rooms = Rooms::default();
        for talker in self.talkers.iter().filter(|talker| talker.seat == 0) {
            let is_quiet = talker.room < ROOM_KINDS[0].rooms;
            let rooms = if is_quiet { &mut rooms.quiet } else { &mut rooms.loud };
            rooms.extend(checker.room_of(talker.client.id()));
        }
        rooms
    }

    /// Reads, and sends what is due if the talkers are to `talk`.
    ///
    /// # Errors
    /// The server's mistake.
    pub(super) fn turn(
        &mut self,
        now: Instant,
        buffer: &mut [u8],
        checker: &mut Checker,
        talk: Option<&mut Rng>,
    ) -> Result<(), String> {
        let count = self.talkers.len();
        for (index, talker) in self.talkers.iter_mut().enumerate() {
            let delivered = &mut self.delivered;
            let on = &mut |received| {
                *delivered +=
                    u64::from(matches!(received, Received::Chat(sender) if sender < count));
            };
            talker.receive(now, buffer, checker, on).map_err(|error| {
                format!("steady talker {index} of room {}: {error}", talker.room)
            })?;
        }
        let Some(rng) = talk else { return Ok(()) };
        for (index, talker) in self.talkers.iter_mut().enumerate() {
            if now >= talker.next {
                // Messages missed while this process was suspended are not made up for.
                talker.next = now + talker.interval;
                talker.client.chat(checker, talker.size, "");
                talker.ask(index, now, rng);
                self.sent += 1;
            }
        }
        Ok(())
    }

    /// The number of deliveries and answers still to come.
    pub(super) fn missing(&self, checker: &Checker) -> usize {
        let missing = self.talkers.iter().map(|talker| {
            let is_unanswered = !talker.client.conversation.is_answered();
            checker.missing(talker.client.id()) + usize::from(is_unanswered)
        });
        missing.sum()
    }

    /// Messages sent, and deliveries of them to other talkers.
    pub(super) fn totals(&self) -> (u64, u64) {
        (self.sent, self.delivered)
    }

    /// Makes all talkers leave, and end their side.
    pub(super) fn leave(&mut self) {
        for talker in &mut self.talkers {
            talker.is_leaving = true;
            talker.client.ask(&Command::Leave, "room-left");
            talker.client.socket.finish();
        }
    }

    /// Whether all their streams have ended.
    pub(super) fn are_gone(&self) -> bool {
        self.talkers.iter().all(|talker| talker.client.socket.end().is_some())
    }

    /// The number of talkers.
    pub(super) fn len(&self) -> usize {
        self.talkers.len()
    }
}

impl Talker {
    /// Creates the room, or enters it.
    fn enter(&mut self, room: Option<u64>) {
        let id = self.client.id();
        self.client.ask(&rename(&format!("Steady {id}")), "renamed");
        if self.seat == 0 {
            let title = format!("steady room {}", self.room);
            self.client.ask(&create(&title), "room-created");
        } else if let Some(room) = room {
            self.client.ask(&join(room), "room-entered");
        }
    }

    fn receive(
        &mut self,
        now: Instant,
        buffer: &mut [u8],
        checker: &mut Checker,
        on: &mut dyn FnMut(Received),
    ) -> Result<(), String> {
        self.client.socket.flush();
        self.client.read(checker, buffer, READ_PER_TURN, on)?;
        let is_answered = self.client.conversation.is_answered();
        self.asked = self.asked.filter(|_| !is_answered);
        match (self.client.socket.end(), self.client.conversation.farewell()) {
            (None, None) => {}
            (Some(End::Whole), None) if self.is_leaving && is_answered => {}
            (end, word) => return Err(format!("cut off ({end:?}), last word {word:?}")),
        }
        if self.asked.is_some_and(|asked| now.duration_since(asked) > PATIENCE) {
            return Err(format!("{} for {} s", self.client.missing(), PATIENCE.as_secs()));
        }
        Ok(())
    }

    /// Sends, now and then, something that is answered.
    fn ask(&mut self, index: usize, now: Instant, rng: &mut Rng) {
        match rng.below(200) {
            0..4 => self.client.ask(&Command::Rooms, "rooms"),
            // The first talker keeps the name that visitors try to take.
            4 if index > 0 => {
                self.names += 1;
                self.client.ask(&rename(&format!("Steady {index} {}", self.names)), "renamed");
            }
            _ => return,
        }
        self.asked = self.asked.or(Some(now));
    }
}
