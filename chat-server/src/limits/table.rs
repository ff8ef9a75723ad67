//! The table of limits: the name, range and cost of each. Flags, configuration files, checks and documents
//! are made from it.

use std::time::Duration;

use chat_core::Lang;
use chat_proto::PerLang;

use super::error::{LimitError, Reason};
use super::quantity::{Bounds, Unit};
use super::values::Limits;

/// One of the [`Limits`], found by name, to be set and shown as text.
///
/// ```
/// use chat_server::{Limit, Limits};
///
/// let mut limits = Limits::default();
/// let backlog = Limit::named("backlog").expect("there is one");
/// backlog.set(&mut limits, "4MiB")?;
/// assert_eq!(limits.backlog, 4 * 1024 * 1024);
/// # Ok::<(), chat_server::LimitError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    name: &'static str,
    bounds: Bounds,
    about: PerLang<&'static str>,
    value: fn(&Limits) -> u64,
    change: fn(&mut Limits, u64),
}

impl Limit {
    /// All limits.
    pub const ALL: &[Self] = &TABLE;

    /// Finds a limit by its name, in which `_` may stand for `-`.
    pub fn named(name: &str) -> Option<&'static Self> {
        let name = name.replace('_', "-");
        TABLE.iter().find(|limit| limit.name == name)
    }

    /// The name: that of the field of [`Limits`], with `-` for `_`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it limits and what it costs, in one line.
    pub fn about(&self, lang: Lang) -> &'static str {
        self.about.get(lang)
    }

    /// The range allowed, like `1KiB to 1GiB` or `1KiB~1GiB`.
    pub fn range(&self, lang: Lang) -> String {
        self.bounds.text(lang)
    }

    /// Formats its value in `limits`, with the unit.
    pub fn show(&self, limits: &Limits) -> String {
        self.bounds.unit.show((self.value)(limits))
    }

    /// Parses a value and sets it in `limits`.
    ///
    /// # Errors
    /// If `text` is not such a quantity, or is out of range. The error says what is allowed.
    pub fn set(&self, limits: &mut Limits, text: &str) -> Result<(), LimitError> {
        let value = self.bounds.unit.parse(text).filter(|&value| self.bounds.allow(value));
        let value = value.ok_or(LimitError::new(Reason::Text(self.bounds)))?;
        (self.change)(limits, value);
        Ok(())
    }

    /// The error in its value in `limits`, if any.
    pub(super) fn error(&self, limits: &Limits) -> Option<LimitError> {
        let (name, value, bounds) = (self.name, (self.value)(limits), self.bounds);
        let wrong = Reason::Value { name, value, bounds };
        (!bounds.allow(value)).then_some(LimitError::new(wrong))
    }
}

/// A quantity, in its smallest unit.
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

/// More than any machine has of what is counted, yet sums of a few do not overflow.
const MANY: u64 = 1_000_000_000;
/// More memory than any machine has, in bytes.
const HUGE: u64 = 1 << 42;
/// A day, in milliseconds. With a longer time, a peer would be waited for rather than closed.
const LONG: u64 = 24 * 3_600_000;
/// Ten years, in ms.
const YEARS: u64 = 3_650 * LONG;

macro_rules! limit {
    (
        $name:literal, $unit:ident, $least:expr, $most:expr, $($field:ident).+,
        en: $en:literal,
        ko: $ko:literal
    ) => {
        Limit {
            name: $name,
            bounds: Bounds { unit: Unit::$unit, least: $least, most: $most },
            about: PerLang { en: $en, ko: $ko },
            value: |limits| limits.$($field).+.quantity(),
            change: |limits, value| limits.$($field).+ = Quantity::from_quantity(value),
        }
    };
}

