//! Stand-ins for the store in a build without it: types without values.

use std::convert::Infallible;
use std::time::Duration;

use chat_core::{Name, RoomId, Title};

/// A data directory. There can be none, since this crate was built without the feature `store`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataConfig {}

#[derive(Debug)]
pub(crate) enum Store {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BatchNumber(u64);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    pub(crate) committed: BatchNumber,
    pub(crate) is_failing: bool,
    pub(crate) written: u64,
    pub(crate) lost: u64,
    pub(crate) size: u64,
    pub(crate) deletions: [u64; 2],
}

impl Store {
    pub(crate) fn room_created(&mut self, _: RoomId, _: &Title, _: u64) {
        match *self {}
    }

    pub(crate) fn room_closed(&mut self, _: RoomId, _: u64) {
        match *self {}
    }

    pub(crate) fn event(&mut self, _: RoomId, _: u64, _: u64, _: Option<&Name>, _: &[u8]) {
        match *self {}
    }

    pub(crate) fn hand_over(&mut self) -> Option<BatchNumber> {
        match *self {}
    }

    pub(crate) fn progress(&self) -> Progress {
        match *self {}
    }

    pub(crate) fn fault(&self) -> Option<String> {
        match *self {}
    }

    pub(crate) fn memory(&self) -> usize {
        match *self {}
    }

    pub(crate) fn stop(self, _: Option<Vec<u8>>, _: Duration) -> Result<(), Infallible> {
        match self {}
    }
}
