//! `squirrel status`, `ack`, `unack`, `pause`, `resume`, `recheck`, `maintenance`, `switch`: asks
//! the running monitor, by its socket.
//!
//! Exit status: 0 done, 1 no such site or nothing to do, 2 a mistake in the command line or a
//! refusal, 3 no monitor runs.

use std::fmt::Write as _;

use crate::control::{ControlReply, MonitorCommand, MonitorStatus, ask};
use crate::domain::{clean, plural};

use super::control_args::{
    AckArgs, MaintenanceArgs, MonitorChoice, RecheckArgs, SiteArgs, StatusArgs, SwitchArgs,
};
use super::exit::{Exit, fail, print, say};
use super::shared_args::OutputFormat;

pub(super) fn status(args: &StatusArgs) -> Exit {
    let status = match command(&args.monitor, &MonitorCommand::Status {}) {
        Ok(ControlReply::Status(status)) => status,
        Ok(other) => return told(other),
        Err(exit) => return exit,
    };
    match args.format {
        OutputFormat::Json => match serde_json::to_string(&status) {
            Ok(line) => print(format!("{line}\n").as_bytes()),
            Err(error) => fail(error),
        },
        OutputFormat::Table => print(table(&status).as_bytes()),
    }
}

pub(super) fn acknowledge(args: &AckArgs) -> Exit {
    done(
        &args.monitor,
        &MonitorCommand::Acknowledge {
            site: args.site.clone(),
            note: args.note.clone(),
        },
    )
}

pub(super) fn unacknowledge(args: &SiteArgs) -> Exit {
    let site = args.site.clone();
    done(&args.monitor, &MonitorCommand::Unacknowledge { site })
}

pub(super) fn pause(args: &SiteArgs, paused: bool) -> Exit {
    let site = args.site.clone();
    done(&args.monitor, &MonitorCommand::Pause { site, paused })
}

pub(super) fn recheck(args: &RecheckArgs) -> Exit {
    let site = args.site.clone();
    done(&args.monitor, &MonitorCommand::Recheck { site })
}

pub(super) fn maintain(args: &MaintenanceArgs) -> Exit {
    done(
        &args.monitor,
        &MonitorCommand::Maintenance {
            target: args.target.clone(),
            // Parts of a second are none that anybody means.
            lasts_s: args.lasts.map(|lasts| lasts.as_secs()),
        },
    )
}

pub(super) fn switch(args: &SwitchArgs) -> Exit {
    done(
        &args.monitor,
        &MonitorCommand::Switch {
            paradigm: args.paradigm.as_str().into(),
            workers: args.workers,
        },
    )
}

fn done(monitor: &MonitorChoice, asked: &MonitorCommand) -> Exit {
    match command(monitor, asked) {
        Ok(reply) => told(reply),
        Err(exit) => exit,
    }
}

/// Asks the monitor; an error is printed.
fn command(monitor: &MonitorChoice, command: &MonitorCommand) -> Result<ControlReply, Exit> {
    let is_default = monitor.history.history.is_none() && monitor.socket.socket.is_none();
    let places = monitor.socket.place(&monitor.history).tried(is_default);
    ask(&places, command).map_err(|error| {
        let exit = fail(&error);
        if error.is_absence() {
            Exit::Unknown
        } else {
            exit
        }
    })
}

/// Prints what was done, or why nothing was.
fn told(reply: ControlReply) -> Exit {
    match reply {
        ControlReply::Done(text) => print(format!("{}\n", clean(&text, 1_000)).as_bytes()),
        ControlReply::Nothing(why) => {
            say(why);
            Exit::Down
        }
        ControlReply::Refused(why) => fail(why),
        ControlReply::Status(status) => print(table(&status).as_bytes()),
    }
}

/// The status for people: a line, and one for each open outage.
fn table(status: &MonitorStatus) -> String {
    let mut table = format!(
        "{}: {} up, {} degraded, {} down, {} unknown, {} missed\n",
        plural(status.sites, "site"),
        status.up,
        status.degraded,
        status.down,
        status.unknown,
        status.missed,
    );
    let late = status.late_p99_ms.map_or_else(String::new, |late| {
        format!(", 99% of checks at most {late:.1}ms late")
    });
    // Writing into a text cannot fail.
    let _written = writeln!(
        table,
        "{} with {}{late}; version {}, pid {}",
        status.paradigm,
        plural(status.workers, "worker"),
        status.version,
        status.pid
    );
    if status.blind {
        table.push_str("BLIND: the network cannot be seen, failures are not believed\n");
    }
    for outage in &status.outages {
        let _written = write!(
            table,
            "DOWN {} since {}: {}",
            clean(&outage.site, 200),
            outage.since,
            outage.reason
        );
        match (&outage.acknowledged, &outage.silenced) {
            (Some(by), _) => {
                let _written = write!(table, "; acknowledged by {}", clean(by, 200));
            }
            (None, Some(why)) => {
                let _written = write!(table, "; silenced: {}", clean(why, 200));
            }
            (None, None) => {}
        }
        table.push('\n');
    }
    table
}
