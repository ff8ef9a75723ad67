//! A virtual client: it sends what its temper dictates, and records what it sends and receives. `traffic` is its side of
//! the network.

mod traffic;

use std::collections::VecDeque;
use std::ops::Range;

use chat_proto::{Command, HEADER_LEN, Name, RoomId, Text, Title, write_frame};
use chat_testing::{Event, Request, Rng, UPGRADE};

use crate::testing::simulation::form::Form;
use crate::testing::simulation::net::ClientEnd;
use crate::testing::simulation::trace::{Entry, Trace};

/// How a client behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Temper {
    /// Reads at once, breaks no rule, and stays in its first room.
    Witness,
    /// Does everything that is allowed.
    Person,
    /// Like a person, but reads little and rarely.
    Slow,
    /// Reads nothing while there are faults.
    Stuck,
    /// Never reads, and never ends its side.
    Dead,
    /// Sends payloads that are no commands.
    Vandal,
    /// Like a person, but pauses within frames.
    Dawdler,
    /// Like a dawdler, but with long frames, each followed by the first bytes of the next.
    Hoarder,
    /// Says hello, and what a person of `asking` wants.
    Asking,
}

/// Names that several clients compete for.
const WANTED: [&str; 3] = ["ann", "bob", "김"];

/// The first bytes of other protocols.
const FOREIGN: [&[u8]; 2] = [b"SSH-2.0-OpenSSH_9.6\r\n", b"\x16\x03\x01\x02\x00\x01\x00"];

/// Payloads that are not commands, with the code of the answer.
const BAD: [(&[u8], &str); 6] = [
    (b"", "empty-frame"),
    (b"[]", "bad-request"),
    (b"{\"type\":\"CSDance\"}", "unknown-type"),
    (b"{\"type\":\"CSJoinRoom\"}", "bad-request"),
    (b"{\"type\":\"CSRooms\",\"x\":\"\xff\"}", "invalid-utf8"),
    (b"{\"type\":\"CSRooms\"", "bad-request"),
];

/// Commands with a value that breaks a rule, with the code of the answer.
const REFUSED: [(&[u8], &str); 3] = [
    (b"{\"type\":\"CSName\",\"name\":\" \"}", "bad-name"),
    (b"{\"type\":\"CSCreateRoom\",\"title\":\"a\\u0007\"}", "bad-title"),
    (b"{\"type\":\"CSChat\",\"text\":\"\"}", "bad-text"),
];

/// Bytes of a text that fits a request, but not a chat with a member, a room and a number.
const LONG_TEXT: usize = 65_505;

pub(super) struct Client {
    pub(super) id: usize,
    pub(super) temper: Temper,
    pub(super) end: ClientEnd,
    /// The longest payload of a hoarder.
    longest: usize,
    /// Bytes on their way to the server's kernel.
    outbox: VecDeque<u8>,
    /// Bytes sent so far.
    sent: u64,
    /// Bytes that have arrived in the server's kernel.
    delivered: u64,
    /// The positions of frames that have not arrived completely; the end of one may never come.
    frames: VecDeque<Range<u64>>,
    /// Since when the server's kernel has had part of a frame.
    frame_begun: Option<u64>,
    /// The rest of a frame that the client pauses within, and its request.
    rest: Option<(Vec<u8>, Request)>,
    /// Whether it ends its side once the outbox is empty.
    finishing: bool,
    finished: bool,
    form: Form,
    /// Bytes of the frames sent so far, counted as plain frames.
    counted: u64,
    chats: u64,
    requests: u64,
    pub(super) trace: Trace,
    /// The person at it, if it says hello.
    pub(super) person: Option<usize>,
    /// What that person has not heard yet.
    pub(super) inbox: Vec<Vec<u8>>,
    /// Whether that person has gone on elsewhere, or means to.
    pub(super) is_replaced: bool,
    /// Whether that person has ended its session.
    pub(super) has_quit: bool,
    /// When the server began to close the connection.
    pub(super) closing_at: Option<u64>,
}

