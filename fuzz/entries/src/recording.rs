//! Recordings that are damaged or forged: reading one never fails in any other way than by an error.

use chat_core::{Hub, HubLimits, Input, Snapshot};
use chat_server::{Replay, replay};
use serde_json::Value;

/// The input is a recording, as `chat-server replay` reads it.
///
/// - It is replayed, or refused.
/// - A hub that can be restored keeps its invariants, whatever inputs follow, and no input makes it panic.
/// - At the end, a hub restored from its snapshot has the same hash.
///
/// # Panics
/// If a property is violated.
pub fn recording(data: &[u8]) {
    if let Ok(Replay { panics, .. }) = replay(data) {
        assert!(panics.is_empty(), "inputs {panics:?} made the hub panic");
    }
    let mut lines = data.split(|byte| *byte == b'\n');
    let Some((limits, mut hub)) = lines.next().and_then(begin) else { return };
    hub.check_invariants();
    let mut outputs = Vec::new();
    for (now, input) in lines.filter_map(input) {
        hub.apply(now, input, &mut outputs);
        hub.check_invariants();
        outputs.clear();
    }
    let again = Hub::restore(limits, hub.snapshot()).expect("a hub's own snapshot is right");
    assert_eq!(again.hash(), hub.hash());
}

fn begin(line: &[u8]) -> Option<(HubLimits, Hub)> {
    let mut header: Value = serde_json::from_slice(line).ok()?;
    let limits = serde_json::from_value(header.get_mut("limits")?.take()).ok()?;
    let snapshot: Snapshot = serde_json::from_value(header.get_mut("snapshot")?.take()).ok()?;
    Some((limits, Hub::restore(limits, snapshot).ok()?))
}

fn input(line: &[u8]) -> Option<(u64, Input)> {
    let mut line: Value = serde_json::from_slice(line).ok()?;
    let now = line.get("now")?.as_u64()?;
    Some((now, serde_json::from_value(line.get_mut("input")?.take()).ok()?))
}
