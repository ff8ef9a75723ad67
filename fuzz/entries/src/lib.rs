//! The entries of the fuzz targets, each with the properties that must hold.
//!
//! An entry takes any bytes, and panics if a property is violated. The fuzz targets call the entries, and so does
//! `cargo test`, with the committed corpora and mutations of them: see `fuzz/README.md`.

mod chunks;
mod command;
mod connection;
mod frame;
mod hub;
mod messages;
mod names;
mod proxy;
mod recording;
mod websocket;

pub use command::command;
pub use connection::connection;
pub use frame::frame;
pub use hub::hub;
pub use names::names;
pub use proxy::proxy;
pub use recording::recording;
pub use websocket::websocket;

/// An entry, and the name of its target and corpus.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// As in `fuzz/corpus/NAME`.
    pub name: &'static str,
    /// Panics if a property is violated.
    pub run: fn(&[u8]),
}

/// All entries.
pub const ENTRIES: [Entry; 8] = [
    Entry { name: "frame", run: frame },
    Entry { name: "command", run: command },
    Entry { name: "connection", run: connection },
    Entry { name: "hub", run: hub },
    Entry { name: "names", run: names },
    Entry { name: "proxy", run: proxy },
    Entry { name: "recording", run: recording },
    Entry { name: "websocket", run: websocket },
];
