//! A chat embedded in a program that owns its sockets: a game server with a loop of its own, which speaks the
//! chat protocol beside its own.
//!
//! ```text
//! cargo run -p chat-core --example sockets -- 9000
//! cargo run -p chat-client -- --port=9000         # as often as you like; /shutdown ends it
//! ```
//!
//! In every tick of the game, it reads each socket once, carries out the commands, and writes the results as
//! far as the kernel accepts them. It never blocks. For thousands of players, use `chat_server`.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;
use std::{env, mem, thread};

use chat_core::{
    Command, Hub, HubLimits, Input, Lang, Notice, Output, Rejection, Role, RoomEvent, SessionId,
};
use chat_proto::{FrameDecoder, Framing, ServerMessage, write_rooms_page};

/// The duration of a tick of the game.
const TICK: Duration = Duration::from_millis(20);

/// A player with more unsent bytes than this does not read, and is disconnected.
const MAX_UNSENT: usize = 1024 * 1024;

struct Player {
    stream: TcpStream,
    decoder: FrameDecoder,
    unsent: Vec<u8>,
    is_gone: bool,
}

struct Game {
    hub: Hub,
    outputs: Vec<Output>,
    players: BTreeMap<SessionId, Player>,
    is_over: bool,
}

fn main() -> io::Result<()> {
    let port = env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    println!("listening on {}", listener.local_addr()?);

    let mut game = Game {
        hub: Hub::new(HubLimits::new().with_rooms(100)),
        outputs: Vec::new(),
        players: BTreeMap::new(),
        is_over: false,
    };
    while !game.is_over {
        if let Ok((stream, _)) = listener.accept() {
            game.enter(stream)?;
        }
        game.handle_input();
        // The rest of the game goes here.
        game.flush();
        thread::sleep(TICK);
    }
    Ok(())
}

impl Game {
    fn enter(&mut self, stream: TcpStream) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        // Everybody is on this machine, and may end the game.
        self.hub.apply(0, Input::Connect { role: Role::Operator }, &mut self.outputs);
        let Some(Output::Connected { session }) = self.outputs.pop() else { return Ok(()) };
        let decoder = FrameDecoder::new();
        let player = Player { stream, decoder, unsent: Vec::new(), is_gone: false };
        self.players.insert(session, player);
        Ok(())
    }

    /// Reads and carries out the commands of this tick.
    fn handle_input(&mut self) {
        let sessions: Vec<_> = self.players.keys().copied().collect();
        for session in sessions {
            let Some(player) = self.players.get_mut(&session) else { continue };
            let commands = player.read();
            let is_gone = player.is_gone;
            for command in commands {
                match command {
                    Ok(command) => {
                        self.hub.apply(0, Input::Command { session, command }, &mut self.outputs);
                    }
                    Err(rejection) => self.outputs.push(Output::Reply {
                        to: session,
                        notice: Notice::Rejected(rejection),
                        room: None,
                    }),
                }
                self.carry_out();
            }
            if is_gone {
                self.hub.apply(0, Input::Disconnect { session }, &mut self.outputs);
                self.carry_out();
            }
        }
    }

    /// Carries out the outputs of one input. The hub still knows the receivers of a broadcast.
    fn carry_out(&mut self) {
        for output in self.outputs.drain(..) {
            match output {
                Output::Reply { to, notice, room } => {
                    if let Some(player) = self.players.get_mut(&to) {
                        player.tell(ServerMessage::System { notice: &notice, room });
                    }
                }
                Output::Rooms { to } => {
                    let Some(player) = self.players.get_mut(&to) else { continue };
                    let mut page = |after| {
                        write_rooms_page(
                            Framing::Length,
                            self.hub.rooms_after(after),
                            &mut player.unsent,
                        )
                    };
                    let mut after = page(None);
                    while after.is_some() {
                        after = page(after);
                    }
                }
                Output::Broadcast { room, seq, except, event, .. } => {
                    let message = match &event {
                        RoomEvent::Chat { member, text } => {
                            ServerMessage::Chat { member, text, room, seq }
                        }
                        RoomEvent::Notice(notice) => {
                            ServerMessage::System { notice, room: Some((room, seq)) }
                        }
                    };
                    for member in self.hub.members(room).filter(|&member| Some(member) != except) {
                        if let Some(player) = self.players.get_mut(&member) {
                            player.tell(message);
                        }
                    }
                }
                Output::NotifyAll { notice } => {
                    for player in self.players.values_mut() {
                        player.tell(ServerMessage::System { notice: &notice, room: None });
                    }
                }
                Output::Disconnected { session } => drop(self.players.remove(&session)),
                Output::ShutdownRequested { .. } => self.is_over = true,
                // The hub tracks the members of rooms.
                Output::Entered { .. } | Output::Left { .. } | Output::RoomClosed { .. } => {}
                unknown => eprintln!("not carried out: {unknown:?}"),
            }
        }
    }

    fn flush(&mut self) {
        for player in self.players.values_mut() {
            if self.is_over {
                player.tell(ServerMessage::System { notice: &Notice::ServerStopping, room: None });
            }
            player.write();
        }
    }
}

impl Player {
    /// Reads what arrived since the last tick, and parses each frame.
    fn read(&mut self) -> Vec<Result<Command, Rejection>> {
        let mut chunk = [0; 4096];
        let mut commands = Vec::new();
        match self.stream.read(&mut chunk) {
            Ok(0) => self.is_gone = true,
            Ok(len) => {
                let mut frames = self.decoder.feed(&chunk[..len]);
                while let Some(payload) = frames.next_frame() {
                    commands.push(Command::parse(payload));
                }
            }
            Err(e) => self.fail(&e),
        }
        commands
    }

    fn tell(&mut self, message: ServerMessage<'_>) {
        // This cannot fail: the hub refuses chats that do not fit a frame, and notices are short.
        let written = message.write(Lang::En, &mut self.unsent);
        debug_assert!(written.is_ok(), "{written:?}");
    }

    /// Writes what the kernel accepts now. The rest waits for the next tick.
    fn write(&mut self) {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(len) => drop(self.unsent.drain(..len)),
                Err(e) => {
                    self.fail(&e);
                    break;
                }
            }
        }
        if self.unsent.len() > MAX_UNSENT {
            self.is_gone = true;
            mem::take(&mut self.unsent);
        }
    }

    /// Disconnects the player, unless the socket is merely not ready.
    fn fail(&mut self, error: &io::Error) {
        self.is_gone |= !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
    }
}
