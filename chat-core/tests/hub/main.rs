//! The hub, tested through its public interface: each rule by itself ([`rules`]), all of them against a
//! naive model ([`model`]), and lists of many rooms ([`room_list`]).

mod model;
mod room_list;
mod rules;
mod support;
