//! Lists of rooms: the purpose of each request, and the display of its answer.

use std::collections::VecDeque;

use chat_proto::{Incoming, Lang, Localize, RoomEntry};

use crate::app::options::Format;
use crate::app::render;
use crate::app::room_table::RoomTable;
use crate::app::session_view::JoinedRoom;
use crate::app::status::Status;
use crate::terminal::line::Line;

/// Requests remembered, for a server that answers none.
const MAX_LISTS: usize = 1_000;

/// The result of a frame of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ListStep {
    Show(Vec<Line>),
    /// The room to return to still exists.
    Found(JoinedRoom),
}

/// The requested lists that are not complete, in order; the first may have begun. The server answers each request with
/// one list, in one or several frames. Frames are not stored.
#[derive(Debug, Default)]
pub(crate) struct RoomLists {
    format: Format,
    lang: Lang,
    lists: VecDeque<List>,
}

/// The rooms of a list that are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Filter {
    #[default]
    All,
    /// Those whose titles contain this, ignoring case.
    Title(String),
    /// The room with this number.
    Room(u64),
}

#[derive(Debug)]
enum List {
    Shown {
        filter: Filter,
        /// The columns, once rows have been shown.
        table: Option<RoomTable>,
    },
    Searched {
        /// The room to return to, until it is found.
        room: Option<JoinedRoom>,
        /// Another room with the same title.
        namesake: Option<u64>,
    },
}

impl RoomLists {
    pub(crate) fn new(format: Format, lang: Lang) -> Self {
        Self { format, lang, ..Self::default() }
    }

    /// Records that a list was requested, to show the rooms that `filter` selects.
    pub(crate) fn show(&mut self, filter: Filter) {
        // Beyond this many, lists are shown as if nobody had requested them: unfiltered.
        if self.lists.len() < MAX_LISTS {
            self.lists.push_back(List::Shown { filter, table: None });
        }
    }

    /// Records that a list was requested to find out whether `room` is still there.
    pub(crate) fn look_for(&mut self, room: JoinedRoom) {
        self.lists.push_back(List::Searched { room: Some(room), namesake: None });
    }

    /// Forgets all requests. Returns the room that was being looked for and has not been found.
    pub(crate) fn forget(&mut self) -> Option<JoinedRoom> {
        self.lists.drain(..).find_map(|list| match list {
            List::Searched { room, .. } => room,
            List::Shown { .. } => None,
        })
    }

    /// Handles a frame of a list, to be shown on a terminal with this many columns.
    pub(crate) fn take(&mut self, message: &Incoming, columns: usize) -> ListStep {
        let unrequested = List::Shown { filter: Filter::All, table: None };
        let mut list = self.lists.pop_front().unwrap_or(unrequested);
        let step = match &mut list {
            List::Shown { filter, table } => self.rows(filter, table, message, columns),
            List::Searched { room, namesake } => self.search(room, namesake, message),
        };
        if message.more {
            self.lists.push_front(list);
        }
        step
    }

    fn rows(
        &self,
        filter: &Filter,
        table: &mut Option<RoomTable>,
        message: &Incoming,
        columns: usize,
    ) -> ListStep {
        let word = match filter {
            Filter::Title(word) => word.to_lowercase(),
            Filter::All | Filter::Room(_) => String::new(),
        };
        let matches = |room: &&RoomEntry| match filter {
            Filter::Room(id) => room.room_id == *id,
            Filter::All | Filter::Title(_) => room.title.to_lowercase().contains(&word),
        };
        let rooms: Vec<&RoomEntry> = message.rooms.iter().filter(matches).collect();
        let begins = table.is_none();
        if rooms.is_empty() {
            let ends_empty = begins && !message.more;
            let status = match filter {
                Filter::Title(word) => Status::NoRoomFound { word },
                Filter::All | Filter::Room(_) => Status::NoRooms,
            };
            return ListStep::Show(ends_empty.then(|| self.say(status)).into_iter().collect());
        }
        let table = table.get_or_insert_with(|| RoomTable::new(self.lang, columns));
        if self.format == Format::Plain {
            return ListStep::Show(rooms.into_iter().map(render::room).collect());
        }
        table.fit(&rooms);
        let head = begins.then(|| table.head());
        ListStep::Show(head.into_iter().chain(rooms.iter().map(|room| table.row(room))).collect())
    }

    /// Looks for the room. Its title must match as well, since a restarted server numbers rooms from 1 again.
    fn search(
        &self,
        wanted: &mut Option<JoinedRoom>,
        namesake: &mut Option<u64>,
        message: &Incoming,
    ) -> ListStep {
        let Some(room) = wanted.take() else { return ListStep::Show(Vec::new()) };
        let title = room.title.as_deref().unwrap_or_default();
        let mut namesakes = message.rooms.iter().filter(|entry| entry.title == title);
        if namesakes.clone().any(|entry| entry.room_id == room.id) {
            return ListStep::Found(room);
        }
        *namesake = namesake.or(namesakes.next().map(|entry| entry.room_id));
        if message.more {
            *wanted = Some(room);
            return ListStep::Show(Vec::new());
        }
        ListStep::Show(vec![self.say(match *namesake {
            Some(by) => Status::RoomReplaced { room: room.id, title, by },
            None => Status::RoomGone { room: room.id, title },
        })])
    }

