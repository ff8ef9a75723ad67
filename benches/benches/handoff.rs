//! From mailbox to output: carried out by the reactor itself, or by workers that must be woken.
//!
//! The two break even at the backlog that is worth a wake-up: see `docs/ARCHITECTURE.md`, "Hand-off".

use chat_core::Command;
use chat_server::bench_support::HandOff;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn hand_off(c: &mut Criterion) {
    for (connections, each) in [(1, 1), (10, 1), (10, 32), (100, 32), (500, 8)] {
        let mut group = c.benchmark_group(format!("hand-off/{connections}x{each}"));
        group.throughput(Throughput::Elements((connections * each) as u64));
        for (name, workers, pooled) in
            [("inline", 1, false), ("1-worker", 1, true), ("2-workers", 2, true)]
        {
            let mut hand_off = HandOff::new(workers, connections);
            group.bench_function(name, |b| {
                b.iter(|| hand_off.round(&Command::Leave, each, pooled));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, hand_off);
criterion_main!(benches);
