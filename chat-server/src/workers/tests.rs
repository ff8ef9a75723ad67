//! Tests of the hand-off over real threads; `tests/model` checks it under every schedule.

mod pool;
mod shared_hub;
