//! The effect of attacks on people who have nothing to do with them.
//!
//! Two [`Strangers`](crate::strangers::Strangers) in a room of their own send each other a message every 5 ms, first alone and then beside an
//! [attack](crate::attacks), on a server started for the purpose. The server has core 0; the strangers share core 1
//! with the attackers, whose priority is lower. How late the strangers themselves are is measured, too.

mod result;
mod run;

pub use result::{Line, table};
pub use run::{Config, run};
