//! Tests of what tools do with a history.

use std::fs;

use super::super::tests::{DEADLINE, Dir, Opened, chat, open, sql, title};
use super::super::{Archive, Damage, Erase, StoreFault};
use super::*;

const ROOM: RoomId = RoomId::FIRST;
const OPERATIONS: &str = include_str!("../../../../../../docs/OPERATIONS.md");

fn lines(dir: &Path, room: RoomId, range: RangeInclusive<u64>) -> Vec<String> {
    let mut lines = Vec::new();
    let archive = Archive::open(dir).expect("it opens");
    let write = |line: &str| {
        lines.push(line.to_owned());
        Ok(())
    };
    archive.export(room, range, write).expect("it reads").expect("it writes");
    lines
}

/// A history of two rooms, one of them closed, in which three people have spoken.
fn history(dir: &Path) -> Opened {
    let (mut opened, _) = open(dir);
    opened.store.room_created(ROOM, &title("tea"), 500);
    opened.store.room_created(ROOM.next(), &title("closed"), 600);
    for seq in 1..=2_500 {
        for room in [ROOM, ROOM.next()] {
            let name = ["ann", "bob", "eve"][seq as usize % 3];
            let name = chat_core::Name::new(name).expect("valid");
            let payload = String::from_utf8(chat(room, seq, &format!("{name}-says-{seq}")));
            let payload = payload.expect("UTF-8").replace("\"ann\"", &format!("\"{name}\""));
            opened.store.event(room, seq, 1_000 + seq, Some(&name), payload.as_bytes());
        }
    }
    let told = |code: &str, rest: &str, seq: u64| {
        format!(
            r#"{{"type":"SCSystemMessage","text":"?","code":"{code}",{rest},"roomId":1,"seq":{seq}}}"#
        )
    };
    let notices = [
        told("member-entered", r#""member":"eve""#, 2_501),
        told("renamed", r#""from":"eve","to":"adam""#, 2_502),
        told("member-left", r#""member":"bob""#, 2_503),
    ];
    for (seq, payload) in (2_501..).zip(&notices) {
        opened.store.event(ROOM, seq, 1_000 + seq, None, payload.as_bytes());
    }
    opened.store.room_closed(ROOM.next(), 9_000);
    opened.commit();
    opened
}

#[test]
fn a_room_is_exported_line_by_line_beside_a_server() {
    let dir = Dir::new("export");
    let opened = history(&dir);
    let all = lines(&dir, ROOM, 0..=u64::MAX);
    assert_eq!(all.len(), 2_503);
    assert_eq!(all[0], r#"{"seq":1,"at":1001,"kind":"chat","member":"bob","text":"bob-says-1"}"#);
    assert_eq!(
        all[2_500],
        r#"{"seq":2501,"at":3501,"kind":"member-entered","member":null,"text":"?"}"#
    );
    assert_eq!(lines(&dir, ROOM.next(), 999..=1_001).len(), 3);
    let none = Archive::open(&dir).expect("it opens").export(
        RoomId::new(9).expect("above 0"),
        0..=9,
        |_| Ok(()),
    );
    assert!(matches!(none.expect_err("no such room").fault(), StoreFault::NoSuchRoom));
    assert_eq!(Archive::open(&dir).expect("it opens").check().expect("it reads"), []);
    drop(opened);
}

/// The bytes in all files of a directory that say this.
fn occurrences(dir: &Path, words: &str) -> usize {
    let files = fs::read_dir(dir).expect("a directory").map(|file| file.expect("a file").path());
    let contents = files.map(|file| fs::read(file).expect("it is read"));
    let count = |bytes: Vec<u8>| {
        bytes.windows(words.len()).filter(|window| *window == words.as_bytes()).count()
    };
    contents.map(count).sum()
}

#[test]
fn what_is_erased_is_in_no_file_any_more() {
    let dir = Dir::new("erase");
    history(&dir).store.stop(Some(b"eve-says-0".to_vec()), DEADLINE).expect("it stops");
    assert!(occurrences(&dir, "eve-says") > 1_600 && occurrences(&dir, "closed") > 0);
    let erased = Archive::erase(&dir, &Erase::Member("eve".to_owned())).expect("it is erased");
    assert_eq!(erased, 2 * 833 + 2);
    assert_eq!((occurrences(&dir, "eve-says"), occurrences(&dir, "eve\"")), (0, 0));
    assert_eq!(lines(&dir, ROOM, 2..=2), [""; 0]);
    assert_eq!(lines(&dir, ROOM, 2_500..=2_600).len(), 2, "those of others stay");
    let erased = Archive::erase(&dir, &Erase::Room(ROOM.next())).expect("it is erased");
    assert_eq!(erased, 2_500 - 833);
    assert_eq!(occurrences(&dir, "closed"), 1, "the column of that name");
    let again = Archive::erase(&dir, &Erase::Room(ROOM.next()));
    assert!(matches!(again.expect_err("it is gone").fault(), StoreFault::NoSuchRoom));
    assert_eq!(Archive::open(&dir).expect("it opens").check().expect("it reads"), []);

    let erased = Archive::erase(&dir, &Erase::Room(ROOM)).expect("it is erased");
    assert_eq!(erased, 2_503 - 833 - 2);
    let (_, restored) = open(&dir);
    assert_eq!(restored.rooms.len(), 1, "the room is open");
    assert_eq!(restored.rooms[0].last_seq, 2_503, "its numbers go on");
}

#[test]
fn damage_is_found_and_named() {
    let dir = Dir::new("damage");
    history(&dir).store.stop(None, DEADLINE).expect("it stops");
    sql(&dir)
        .execute_batch(
            "DELETE FROM rooms WHERE id = 2; UPDATE rooms SET last_seq = 7, title = '';
             UPDATE events SET payload = '{' WHERE room = 1 AND seq = 5;
             UPDATE events SET payload = replace(payload, '\"seq\":6', '\"seq\":7')
             WHERE room = 1 AND seq = 6;
             DELETE FROM meta WHERE key = 'epoch'",
        )
        .expect("it is damaged");
    let damages = Archive::open(&dir).expect("it opens").check().expect("it reads");
    let expected = [
        Damage::NoMeta("epoch"),
        Damage::BadTitle(1),
        Damage::BeyondLast(1),
        Damage::NoRoom(2),
        Damage::BadPayload(1, 5),
        Damage::BadPayload(1, 6),
    ];
    assert_eq!(damages, expected);
    let path = dir.join(FILE);
    let mut bytes = fs::read(&path).expect("it is read");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_192].fill(0x55);
    fs::write(&path, bytes).expect("it is written");
    let damages = Archive::open(&dir).expect("it opens").check();
    let is_found = |damages: Vec<Damage>| damages.iter().any(|one| matches!(one, Damage::File(_)));
    assert!(damages.map_or(true, is_found), "one way or the other");
}

#[test]
fn the_queries_of_the_document_have_answers() {
    let dir = Dir::new("queries");
    history(&dir).store.stop(None, DEADLINE).expect("it stops");
    let (_, section) = OPERATIONS.split_once("\n### Querying it\n").expect("there is one");
    let queries: Vec<_> = section.split("```sql\n").skip(1).collect();
    assert!(queries.len() >= 3, "{} queries", queries.len());
    let connection = sql(&dir);
    for query in queries {
        let (query, _) = query.split_once("```").expect("it ends");
        let mut statement = connection.prepare(query.trim()).expect(query);
        let mut rows = statement.query(()).expect(query);
        assert!(rows.next().expect(query).is_some(), "no row: {query}");
    }
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let mut tables = connection.prepare(tables).expect("a query");
    let tables = tables.query_map((), |row| row.get::<_, String>(0)).expect("tables");
    for table in tables.map(|table| table.expect("a name")) {
        let mut columns =
            connection.prepare("SELECT name FROM pragma_table_info(?1)").expect("a query");
        let columns = columns.query_map([&table], |row| row.get::<_, String>(0)).expect("columns");
        let columns: Vec<_> =
            columns.map(|column| format!("`{}`", column.expect("a name"))).collect();
        let row = section.lines().find(|line| line.starts_with(&format!("| `{table}` |")));
        let row = row.unwrap_or_else(|| panic!("no row for {table}"));
        for column in columns {
            assert!(row.contains(&column), "{column} of {table}");
        }
    }
}
