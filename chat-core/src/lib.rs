//! The rules of a room chat as one state machine: [`Command`]s in, [`Output`]s out.
//!
//! [`Hub`] knows sessions, names and rooms, and nothing of sockets, clocks, locks, threads or logs:
//! whoever owns the connections calls it and carries out what it answers. The methods come in three
//! kinds:
//!
//! - **inputs** change the state and append to a vector the caller owns, in the order in which
//!   things happened: [`Hub::connect`], [`Hub::handle`], [`Hub::disconnect`];
//! - **outputs** are plain data in that vector; a broadcast is *one* output, however many members
//!   will get it;
//! - **getters** look and do not touch: [`Hub::name`], [`Hub::room_of`], [`Hub::members`] and the
//!   counts.
//!
//! ```
//! use chat_core::{Command, Event, Hub, HubLimits, Output, Role, Text, Title};
//!
//! let mut hub = Hub::new(HubLimits::default());
//! let (ann, bob) = (hub.connect(Role::Guest), hub.connect(Role::Guest));
//!
//! let mut outputs = Vec::new();
//! hub.handle(ann, Command::Create(Title::new("games")?), &mut outputs);
//! let room = hub.room_of(ann).expect("ann made a room and is in it");
//! hub.handle(bob, Command::Join(room), &mut outputs);
//! outputs.clear();
//!
//! hub.handle(bob, Command::Chat(Text::new("안녕")?), &mut outputs);
//! let [Output::Broadcast { except, event: Event::Chat { member, text }, .. }] = &outputs[..] else {
//!     panic!("a chat is one broadcast");
//! };
//! assert_eq!((*except, member.as_str(), text.as_str()), (Some(bob), "user2", "안녕"));
//! # Ok::<(), chat_core::ValueError>(())
//! ```

mod hub;
mod limits;
mod names;
mod output;
mod room;
mod room_list;
mod session;
mod shrink;

pub use chat_proto::{
    Command, Field, Lang, Name, Notice, Rejection, RoomEntry, RoomId, Text, Title, ValueError,
};
pub use hub::Hub;
pub use limits::HubLimits;
pub use output::{Event, Output};
pub use room_list::RoomList;
pub use session::{Role, SessionId};
