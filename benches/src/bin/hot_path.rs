//! `hot_path`: runs the hot path without the kernel, for a tool that counts instructions.

use std::hint::black_box;
use std::process::ExitCode;

use chat_proto::Framing;
use chat_server::bench_support::MemoryRoom;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let kind = match args.first().map(String::as_str) {
        Some("frames") => Some((Framing::Length, false)),
        Some("websocket") => Some((Framing::WebSocket, false)),
        Some("history") => Some((Framing::Length, true)),
        _ => None,
    };
    let numbers: Vec<usize> = args.iter().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let (Some((framing, keeps_history)), [members, messages, rounds]) = (kind, &numbers[..]) else {
        eprintln!("usage: hot_path frames|websocket|history MEMBERS MESSAGES_PER_ROUND ROUNDS");
        return ExitCode::from(2);
    };
    let mut room = MemoryRoom::new(*members, *messages, framing, keeps_history);
    for _ in 0..*rounds {
        black_box(room.round());
    }
    ExitCode::SUCCESS
}
