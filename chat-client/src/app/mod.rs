pub(crate) mod input;
pub(crate) mod render;
pub(crate) mod room_table;
pub(crate) mod session_view;
pub(crate) mod state;
pub(crate) mod texts;
