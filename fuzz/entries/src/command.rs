//! The command parser: it accepts exactly what a payload says, and repeats nothing that it refuses.

mod asking;

use chat_core::{Hub, HubLimits, Input, Output, Role, RoomEvent, SessionId};
use chat_proto::{
    Command, Lang, MAX_PAYLOAD, Name, Notice, Rejection, RoomId, ServerMessage, Text, Title,
    chat_payload_len,
};
use serde_json::Value;

use crate::messages;

use crate::hub::connect;

/// The input is one payload.
///
/// - serde_json parses an accepted payload into an object with the same values. Written again, the result is the same
///   command, and no longer than before.
/// - Blanks around the object and an additional field in it change nothing, although the fast path for chats handles
///   neither. A repeated key, or an array around the object, is refused.
/// - An accepted text that the hub takes from a member with the longest name fits a frame. Texts, names and titles
///   contain nothing that could garble a terminal.
/// - A refusal is a short line of ASCII, and contains nothing from the payload.
/// - After a hello, a payload means the same, or more; hellos and what a client writes after them are read as they were.
///
/// # Panics
/// If a property is violated.
pub fn command(data: &[u8]) {
    let payload = &data[..data.len().min(MAX_PAYLOAD)];
    let parsed = Command::parse(payload);
    match std::str::from_utf8(payload) {
        Err(_) => assert_eq!(parsed, Err(Rejection::InvalidUtf8)),
        Ok("") => assert_eq!(parsed, Err(Rejection::EmptyFrame)),
        Ok(payload) => variants(payload, &parsed),
    }
    asking::check(payload, &parsed);
    match parsed {
        Ok(command) => accepted(payload, command),
        Err(rejection) => refused(payload, rejection),
    }
}

