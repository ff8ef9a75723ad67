//! The program's `--metrics`: the numbers are correct, in the format of Prometheus and as documented, and scraping
//! does the chat no harm.

mod abuse;
mod conversation;
mod documents;
mod exposition;
mod scrape;

use std::net::SocketAddr;

use crate::support::{Program, own_ip};

/// A program that serves metrics, its address, and the address of its metrics.
fn start(args: &[&str]) -> (Program, SocketAddr, SocketAddr) {
    let metrics = format!("--metrics={}:0", own_ip());
    let (program, address) = Program::listening(&[&[&*metrics], args].concat());
    let line = program.next_line();
    let metrics = line.strip_prefix("metrics on ").expect("the second line says so");
    let metrics = metrics.parse().expect("an address and a port");
    (program, address, metrics)
}
