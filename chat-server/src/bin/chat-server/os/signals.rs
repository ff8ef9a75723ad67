//! Signals.
//!
//! The first SIGTERM or SIGINT stops the server in order. Another one, at least a second later, ends the process at
//! once, with status 128 + its number. SIGHUP stops the server if that had a terminal, which is now gone; otherwise it
//! reloads the certificate, or is ignored if there is none. SIGUSR1, SIGUSR2 and SIGXFSZ, which would end the process,
//! are ignored: reaching the limit on the size of a file is a failed write like any other.

use std::fs;
use std::io::{self, IsTerminal};
use std::process;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use chat_server::Controller;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::exit_error::ExitError;
use crate::logging::Log;

/// Signals within this time of the first count as the same request: timeout(1), for one, signals the process and then
/// its group.
const ONE_WISH: Duration = Duration::from_secs(1);

/// Turns a write beyond the limit on file sizes into an error instead of the end of the process. Call it before
/// anything is written.
///
/// # Errors
/// If the system does not allow it.
pub(crate) fn survive_file_size_limit() -> io::Result<()> {
    flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).map(drop)
}

/// Handles signals on a thread of its own, which can end the process even when the server hangs. `reload` reads
/// again what is in files, if there is any, on another thread: a file may make it wait.
///
/// # Errors
/// If the system refuses a descriptor or a thread.
pub(crate) fn watch(
    controller: Controller,
    log: Log,
    reload: Option<impl Fn() + Send + 'static>,
) -> io::Result<()> {
    let had_terminal = io::stdin().is_terminal() && !is_ignored(SIGHUP);
    let mut watched = vec![SIGTERM, SIGINT, SIGUSR1, SIGUSR2];
    if reload.is_some() || !is_ignored(SIGHUP) {
        watched.push(SIGHUP);
    }
    let mut signals = Signals::new(watched)?;
    let reload = reload.map(spawn_reloads).transpose()?;
    thread::Builder::new().name("chat-signals".to_owned()).spawn(move || {
        let mut wish = StopWish::default();
        for signal in &mut signals {
            let name = name(signal);
            // If the terminal is still there, its loss did not cause the signal.
            let hangup_stops = had_terminal && !(reload.is_some() && io::stdin().is_terminal());
            match (wish.note(Instant::now(), signal, hangup_stops), &reload) {
                // If it is full, what is in the files now will be read all the same.
                (Effect::Ignored, Some(reload)) if signal == SIGHUP => drop(reload.try_send(())),
                (Effect::Ignored, _) => tracing::info!(signal = name, "signal ignored"),
                (Effect::Stop, _) => {
                    tracing::info!(signal = name, "stop requested");
                    controller.stop();
                }
                (Effect::EndAtOnce, _) => {
                    log.exit_error(&ExitError::SecondSignal(name));
                    log.flush();
                    process::exit(128 + signal);
                }
            }
        }
    })?;
    Ok(())
}

/// Starts a thread that calls `reload` once for each message, or for several of them.
fn spawn_reloads(reload: impl Fn() + Send + 'static) -> io::Result<SyncSender<()>> {
    let (sender, wishes) = mpsc::sync_channel(1);
    let run = move || wishes.iter().for_each(|()| reload());
    thread::Builder::new().name("chat-reload".to_owned()).spawn(run)?;
    Ok(sender)
}

/// The wish to stop, and when it was first expressed.
#[derive(Debug, Default)]
struct StopWish {
    since: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Ignored,
    Stop,
    EndAtOnce,
}

impl StopWish {
    /// Notes a signal. `hangup_stops` says that a SIGHUP means the loss of the terminal.
    fn note(&mut self, now: Instant, signal: i32, hangup_stops: bool) -> Effect {
        match (signal, self.since) {
            (SIGUSR1 | SIGUSR2, _) => Effect::Ignored,
            (SIGHUP, since) if since.is_some() || !hangup_stops => Effect::Ignored,
            (_, Some(since)) if now.duration_since(since) < ONE_WISH => Effect::Ignored,
            (_, Some(_)) => Effect::EndAtOnce,
            (_, None) => {
                self.since = Some(now);
                Effect::Stop
            }
        }
    }
}

fn name(signal: i32) -> &'static str {
    match signal {
        SIGHUP => "SIGHUP",
        SIGINT => "SIGINT",
        SIGUSR1 => "SIGUSR1",
        SIGUSR2 => "SIGUSR2",
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever signals come, and when: the first one stops the server, further ones within a second change
        /// nothing, and the next one ends the process.
        #[test]
        fn o14_signals_within_a_second_are_one_wish(
            signals in prop::collection::vec(
                (0..700_u64, prop::sample::select(vec![SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2])),
                0..8,
            ),
            hangup_stops: bool,
        ) {
            let (mut wish, start, mut ms) = (StopWish::default(), Instant::now(), 0);
            let mut first = None;
            for (later, signal) in signals {
                ms += later;
                let expected = match (signal, first) {
                    (SIGUSR1 | SIGUSR2, _) => Effect::Ignored,
                    (SIGHUP, None) if hangup_stops => Effect::Stop,
                    (SIGHUP, _) => Effect::Ignored,
                    (_, None) => Effect::Stop,
                    (_, Some(first)) if ms - first < 1_000 => Effect::Ignored,
                    (_, Some(_)) => Effect::EndAtOnce,
                };
                if expected == Effect::Stop {
                    first = Some(ms);
                }
                let now = start + Duration::from_millis(ms);
                prop_assert_eq!(wish.note(now, signal, hangup_stops), expected);
            }
        }
    }
}
