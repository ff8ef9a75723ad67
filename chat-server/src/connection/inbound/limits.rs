//! The limits on what a connection sends, ready for use.

use std::time::Duration;

use chat_proto::extended::{Feature, Features};

use super::super::token_bucket::Rate;
use crate::limits::{Limits, RateLimit};

/// Frames accepted from one connection in a turn: enough for a fast talker, without making others wait.
const FRAMES_PER_TURN: u32 = 64;

/// The time that a quiet connection may take, in units of some 0.4 µs: 160 short messages a second that arrive one by
/// one, or 0.03 % of the event loop's time.
pub(super) const QUIET: RateLimit = RateLimit { burst: 800, per_second: 800 };

/// The features that are granted to whoever asks for them.
fn features(limits: &Limits) -> Features {
    let features = Features::NONE.with(Feature::Ack).with(Feature::Members).with(Feature::Ping);
    match limits.keeps_history() {
        false => features,
        true if limits.resume_time.is_zero() => features.with(Feature::History),
        true => features.with(Feature::History).with(Feature::Resume),
    }
}

/// The limits on what a connection sends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InboundLimits {
    pub(super) commands: Rate,
    pub(super) input: Rate,
    pub(super) bad_frames: Rate,
    pub(super) time: Rate,
    pub(super) frame_timeout: Duration,
    pub(super) frames_per_turn: u32,
    /// Whether browsers are served.
    pub(super) web: bool,
    /// What is granted to clients that say hello.
    pub(super) features: Features,
}

impl InboundLimits {
    pub(crate) fn new(limits: &Limits, web: bool) -> Self {
        Self {
            web,
            features: features(limits),
            commands: Rate::new(limits.commands),
            input: Rate::new(limits.input),
            bad_frames: Rate::new(limits.bad_frames),
            time: Rate::new(QUIET),
            frame_timeout: limits.frame_timeout,
            frames_per_turn: FRAMES_PER_TURN,
        }
    }

    /// The same limits, except that nothing is accepted: input is buffered.
    pub(crate) fn accepting_nothing(&self) -> Self {
        Self { frames_per_turn: 0, ..*self }
    }
}
