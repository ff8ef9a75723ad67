//! The rules of a room chat as one state machine: [`Command`]s in, [`Output`]s out.
//!
//! A [`Hub`] knows sessions, names and rooms, and nothing of sockets, clocks, locks, threads or logs. It
//! never waits and never calls back, so it fits into any loop: that of a game, of a test, of a server.
//! Whoever owns the connections calls it and carries out what it answers.
//!
//! # The interface
//!
//! | | |
//! |---|---|
//! | inputs | [`Hub::connect`], [`Hub::handle`] a [`Command`], [`Hub::disconnect`], [`Hub::announce`], [`Hub::announce_to_all`] |
//! | outputs | [`Output`], appended to a vector of the caller's, in the order in which things happened; an [`RoomEvent`] is what happened in a room |
//! | getters | [`Hub::name`], [`Hub::room_of`], [`Hub::title`], [`Hub::members`], [`Hub::session_count`], [`Hub::room_count`] |
//! | values | [`Name`], [`Title`], [`Text`], [`RoomId`]: checked when they are made ([`ValueError`]), and right ever after; [`SessionId`], [`Role`] |
//! | words | [`Notice`]: all there is to tell people, with a stable [`code`](Notice::code) for programs and a [`text`](Notice::text) in each [`Lang`] |
//! | lists | [`RoomList`] of [`RoomEntry`]s: all rooms at one time, cheap to keep and to share |
//! | limits | [`HubLimits`] |
//!
//! [`Rejection`] and [`Field`] are for those who read commands from a network: see [`chat_proto`].
//!
//! # The rules
//!
//! - A session is in one room at the most. [`Command::Create`] makes a room with the sender in it,
//!   [`Command::Join`] enters one by its id, [`Command::Leave`] and [`Hub::disconnect`] leave it. The last
//!   one out closes the room.
//! - Room ids and session ids start at 1, rise by 1 and are never used again. Titles may be the same.
//! - [`Command::Chat`] goes to every *other* member of the room; the sender gets nothing.
//! - Everything broadcast to a room has a number there, `seq`: 1 for the first, rising by 1, notices
//!   included.
//! - The first name of session 17 is `user17`, which nobody else can take. [`Command::Rename`] takes another,
//!   unless somebody has one that the nickname profile (RFC 8266) calls the same: in other case, width
//!   or spacing. The room is told, or else the sender.
//! - A refusal is one [`Output::Reply`] to the sender, and nothing has changed. So is a text that would
//!   not fit a frame of 65,535 bytes together with its sender's name.
//! - A session with [`Role::Operator`] may ask for the end ([`Command::Shutdown`]). What that means is up
//!   to the embedder: the hub goes on.
//!
//! # A loop
//!
//! Two things are the embedder's: a way to show something to one session, and to send a broadcast, which
//! is *one* output, to each member but one. If outputs are carried out after each input, the members are
//! [`Hub::members`]. A loop that collects the outputs of many inputs first has to keep who is where by
//! [`Output::Entered`], [`Output::Left`] and [`Output::RoomClosed`]: the hub is ahead of it.
//!
//! ```
//! use std::collections::HashMap;
//!
//! use chat_core::{
//!     Command, RoomEvent, Hub, HubLimits, Name, Output, Role, RoomId, SessionId, Text, Title, ValueError,
//! };
//!
//! /// What each player sees; in a real game, the player's socket.
//! #[derive(Default)]
//! struct Screens(HashMap<SessionId, Vec<String>>);
//!
//! impl Screens {
//!     fn show(&mut self, to: SessionId, line: &str) {
//!         self.0.entry(to).or_default().push(line.to_owned());
//!     }
//!
//!     fn carry_out(&mut self, hub: &Hub, output: Output) {
//!         match output {
//!             Output::Reply { to, notice, .. } => self.show(to, &notice.to_string()),
//!             Output::Rooms { to, rooms } => {
//!                 for room in rooms.iter() {
//!                     self.show(to, &format!("{} {} ({})", room.room_id, room.title, room.member_count));
//!                 }
//!             }
//!             Output::Broadcast { room, except, event, .. } => {
//!                 let line = match event {
//!                     RoomEvent::Chat { member, text } => format!("{member}: {text}"),
//!                     RoomEvent::Notice(notice) => notice.to_string(),
//!                 };
//!                 for member in hub.members(room).filter(|&member| Some(member) != except) {
//!                     self.show(member, &line);
//!                 }
//!             }
//!             // The hub knows who is where, and this game goes on for ever.
//!             Output::Entered { .. } | Output::Left { .. } | Output::RoomClosed { .. } => {}
//!             Output::ShutdownRequested { .. } => {}
//!             Output::NotifyAll { notice } => {
//!                 self.0.values_mut().for_each(|screen| screen.push(notice.to_string()));
//!             }
//!             Output::Disconnected { session } => drop(self.0.remove(&session)),
//!             unknown => panic!("a later version has more to say: {unknown:?}"),
//!         }
//!     }
//! }
//!
//! let mut hub = Hub::new(HubLimits::new().with_rooms(10));
//! let mut screens = Screens::default();
//! let (ann, bob) = (hub.connect(Role::Guest), hub.connect(Role::Guest));
//!
//! // What the players want of the chat in this turn of the game.
//! let wishes = [
//!     (ann, Command::Rename(Name::new("Ann")?)),
//!     (ann, Command::Create(Title::new("table by the window")?)),
//!     (bob, Command::Rename(Name::new("ANN")?)),
//!     (bob, Command::Join(RoomId::FIRST)),
//!     (bob, Command::Chat(Text::new("Your move.")?)),
//! ];
//! let mut outputs = Vec::new(); // one vector serves all
//! for (session, command) in wishes {
//!     hub.handle(session, command, &mut outputs);
//!     for output in outputs.drain(..) {
//!         screens.carry_out(&hub, output);
//!     }
//! }
//! assert_eq!(
//!     screens.0[&ann],
//!     [
//!         "user1 is now called Ann.",
//!         "You made room 1, \"table by the window\", and are in it.",
//!         "user2 came in.",
//!         "user2: Your move.",
//!     ]
//! );
//! assert_eq!(screens.0[&bob].len(), 2); // the name is taken, the room entered
//!
//! // Bob's connection is gone: he leaves as if he had said so.
//! hub.disconnect(bob, &mut outputs);
//! for output in outputs.drain(..) {
//!     screens.carry_out(&hub, output);
//! }
//! assert_eq!(screens.0[&ann].last().map(String::as_str), Some("user2 left."));
//! assert!(!screens.0.contains_key(&bob));
//! # Ok::<(), ValueError>(())
//! ```
//!
//! Two programs to begin with are in `examples/`: `embed`, a game whose players are in the process and
//! which carries out the outputs of a whole turn at once; `sockets`, a loop that owns its sockets and
//! speaks the protocol of [`chat_proto`], so that every client of the chat can talk to it.
//!
//! # Time and panics
//!
//! What an input costs does not grow with the number of sessions or rooms, and hardly with that of the
//! members of the room; but a list of rooms costs what has changed since the list before it. No input
//! makes a hub panic: one that does is a bug.

mod hub;
mod limits;
mod names;
mod output;
mod room;
mod room_list;
mod session;
mod shrink;

pub use chat_proto::{
    Command, Field, Lang, Name, Notice, OperatorText, Rejection, RoomEntry, RoomId, Text, Title,
    ValueError,
};
pub use hub::Hub;
pub use limits::HubLimits;
pub use output::{NoSuchRoom, Output, RoomEvent};
pub use room_list::RoomList;
pub use session::{Role, SessionId};
