//! The state of the engine, by owner. Each file keeps its own invariants, and knows neither the engine nor the state
//! of the other files; the engine's methods, in the files beside this folder, combine them.

mod addresses;
mod admission;
mod askers;
mod candidates;
mod connection_log;
mod dispatcher;
mod egress;
mod ingress;
mod kept_sessions;
mod read_time;
mod stop;
mod storage;
mod timers;
mod wall_clock;
mod watch;

pub(crate) use admission::Admission;
pub(crate) use askers::Askers;
pub(crate) use candidates::{Candidates, Rank};
pub(crate) use connection_log::ConnectionLog;
pub(crate) use dispatcher::{Completed, Dispatcher};
pub(crate) use egress::Egress;
pub(crate) use ingress::Ingress;
pub(crate) use kept_sessions::{Kept, KeptSessions};
pub(crate) use stop::Stop;
pub(crate) use storage::{Owed, Storage};
pub(crate) use timers::Timers;
pub(crate) use wall_clock::WallClock;
pub(crate) use watch::{Sight, Watch};

pub(crate) use dispatcher::Workers;