impl Client {
    pub(super) fn new(
        id: usize,
        temper: Temper,
        form: Form,
        end: ClientEnd,
        longest: usize,
    ) -> Self {
        let trace = Trace {
            witness: temper == Temper::Witness,
            dead: temper == Temper::Dead,
            asks: temper == Temper::Asking,
            ..Trace::default()
        };
        let mut client = Self {
            id,
            temper,
            end,
            longest,
            outbox: VecDeque::new(),
            sent: 0,
            delivered: 0,
            frames: VecDeque::new(),
            frame_begun: None,
            rest: None,
            finishing: false,
            finished: false,
            form,
            counted: 0,
            chats: 0,
            requests: 0,
            trace,
            person: None,
            inbox: Vec::new(),
            is_replaced: false,
            has_quit: false,
            closing_at: None,
        };
        if client.form.is_browser() {
            client.frames.push_back(0..UPGRADE.len() as u64);
            client.push(UPGRADE.as_bytes());
        }
        client
    }

    /// Whether its stream is open in either direction.
    pub(super) fn is_on(&self) -> bool {
        self.trace.ended().is_none()
    }

    /// Checks the client at rest: both sides have read an open connection to the end.
    pub(super) fn check_rest(&self) {
        let (id, read) = (self.id, self.end.read_by_server());
        let all = read == self.sent || !self.is_on() || self.temper == Temper::Dead;
        assert!(all, "I12: the server has read {read} of {} bytes of client {id}", self.sent);
        let taken = !self.is_on() || self.temper == Temper::Dead || !self.end.is_readable();
        assert!(taken, "I12: client {id} has not read everything");
    }

    /// Since when the server's kernel has had the beginning of a frame without its end.
    pub(super) fn frame_begun(&self) -> Option<u64> {
        self.frame_begun
    }

    /// Whether the bytes in the server's kernel end within a frame.
    pub(super) fn is_in_frame(&self) -> bool {
        self.frame_begun.is_some()
    }

    /// Whether it may still send.
    pub(super) fn can_speak(&self) -> bool {
        self.is_on() && !self.finishing
    }
}

/// Lengthens a frame with spaces after its object, up to a payload of `longest` bytes.
fn pad(frame: &mut Vec<u8>, longest: usize, rng: &mut Rng) {
    let payload = frame.len() - HEADER_LEN;
    let payload = rng.within(payload..longest.max(payload) + 1);
    frame.resize(HEADER_LEN + payload, b' ');
    frame[..HEADER_LEN].copy_from_slice(&(payload as u16).to_be_bytes());
}

/// Sending.
impl Client {
    /// Sends something at random. `rooms` are the rooms it may know of.
    pub(super) fn speak(&mut self, rng: &mut Rng, rooms: &[u64]) {
        if self.rest.is_some() {
            if rng.chance(1, 4) {
                self.complete();
            }
            return;
        }
        let request = match self.temper {
            Temper::Vandal if rng.chance(1, 3) => return self.misbehave(rng),
            Temper::Witness => Request::Chat { number: 0 },
            _ => match rng.within(0..20) {
                0 => Request::Rooms,
                1 => Request::Rename(if rng.chance(1, 2) {
                    rng.pick(&WANTED).to_owned()
                } else {
                    format!("n{}-{}", self.id, self.requests)
                }),
                2 => Request::Create(format!("t{}-{}", self.id, self.requests)),
                3 | 4 if rooms.is_empty() => {
                    Request::Create(format!("t{}-{}", self.id, self.requests))
                }
                3 | 4 => Request::Join(rng.pick(rooms)),
                5 => Request::Leave,
                6 if rng.chance(1, 8) => Request::LongChat,
                _ => Request::Chat { number: 0 },
            },
        };
        self.ask(rng, request);
    }

    pub(super) fn ask(&mut self, rng: &mut Rng, request: Request) {
        let request = match request {
            Request::Chat { .. } => {
                self.chats += 1;
                Request::Chat { number: self.chats }
            }
            request => request,
        };
        let command = self.command(rng, &request);
        let mut frame = Vec::new();
        command.write(&mut frame).expect("no request is longer than a frame");
        self.complete();
        match self.temper {
            Temper::Dawdler if rng.chance(1, 2) => {
                self.dawdle(&frame, rng.within(1..frame.len()), request);
            }
            Temper::Hoarder if rng.chance(1, 2) => {
                pad(&mut frame, self.longest, rng);
                self.send(&frame, request);
                // The next frame has begun, with a byte or two of it.
                let mut next = Vec::new();
                Command::Rooms.write(&mut next).expect("it is short");
                pad(&mut next, self.longest, rng);
                self.dawdle(&next, rng.within(1..4), Request::Rooms);
            }
            _ => self.send(&frame, request),
        }
    }

