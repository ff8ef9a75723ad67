//! The outcome as a text table, which is also valid Markdown.

use super::summary::{Line, Outcome};
use crate::text_table::{self, significant, thousands};

/// The column titles, except for the fifth, which names the base. The first two columns are aligned left. The last
/// column is CPU time in % of a core: of the server, the generator, and all other processes.
const TITLES: [&str; 11] = [
    "shape",
    "server",
    "CPU µs",
    "of it user",
    "×",
    "from",
    "to",
    "delivered/s",
    "p50 µs",
    "p99 µs",
    "% server gen. others",
];

/// The outcome as a table.
pub fn table(outcome: &Outcome) -> String {
    let mut rows = Vec::new();
    let mut workload = String::new();
    for line in &outcome.lines {
        let described = line.workload.describe();
        let first = if described == workload { String::new() } else { described.clone() };
        rows.push(row(line, first));
        workload = described;
    }
    let wrong: Vec<String> = outcome.lines.iter().filter_map(wrong).collect();
    let base = format!("× {}", outcome.base);
    let mut titles = TITLES;
    titles[4] = &base;
    text_table::render(titles, &rows, 2) + &wrong.concat()
}

fn row(line: &Line, workload: String) -> [String; TITLES.len()] {
    let ratio =
        |ratio: Option<f64>| ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
    [
        workload,
        line.server.name().to_owned(),
        significant(line.cpu_us),
        significant(line.user_us),
        ratio(line.ratio),
        ratio(line.ratio_range.map(|range| range.0)),
        ratio(line.ratio_range.map(|range| range.1)),
        thousands(line.delivered_per_second),
        significant(line.p50_us),
        significant(line.p99_us),
        [line.busy, line.generator_busy, line.others_busy]
            .map(|share| format!("{:>5.0}", share * 100.0))
            .concat(),
    ]
}

fn wrong(line: &Line) -> Option<String> {
    (line.wrong > 0).then(|| {
        let (workload, server) = (line.workload.letter, line.server.name());
        format!("{workload} {server}: {} messages lost, repeated or misplaced\n", line.wrong)
    })
}

#[cfg(test)]
mod tests {
    use super::super::summary::tests::{dialect, round};
    use super::*;

    #[test]
    fn a_line_for_each_server_and_the_shape_once() {
        let mut lossy = round(0, "A", "nats+ws", 2.0);
        lossy.report.lost = 3;
        let outcome = Outcome::new(dialect("relay"), vec![round(0, "A", "relay", 0.5), lossy]);
        let text = table(&outcome);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert!(lines[0].contains("| × relay |"), "{text}");
        let width = lines[0].chars().count();
        assert!(lines[..4].iter().all(|line| line.chars().count() == width), "{text}");
        assert!(lines[2].starts_with("| A 10 × 10, W 32 | relay   |"), "{text}");
        assert!(lines[3].starts_with("|                 | nats+ws |"), "{text}");
        assert!(lines[3].contains("| 4.00 "), "{text}");
        assert_eq!(lines[4], "A nats+ws: 3 messages lost, repeated or misplaced");
    }
}
