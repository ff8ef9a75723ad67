//! Stand-ins for the store in a build without it: types without values.

use std::sync::Arc;

use chat_core::{Name, RoomId, Title};
use chat_proto::extended::{Event, Since};

/// A data directory. There can be none, since this crate was built without the feature `store`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataConfig {}

#[derive(Debug)]
pub(crate) enum Store {}

#[derive(Debug)]
pub(crate) enum Readers {}

#[derive(Debug)]
pub(crate) enum StoredPart {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BatchNumber {}

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

    pub(crate) fn readers(&self) -> &Arc<Readers> {
        match *self {}
    }

    pub(crate) fn stop(
        self,
        _: Option<Vec<u8>>,
        _: std::time::Duration,
    ) -> Result<(), std::convert::Infallible> {
        match self {}
    }
}

impl Readers {
    pub(crate) fn part(
        &self,
        _: RoomId,
        _: Since,
        _: usize,
        _: u64,
    ) -> Result<StoredPart, std::convert::Infallible> {
        match *self {}
    }
}
