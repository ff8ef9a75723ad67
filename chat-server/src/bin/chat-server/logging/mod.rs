//! The log on standard error: its contents, its format, and a writer that never waits for the reader.
//!
//! `log` sets it up, `table_event` logs events whose fields come from tables, `line_writer` writes the lines. Anything
//! in the program may log with `tracing`'s macros; nothing here knows about the events themselves.

mod line_writer;
mod log;
mod table_event;

pub(crate) use line_writer::LineWriter;
pub(crate) use log::{FLUSH, FlushAtEnd, Log, start};
pub(crate) use table_event::log_table;
