//! The text format 0.0.4 of Prometheus: all samples of a metric together, after its help and
//! type. Written a piece at a time, so that a million sites need no text of a gigabyte.
//!
//! The format: <https://prometheus.io/docs/instrumenting/exposition_formats/>. The names and
//! help texts of `probe_…` are those of blackbox_exporter.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::Duration;

use crate::domain::{CheckResult, Phases, Silence, Verdict};
use crate::monitor::State;

use super::page::{MonitorMetrics, SiteMetrics};

/// The bytes that are written at a time.
const PIECE_BYTES: usize = 128 * 1_024;

/// The value of the `Content-Type` header.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A metric family with samples of every site.
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    /// Writes the samples of one site.
    write: fn(&Self, &Labelled, &mut String),
}

/// A site with its labels, as they stand before each of its samples.
#[derive(Debug)]
struct Labelled {
    row: SiteMetrics,
    labels: Box<str>,
}

impl Labelled {
    /// The last check; `None` if it is inconclusive or old, or the site is paused.
    fn check(&self) -> Option<&CheckResult> {
        let last = self.row.last.as_deref()?;
        let speaks = last.verdict != Verdict::Unknown
            && self.row.state != State::Paused
            && !self.row.stalled;
        speaks.then_some(last)
    }
}

const FAMILIES: [Family; 10] = [
    Family {
        name: "probe_success",
        kind: "gauge",
        help: "Displays whether or not the probe was a success",
        write: |family, of, out| {
            if let Some(check) = of.check() {
                family.sample(of, u8::from(!check.failed()), out);
            }
        },
    },
    Family {
        name: "probe_duration_seconds",
        kind: "gauge",
        help: "Returns how long the probe took to complete in seconds",
        write: |family, of, out| {
            if let Some(check) = of.check() {
                family.sample(of, check.latency.as_secs_f64(), out);
            }
        },
    },
    Family {
        name: "probe_dns_lookup_time_seconds",
        kind: "gauge",
        help: "Returns the time taken for probe dns lookup in seconds",
        write: |family, of, out| {
            if let Some(time) = of.check().and_then(|check| sum(check, |phases| phases.dns)) {
                family.sample(of, time.as_secs_f64(), out);
            }
        },
    },
    Family {
        name: "probe_http_duration_seconds",
        kind: "gauge",
        help: "Duration of http request by phase, summed over all redirects",
        write: |family, of, out| {
            let Some(check) = of.check() else { return };
            for (phase, time) in [
                ("resolve", sum(check, |phases| phases.dns)),
                ("connect", sum(check, |phases| phases.connect)),
                ("tls", sum(check, |phases| phases.tls)),
                ("processing", sum(check, |phases| phases.first_byte)),
            ] {
                if let Some(time) = time {
                    family.sample_with(of, "phase", phase, time.as_secs_f64(), out);
                }
            }
        },
    },
    Family {
        name: "probe_http_status_code",
        kind: "gauge",
        help: "Response HTTP status code",
        write: |family, of, out| {
            // blackbox_exporter says 0 where no response came, and alerts depend on that.
            if let Some(check) = of.check() {
                family.sample(of, check.status.unwrap_or(0), out);
            }
        },
    },
    Family {
        name: "probe_ssl_earliest_cert_expiry",
        kind: "gauge",
        help: "Returns last SSL chain expiry in unixtime",
        write: |family, of, out| {
            if let Some(certificate) = of.check().and_then(|check| check.certificate.as_ref()) {
                let seconds = certificate.not_after.as_micros().div_euclid(1_000_000);
                family.sample(of, seconds, out);
            }
        },
    },
    Family {
        name: "squirrel_late_seconds",
        kind: "gauge",
        help: "How long after it was due the last check was started",
        write: |family, of, out| {
            if let Some(last) = &of.row.last {
                family.sample(of, last.late.as_secs_f64(), out);
            }
        },
    },
    Family {
        name: "squirrel_missed_checks_total",
        kind: "counter",
        help: "Checks that could not be started before they were due again",
        write: |family, of, out| family.sample(of, of.row.missed, out),
    },
    Family {
        name: "squirrel_site_state",
        kind: "gauge",
        help: "1 for the state that the site is in; down is confirmed, suspect is not yet",
        write: |family, of, out| family.sample_with(of, "state", word(of.row.state), 1, out),
    },
    Family {
        name: "squirrel_site_silenced",
        kind: "gauge",
        help: "1 while nobody is told of the site, because of maintenance or of its parent",
        write: |family, of, out| {
            let why = match of.row.silence {
                Some(Silence::Maintenance(_)) => "maintenance",
                Some(_) => "parent",
                None => return,
            };
            family.sample_with(of, "why", why, 1, out);
        },
    },
];

const fn word(state: State) -> &'static str {
    match state {
        State::Down => "down",
        State::Suspect => "suspect",
        State::Unknown => "unknown",
        State::Missed => "missed",
        State::Degraded => "degraded",
        State::Pending => "pending",
        State::Up => "up",
        State::Paused => "paused",
    }
}

