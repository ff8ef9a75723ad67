//! The whole path of a message except for the kernel: read, parse, hub, fan-out and write, over sockets in memory.

use std::cell::Cell;
use std::io::{self, ErrorKind, IoSlice};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use chat_core::{Command, HubLimits, Role, RoomId, Text, Title};
use chat_proto::websocket::{self, Opcode};
use chat_proto::{Framing, HEADER_LEN};

use crate::config::Config;
use crate::engine::{Engine, Workers};
use crate::net::ConnKey;
use crate::net::Instant;
use crate::net::Socket;
use crate::workers::SharedHub;
use crate::workers::{Job, Mailbox};

/// The engine carries out everything itself, and peers that send much are not slowed down.
pub(crate) fn config() -> Config {
    let mut config = Config { inline_requests: usize::MAX, ..Config::default() };
    config.limits.lift_rates();
    config
}

/// The request for a WebSocket (RFC 6455, 1.2).
const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A room in which the first member talks.
#[derive(Debug)]
pub struct MemoryRoom {
    engine: Engine<MemorySocket, NoWorkers>,
    framing: Framing,
    talker: ConnKey,
    line: Line,
    round: Rc<[u8]>,
    now: Instant,
}

impl MemoryRoom {
    /// Creates a room of `members` members, who all speak in this form. A round is `messages` chats of 64 bytes.
    ///
    /// # Panics
    /// Never: the values are valid.
    pub fn new(members: usize, messages: usize, framing: Framing, keeps_history: bool) -> Self {
        let hub = Arc::new(SharedHub::new(HubLimits::default(), || {}));
        let line = Line::default();
        let text = Text::new(&"x".repeat(64)).expect("a text");
        let mut round = Vec::new();
        for _ in 0..messages {
            write(&Command::Chat(text.clone()), framing, &mut round);
        }
        let mut config = config();
        if !keeps_history {
            config.limits.history = 0;
        }
        let engine = Engine::new(config, hub, NoWorkers, Arc::default());
        let talker = engine.next_key();
        let (round, now) = (round.into(), Instant::START);
        let mut room = Self { engine, framing, talker, line, round, now };
        let title = Title::new("room").expect("a title");
        room.enter(&Command::Create(title));
        for _ in 1..members {
            room.enter(&Command::Join(RoomId::FIRST));
        }
        room
    }

    fn enter(&mut self, command: &Command) {
        let mut frame = Vec::new();
        write(command, self.framing, &mut frame);
        let key = self.engine.next_key();
        let socket = MemorySocket(self.line.clone());
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        self.engine.connect(self.now, socket, Role::Guest, peer);
        if self.framing == Framing::WebSocket {
            self.send(key, UPGRADE.as_bytes().into());
        }
        self.send(key, frame.into());
    }

    fn send(&mut self, from: ConnKey, bytes: Rc<[u8]>) {
        self.line.input.set(Some(bytes));
        self.engine.readable(from, false);
        self.engine.turn(self.now);
    }

    /// Sends all chats of a round from the first member, and delivers them to the others. Returns the number of
    /// bytes written since the last call.
    pub fn round(&mut self) -> usize {
        self.send(self.talker, Rc::clone(&self.round));
        while self.engine.wants_turn() {
            self.engine.turn(self.now);
        }
        self.line.written.take()
    }
}

/// Appends a command as a client sends it.
fn write(command: &Command, framing: Framing, out: &mut Vec<u8>) {
    let mut frame = Vec::new();
    command.write(&mut frame).expect("it fits a frame");
    match framing {
        Framing::Length => out.append(&mut frame),
        Framing::WebSocket => {
            websocket::write_masked(out, Opcode::Text, *b"mask", &frame[HEADER_LEN..]);
        }
    }
}

/// The next input, and the bytes written, of all sockets together.
#[derive(Clone, Default)]
struct Line {
    input: Rc<Cell<Option<Rc<[u8]>>>>,
    written: Rc<Cell<usize>>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct MemorySocket(Line);

impl Socket for MemorySocket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let input = self.0.input.take().ok_or(ErrorKind::WouldBlock)?;
        buf[..input.len()].copy_from_slice(&input);
        Ok(input.len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let len = slices.iter().map(|slice| slice.len()).sum();
        self.0.written.set(self.0.written.get() + len);
        Ok(len)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn reset_on_close(&mut self) {}
}

/// Everything is carried out inline.
#[derive(Debug)]
pub(super) struct NoWorkers;

impl Workers for NoWorkers {
    fn start_job(&mut self, job: Job) {
        debug_assert!(false, "there is no store: {job:?}");
    }

    fn submit(&mut self, mailboxes: &mut Vec<Arc<Mailbox>>) {
        debug_assert!(mailboxes.is_empty(), "no backlog is longer than `usize::MAX`");
    }
}
