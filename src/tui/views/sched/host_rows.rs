//! The rows of the Scheduling screen behind a queue: the broker first, then each host, its
//! workers, and the lanes of their threads. Pure: decides the order of rows and their texts.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::{RanOn, brief, clean};
use crate::paradigm::{QueueFigures, WorkerFigures};
use crate::tui::format::{count, cut, plural};
use crate::tui::view_model::Tone;

/// From this width on texts are written in full, below it abbreviated.
const WIDE: usize = 100;

/// Cells of the broker's URL that are shown even where room is short.
const LEAST_URL: usize = 12;

/// A row: a line of text or a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HostRow {
    /// A line of text.
    Sentence(String, Tone),
    /// The lane with this index; true if its worker is gone.
    Lane(usize, bool),
    /// An empty lane, of a worker that has run no check yet.
    Idle(RanOn),
}

/// All rows in order. `lanes` are the threads that ran checks on this page; `room` is the width
/// of a line of text, in cells.
pub(super) fn by_host(queue: &QueueFigures, lanes: &[&RanOn], room: usize) -> Vec<HostRow> {
    let mut host_rows = vec![broker(queue, room)];
    let lane_hosts: Vec<String> = lanes.iter().map(|who| clean(&who.host, 64)).collect();
    let of_workers = queue.workers.iter().map(|worker| worker.host.clone());
    let hosts: BTreeSet<String> = of_workers.chain(lane_hosts.iter().cloned()).collect();
    if hosts.is_empty() {
        let text = "no worker has reported yet".to_owned();
        host_rows.push(HostRow::Sentence(text, Tone::Warn));
    }
    for host in hosts {
        let workers = queue.workers.iter().filter(|worker| worker.host == host);
        let workers: Vec<_> = workers.collect();
        host_rows.push(HostRow::Sentence(
            host_sentence(queue, &host, &workers, room),
            Tone::Info,
        ));
        let mut here: Vec<usize> = (0..lanes.len())
            .filter(|lane| lane_hosts[*lane] == host)
            .collect();
        for worker in &workers {
            host_rows.push(worker_sentence(worker, room));
            let (own, others): (Vec<usize>, Vec<usize>) = here
                .iter()
                .partition(|lane| lanes[**lane].pid == worker.pid);
            here = others;
            // A stock Celery worker runs checks in child processes, which have their own lanes.
            let ours = worker.software.starts_with("squirrel");
            if own.is_empty() && worker.alive && (ours || here.is_empty()) {
                host_rows.push(HostRow::Idle(RanOn {
                    host: host.as_str().into(),
                    pid: worker.pid,
                    tid: worker.pid,
                    thread: if ours { "celery-worker" } else { "worker" }.into(),
                }));
            }
            host_rows.extend(
                own.into_iter()
                    .map(|lane| HostRow::Lane(lane, !worker.alive)),
            );
        }
        host_rows.extend(here.into_iter().map(|lane| HostRow::Lane(lane, false)));
    }
    host_rows
}

/// A duration, below 100 ms with the digits that a local network needs: "0.2ms".
fn fine(duration: Duration) -> String {
    if duration < Duration::from_millis(100) {
        format!("{:.1}ms", duration.as_secs_f64() * 1e3)
    } else {
        brief(duration)
    }
}

/// The broker's row: address, round trip, queue depth, and counts of messages.
fn broker(queue: &QueueFigures, room: usize) -> HostRow {
    let round_trip = queue.round_trip.map_or_else(|| "-".to_owned(), fine);
    let depth = queue.depth.map_or_else(
        || "-".to_owned(),
        |depth| count(usize::try_from(depth).unwrap_or(usize::MAX)),
    );
    let (resent, dropped) = (queue.resent, queue.duplicates);
    let received = match (queue.received, room < WIDE) {
        (0, _) => String::new(),
        (received, true) => format!(" | received {}", count(received)),
        (received, false) => format!(" | received, not begun {}", count(received)),
    };
    let mut figures = if room < WIDE {
        format!(
            " | rtt {round_trip} | depth {depth}{received} | sent again {resent} | dropped {dropped}"
        )
    } else {
        format!(
            " | round trip {round_trip} | queue depth {depth}{received} | sent again {resent} | duplicates dropped {dropped}"
        )
    };
    let tone = match &queue.trouble {
        Some((_, since)) => {
            figures = format!(" | UNREACHABLE since {}{figures}", brief(*since));
            Tone::Bad
        }
        None => Tone::Info,
    };
    let own = if queue.local { "own " } else { "" };
    let url = clean(&queue.broker, 200);
    // Where room is short, credentials are left out before the address.
    let place = url.rsplit_once('@').map_or(&*url, |(_, place)| place);
    let head = format!("{own}broker {}", if room < WIDE { place } else { &url });
    let left = room.saturating_sub(figures.chars().count());
    let least = own.len() + "broker ".len() + LEAST_URL;
    HostRow::Sentence(cut(&head, left.max(least)) + &figures, tone)
}