/// The time of a phase summed over all requests of a check, redirects included; `None` if no
/// request had it.
fn sum(check: &CheckResult, phase: impl Fn(&Phases) -> Option<Duration>) -> Option<Duration> {
    if check.requests.is_empty() {
        return phase(&check.phases);
    }
    let times = check
        .requests
        .iter()
        .filter_map(|request| phase(&request.phases));
    times.reduce(|sum, time| sum + time)
}

impl Family {
    fn head(&self, out: &mut String) {
        let Self {
            name, kind, help, ..
        } = self;
        head(name, kind, help, out);
    }

    fn sample(&self, of: &Labelled, value: impl std::fmt::Display, out: &mut String) {
        out.push_str(self.name);
        out.push('{');
        out.push_str(&of.labels);
        put(out, format_args!("}} {value}\n"));
    }

    fn sample_with(
        &self,
        of: &Labelled,
        label: &str,
        word: &str,
        value: impl std::fmt::Display,
        out: &mut String,
    ) {
        out.push_str(self.name);
        out.push('{');
        out.push_str(&of.labels);
        put(out, format_args!(",{label}=\"{word}\"}} {value}\n"));
    }
}

fn head(name: &str, kind: &str, help: &str, out: &mut String) {
    put(
        out,
        format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"),
    );
}

/// A gauge of the whole monitor.
fn gauge(name: &str, help: &str, value: impl std::fmt::Display, out: &mut String) {
    head(name, "gauge", help, out);
    put(out, format_args!("{name} {value}\n"));
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    let _written = out.write_fmt(text);
}

/// `label="value"`, escaped as the format requires.
fn label(name: &str, value: &str, out: &mut String) {
    out.push_str(name);
    out.push_str("=\"");
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The body of a scrape, piece by piece.
#[derive(Debug)]
pub struct Exposition {
    rows: Vec<Labelled>,
    /// The index of the family and of the site that come next.
    family: usize,
    row: usize,
    monitor: MonitorMetrics,
    pending: Option<u64>,
}

impl Exposition {
    /// The exposition of these sites. A site that is listed twice, because the configuration
    /// changed while pages were read, has samples once. `pending` is `None` where the number is
    /// not known.
    #[must_use]
    pub fn new(rows: Vec<SiteMetrics>, monitor: MonitorMetrics, pending: Option<u64>) -> Self {
        let mut seen = HashSet::with_capacity(rows.len());
        let once: Vec<bool> = rows
            .iter()
            .map(|row| seen.insert(&*row.site.name))
            .collect();
        drop(seen);
        let rows = rows
            .into_iter()
            .zip(once)
            .filter_map(|(row, first)| {
                let mut labels = String::new();
                label("name", &row.site.name, &mut labels);
                labels.push(',');
                label("instance", row.site.spec.url.shown(), &mut labels);
                first.then(|| Labelled {
                    labels: labels.into_boxed_str(),
                    row,
                })
            })
            .collect();
        Self {
            rows,
            family: 0,
            row: 0,
            monitor,
            pending,
        }
    }

    fn whole(&self, out: &mut String) {
        let of = &self.monitor;
        gauge(
            "squirrel_checks_in_flight",
            "Checks that are under way",
            of.in_flight,
            out,
        );
        gauge(
            "squirrel_blind",
            "1 while nothing can be seen: the network of the monitor is at fault, not the sites",
            u8::from(of.blind),
            out,
        );
        gauge(
            "squirrel_outages_open",
            "Sites whose outage is confirmed",
            of.outages_open,
            out,
        );
        if let Some(pending) = self.pending {
            gauge(
                "squirrel_outbox_pending",
                "Messages to owners that are not delivered yet",
                pending,
                out,
            );
        }
        if of.channels.is_empty() {
            return;
        }
        let name = "squirrel_channel_up";
        head(
            name,
            "gauge",
            "1 if the last attempt to deliver by this channel was taken",
            out,
        );
        for channel in &of.channels {
            out.push_str(name);
            out.push('{');
            label("owner", &channel.owner, out);
            out.push(',');
            label("channel", &channel.channel, out);
            put(out, format_args!("}} {}\n", u8::from(channel.up)));
        }
    }
}

impl Iterator for Exposition {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut out = String::with_capacity(PIECE_BYTES + 4_096);
        while out.len() < PIECE_BYTES {
            let Some(family) = FAMILIES.get(self.family) else {
                if self.family == FAMILIES.len() {
                    self.family += 1;
                    self.whole(&mut out);
                }
                break;
            };
            if self.row == 0 {
                family.head(&mut out);
            }
            while let Some(row) = self.rows.get(self.row)
                && out.len() < PIECE_BYTES
            {
                (family.write)(family, row, &mut out);
                self.row += 1;
            }
            if self.row == self.rows.len() {
                (self.family, self.row) = (self.family + 1, 0);
            }
        }
        (!out.is_empty()).then_some(out)
    }
}
