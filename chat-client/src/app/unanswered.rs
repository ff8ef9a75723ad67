//! [`Unanswered`]: the commands that the server has not answered, kept to find out which of them a refusal is about.
//!
//! A server answers in order, and says nothing about a chat that it accepts. So an answer belongs to the first command
//! that it fits, and every chat before that command was accepted.

use std::collections::VecDeque;

use chat_proto::{Command, Incoming, MAX_PAYLOAD, Name};

/// The most commands remembered. The oldest are forgotten: most of them are chats that nobody will refuse.
const MAX_COMMANDS: usize = 256;

/// The most bytes remembered of a chat.
const MAX_TEXT: usize = 4 * 1024;

/// A chat that leaves fewer bytes than this in the longest frame may be refused for its length.
const LONG_MARGIN: usize = 1_000;

/// The number of a chat, to find it again when it is refused.
pub(crate) type ChatId = u64;

/// A chat that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedChat {
    pub(crate) id: ChatId,
    /// Its text; if cut, it ends in `…`.
    pub(crate) text: String,
}

/// The parts of a command that are remembered.
#[derive(Debug)]
enum Sent {
    Rename(Name),
    Rooms,
    /// With the number of the last chat before it, as the next two.
    Create(ChatId),
    Join(ChatId),
    Leave(ChatId),
    Chat {
        chat: RefusedChat,
        is_long: bool,
    },
    Shutdown,
}

/// The commands sent that have not been answered, in order.
#[derive(Debug, Default)]
pub(crate) struct Unanswered {
    commands: VecDeque<Sent>,
    chats: ChatId,
    /// Whether a room was requested on this connection.
    may_be_in_room: bool,
}

impl Unanswered {
    /// Records a command. Returns the number of the last chat.
    pub(crate) fn sent(&mut self, command: &Command) -> ChatId {
        if self.commands.len() == MAX_COMMANDS {
            self.commands.pop_front();
        }
        self.may_be_in_room |= matches!(command, Command::Create(_) | Command::Join(_));
        let sent = match command {
            Command::Rename(name) => Sent::Rename(name.clone()),
            Command::Rooms => Sent::Rooms,
            Command::Create(_) => Sent::Create(self.chats),
            Command::Join(_) => Sent::Join(self.chats),
            Command::Leave => Sent::Leave(self.chats),
            Command::Shutdown => Sent::Shutdown,
            Command::Chat(text) => {
                let chat = RefusedChat { id: self.number(), text: beginning(text.as_str()) };
                Sent::Chat { chat, is_long: text.escaped_len() + LONG_MARGIN > MAX_PAYLOAD }
            }
        };
        self.commands.push_back(sent);
        self.chats
    }

    /// Returns the number of a new chat.
    pub(crate) fn number(&mut self) -> ChatId {
        self.chats += 1;
        self.chats
    }

    /// The number of the last chat that was certainly meant for the room that the client is in: the next command may
    /// have led to another one.
    pub(crate) fn last_before_move(&self) -> Option<ChatId> {
        self.commands.iter().find_map(|sent| match sent {
            Sent::Create(last) | Sent::Join(last) | Sent::Leave(last) => Some(*last),
            _ => None,
        })
    }

    /// Forgets all commands, since the connection has ended.
    pub(crate) fn forget(&mut self) {
        self.commands.clear();
        self.may_be_in_room = false;
    }

    /// Handles a message from the server. Returns the chat that it refuses, if any.
    pub(crate) fn answered(&mut self, message: &Incoming) -> Option<RefusedChat> {
        let is_answer = |sent: &Sent| is_answer(message, sent, self.may_be_in_room);
        // A refusal for its length is more likely to be about a long text.
        let is_likely = |sent: &Sent| match sent {
            Sent::Chat { is_long: false, .. } => message.code.as_deref() != Some("text-too-long"),
            _ => true,
        };
        let mut sent = self.commands.iter();
        let likely = sent.position(|sent| is_likely(sent) && is_answer(sent));
        let at = likely.or_else(|| self.commands.iter().position(is_answer))?;
        match self.commands.drain(..=at).next_back()? {
            Sent::Chat { chat, .. } => Some(chat),
            _ => None,
        }
    }
}

