//! `squirrel notify test OWNER`: sends one message on each of the owner's channels, and prints
//! what the other side answered.

use std::io::{self, Write};
use std::path::Path;

use crate::app;
use crate::config::SecretUse;
use crate::domain::{Clock, Owner, SystemClock};
use crate::notify::{ALL, ChannelEntry, NotifyPlan, OutgoingMessage, deliver, test_message};

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
    let told = runtime.block_on(tell(&plan, owner));
    runtime.shutdown_background();
    match told {
        Ok(Told { all: 0, .. }) => fail(format!(
            "{} has no channel: give it email, sms, push or webhook",
            owner.name
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

async fn tell(plan: &NotifyPlan, owner: &Owner) -> io::Result<Told> {
    let mut told = Told { all: 0, failed: 0 };
    let mut out = io::stdout().lock();
    for entry in &ALL {
        let (Some(address), Some(shown)) = ((entry.address)(owner), (entry.shown)(owner)) else {
            continue;
        };
        told.all += 1;
        let (word, answer) = match attempt(plan, owner, entry, address).await {
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

async fn attempt(
    plan: &NotifyPlan,
    owner: &Owner,
    entry: &ChannelEntry,
    to: Box<str>,
) -> Result<Box<str>, Box<str>> {
    if !(entry.ready)(&plan.settings) {
        return Err(format!("the configuration has no [notify.{}]", entry.name).into());
    }
    let channel = (entry.make)(&plan.settings).map_err(|error| error.to_string())?;
    let message = test_message(owner, entry, SystemClock::new().timestamp());
    let message = OutgoingMessage {
        id: message.id,
        to,
        subject: message.subject,
        body: message.body,
        facts: message.facts,
    };
    match deliver(&*channel, &message).await {
        Ok(sent) => Ok(sent.0),
        Err(failure) => Err(failure.answer),
    }
}
