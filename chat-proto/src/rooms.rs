//! Lists of rooms, which may take several frames.

use serde::{Deserialize, Serialize};

use crate::frame::MAX_PAYLOAD;
use crate::framing::Framing;
use crate::values::{Name, RoomId, Title};

/// The most member names listed per room. With a title of 100 characters and 50 names of 32 characters,
/// a room takes at most 7 KiB of JSON: every room fits a frame.
pub const MAX_LISTED_MEMBERS: usize = 50;

/// A room in a list.
///
/// Servers build it from checked values with [`RoomEntry::new`]. The values that a client reads are not checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RoomEntry<S = String> {
    /// The number of the room.
    pub room_id: u64,
    /// The title of the room.
    pub title: S,
    /// The names of the first [`MAX_LISTED_MEMBERS`] members, in order of arrival.
    pub members: Vec<S>,
    /// The number of members, listed or not. 0 if the server does not send it.
    #[serde(default)]
    pub member_count: usize,
}

impl<'a> RoomEntry<&'a str> {
    /// Returns the entry of a room with `member_count` members. Lists the first [`MAX_LISTED_MEMBERS`] of
    /// `members`.
    pub fn new(
        room: RoomId,
        title: &'a Title,
        members: impl IntoIterator<Item = &'a Name>,
        member_count: usize,
    ) -> Self {
        let members = members.into_iter().take(MAX_LISTED_MEMBERS).map(Name::as_str).collect();
        Self { room_id: room.number(), title: title.as_str(), members, member_count }
    }

    /// Copies the texts.
    pub fn into_owned(self) -> RoomEntry {
        let Self { room_id, title, members, member_count } = self;
        let members = members.into_iter().map(str::to_owned).collect();
        RoomEntry { room_id, title: title.to_owned(), members, member_count }
    }
}

/// Appends one `SCRoomsResult` to `out`, framed by `framing`, with as many of `rooms` as fit. If there are more, the
/// frame says `"more": true`, and the next page begins after the room returned. An empty list takes one frame, too.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::ops::Bound::{Excluded, Unbounded};
///
/// use chat_proto::{Framing, RoomEntry, RoomId, Title, write_rooms_page};
///
/// fn write_rooms(rooms: &BTreeMap<RoomId, Title>, out: &mut Vec<u8>) {
///     let mut from = Unbounded;
///     loop {
///         let rest = rooms.range((from, Unbounded));
///         let entries = rest.map(|(room, title)| RoomEntry::new(*room, title, [], 0));
///         let Some(last) = write_rooms_page(Framing::Length, entries, out) else { return };
///         from = Excluded(last);
///     }
/// }
///
/// let mut out = Vec::new();
/// write_rooms(&BTreeMap::new(), &mut out);
/// assert_eq!(out[2..], *br#"{"type":"SCRoomsResult","rooms":[]}"#);
/// ```
pub fn write_rooms_page<'a>(
    framing: Framing,
    rooms: impl IntoIterator<Item = RoomEntry<&'a str>>,
    out: &mut Vec<u8>,
) -> Option<RoomId> {
    write_page(framing, "", rooms, out)
}

/// As [`write_rooms_page`], with a last field, which has a comma in front.
pub(crate) fn write_page<'a>(
    framing: Framing,
    last_field: &str,
    rooms: impl IntoIterator<Item = RoomEntry<&'a str>>,
    out: &mut Vec<u8>,
) -> Option<RoomId> {
    const HEAD: &[u8] = br#"{"type":"SCRoomsResult","rooms":["#;
    const TAIL_MORE: &[u8] = br#"],"more":true"#;

    let (mut written, mut is_last) = (None, true);
    let fits = framing.write(out, |out| {
        let end = out.len() + MAX_PAYLOAD - TAIL_MORE.len() - last_field.len() - 1;
        out.extend_from_slice(HEAD);
        for room in rooms {
            let before = out.len();
            if written.is_some() {
                out.push(b',');
            }
            serde_json::to_writer(&mut *out, &room).expect("strings and integers always serialize");
            if out.len() > end {
                out.truncate(before);
                is_last = false;
                break;
            }
            written = RoomId::new(room.room_id).ok();
        }
        out.extend_from_slice(if is_last { b"]" } else { TAIL_MORE });
        out.extend_from_slice(last_field.as_bytes());
        out.push(b'}');
    });
    debug_assert!(fits.is_ok(), "there is room for the tail");
    debug_assert!(written.is_some() || is_last, "every room fits a frame");
    written.filter(|_| !is_last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FrameDecoder, Framing, Incoming};

    fn room(number: u64, title: &str, members: usize) -> RoomEntry {
        let title = Title::new(title).expect("a title");
        let names: Vec<_> = (1..=members as u64).map(Name::default_for).collect();
        let room = RoomId::new(number).expect("above 0");
        RoomEntry::new(room, &title, &names, members).into_owned()
    }

    /// All pages of a list, as a client reads them.
    fn pages(rooms: &[RoomEntry]) -> Vec<Incoming> {
        let mut out = Vec::new();
        let rooms_after = |after: u64| {
            rooms.iter().filter(move |room| room.room_id > after).map(|room| RoomEntry {
                room_id: room.room_id,
                title: room.title.as_str(),
                members: room.members.iter().map(String::as_str).collect(),
                member_count: room.member_count,
            })
        };
        let mut after = write_rooms_page(Framing::Length, rooms_after(0), &mut out);
        while let Some(room) = after {
            after = write_rooms_page(Framing::Length, rooms_after(room.number()), &mut out);
        }
        let mut decoder = FrameDecoder::new();
        let mut frames = decoder.feed(&out);
        let mut pages = Vec::new();
        while let Some(payload) = frames.next_frame() {
            pages.push(Incoming::parse(payload).expect("each frame is complete JSON"));
        }
        pages
    }

    #[test]
    fn no_rooms_are_one_frame() {
        let pages = pages(&[]);
        assert_eq!(pages.len(), 1);
        assert_eq!((pages[0].rooms.len(), pages[0].more), (0, false));
    }

    #[test]
    fn three_thousand_rooms_come_complete_over_several_frames() {
        let rooms: Vec<_> = (1..=3_000).map(|n| room(n, "방 제목 title", 3)).collect();
        let pages = pages(&rooms);
        assert!(pages.len() > 1);
        let (last, first) = pages.split_last().expect("there are several");
        assert!(first.iter().all(|page| page.more) && !last.more);
        let listed: Vec<_> = pages.into_iter().flat_map(|page| page.rooms).collect();
        assert_eq!(listed, rooms);
    }

    #[test]
    fn at_most_50_names_are_listed_and_all_members_counted() {
        let entry = room(1, "crowd", 51);
        assert_eq!((entry.members.len(), entry.member_count), (MAX_LISTED_MEMBERS, 51));
        assert_eq!(entry.members[0], "user1");
    }

    #[test]
    fn the_largest_room_fits_a_frame_many_times() {
        let title = Title::new(&"\"".repeat(100)).expect("a title");
        let name = Name::new(&"😀".repeat(32)).expect("a name");
        let id = RoomId::new(u64::MAX).expect("above 0");
        let entry = RoomEntry::new(id, &title, std::iter::repeat_n(&name, 50), usize::MAX);
        let json = serde_json::to_string(&entry).expect("a room is JSON");
        assert!(json.len() < 7 * 1024, "{}", json.len());
    }
}
