//! Input from peers: frames cut at any byte, and payloads of any kind.

mod framing;
mod payloads;
