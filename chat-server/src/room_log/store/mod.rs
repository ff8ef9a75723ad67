//! The disk behind the histories: `sqlite` writes them and reads them back.
//!
//! Without the feature `store`, `absent` takes its place, with types that have no values.

#[cfg(not(feature = "store"))]
mod absent;
#[cfg(feature = "store")]
mod sqlite;

#[cfg(not(feature = "store"))]
pub use absent::DataConfig;
#[cfg(not(feature = "store"))]
pub(crate) use absent::{BatchNumber, Progress, Store};
#[cfg(feature = "store")]
pub use sqlite::{Archive, Damage, DataConfig, Erase, StoreError, StoreFault};
#[cfg(feature = "store")]
pub(crate) use sqlite::{
    BatchNumber, LastEnd, Progress, Readers, Restored, Store, StoredPart, StoredRoom,
    StoredSnapshot,
};
