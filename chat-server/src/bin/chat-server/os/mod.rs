//! The program's dealings with its system: its names, the limits on memory and open descriptors, signals, and the service
//! manager. `main` calls each once or twice; nothing here knows a connection.

pub(crate) mod host_names;
pub(crate) mod memory;
pub(crate) mod rlimit;
pub(crate) mod sd_notify;
pub(crate) mod signals;
