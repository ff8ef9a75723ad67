//! The rules of a room chat as one state machine: [`Command`]s in, [`Output`]s out.
//!
//! A [`Hub`] manages sessions, names and rooms. It knows nothing of sockets, clocks, locks, threads or
//! logs; it never blocks and never calls back. So it fits into the loop of a game, a test or a server: the
//! owner of the connections calls the hub, and carries out the outputs.
//!
//! # Overview
//!
//! | | |
//! |---|---|
//! | inputs | [`Hub::apply`] takes every [`Input`]: of a connection [`Input::Connect`], [`Input::Command`], [`Input::Disconnect`]; of the operator [`Input::Announce`] |
//! | outputs | [`Output`], appended to a vector of the caller in the order of events; a [`RoomEvent`] is what happened in a room |
//! | getters | [`Hub::name`], [`Hub::room_of`], [`Hub::title`], [`Hub::members`], [`Hub::session_count`], [`Hub::room_count`] |
//! | values | [`Name`], [`Title`], [`Text`], [`OperatorText`], [`RoomId`]: checked when they are made ([`ValueError`]), valid from then on; [`SessionId`], [`Role`] |
//! | notices | [`Notice`]: everything that people are told, with a stable [`code`](Notice::code) for programs and a text in each [`Lang`] |
//! | lists | [`Hub::rooms_after`]: [`RoomEntry`]s, in as many parts as it takes |
//! | limits | [`HubLimits`], [`ReservedNames`] |
//! | the whole | [`Hub::hash`], to compare two hubs; [`Hub::snapshot`] and [`Hub::restore`], to go on later |
//!
//! [`Rejection`] and [`Field`] are for servers that read commands from a network: see [`chat_proto`].
//!
//! # The rules
//!
//! - A session is in at most one room. [`Command::Create`] creates a room and enters it, [`Command::Join`]
//!   enters one by its id, [`Command::Leave`] and [`Input::Disconnect`] leave it. The room closes when the
//!   last member leaves, unless rooms [last](HubLimits::lasting_rooms).
//! - Room ids and session ids start at 1, rise by 1 and are never reused. Titles need not be unique.
//! - [`Command::Chat`] goes to every *other* member of the room; the sender gets nothing.
//! - Every broadcast has a number within its room, `seq`: 1 for the first, rising by 1, notices included.
//! - Session 17 begins as `user17`, a name that no other session can take. [`Command::Rename`] takes another
//!   name, unless a session has one that people cannot tell from it, in whatever case, width or script, or it
//!   is [reserved](ReservedNames). The members of the room are told; outside of a room, the sender.
//! - A refusal is one [`Output::Reply`] to the sender, and changes nothing. A text that would not fit a
//!   frame of 65,535 bytes together with the name of its sender is refused, too.
//! - A session with [`Role::Operator`] may ask to stop the server ([`Command::Shutdown`]). The hub passes the
//!   request to the embedder, and continues.
//!
//! # An embedding loop
//!
//! The embedder provides two things: a way to show something to one session, and a way to send a
//! broadcast, which is *one* output, to each member except one. Embedders that carry out the outputs after
//! each input find the members with [`Hub::members`]. Embedders that collect the outputs of several inputs
//! first must track the members by [`Output::Entered`], [`Output::Left`] and [`Output::RoomClosed`], since
//! the hub is already ahead of the outputs.
//!
//! ```
//! use std::collections::HashMap;
//!
//! use chat_core::{
//!     Command, Hub, HubLimits, Input, Name, Output, Role, RoomEvent, RoomId, SessionId, Text, Title,
//!     ValueError,
//! };
//!
//! /// What each player sees; in a real game, the player's socket.
//! struct Screens(HashMap<SessionId, Vec<String>>);
//!
//! impl Screens {
//!     fn show(&mut self, to: SessionId, line: &str) {
//!         self.0.get_mut(&to).expect("a player").push(line.to_owned());
//!     }
//!
//!     fn carry_out(&mut self, hub: &Hub, output: Output) {
//!         match output {
//!             Output::Reply { to, notice, .. } => self.show(to, &notice.to_string()),
//!             Output::Rooms { to } => {
//!                 for room in hub.rooms_after(None) {
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
//!             // The hub tracks the members, and this game never ends.
//!             Output::Entered { .. } | Output::Left { .. } | Output::RoomClosed { .. } => {}
//!             Output::ShutdownRequested { .. } => {}
//!             Output::NotifyAll { notice } => {
//!                 self.0.values_mut().for_each(|screen| screen.push(notice.to_string()));
//!             }
//!             Output::Disconnected { session } => drop(self.0.remove(&session)),
//!             unknown => panic!("an output of a later version: {unknown:?}"),
//!         }
//!     }
//! }
//!
//! let mut hub = Hub::new(HubLimits::new().with_rooms(10));
//! let (now, mut outputs) = (0, Vec::new()); // the time, if anybody asks for it; reused
//! let [ann, bob] = [(); 2].map(|()| {
//!     hub.apply(now, Input::Connect { role: Role::Guest }, &mut outputs);
//!     match outputs.pop() {
//!         Some(Output::Connected { session }) => session,
//!         other => panic!("{other:?}"),
//!     }
//! });
//! let mut screens = Screens([ann, bob].map(|session| (session, Vec::new())).into());
//!
//! // The players' commands in this turn of the game.
//! let commands = [
//!     (ann, Command::Rename(Name::new("Ann")?)),
//!     (ann, Command::Create(Title::new("table by the window")?)),
//!     (bob, Command::Rename(Name::new("ANN")?)),
//!     (bob, Command::Join(RoomId::FIRST)),
//!     (bob, Command::Chat(Text::new("Your move.")?)),
//! ];
//! for (session, command) in commands {
//!     hub.apply(now, Input::Command { session, command }, &mut outputs);
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
//! assert_eq!(screens.0[&bob].len(), 2); // "Ann" is taken, room 1 entered
//!
//! // Bob's connection ends, so he leaves the room.
//! hub.apply(now, Input::Disconnect { session: bob }, &mut outputs);
//! for output in outputs.drain(..) {
//!     screens.carry_out(&hub, output);
//! }
//! assert_eq!(screens.0[&ann].last().map(String::as_str), Some("user2 left."));
//! assert!(!screens.0.contains_key(&bob));
//! # Ok::<(), ValueError>(())
//! ```
//!
//! `examples/sockets.rs` is a complete program: it owns its sockets and speaks the protocol of
//! [`chat_proto`], so that every client of the chat can talk to it.
//!
//! # Cost and panics
//!
//! Nothing but an input changes a hub, and a hub reads no clock and draws no random numbers: the same inputs at the same
//! times have the same outputs, and lead to the same [hash](Hub::hash). So a record of the inputs is a copy of the hub,
//! and the reproduction of a fault.
//!
//! The cost of an input does not depend on the number of sessions or rooms, and grows only with the
//! logarithm of the members of the room and of the rooms. A list of rooms costs as much as is taken from its
//! iterator. No input makes a hub panic.

mod asking;
mod digest;
mod hub;
mod input;
mod limits;
mod names;
mod output;
mod reserved_names;
mod room;
mod session;
mod session_id;
mod shrink;
mod snapshot;

pub use asking::MAX_UNACKNOWLEDGED;
pub use chat_proto::{
    Command, Field, Lang, Name, Notice, OperatorText, Rejection, RoomEntry, RoomId, Text, Title,
    ValueError,
};
pub use hub::Hub;
pub use input::Input;
pub use limits::HubLimits;
pub use output::{Output, Resumption, RoomEvent, Welcomed};
pub use reserved_names::ReservedNames;
pub use session::Role;
pub use session_id::SessionId;
pub use snapshot::{EmptyRoom, RestoreError, Snapshot};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_are_send_sync_and_debug() {
        fn check<T: Send + Sync + std::fmt::Debug>() {}
        check::<(Hub, HubLimits, Input, Output, RoomEvent, ReservedNames)>();
        check::<(Role, SessionId, Snapshot, EmptyRoom, RestoreError)>();
    }
}
