//! The state of the client, and every decision that follows from it.
//!
//! Nothing in here reads, writes, waits, or reads a clock. The [event loop](crate::event_loop) passes in lines and
//! messages, and carries out the [effects](state::Effects): lines to show, commands to send, the end.

pub(crate) mod catch_up;
pub(crate) mod grant;
pub(crate) mod help;
pub(crate) mod input;
pub(crate) mod input_error;
pub(crate) mod keyboard;
pub(crate) mod members;
pub(crate) mod notice;
pub(crate) mod options;
pub(crate) mod outstanding;
pub(crate) mod render;
pub(crate) mod room_lists;
pub(crate) mod room_table;
pub(crate) mod session_status;
pub(crate) mod session_view;
pub(crate) mod state;
pub(crate) mod status;
#[cfg(test)]
mod testing;
pub(crate) mod unanswered;
