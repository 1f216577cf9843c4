//! Records as JSON in Chrome's trace event format, which Perfetto and
//! `chrome://tracing` open: <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>.
//!
//! Each poll is a complete event ("X") on its thread; each check is an asynchronous slice
//! ("b", "e") from its due time to its end, with its waits inside.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::domain::{Moment, Phase, RanOn, SiteId};

use super::check_record::CheckRecord;
use super::spans::{Activity, spans};

#[derive(Serialize)]
struct Event<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    cat: &'a str,
    ph: &'a str,
    /// Microseconds since the program's clock began.
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    pid: u32,
    tid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    args: BTreeMap<&'a str, String>,
}

impl<'a> Event<'a> {
    fn new(ph: &'a str, name: &'a str, who: (u32, u32)) -> Self {
        Self {
            name,
            cat: "",
            ph,
            ts: None,
            dur: None,
            pid: who.0,
            tid: who.1,
            id: None,
            args: BTreeMap::new(),
        }
    }

    fn at(self, moment: Moment) -> Self {
        Self {
            ts: Some(micros(moment)),
            ..self
        }
    }
}

fn micros(moment: Moment) -> f64 {
    moment.as_nanos() as f64 / 1e3
}

const fn waiting(phase: Option<Phase>) -> &'static str {
    match phase {
        Some(Phase::Dns) => "waits: dns",
        Some(Phase::Connect) => "waits: connect",
        Some(Phase::Tls) => "waits: tls",
        Some(Phase::FirstByte) => "waits: first byte",
        Some(Phase::Body) => "waits: body",
        None => "waits",
    }
}

/// Writes `records` to `out` as one JSON document. `name` gives the name of a site; `threads`
/// are those whose names are written besides the threads of the records.
///
/// # Errors
/// If writing to `out` fails.
pub fn write_chrome<'a>(
    out: &mut impl Write,
    records: impl IntoIterator<Item = &'a CheckRecord>,
    threads: impl IntoIterator<Item = &'a RanOn>,
    name: impl Fn(SiteId) -> String,
) -> io::Result<()> {
    out.write_all(b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n")?;
    let mut writer = Events { out, first: true };
    let mut known: BTreeMap<(u32, u32), &RanOn> = BTreeMap::new();
    for who in threads {
        known.insert((who.pid, who.tid), who);
    }
    for (number, record) in records.into_iter().enumerate() {
        let who = &record.ran_on;
        known.entry((who.pid, who.tid)).or_insert(who);
        writer.record(record, number, &name(record.site()))?;
    }
    let mut process = None;
    for ((pid, tid), who) in known {
        if process != Some(pid) {
            process = Some(pid);
            let name = format!("squirrel {pid} on {}", who.host);
            writer.name("process_name", (pid, tid), name)?;
        }
        writer.name("thread_name", (pid, tid), who.thread.to_string())?;
    }
    out.write_all(b"\n]}\n")
}

struct Events<'a, W> {
    out: &'a mut W,
    first: bool,
}

impl<W: Write> Events<'_, W> {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        if !std::mem::take(&mut self.first) {
            self.out.write_all(b",\n")?;
        }
        serde_json::to_writer(&mut *self.out, event).map_err(io::Error::from)
    }

    fn name(&mut self, what: &str, who: (u32, u32), name: String) -> io::Result<()> {
        let mut event = Event::new("M", what, who);
        event.args.insert("name", name);
        self.event(&event)
    }

    fn record(&mut self, record: &CheckRecord, number: usize, name: &str) -> io::Result<()> {
        let who = (record.ran_on.pid, record.ran_on.tid);
        let id = Some(format!("{number:x}"));
        let mut begin = Event {
            cat: "check",
            id: id.clone(),
            ..Event::new("b", name, who).at(record.job.due)
        };
        if let Some(found) = record.found {
            begin
                .args
                .insert("verdict", found.verdict.word().to_owned());
            if let Some(reason) = found.reason {
                begin.args.insert("reason", reason.word().to_owned());
            }
        }
        self.event(&begin)?;
        let mut events = Vec::new();
        spans(record, |span| events.push(span));
        for span in events {
            let what = match span.activity {
                Activity::Queued => "queued",
                Activity::Waiting(phase) => waiting(phase),
                Activity::Ready => "ready, no thread is free",
                Activity::Locked => "waits for the interpreter lock",
                Activity::Running => name,
            };
            if let Some(tid) = span.tid {
                let cat = match span.activity {
                    Activity::Locked => "lock",
                    _ => "poll",
                };
                self.event(&Event {
                    cat,
                    dur: Some(micros(span.to) - micros(span.from)),
                    ..Event::new("X", what, (record.ran_on.pid, tid)).at(span.from)
                })?;
                continue;
            }
            for (ph, at) in [("b", span.from), ("e", span.to)] {
                self.event(&Event {
                    cat: "check",
                    id: id.clone(),
                    ..Event::new(ph, what, who).at(at)
                })?;
            }
        }
        self.event(&Event {
            cat: "check",
            id,
            ..Event::new("e", name, who).at(record.ended)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::JobId;
    use crate::trace::poll_log::{PollLog, Slice, SliceKind};

    #[test]
    fn polls_stand_on_their_threads_and_checks_are_whole() {
        let at = Moment::from_nanos;
        let ran_on = RanOn {
            host: "web-1".into(),
            pid: 10,
            tid: 11,
            thread: "async-1".into(),
        };
        let record = CheckRecord {
            job: JobId {
                site: SiteId::from_index(0),
                due: at(1_000),
            },
            started: at(2_000),
            ended: at(9_000),
            ran_on,
            log: PollLog {
                slices: smallvec::smallvec![Slice {
                    ready: at(2_000),
                    start: at(2_000),
                    end: at(4_500),
                    tid: 12,
                    doing: SliceKind::Running,
                }],
                ..PollLog::default()
            },
            found: None,
        };
        let mut out = Vec::new();
        write_chrome(&mut out, [&record], [], |_| "pay \"x\"".to_owned()).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let events = json["traceEvents"].as_array().unwrap();
        let of = |ph: &str| -> Vec<_> { events.iter().filter(|event| event["ph"] == ph).collect() };
        let polls = of("X");
        assert_eq!(polls.len(), 1);
        assert_eq!(polls[0]["tid"], 12);
        assert_eq!(polls[0]["ts"], 2.0);
        assert_eq!(polls[0]["dur"], 2.5);
        assert_eq!(polls[0]["name"], "pay \"x\"");
        assert_eq!(of("b").len(), of("e").len());
        assert_eq!(of("b")[0]["ts"], 1.0);
        let names: Vec<_> = of("M").iter().map(|event| &event["args"]["name"]).collect();
        assert_eq!(names, ["squirrel 10 on web-1", "async-1"]);
    }
}
