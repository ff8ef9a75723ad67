//! Parsing a payload into a command, with our parser and with `#[serde(tag = "type")]`; and writing a chat as a frame.

use std::hint::black_box;

use chat_proto::{Command, HEADER_LEN, Lang, Name, RoomId, ServerMessage, Text};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;

/// The commands as serde would parse them: an internally tagged enum, which is copied into a tree first, since its tag
/// may come last. Checks nothing.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
enum Tagged {
    #[serde(rename = "CSName")]
    Name { name: String },
    #[serde(rename = "CSRooms")]
    Rooms,
    #[serde(rename = "CSCreateRoom")]
    CreateRoom { title: String },
    #[serde(rename = "CSJoinRoom")]
    JoinRoom { room_id: u64 },
    #[serde(rename = "CSLeaveRoom")]
    LeaveRoom,
    #[serde(rename = "CSChat")]
    Chat { text: String },
    #[serde(rename = "CSShutdown")]
    Shutdown,
}

impl Tagged {
    /// Uses something from every variant, so that none is optimized away.
    fn len(&self) -> usize {
        match self {
            Self::Name { name: s } | Self::CreateRoom { title: s } | Self::Chat { text: s } => {
                s.len()
            }
            Self::JoinRoom { room_id } => *room_id as usize,
            Self::Rooms | Self::LeaveRoom | Self::Shutdown => 0,
        }
    }
}

/// A chat as our clients write it.
fn chat(text: &str) -> Vec<u8> {
    let text = Text::new(text).expect("no control characters");
    let mut frame = Vec::new();
    Command::Chat(text).write(&mut frame).expect("it fits a frame");
    frame.split_off(HEADER_LEN)
}

/// A chat as Python's `json.dumps` writes it: with spaces, and with escapes for everything but ASCII.
fn chat_escaped(text: &str) -> Vec<u8> {
    let escape = |c: char| {
        let mut units = [0; 2];
        c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
    };
    let text: String =
        text.chars().map(|c| if c.is_ascii() { c.to_string() } else { escape(c) }).collect();
    format!(r#"{{"type": "CSChat", "text": "{text}"}}"#).into_bytes()
}

fn parse(c: &mut Criterion) {
    let korean = "오늘 저녁에 스터디 방에서 만나요. ".repeat(2);
    for (name, payload) in [
        ("short", chat(&"x".repeat(64))),
        ("long", chat(&"x".repeat(8_192))),
        ("quotes", chat(&"\"\\".repeat(32))),
        ("korean", chat(&korean)),
        ("korean-escaped", chat_escaped(&korean)),
        ("rooms", br#"{"type": "CSRooms"}"#.to_vec()),
        ("join", br#"{"type": "CSJoinRoom", "roomId": 17}"#.to_vec()),
    ] {
        let mut group = c.benchmark_group(format!("parse/{name}"));
        group.throughput(Throughput::Bytes(payload.len() as u64));
        group.bench_function("ours", |b| {
            b.iter(|| Command::parse(black_box(&payload)).expect("a command"));
        });
        group.bench_function("serde-tag", |b| {
            b.iter(|| {
                let tagged: Tagged =
                    serde_json::from_slice(black_box(&payload)).expect("a command");
                black_box(tagged.len())
            });
        });
        group.finish();
    }
}

fn encode(c: &mut Criterion) {
    let member = Name::new("김철수").expect("a name");
    for (name, text) in [
        ("short", "x".repeat(64)),
        ("long", "x".repeat(8_192)),
        ("quotes", "\"\\".repeat(32)),
        ("korean", "오늘 저녁에 스터디 방에서 만나요. ".repeat(2)),
    ] {
        let text = Text::try_from(text).expect("no control characters");
        let (member, text) = (&member, &text);
        let chat = ServerMessage::Chat { member, text, room: RoomId::FIRST, seq: 123_456 };
        let mut out = Vec::new();
        chat.write(Lang::En, &mut out).expect("it fits a frame");
        let mut group = c.benchmark_group("encode");
        group.throughput(Throughput::Bytes(out.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                black_box(chat).write(Lang::En, &mut out).expect("it fits a frame");
            });
        });
        group.finish();
    }
}

criterion_group!(benches, parse, encode);
criterion_main!(benches);
