//! Carries out the commands that come by the socket: what somebody does from a command line is
//! done as a key would do it, and told to all who watch.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::control::{Actor, ControlReply, ControlRequest, ControlServer, MonitorCommand};
use crate::domain::{Acknowledgement, Site, SiteEdit, SiteId, brief, clean, plural};
use crate::paradigm::ALL;

use super::config_watcher::{ConfigWatcher, FileEdit};
use super::driver::Driver;
use super::report::ActedOn;

/// The most characters of a note, the name of its writer included.
const LONGEST_NOTE: usize = 200;

/// The requests of the socket, if commands are taken.
#[derive(Debug)]
pub(super) struct ControlRequests {
    requests: Option<mpsc::Receiver<ControlRequest>>,
    /// The socket, whose file goes with this.
    _server: Option<ControlServer>,
}

impl ControlRequests {
    /// Starts to serve on the bound socket.
    pub(super) fn of(mut server: Option<ControlServer>) -> io::Result<Self> {
        let requests = server.as_mut().map(ControlServer::serve).transpose()?;
        Ok(Self {
            requests,
            _server: server,
        })
    }

    /// The next request; pending for ever without a socket.
    pub(super) async fn next(&mut self) -> ControlRequest {
        if let Some(requests) = &mut self.requests
            && let Some(request) = requests.recv().await
        {
            return request;
        }
        std::future::pending().await
    }
}

/// Carries out a request and replies to it.
pub(super) fn carry_out(request: ControlRequest, driver: &mut Driver, config: &ConfigWatcher) {
    let ControlRequest {
        command,
        actor,
        reply,
    } = request;
    let answer = match command {
        MonitorCommand::Status {} => ControlReply::Status(Box::new(driver.status())),
        command => match act(command, &actor, driver, config) {
            Ok((event, text, site)) => {
                let text = text.into_boxed_str();
                driver.tell_act(ActedOn {
                    actor,
                    event,
                    text: text.clone(),
                    site,
                });
                ControlReply::Done(text)
            }
            Err(reply) => reply,
        },
    };
    // The connection may be closed already.
    let _unheard = reply.send(answer);
}

