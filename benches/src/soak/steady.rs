//! The steady talkers: some in each of a few rooms, from the beginning of the run to its end. Whatever
//! visitors do, these lose nothing, hear nothing twice, and all of one room hear one sequence.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chat_proto::{Command, Title};

use super::book::Book;
use super::dialogue::{Dialogue, Expect, Heard, ROOMS};
use super::peer::{End, Peer};
use super::rng::Rng;
use super::visits::{Rooms, frame, name, room_id};
use crate::load::protocol::{Protocol, Template};

/// Bytes read from one member in a turn.
const READ_PER_TURN: usize = 1024 * 1024;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A kind of room.
struct Shape {
    rooms: usize,
    members: usize,
    /// Between two messages of a member.
    interval: Duration,
    /// Bytes of a text.
    size: usize,
}

/// Many rooms with short messages, and a few that no slow reader can follow: some 200 KB a second.
const SHAPES: [Shape; 2] = [
    Shape { rooms: 12, members: 6, interval: Duration::from_millis(250), size: 64 },
    Shape { rooms: 2, members: 2, interval: Duration::from_millis(160), size: 16_000 },
];

/// All of them.
#[derive(Debug)]
pub(super) struct Steady {
    members: Vec<Member>,
    books: Vec<Book>,
    began: Instant,
}

#[derive(Debug)]
struct Member {
    peer: Peer,
    dialogue: Dialogue,
    /// The index of its book, and its own in it.
    room: usize,
    seat: usize,
    template: Template,
    interval: Duration,
    next: Instant,
    /// Since when an answer is due.
    asked: Option<Instant>,
    /// Names it has had.
    names: u32,
    is_leaving: bool,
}

impl Steady {
    /// Connects all, with nobody in a room.
    pub(super) fn connect(to: SocketAddr, rng: &mut Rng) -> io::Result<Self> {
        let began = Instant::now();
        let (mut members, mut books) = (Vec::new(), Vec::new());
        for Shape { rooms, members: seats, interval, size } in SHAPES {
            for _ in 0..rooms {
                for seat in 0..seats {
                    let delay =
                        Duration::from_millis(rng.below(interval.as_millis() as usize) as u64);
                    members.push(Member {
                        peer: Peer::open(to, None, None)?,
                        dialogue: Dialogue::default(),
                        room: books.len(),
                        seat,
                        template: Template::new(Protocol::Chat, 0, 0, size),
                        interval,
                        next: began + delay,
                        asked: None,
                        names: 0,
                        is_leaving: false,
                    });
                }
                books.push(Book::new(seats, (members.len() - seats) as u32));
            }
        }
        Ok(Self { members, books, began })
    }

    /// Their sockets, to be registered.
    pub(super) fn peers(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.members.iter_mut().map(|member| &mut member.peer)
    }

    /// Notes that there may be something for this one to read.
    pub(super) fn wake(&mut self, index: usize) {
        if let Some(member) = self.members.get_mut(index) {
            member.peer.wake();
        }
    }

    /// Closes all connections.
    pub(super) fn close(&mut self) {
        self.members.clear();
    }

    /// Has the next one of each room enter. Returns whether all are in.
    pub(super) fn enter(&mut self) -> bool {
        let mut all_in = true;
        let mut room = None;
        for index in 0..self.members.len() {
            let member = &self.members[index];
            if let Some(place) = member.dialogue.place() {
                if member.seat == 0 {
                    room = Some(place.room);
                }
                continue;
            }
            all_in = false;
            // Those before it are in, or it waits for them.
            let is_next = member.seat == 0 || self.members[index - 1].dialogue.place().is_some();
            if is_next && member.dialogue.is_answered() {
                let member = &mut self.members[index];
                member.sit(index, room);
            }
            room = room.filter(|_| self.members[index].seat > 0);
        }
        all_in
    }

    /// Where they are.
    pub(super) fn rooms(&self) -> Rooms {
        let mut rooms = Rooms::default();
        for member in self.members.iter().filter(|member| member.seat == 0) {
            let Some(place) = member.dialogue.place() else { continue };
            if member.room < SHAPES[0].rooms {
                rooms.quiet.push(place.room);
            } else {
                rooms.loud.push(place.room);
            }
        }
        rooms
    }

    /// Reads, and says what is due if they are to `talk`.
    ///
    /// # Errors
    /// What the server did wrong.
    pub(super) fn turn(
        &mut self,
        now: Instant,
        buffer: &mut [u8],
        talk: Option<&mut Rng>,
    ) -> Result<(), String> {
        for (index, member) in self.members.iter_mut().enumerate() {
            member.receive(now, buffer, &mut self.books).map_err(|error| {
                format!("steady talker {index} of room {}: {error}", member.room)
            })?;
        }
        let Some(rng) = talk else { return Ok(()) };
        let elapsed = now.duration_since(self.began).as_nanos() as u64;
        for (index, member) in self.members.iter_mut().enumerate() {
            if now >= member.next {
                // What was missed because this process slept is not made up for.
                member.next = now + member.interval;
                member.talk(&mut self.books[member.room], elapsed);
                member.ask(index, now, rng);
            }
        }
        Ok(())
    }

