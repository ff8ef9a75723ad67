//! Messages from a server as a client reads them that has said hello.

use serde::{Deserialize, Deserializer};

use crate::extended::{Feature, Features};
use crate::server_message::{Incoming, InvalidMessage};

/// A message that was read. Unknown types, features, events and fields are no error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// What any client may get.
    Plain {
        /// The message.
        message: Incoming,
        /// The `id` of the request that a notice answers, if it answers one.
        re: Option<String>,
    },
    /// `SCWelcome`.
    Welcome(IncomingWelcome),
    /// `SCAck`.
    Ack(IncomingAck),
    /// `SCHistory`.
    History(IncomingHistory),
    /// `SCMembers`.
    Members(IncomingMembers),
    /// `SCPong`.
    Pong(IncomingPong),
}

impl Received {
    /// Reads the payload of one frame.
    ///
    /// # Errors
    /// [`InvalidMessage`] when the payload is not a JSON object, or a field of a known type is of the wrong kind.
    pub fn parse(payload: &[u8]) -> Result<Self, InvalidMessage> {
        let plain = Incoming::parse(payload)?;
        let read = match plain.kind.as_str() {
            "SCWelcome" => serde_json::from_slice(payload).map(Self::Welcome),
            "SCAck" => serde_json::from_slice(payload).map(Self::Ack),
            "SCHistory" => serde_json::from_slice(payload).map(Self::History),
            "SCMembers" => serde_json::from_slice(payload).map(Self::Members),
            "SCPong" => serde_json::from_slice(payload).map(Self::Pong),
            "SCSystemMessage" => {
                let Answered { re } = serde_json::from_slice(payload).map_err(InvalidMessage)?;
                let re = re.as_ref().and_then(serde_json::Value::as_str).map(str::to_owned);
                return Ok(Self::Plain { message: plain, re });
            }
            _ => return Ok(Self::Plain { message: plain, re: None }),
        };
        read.map_err(InvalidMessage)
    }
}

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    re: Option<serde_json::Value>,
}

/// `SCWelcome`: the answer to a hello. Fields that are absent are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct IncomingWelcome {
    /// The word that changes when numbers begin anew.
    pub epoch: String,
    /// The name of the session.
    pub name: String,
    /// The features granted, without unknown ones.
    #[serde(deserialize_with = "known_features")]
    pub features: Features,
    /// The limits that the client has to keep to.
    pub limits: IncomingLimits,
    /// The token by which the session can be taken over, if that is granted.
    pub resume: Option<String>,
    /// The time for which the session outlives its connection, in seconds.
    pub resume_time: Option<u64>,
    /// Whether this is the session that the client wanted back.
    pub resumed: bool,
    /// The room that a resumed session is in.
    pub room_id: Option<u64>,
}

/// The limits in a welcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct IncomingLimits {
    /// The most chats that may wait for their acknowledgement.
    pub unacknowledged: Option<usize>,
}

/// `SCAck`: a chat was accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct IncomingAck {
    /// The `id` of the chat.
    pub re: String,
    /// The room in which it was said.
    pub room_id: u64,
    /// Its number there.
    pub seq: u64,
    /// The time at which it was said, in ms since 1970.
    pub at: u64,
}

/// `SCHistory`: broadcasts of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct IncomingHistory {
    /// The room.
    pub room_id: u64,
    /// The broadcasts in order, without those of unknown types.
    #[serde(deserialize_with = "known_events")]
    pub events: Vec<IncomingEvent>,
    /// The number of the last broadcast in this frame.
    pub to: Option<u64>,
    /// Whether there are others beyond.
    pub more: bool,
    /// Whether something between what was asked for and the first event is not kept any more.
    pub gap: bool,
}

/// A broadcast in an `SCHistory`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncomingEvent {
    /// The broadcast: an `SCChat` or an `SCSystemMessage`.
    pub message: Incoming,
    /// Its time, in ms since 1970.
    pub at: Option<u64>,
}

/// `SCMembers`: a part of the members of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct IncomingMembers {
    /// The `id` of the request.
    pub re: Option<String>,
    /// The room.
    pub room_id: u64,
    /// The number of all members.
    pub member_count: usize,
    /// Their names, in order of arrival.
    pub members: Vec<String>,
    /// Whether the list continues in another `SCMembers`.
    pub more: bool,
}

/// `SCPong`: the answer to a ping.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct IncomingPong {
    /// The time of the server, in ms since 1970.
    pub time: u64,
    /// The room of the client, if it is in one.
    pub room_id: Option<u64>,
    /// The number of the last broadcast there.
    pub seq: Option<u64>,
}

fn known_features<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Features, D::Error> {
    let names = Vec::<serde_json::Value>::deserialize(deserializer)?;
    let is_granted =
        |feature: &Feature| names.iter().any(|name| name.as_str() == Some(feature.name()));
    Ok(Feature::ALL.into_iter().filter(is_granted).collect())
}

