//! `hot_path`: runs the hot path without the kernel, for a tool that counts instructions.

use std::hint::black_box;
use std::process::ExitCode;

use chat_proto::Framing;
use chat_server::bench_support::MemoryRoom;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let framing = match args.first().map(String::as_str) {
        Some("frames") => Some(Framing::Length),
        Some("websocket") => Some(Framing::WebSocket),
        _ => None,
    };
    let numbers: Vec<usize> = args.iter().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let (Some(framing), [members, messages, rounds]) = (framing, &numbers[..]) else {
        eprintln!("usage: hot_path frames|websocket MEMBERS MESSAGES_PER_ROUND ROUNDS");
        return ExitCode::from(2);
    };
    let mut room = MemoryRoom::new(*members, *messages, framing);
    for _ in 0..*rounds {
        black_box(room.round());
    }
    ExitCode::SUCCESS
}
