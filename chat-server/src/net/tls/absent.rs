//! Stand-ins for TLS in a build without it: types without values.

use std::io::{self, IoSlice};

use super::super::socket::{Socket, StreamState};

/// A certificate and its key. There can be none, since this crate was built without the feature `tls`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsConfig {}

#[derive(Debug)]
pub(crate) enum Acceptor {}

#[derive(Debug)]
pub(crate) enum TlsSession {}

impl Acceptor {
    pub(crate) fn new(tls: &TlsConfig) -> Self {
        match *tls {}
    }

    pub(crate) fn requires_tls(&self) -> bool {
        match *self {}
    }

    pub(crate) fn replace(&self, _: &TlsConfig) {
        match *self {}
    }

    pub(crate) fn begin(&self, _: &[u8]) -> io::Result<TlsSession> {
        match *self {}
    }
}

/// The states that only encrypted streams have.
const _: [StreamState; 2] = [StreamState::Encrypted, StreamState::Partial];

impl TlsSession {
    pub(crate) fn state(&self) -> StreamState {
        match *self {}
    }

    pub(crate) fn withheld(&self) -> usize {
        match *self {}
    }

    pub(crate) fn work(&self) -> u32 {
        match *self {}
    }

    pub(crate) fn memory(&self) -> usize {
        match *self {}
    }

    pub(crate) fn read(&mut self, _: &mut impl Socket, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    pub(crate) fn write(&mut self, _: &mut impl Socket, _: &[IoSlice<'_>]) -> io::Result<usize> {
        match *self {}
    }

    pub(crate) fn shutdown(&mut self, _: &mut impl Socket) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn abandon(&mut self) {
        match *self {}
    }

    pub(crate) fn close(&mut self, _: &mut impl Socket) {
        match *self {}
    }
}
