//! A strict parser of the OpenMetrics text format: <https://prometheus.io/docs/specs/om/open_metrics_spec/>. It
//! rejects everything that it does not know.

use std::collections::{BTreeMap, BTreeSet};

/// A metric with all its samples.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) kind: String,
    pub(crate) help: String,
    unit: Option<String>,
    /// Samples: the name with labels, as written in the text, and the value.
    samples: Vec<(String, f64)>,
}

/// The scraped metrics, by name.
#[derive(Debug)]
pub(crate) struct Exposition(pub(crate) BTreeMap<String, Family>);

impl Exposition {
    pub(crate) fn parse(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("the text ends with # EOF");
        let mut families = BTreeMap::new();
        let mut lines = body.lines().peekable();
        while let Some(line) = lines.next() {
            let (name, help) = after(line, "# HELP ").expect("a metric begins with its HELP");
            assert!(help.ends_with('.') && help.len() > 5, "{line}: a sentence");
            let kind = lines.next().and_then(|line| after(line, "# TYPE "));
            let (_, kind) = kind.filter(|(of, _)| *of == name).expect("its TYPE comes next");
            let unit = lines.next_if(|line| line.starts_with("# UNIT "));
            let unit = unit.and_then(|line| after(line, "# UNIT ")).map(|(of, unit)| {
                assert_eq!(of, name);
                unit.to_owned()
            });
            let mut samples = Vec::new();
            while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
                samples.push(sample(line));
            }
            let (kind, help) = (kind.to_owned(), help.to_owned());
            let family = Family { kind, help, unit, samples };
            family.check(name);
            assert!(families.insert(name.to_owned(), family).is_none(), "{name} is there twice");
        }
        Self(families)
    }

    /// The value of a sample, by its name and labels as written in the text.
    pub(crate) fn value(&self, sample: &str) -> f64 {
        let all = self.0.values().flat_map(|family| &family.samples);
        let mut found = all.filter(|(name, _)| name == sample).map(|(_, value)| *value);
        found.next().unwrap_or_else(|| panic!("there is no {sample}"))
    }

    /// The metrics, by the names used in queries.
    pub(crate) fn names(&self) -> BTreeMap<String, &Family> {
        let named = |name: &String, family: &Family| match family.kind.as_str() {
            "counter" => format!("{name}_total"),
            "info" => format!("{name}_info"),
            _ => name.clone(),
        };
        self.0.iter().map(|(name, family)| (named(name, family), family)).collect()
    }

    /// All label values, except the bounds of buckets.
    pub(crate) fn label_values(&self) -> BTreeSet<String> {
        let samples = self.0.values().flat_map(|family| &family.samples);
        let labels = samples.filter_map(|(name, _)| name.split_once("=\""));
        labels
            .filter(|(name, _)| !name.ends_with("{le"))
            .map(|(_, v)| v.replace("\"}", ""))
            .collect()
    }
}

fn after<'a>(line: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    line.strip_prefix(prefix)?.split_once(' ')
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c == '_';
    !name.is_empty() && name.chars().all(fits)
}

/// A line with a value: at most one label, and neither time nor exemplar.
fn sample(line: &str) -> (String, f64) {
    let (id, value) = line.rsplit_once(' ').expect("a value stands behind a blank");
    let name = id.split_once('{').map_or(id, |(name, labels)| {
        let label = labels.strip_suffix("\"}").and_then(|label| label.split_once("=\""));
        let (key, value) = label.unwrap_or_else(|| panic!("{line}: a label"));
        assert!(is_name(key) && !value.is_empty(), "{line}");
        assert!(!value.contains(['"', '\\', ',', '{', '}', ' ']), "{line}: needs no escapes");
        name
    });
    assert!(is_name(name), "{line}: a name");
    let value: f64 = value.parse().unwrap_or_else(|e| panic!("{line}: {e}"));
    assert!(value.is_finite() && value >= 0.0, "{line}: all values are counts or amounts");
    (id.to_owned(), value)
}

impl Family {
    fn check(&self, name: &str) {
        assert!(name.starts_with("chat_") || name.starts_with("process_"), "{name}: a prefix");
        if let Some(unit) = &self.unit {
            assert!(["bytes", "seconds"].contains(&unit.as_str()), "{name}: a base unit");
            assert!(name.ends_with(&format!("_{unit}")), "{name} ends with its unit");
        }
        assert!(!self.samples.is_empty(), "{name} has samples");
        let ids: BTreeSet<_> = self.samples.iter().map(|(id, _)| id).collect();
        assert_eq!(ids.len(), self.samples.len(), "{name}: a sample is there twice");
        let suffixes: &[&str] = match self.kind.as_str() {
            "gauge" => &[""],
            "counter" => &["_total"],
            "info" => &["_info"],
            "histogram" => return self.check_histogram(name),
            kind => panic!("{name} has the type {kind}"),
        };
        assert!(!suffixes.contains(&"") || !name.ends_with("_total"), "{name} is no counter");
        for (id, _) in &self.samples {
            let suffix = id.split('{').next().and_then(|id| id.strip_prefix(name));
            assert!(suffix.is_some_and(|s| suffixes.contains(&s)), "{id} is a sample of {name}");
        }
    }

    fn check_histogram(&self, name: &str) {
        let of = |suffix: &str| {
            let id = format!("{name}_{suffix}");
            self.samples.iter().find(|(found, _)| *found == id).expect("sum and count").1
        };
        let bucket = format!("{name}_bucket{{le=\"");
        let bound = |id: &str| {
            let bound = id.strip_prefix(&bucket)?.strip_suffix("\"}")?;
            if bound == "+Inf" { Some(f64::INFINITY) } else { bound.parse::<f64>().ok() }
        };
        let buckets: Vec<_> =
            self.samples.iter().filter_map(|(id, n)| Some((bound(id)?, *n))).collect();
        assert_eq!(buckets.len() + 2, self.samples.len(), "{name} has nothing else");
        assert!(buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{name} is cumulative");
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, of("count"))), "{name} ends with all");
        assert!(of("sum") == 0.0 || of("count") > 0.0, "{name}: a sum is one of values");
    }
}
