//! The outcome as a bar chart in SVG.
//!
//! The first panel shows the cost as a multiple of the base's, on a linear scale, since the relevant differences lie
//! between a half and three; without a base, it shows the cost itself, on a logarithmic scale. The second panel shows
//! the latencies of the open loops, if there are any.

use std::fmt::Write;

use super::summary::{Line, Outcome};
use crate::load::{Dialect, Form, Pace, Protocol};
use crate::text_table::significant;

const MARGIN: f64 = 64.0;
const MIN_WIDTH: f64 = 720.0;
const BAR: f64 = 34.0;
const GROUP_GAP: f64 = 26.0;
const PANEL_HEIGHT: f64 = 260.0;
const TITLE_HEIGHT: f64 = 66.0;
const LABEL_HEIGHT: f64 = 58.0;

/// The longest bar, as a multiple of the base's. A longer one would flatten all others.
const MAX_RATIO: f64 = 5.0;

struct Panel {
    title: String,
    groups: Vec<Group>,
    logarithmic: bool,
}

struct Group {
    labels: [String; 2],
    bars: Vec<(Dialect, f64)>,
}

/// Maps values to positions between the bottom (0) and the top (1) of a panel.
struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
}

/// The outcome as an SVG image.
pub fn svg(outcome: &Outcome) -> String {
    let panels: Vec<Panel> =
        [cost_panel(outcome), latency_panel(outcome)].into_iter().flatten().collect();
    let width = panels.iter().map(Panel::width).fold(MIN_WIDTH, f64::max);
    let panel_height = TITLE_HEIGHT + PANEL_HEIGHT + LABEL_HEIGHT;
    let height = panel_height * panels.len() as f64 + 12.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"12\" \
         fill=\"#222\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (number, panel) in panels.iter().enumerate() {
        let top = panel_height * number as f64;
        let _ = writeln!(text, "<g transform=\"translate(0 {top:.0})\">");
        panel.draw(&mut text, width);
        text += "</g>\n";
    }
    text + "</svg>\n"
}

fn cost_panel(outcome: &Outcome) -> Option<Panel> {
    let ratios = outcome.lines.iter().any(|line| line.ratio.is_some());
    let value = |line: &Line| if ratios { line.ratio } else { Some(line.cpu_us) };
    let base = outcome.base;
    let scale = if ratios { format!("{base} = 1") } else { "in µs, logarithmic".to_owned() };
    let title = format!("Server CPU time per delivered message, {scale} (less is better)");
    let groups = groups(outcome, |lines| {
        let floor = lines.iter().find(|line| line.server == base);
        let floor = floor.map(|line| format!("{base} {} µs", significant(line.cpu_us)));
        let bars = lines.iter().filter_map(|line| Some((line.server, value(line)?))).collect();
        let labels = [lines[0].workload.describe(), floor.unwrap_or_default()];
        vec![Group { labels, bars }]
    });
    (!groups.is_empty()).then_some(Panel { title, groups, logarithmic: !ratios })
}

fn latency_panel(outcome: &Outcome) -> Option<Panel> {
    let groups = groups(outcome, |lines| {
        if !matches!(lines[0].workload.pace, Pace::Open { .. }) {
            return Vec::new();
        }
        let group = |label: &str, value: fn(&Line) -> f64| Group {
            labels: [lines[0].workload.describe(), label.to_owned()],
            bars: lines.iter().map(|line| (line.server, value(line))).collect(),
        };
        vec![group("p50", |line| line.p50_us), group("p99", |line| line.p99_us)]
    });
    let title = "Latency at a fixed rate, in µs, logarithmic (less is better)".to_owned();
    (!groups.is_empty()).then_some(Panel { title, groups, logarithmic: true })
}

/// Groups for the lines of each workload, made by `make`.
fn groups(outcome: &Outcome, make: impl Fn(&[Line]) -> Vec<Group>) -> Vec<Group> {
    let groups = outcome.lines.chunk_by(|a, b| a.workload == b.workload).flat_map(make);
    groups.filter(|group| !group.bars.is_empty()).collect()
}

const fn color(kind: Dialect) -> &'static str {
    match (kind.protocol, kind.form) {
        (Protocol::Relay, _) => "#9aa5b1",
        (Protocol::Chat, Form::Plain) => "#1769aa",
        (Protocol::Chat, Form::Ws) => "#5aa0d8",
        (Protocol::Chat, Form::Tls) => "#0b3558",
        (Protocol::Chat, Form::Wss) => "#7d8fd9",
        (Protocol::Redis, _) => "#c8452f",
        (Protocol::Nats, Form::Plain) => "#3a8f5c",
        (Protocol::Nats, Form::Ws) => "#84c29b",
        (Protocol::Nats, Form::Tls) => "#1d4a2f",
        (Protocol::Nats, Form::Wss) => "#a3b86c",
    }
}

impl Group {
    /// The width that the bars and the label need.
    fn width(&self) -> f64 {
        (self.bars.len() as f64 * BAR).max(self.labels[0].chars().count() as f64 * 6.4) + GROUP_GAP
    }
}

impl Panel {
    fn width(&self) -> f64 {
        self.groups.iter().map(Group::width).sum::<f64>() + 1.5 * MARGIN
    }

