//! A live switch: from the call that a key leads to, to the first check that was started and
//! answered under the new paradigm, at full load.
//!
//! `cargo bench --bench switch [-- --quick]`
//!
//! The program's own core on 500 sites that take 20 ms each, every one of which is due again
//! as soon as it has been answered. The switches go around all paradigms, forth and back, so
//! that each is entered from two others; every account has to add up.

#[path = "support/child.rs"]
mod child;
#[path = "support/live.rs"]
mod live;
#[path = "support/median.rs"]
mod median;
#[path = "support/server.rs"]
mod server;
#[path = "support/table.rs"]
mod table;

use std::error::Error;
use std::time::Duration;

use uptime_squirrel::app::Happening;
use uptime_squirrel::domain::{Clock as _, Moment, SiteId};
use uptime_squirrel::paradigm::{ALL, Receipt, join_deferred, position};

use live::Live;
use median::median;
use server::{uniform, urls};
use table::Table;

const AROUND: [&str; 6] = [
    "serial",
    "threads",
    "futures",
    "processes",
    "green",
    "async",
];
const SITES: usize = 500;
const DELAY: &str = "20ms";
const CHILDREN: usize = 8;
/// So long that no site is due by itself.
const INTERVAL: Duration = Duration::from_secs(3_600);
/// How long a paradigm is at work before the next switch.
const WORK: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn Error>> {
    if child::is_meant() {
        return Ok(child::work()?);
    }
    let Some(mut table) = Table::asked("A live switch at full load, to the first new check") else {
        return Ok(());
    };
    let server = uniform(16, &["--delay", DELAY])?;
    let urls = urls(&server.handshake.addresses);
    let workers = [("processes", CHILDREN)];
    let live = Live::start("serial", &workers, &urls, SITES, INTERVAL)?;
    let mut load = Load { live };
    load.work();
    // Entered from its left neighbour in one round, from its right one in the next.
    let rounds = if table.quick { 4 } else { 20 };
    let mut switches: Vec<Vec<Switch>> = AROUND.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for step in 1..=AROUND.len() {
            let to = if round % 2 == 0 {
                step % AROUND.len()
            } else {
                AROUND.len() - step
            };
            switches[to].push(load.switch(AROUND[to])?);
            load.work();
        }
    }
    drop(load);
    join_deferred();
    for (name, switches) in AROUND.iter().zip(&switches) {
        let what = if *name == "processes" {
            format!("{name}, {CHILDREN} children")
        } else {
            (*name).to_owned()
        };
        show(&mut table, &what, switches);
    }
    let all = || switches.iter().flatten();
    let wrong = all().filter(|switch| {
        let receipt = &switch.receipt;
        receipt.lost() + receipt.counted_twice() + receipt.twins > 0
    });
    table.at_most(
        &format!("accounts that do not add up, of {}", all().count()),
        wrong.count() as f64,
        0.0,
        "",
    );
    let least = all().map(|switch| switch.receipt.in_flight).min();
    let least = least.unwrap_or_default();
    if least < SITES / 2 {
        return Err(format!("no full load: {least} checks without an answer").into());
    }
    table.note(
        &format!("checks without an answer at a switch, at least, of {SITES}"),
        least.to_string(),
    );
    table.print()?;
    Ok(())
}

fn show(table: &mut Table, what: &str, switches: &[Switch]) {
    let of = |which: fn(&Switch) -> Duration| -> Vec<f64> {
        let all = switches.iter().map(which);
        all.map(|time| time.as_secs_f64() * 1e3).collect()
    };
    let first = of(|switch| switch.first);
    let target = if what.starts_with("processes") {
        300.0
    } else {
        100.0
    };
    let worst = first.iter().copied().fold(0.0, f64::max);
    let figure = format!("to {what}: first new check, median of {}", first.len());
    table.at_most(&figure, median(first), target, " ms");
    table.note(
        &format!("to {what}: worst; the call alone; until the old one is done"),
        format!(
            "{worst:.1}; {:.1}; {:.0} ms",
            median(of(|switch| switch.call)),
            median(of(|switch| switch.receipt.took))
        ),
    );
}

/// One switch.
struct Switch {
    /// Until the call was over and the loop could go on.
    call: Duration,
    /// Until the first check that had started under the new paradigm was answered.
    first: Duration,
    receipt: Receipt,
}

/// A core all of whose sites are always due.
struct Load {
    live: Live,
}

impl Load {
    /// One turn of the loop; gives whether a check that `is_new` was answered in it.
    fn turn(&mut self, until: Moment, new: Option<(&str, Moment)>) -> bool {
        let (mut answered, mut is_there) = (Vec::<SiteId>::new(), false);
        self.live.turn(until, |result| {
            answered.push(result.job.site);
            // Threads are called by their paradigm's name, but for its ending.
            is_there |= new.is_some_and(|(name, since)| {
                result.started >= since && result.ran_on.thread.starts_with(&name[..5])
            });
        });
        for site in answered {
            self.live.driver.recheck(site);
        }
        self.live.driver.tick();
        is_there
    }

    /// Lets the paradigm work for a while.
    fn work(&mut self) {
        let end = self.live.clock.moment() + WORK;
        while self.live.clock.moment() < end {
            self.turn(end, None);
        }
    }

    fn switch(&mut self, name: &str) -> Result<Switch, Box<dyn Error>> {
        let entry = &ALL[position(name).ok_or("no such paradigm")?];
        let began = self.live.clock.moment();
        self.live.driver.switch(entry)?;
        let call = self.live.clock.moment().since(began);
        let (mut first, mut receipt) = (None, None);
        let end = began + PATIENCE;
        loop {
            let is_there = self.turn(end, Some((name, began)));
            let now = self.live.clock.moment();
            if first.is_none() && is_there {
                first = Some(now.since(began));
            }
            for happening in self.live.driver.take_happenings() {
                if let Happening::Switched(account) = happening {
                    receipt = Some(account);
                }
            }
            if let (Some(first), Some(receipt)) = (first, &receipt) {
                return Ok(Switch {
                    call,
                    first,
                    receipt: receipt.clone(),
                });
            }
            if now > end {
                return Err(format!("no check, or no account, of {name}").into());
            }
        }
    }
}
