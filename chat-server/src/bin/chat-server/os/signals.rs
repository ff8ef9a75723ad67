//! Signals. The first SIGTERM or SIGINT stops the server in order; the second ends the process at once,
//! with status 128 + its number. SIGHUP stops the server if it had a terminal, which is gone then, and is
//! ignored otherwise. All others keep their default.

use std::fs;
use std::io::{self, IsTerminal};
use std::process;
use std::thread;

use chat_server::Controller;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::exit_error::ExitError;
use crate::logging::Log;

/// Handles signals on a thread of its own, which can end the process even when the server hangs.
///
/// # Errors
/// If the system gives no more descriptors or threads.
pub(crate) fn watch(controller: Controller, log: Log) -> io::Result<()> {
    let hangup_stops = io::stdin().is_terminal();
    let mut watched = vec![SIGTERM, SIGINT];
    if !is_ignored(SIGHUP) {
        watched.push(SIGHUP);
    }
    let mut signals = Signals::new(watched)?;
    thread::Builder::new().name("chat-signals".to_owned()).spawn(move || {
        let mut stopping = false;
        for signal in &mut signals {
            let name = name(signal);
            if signal == SIGHUP && (stopping || !hangup_stops) {
                tracing::info!(signal = name, "signal ignored");
            } else if stopping {
                log.exit_error(&ExitError::SecondSignal(name));
                log.flush();
                process::exit(128 + signal);
            } else {
                tracing::info!(signal = name, "stop requested");
                stopping = true;
                controller.stop();
            }
        }
    })?;
    Ok(())
}

fn name(signal: i32) -> &'static str {
    match signal {
        SIGHUP => "SIGHUP",
        SIGINT => "SIGINT",
        _ => "SIGTERM",
    }
}

/// Whether the process was started with the signal ignored, as nohup does.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}
