//! The table of limits: what each is called, what it may be and what it costs. Flags, configuration
//! files, checks and the documentation are made from it.

use std::time::Duration;

use crate::limits::Limits;
use crate::quantity::Unit;

/// One of [`Limits`] by its name, for whoever has them as text.
///
/// ```
/// use chat_server::{Limit, Limits};
///
/// let mut limits = Limits::default();
/// let backlog = Limit::named("backlog").expect("there is one");
/// backlog.set(&mut limits, "4MiB")?;
/// assert_eq!(limits.backlog, 4 * 1024 * 1024);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    name: &'static str,
    unit: Unit,
    /// The least and the most, in the smallest unit.
    range: (u64, u64),
    about: &'static str,
    value: fn(&Limits) -> u64,
    change: fn(&mut Limits, u64),
}

impl Limit {
    /// All there are.
    pub const ALL: &[Self] = &TABLE;

    /// The limit with that name; `_` is as good as `-`.
    pub fn named(name: &str) -> Option<&'static Self> {
        let name = name.replace('_', "-");
        TABLE.iter().find(|limit| limit.name == name)
    }

    /// Its name: that of the field of [`Limits`], with `-` for `_`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is about, and what it costs, in one line.
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// What it may be, like `1KiB to 1GiB`.
    pub fn range(&self) -> String {
        let (least, most) = self.range;
        format!("{} to {}", self.unit.show(least), self.unit.show(most))
    }

    /// What it is in `limits`, with its unit.
    pub fn show(&self, limits: &Limits) -> String {
        self.unit.show((self.value)(limits))
    }

    /// Changes it in `limits`.
    ///
    /// # Errors
    /// When `text` is no such quantity, or out of range: what it has to be.
    pub fn set(&self, limits: &mut Limits, text: &str) -> Result<(), String> {
        let value = self.unit.parse(text).filter(|&value| self.allows(value));
        let wanted = || format!("it has to be {}, from {}", self.unit.example(), self.range());
        (self.change)(limits, value.ok_or_else(wanted)?);
        Ok(())
    }

    /// What is wrong with it in `limits`, if anything is.
    pub(crate) fn problem(&self, limits: &Limits) -> Option<String> {
        let is_right = self.allows((self.value)(limits));
        let (name, range) = (self.name, self.range());
        (!is_right).then(|| format!("{name} is {}: it has to be from {range}", self.show(limits)))
    }

    fn allows(&self, value: u64) -> bool {
        (self.range.0..=self.range.1).contains(&value)
    }
}

/// A quantity in its smallest unit.
trait Quantity {
    fn quantity(&self) -> u64;
    fn from_quantity(quantity: u64) -> Self;
}

impl Quantity for usize {
    fn quantity(&self) -> u64 {
        *self as u64
    }

    fn from_quantity(quantity: u64) -> Self {
        Self::try_from(quantity).unwrap_or(Self::MAX)
    }
}

impl Quantity for u32 {
    fn quantity(&self) -> u64 {
        (*self).into()
    }

    fn from_quantity(quantity: u64) -> Self {
        Self::try_from(quantity).unwrap_or(Self::MAX)
    }
}

impl Quantity for Duration {
    fn quantity(&self) -> u64 {
        u64::try_from(self.as_millis()).unwrap_or(u64::MAX)
    }

    fn from_quantity(quantity: u64) -> Self {
        Self::from_millis(quantity)
    }
}

/// More than any machine has of anything that is counted, and no sum of a few overflows.
const MANY: u64 = 1_000_000_000;
/// More memory than any machine has.
const HUGE: u64 = 1 << 42;
/// A day: beyond it a peer would be waited for rather than closed.
const LONG: u64 = 24 * 3_600_000;

macro_rules! limit {
    ($name:literal, $unit:ident, $least:expr, $most:expr, $($field:ident).+, $about:literal) => {
        Limit {
            name: $name,
            unit: Unit::$unit,
            range: ($least, $most),
            about: $about,
            value: |limits| limits.$($field).+.quantity(),
            change: |limits, value| limits.$($field).+ = Quantity::from_quantity(value),
        }
    };
}

