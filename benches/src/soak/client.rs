//! A client of the soak: a socket, and the conversation over it, which is reported to the checker.

use std::io;
use std::net::{IpAddr, SocketAddr};

use chat_proto::{Command, Incoming, Text};
use chat_testing::{Checker, Conversation, Event, Received, Request};

use super::form::Speech;
use super::socket::Socket;
use crate::words::frame;

/// Where and how a client connects.
#[derive(Debug, Clone, Copy)]
pub(super) struct Route {
    pub(super) to: SocketAddr,
    /// The source address, if it matters.
    pub(super) from: Option<IpAddr>,
    /// `SO_RCVBUF`, in bytes.
    pub(super) receive_buffer: Option<usize>,
    pub(super) speech: Speech,
}

/// A connection whose every message is checked.
#[derive(Debug)]
pub(super) struct Client {
    id: usize,
    pub(super) socket: Socket,
    pub(super) conversation: Conversation,
    /// The number of chats sent so far.
    chats: u64,
}

impl Client {
    /// Begins to connect. Each client must have a higher `id` than those before.
    pub(super) fn open(id: usize, route: Route, checker: &mut Checker) -> io::Result<Self> {
        let Route { to, from, receive_buffer, speech } = route;
        let socket = Socket::open(to, from, receive_buffer, speech)?;
        checker.connect(id);
        Ok(Self { id, socket, conversation: Conversation::new(id, None), chats: 0 })
    }

    pub(super) fn id(&self) -> usize {
        self.id
    }

    /// Sends a command that must be answered with `code`.
    pub(super) fn ask(&mut self, command: &Command, code: &'static str) {
        self.conversation.send_for(request(command), code);
        self.socket.send(&frame(command));
    }

    /// Sends a chat of at least `len` bytes, then `more`. The chat must be accepted.
    pub(super) fn chat(&mut self, checker: &mut Checker, len: usize, more: &str) {
        self.chats += 1;
        let text = Event::text(self.id, self.chats, len) + more;
        self.conversation.send(checker, Request::Chat { number: self.chats });
        self.socket.send(&frame(&Command::Chat(Text::new(&text).expect("no control character"))));
    }

    /// Reads about `most` bytes at most, checks the messages, and passes their kinds to `on`.
    ///
    /// # Errors
    /// The server's mistake.
    pub(super) fn read(
        &mut self,
        checker: &mut Checker,
        buffer: &mut [u8],
        most: usize,
        on: &mut dyn FnMut(Received),
    ) -> Result<(), String> {
        let conversation = &mut self.conversation;
        self.socket.read(buffer, most, &mut |payload| {
            let message = Incoming::parse(payload)
                .map_err(|error| format!("{error} in {}", String::from_utf8_lossy(payload)))?;
            let received = conversation.receive(checker, &message);
            on(received.map_err(|found| found.to_string())?);
            Ok(())
        })
    }

    /// Describes the missing answers, for people.
    pub(super) fn missing(&self) -> String {
        let mut pending = self.conversation.pending();
        match pending.next() {
            None => "no answer is missing".to_owned(),
            Some(next) => format!("{} answers are missing, next to {next:?}", 1 + pending.count()),
        }
    }
}

/// The request that a command makes. [`Client::chat`] numbers chats.
pub(super) fn request(command: &Command) -> Request {
    match command {
        Command::Rename(name) => Request::Rename(name.to_string()),
        Command::Rooms => Request::Rooms,
        Command::Create(title) => Request::Create(title.to_string()),
        Command::Join(room) => Request::Join(room.number()),
        Command::Leave => Request::Leave,
        Command::Chat(_) => Request::Chat { number: 0 },
        Command::Shutdown => Request::Shutdown,
    }
}
