//! Rooms with arbitrary contents, for tests: a server need not check what it sends.

use chat_proto::{RoomEntry, RoomId, Title};

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
