//! Times as people read them, in their time zone.

use jiff::{Timestamp, Zoned};

/// Returns the time of day.
pub(crate) fn now() -> String {
    Zoned::now().strftime("%H:%M").to_string()
}

/// Returns the time of day of a time in ms since 1970, with the date before it unless it is today.
pub(crate) fn time_of(ms: u64) -> String {
    written(ms, &Zoned::now())
}

fn written(ms: u64, now: &Zoned) -> String {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    // A time that no calendar has is one that a server has made up.
    let Ok(time) = Timestamp::from_millisecond(ms) else { return "--:--".to_owned() };
    let time = time.to_zoned(now.time_zone().clone());
    let format = if time.date() == now.date() { "%H:%M" } else { "%m-%d %H:%M" };
    time.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn the_date_is_written_unless_it_is_today() {
        let now = Timestamp::from_second(86_400 * 3).expect("a time").to_zoned(TimeZone::UTC);
        assert_eq!(written(86_400_000 * 3 + 60_000, &now), "00:01");
        assert_eq!(written(86_400_000 * 3 - 60_000, &now), "01-03 23:59");
        assert_eq!(written(u64::MAX, &now), "--:--");
    }
}