fn beginning(text: &str) -> String {
    match text.char_indices().find(|(at, c)| at + c.len_utf8() > MAX_TEXT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Whether the message can be the answer to this command. Without a code, an answer cannot be told from an event in a
/// room; outside rooms, there are only answers.
fn is_answer(message: &Incoming, sent: &Sent, may_be_in_room: bool) -> bool {
    match (message.kind.as_str(), message.code.as_deref()) {
        ("SCRoomsResult", _) => matches!(sent, Sent::Rooms) && !message.more,
        ("SCSystemMessage", Some(code)) => is_coded_answer(code, message, sent),
        ("SCSystemMessage", None) => !may_be_in_room && !matches!(sent, Sent::Rooms),
        _ => false,
    }
}

fn is_coded_answer(code: &str, message: &Incoming, sent: &Sent) -> bool {
    match code {
        // Others are renamed, too.
        "renamed" => match sent {
            Sent::Rename(name) => message.to.as_deref().is_none_or(|to| to == name.as_str()),
            _ => false,
        },
        "bad-name" | "name-taken" => matches!(sent, Sent::Rename(_)),
        "room-created" | "bad-title" | "limit-reached" => matches!(sent, Sent::Create(_)),
        "room-entered" | "no-such-room" => matches!(sent, Sent::Join(_)),
        "already-in-room" => matches!(sent, Sent::Create(_) | Sent::Join(_)),
        "room-left" => matches!(sent, Sent::Leave(_)),
        "not-in-room" => matches!(sent, Sent::Chat { .. } | Sent::Leave(_)),
        "bad-text" | "text-too-long" => matches!(sent, Sent::Chat { .. }),
        "shutdown-refused" => matches!(sent, Sent::Shutdown),
        // Other notices are events, or the server's last words.
        _ => is_refusal(code) && message.seq.is_none(),
    }
}

/// Whether a code is a refusal that any command may get: a known one, or a newer one with a similar name.
fn is_refusal(code: &str) -> bool {
    const STARTS: [&str; 4] = ["bad-", "invalid-", "no-", "not-"];
    const ENDS: [&str; 5] = ["-denied", "-exceeded", "-limited", "-refused", "-too-long"];
    matches!(code, "internal" | "unknown-type" | "empty-frame" | "muted" | "refused" | "rejected")
        || STARTS.iter().any(|start| code.starts_with(start))
        || ENDS.iter().any(|end| code.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::{RoomId, Text};

    fn chat(text: &str) -> Command {
        Command::Chat(Text::new(text).expect("a text"))
    }

    fn coded(code: &str) -> Incoming {
        let mut message = Incoming::default();
        message.kind = "SCSystemMessage".to_owned();
        message.code = Some(code.to_owned());
        message
    }

    fn refused(unanswered: &mut Unanswered, code: &str) -> Option<String> {
        unanswered.answered(&coded(code)).map(|chat| chat.text)
    }

    #[test]
    fn v8_a_refusal_is_about_the_first_command_that_it_can_be_about() {
        let mut unanswered = Unanswered::default();
        let join = Command::Join(RoomId::FIRST);
        for command in
            [chat("a"), join.clone(), chat("b"), Command::Leave, chat("c"), join, chat("d")]
        {
            unanswered.sent(&command);
        }
        assert_eq!(refused(&mut unanswered, "not-in-room").as_deref(), Some("a"));
        assert_eq!(refused(&mut unanswered, "member-left"), None);
        assert_eq!(refused(&mut unanswered, "room-entered"), None);
        // There was no answer to b, so it was accepted.
        assert_eq!(refused(&mut unanswered, "room-left"), None);
        assert_eq!(refused(&mut unanswered, "not-in-room").as_deref(), Some("c"));
        assert_eq!(refused(&mut unanswered, "no-such-room"), None);
        assert_eq!(refused(&mut unanswered, "speech-denied").as_deref(), Some("d"));
        assert_eq!(refused(&mut unanswered, "internal"), None);
    }

    #[test]
    fn v8_a_text_refused_for_its_length_is_a_long_one() {
        let mut unanswered = Unanswered::default();
        let long = "한".repeat(21_700);
        for text in ["short", &long, "short"] {
            unanswered.sent(&chat(text));
        }
        let text = refused(&mut unanswered, "text-too-long").expect("the long one");
        assert!(text.starts_with('한') && text.ends_with('…') && text.len() < MAX_TEXT + 4);
        assert_eq!(refused(&mut unanswered, "text-too-long").as_deref(), Some("short"));
    }

    /// Like the original server, which sends no codes.
    #[test]
    fn v8_outside_rooms_a_notice_without_a_code_is_an_answer() {
        let uncoded = || {
            let mut message = coded("");
            message.code = None;
            message
        };
        let mut unanswered = Unanswered::default();
        for command in [Command::Rename(Name::new("bob").expect("a name")), chat("a"), chat("b")] {
            unanswered.sent(&command);
        }
        let mut refused = || unanswered.answered(&uncoded()).map(|chat| chat.text);
        assert_eq!([refused(), refused()], [None, Some("a".to_owned())]);
        unanswered.sent(&Command::Join(RoomId::FIRST));
        assert_eq!(unanswered.answered(&uncoded()), None);
        unanswered.forget();
        unanswered.sent(&chat("c"));
        assert!(unanswered.answered(&uncoded()).is_some());
    }

    #[test]
    fn v8_events_and_answers_to_others_refuse_nothing() {
        let mut unanswered = Unanswered::default();
        unanswered.sent(&Command::Rename(Name::new("bob").expect("a name")));
        unanswered.sent(&chat("a"));
        let mut renamed = coded("renamed");
        renamed.to = Some("carol".to_owned());
        assert_eq!(unanswered.answered(&renamed), None);
        let mut event = coded("new-event");
        event.seq = Some(3);
        assert_eq!(unanswered.answered(&event), None);
        for message in [coded("news"), coded("server-full")] {
            assert_eq!(unanswered.answered(&message), None, "{message:?}");
        }
        assert_eq!(unanswered.commands.len(), 2);
        for n in 0..1_000 {
            unanswered.sent(&chat(&n.to_string()));
        }
        assert_eq!(unanswered.commands.len(), MAX_COMMANDS);
    }
}
