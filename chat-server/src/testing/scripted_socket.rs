//! A socket for tests, with a scripted kernel.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

use crate::net::Socket;

/// The result of one call of `write`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// At most this many bytes are taken.
    Take(usize),
    /// The call fails with this error.
    Fail(ErrorKind),
}

/// A socket that records what is written. After the end of the script, it takes everything.
#[derive(Debug, Default)]
pub(crate) struct ScriptedSocket {
    pub(crate) script: VecDeque<Step>,
    pub(crate) written: Vec<u8>,
    pub(crate) calls: usize,
    pub(crate) ended: bool,
}

impl ScriptedSocket {
    pub(crate) fn new(script: impl IntoIterator<Item = Step>) -> Self {
        Self { script: script.into_iter().collect(), ..Self::default() }
    }
}

impl Socket for ScriptedSocket {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::WouldBlock.into())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.calls += 1;
        assert!(!self.ended, "nothing is written after the end of the stream");
        assert!(slices.iter().all(|slice| !slice.is_empty()), "no slice is empty");
        assert!((1..=1024).contains(&slices.len()), "the kernel takes 1 to IOV_MAX slices");
        let most = match self.script.pop_front() {
            Some(Step::Take(most)) => most,
            Some(Step::Fail(kind)) => return Err(kind.into()),
            None => usize::MAX,
        };
        let bytes = slices.iter().flat_map(|slice| slice.iter().copied());
        let before = self.written.len();
        self.written.extend(bytes.take(most));
        Ok(self.written.len() - before)
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.ended = true;
        Ok(())
    }

    fn reset_on_close(&mut self) {}
}
