//! The hub, tested through its public interface: each rule by itself ([`rules`]), all of them against a
//! naive model ([`model`]), lists taken in parts ([`lists`]), and hubs that are compared and restored ([`whole`]).

mod lists;
mod model;
mod rules;
mod support;
mod whole;
