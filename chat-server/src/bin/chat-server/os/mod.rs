//! The program's dealings with its system: the limit on open descriptors, signals, and the service
//! manager. `main` calls each once or twice; nothing here knows a connection.

pub(crate) mod rlimit;
pub(crate) mod sd_notify;
pub(crate) mod signals;