#[rustfmt::skip]
static TABLE: [Limit; 36] = [
    limit!("connections", Count, 1, MANY, connections,
                en: "connections at a time; never more than the limit on descriptors less 64. An idle one costs 0.5 KiB \
             here and 2 KiB in the kernel",
        ko: "동시에 있을 수 있는 연결 수. 열 수 있는 디스크립터 수에서 64를 뺀 만큼까지예요. 쉬는 연결 하나에 \
             서버 메모리 0.5 KiB, 커널 메모리 2 KiB"),
    limit!("connections-per-address", Count, 0, MANY, connections_per_address,
                en: "connections from one address (IPv6: one /64 network); loopback addresses count only if this is \
             set. 0: no limit. 100 bytes each",
        ko: "그 가운데 한 주소에서 온 연결 수 (IPv6에서는 64비트 네트워크 하나). 루프백 주소는 값을 바꿨을 때만 \
             세요. 0: 제한 없음. 하나에 100바이트"),
    limit!("new-connections", PerSecond, 0, u32::MAX as u64, new_connections.per_second,
                en: "new connections from one such address; beyond that, they are read later. 0: no limit. No memory",
        ko: "그런 주소에서 새로 오는 연결 수. 넘으면 나중에 읽어요. 0: 제한 없음. 메모리는 들지 않아요"),
    limit!("new-connections-burst", Count, 1, u32::MAX as u64, new_connections.burst,
                en: "new connections from one such address in a burst. No memory",
        ko: "그런 주소에서 한꺼번에 새로 오는 연결 수. 메모리는 들지 않아요"),
    limit!("refused-connections", Count, 0, MANY, refused_connections,
                en: "refused connections kept open until they have read the reason. 0.5 KiB each",
        ko: "거절한 까닭을 읽을 때까지 기다려 주는 연결 수. 하나에 0.5 KiB"),
    limit!("rooms", Count, 0, MANY, rooms,
        en: "rooms at a time. 300 bytes each",
        ko: "동시에 있을 수 있는 방 수. 하나에 300바이트"),
    limit!("accepts-per-turn", Count, 1, MANY, accepts_per_turn,
        en: "connections accepted before existing ones get their turn. Time, not memory",
        ko: "이미 있는 연결에 차례를 주기 전에 새로 받는 연결 수. 메모리가 아니라 시간이 들어요"),
    limit!("read-per-turn", Bytes, 1, 64 << 20, read_per_turn,
        en: "bytes read from a connection before others get their turn. One buffer of this size",
        ko: "다른 연결에 차례를 주기 전에 한 연결에서 읽는 바이트 수. 이 크기의 버퍼를 하나 써요"),
    limit!("write-per-turn", Bytes, 1, HUGE, write_per_turn,
        en: "bytes written to a connection before others get their turn. Time, not memory",
        ko: "다른 연결에 차례를 주기 전에 한 연결에 쓰는 바이트 수. 메모리가 아니라 시간이 들어요"),
    limit!("writes-per-room-and-turn", Count, 1, MANY, writes_per_room_and_turn,
        en: "members of a room written to before others get their turn. 5 µs each",
        ko: "다른 연결에 차례를 주기 전에 한 방에서 메시지를 보내는 사람 수. 한 명에 5 µs"),
    limit!("read-ahead", Bytes, 1, HUGE, read_ahead,
                en: "bytes of commands read from all connections and not yet carried out. Up to five times as much memory",
        ko: "모든 연결에서 읽고 아직 처리하지 않은 바이트 수. 메모리는 그 다섯 배까지 들어요"),
    limit!("commands", PerSecond, 0, u32::MAX as u64, commands.per_second,
        en: "commands from a connection; beyond that, reading pauses. 0: no limit. No memory",
        ko: "한 연결에서 받는 명령 수. 넘으면 잠시 읽지 않아요. 0: 제한 없음. 메모리는 들지 않아요"),
    limit!("commands-burst", Count, 1, u32::MAX as u64, commands.burst,
        en: "commands from a connection in a burst, after a quiet time. No memory",
        ko: "조용하던 연결에서 한꺼번에 받는 명령 수. 메모리는 들지 않아요"),
    limit!("input", BytesPerSecond, 0, u32::MAX as u64, input.per_second,
        en: "bytes of messages from a connection; beyond that, reading pauses. 0: no limit. No memory",
        ko: "한 연결에서 받는 메시지의 바이트 수. 넘으면 잠시 읽지 않아요. 0: 제한 없음. 메모리는 들지 않아요"),
    limit!("input-burst", Bytes, 1, u32::MAX as u64, input.burst,
        en: "bytes of messages from a connection in a burst, after a quiet time. No memory",
        ko: "조용하던 연결에서 한꺼번에 받는 메시지의 바이트 수. 메모리는 들지 않아요"),
    limit!("answers", BytesPerSecond, 0, u32::MAX as u64, answers.per_second,
        en: "bytes of answers to a connection; beyond that, reading pauses. 0: no limit. No memory",
        ko: "한 연결에 답하는 바이트 수. 넘으면 잠시 읽지 않아요. 0: 제한 없음. 메모리는 들지 않아요"),
    limit!("answers-burst", Bytes, 1, u32::MAX as u64, answers.burst,
        en: "bytes of answers to a connection in a burst, after a quiet time. No memory",
        ko: "조용하던 연결에 한꺼번에 답하는 바이트 수. 메모리는 들지 않아요"),
    limit!("bad-frames", PerSecond, 0, u32::MAX as u64, bad_frames.per_second,
                en: "invalid frames from a connection; beyond that, it is closed. 0: no limit. No memory",
        ko: "한 연결에서 받아 주는 잘못된 프레임 수. 넘으면 연결을 끊어요. 0: 제한 없음. 메모리는 들지 않아요"),
    limit!("bad-frames-burst", Count, 0, u32::MAX as u64, bad_frames.burst,
                en: "invalid frames from a connection in a burst, after a quiet time. No memory",
        ko: "조용하던 연결에서 한꺼번에 받아 주는 잘못된 프레임 수. 메모리는 들지 않아요"),
    limit!("frame-timeout", Time, 0, LONG, frame_timeout,
                en: "time from the first byte of a frame to its last; beyond that, the connection is closed. A partial \
             frame costs its bytes",
        ko: "프레임이 첫 바이트부터 마지막 바이트까지 오는 시간. 넘으면 연결을 끊어요. 오다 만 프레임은 온 만큼 \
             메모리를 써요"),
    limit!("peer-timeout", Time, 2_000, LONG, peer_timeout,
                en: "time for a peer to acknowledge what was sent, or to answer a probe; beyond that, it counts as \
             vanished and is closed. Hardly any memory",
        ko: "보낸 것을 상대가 확인하거나 탐침에 답하는 시간. 넘으면 사라진 것으로 보고 연결을 끊어요. 메모리는 거의 \
             들지 않아요"),
    limit!("kernel-send-buffer", Bytes, 1, 1 << 30, kernel_send_buffer,
        en: "SO_SNDBUF of a connection. Linux takes twice that for a peer that does not read",
        ko: "연결의 SO_SNDBUF. 상대가 읽지 않으면 Linux가 그 두 배까지 써요"),
    limit!("backlog", Bytes, 1, HUGE, backlog,
        en: "bytes pending for a connection; beyond that, it is evicted. Shared within a room",
        ko: "그 밖에 한 연결에 아직 보내지 못한 바이트 수. 넘으면 연결을 끊어요. 같은 방에서는 함께 써요"),
    limit!("slow-backlog", Bytes, 1, HUGE, slow_backlog,
                en: "bytes that may stay pending for a connection longer than slow-backlog-time; beyond that, it is \
             evicted. Part of backlog",
        ko: "한 연결에 slow-backlog-time 넘게 밀려 있어도 되는 바이트 수. 넘으면 연결을 끊어요. backlog의 \
             일부예요"),
    limit!("slow-backlog-time", Time, 0, LONG, slow_backlog_time,
                en: "time for which more than slow-backlog may be pending. No memory",
        ko: "slow-backlog보다 많이 밀려 있어도 되는 시간. 메모리는 들지 않아요"),
    limit!("room-pace", BytesPerSecond, 0, u32::MAX as u64, room_pace.per_second,
                en: "bytes said in a room while a slow member reads; a member that reads as fast is never evicted as \
             slow. 0: no limit. No memory",
        ko: "느린 사람이 읽는 동안 그 방에서 말할 수 있는 바이트 수. 그만큼 읽는 사람은 느리다고 끊지 않아요. 0: \
             제한 없음. 메모리는 들지 않아요"),
    limit!("room-pace-burst", Bytes, 1, u32::MAX as u64, room_pace.burst,
                en: "bytes said in such a room in a burst. No memory",
        ko: "그때 한꺼번에 말할 수 있는 바이트 수. 메모리는 들지 않아요"),
    limit!("total-backlog", Bytes, 1, HUGE, total_backlog,
                en: "memory held for all connections; beyond that, those that have gone longest without reading are \
             evicted. At most this much",
        ko: "모든 연결 때문에 가진 메모리. 넘으면 가장 오래 읽지 않은 연결부터 끊어요. 메모리는 이만큼까지 들어요"),
    limit!("history", Bytes, 0, HUGE, history,
                en: "bytes kept of what was said in a room, for those who come back or are new. 0: nothing, in any room",
        ko: "다시 온 사람과 새로 온 사람을 위해 방에서 오간 말을 간직하는 바이트 수. 0: 어느 방에서도 간직하지 않아요"),
    limit!("total-history", Bytes, 0, HUGE, total_history,
                en: "bytes kept of all rooms; beyond that, the oldest goes first. At most this much",
        ko: "모든 방에서 간직하는 바이트 수. 넘으면 오래된 것부터 지워요. 메모리는 이만큼까지 들어요"),
    limit!("resume-time", Time, 0, LONG, resume_time,
                en: "time for which a session outlives its connection, if its client asks for it; no more than fit into \
             connections and connections-per-address. 1 KiB each",
        ko: "연결이 끊긴 뒤에 세션을 간직하는 시간, 클라이언트가 원하면. connections와 connections-per-address에 \
             들어가는 만큼만. 하나에 1 KiB"),
    limit!("history-age", Time, 0, YEARS, history_age,
        en: "time for which what was said is kept in the data directory. 0: as long as there is room. No memory",
        ko: "데이터 폴더에 오간 말을 간직하는 시간. 0: 자리가 있는 동안. 메모리는 들지 않아요"),
    limit!("history-size", Bytes, 0, HUGE, history_size,
        en: "bytes of the database in the data directory; beyond that, the oldest goes first. 0: no limit. No memory",
        ko: "데이터 폴더에 있는 데이터베이스의 바이트 수. 넘으면 오래된 것부터 지워요. 0: 제한 없음. 메모리는 들지 않아요"),
    limit!("room-age", Time, 0, YEARS, room_age,
        en: "time for which a room without members is kept, with a data directory. 300 bytes a room",
        ko: "데이터 폴더가 있을 때 아무도 없는 방을 간직하는 시간. 방 하나에 300바이트"),
    limit!("max-memory", Bytes, 16 << 20, HUGE, max_memory,
                en: "memory of the whole process; other limits are lowered to fit. If not set, half of what the \
             container or the machine has",
        ko: "모든 것에 쓸 메모리. 다른 제한을 여기에 맞춰 낮춰요. 정하지 않으면 컨테이너나 컴퓨터 메모리의 절반"),
    limit!("linger", Time, 0, LONG, linger,
                en: "time for a closing connection to read what is pending, which stays in memory until then",
        ko: "닫는 연결이 나머지를 읽을 때까지 기다려 주는 시간. 그동안 보낼 것을 갖고 있어요"),
];