    fn say(&self, status: Status<'_>) -> Line {
        render::client(&status.localized(self.lang).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing;

    /// A frame of a list, with rooms numbered from `first`.
    fn frame(first: u64, titles: &[&str], more: bool) -> Incoming {
        let room = |(id, title): (u64, &&str)| testing::room(id, *title, ["alice"], 1);
        let mut message = Incoming::default();
        message.kind = "SCRoomsResult".to_owned();
        message.rooms = (first..).zip(titles).map(room).collect();
        message.more = more;
        message
    }

    fn take(lists: &mut RoomLists, first: u64, titles: &[&str], more: bool) -> Vec<String> {
        match lists.take(&frame(first, titles, more), 80) {
            ListStep::Show(lines) => lines.iter().map(|line| line.as_str().to_owned()).collect(),
            ListStep::Found(room) => panic!("{room:?} is not looked for"),
        }
    }

    #[test]
    fn a_list_over_several_frames_is_one_list() {
        let mut lists = RoomLists::new(Format::Plain, Lang::En);
        let mut lines = take(&mut lists, 1, &["tea", "tea"], true);
        lines.extend(take(&mut lists, 30, &["tea"], true));
        lines.extend(take(&mut lists, 0, &[], false));
        assert_eq!(lines, ["  1  tea (1): alice", "  2  tea (1): alice", " 30  tea (1): alice"]);

        let mut lists = RoomLists::new(Format::Pretty, Lang::En);
        let mut lines = take(&mut lists, 0, &[], true);
        lines.extend(take(&mut lists, 1, &["tea"], true));
        lines.extend(take(&mut lists, 30, &["tea"], false));
        lines.extend(take(&mut lists, 2, &["tea"], false));
        let head = "ID   TITLE  PEOPLE  NAMES";
        let row = |id| format!("{id:<3}  tea         1  alice");
        assert_eq!(lines, [head.to_owned(), row(1), row(30), head.to_owned(), row(2)]);
    }

    #[test]
    fn an_empty_list_says_what_to_do() {
        let none = ["- no rooms yet; /create TITLE makes the first one"];
        for format in [Format::Plain, Format::Pretty] {
            let mut lists = RoomLists::new(format, Lang::En);
            assert_eq!(take(&mut lists, 0, &[], false), none);
            assert_eq!(take(&mut lists, 0, &[], true), [""; 0]);
            assert_eq!(take(&mut lists, 0, &[], false), none);
        }
    }

    #[test]
    fn a_filter_selects_titles_whatever_their_case_in_its_own_list_only() {
        let mut lists = RoomLists::new(Format::Plain, Lang::En);
        let title = |word: &str| Filter::Title(word.to_owned());
        for filter in [title("TEA"), Filter::All, title("none such")] {
            lists.show(filter);
        }
        let mut lines = take(&mut lists, 1, &["coffee", "Green tea"], true);
        lines.extend(take(&mut lists, 3, &["Teams", "스터디"], false));
        assert_eq!(lines, ["  2  Green tea (1): alice", "  3  Teams (1): alice"]);
        assert_eq!(take(&mut lists, 1, &["coffee", "tea"], false).len(), 2);
        assert_eq!(
            take(&mut lists, 1, &["coffee"], false),
            ["- no room has \"none such\" in its title. /rooms lists them all."]
        );
    }

    #[test]
    fn a_list_can_be_of_one_room() {
        let mut lists = RoomLists::new(Format::Plain, Lang::En);
        lists.show(Filter::Room(2));
        assert_eq!(take(&mut lists, 1, &["tea", "tea"], true), ["  2  tea (1): alice"]);
        assert_eq!(take(&mut lists, 3, &["tea"], false), [""; 0]);
    }

    #[test]
    fn v6_requests_that_are_never_answered_are_not_all_remembered() {
        let mut lists = RoomLists::new(Format::Plain, Lang::En);
        (0..3 * MAX_LISTS).for_each(|_| lists.show(Filter::All));
        assert_eq!(lists.lists.len(), MAX_LISTS);
        assert!((0..=MAX_LISTS).all(|_| take(&mut lists, 1, &["tea"], false).len() == 1));
    }

    #[test]
    fn a_room_that_is_gone_comes_with_the_command_for_one_like_it() {
        let room = || JoinedRoom { id: 3, title: Some("차 tea".into()), seq: 7 };
        let mut lists = RoomLists::new(Format::Pretty, Lang::En);
        lists.look_for(room());
        let gone = ["- room 3 is gone. To create it again: /create 차 tea"];
        assert_eq!(take(&mut lists, 1, &["a", "b", "c"], false), gone);
        lists.look_for(room());
        assert_eq!(take(&mut lists, 7, &["차 tea", "차 tea"], true), [""; 0]);
        let replaced = ["- room 3 is gone, but there is another \"차 tea\". To enter it: /join 7"];
        assert_eq!(take(&mut lists, 0, &[], false), replaced);
    }

    #[test]
    fn the_rest_of_a_list_is_not_shown_once_the_room_is_found() {
        let room = JoinedRoom { id: 3, title: Some("tea".into()), seq: 7 };
        let mut lists = RoomLists::new(Format::Pretty, Lang::En);
        lists.look_for(room.clone());
        assert_eq!(lists.take(&frame(3, &["tea"], true), 80), ListStep::Found(room));
        assert_eq!(take(&mut lists, 4, &["tea"], false), [""; 0]);
        assert_eq!(take(&mut lists, 3, &["tea"], false).len(), 2);
    }
}
