//! Rooms from their members' point of view: rules, names, order of events, lists, and crowds.

mod crowd;
mod lists;
mod names;
mod order;
mod rules;