    /// What somebody who is not among them heard.
    pub(super) fn overhear(&mut self, heard: Heard<'_>) -> Result<(), String> {
        let room = self.members.iter().find(|member| {
            member.seat == 0
                && member.dialogue.place().is_some_and(|place| place.room == heard.room)
        });
        room.map_or(Ok(()), |member| self.books[member.room].overhear(heard.seq, heard.payload))
    }

    /// Deliveries that are still to come, and answers.
    pub(super) fn missing(&self) -> u64 {
        let unanswered = self.members.iter().filter(|member| !member.dialogue.is_answered());
        self.books.iter().map(Book::missing).sum::<u64>() + unanswered.count() as u64
    }

    /// Messages sent, and deliveries.
    pub(super) fn totals(&self) -> (u64, u64) {
        let totals = self.books.iter().map(Book::totals);
        totals.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// Has all leave, and end their side.
    pub(super) fn leave(&mut self) {
        for member in &mut self.members {
            member.is_leaving = true;
            member.dialogue.expect(Expect::code("room-left"));
            member.peer.send(&frame(&Command::Leave));
            member.peer.finish();
        }
    }

    /// Whether all have been let go in order.
    pub(super) fn are_gone(&self) -> bool {
        self.members.iter().all(|member| member.peer.end().is_some())
    }

    /// How many connections they are.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }
}

impl Member {
    /// Makes the room, or enters it.
    fn sit(&mut self, index: usize, room: Option<u64>) {
        let wanted = format!("Steady {index}");
        self.dialogue.expect(Expect::renamed(wanted.clone()));
        self.peer.send(&frame(&Command::Rename(name(&wanted))));
        if self.seat == 0 {
            let title = Title::new(&format!("steady room {}", self.room));
            let title = title.expect("it is short and plain");
            self.dialogue.expect(Expect::code("room-created"));
            self.peer.send(&frame(&Command::Create(title)));
        } else if let Some(room) = room {
            self.dialogue.expect(Expect::code("room-entered"));
            self.peer.send(&frame(&Command::Join(room_id(room))));
        }
    }

    fn receive(
        &mut self,
        now: Instant,
        buffer: &mut [u8],
        books: &mut [Book],
    ) -> Result<(), String> {
        let was_out = self.dialogue.place().is_none();
        let (book, seat, is_leaving) = (&mut books[self.room], self.seat, self.is_leaving);
        self.peer.flush();
        self.dialogue.read(&mut self.peer, buffer, READ_PER_TURN, &mut |heard| {
            // Who leaves is not kept books of any more: they would wait for it.
            if is_leaving { Ok(()) } else { book.hear(seat, heard.seq, heard.payload) }
        })?;
        if let Some(place) = self.dialogue.place().filter(|_| was_out) {
            // Nobody else enters or talks before this.
            book.enter(seat, place.seq);
        }
        self.asked = self.asked.filter(|_| !self.dialogue.is_answered());
        match (self.peer.end(), self.dialogue.last_word()) {
            (None, None) => {}
            (Some(End::Whole), None) if is_leaving && self.dialogue.is_answered() => {}
            (end, word) => return Err(format!("cut off ({end:?}), last word {word:?}")),
        }
        if self.asked.is_some_and(|asked| now.duration_since(asked) > PATIENCE) {
            return Err(format!("{} for {} s", self.dialogue.missing(), PATIENCE.as_secs()));
        }
        Ok(())
    }

    fn talk(&mut self, book: &mut Book, now: u64) {
        let token = book.say(self.seat, now);
        token.write(&mut self.template.bytes[self.template.token_at..]);
        self.dialogue.say();
        self.peer.send(&self.template.bytes);
    }

    /// Now and then also something that is answered.
    fn ask(&mut self, index: usize, now: Instant, rng: &mut Rng) {
        match rng.below(200) {
            0..4 => {
                self.dialogue.expect(Expect::code(ROOMS));
                self.peer.send(&frame(&Command::Rooms));
            }
            // The first keeps the name that visitors try to take.
            4 if index > 0 => {
                self.names += 1;
                let wanted = format!("Steady {index} {}", self.names);
                self.dialogue.expect(Expect::renamed(wanted.clone()));
                self.peer.send(&frame(&Command::Rename(name(&wanted))));
            }
            _ => return,
        }
        self.asked = self.asked.or(Some(now));
    }
}
