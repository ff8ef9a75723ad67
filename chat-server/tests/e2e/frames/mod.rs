//! What a peer may send: frames, however they are cut, and payloads, whatever is in them.

mod framing;
mod payloads;
