//! Maps that give their memory back after a crowd.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

/// Entries that a map may have room for however few are in it.
const FLOOR: usize = 256;

/// Removes `key`. A map that is then less than a quarter full keeps room for twice what is in it:
/// it has to halve, or to double, before it is moved again.
pub(crate) fn remove<K: Eq + Hash, V, S: BuildHasher>(
    map: &mut HashMap<K, V, S>,
    key: &K,
) -> Option<V> {
    let removed = map.remove(key)?;
    if !is_tight(map) {
        map.shrink_to(2 * map.len());
    }
    Some(removed)
}

/// Whether a map has room for at most four times what is in it, or for little anyway.
pub(crate) fn is_tight<K, V, S>(map: &HashMap<K, V, S>) -> bool {
    map.capacity() <= FLOOR.max(4 * map.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r7_a_map_gives_back_what_a_crowd_has_left() {
        let mut map: HashMap<_, _> = (0..100_000).map(|n| (n, ())).collect();
        for n in 0..100_000 {
            assert_eq!(remove(&mut map, &n), Some(()));
            assert_eq!(remove(&mut map, &n), None);
            assert!(is_tight(&map), "room for {}, {} in it", map.capacity(), map.len());
        }
        assert!(map.capacity() <= FLOOR);
    }
}
