//! Whatever is said and given up, a part is exact or says what is missing.

use chat_testing::Rng;

use chat_proto::extended::HistoryHead;

use super::*;

const ROOM: RoomId = RoomId::FIRST;

fn payload(seq: u64, len: usize) -> Vec<u8> {
    let mut payload = format!("{{{seq}").into_bytes();
    payload.resize(payload.len() + len, b'x');
    payload.push(b'}');
    payload
}

/// Whatever is said, and whatever has been given up: a part has the right broadcasts, in order, and says what is
/// missing and whether there is more.
#[test]
fn a_part_is_exact_or_says_what_is_missing() {
    for seed in 0..200 {
        let rng = &mut Rng::new(seed);
        let most_of_room = 512 << rng.below(8);
        let mut histories = Histories::new(most_of_room, 4 * most_of_room);
        let rooms: Vec<_> = (1..=6).map(|n| RoomId::new(n).expect("above 0")).collect();
        let mut said: Vec<Vec<(u64, Vec<u8>)>> = vec![Vec::new(); rooms.len()];
        for _ in 0..300 {
            let which = rng.below(rooms.len());
            let len = [0, 10, 100, 1_000, 70_000][rng.below(5)].min(65_000);
            let seq = said[which].len() as u64 + 1;
            let (at, payload) = (rng.next() >> 24, payload(seq, len));
            histories.add(rooms[which], seq, at, None, &payload);
            said[which].push((at, payload));
            let (of_room, of_all) = histories.count();
            assert!(of_room <= most_of_room && of_all <= histories.most, "seed {seed}");
            assert_eq!(of_all, histories.memory(), "seed {seed}");
            let limit = rng.below(20);
            let seq = rng.below(said[which].len() + 3) as u64;
            for since in [Since::After(seq), Since::Before(seq), Since::Last(limit)] {
                check(&histories, rooms[which], &said[which], since, limit, seed);
            }
        }
        rooms.iter().for_each(|room| histories.close(*room, 0));
        assert_eq!((histories.memory(), histories.count()), (0, (0, 0)), "seed {seed}");
    }
}

fn check(
    histories: &Histories,
    room: RoomId,
    said: &[(u64, Vec<u8>)],
    since: Since,
    limit: usize,
    seed: u64,
) {
    let part = histories.part(room, since, limit);
    let about =
        || format!("seed {seed}, {since:?}, limit {limit}: {}..{}", part.from(), part.end());
    let events: Vec<_> = part.events().collect();
    assert!(events.len() <= limit, "{}", about());
    assert!(events.iter().map(Event::space).sum::<usize>() <= HistoryHead::SPACE);
    for (seq, event) in (part.from()..).zip(&events) {
        let (at, payload) = &said[seq as usize - 1];
        assert_eq!((event.seq, event.at, event.payload), (seq, *at, &payload[..]), "{}", about());
    }
    let next = said.len() as u64 + 1;
    let end = part.from() + events.len() as u64;
    match since {
        Since::After(seq) => {
            assert_eq!(part.gap, part.from() > (seq + 1).min(next), "{}", about());
            assert_eq!(part.more, end < next, "{}", about());
        }
        Since::Before(seq) if seq > 0 && limit > 0 => {
            let is_missing = end < seq.min(next) || (part.from() > 1 && !part.more);
            assert_eq!(part.gap, is_missing, "{}", about());
        }
        _ => {}
    }
}

/// One room may say as much as it likes: others keep what they have, and little memory is used.
#[test]
fn a_room_that_says_much_takes_nothing_from_others() {
    let most_of_room = 64 << 10;
    let mut histories = Histories::new(most_of_room, 4 << 20);
    let quiet: Vec<_> = (2..=20).map(|n| RoomId::new(n).expect("above 0")).collect();
    for seq in 0..200_000 {
        histories.add(ROOM, seq + 1, seq, None, &payload(seq, 100));
        let turn = (seq / 1_000) as usize;
        if let (0, Some(&room)) = (seq % 1_000, quiet.get(turn % 50)) {
            histories.add(room, 1 + (turn / 50) as u64, seq, None, &payload(1, 10));
        }
        assert!(histories.memory() < 1 << 20, "{} bytes after {seq}", histories.memory());
    }
    for room in quiet {
        let part = histories.part(room, Since::After(0), 200);
        assert_eq!((part.events().count(), part.gap), (4, false), "room {room}");
    }
    assert!(histories.part(ROOM, Since::After(0), 200).gap);
    assert!(histories.count().0 > most_of_room * 4 / 5);
    assert_eq!(histories.take_given_up().of_all, 0);
}

#[test]
fn what_fits_no_message_is_a_gap_and_ends_no_request() {
    let mut histories = Histories::new(1 << 20, 1 << 20);
    for (seq, len) in [(1, 10), (2, 65_400), (3, 10)] {
        histories.add(ROOM, seq, 0, None, &payload(seq, len));
    }
    let range = |since| {
        let part = histories.part(ROOM, since, 200);
        (part.from()..part.end(), part.more, part.gap)
    };
    assert_eq!(range(Since::After(0)), (1..2, true, false));
    assert_eq!(range(Since::After(1)), (3..4, false, true));
    assert_eq!(range(Since::Last(200)), (3..4, true, false));
    assert_eq!(range(Since::Before(3)), (1..2, false, true));
    assert_eq!(range(Since::After(3)), (4..4, false, false));
}

#[test]
fn the_oldest_of_all_rooms_goes_first() {
    let mut histories = Histories::new(1 << 20, 1 << 20);
    let other = ROOM.next();
    histories.add(ROOM, 1, 0, None, &payload(1, 20_000));
    histories.add(other, 1, 0, None, &payload(1, 20_000));
    histories.give_up(1);
    assert!(histories.part(ROOM, Since::Last(1), 1).events().next().is_none());
    assert!(histories.part(other, Since::Last(1), 1).events().next().is_some());
    assert_eq!(histories.last(ROOM), 1, "its numbers go on");
    histories.add(ROOM, 2, 0, None, &payload(2, 10));
    let part = histories.part(ROOM, Since::After(0), 200);
    assert_eq!((part.from(), part.gap), (2, true));
}

#[test]
fn what_is_said_while_memory_is_lent_is_not_lent_again() {
    let mut histories = Histories::new(1 << 20, 1 << 20);
    let say = |histories: &mut Histories, from: u64| {
        for seq in from..from + 100 {
            histories.add(ROOM, seq, 0, None, &payload(seq, 1_000));
        }
    };
    say(&mut histories, 1);
    histories.lend(50_000);
    let (lent, left) = (histories.lent(), histories.memory());
    assert!(lent >= 50_000 && left > 0);
    say(&mut histories, 101);
    assert!(histories.memory() <= left && histories.lent() == lent);
    histories.ask_back(0);
    say(&mut histories, 201);
    assert!(histories.memory() > left);
}
