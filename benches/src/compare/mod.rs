//! Several servers under several workloads in several rounds, summarized in one table.
//!
//! [`Comparison`] starts each server ([`Server`]) and the load generator as separate programs, on separate cores, and
//! collects the generator's reports; [`Outcome`] takes medians; [`table()`] and [`svg`] show them. Nothing here talks
//! to a server.
//!
//! On the same machine, the cost of a delivery varies by a third from hour to hour, so results are compared within a
//! round only: each server's cost is divided by that of a base, usually the relay, in the same round, and the median
//! of these ratios is the result.

mod background;
mod chart;
mod programs;
mod rounds;
mod server;
mod summary;
mod table;
mod workload;

pub use background::Background;
pub use chart::svg;
pub use programs::{Programs, on_cores};
pub use rounds::Comparison;
pub use server::Server;
pub use summary::{Line, Outcome, Round, median};
pub use table::table;
pub use workload::Workload;
