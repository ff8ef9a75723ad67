//! A socket whose input follows a script.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::rc::Rc;

use chat_proto::{FrameDecoder, Incoming};
use chat_testing::heap::uncounted;

use crate::net::{Socket, StreamState};
use crate::testing::scripted_socket::Step;

/// The result of one call of `read`. After the end of the script, there is nothing to read.
pub(super) enum Come {
    Bytes(Vec<u8>),
    Fail(ErrorKind),
    /// The last part of a handshake.
    Opens,
    /// For ever.
    End,
}

/// Both directions of a connection, as the test sees them.
#[derive(Default)]
pub(super) struct Wire {
    pub(super) input: VecDeque<Come>,
    pub(super) writes: VecDeque<Step>,
    /// Whether the kernel takes no more.
    pub(super) is_full: bool,
    pub(super) written: Vec<u8>,
    /// Open, unless a test says otherwise.
    pub(super) state: Option<StreamState>,
}

#[derive(Clone, Default)]
pub(super) struct TestSocket(pub(super) Rc<RefCell<Wire>>);

impl Socket for TestSocket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        assert!(!buf.is_empty(), "to read into nothing looks like the end");
        uncounted(|| self.0.borrow_mut().read(buf))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        uncounted(|| self.0.borrow_mut().write(slices))
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn reset_on_close(&mut self) {}

    fn state(&self) -> StreamState {
        self.0.borrow().state.unwrap_or(StreamState::Open)
    }
}

impl Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.input.pop_front() {
            None => Err(ErrorKind::WouldBlock.into()),
            Some(Come::End) => {
                self.input.push_front(Come::End);
                Ok(0)
            }
            Some(Come::Fail(kind)) => Err(kind.into()),
            Some(Come::Opens) => {
                self.state = Some(StreamState::Encrypted);
                Err(ErrorKind::WouldBlock.into())
            }
            Some(Come::Bytes(mut bytes)) => {
                let rest = bytes.split_off(bytes.len().min(buf.len()));
                buf[..bytes.len()].copy_from_slice(&bytes);
                if !rest.is_empty() {
                    self.input.push_front(Come::Bytes(rest));
                }
                Ok(bytes.len())
            }
        }
    }

    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.is_full {
            return Err(ErrorKind::WouldBlock.into());
        }
        let most = match self.writes.pop_front() {
            Some(Step::Take(most)) => most,
            Some(Step::Fail(kind)) => return Err(kind.into()),
            None => usize::MAX,
        };
        let before = self.written.len();
        let bytes = slices.iter().flat_map(|slice| slice.iter().copied());
        self.written.extend(bytes.take(most));
        Ok(self.written.len() - before)
    }
}

impl TestSocket {
    pub(super) fn comes(&self, come: Come) {
        self.0.borrow_mut().input.push_back(come);
    }

    pub(super) fn unread(&self) -> usize {
        let len = |come: &Come| if let Come::Bytes(bytes) = come { bytes.len() } else { 0 };
        self.0.borrow().input.iter().map(len).sum()
    }

    /// Takes what has been written: the code of each notice, and the type of any other message.
    pub(super) fn take(&self) -> Vec<String> {
        let written = std::mem::take(&mut self.0.borrow_mut().written);
        let mut decoder = FrameDecoder::new();
        let mut frames = decoder.feed(&written);
        let mut messages = Vec::new();
        while let Some(payload) = frames.next_frame() {
            let message = Incoming::parse(payload).expect("every message is JSON");
            messages.push(message.code.unwrap_or(message.kind));
        }
        messages
    }
}