/// Checks that another spelling gives the same command, and that anything else around it is refused.
fn variants(payload: &str, parsed: &Result<Command, Rejection>) {
    let blanks = Command::parse(format!("\t {payload}\r\n").as_bytes());
    assert!(same(&blanks, parsed), "with blanks around it {blanks:?}, without {parsed:?}");

    let array = Command::parse(format!("[{payload}]").as_bytes());
    assert_eq!(array, Err(Rejection::NotAnObject));

    if parsed.is_err() {
        return;
    }
    let inside = payload.trim_start().strip_prefix('{').expect("only objects are accepted");
    let further = Command::parse(format!(r#"{{"~":[{{}},"\ud800"],{inside}"#).as_bytes());
    assert!(same(&further, parsed), "with a further field {further:?}, without {parsed:?}");
    for twice in [r#""type":"CSRooms""#, r#""\u0074ype":"CSRooms""#, r#""type":[]"#] {
        let twice = Command::parse(format!("{{{twice},{inside}").as_bytes());
        assert!(matches!(twice, Err(Rejection::NotJson { .. })), "type twice: {twice:?}");
    }
    for after in ["{}", "x", ",", "}", "\u{feff}", "\0"] {
        let after = Command::parse(format!("{payload}{after}").as_bytes());
        assert!(matches!(after, Err(Rejection::NotJson { .. })), "more after it: {after:?}");
    }
}

/// Whether two results are the same, ignoring the position of an error.
fn same(a: &Result<Command, Rejection>, b: &Result<Command, Rejection>) -> bool {
    match (a, b) {
        (Err(Rejection::NotJson { .. }), Err(Rejection::NotJson { .. })) => true,
        _ => a == b,
    }
}

fn accepted(payload: &[u8], command: Command) {
    let mut frame = Vec::new();
    command.write(&mut frame).expect("it is no longer than what it was read from");
    let again = &frame[chat_proto::HEADER_LEN..];
    assert!(again.len() <= payload.len(), "longer when written again");
    assert_eq!(Command::parse(again).as_ref(), Ok(&command), "written and read again");

    // serde_json refuses deep objects, and invalid escapes in unknown fields.
    if let Ok(value) = serde_json::from_slice::<Value>(payload) {
        assert!(says(&value, &command), "{command:?} from {value}");
    }
    match command {
        Command::Chat(text) => chat(&text),
        Command::Rename(name) => assert!(messages::is_label(name.as_str()), "{name:?}"),
        Command::Create(title) => assert!(messages::is_label(title.as_str()), "{title:?}"),
        _ => {}
    }
}

/// Whether an object means this command.
fn says(value: &Value, command: &Command) -> bool {
    let (kind, field) = match command {
        Command::Rename(name) => {
            let said = value["name"].as_str().unwrap_or_default();
            ("CSName", said.split_whitespace().eq(name.as_str().split(' ')))
        }
        Command::Rooms => ("CSRooms", true),
        Command::Create(title) => ("CSCreateRoom", value["title"].as_str() == Some(title.as_str())),
        Command::Join(room) => {
            let digits = value["roomId"].as_str().and_then(|digits| digits.parse().ok());
            ("CSJoinRoom", value["roomId"].as_u64().or(digits) == Some(room.number()))
        }
        Command::Leave => ("CSLeaveRoom", true),
        Command::Chat(text) => {
            let said = value["text"].as_str().map(|said| said.replace("\r\n", "\n"));
            ("CSChat", said.as_deref() == Some(text.as_str()))
        }
        Command::Shutdown => ("CSShutdown", true),
    };
    value["type"] == kind && field
}

fn refused(payload: &[u8], rejection: Rejection) {
    if let (Rejection::NotJson { detail }, Ok(Value::Object(_))) =
        (&rejection, serde_json::from_slice(payload))
    {
        assert!(detail.starts_with("duplicate field"), "it is JSON: {detail}");
    }
    let code = rejection.code();
    let said = Notice::Rejected(rejection).to_string();
    assert!(said.bytes().all(|b| matches!(b, b' '..=b'~')), "{code}: {said:?}");
    assert!(said.len() < 200, "{code}: {said}");
}

/// Sends the text from a member with the longest name.
fn chat(text: &Text) {
    let mut hub = Hub::new(HubLimits::default());
    let speaker = connect(&mut hub, Role::Guest);
    let mut outputs = Vec::new();
    let name = Name::new(&"😀".repeat(chat_proto::MAX_NAME_CHARS)).expect("a name");
    hub.apply(
        0,
        Input::Command { session: speaker, command: Command::Rename(name.clone()) },
        &mut outputs,
    );
    hub.apply(
        0,
        Input::Command {
            session: speaker,
            command: Command::Create(Title::new("room").expect("a title")),
        },
        &mut outputs,
    );
    outputs.clear();
    hub.apply(
        0,
        Input::Command { session: speaker, command: Command::Chat(text.clone()) },
        &mut outputs,
    );

    for (room, seq) in [(1, 1), (u64::MAX, u64::MAX)] {
        let room = RoomId::new(room).expect("above 0");
        let message = ServerMessage::Chat { member: &name, text, room, seq };
        let mut frame = Vec::new();
        let written =
            message.write(Lang::En, &mut frame).map(|()| &frame[chat_proto::HEADER_LEN..]);
        let foreseen = chat_payload_len(&name, text, room, seq);
        match written {
            Ok(payload) => {
                assert_eq!(payload.len(), foreseen);
                let read = messages::read(payload);
                assert_eq!((&*read.member, &*read.text), (name.as_str(), text.as_str()));
                assert_eq!((read.room_id, read.seq), (Some(room.number()), Some(seq)));
            }
            Err(error) => assert_eq!(error.len, foreseen),
        }
        if seq == 1 {
            assert_eq!(is_broadcast(&outputs, speaker), foreseen <= MAX_PAYLOAD);
        }
    }
}

/// Whether a chat was accepted; a refusal is the only other answer.
fn is_broadcast(outputs: &[Output], speaker: SessionId) -> bool {
    match outputs {
        [Output::Broadcast { event: RoomEvent::Chat { .. }, except, .. }] => {
            assert_eq!(*except, Some(speaker));
            true
        }
        [Output::Reply { notice: Notice::TextTooLong { .. }, to, .. }] => {
            assert_eq!(*to, speaker);
            false
        }
        _ => panic!("a chat is accepted or too long: {outputs:?}"),
    }
}
