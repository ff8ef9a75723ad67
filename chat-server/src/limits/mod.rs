//! Every limit of the server, in one place: values, units, ranges, errors.
//!
//! [`Limits`] holds the values. [`Limit`] is the table by which they are set, shown and checked, and from which flags,
//! configuration files and documents are made. Nothing here enforces a limit; `docs/ARCHITECTURE.md`, "Limits", says
//! where each is enforced.

mod check;
mod error;
mod memory;
mod quantity;
mod rate_limit;
mod table;
mod values;

pub use error::LimitError;
pub use memory::Lowered;
pub use rate_limit::RateLimit;
pub use table::Limit;
pub use values::Limits;
