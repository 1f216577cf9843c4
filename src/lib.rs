//! UptimeSquirrel: a terminal monitor of websites that makes concurrency visible.
//!
//! # The map
//!
//! ```text
//! sites.toml -> config -> schedule -> paradigm -> probe -> channel -> monitor -> history, notify
//!                                                                        |
//!                                                             tui (draws, never writes)
//! ```
//!
//! A check begins as a due time in [`schedule`], travels as a `Job` to one of the
//! [`paradigm`]s, which decides what thread polls [`probe`]'s one `async fn`, and comes
//! back through a channel as a `CheckResult`. [`monitor`] folds it into the state of its
//! site; [`tui`] draws that state; [`app`] is the loop that moves things from room to room.
//!
//! | room | job | may import |
//! |---|---|---|
//! | [`domain`] | the words: sites, jobs, results, time. No I/O | nothing |
//! | [`runtime`] | threads with a runtime of their own: starting them, and ending them | domain |
//! | [`config`] | `sites.toml`: reading, mistakes with key and line, edits that keep comments, watching | domain |
//! | [`schedule`] | when each site is due, what was missed. Pure | domain |
//! | [`probe`] | one look at one site: request, phases, classification, certificate; the wire form of jobs and results; a scripted fake | domain |
//! | [`trace`] | records each poll of a check (thread, start, end) and what it waited for; what can be read from the record; the emulated interpreter lock | domain |
//! | [`paradigm`] | one file a paradigm, the trait, the table `ALL`, the live switch | domain, runtime, probe, trace |
//! | [`lab`] | the toy workloads, predictions, the race and its figures, the glossary | domain, paradigm, probe, trace |
//! | [`monitor`] | what results mean: state of every site, confirmation, uptime. A pure fold, sole owner of the truth | domain |
//! | [`alert`] | who is told what, when: silence, parents, digests, escalation, reminders, certificates. Pure | domain, monitor |
//! | [`engine`] | the pure centre: `handle(input, now) -> effects` over schedule, monitor and alert; sole owner of what is believed and planned | domain, schedule, monitor, alert |
//! | [`history`] | SQLite: writer, schema, summaries, queries. The only room that knows rusqlite | domain |
//! | [`notify`] | one file a channel, the table `ALL`, what a message says, the outbox | domain, runtime, history |
//! | [`metrics`] | the endpoint for Prometheus: pages of what is known, their text, its server | domain, runtime, monitor |
//! | [`import`] | the configuration of other monitors as a `sites.toml`, one file a format, the table `ALL` | domain, config |
//! | [`demo`] | the sites that `squirrel demo` serves on loopback, and their faults | domain |
//! | [`tui`] | terminal guard, keymap, layout, theme, one file a view. The only room that knows ratatui and crossterm | domain, monitor, the plain rows of history, trace, the figures of lab, the names in paradigm's table |
//! | [`app`] | the wiring: one closed `Event` enum, one `select!` loop; decide, then act | all of the above |
//! | [`command`] | one file a subcommand | all of the above |
//!
//! Architecture invariants, each held by `tests/tidy.rs`: imports run downward only, as in
//! the table; no two files import each other; ratatui and crossterm stay in `tui`, reqwest
//! in `probe` and `notify`, redis in `paradigm/celery`, rusqlite in `history`; drawing takes
//! `&self`; no file has more than 400 lines before its tests.

pub mod alert;
pub mod app;
pub mod command;
pub mod config;
pub mod demo;
pub mod domain;
pub mod engine;
pub mod history;
pub mod import;
pub mod lab;
pub mod metrics;
pub mod monitor;
pub mod notify;
pub mod paradigm;
pub mod probe;
pub mod runtime;
pub mod schedule;
pub mod trace;
pub mod tui;
