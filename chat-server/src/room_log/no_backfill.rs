//! Histories in a build without a store: there is nothing but what is in memory.

use chat_core::RoomId;
use chat_proto::Framing;
use chat_proto::extended::{RequestId, Since};

use super::history::{Histories, Part};

/// A part of a history that is to be completed from a store. There is none.
#[derive(Debug)]
pub(crate) enum Backfill {}

impl Histories {
    /// Nothing can be completed.
    pub(crate) fn backfill(&self, _: RoomId, _: Since, _: usize, _: &Part<'_>) -> Option<Backfill> {
        self.store().map(|store| match *store {})
    }
}

impl Backfill {
    pub(crate) fn read(&self, _: Framing, _: Option<&RequestId>) -> Vec<u8> {
        match *self {}
    }
}
