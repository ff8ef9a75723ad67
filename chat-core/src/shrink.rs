//! Maps that free their memory after a crowd has left.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

/// The capacity that a map may keep, no matter how few entries it has.
const MIN_CAPACITY: usize = 256;

/// Removes `key`. A map that is then less than a quarter full shrinks to twice its length, so that it
/// has to halve or double before it is reallocated again.
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

/// Whether the capacity is at most four times the length, or small anyway.
pub(crate) fn is_tight<K, V, S>(map: &HashMap<K, V, S>) -> bool {
    map.capacity() <= MIN_CAPACITY.max(4 * map.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r7_a_map_frees_its_memory_after_a_crowd_has_left() {
        let mut map: HashMap<_, _> = (0..100_000).map(|n| (n, ())).collect();
        for n in 0..100_000 {
            assert_eq!(remove(&mut map, &n), Some(()));
            assert_eq!(remove(&mut map, &n), None);
            assert!(is_tight(&map), "capacity {}, length {}", map.capacity(), map.len());
        }
        assert!(map.capacity() <= MIN_CAPACITY);
    }
}
