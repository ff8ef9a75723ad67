//! Decoding frames from chunks of a stream.

use std::hint::black_box;

use chat_proto::{FrameDecoder, write_frame};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// 64 KiB of frames with payloads of this length.
fn stream(payload: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while out.len() < 64 * 1024 {
        write_frame(&mut out, |out| out.resize(out.len() + payload, b'x')).expect("short enough");
    }
    out
}

fn cut(c: &mut Criterion) {
    for (name, payload, chunk) in [
        ("short-whole", 90, usize::MAX),
        ("short-in-1460", 90, 1_460),
        ("short-bytewise", 90, 1),
        ("long-whole", 8_192, usize::MAX),
        ("long-in-1460", 8_192, 1_460),
    ] {
        let bytes = stream(payload);
        let mut group = c.benchmark_group("frame-cut");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |b| {
            let mut decoder = FrameDecoder::new();
            b.iter(|| {
                for chunk in black_box(&bytes).chunks(chunk.min(bytes.len())) {
                    let mut frames = decoder.feed(chunk);
                    while let Some(payload) = frames.next_frame() {
                        black_box(payload.len());
                    }
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, cut);
criterion_main!(benches);
