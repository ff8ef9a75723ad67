//! An attack on a thread of its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;

use rustix::process::{getpriority_process, setpriority_process};

use super::{Kind, Scene};
use crate::error::Error;

/// By how much an attack is nicer than the thread that started it, so that this thread runs as soon as it has
/// something to do, even on the same core.
const NICER: i32 = 10;

/// The harm done to a participant that behaved, if any.
type Harm = Option<&'static str>;

/// An attack that continues until it is finished or dropped.
#[derive(Debug)]
pub struct Running {
    stop: Arc<AtomicBool>,
    prepared: Receiver<()>,
    thread: Option<JoinHandle<io::Result<Harm>>>,
}

impl Running {
    /// Starts to prepare an attack, which then begins by itself.
    pub fn start(kind: Kind, scene: Scene) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, prepared) = mpsc::channel();
        let flag = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut attack = (kind.prepare)(&scene)?;
            // On Linux, this is the priority of the calling thread.
            setpriority_process(None, getpriority_process(None)? + NICER)?;
            // Nobody may be waiting any more.
            let _ = sender.send(());
            while !flag.load(Ordering::Relaxed) {
                attack.turn()?;
            }
            Ok(attack.harm())
        });
        Self { stop, prepared, thread: Some(thread) }
    }

    /// Waits until the attack is prepared.
    ///
    /// # Errors
    /// If the server does not admit it.
    pub fn wait_until_prepared(&mut self) -> Result<(), Error> {
        // If the thread ends without a message, its result says why.
        self.prepared.recv().or_else(|_| self.join().map(drop))
    }

    /// Stops the attack, without waiting for it.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether the attack has ended.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Stops the attack, and closes its connections. Returns the harm that the server did to a participant that
    /// behaved, if any.
    ///
    /// # Errors
    /// If the attack could not continue.
    pub fn finish(mut self) -> Result<Option<&'static str>, Error> {
        self.join()
    }

    fn join(&mut self) -> Result<Harm, Error> {
        self.stop();
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(result)) => result.map_err(Error::io("attacking")),
            Some(Err(_)) => Err(Error::Server("the attack's thread panicked".to_owned())),
            None => Ok(None),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its result no longer matters.
        let _ = self.join();
    }
}
