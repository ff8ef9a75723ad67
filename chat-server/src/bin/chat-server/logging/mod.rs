//! The log on standard error: which lines it has, in which form, and how they are written without ever
//! waiting for a reader.
//!
//! `log` sets it up, `table_event` logs events whose fields come from tables, `line_writer` writes the
//! lines. Anything in the program may log by `tracing`'s macros; nothing here knows what happened.

mod line_writer;
mod log;
mod table_event;

pub(crate) use line_writer::LineWriter;
pub(crate) use log::{FLUSH, FlushAtEnd, Log, start};
pub(crate) use table_event::log_table;
