//! The broadcasts that the checker tells apart.

use std::hash::{DefaultHasher, Hash, Hasher};

use chat_proto::Incoming;

use crate::violation::Violation;

/// A broadcast of a room, as one of its members received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A chat of a peer that the checker knows.
    Chat {
        /// The peer that sent it.
        sender: usize,
        /// The number of the chat among the sender's chats; it rises with each.
        number: u64,
        /// A hash of the text.
        hash: u64,
    },
    /// Anything else: a notice of the server, or a chat of a peer that the checker does not know.
    Notice(String),
}

impl Event {
    /// The chat `number` of `sender`, with this text.
    pub fn chat(sender: usize, number: u64, text: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self::Chat { sender, number, hash: hasher.finish() }
    }

    /// A notice of the server.
    pub fn notice(code: &str, text: &str) -> Self {
        Self::Notice(format!("{code}: {text}"))
    }

    /// The text of a chat, of at least `len` bytes: it contains the sender and the number.
    pub fn text(sender: usize, number: u64, len: usize) -> String {
        let mut text = format!("{sender}:{number} ");
        text.extend((text.len()..len).map(|_| 'x'));
        text
    }

    /// Reads a broadcast, whose chats must carry a [`text`](Event::text).
    ///
    /// # Errors
    /// I7 when the text does not contain the sender.
    pub fn read(message: &Incoming) -> Result<Self, Violation> {
        if let Some(code) = &message.code {
            return Ok(Self::notice(code, &message.text));
        }
        let text = &message.text;
        let id = text.split(' ').next().and_then(|id| id.split_once(':'));
        let chat = id.and_then(|(sender, number)| {
            Some(Self::chat(sender.parse().ok()?, number.parse().ok()?, text))
        });
        chat.ok_or_else(|| {
            let head: String = text.chars().take(100).collect();
            Violation::new("I7", format!("no peer sent {head:?}"))
        })
    }
}