#[rustfmt::skip]
static TABLE: [Limit; 20] = [
    limit!("connections", Count, 1, MANY, connections,
        "connections at a time; never more than open descriptors less 64. Idle, each costs 0.5 KiB \
         here and 2 KiB in the kernel"),
    limit!("connections-per-address", Count, 0, MANY, connections_per_address,
        "of those from one address (IPv6: one network of 64 bits); 0: no limit. 100 bytes each"),
    limit!("refused-connections", Count, 0, MANY, refused_connections,
        "refused connections that are waited for until they have read why. 0.5 KiB each"),
    limit!("rooms", Count, 0, MANY, rooms,
        "rooms at a time. 300 bytes each"),
    limit!("accepts-per-turn", Count, 1, MANY, accepts_per_turn,
        "connections accepted before those that are there have their turn. Time, not memory"),
    limit!("read-per-turn", Bytes, 1, 64 << 20, read_per_turn,
        "bytes read of a connection before the others have their turn. One buffer of this size"),
    limit!("write-per-turn", Bytes, 1, HUGE, write_per_turn,
        "bytes written to a connection before the others have their turn. Time, not memory"),
    limit!("writes-per-room-and-turn", Count, 1, MANY, writes_per_room_and_turn,
        "members of a room written to before others have their turn. 5 µs each"),
    limit!("read-ahead", Bytes, 1, HUGE, read_ahead,
        "bytes read of all whose commands are not carried out yet. In memory up to five times that"),
    limit!("commands", PerSecond, 0, u32::MAX as u64, commands.per_second,
        "commands of a connection; beyond it reading pauses. 0: no limit. No memory"),
    limit!("commands-burst", Count, 1, u32::MAX as u64, commands.burst,
        "commands of a connection at once, after a quiet time. No memory"),
    limit!("bad-frames", PerSecond, 0, u32::MAX as u64, bad_frames.per_second,
        "frames of a connection without a valid message; beyond it it is closed. 0: no limit. No memory"),
    limit!("bad-frames-burst", Count, 0, u32::MAX as u64, bad_frames.burst,
        "the same at once, after a quiet time. No memory"),
    limit!("frame-timeout", Time, 0, LONG, frame_timeout,
        "time for a frame from its first byte to its last; then closed. A begun frame costs its bytes"),
    limit!("kernel-send-buffer", Bytes, 1, 1 << 30, kernel_send_buffer,
        "SO_SNDBUF of a connection. Linux takes twice that for one that does not read"),
    limit!("backlog", Bytes, 1, HUGE, backlog,
        "bytes owed to a connection beside that; beyond it it is closed. Shared within a room"),
    limit!("slow-backlog", Bytes, 1, HUGE, slow_backlog,
        "bytes owed to a connection for longer than slow-backlog-time; then closed. Part of backlog"),
    limit!("slow-backlog-time", Time, 0, LONG, slow_backlog_time,
        "how long more than slow-backlog may be owed. No memory"),
    limit!("total-backlog", Bytes, 1, HUGE, total_backlog,
        "bytes held for all connections; beyond it the greatest are closed. This much at most"),
    limit!("linger", Time, 0, LONG, linger,
        "time for a closing connection to read the rest. It keeps what it is owed as long"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_row_and_every_row_its_field() {
        for limit in Limit::ALL {
            let mut limits = Limits::default();
            let before = (limit.value)(&limits);
            let other = if before == limit.range.0 { before + 1 } else { limit.range.0 };
            limit.set(&mut limits, &limit.unit.show(other)).expect("it is in range");
            assert_eq!((limit.value)(&limits), other, "{}", limit.name);
            let differing: Vec<_> = Limit::ALL
                .iter()
                .filter(|l| (l.value)(&limits) != (l.value)(&Limits::default()))
                .map(|l| l.name)
                .collect();
            assert_eq!(differing, [limit.name], "no row changes another's field");
        }
        // Each allowance is two rows; the derived form tells how many fields there are.
        let fields =
            format!("{:?}", Limits::default()).replace("Allowance", "").matches(": ").count();
        assert_eq!(Limit::ALL.len(), fields - 2);
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_the_range() {
        let mut limits = Limits::default();
        for limit in Limit::ALL {
            for value in ["", "x", "-1", "1.5", "99999999999999999999"] {
                let error = limit.set(&mut limits, value).expect_err("it is no such quantity");
                assert!(error.contains(&limit.range()), "{error}");
            }
        }
        assert_eq!(limits, Limits::default());
        let connections = Limit::named("connections").expect("there is one");
        assert_eq!(
            connections.set(&mut limits, "0"),
            Err("it has to be a whole number, from 1 to 1000000000".to_owned())
        );
    }

    #[test]
    fn an_underscore_is_as_good_as_a_hyphen() {
        assert_eq!(Limit::named("slow_backlog").map(Limit::name), Some("slow-backlog"));
        assert!(Limit::named("slow backlog").is_none());
    }
}
