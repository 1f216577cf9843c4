//! UptimeSquirrel: a terminal monitor of websites that makes concurrency visible.
//!
//! # The map
//!
//! ```text
//! sites.toml -> config -> engine -> paradigm -> probe -> results -> engine -> history -> notify
//!                         (schedule,                               (monitor,
//!                          pure)                                    alert, pure)
//!                                                                      |
//!                                                           tui (draws, never writes)
//! ```
//!
//! A check begins as a due time in [`schedule`], travels as a `Job` to one of the
//! [`paradigm`]s, which decides what thread polls [`probe`]'s one `async fn`, and comes
//! back through a channel as a `CheckResult`. The [`engine`] judges it; [`monitor`] folds it into
//! the state of its site; [`alert`] decides who is told; [`tui`] draws that state; [`app`] is the
//! loop that moves things from room to room.
//!
//! | room | job | may import |
//! |---|---|---|
//! | [`domain`] | the words: sites, jobs, results, time. No I/O | nothing |
//! | [`runtime`] | threads with a runtime of their own: starting them, and ending them | domain |
//! | [`config`] | `sites.toml`: reading, mistakes with key and line, edits that keep comments, watching | domain |
//! | [`schedule`] | when each site is due, what was missed. Pure | domain |
//! | [`probe`] | one check of one site: request, phases, classification, certificate; the wire form of jobs and results; a scripted fake | domain |
//! | [`trace`] | records each poll of a check (thread, start, end) and what it waited for; what can be read from the record; the emulated interpreter lock | domain |
//! | [`paradigm`] | one file a paradigm, the trait, the table `ALL`, the live switch | domain, runtime, probe, trace |
//! | [`lab`] | the workloads, predictions, the race and its figures, the glossary | domain, paradigm, probe, trace |
//! | [`monitor`] | what results mean: state of every site, confirmation, uptime. A pure state machine, sole owner of the states | domain |
//! | [`alert`] | who is told what, when: silence, parents, digests, escalation, reminders, certificates. Pure | domain, monitor |
//! | [`engine`] | the pure centre: `handle(input, now) -> effects` over schedule, monitor and alert; sole owner of what is believed and planned | domain, schedule, monitor, alert |
//! | [`history`] | SQLite: writer, schema, summaries, queries. The only room that knows rusqlite | domain |
//! | [`notify`] | one file a channel, the table `ALL`, what a message says, the outbox | domain, runtime, history |
//! | [`metrics`] | the endpoint for Prometheus: pages of what is known, their text, its server | domain, runtime, monitor |
//! | [`control`] | the Unix socket by which commands reach the running monitor: path, server, client | domain, runtime |
//! | [`import`] | the configuration of other monitors as a `sites.toml`, one file a format, the table `ALL` | domain, config |
//! | [`demo`] | the sites that `squirrel demo` serves on loopback, and their faults | domain |
//! | [`tui`] | terminal guard, keymap, layout, theme, one file a view. The only room that knows ratatui and the terminal | domain, monitor, the plain rows of history, trace, the figures of lab, the names in paradigm's table |
//! | [`app`] | the wiring: one closed `Event` enum, one `select!` loop; decide, then act | all of the above |
//! | [`command`] | one file a subcommand | all of the above |
//!
//! Architecture invariants, each held by `tests/tidy.rs`: imports run downward only, as in
//! the table; no two files import each other; ratatui and vtparse stay in `tui`, reqwest
//! in `notify`, redis in `paradigm/celery`, rusqlite in `history`; drawing takes
//! `&self`; no file has more than 400 lines before its tests.
//!
//! # The glossary
//!
//! One word for each concept, in names of files and types as in prose.
//!
//! | word | room | meaning |
//! |---|---|---|
//! | site | [`domain`] | what is watched: a URL, its limits, its owners |
//! | check | [`domain`] | one execution: one site, once |
//! | check spec | [`domain`] | what to ask and what to expect: URL, method, limits, assertions |
//! | check kind | [`probe`] | http, tcp, tls, dns or ping; by the scheme of the URL |
//! | request, redirect, attempt | [`domain`] | the parts of a check: each request that it sends is an attempt or follows a redirect |
//! | phase | [`domain`] | a part of a request: dns, connect, tls, first byte |
//! | verdict, reason | [`domain`] | up, degraded, down, unknown; and why |
//! | result | [`domain`] | the outcome of a check: verdict, reason, latency, phases, thread |
//! | certificate | [`domain`] | the TLS certificate of a site: subject, issuer, end |
//! | state | [`monitor`] | what is believed of a site now |
//! | failure streak | [`monitor`] | failures in a row that are not confirmed yet |
//! | outage | [`monitor`] | a confirmed failure streak, with start, end, causes |
//! | uptime | [`monitor`] | the share of the time that was seen in which a site was up |
//! | connectivity | [`engine`] | the state of our own network: canaries are asked about it, witnesses prove it |
//! | canary | [`engine`] | an address that is asked whether our own network works |
//! | blind | [`engine`] | we cannot see: nobody answers, so that a failure says nothing of a site |
//! | unwatched | [`engine`] | no check is run any more |
//! | engine | [`engine`] | the pure centre; told inputs, it asks for effects |
//! | input, effect | [`engine`] | what the engine is told; what it asks the driver to do |
//! | driver | [`app`] | carries the effects out |
//! | session | [`app`] | one run of the screen |
//! | owner | [`domain`] | who is told of a site's outages |
//! | channel | [`notify`] | a way to an owner: mail, chat, SMS, push, webhook, program |
//! | message | [`notify`] | what an owner is told, by one channel |
//! | delivery | [`alert`] | one try of a channel to send a message |
//! | outbox | [`history`] | the messages that are not settled: waiting, sent, retried, given up |
//! | digest | [`alert`] | several events in one message |
//! | reminder, escalation | [`alert`] | told again while an outage lasts; told to another owner, because the first is silent |
//! | acknowledgement | [`domain`] | an owner's word that an outage is known: it ends reminders and escalation |
//! | maintenance, quiet hours | [`domain`] | windows in which an outage, or an owner, is silent |
//! | schedule | [`schedule`] | when checks are to run: due, late, or missed |
//! | job | [`domain`] | a check that was handed to a worker |
//! | paradigm | [`paradigm`] | how checks are run: serial, threads, futures, processes, green, async, celery |
//! | worker, pool | [`paradigm`] | what runs a job; all workers of a paradigm |
//! | queue, broker | [`paradigm`] | where jobs wait for workers elsewhere: a list in Redis |
//! | switch, receipt | [`paradigm`] | another paradigm takes over, live; the account of what became of the old one's jobs |
//! | trace | [`trace`] | the record of which thread ran which check when: polls in spans, drawn in lanes |
//! | poll, span, lane | [`trace`] | one call of a future; a check's time; a thread's row |
//! | gil | [`trace`] | the emulated interpreter lock of the Python tutorial |
//! | history | [`history`] | the database: raw results, rollups, outages, outbox |
//! | rollup, retention, migration | [`history`] | sums of results by time bucket; how long rows are kept; another schema |
//! | view, overlay, widget | [`tui`] | a screen, what lies over it, a part of it; drawn from the view model |
//! | key binding, theme | [`tui`] | what a key does; colours |
//! | race, lab, workload | [`lab`] | paradigms compared; an experiment; what it runs |
//! | demo site | [`demo`] | what `squirrel demo` serves on loopback |

pub mod alert;
pub mod app;
pub mod command;
pub mod config;
pub mod control;
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
