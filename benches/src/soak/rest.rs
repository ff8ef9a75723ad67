//! The expected metrics of a server at rest.

use crate::measure::metrics::Metrics;

/// Metrics that are 0 when nobody is connected, and counters of what never happens.
const ZEROS: [&str; 7] = [
    "chat_connections",
    "chat_members",
    "chat_rooms",
    "chat_backlog_bytes",
    "chat_requests_pending",
    "chat_accept_failures_total",
    "chat_panics_total",
];

/// Metrics that are equal when nobody is connected.
const SAME: (&str, &str) = ("chat_connections_accepted_total", "chat_connections_closed_total");

/// The metrics that are wrong once everybody is gone.
pub(super) fn faults(metrics: &Metrics) -> Vec<String> {
    let mut faults = Vec::new();
    for name in ZEROS {
        match metrics.sum(name) {
            Some(0.0) => {}
            Some(sum) => faults.push(format!("{name} is {sum} at the end")),
            None => faults.push(format!("/metrics has no {name}")),
        }
    }
    let (accepted, closed) = (metrics.sum(SAME.0), metrics.sum(SAME.1));
    if accepted.is_none() || accepted != closed {
        faults.push(format!("{} is {accepted:?}, {} is {closed:?}", SAME.0, SAME.1));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(rooms: u32, closed: u32) -> Metrics {
        let mut page =
            format!("HTTP/1.1 200 OK\r\n\r\n# TYPE chat_rooms gauge\nchat_rooms {rooms}\n");
        for name in ZEROS.iter().filter(|&&name| name != "chat_rooms") {
            page += &format!("{name}{{state=\"a b\"}} 0\n");
        }
        page += &format!("{} 7\n{}{{reason=\"lost\"}} 5\n", SAME.0, SAME.1);
        page += &format!("{}{{reason=\"stopped\"}} {closed}\n# EOF\n", SAME.1);
        Metrics::of(page)
    }

    #[test]
    fn what_is_left_over_is_a_fault() {
        assert_eq!(faults(&page(0, 2)), [""; 0]);
        assert_eq!(faults(&page(1, 2)), ["chat_rooms is 1 at the end"]);
        let [fault] = &faults(&page(0, 1))[..] else { panic!("there is one") };
        assert!(fault.contains("Some(7.0)") && fault.contains("Some(6.0)"), "{fault}");
        assert_eq!(faults(&Metrics::of(String::new())).len(), ZEROS.len() + 1);
    }
}
