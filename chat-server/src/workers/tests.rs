//! Tests of the hand-off on real threads; `tests/model` checks it under every schedule.

mod pool;
mod recording;
mod shared_hub;
