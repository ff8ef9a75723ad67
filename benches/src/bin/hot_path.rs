//! `hot_path`: runs the hot path without the kernel, for a tool that counts instructions.

use std::hint::black_box;
use std::process::ExitCode;

use chat_server::bench_support::MemoryRoom;

fn main() -> ExitCode {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let [members, messages, rounds] = numbers[..] else {
        eprintln!("usage: hot_path MEMBERS MESSAGES_PER_ROUND ROUNDS");
        return ExitCode::from(2);
    };
    let mut room = MemoryRoom::new(members, messages);
    for _ in 0..rounds {
        black_box(room.round());
    }
    ExitCode::SUCCESS
}
