//! What is counted, as Prometheus reads it. The names are an interface: they stay.

use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

type Source = Box<dyn Fn(&mut MetricText) + Send + Sync>;

/// The counters of the server, and of whoever adds a source.
#[derive(Default)]
pub struct Metrics {
    connections: AtomicI64,
    refused: AtomicU64,
    /// By the first digit of the status.
    responses: [AtomicU64; 6],
    sources: Mutex<Vec<Source>>,
}

/// Counts one open connection until dropped.
pub(super) struct OpenConnection(Arc<Metrics>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}

impl Metrics {
    /// Adds someone who has counters of their own.
    pub fn add_source(&self, source: impl Fn(&mut MetricText) + Send + Sync + 'static) {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(source));
    }

    /// Counts an answer.
    pub fn responded(&self, status: http::StatusCode) {
        self.responses[usize::from(status.as_u16() / 100).min(5)].fetch_add(1, Relaxed);
    }

    pub(super) fn connection_open(self: &Arc<Self>) -> OpenConnection {
        self.connections.fetch_add(1, Relaxed);
        OpenConnection(self.clone())
    }

    pub(super) fn connection_refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// Returns everything in Prometheus' text format.
    pub fn render(&self) -> String {
        let mut text = MetricText::default();
        text.gauge(
            "forge_build_info",
            "The version that runs.",
            &[("version", env!("CARGO_PKG_VERSION"))],
            1,
        );
        text.gauge("forge_http_connections", "Open connections.", &[], self.connections.load(Relaxed));
        let refused = self.refused.load(Relaxed);
        text.counter(
            "forge_http_connections_refused_total",
            "Connections over the limit of their address.",
            &[],
            refused,
        );
        for (class, count) in self.responses.iter().enumerate().skip(1) {
            let class = format!("{class}xx");
            text.counter(
                "forge_http_responses_total",
                "Answers by status.",
                &[("class", &class)],
                count.load(Relaxed),
            );
        }
        for source in self.sources.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            source(&mut text);
        }
        text.0
    }
}

/// Text in Prometheus' format.
#[derive(Debug, Default)]
pub struct MetricText(String);

impl MetricText {
    /// Adds a value that only grows. Values of one name follow one another.
    pub fn counter(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: u64) {
        self.add("counter", name, help, labels, i128::from(value));
    }

    /// Adds a value that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: i64) {
        self.add("gauge", name, help, labels, i128::from(value));
    }

    fn add(&mut self, kind: &str, name: &str, help: &str, labels: &[(&str, &str)], value: i128) {
        let header = format!("# TYPE {name} {kind}\n");
        if !self.0.contains(&header) {
            let _ = write!(self.0, "# HELP {name} {help}\n{header}");
        }
        let labels: Vec<String> =
            labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_described_once_and_labels_are_escaped() {
        let metrics = Metrics::default();
        metrics.responded(http::StatusCode::NOT_FOUND);
        metrics.add_source(|text| {
            text.counter("forge_db_statements_total", "Statements.", &[("kind", "a\"b\n")], 7);
        });
        let text = metrics.render();
        assert_eq!(text.matches("# TYPE forge_http_responses_total counter").count(), 1);
        assert!(text.contains("forge_http_responses_total{class=\"4xx\"} 1\n"), "{text}");
        assert!(text.contains("forge_db_statements_total{kind=\"a\\\"b\\n\"} 7\n"), "{text}");
    }
}
