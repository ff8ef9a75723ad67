//! Several servers, several shapes, several rounds: one table.
//!
//! What a delivery costs moves by a third from hour to hour on the same machine, so only figures of
//! one round are compared with each other: each server's cost is divided by the relay's in the same
//! round, and the median of these ratios is the result.

mod beside;
mod chart;
mod contest;
mod server;
mod shape;
mod summary;
mod table;

pub use beside::Beside;
pub use chart::svg;
pub use contest::{Contest, Programs};
pub(crate) use server::Said;
pub use server::{Kind, Server};
pub use shape::Shape;
pub use summary::{Line, Outcome, Round, median};
pub use table::table;
