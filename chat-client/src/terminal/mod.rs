pub(crate) mod completion;
pub(crate) mod editor;
pub(crate) mod keys;
pub(crate) mod line;
pub(crate) mod line_reader;
pub(crate) mod painting;
pub(crate) mod screen;
pub(crate) mod tty;
