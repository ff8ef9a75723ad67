//! The result for each attack, and all of them as a table.

use std::fmt;

use crate::strangers::Latencies;
use crate::text_table;

/// The most that a stranger's 99th percentile may be beside an attack: in ms, and as a multiple of the same without
/// it.
const MAX_MS: f64 = 10.0;
const MAX_RATIO: f64 = 5.0;

/// The result of one attack.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The attack.
    pub attack: &'static str,
    /// The strangers' latencies before the attack.
    pub alone: Latencies,
    /// Their latencies beside the attack.
    pub beside: Latencies,
    /// Share of a core that the server used meanwhile.
    pub busy: f64,
    /// Share of the time in which the server could not run, because other programs had its core.
    pub waited: f64,
    /// The harm done to people who behaved, apart from delay.
    pub harm: Option<String>,
    /// What the server did during the attack.
    pub did: String,
}

impl Line {
    /// The 99th percentile beside the attack, as a multiple of that before it.
    pub fn ratio(&self) -> f64 {
        self.beside.p99 / self.alone.p99.max(1e-3)
    }

    /// Whether nobody was harmed, and the strangers noticed little.
    pub fn is_fair(&self) -> bool {
        self.harm.is_none() && self.beside.p99 <= MAX_MS && self.ratio() <= MAX_RATIO
    }

    fn cells(&self) -> [String; 10] {
        let ms = |ms: f64| format!("{ms:.2}");
        let verdict = match &self.harm {
            Some(harm) => harm,
            None if self.is_fair() => "yes",
            None => "no",
        };
        [
            self.attack.to_owned(),
            verdict.to_owned(),
            self.did.clone(),
            ms(self.alone.p50),
            ms(self.alone.p99),
            ms(self.beside.p50),
            ms(self.beside.p99),
            format!("{:.1}", self.ratio()),
            ms(self.beside.late),
            format!("{:.0} / {:.0}", self.busy * 100.0, self.waited * 100.0),
        ]
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [attack, verdict, did, _, alone, _, beside, ratio, late, busy] = self.cells();
        write!(
            f,
            "{attack:<36} p99 {alone} -> {beside} ms, x {ratio}, {verdict}; {late} ms late; \
             server {busy} %; {did}"
        )
    }
}

/// The result as a table.
pub fn table(lines: &[Line]) -> String {
    const TITLES: [&str; 10] = [
        "attack",
        "fair",
        "the server",
        "p50 alone, ms",
        "p99 alone",
        "p50 beside",
        "p99 beside",
        "×",
        "late",
        "server %",
    ];
    let rows: Vec<_> = lines.iter().map(Line::cells).collect();
    text_table::render(TITLES, &rows, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fair_is_what_is_short_little_and_without_harm() {
        let times = |p99| Latencies { p50: 0.1, p99, ..Latencies::default() };
        let line = |alone, beside| Line {
            attack: "an attack",
            alone: times(alone),
            beside: times(beside),
            busy: 0.5,
            waited: 0.0,
            harm: None,
            did: String::new(),
        };
        assert!(line(0.2, 1.0).is_fair() && line(9.0, 10.0).is_fair());
        assert!(!line(0.2, 1.1).is_fair() && !line(9.0, 10.1).is_fair());
        let harmed = Line { harm: Some("cut off".to_owned()), ..line(0.2, 0.2) };
        assert!(!harmed.is_fair() && table(&[harmed]).contains("| cut off |"));
    }
}
