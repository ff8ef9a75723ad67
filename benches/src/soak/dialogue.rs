//! What one peer asked, and whether each answer is the right one: in order, one for each command.
//! And whether it hears a room without a hole, from its entering to its leaving.

use std::collections::VecDeque;

use chat_proto::Incoming;

use super::peer::Peer;

/// Codes of notices that come unasked.
const BROADCASTS: [&str; 3] = ["member-entered", "member-left", "renamed"];

/// Codes of the last message of a connection.
const LAST_WORDS: [&str; 6] = [
    "server-stopping",
    "frame-timeout",
    "slow-consumer",
    "server-full",
    "too-many-from-address",
    "internal",
];

/// Stands for a list of rooms where codes are expected.
pub(super) const ROOMS: &str = "(list of rooms)";

/// The answer that comes next.
#[derive(Debug, Clone)]
pub(super) struct Expect {
    /// One of these.
    codes: [&'static str; 2],
    /// The new name, of `renamed`.
    name: Option<String>,
    /// Any number of them, until the stream ends.
    many: bool,
}

impl Expect {
    pub(super) const fn code(code: &'static str) -> Self {
        Self::either(code, code)
    }

    pub(super) const fn either(one: &'static str, other: &'static str) -> Self {
        Self { codes: [one, other], name: None, many: false }
    }

    pub(super) const fn many(code: &'static str) -> Self {
        Self { codes: [code, code], name: None, many: true }
    }

    pub(super) const fn renamed(name: String) -> Self {
        Self { codes: ["renamed"; 2], name: Some(name), many: false }
    }
}

/// A broadcast that was heard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard<'a> {
    pub(super) room: u64,
    pub(super) seq: u64,
    pub(super) payload: &'a [u8],
}

/// Where a peer is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) room: u64,
    /// Of the last broadcast it got there, its own entry included.
    pub(super) seq: u64,
}

/// The books of one connection.
#[derive(Debug, Default)]
pub(super) struct Dialogue {
    expected: VecDeque<Expect>,
    place: Option<Place>,
    /// Its own chats that explain no gap in what it heard yet.
    said: u64,
    /// Answers it got.
    pub(super) answers: u64,
    /// How many rooms the last list had, and the one that is coming.
    pub(super) listed: usize,
    listing: usize,
    last_word: Option<String>,
}

impl Dialogue {
    /// Enters that a command was sent that is answered so.
    pub(super) fn expect(&mut self, answer: Expect) {
        self.expected.push_back(answer);
    }

    /// Enters that a chat was sent.
    pub(super) fn say(&mut self) {
        self.said += 1;
    }

    /// Whether every command has been answered.
    pub(super) fn is_answered(&self) -> bool {
        self.expected.front().is_none_or(|expect| expect.many)
    }

    /// Where it is.
    pub(super) fn place(&self) -> Option<Place> {
        self.place
    }

    /// The code of the message that ends the connection, if it came.
    pub(super) fn last_word(&self) -> Option<&str> {
        self.last_word.as_deref()
    }

    /// What is missing, for people.
    pub(super) fn missing(&self) -> String {
        match self.expected.front() {
            None => "nothing is missing".to_owned(),
            Some(next) => {
                format!("{} answers are missing, next {:?}", self.expected.len(), next.codes)
            }
        }
    }