    fn scale(&self) -> Scale {
        let values = || self.groups.iter().flat_map(|group| group.bars.iter().map(|bar| bar.1));
        let greatest = values().fold(0.0, f64::max);
        if !self.logarithmic {
            let high = (greatest * 2.0).ceil() / 2.0;
            return Scale { low: 0.0, high: high.clamp(1.5, MAX_RATIO), logarithmic: false };
        }
        let least = values().filter(|&value| value > 0.0).fold(greatest, f64::min).max(1e-3);
        let (low, high) = (10f64.powf(least.log10().floor()), 10f64.powf(greatest.log10().ceil()));
        Scale { low, high: high.max(low * 10.0), logarithmic: true }
    }

    fn draw(&self, text: &mut String, width: f64) {
        let scale = self.scale();
        let bottom = TITLE_HEIGHT + PANEL_HEIGHT;
        let _ = writeln!(
            text,
            "<text x=\"{MARGIN}\" y=\"24\" font-size=\"15\" font-weight=\"bold\">{}</text>",
            self.title
        );
        self.draw_legend(text);
        for tick in scale.ticks() {
            let y = bottom - scale.share(tick) * PANEL_HEIGHT;
            let base = !self.logarithmic && tick == 1.0;
            let stroke = if base { "#555\" stroke-dasharray=\"5 3" } else { "#ddd" };
            let _ = writeln!(
                text,
                "<line x1=\"{MARGIN}\" x2=\"{:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"{stroke}\"/>\
                 <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                width - MARGIN / 2.0,
                MARGIN - 8.0,
                y + 4.0,
                number(tick)
            );
        }
        let mut left = MARGIN;
        for group in &self.groups {
            group.draw(text, left, bottom, &scale);
            left += group.width();
        }
    }

    fn draw_legend(&self, text: &mut String) {
        let mut left = MARGIN;
        for (kind, name) in Dialect::ALL {
            if self.groups.iter().any(|group| group.bars.iter().any(|bar| bar.0 == kind)) {
                let _ = writeln!(
                    text,
                    "<rect x=\"{left:.0}\" y=\"35\" width=\"12\" height=\"12\" fill=\"{}\"/>\
                     <text x=\"{:.0}\" y=\"46\">{}</text>",
                    color(kind),
                    left + 17.0,
                    name
                );
                left += 80.0;
            }
        }
    }
}

impl Group {
    fn draw(&self, text: &mut String, left: f64, bottom: f64, scale: &Scale) {
        let bars = self.bars.len() as f64 * BAR;
        let middle = left + self.width() / 2.0;
        for (number, (kind, value)) in self.bars.iter().enumerate() {
            let x = middle - bars / 2.0 + number as f64 * BAR;
            let height = scale.share(*value) * PANEL_HEIGHT;
            let _ = writeln!(
                text,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"{}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"10.5\">{}</text>",
                x + 1.5,
                bottom - height,
                BAR - 3.0,
                color(*kind),
                x + BAR / 2.0,
                bottom - height - 4.0,
                if scale.logarithmic { significant(*value) } else { format!("{value:.2}") }
            );
        }
        for (number, label) in self.labels.iter().enumerate() {
            let y = bottom + 18.0 + number as f64 * 16.0;
            let fill = if number == 0 { "#222" } else { "#666" };
            let _ = writeln!(
                text,
                "<text x=\"{middle:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" fill=\"{fill}\">{label}</text>"
            );
        }
    }
}

impl Scale {
    fn share(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
    }

    fn ticks(&self) -> Vec<f64> {
        let mut ticks = vec![self.low];
        while let Some(&last) = ticks.last().filter(|&&last| last < self.high * 0.999) {
            ticks.push(if self.logarithmic { last * 10.0 } else { last + 0.5 });
        }
        ticks
    }
}

/// A tick's label, without trailing zeros.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::summary::tests::{dialect, round};
    use super::*;

    #[test]
    fn scales_put_values_where_they_belong() {
        let linear = Scale { low: 0.0, high: 2.0, logarithmic: false };
        assert_eq!(
            [0.0, 1.0, 2.0, 9.0, f64::NAN].map(|v| linear.share(v)),
            [0.0, 0.5, 1.0, 1.0, 0.0]
        );
        assert_eq!(linear.ticks(), [0.0, 0.5, 1.0, 1.5, 2.0]);
        let logarithmic = Scale { low: 0.1, high: 100.0, logarithmic: true };
        assert!((logarithmic.share(1.0) - 1.0 / 3.0).abs() < 1e-9);
        assert_eq!(logarithmic.share(0.0), 0.0);
        assert_eq!(logarithmic.ticks().len(), 4);
        assert_eq!([0.0, 0.5, 100.0].map(number), ["0", "0.5", "100"]);
    }

    #[test]
    fn a_chart_has_a_bar_for_every_line_and_is_well_formed() {
        let rounds = [
            round(0, "A", "relay", 0.2),
            round(0, "A", "redis", 0.5),
            round(0, "F", "relay", 5.0),
            round(0, "F", "redis", 7.0),
        ];
        let text = svg(&Outcome::new(dialect("relay"), rounds.to_vec()));
        // The background, two legends with two entries, four costs, and two latencies for each of two servers.
        assert_eq!(text.matches("<rect").count(), 1 + 4 + 4 + 4);
        assert!(text.contains(">2.50</text>") && text.contains("relay 0.200 µs"));
        for tag in ["svg", "g", "text"] {
            let opened = text.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, text.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        assert!(!text.contains("NaN"));
    }

    #[test]
    fn without_the_base_the_cost_itself_is_drawn() {
        let text = svg(&Outcome::new(dialect("relay"), vec![round(0, "B", "nats", 8.0)]));
        assert!(text.contains("in µs, logarithmic") && text.contains(">8.00</text>"));
    }
}
