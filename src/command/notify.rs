//! `squirrel notify test OWNER`: sends one message on each of the owner's channels, and prints
//! what the other side answered.

use std::io::{self, Write};
use std::path::Path;

use crate::app;
use crate::config::SecretUse;
use crate::domain::{Clock, Site, SystemClock};
use crate::notify::{
    ALL, ChannelEntry, NotifyPlan, OutgoingMessage, OwnerAddress, SampleEvent, deliver,
    sample_message,
};

use super::args::NotifyTestArgs;
use super::exit::{Exit, OutputError, fail};
use super::{runtime, site_source};

pub(super) fn run(args: &NotifyTestArgs) -> Exit {
    let config = match site_source::load(args.source.config.as_deref(), SecretUse::Unused) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let plan = app::plan(&config);
    let Some(owner) = plan.owners.iter().find(|owner| *owner.name == *args.owner) else {
        let known: Vec<&str> = plan.owners.iter().map(|owner| &*owner.name).collect();
        let path = config.path.as_deref().unwrap_or(Path::new("sites.toml"));
        return fail(format!(
            "{}: no [owners.{}]: it has {}",
            path.display(),
            args.owner,
            if known.is_empty() {
                "no owner".to_owned()
            } else {
                known.join(", ")
            }
        ));
    };
    let runtime = match runtime::current_thread() {
        Ok(runtime) => runtime,
        Err(exit) => return exit,
    };
    let site = config
        .sites
        .iter()
        .find(|site| site.owners.contains(&owner.name));
    let test = Test {
        plan: &plan,
        owner: &owner.name,
        event: args.event,
        site,
    };
    let told = runtime.block_on(test.tell());
    runtime.shutdown_background();
    match told {
        Ok(Told { all: 0, .. }) => fail(format!(
            "{} has no channel: give it one of {}",
            owner.name,
            ALL.map(|entry| entry.name).join(", ")
        )),
        Ok(told) if told.failed == 0 => Exit::Fine,
        Ok(_) => Exit::Down,
        Err(error) => fail(OutputError(error)),
    }
}

struct Told {
    all: usize,
    failed: usize,
}

struct Test<'a> {
    plan: &'a NotifyPlan,
    owner: &'a str,
    event: SampleEvent,
    /// A site of the owner, if there is one.
    site: Option<&'a Site>,
}

impl Test<'_> {
    async fn tell(&self) -> io::Result<Told> {
        let mut told = Told { all: 0, failed: 0 };
        let mut out = io::stdout().lock();
        let addresses = self.plan.addresses.get(self.owner);
        for entry in &ALL {
            let Some(address) = addresses.and_then(|known| known.get(entry.name)) else {
                continue;
            };
            told.all += 1;
            let shown = (entry.shown)(address);
            let (word, answer) = match self.attempt(entry, address).await {
                Ok(answer) => ("sent", answer),
                Err(answer) => {
                    told.failed += 1;
                    ("FAILED", answer)
                }
            };
            writeln!(out, "{:<8} {shown}  {word}: {answer}", entry.name)?;
        }
        Ok(told)
    }

    async fn attempt(&self, entry: &ChannelEntry, to: &OwnerAddress) -> Result<Box<str>, Box<str>> {
        let settings = &self.plan.settings;
        if !(entry.ready)(settings) {
            return Err(format!("the configuration has no [notify.{}]", entry.name).into());
        }
        let channel = (entry.make)(settings).map_err(|error| error.to_string())?;
        let at = SystemClock::new().timestamp();
        let (name, limit) = (entry.name, entry.limit);
        let message = sample_message(self.event, self.owner, name, self.site, at, limit);
        let message = OutgoingMessage::of(&message, to.clone());
        match deliver(&*channel, &message).await {
            Ok(sent) => Ok(sent.0),
            Err(failure) => Err(failure.answer),
        }
    }
}