    /// Reads what has come to `peer`, at most some `most` bytes.
    pub(super) fn read(
        &mut self,
        peer: &mut Peer,
        buffer: &mut [u8],
        most: usize,
        on: &mut dyn FnMut(Heard<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        peer.read(buffer, most, &mut |payload| self.take(payload, on))
    }

    fn take(
        &mut self,
        payload: &[u8],
        on: &mut dyn FnMut(Heard<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        let message = Incoming::parse(payload)
            .map_err(|error| format!("{error} in {}", String::from_utf8_lossy(payload)))?;
        if let Some(last) = &self.last_word {
            return Err(format!("{} came behind {last}", message.kind));
        }
        match message.kind.as_str() {
            "SCChat" => self.broadcast(&message, payload, on),
            "SCRoomsResult" => self.list(&message),
            "SCSystemMessage" => self.notice(&message, payload, on),
            kind => Err(format!("a message of type {kind:?}")),
        }
    }

    fn list(&mut self, message: &Incoming) -> Result<(), String> {
        self.listing += message.rooms.len();
        if message.more {
            return Ok(());
        }
        self.listed = std::mem::take(&mut self.listing);
        self.answer(ROOMS)
    }

    fn notice(
        &mut self,
        message: &Incoming,
        payload: &[u8],
        on: &mut dyn FnMut(Heard<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        let code = message.code.as_deref().unwrap_or_default();
        if LAST_WORDS.contains(&code) {
            self.last_word = Some(code.to_owned());
            return Ok(());
        }
        let next = self.expected.front();
        let is_mine = next.is_some_and(|next| next.name.is_some() && next.name == message.to);
        if BROADCASTS.contains(&code) && !is_mine {
            return self.broadcast(message, payload, on);
        }
        if is_mine && message.room_id.is_some() {
            self.broadcast(message, payload, on)?;
        }
        match code {
            "room-created" | "room-entered" => {
                let place = message.room_id.zip(message.seq);
                self.place = place.map(|(room, seq)| Place { room, seq });
            }
            "room-left" => self.place = None,
            _ => {}
        }
        self.answer(code)
    }

    fn answer(&mut self, code: &str) -> Result<(), String> {
        self.answers += 1;
        match self.expected.front() {
            Some(next) if next.codes.contains(&code) => {
                if !next.many {
                    self.expected.pop_front();
                }
                Ok(())
            }
            Some(next) => Err(format!("the answer was {code}, and not one of {:?}", next.codes)),
            None => Err(format!("an answer that nobody asked for: {code}")),
        }
    }

    fn broadcast(
        &mut self,
        message: &Incoming,
        payload: &[u8],
        on: &mut dyn FnMut(Heard<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        let what = || String::from_utf8_lossy(&payload[..payload.len().min(200)]).into_owned();
        let (Some(room), Some(seq)) = (message.room_id, message.seq) else {
            return Err(format!("a broadcast without room and number: {}", what()));
        };
        let Some(place) = self.place.as_mut().filter(|place| place.room == room) else {
            return Err(format!("something of room {room}, where it is not: {}", what()));
        };
        if seq <= place.seq {
            return Err(format!("room {room}: {seq} came behind {}", place.seq));
        }
        let skipped = seq - place.seq - 1;
        self.said = self.said.checked_sub(skipped).ok_or_else(|| {
            format!("room {room}: of {skipped} between {} and {seq} not all are its own", place.seq)
        })?;
        place.seq = seq;
        on(Heard { room, seq, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(dialogue: &mut Dialogue, payloads: &[&str]) -> Result<usize, String> {
        let mut heard = 0;
        for payload in payloads {
            dialogue.take(payload.as_bytes(), &mut |_| {
                heard += 1;
                Ok(())
            })?;
        }
        Ok(heard)
    }

    const ENTERED: &str = r#"{"type":"SCSystemMessage","text":"","code":"room-entered","roomId":1,"seq":4,"title":"a"}"#;
    const FIFTH: &str = r#"{"type":"SCChat","member":"b","text":"x","roomId":1,"seq":5}"#;
    const SEVENTH: &str = r#"{"type":"SCChat","member":"b","text":"x","roomId":1,"seq":7}"#;
    const REFUSED: &str = r#"{"type":"SCSystemMessage","text":"","code":"not-in-room"}"#;

    fn in_room() -> Dialogue {
        let mut dialogue = Dialogue::default();
        dialogue.expect(Expect::code("room-entered"));
        hear(&mut dialogue, &[ENTERED]).expect("that was asked for");
        dialogue
    }

    #[test]
    fn a_gap_is_right_only_for_what_was_said_here() {
        assert_eq!(hear(&mut in_room(), &[FIFTH]), Ok(1));
        assert!(hear(&mut in_room(), &[FIFTH, SEVENTH]).is_err(), "a hole");
        let mut speaker = in_room();
        speaker.say();
        assert_eq!(hear(&mut speaker, &[FIFTH, SEVENTH]), Ok(2));
        assert!(hear(&mut speaker, &[SEVENTH]).is_err(), "again");
        assert!(hear(&mut Dialogue::default(), &[FIFTH]).is_err(), "in no room");
    }

    #[test]
    fn an_answer_that_is_not_due_is_noticed() {
        let mut dialogue = in_room();
        assert!(hear(&mut dialogue, &[REFUSED]).is_err(), "nobody asked");
        dialogue.expect(Expect::code("room-left"));
        assert!(!dialogue.is_answered() && hear(&mut dialogue, &[REFUSED]).is_err(), "another");
        dialogue = in_room();
        dialogue.expect(Expect::many("not-in-room"));
        assert_eq!(hear(&mut dialogue, &[REFUSED, REFUSED]), Ok(0));
        assert!(dialogue.is_answered());
    }
}
