//! The operating system: host names, limits on memory and open descriptors, signals, the service manager, and the files
//! of recordings. `main` calls each once or twice; nothing here knows about connections.

pub(crate) mod host_names;
pub(crate) mod memory;
pub(crate) mod recording;
pub(crate) mod rlimit;
pub(crate) mod sd_notify;
pub(crate) mod signals;
