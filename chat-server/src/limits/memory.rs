//! Lowers the other limits until [`Limits::max_memory`] holds.

use super::table::Limit;
use super::values::Limits;

/// The most that a connection or a room takes besides what `total_backlog` counts, in bytes.
const EACH: usize = 1024;

/// A limit that was lowered because of [`Limits::max_memory`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lowered {
    /// The limit.
    pub name: &'static str,
    /// Its value before, with the unit.
    pub from: String,
    /// Its value now, with the unit.
    pub to: String,
}

impl Limits {
    /// Lowers the limits that would need more than [`Limits::max_memory`] if fully used: connections to a quarter of
    /// it, rooms to an eighth, at 1 KiB each; `total_backlog` to three eighths; `total_history` to a 64th, and
    /// so is `read_ahead`, which takes five times as much. The rest is for the program itself and for memory lost in the allocator. Returns the limits
    /// that were lowered.
    ///
    /// ```
    /// let mut limits = chat_server::Limits::default();
    /// limits.max_memory = 256 << 20;
    /// let lowered = limits.fit_memory();
    /// assert_eq!(limits.connections, 65_536);
    /// assert_eq!((lowered[0].name, &*lowered[0].from, &*lowered[0].to), ("connections", "1000000", "65536"));
    /// ```
    pub fn fit_memory(&mut self) -> Vec<Lowered> {
        self.fit_memory_of(0)
    }

    /// Like [`Limits::fit_memory`], for connections that each take `more` bytes on top.
    pub(crate) fn fit_memory_of(&mut self, more: usize) -> Vec<Lowered> {
        let before = self.clone();
        let most = self.max_memory;
        let lower = |limit: &mut usize, most: usize| *limit = (*limit).min(most);
        lower(&mut self.connections, most / 4 / (EACH + more));
        lower(&mut self.rooms, most / 8 / EACH);
        lower(&mut self.refused_connections, most / 64 / (EACH + more));
        lower(&mut self.total_backlog, most / 8 * 3);
        lower(&mut self.total_history, most / 64);
        lower(&mut self.history, self.total_history);
        lower(&mut self.backlog, self.total_backlog);
        lower(&mut self.slow_backlog, self.backlog);
        lower(&mut self.read_ahead, most / 64);
        lower(&mut self.read_per_turn, self.read_ahead);
        let shown = Limit::ALL.iter().map(|l| (l.name(), l.show(&before), l.show(self)));
        let lowered = shown.filter(|(_, from, to)| from != to);
        lowered.map(|(name, from, to)| Lowered { name, from, to }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b8_limits_are_lowered_until_all_of_them_fit() {
        for mebibytes in [16, 64, 100, 256, 1024, 16_384, 1 << 22] {
            let mut limits = Limits { max_memory: mebibytes << 20, ..Limits::default() };
            let lowered = limits.fit_memory();
            assert_eq!(limits.errors(), [], "{mebibytes} MiB");
            let sum = EACH * (limits.connections + limits.rooms + limits.refused_connections)
                + limits.total_backlog
                + limits.total_history
                + 5 * limits.read_ahead
                + limits.read_per_turn;
            assert!(sum <= limits.max_memory / 8 * 7, "{sum} of {mebibytes} MiB");
            assert_eq!(lowered.is_empty(), mebibytes >= 16_384, "{lowered:?}");
            assert_eq!(limits.fit_memory(), [], "once is enough");
        }
    }

    #[test]
    fn fewer_connections_fit_if_each_takes_more() {
        let mut limits = Limits { max_memory: 256 << 20, ..Limits::default() };
        limits.fit_memory_of(4 * EACH);
        assert_eq!(limits.connections, (256 << 20) / 4 / (5 * EACH));
    }

    #[test]
    fn b8_limits_that_contradict_what_was_lowered_are_lowered_with_it() {
        let mut limits = Limits { max_memory: 16 << 20, ..Limits::default() };
        (limits.backlog, limits.slow_backlog, limits.read_per_turn) = (64 << 20, 32 << 20, 1 << 20);
        limits.total_backlog = 1 << 30;
        let lowered: Vec<_> = limits.fit_memory().into_iter().map(|lowered| lowered.name).collect();
        assert!(lowered.contains(&"backlog") && lowered.contains(&"slow-backlog"), "{lowered:?}");
        assert_eq!(limits.errors(), []);
    }
}
