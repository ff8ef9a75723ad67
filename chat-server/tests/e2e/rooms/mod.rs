//! Rooms as their members see them: rules, names, order of events, lists, and many members at once.

mod crowd;
mod lists;
mod names;
mod order;
mod rules;