/// The offset of a host's clock from ours.
fn clock(queue: &QueueFigures, host: &str, room: usize) -> String {
    let figures = queue
        .hosts
        .iter()
        .find(|figures| clean(&figures.host, 64) == host);
    let Some(micros) = figures.and_then(|figures| figures.clock_offset_micros) else {
        return "clock not known yet".to_owned();
    };
    let by = fine(Duration::from_micros(micros.unsigned_abs()));
    // A positive offset is added to the host's clock, so that clock is behind.
    let side = match (micros < 0, room < WIDE) {
        (true, true) => "ahead",
        (false, true) => "behind",
        (true, false) => "ahead of ours, corrected in the lanes",
        (false, false) => "behind ours, corrected in the lanes",
    };
    format!("clock {by} {side}")
}

fn host_sentence(
    queue: &QueueFigures,
    host: &str,
    workers: &[&WorkerFigures],
    room: usize,
) -> String {
    let alive = workers.iter().filter(|worker| worker.alive);
    let active: u64 = alive.clone().map(|worker| worker.active).sum();
    format!(
        "host {host}, {}, {}, {active} in flight",
        clock(queue, host, room),
        plural(alive.count(), "worker"),
    )
}

fn worker_sentence(worker: &WorkerFigures, room: usize) -> HostRow {
    let head = format!(" worker {}, pid {}", worker.node, worker.pid);
    if !worker.alive {
        let text = format!(
            "{head}: GONE, last heard of {} ago",
            brief(worker.silent_for)
        );
        return HostRow::Sentence(text, Tone::Bad);
    }
    let of = worker
        .concurrency
        .map_or_else(String::new, |most| format!(" of {most}"));
    let mut text = format!(
        "{head}: {}{of} in flight, {} done",
        worker.active, worker.processed
    );
    if text.chars().count() + worker.software.chars().count() + 2 <= room {
        text.push_str(&format!(", {}", worker.software));
    }
    HostRow::Sentence(text, Tone::Info)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paradigm::HostFigures;

    fn worker(host: &str, pid: u32, alive: bool, software: &str) -> WorkerFigures {
        WorkerFigures {
            node: format!("celery@{host}"),
            host: host.to_owned(),
            pid,
            alive,
            silent_for: Duration::from_millis(4_600),
            software: software.to_owned(),
            ..WorkerFigures::default()
        }
    }

    fn on(host: &str, pid: u32) -> RanOn {
        RanOn {
            host: host.into(),
            pid,
            tid: pid,
            thread: "worker".into(),
        }
    }

    fn said(entry: &HostRow) -> &str {
        match entry {
            HostRow::Sentence(text, _) => text,
            _ => "",
        }
    }

    #[test]
    fn threads_stand_under_their_worker_even_where_two_hosts_have_the_same_pid() {
        let queue = QueueFigures {
            workers: vec![
                worker("lima", 7, true, "squirrel 0.1.0"),
                worker("oslo", 7, true, "squirrel 0.1.0"),
            ],
            ..QueueFigures::default()
        };
        let (oslo, lima) = (on("oslo", 7), on("lima", 7));
        let host_rows = by_host(&queue, &[&oslo, &lima], 78);
        assert!(said(&host_rows[1]).starts_with("host lima, "));
        assert_eq!(host_rows[3], HostRow::Lane(1, false));
        assert!(said(&host_rows[4]).starts_with("host oslo, "));
        assert_eq!(host_rows[6], HostRow::Lane(0, false));
        assert_eq!(host_rows.len(), 7);
    }

    #[test]
    fn who_idles_has_a_lane_who_is_gone_is_marked_and_children_of_a_stock_worker_are_found() {
        let queue = QueueFigures {
            workers: vec![
                worker("a", 1, true, "squirrel 0.1.0"),
                worker("b", 2, false, "squirrel 0.1.0"),
                worker("c", 3, true, "py-celery 5.7.0"),
            ],
            ..QueueFigures::default()
        };
        let (gone, child) = (on("b", 2), on("c", 30));
        let host_rows = by_host(&queue, &[&gone, &child], 78);
        assert!(matches!(&host_rows[3], HostRow::Idle(who) if (who.pid, who.tid) == (1, 1)));
        assert!(said(&host_rows[5]).contains("pid 2: GONE, last heard of 4.6s ago"));
        assert_eq!(host_rows[6], HostRow::Lane(0, true));
        assert_eq!(host_rows[9], HostRow::Lane(1, false));
        assert_eq!(host_rows.len(), 10);
    }

    #[test]
    fn a_clock_is_behind_if_something_has_to_be_added_to_it() {
        let of = |micros| {
            let queue = QueueFigures {
                hosts: vec![HostFigures {
                    host: "h".into(),
                    clock_offset_micros: micros,
                    ..HostFigures::default()
                }],
                ..QueueFigures::default()
            };
            clock(&queue, "h", 78)
        };
        assert_eq!(of(Some(400)), "clock 0.4ms behind");
        assert_eq!(of(Some(-5_000_000)), "clock 5.0s ahead");
        assert_eq!(of(None), "clock not known yet");
    }
}
