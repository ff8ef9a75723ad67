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
pub(super) struct Sheet<'a>(DescriptorEncoder<'a>);

impl<'a> Sheet<'a> {
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
        let encoder = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        ConstGauge::new(value).encode(encoder)
    }

    /// A gauge for each value of a label.
    pub(super) fn gauges(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (impl Display, u64)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, NONE, MetricType::Gauge)?;
        for (key, value) in values {
            let labels = [(label, key.to_string())];
            ConstGauge::new(value).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// A number of seconds.
    pub(super) fn seconds(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, SECONDS, MetricType::Gauge)?;
        ConstGauge::new(value).encode(encoder)
    }

    /// A number of seconds that only rises.
    pub(super) fn seconds_counter(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, SECONDS, MetricType::Counter)?;
        ConstCounter::new(value).encode(encoder)
    }

    pub(super) fn counter(
        &mut self,
        name: &str,
        unit: Option<&Unit>,
        help: &str,
        value: u64,
    ) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, unit, MetricType::Counter)?;
        ConstCounter::new(value).encode(encoder)
    }

    /// A counter for each value of a label.
    pub(super) fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (impl Display, u64)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, NONE, MetricType::Counter)?;
        for (key, value) in values {
            let labels = [(label, key.to_string())];
            ConstCounter::new(value).encode(encoder.encode_family(&labels)?)?;
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
