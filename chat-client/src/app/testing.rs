//! Contexts and rooms for tests. Rooms have arbitrary contents: a server need not check what it sends.

use std::time::Instant;

use chat_proto::{RoomEntry, RoomId, Title};

use crate::app::state::Context;

/// Now, at 12:03. Times in milliseconds are shown as minutes and seconds.
pub(crate) fn context() -> Context<'static> {
    let time_of = |ms: u64| format!("{:02}:{:02}", ms / 60_000 % 60, ms / 1_000 % 60);
    Context { time: "12:03", time_of, now: Instant::now(), columns: 80, is_congested: false }
}

pub(crate) fn room<S: Into<String>>(
    room_id: u64,
    title: impl Into<String>,
    members: impl IntoIterator<Item = S>,
    member_count: usize,
) -> RoomEntry {
    let checked = Title::new("title").expect("a title");
    let mut room = RoomEntry::new(RoomId::FIRST, &checked, [], member_count).into_owned();
    room.room_id = room_id;
    room.title = title.into();
    room.members = members.into_iter().map(Into::into).collect();
    room
}
