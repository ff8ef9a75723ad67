//! An attack on a thread of its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;

use rustix::process::{getpriority_process, setpriority_process};

use super::{Kind, Scene};
use crate::error::Error;

/// By how much an attack is nicer than the thread that started it, which runs as soon as it has something to do
/// even on the core of the attack.
const NICER: i32 = 10;

/// An attack that goes on until it is finished or dropped.
#[derive(Debug)]
pub struct Running {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<Option<&'static str>>>>,
}

impl Running {
    /// Starts an attack; it is prepared when this returns.
    ///
    /// # Errors
    /// When the server does not let it in.
    pub fn start(kind: Kind, scene: Scene) -> Result<Self, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, prepared) = mpsc::channel();
        let flag = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut attack = (kind.prepare)(&scene)?;
            // On Linux this is the priority of the calling thread.
            setpriority_process(None, getpriority_process(None)? + NICER)?;
            // Nobody may be waiting any more.
            let _ = sender.send(());
            while !flag.load(Ordering::Relaxed) {
                attack.turn()?;
            }
            Ok(attack.harm())
        });
        let running = Self { stop, thread: Some(thread) };
        match prepared.recv() {
            Ok(()) => Ok(running),
            Err(_) => Err(running.finish().err().unwrap_or_else(|| broken("no attack"))),
        }
    }

    /// Stops the attack, and closes its connections. Returns the harm that the server did to somebody who took
    /// part and behaved.
    ///
    /// # Errors
    /// When the attack could not go on.
    pub fn finish(mut self) -> Result<Option<&'static str>, Error> {
        match self.join() {
            Some(Ok(result)) => result.map_err(Error::io("attacking")),
            _ => Err(broken("the attack's thread panicked")),
        }
    }

    fn join(&mut self) -> Option<std::thread::Result<io::Result<Option<&'static str>>>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(JoinHandle::join)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its result is of no interest any more.
        let _ = self.join();
    }
}

fn broken(what: &str) -> Error {
    Error::Server(what.to_owned())
}