#[cfg(test)]
mod tests {
    use chat_proto::Localize;

    use super::*;

    #[test]
    fn every_field_has_its_row_and_every_row_its_field() {
        for limit in Limit::ALL {
            let mut limits = Limits::default();
            let before = (limit.value)(&limits);
            let other = if before == limit.bounds.least { before + 1 } else { limit.bounds.least };
            limit.set(&mut limits, &limit.bounds.unit.show(other)).expect("it is in range");
            assert_eq!((limit.value)(&limits), other, "{}", limit.name);
            let differing: Vec<_> = Limit::ALL
                .iter()
                .filter(|l| (l.value)(&limits) != (l.value)(&Limits::default()))
                .map(|l| l.name)
                .collect();
            assert_eq!(differing, [limit.name], "no row changes another's field");
        }
        // The derived form names the fields; those of each `RateLimit` are two rows.
        let debug = format!("{:?}", Limits::default());
        let rates = debug.matches("RateLimit").count();
        assert_eq!(Limit::ALL.len(), debug.matches(": ").count() - rates);
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_the_range() {
        let mut limits = Limits::default();
        for limit in Limit::ALL {
            for value in ["", "x", "-1", "1.5", "99999999999999999999"] {
                let error = limit.set(&mut limits, value).expect_err("it is no such quantity");
                for lang in Lang::ALL {
                    let error = error.localized(lang).to_string();
                    assert!(error.contains(&limit.range(lang)), "{error}");
                }
            }
        }
        assert_eq!(limits, Limits::default());
        let connections = Limit::named("connections").expect("there is one");
        let error = connections.set(&mut limits, "0").expect_err("it is out of range");
        assert_eq!(error.to_string(), "must be a whole number, from 1 to 1000000000");
    }

    #[test]
    fn every_limit_is_explained_in_every_language() {
        let is_hangul = |c| ('가'..='힣').contains(&c);
        // A number may stand beside another word, but each must occur in both.
        let numbers = |text: &str| {
            let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
            let mut numbers: Vec<_> = words
                .map(|word| word.trim_matches('.').to_owned())
                .filter(|word| !word.is_empty())
                .collect();
            numbers.sort();
            numbers
        };
        for limit in Limit::ALL {
            let [english, korean] = [Lang::En, Lang::Ko].map(|lang| limit.about(lang));
            assert!(!english.contains(is_hangul) && korean.contains(is_hangul), "{korean}");
            assert_eq!(numbers(english), numbers(korean), "{korean}");
            assert!(!english.contains(['\n', '|']) && !korean.contains(['\n', '|']), "one cell");
            let named = |text: &str| {
                let mut others = Limit::ALL.iter().filter(|l| l.name.contains('-'));
                others.any(|l| text.contains(l.name))
            };
            assert_eq!(named(english), named(korean), "{korean}");
        }
    }

    #[test]
    fn an_underscore_is_as_good_as_a_hyphen() {
        assert_eq!(Limit::named("slow_backlog").map(Limit::name), Some("slow-backlog"));
        assert!(Limit::named("slow backlog").is_none());
    }
}
