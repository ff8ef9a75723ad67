//! A chat embedded in another program: a turn-based game whose players talk at their tables.
//!
//! ```text
//! cargo run -p chat-core --example embed
//! ```
//!
//! The game has a loop of its own and no sockets: its players are in this process. A [`Hub`] fits in because
//! it never blocks and never calls back. The loop hands it commands, gets a vector of [`Output`]s, and carries
//! them out in their order. That takes two things, both in [`Game::carry_out`]:
//!
//! - a way to show something to one player, here a line on a [`Player::screen`];
//! - the players at each table, since a broadcast is one output, not one per member. `Entered`, `Left` and
//!   `RoomClosed` keep track of them.

use std::collections::{BTreeMap, VecDeque};

use chat_core::{
    Command, Hub, HubLimits, Name, Output, Role, RoomEvent, RoomId, SessionId, Text, Title,
    ValueError,
};

/// What a player does in a turn.
enum Move {
    Ask(Command),
    Wait,
    /// Disconnect without leaving the table.
    Quit,
}

struct Player {
    moves: VecDeque<Move>,
    /// The lines that the player has received since the last turn.
    screen: Vec<String>,
}

struct Game {
    chat: Hub,
    players: BTreeMap<SessionId, Player>,
    tables: BTreeMap<RoomId, Vec<SessionId>>,
    is_over: bool,
}

fn main() -> Result<(), ValueError> {
    // Values are checked when they are made: no name, title or text ever breaks a rule.
    let call_me = |name| Ok(Move::Ask(Command::Rename(Name::new(name)?)));
    let say = |text: &str| Ok(Move::Ask(Command::Chat(Text::new(text)?)));
    let open_table = Move::Ask(Command::Create(Title::new("Fox and Geese")?));
    let sit_down = || Move::Ask(Command::Join(RoomId::FIRST));
    let get_up = || Move::Ask(Command::Leave);
    let end = || Move::Ask(Command::Shutdown);

    let mut game = Game {
        chat: Hub::new(HubLimits::new().with_rooms(10)),
        players: BTreeMap::new(),
        tables: BTreeMap::new(),
        is_over: false,
    };
    // The host may end the game; guests may not.
    game.enter(
        Role::Operator,
        vec![call_me("Ann")?, open_table, Move::Wait, say("Bob?")?, Move::Wait, get_up(), end()],
    );
    game.enter(
        Role::Guest,
        vec![call_me("ANN")?, call_me("Bob")?, sit_down(), say("h7-g6!")?, Move::Quit],
    );
    game.enter(
        Role::Guest,
        vec![end(), Move::Ask(Command::Rooms), sit_down(), say("Good move.")?, get_up()],
    );
    game.run();
    Ok(())
}

impl Game {
    fn enter(&mut self, role: Role, moves: Vec<Move>) {
        let session = self.chat.connect(role);
        self.players.insert(session, Player { moves: moves.into(), screen: Vec::new() });
    }

    /// Runs the loop: everybody moves once per turn, then sees the screen.
    fn run(&mut self) {
        for turn in 1.. {
            println!("turn {turn}");
            self.turn();
            for (session, player) in &mut self.players {
                for line in player.screen.drain(..) {
                    println!("  player {session} sees: {line}");
                }
            }
            if self.is_over {
                return;
            }
        }
    }

    fn turn(&mut self) {
        let mut outputs = Vec::new(); // one vector for many inputs
        for (&session, player) in &mut self.players {
            match player.moves.pop_front().unwrap_or(Move::Wait) {
                Move::Ask(command) => self.chat.handle(session, command, &mut outputs),
                Move::Wait => {}
                Move::Quit => self.chat.disconnect(session, &mut outputs),
            }
        }
        self.carry_out(outputs);
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                // A notice has a text for people and a code for programs.
                Output::Reply { to, notice, .. } => {
                    self.show(to, format!("{notice} [{}]", notice.code()));
                }
                Output::Rooms { to, rooms } => {
                    self.show(to, format!("tables: {}", rooms.len()));
                    for room in rooms.iter() {
                        let members = room.members.join(", ");
                        self.show(to, format!("table {}, {}: {members}", room.room_id, room.title));
                    }
                }
                Output::Entered { session, room } => {
                    self.tables.entry(room).or_default().push(session);
                }
                Output::Left { session, room } => {
                    let members =
                        self.tables.get_mut(&room).expect("a member leaves an existing table");
                    members.retain(|&member| member != session);
                }
                Output::Broadcast { room, seq, except, event } => {
                    let line = match event {
                        RoomEvent::Chat { member, text } => format!("<{member}> {text}"),
                        RoomEvent::Notice(notice) => notice.to_string(),
                    };
                    for member in self.tables[&room].clone() {
                        if Some(member) != except {
                            self.show(member, format!("{room}#{seq} {line}"));
                        }
                    }
                }
                Output::NotifyAll { notice } => {
                    for player in self.players.values_mut() {
                        player.screen.push(notice.to_string());
                    }
                }
                Output::RoomClosed { room } => {
                    self.tables.remove(&room);
                }
                // No more outputs are for this session, and its number is not reused.
                Output::Disconnected { session } => {
                    self.players.remove(&session);
                    println!("  player {session} is gone");
                }
                // What a shutdown means is up to the embedder: the hub goes on.
                Output::ShutdownRequested { by } => {
                    println!("  player {by} ends the game");
                    self.is_over = true;
                }
                // Outputs of a later version. Ignoring them in silence would be a bug.
                unknown => println!("  not carried out: {unknown:?}"),
            }
        }
    }

    fn show(&mut self, to: SessionId, line: String) {
        if let Some(player) = self.players.get_mut(&to) {
            player.screen.push(line);
        }
    }
}