/// The event, what was done, and to which site.
type Act = (&'static str, String, Option<SiteId>);

fn act(
    command: MonitorCommand,
    actor: &Actor,
    driver: &mut Driver,
    config: &ConfigWatcher,
) -> Result<Act, ControlReply> {
    match command {
        MonitorCommand::Status {} => Err(nothing("nothing to be done")),
        MonitorCommand::Acknowledge { site, note } => {
            let id = find(driver, &site)?;
            let by = Acknowledgement {
                at: driver.now(),
                note: signed(&note, actor),
            };
            if !driver.acknowledge(id, Some(by)) {
                return Err(nothing(format!("{site} has no open outage")));
            }
            let text = format!("the outage of {site} is acknowledged");
            Ok(("acknowledged", text, Some(id)))
        }
        MonitorCommand::Unacknowledge { site } => {
            let id = find(driver, &site)?;
            let outage = driver.monitor().site(id).and_then(|state| state.outage());
            if outage.is_none_or(|outage| outage.acknowledged.is_none()) {
                return Err(nothing(format!("{site} has no acknowledged outage")));
            }
            driver.acknowledge(id, None);
            let text = format!("the outage of {site} is acknowledged no more");
            Ok(("unacknowledged", text, Some(id)))
        }
        MonitorCommand::Pause { site, paused } => {
            let id = find(driver, &site)?;
            let known = site_of(driver, id)?;
            let (event, word) = if paused {
                ("paused", "paused")
            } else {
                ("resumed", "checked again")
            };
            if known.paused == paused {
                let word = if paused {
                    "paused already"
                } else {
                    "not paused"
                };
                return Err(nothing(format!("{site} is {word}")));
            }
            driver.set_paused(id, paused);
            config.edit(FileEdit::Sites(SiteEdit::Pause(vec![known], paused)));
            Ok((event, format!("{site} is {word}"), Some(id)))
        }
        MonitorCommand::Recheck { site: Some(site) } => {
            let id = find(driver, &site)?;
            if site_of(driver, id)?.paused {
                return Err(nothing(format!("{site} is paused")));
            }
            driver.recheck(id);
            Ok(("rechecked", format!("{site} is checked now"), Some(id)))
        }
        MonitorCommand::Recheck { site: None } => {
            driver.recheck_all();
            let sites = driver.monitor().ids().len();
            let text = format!("{} checked now", are(sites));
            Ok(("rechecked", text, None))
        }
        MonitorCommand::Maintenance { target, lasts_s } => {
            maintain(driver, &target, lasts_s.map(Duration::from_secs))
        }
        MonitorCommand::Switch { paradigm, workers } => switch(driver, &paradigm, workers),
    }
}

fn maintain(
    driver: &mut Driver,
    target: &str,
    lasts: Option<Duration>,
) -> Result<Act, ControlReply> {
    let sites = match target.strip_prefix("tag:") {
        None => vec![find(driver, target)?],
        Some(tag) => {
            let sites = driver.monitor().sites();
            let tagged = sites.filter(|state| state.site().tags.iter().any(|own| **own == *tag));
            let tagged: Vec<_> = tagged.map(|state| state.id()).collect();
            if tagged.is_empty() {
                return Err(nothing(format!("no site has the tag \"{}\"", shown(tag))));
            }
            tagged
        }
    };
    let site = (!target.starts_with("tag:")).then_some(sites[0]);
    match lasts {
        Some(lasts) => {
            for id in &sites {
                driver.set_maintenance(*id, Some(lasts));
            }
            let text = format!("maintenance of {target} for {}", brief(lasts));
            Ok(("maintenance", text, site))
        }
        None => {
            let begun = sites
                .iter()
                .filter(|id| driver.end_maintenance(**id))
                .count();
            if begun == 0 {
                return Err(nothing(format!(
                    "{target} is in no maintenance that was begun by hand"
                )));
            }
            let text = format!("maintenance of {target} is over");
            Ok(("maintenance_ended", text, site))
        }
    }
}

fn switch(
    driver: &mut Driver,
    paradigm: &str,
    workers: Option<usize>,
) -> Result<Act, ControlReply> {
    let entry = ALL.iter().find(|entry| entry.label.name == paradigm);
    let Some(entry) = entry else {
        return Err(ControlReply::Refused(
            format!("there is no paradigm \"{}\"", shown(paradigm)).into(),
        ));
    };
    if let Some(workers) = workers {
        if !entry.resizable {
            let text = format!("the number of workers of {paradigm} cannot be changed");
            return Err(ControlReply::Refused(text.into()));
        }
        driver.choose_workers(entry, workers);
    }
    if driver.entry().label.name == entry.label.name {
        let Some(workers) = workers else {
            return Err(nothing(format!("the checks run by {paradigm} already")));
        };
        driver.change_workers(0);
        let text = format!("{paradigm} has {}", plural(workers, "worker"));
        return Ok(("switch_asked", text, None));
    }
    let switched = driver.switch(entry);
    let notice = switched.map_err(|error| ControlReply::Refused(error.to_string().into()))?;
    let notice = notice.map_or_else(String::new, |notice| format!("; {notice}"));
    let text = format!("the checks run by {paradigm} from now on{notice}");
    Ok(("switch_asked", text, None))
}

fn find(driver: &Driver, name: &str) -> Result<SiteId, ControlReply> {
    let found = driver.monitor().find(name).map(|state| state.id());
    found.ok_or_else(|| nothing(format!("there is no site \"{}\"", shown(name))))
}

fn site_of(driver: &Driver, id: SiteId) -> Result<Arc<Site>, ControlReply> {
    let state = driver.monitor().site(id);
    let site = state.map(|state| Arc::clone(state.site()));
    site.ok_or_else(|| nothing("the site is gone"))
}

fn nothing(text: impl Into<String>) -> ControlReply {
    ControlReply::Nothing(text.into().into_boxed_str())
}

/// A word of the asker, safe to print.
fn shown(word: &str) -> String {
    clean(word, 100)
}

/// `1 site is`, `5 sites are`.
fn are(sites: usize) -> String {
    let verb = if sites == 1 { "is" } else { "are" };
    format!("{} {verb}", plural(sites, "site"))
}

/// A note with the name of who wrote it: `ana (pts/3): restarting it`.
fn signed(note: &str, actor: &Actor) -> Box<str> {
    let note = note.trim();
    let text = if note.is_empty() {
        actor.to_string()
    } else {
        format!("{actor}: {note}")
    };
    clean(&text, LONGEST_NOTE).into()
}