    /// Sends the first bytes of a frame now, and the rest later.
    fn dawdle(&mut self, frame: &[u8], first: usize, request: Request) {
        self.counted += frame.len() as u64;
        let frame = self.form.encode(frame);
        self.frames.push_back(self.sent..self.sent + frame.len() as u64);
        self.push(&frame[..first]);
        self.rest = Some((frame[first..].to_vec(), request));
    }

    /// Sends the rest of such a frame.
    fn complete(&mut self) {
        if let Some((rest, request)) = self.rest.take() {
            self.push(&rest);
            self.record(request);
        }
    }

    fn command(&self, rng: &mut Rng, request: &Request) -> Command {
        let text = |text: String| Command::Chat(Text::try_from(text).expect("a text"));
        match request {
            Request::Rename(name) => Command::Rename(Name::new(name).expect("a name")),
            Request::Rooms => Command::Rooms,
            Request::Create(title) => Command::Create(Title::new(title).expect("a title")),
            Request::Join(room) => Command::Join(RoomId::new(*room).expect("above 0")),
            Request::Leave => Command::Leave,
            Request::Shutdown => Command::Shutdown,
            Request::LongChat => text("x".repeat(LONG_TEXT)),
            Request::Chat { number } => {
                let most = if rng.chance(1, 16) { 2_000 } else { 60 };
                text(Event::text(self.id, *number, rng.within(0..most)))
            }
            Request::Refused(_) | Request::Bad(_) => unreachable!("those are no commands"),
        }
    }

    fn misbehave(&mut self, rng: &mut Rng) {
        if self.sent == 0 && rng.chance(1, 3) {
            self.frames.push_back(0..u64::MAX);
            let foreign = rng.pick(&FOREIGN);
            self.counted += foreign.len() as u64;
            self.push(foreign);
            return self.record(Request::Bad("bad-request"));
        }
        let (payload, request) = if rng.chance(1, 3) {
            let (payload, code) = rng.pick(&REFUSED);
            (payload, Request::Refused(code))
        } else {
            let (payload, code) = rng.pick(&BAD);
            if self.form.is_browser() && str::from_utf8(payload).is_err() {
                // A WebSocket ends without an answer.
                return;
            }
            (payload, Request::Bad(code))
        };
        let mut frame = Vec::new();
        write_frame(&mut frame, |out| out.extend_from_slice(payload)).expect("it is short");
        self.send(&frame, request);
    }

    /// Begins a frame that never ends.
    pub(super) fn truncate(&mut self, rng: &mut Rng) {
        let frame = b"\0\x40{\"type\":\"CSChat\",\"text\":\"never";
        let len = rng.within(1..frame.len());
        if self.rest.is_none() {
            let mut whole = frame.to_vec();
            whole.resize(HEADER_LEN + 0x40, b' ');
            let frame = self.form.encode(&whole);
            self.frames.push_back(self.sent..u64::MAX);
            self.push(&frame[..len]);
        }
        self.finish();
    }

    /// Ends its side once everything is sent.
    pub(super) fn finish(&mut self) {
        if !self.finishing {
            self.finishing = true;
            self.trace.entries.push(Entry::Finished);
        }
    }

    /// Sends a payload that only a client may send that says hello, unless it has ended its side.
    pub(super) fn say(&mut self, payload: &str) {
        if self.finishing {
            return;
        }
        let mut frame = Vec::new();
        let fits = write_frame(&mut frame, |out| out.extend_from_slice(payload.as_bytes()));
        fits.expect("it is short");
        self.push_frame(&frame);
    }

    /// Notes that its person ends the session.
    pub(super) fn quit(&mut self) {
        self.has_quit = true;
    }

    /// Lets the network swallow what the server sends from now on.
    pub(super) fn hang(&mut self) {
        self.temper = Temper::Dead;
        self.trace.dead = true;
    }

    fn send(&mut self, frame: &[u8], request: Request) {
        self.push_frame(frame);
        self.record(request);
    }

    fn push_frame(&mut self, frame: &[u8]) {
        self.counted += frame.len() as u64;
        let frame = &self.form.encode(frame);
        self.frames.push_back(self.sent..self.sent + frame.len() as u64);
        self.push(frame);
    }

    fn record(&mut self, request: Request) {
        self.requests += 1;
        self.trace.entries.push(Entry::Sent { request, end: self.counted });
    }

    fn push(&mut self, bytes: &[u8]) {
        self.outbox.extend(bytes);
        self.sent += bytes.len() as u64;
    }
}
