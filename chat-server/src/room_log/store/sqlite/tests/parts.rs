//! What is read of a room, whatever is missing.

use chat_proto::extended::{Event, HistoryHead};

use super::*;

/// Whatever is missing, and whatever is asked for: a part has the right broadcasts, and says what is missing.
#[test]
fn a_stored_part_is_exact_or_says_what_is_missing() {
    let dir = Dir::new("part");
    let (mut opened, _) = open(&dir);
    let last = 120;
    let mut stored = vec![Vec::new(); 6];
    for (seed, said) in stored.iter_mut().enumerate() {
        let rng = &mut Rng::new(seed as u64);
        let room = RoomId::new(seed as u64 + 1).expect("above 0");
        opened.store.room_created(room, &title("tea"), 1);
        for seq in 1..last {
            let len = [10, 100, 1_000, 30_000, 65_300][rng.below(5)];
            if seed == 0 || !rng.chance(1, 3) {
                let payload = chat(room, seq, &"x".repeat(len));
                opened.store.event(room, seq, seq, None, &payload);
                said.push((seq, payload));
            }
        }
    }
    opened.commit();
    for (seed, said) in stored.iter().enumerate() {
        let rng = &mut Rng::new(seed as u64);
        let room = RoomId::new(seed as u64 + 1).expect("above 0");
        for _ in 0..200 {
            let (end, limit) = (rng.within(1..last as usize + 10) as u64, rng.within(1..20));
            let seq = rng.below(end as usize + 2) as u64;
            for since in [Since::After(seq), Since::Before(seq), Since::Last(limit)] {
                let part = opened.store.readers().part(room, since, limit, end).expect("it reads");
                check(&part, since, limit, end, said);
            }
        }
    }
}

fn check(
    part: &reading::StoredPart,
    since: Since,
    limit: usize,
    end: u64,
    said: &[(u64, Vec<u8>)],
) {
    let about = format!("{since:?}, limit {limit}, end {end}: {}..{}", part.from(), part.end());
    let events: Vec<_> = part.events().collect();
    let spaces = events.iter().map(Event::space).sum::<usize>();
    assert!(spaces <= HistoryHead::SPACE, "{about}");
    assert!(events.len() <= limit && part.end() <= end, "{about}");
    for (seq, event) in (part.from()..).zip(&events) {
        let expected = said.iter().find(|(number, _)| *number == seq).expect(&about);
        assert_eq!((event.seq, event.at, event.payload), (seq, seq, &expected.1[..]), "{about}");
    }
    let is_told = |seq: u64| (part.from()..part.end()).contains(&seq);
    // Broadcasts that there are and that fit a message, in the range that was asked for.
    let fits = |(seq, payload): &&(u64, Vec<u8>)| {
        Event { seq: *seq, at: *seq, payload }.space() <= HistoryHead::SPACE
    };
    let asked = match since {
        Since::After(seq) => seq + 1..end,
        Since::Before(seq) => 1..seq.min(end),
        Since::Last(_) => 1..end,
    };
    let there: Vec<_> = said.iter().filter(fits).filter(|event| asked.contains(&event.0)).collect();
    match since {
        Since::After(_) => {
            let first = there.first().map_or(end.max(asked.start), |event| event.0);
            assert_eq!(part.gap, asked.start < part.from().min(first), "{about}");
            assert_eq!(there.first().map(|event| event.0), events.first().map(|event| event.seq));
            assert_eq!(part.more, part.end() < end, "{about}");
        }
        _ if asked.is_empty() => assert!(events.is_empty(), "{about}"),
        _ => {
            let last = there.last().map(|event| event.0);
            assert_eq!(last, events.last().map(|event| event.seq), "{about}");
            let has_more = said.iter().any(|event| event.0 < part.from());
            assert_eq!(part.more, has_more, "{about}");
            let is_missing = !is_told(asked.end - 1) || (!has_more && part.from() > 1);
            assert_eq!(part.gap, is_missing, "{about}");
        }
    }
}
