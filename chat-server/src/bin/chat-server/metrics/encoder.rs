//! Metrics on their way into the text format, each with its description.

use std::fmt::{self, Display};

use chat_server::Histogram;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

/// A count has no unit. Other units end the name.
pub(super) const NONE: Option<&Unit> = None;
pub(super) const BYTES: Option<&Unit> = Some(&Unit::Bytes);
pub(super) const SECONDS: Option<&Unit> = Some(&Unit::Seconds);

/// Names go without their unit, and those of counters without `_total`.
pub(super) struct Encoder<'a>(DescriptorEncoder<'a>);

impl<'a> Encoder<'a> {
    pub(super) fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self(encoder)
    }

    pub(super) fn gauge(
        &mut self,
        name: &str,
        unit: Option<&Unit>,
        help: &str,
        value: u64,
    ) -> fmt::Result {
        self.one(name, unit, help, &ConstGauge::new(value))
    }

    /// A gauge for each value of a label.
    pub(super) fn gauges(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (impl Display, u64)>,
    ) -> fmt::Result {
        let values = values.into_iter().map(|(key, value)| (key, ConstGauge::new(value)));
        self.family(name, help, label, MetricType::Gauge, values)
    }

    /// A number of seconds.
    pub(super) fn seconds(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.one(name, SECONDS, help, &ConstGauge::new(value))
    }

    /// A number of seconds that only rises.
    pub(super) fn seconds_counter(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        self.one(name, SECONDS, help, &ConstCounter::new(value))
    }

    pub(super) fn counter(
        &mut self,
        name: &str,
        unit: Option<&Unit>,
        help: &str,
        value: u64,
    ) -> fmt::Result {
        self.one(name, unit, help, &ConstCounter::new(value))
    }

    /// A counter for each value of a label.
    pub(super) fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (impl Display, u64)>,
    ) -> fmt::Result {
        let values = values.into_iter().map(|(key, value)| (key, ConstCounter::new(value)));
        self.family(name, help, label, MetricType::Counter, values)
    }

    fn one(
        &mut self,
        name: &str,
        unit: Option<&Unit>,
        help: &str,
        metric: &impl EncodeMetric,
    ) -> fmt::Result {
        metric.encode(self.0.encode_descriptor(name, help, unit, metric.metric_type())?)
    }

    fn family(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        kind: MetricType,
        metrics: impl Iterator<Item = (impl Display, impl EncodeMetric)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, NONE, kind)?;
        for (key, metric) in metrics {
            let labels = [(label, key.to_string())];
            metric.encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// A histogram of values of which `per_unit` make one unit.
    pub(super) fn histogram(
        &mut self,
        name: &str,
        unit: Option<&Unit>,
        help: &str,
        histogram: &Histogram,
        per_unit: f64,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        let scaled = |value: u64| value as f64 / per_unit;
        let bound = |bound: Option<u64>| bound.map_or(f64::INFINITY, scaled);
        let buckets: Vec<_> = histogram.buckets().map(|(b, n)| (bound(b), n)).collect();
        let (sum, count) = (scaled(histogram.sum()), histogram.count());
        encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
    }
}
