//! Compares `docs/METRICS.md` and the dashboard with what the server exports.

use std::collections::BTreeSet;

use serde_json::Value;

use super::exposition::Exposition;
use super::scrape::scrape;
use super::start;

const DOCUMENT: &str = include_str!("../../../../docs/METRICS.md");
const DASHBOARD: &str = include_str!("../../../../packaging/grafana-dashboard.json");

fn page() -> Exposition {
    let (_program, _, metrics) = start(&[]);
    scrape(metrics)
}

#[test]
fn the_tables_list_each_metric_with_its_type_and_its_help() {
    let page = page();
    let mut names = page.names();
    for line in DOCUMENT.lines() {
        let cells: Vec<_> = line.strip_prefix("| `").unwrap_or_default().split(" | ").collect();
        let [name, kind, meaning, action] = cells[..] else { continue };
        let name = name.split(['`', '{']).next().unwrap_or_default();
        let metric = names.remove(name).unwrap_or_else(|| panic!("no metric, or twice: {line}"));
        assert_eq!(kind, metric.kind, "{line}");
        assert!(meaning.starts_with(&metric.help), "{line}: begins with {:?}", metric.help);
        assert!(action.len() > 2, "{line}: what to do");
    }
    assert!(names.is_empty(), "docs/METRICS.md lacks {:?}", names.keys());
}

#[test]
fn the_document_explains_each_label_value() {
    let values = page().label_values();
    assert!(values.len() > 30, "{values:?}");
    for value in values.iter().filter(|value| *value != env!("CARGO_PKG_VERSION")) {
        assert!(DOCUMENT.contains(&format!("`{value}`")), "{value} is not in docs/METRICS.md");
    }
}

/// All strings under the key `expr`.
fn expressions<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("expr").and_then(Value::as_str));
            fields.values().for_each(|value| expressions(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_shows_each_metric_and_no_other() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("the dashboard is JSON");
    let mut found = Vec::new();
    expressions(&dashboard, &mut found);
    let page = page();
    let names = page.names();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = found.iter().flat_map(|expr| expr.split(|c| !is_part(c)));
    let shown: BTreeSet<_> = words
        .filter(|word| word.starts_with("chat_") || word.starts_with("process_"))
        .map(|word| {
            let parts = ["_bucket", "_sum", "_count"];
            let histogram = parts.iter().find_map(|part| word.strip_suffix(part));
            let histogram =
                histogram.filter(|name| names.get(*name).is_some_and(|m| m.kind == "histogram"));
            histogram.unwrap_or(word).to_owned()
        })
        .collect();
    assert_eq!(shown, names.keys().cloned().collect());
}

#[test]
fn the_panels_of_the_dashboard_stand_side_by_side() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("the dashboard is JSON");
    let panels = dashboard["panels"].as_array().expect("it has panels");
    let number = |panel: &Value, key: &str| panel["gridPos"][key].as_u64().expect("a number");
    let mut taken = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64()), "each panel has an id of its own");
        assert!(panel["title"].as_str().is_some_and(|title| !title.is_empty()));
        let (x, y) = (number(panel, "x"), number(panel, "y"));
        assert!(x + number(panel, "w") <= 24, "{}: the grid has 24 columns", panel["title"]);
        for x in x..x + number(panel, "w") {
            for y in y..y + number(panel, "h") {
                assert!(taken.insert((x, y)), "{}: on top of another", panel["title"]);
            }
        }
    }
}
