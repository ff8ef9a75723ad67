//! The client's options.

use chat_proto::{Lang, Name, RoomId};

/// The options, from flags, the environment and the terminal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) format: Format,
    /// The language of all texts of the client.
    pub(crate) lang: Lang,
    /// Whether to connect again when the connection is lost.
    pub(crate) reconnect: bool,
    /// The name to take at the start.
    pub(crate) name: Option<Name>,
    /// The room to enter at the start.
    pub(crate) join: Option<RoomId>,
}

/// The intended reader of the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// Programs: one line a message, from which its text can be recovered.
    #[default]
    Plain,
    /// People at a terminal.
    Pretty,
}
