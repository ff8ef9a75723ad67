//! The terminal, or pipes in its place: keys and lines in, lines and the prompt out.
//!
//! Nothing in here knows about the chat: no messages, commands or rooms. The [threads](crate::threads) read keys and
//! lines; the [event loop](crate::event_loop) owns the editor and the screen; [app](crate::app) makes the lines to
//! show.

pub(crate) mod completion;
pub(crate) mod editor;
pub(crate) mod input_rows;
pub(crate) mod keys;
pub(crate) mod line;
pub(crate) mod line_reader;
pub(crate) mod screen;
pub(crate) mod tty;
pub(crate) mod visible;
