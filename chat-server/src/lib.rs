//! A room chat server: one event loop on mio, a work-stealing pool, and a fan-out that encodes each message once and
//! copies it for nobody.
//!
//! This crate is a program, and a library for embedding the server in other programs. The rules of the chat
//! are in [`chat_core`], the bytes on the wire in [`chat_proto`].
//!
//! | to | there is |
//! |---|---|
//! | set it up | [`Config`], with every [limit](Limits); errors are [`StartError`]s, with a text in every [`Lang`] |
//! | run it | [`Server::bind`], then [`Server::run`] on this thread or [`Server::spawn`] on another |
//! | stop it | [`ServerHandle::stop`], or a [`Controller`] from any thread; [`ServerHandle::join`] waits for the end |
//! | monitor it | [`Monitor::stats`], from any thread: [`Stats`] |
//! | follow what happens | [`Server::observe`]: [`Events`] |
//!
//! # A server inside a program
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use std::thread;
//!
//! use chat_proto::Command;
//! use chat_server::{CloseReason, Config, Event, Server, Text, Title};
//!
//! // By default it listens on a free port of 127.0.0.1, and `/shutdown` from there stops it.
//! let mut config = Config::default();
//! config.limits.connections = 500;
//! config.limits.total_backlog = 64 * 1024 * 1024; // bytes
//!
//! let mut server = Server::bind(config)?;
//! let events = server.observe(1_000);
//! let server = server.spawn()?;
//! println!("listening on {}", server.address());
//!
//! // A log, a bot, a bridge: on a thread of its own, as slow as it likes.
//! let log = thread::spawn(move || {
//!     let mut lines = Vec::new();
//!     for event in events {
//!         match event {
//!             Event::RoomCreated { room, title, .. } => lines.push(format!("room {room}: {title}")),
//!             Event::Said { name, text, .. } => lines.push(format!("{name}: {text}")),
//!             Event::Missed { events, .. } => lines.push(format!("{events} events missed")),
//!             _ => {}
//!         }
//!     }
//!     lines // the events end with the server
//! });
//!
//! // Some client.
//! let mut said = Vec::new();
//! Command::Create(Title::new("games")?).write(&mut said)?;
//! Command::Chat(Text::new("hi!")?).write(&mut said)?;
//! Command::Shutdown.write(&mut said)?;
//! let mut client = TcpStream::connect(server.address())?;
//! client.write_all(&said)?;
//! client.read_to_end(&mut Vec::new())?; // until the server has said goodbye
//! drop(client);
//!
//! let monitor = server.monitor();
//! server.stop(); // has been asked for already, and may be asked for again
//! server.join()?;
//! assert_eq!(log.join().expect("it does not panic"), ["room 1: games", "user1: hi!"]);
//! let stats = monitor.stats();
//! assert_eq!((stats.accepted, stats.connections), (1, 0));
//! assert_eq!(stats.closed.count(CloseReason::Stopped), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A program that also talks, such as a bot, is a client: it connects to [`ServerHandle::address`] and writes
//! with [`chat_proto`].
//!
//! `cargo run -p chat-server --example watch` is a server that prints what happens in it.
//!
//! # What to know
//!
//! - **Threads.** One serves all sockets; [`Config::workers`] more help when commands pile up. All of them have ended
//!   when [`ServerHandle::join`] or [`Server::run`] returns. Dropping a handle does not stop the server.
//! - **Stopping** delivers what was accepted, tells everyone, and waits for the slowest at most twice
//!   [`Limits::linger`]: once for requests being carried out, once for the goodbyes.
//! - **Memory** is bounded by the limits. A peer that does not read costs at most [`Limits::backlog`], all of them
//!   together at most [`Limits::total_backlog`].
//! - **Signals, standard output and the limit on open descriptors** are the program's business: the library touches
//!   none of them. A program with many connections raises its `RLIMIT_NOFILE`, and sets [`Limits::connections`] to
//!   less than that.
//! - **Features.** `cli` (default) is only needed by the program. Libraries can use `default-features = false`, with
//!   `features = ["tls"]` for encryption.

#[macro_use]
mod testing;

mod config;
mod connection;
mod engine;
mod events;
mod fanout;
mod limits;
mod net;
mod room_log;
mod server;
mod stats;
mod web;
mod workers;

#[cfg(feature = "bench-support")]
#[doc(hidden)]
pub use testing::bench_support;

pub use chat_core::{Lang, Name, OperatorText, ReservedNames, RoomId, SessionId, Text, Title};
pub use chat_proto::Localize;
pub use config::{Config, ConfigError, ShutdownFrom};
pub use events::{Event, Events};
pub use limits::{Limit, LimitError, Limits, Lowered, RateLimit};
pub use net::{InvalidNetwork, Network, TlsConfig};
#[cfg(feature = "tls")]
pub use net::{TlsError, TlsFault};
pub use room_log::DataConfig;
#[cfg(feature = "store")]
pub use room_log::{Archive, Damage, Erase, StoreError, StoreFault};
pub use server::{Controller, Monitor, NoSuchRoom, Server, ServerHandle, StartError};
pub use stats::{
    CloseReason, Counts, Histogram, LimitKind, MessageKind, Metric, MetricUnit, MetricValue,
    ReliefStep, Stats,
};
pub use web::WebConfig;
pub use workers::{Replay, ReplayError, replay};
