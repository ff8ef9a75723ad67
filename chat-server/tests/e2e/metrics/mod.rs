//! `--metrics`, of the program: what is to be read there is right, in the format that Prometheus
//! reads, the same as in its documents, and of no harm to the chat.

mod abuse;
mod conversation;
mod documents;
mod exposition;
mod scrape;

use std::net::SocketAddr;

use crate::support::Program;

/// A program that serves metrics: where it chats, and where those are.
fn start(args: &[&str]) -> (Program, SocketAddr, SocketAddr) {
    let (program, address) = Program::listening(&[&["--metrics=127.0.0.1:0"], args].concat());
    let line = program.next_line();
    let metrics = line.strip_prefix("metrics on ").expect("the second line says so");
    let metrics = metrics.parse().expect("an address and a port");
    (program, address, metrics)
}
