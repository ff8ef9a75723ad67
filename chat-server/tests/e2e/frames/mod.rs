//! Input from peers: frames, however they are cut, and payloads, whatever they hold.

mod framing;
mod payloads;