fn known_events<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<IncomingEvent>, D::Error> {
    let events = Vec::<serde_json::Value>::deserialize(deserializer)?;
    Ok(events.into_iter().filter_map(known_event).collect())
}

/// The event, unless it is of an unknown type, whose fields may mean anything.
fn known_event(event: serde_json::Value) -> Option<IncomingEvent> {
    let at = event["at"].as_u64();
    matches!(event["type"].as_str()?, "SCChat" | "SCSystemMessage").then_some(())?;
    Some(IncomingEvent { message: serde_json::from_value(event).ok()?, at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extended::write_members_page;
    use crate::extended::{Answer, Event, HistoryHead, Limits, RequestId, ResumeToken, Welcome};
    use crate::{Framing, HEADER_LEN, Name, RoomId};

    fn read(write: impl FnOnce(&mut Vec<u8>)) -> Received {
        let mut out = Vec::new();
        write(&mut out);
        Received::parse(&out[HEADER_LEN..]).expect("it is a message")
    }

    #[test]
    fn what_a_server_writes_is_read() {
        let (name, re) = (Name::new("Ann").expect("a name"), RequestId::new("7").expect("an id"));
        let room = RoomId::new(3).expect("above 0");
        let welcome = Welcome {
            server: "s/1",
            epoch: "5f",
            session: 7,
            name: &name,
            features: Features::all(),
            limits: Limits { payload: 65_535, unacknowledged: 256, history: 200 },
            time: 1,
            resume: Some(ResumeToken::new([0xab; 16])),
            resume_time: Some(60),
            resumed: Some(true),
            room_id: Some(room),
        };
        let framing = Framing::Length;
        let expected = IncomingWelcome {
            epoch: "5f".to_owned(),
            name: "Ann".to_owned(),
            features: Features::all(),
            limits: IncomingLimits { unacknowledged: Some(256) },
            resume: Some("ab".repeat(16)),
            resume_time: Some(60),
            resumed: true,
            room_id: Some(3),
        };
        let received = read(|out| Answer::Welcome(&welcome).write_framed(framing, out));
        assert_eq!(received, Received::Welcome(expected));
        let ack = Answer::Ack { re: &re, room, seq: 9, at: 5 };
        let expected = IncomingAck { re: "7".to_owned(), room_id: 3, seq: 9, at: 5 };
        assert_eq!(read(|out| ack.write_framed(framing, out)), Received::Ack(expected));
        let pong = Answer::Pong { re: None, time: 5, room: Some((room, 9)) };
        let expected = IncomingPong { time: 5, room_id: Some(3), seq: Some(9) };
        assert_eq!(read(|out| pong.write_framed(framing, out)), Received::Pong(expected));
        let received = read(|out| {
            write_members_page(framing, Some(&re), room, 9, [&name], out);
        });
        let expected = IncomingMembers {
            re: Some("7".to_owned()),
            room_id: 3,
            member_count: 9,
            members: vec!["Ann".to_owned()],
            more: false,
        };
        assert_eq!(received, Received::Members(expected));
        let payload = br#"{"type":"SCChat","member":"Ann","text":"hi","seq":4}"#;
        let received = read(|out| {
            let head = HistoryHead { re: None, room, from: 4, more: false, gap: true };
            head.write(framing, [Event { seq: 4, at: 10, payload }], out);
        });
        let Received::History(history) = received else { panic!("{received:?}") };
        assert_eq!((history.to, history.more, history.gap), (Some(4), false, true));
        let [event] = history.events.as_slice() else { panic!("{history:?}") };
        let IncomingEvent { message, at } = event;
        assert_eq!((message.text.as_str(), message.seq, *at), ("hi", Some(4), Some(10)));
    }

    #[test]
    fn what_is_not_known_is_ignored() {
        let parse = |json: &str| Received::parse(json.as_bytes());
        let welcome = parse(
            r#"{"type":"SCWelcome","features":["ack","telepathy",5],"moon":[1],"limits":{"x":1}}"#,
        );
        let Ok(Received::Welcome(welcome)) = welcome else { panic!("{welcome:?}") };
        assert_eq!(welcome.features, Features::NONE.with(Feature::Ack));
        let history = parse(
            r#"{"type":"SCHistory","events":[{"type":"SCNew","text":5},{"type":"SCChat","text":"a"},7,{}]}"#,
        );
        let Ok(Received::History(history)) = history else { panic!("{history:?}") };
        assert_eq!(history.events.len(), 1);
        let other = parse(r#"{"type":"SCNew","text":5}"#);
        assert!(matches!(other, Ok(Received::Plain { re: None, .. })), "{other:?}");
        let refused = parse(r#"{"type":"SCSystemMessage","code":"not-in-room","re":"7"}"#);
        let Ok(Received::Plain { re, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(re.as_deref(), Some("7"));
        for json in
            ["", "[]", r#"{"type":"SCAck","seq":"x"}"#, r#"{"type":"SCMembers","members":1}"#]
        {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}
