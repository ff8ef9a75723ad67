//! Lists of rooms: complete, however long they are and however slowly they are read.

use crate::support::{Client, RunningServer, descriptors, in_own_process, start, stream_of};
use chat_proto::{Incoming, RoomEntry};

/// 3,000 rooms, or as many as this process has descriptors for, at two per connection.
fn room_count() -> usize {
    3_000.min(descriptors().saturating_sub(300) / 2)
}

/// `count` clients, each in a room of its own. Titles are distinct and as long as allowed.
fn make_rooms(server: &RunningServer, count: usize) -> Vec<Client> {
    let mut makers: Vec<_> = (0..count).map(|_| Client::connect(server.address())).collect();
    for (maker, number) in makers.iter_mut().zip(1..) {
        maker.create(&title(number));
    }
    for maker in &mut makers {
        maker.expect_code("room-created");
    }
    makers
}

fn title(number: usize) -> String {
    format!("{number:>5}") + &"글".repeat(95)
}

/// Checks a whole list, no matter which client created which room.
fn check_list(rooms: &[RoomEntry], count: usize) {
    assert_eq!(rooms.len(), count);
    let ids: Vec<_> = rooms.iter().map(|room| room.room_id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "ordered by number, each once");
    let mut titles: Vec<_> = rooms.iter().map(|room| room.title.clone()).collect();
    titles.sort();
    assert!(titles.into_iter().eq((1..=count).map(title)), "each title is there");
    assert!(rooms.iter().all(|room| room.members.len() == 1 && room.member_count == 1));
}

#[test]
fn s7_three_thousand_rooms_are_listed_over_several_frames() {
    in_own_process(|| {
        let server = start();
        let mut makers = make_rooms(&server, room_count());
        let mut client = Client::connect(server.address());
        client.ask_for_rooms();
        let mut pages = Vec::new();
        loop {
            let payload = client.next_payload().expect("a page");
            let page = Incoming::parse(&payload).expect("each page is complete JSON");
            assert_eq!(page.kind, "SCRoomsResult");
            let text = String::from_utf8(payload).expect("JSON is UTF-8");
            assert_eq!(text.contains(r#""more":true"#), page.more);
            assert!(page.more || !text.contains("\"more\""), "the last page says nothing of more");
            let more = page.more;
            pages.push(page);
            if !more {
                break;
            }
        }
        assert!(pages.len() > 1, "{} pages", pages.len());
        assert!(pages.iter().all(|page| !page.rooms.is_empty()));
        let rooms: Vec<_> = pages.into_iter().flat_map(|page| page.rooms).collect();
        check_list(&rooms, makers.len());

        // A change produces a new list.
        let last = makers.len();
        makers[0].leave();
        makers[0].expect_code("room-left");
        assert_eq!(client.rooms().len(), last - 1);
        makers[0].enter_new("one more");
        assert_eq!(client.rooms().last().map(|room| room.title.as_str()), Some("one more"));
    });
}

#[test]
fn s7_a_slow_reader_gets_a_complete_list_before_later_answers() {
    let server = start();
    let makers = make_rooms(&server, 400);
    let mut slow = Client::connect_with_little_room(server.address());
    let (list, leave) = (r#"{"type": "CSRooms"}"#, r#"{"type": "CSLeaveRoom"}"#);
    slow.send_raw(&stream_of([list, leave, list, leave, list, list, leave]));
    // Nobody else waits meanwhile.
    let mut other = server.client();
    check_list(&other.rooms(), makers.len());
    for answer in [list, leave, list, leave, list, list, leave] {
        if answer == list {
            check_list(&slow.expect_rooms(), makers.len());
        } else {
            slow.expect_code("not-in-room");
        }
    }
}

#[test]
fn s7_a_list_that_is_read_slowly_has_each_room_that_stays() {
    let server = start();
    let mut makers = make_rooms(&server, 400);
    let mut slow = Client::connect_with_little_room(server.address());
    slow.ask_for_rooms();
    slow.ask_for_rooms();
    slow.leave();
    // The first makers leave: their rooms are at the front of the list, or are missing.
    let count = makers.len();
    for maker in &mut makers[..10] {
        maker.leave();
        maker.expect_code("room-left");
    }
    for _ in 0..2 {
        let rooms = slow.expect_rooms();
        assert!(rooms.is_sorted_by_key(|room| room.room_id));
        let mut titles: Vec<_> = rooms.into_iter().map(|room| room.title).collect();
        titles.sort();
        let gone = count - titles.len();
        assert!(gone <= 10 && titles.into_iter().eq((gone + 1..=count).map(title)));
    }
    slow.expect_code("not-in-room");
    assert_eq!(slow.rooms().len(), count - 10);
}

#[test]
fn at_most_50_members_of_a_room_are_listed_and_the_count_is_true() {
    let server = start();
    let mut maker = server.client();
    maker.enter_new("room");
    let mut members = Vec::new();
    for count in 2..=60 {
        let mut member = server.client();
        member.enter(1);
        let rooms = member.rooms();
        assert_eq!(rooms[0].member_count, count);
        let first: Vec<_> = (1..=count.min(50)).map(|n| format!("user{n}")).collect();
        assert_eq!(rooms[0].members, first);
        members.push(member);
    }
    // The list follows renames and leaves.
    members[0].name("second");
    drop(members.remove(1));
    while maker.receive().code.as_deref() != Some("member-left") {}
    let rooms = maker.rooms();
    assert_eq!((rooms[0].member_count, rooms[0].members.len()), (59, 50));
    assert!(rooms[0].members.contains(&"second".to_owned()));
    assert!(!rooms[0].members.contains(&"user3".to_owned()));
}
