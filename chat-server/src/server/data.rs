//! Opens the data directory, and has the hub go on from what the last server left in it.

use std::sync::Arc;

use chat_core::{EmptyRoom, HubLimits, RoomId, SessionId, Snapshot};

use super::start_error::StartError;
use crate::config::Config;
use crate::engine::Stored;
use crate::room_log::{DataConfig, LastEnd, Restored, Store, StoredRoom, StoredSnapshot};
use crate::workers::SharedHub;

/// Opens a data directory.
///
/// # Errors
/// If another process has it, or the system or the database refuses it.
pub(super) fn open(
    data: &DataConfig,
    config: &Config,
    limits: HubLimits,
    hub: &Arc<SharedHub>,
) -> Result<Stored, StartError> {
    let wake = Arc::clone(hub);
    let (store, restored) =
        Store::open(data, &config.limits, move || wake.rouse()).map_err(StartError::Data)?;
    let Restored { epoch, end, rooms, next_room, snapshot } = restored;
    match end {
        LastEnd::None | LastEnd::InOrder | LastEnd::KilledWhenSettled => {}
        LastEnd::Killed => {
            tracing::warn!("the last server was killed: what was said last may be lost");
        }
        LastEnd::Unknown => {
            tracing::warn!("nobody knows what the last server lost: a new epoch begins");
        }
    }
    let numbers: Vec<_> = rooms.iter().map(|room| (room.id, room.last_seq)).collect();
    let sessions = go_on(hub, limits, rooms, next_room, snapshot);
    tracing::info!(dir = %data.dir.display(), rooms = numbers.len(), sessions = sessions.len(), "data directory open");
    Ok(Stored { store, is_durable: data.is_durable, epoch, rooms: numbers, sessions })
}

/// Restores the hub from the snapshot or, without a good one, from the rooms alone. Returns its sessions, and whether
/// each can be resumed.
fn go_on(
    hub: &SharedHub,
    limits: HubLimits,
    rooms: Vec<StoredRoom>,
    next_room: RoomId,
    snapshot: Option<StoredSnapshot>,
) -> Vec<(SessionId, bool)> {
    if let Some(StoredSnapshot { bytes, .. }) = snapshot {
        match serde_json::from_slice(&bytes) {
            Ok(snapshot) => match hub.restore(limits, snapshot) {
                Ok(sessions) => return sessions,
                Err(error) => refuse(&error),
            },
            Err(error) => refuse(&error),
        }
    }
    let empty =
        rooms.into_iter().map(|StoredRoom { id, title, last_seq: seq, last_at, .. }| EmptyRoom {
            id,
            title,
            seq,
            empty_since: last_at,
        });
    match hub.restore(limits, Snapshot::of_rooms(empty, next_room)) {
        Ok(sessions) => sessions,
        Err(error) => {
            refuse(&error);
            Vec::new()
        }
    }
}

fn refuse(error: &dyn std::error::Error) {
    tracing::error!(%error, "cannot go on from what the last server left");
}
