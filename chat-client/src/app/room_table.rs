//! The list of rooms as a table for people, in columns of the width that a terminal gives them.

use chat_proto::{Lang, RoomEntry};
use unicode_width::UnicodeWidthStr as _;

use crate::app::render::{self, Form};
use crate::app::texts::Text;
use crate::terminal::line::{Line, Style};

/// A longer title pushes the rest of its row aside. (Titles have up to 100 characters.)
const MAX_TITLE_CELLS: usize = 32;

const GAP: &str = "  ";

/// The columns of a list. One that comes in several frames is one table: columns only grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    lang: Lang,
    id: usize,
    title: usize,
    count: usize,
}

impl Table {
    pub(crate) fn new(lang: Lang) -> Self {
        let head = |text: Text<'_>| text.say(lang).width();
        Self {
            lang,
            id: head(Text::RoomColumn).max(3),
            title: head(Text::TitleColumn),
            count: head(Text::CountColumn),
        }
    }

    /// Makes the columns wide enough for these rooms.
    pub(crate) fn make_room(&mut self, rooms: &[RoomEntry]) {
        for room in rooms {
            let title = Line::new(&room.title).as_str().width();
            self.id = self.id.max(room.room_id.to_string().len());
            self.title = self.title.max(title.min(MAX_TITLE_CELLS));
            self.count = self.count.max(render::member_count(room).to_string().len());
        }
    }

    pub(crate) fn head(&self) -> Line {
        let say = |text: Text<'_>| text.say(self.lang);
        let mut head = Line::default();
        head.with(Style::Bold, |line| {
            push_right(line, self.id, &say(Text::RoomColumn));
            line.push_visible(GAP);
            push_left(line, self.title, &say(Text::TitleColumn));
            line.push_visible(GAP);
            push_right(line, self.count, &say(Text::CountColumn));
            line.push_visible(GAP);
            line.push_visible(&say(Text::MembersColumn));
        });
        head
    }

    pub(crate) fn row(&self, room: &RoomEntry) -> Line {
        let indent = self.id + self.title + self.count + 3 * GAP.len();
        let mut line = Line::default().indented(indent);
        push_right(&mut line, self.id, &room.room_id.to_string());
        line.push_visible(GAP);
        push_left(&mut line, self.title, &room.title);
        line.push_visible(GAP);
        push_right(&mut line, self.count, &render::member_count(room).to_string());
        line.push_visible(GAP);
        render::push_members(&mut line, Form::Pretty, room, |count| {
            Text::AndMore { count }.say(self.lang)
        });
        line
    }
}

fn push_right(line: &mut Line, cells: usize, text: &str) {
    line.push_visible(&" ".repeat(cells.saturating_sub(text.width())));
    line.push_visible(text);
}

fn push_left(line: &mut Line, cells: usize, text: &str) {
    line.push_isolated(text);
    // As it is shown: characters may have been replaced by their numbers.
    let shown = Line::new(text).as_str().width();
    line.push_visible(&" ".repeat(cells.saturating_sub(shown)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn room(room_id: u64, title: &str, members: &[&str], member_count: usize) -> RoomEntry {
        let members = members.iter().map(|&name| name.to_owned()).collect();
        RoomEntry { room_id, title: title.into(), members, member_count }
    }

    fn table(lang: Lang, rooms: &[RoomEntry]) -> Vec<String> {
        let mut table = Table::new(lang);
        table.make_room(rooms);
        let rows = rooms.iter().map(|room| table.row(room));
        std::iter::once(table.head()).chain(rows).map(|line| line.as_str().to_owned()).collect()
    }

    #[test]
    fn wide_characters_take_two_cells() {
        let rooms = [room(1, "스터디 방", &["김철수", "bob"], 2), room(20, "tea", &["c"], 60)];
        assert_eq!(
            table(Lang::Ko, &rooms),
            [
                "번호  제목       인원  참여자",
                "   1  스터디 방     2  김철수, bob",
                "  20  tea          60  c 외 59명",
            ]
        );
        assert_eq!(table(Lang::En, &rooms)[0], " ID  TITLE      PEOPLE  NAMES");
    }

    proptest! {
        #[test]
        fn the_columns_of_all_rows_begin_in_the_same_cell(
            rooms in prop::collection::vec(("[a-z가-힣漢 ]{1,16}", 1u64.., 1usize..), 1..6),
        ) {
            let rooms: Vec<RoomEntry> =
                rooms.iter().map(|(title, id, count)| room(*id, title, &["@"], *count)).collect();
            let rows = table(Lang::En, &rooms);
            let cell = |row: &String| row.find('@').map(|at| row[..at].width());
            prop_assert!(rows[1..].iter().all(|row| cell(row) == cell(&rows[1])), "{rows:#?}");
        }
    }
}
