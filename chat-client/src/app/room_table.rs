//! A list of rooms as a table for people, with columns of the width that the terminal shows.

use chat_proto::{Lang, PerLang, RoomEntry};
use unicode_width::UnicodeWidthStr as _;

use crate::app::render;
use crate::terminal::line::{Line, Style};
use crate::terminal::visible::Visible;

/// Spaces between two columns.
const GAP: usize = 2;

const ID: PerLang<&str> = PerLang { en: "ID", ko: "번호" };
const TITLE: PerLang<&str> = PerLang { en: "TITLE", ko: "제목" };
const PEOPLE: PerLang<&str> = PerLang { en: "PEOPLE", ko: "인원" };
const NAMES: PerLang<&str> = PerLang { en: "NAMES", ko: "참여자" };

/// The columns of a list. If it comes in several frames, columns only grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoomTable {
    lang: Lang,
    /// Widths of the columns, in cells.
    id: usize,
    title: usize,
    people: usize,
    /// The width at which titles are cut.
    max_title: usize,
}

impl RoomTable {
    /// Returns columns for a terminal of that width, two fifths of which titles may take.
    pub(crate) fn new(lang: Lang, width: usize) -> Self {
        Self {
            max_title: width * 2 / 5,
            lang,
            id: ID.get(lang).width().max(3),
            title: TITLE.get(lang).width(),
            people: PEOPLE.get(lang).width(),
        }
    }

    /// Widens the columns to fit these rooms.
    pub(crate) fn fit(&mut self, rooms: &[&RoomEntry]) {
        for room in rooms {
            self.id = self.id.max(room.room_id.to_string().len());
            self.title = self.title.max(self.title_of(room).as_str().width());
            self.people = self.people.max(render::member_count(room).to_string().len());
        }
    }

    pub(crate) fn head(&self) -> Line {
        let [id, title, people] = [ID, TITLE, PEOPLE].map(|head| head.get(self.lang));
        let mut head = Line::default();
        head.with(Style::Bold, |line| {
            self.push_columns(line, id, &Visible::text(title), people);
            line.push_mark(NAMES.get(self.lang));
        });
        head
    }

    pub(crate) fn row(&self, room: &RoomEntry) -> Line {
        let mut line = Line::default().indented(self.id + self.title + self.people + 3 * GAP);
        let people = render::member_count(room).to_string();
        self.push_columns(&mut line, &room.room_id.to_string(), &self.title_of(room), &people);
        render::push_members(&mut line, room, |more| render::and_more(more, self.lang));
        line
    }

    /// Only the number stands at the margin, never text from a member.
    fn push_columns(&self, line: &mut Line, id: &str, title: &Visible, people: &str) {
        let padding = |cells: usize, text: &str| cells.saturating_sub(text.width());
        line.push_text(id);
        line.push_spaces(padding(self.id, id) + GAP);
        line.push(title);
        line.push_spaces(padding(self.title, title.as_str()) + GAP + padding(self.people, people));
        line.push_text(people);
        line.push_spaces(GAP);
    }

    fn title_of(&self, room: &RoomEntry) -> Visible {
        Visible::name(&room.title).shortened(self.max_title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing;
    use proptest::prelude::*;

    fn room(room_id: u64, title: &str, members: &[&str], member_count: usize) -> RoomEntry {
        testing::room(room_id, title, members.iter().copied(), member_count)
    }

    fn table(lang: Lang, width: usize, rooms: &[RoomEntry]) -> Vec<String> {
        let mut table = RoomTable::new(lang, width);
        table.fit(&rooms.iter().collect::<Vec<_>>());
        let rows = rooms.iter().map(|room| table.row(room));
        std::iter::once(table.head()).chain(rows).map(|line| line.as_str().to_owned()).collect()
    }

    #[test]
    fn wide_characters_take_two_cells() {
        let rooms = [room(1, "스터디 방", &["김철수", "bob"], 2), room(20, "tea", &["c"], 60)];
        assert_eq!(
            table(Lang::Ko, 80, &rooms),
            [
                "번호  제목       인원  참여자",
                "1     스터디 방     2  김철수, bob",
                "20    tea          60  c 외 59명",
            ]
        );
        assert_eq!(table(Lang::En, 80, &rooms)[0], "ID   TITLE      PEOPLE  NAMES");
    }

    #[test]
    fn a_long_title_is_cut_to_its_column() {
        let rooms = [room(1, &"한".repeat(100), &["@"], 1), room(2, &"x".repeat(100), &["@"], 1)];
        let rows = table(Lang::En, 80, &rooms);
        assert_eq!(rows[1], format!("1    {}…        1  \"@\"", "한".repeat(15)));
        assert_eq!(rows[2], format!("2    {}…       1  \"@\"", "x".repeat(31)));
        assert_eq!(
            table(Lang::En, 30, &rooms)[1..],
            ["1    한한한한한…        1  \"@\"", "2    xxxxxxxxxxx…       1  \"@\""]
        );
    }

    proptest! {
        #[test]
        fn the_columns_of_all_rows_begin_in_the_same_cell(
            rooms in prop::collection::vec(("[a-z가-힣漢 ]{1,100}", 1u64.., 1usize..), 1..6),
        ) {
            let rooms: Vec<RoomEntry> =
                rooms.iter().map(|(title, id, count)| room(*id, title, &["@"], *count)).collect();
            let rows = table(Lang::En, 80, &rooms);
            let cell = |row: &String| row.find('@').map(|at| row[..at].width());
            prop_assert!(rows[1..].iter().all(|row| cell(row) == cell(&rows[1])), "{rows:#?}");
        }
    }
}
