//! The hub, tested through its public interface: each rule by itself ([`rules`]), all of them against a
//! naive model ([`model`]), and lists taken in parts ([`lists`]).

mod lists;
mod model;
mod rules;
mod support;
