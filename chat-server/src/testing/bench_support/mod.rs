//! Parts of the server on their own, for the benchmarks and fuzz targets of this workspace. Not part of the public
//! interface.

mod hand_off;
mod memory_peers;
mod memory_room;
mod proxy_start;

pub use hand_off::HandOff;
pub use memory_peers::{Left, MemoryPeers};
pub use memory_room::MemoryRoom;
pub use proxy_start::ProxyStart;
