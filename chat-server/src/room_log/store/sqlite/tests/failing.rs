//! A database that takes nothing for a while.

use super::*;

/// A disk that takes nothing is not felt: what does not fit memory is given up, told, and the rest goes on by itself.
#[test]
fn a_failing_disk_costs_a_gap_and_no_number() {
    let dir = Dir::new("failing");
    let (mut opened, first) = open(&dir);
    opened.store.room_created(ROOM, &title("tea"), 500);
    opened.say(ROOM, 1);
    opened.commit();
    let other = sql(&dir);
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody else can write now");
    opened.say(ROOM, 2);
    opened.store.hand_over().expect("it waits");
    opened.until("failing", |store| store.progress().is_failing);
    assert!(opened.store.fault().expect("a reason").contains("locked"));
    let payload = chat(ROOM, 3, &"x".repeat(60_000));
    let mut seq = 2;
    while opened.store.progress().lost < 100 {
        seq += 1;
        opened.store.event(ROOM, seq, seq, None, &payload);
        opened.store.hand_over();
        assert!(opened.store.memory() <= 2 * QUEUE, "bounded");
    }
    let young = ROOM.next();
    opened.store.room_created(young, &title("young"), 600);
    opened.say(young, 1);
    assert_eq!(opened.store.hand_over(), None, "one gap, not many");
    other.execute_batch("ROLLBACK").expect("the disk is back");
    drop(other);
    opened.until("recovered", |store| !store.progress().is_failing);
    opened.until("everything is there", |store| store.progress().committed.0 == store.last);
    seq += 1;
    opened.say(ROOM, seq);
    opened.commit();
    let lost = opened.store.progress().lost;
    let readers = opened.store.readers();
    let part = readers.part(ROOM, Since::Last(1), 200, seq + 1).expect("it reads");
    assert_eq!((part.from(), part.gap), (seq, false));
    let part = readers.part(ROOM, Since::Before(seq), 1, seq + 1).expect("it reads");
    assert_eq!((part.end(), part.gap), (seq - lost + 1, true));
    let part = readers.part(young, Since::Last(50), 200, 2).expect("it reads");
    assert_eq!((part.events().count(), part.gap), (0, true));
    drop(opened);
    let (_, second) = open(&dir);
    assert_eq!((second.end, &second.epoch), (LastEnd::Killed, &first.epoch), "nothing is owed");
    let rooms: Vec<_> = second.rooms.iter().map(|room| (room.id, room.last_seq)).collect();
    assert_eq!(rooms, [(ROOM, seq + SKIP), (young, 1 + SKIP)]);
}

#[test]
fn a_kill_while_the_disk_fails_begins_an_epoch() {
    let dir = Dir::new("failed");
    let (mut opened, first) = open(&dir);
    let other = sql(&dir);
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody else can write now");
    opened.say(ROOM, 1);
    opened.store.hand_over();
    opened.until("failing", |store| store.progress().is_failing);
    let payload = chat(ROOM, 2, &"x".repeat(60_000));
    while opened.store.progress().lost == 0 {
        opened.store.event(ROOM, 2, 2, None, &payload);
        opened.store.hand_over();
    }
    let stopped = opened.store.stop(Some(Vec::new()), Duration::from_millis(100));
    assert!(stopped.is_err(), "the next start is as after a kill");
    other.execute_batch("ROLLBACK").expect("the disk is back");
    let (_, second) = open(&dir);
    assert_eq!((second.end, &second.snapshot), (LastEnd::Unknown, &None));
    assert_ne!(second.epoch, first.epoch);
}

#[test]
fn a_stop_waits_for_a_disk_that_comes_back() {
    let dir = Dir::new("stopping");
    let (mut opened, _) = open(&dir);
    opened.store.room_created(ROOM, &title("tea"), 500);
    opened.commit();
    let other = sql(&dir);
    other.execute_batch("BEGIN IMMEDIATE").expect("nobody else can write now");
    opened.say(ROOM, 1);
    opened.store.hand_over();
    opened.until("failing", |store| store.progress().is_failing);
    opened.say(ROOM, 2);
    opened.store.hand_over();
    opened.say(ROOM, 3);
    let release = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        other.execute_batch("ROLLBACK").expect("the disk is back");
    });
    opened.store.stop(Some(b"sessions".to_vec()), DEADLINE).expect("it stops in order");
    release.join().expect("it ends");
    let (opened, restored) = open(&dir);
    assert_eq!((restored.end, restored.rooms[0].last_seq), (LastEnd::InOrder, 3));
    assert!(restored.snapshot.is_some());
    let part = opened.store.readers().part(ROOM, Since::After(0), 200, 4).expect("it reads");
    assert_eq!((part.events().count(), part.gap), (3, false));
}
