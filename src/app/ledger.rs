//! What the monitor finds, written down: outcomes and changes go to the history, and with
//! a change the letters that tell of it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use crate::config::{Config, NotifySettings, Secret, SmtpSecurity};
use crate::domain::{Clock, Now, Outcome, Owner, SiteId};
use crate::history::{
    Change, Ended, History, HistoryError, Keep, LookRow, News, Place, Restored, SiteKey,
};
use crate::monitor::{Monitor, Notice, Round, Sight, SiteState};
use crate::notify::{self, BlindSpell, Occasion, Outbox, Plan, PostNews, Story};

/// What the history and the outbox have to say, each from its own thread.
#[derive(Debug)]
pub enum Word {
    /// About the file.
    History(News),
    /// About a letter.
    Post(PostNews),
    /// What canaries answered.
    Canaries(Round),
}

/// The history and the outbox, as the loop sees them: everything here returns at once.
#[derive(Debug)]
pub struct Ledger {
    history: History,
    outbox: Outbox,
    plan: Plan,
    /// Everybody is told of every site, whatever the configuration says.
    everybody: bool,
    zone: TimeZone,
}

/// What a configuration says of it.
#[derive(Debug)]
pub(super) struct Keeping {
    keep: Keep,
    plan: Plan,
}

/// A ledger that was opened.
#[derive(Debug)]
pub struct OpenLedger {
    /// It.
    pub ledger: Ledger,
    /// What stood against sites when the program ended.
    pub restored: Vec<Restored>,
    /// What it has to say.
    pub words: UnboundedReceiver<Word>,
    /// For whoever else has something to say there.
    pub speaker: UnboundedSender<Word>,
}

impl Ledger {
    /// Opens the history at `place` and starts to send what is pending. The owners of
    /// `others`, where it is given, are told of every site in place of `config`'s.
    ///
    /// # Errors
    /// If another monitor has the file, or it is none of ours, or no thread can be started.
    pub fn open(
        place: &Place,
        config: &Config,
        others: Option<&Config>,
        clock: &Arc<dyn Clock>,
        zone: TimeZone,
    ) -> Result<OpenLedger, HistoryError> {
        let (sender, words) = unbounded_channel();
        let (ring, bell) = watch::channel(());
        let keep = keep(config);
        let said = sender.clone();
        let tell = move |news| {
            if news == News::Letters {
                ring.send_replace(());
            } else {
                // Nobody listens any more at the end.
                let _unheard = said.send(Word::History(news));
            }
        };
        let (history, restored) = History::open(place, keep, Arc::clone(clock), tell)?;
        let plan = plan(others.unwrap_or(config));
        let speaker = sender.clone();
        let tell = move |news| {
            let _unheard = sender.send(Word::Post(news));
        };
        let outbox =
            Outbox::start(&history, plan.clone(), clock, &bell, tell).map_err(HistoryError::Io)?;
        Ok(OpenLedger {
            ledger: Self {
                history,
                outbox,
                plan,
                everybody: others.is_some(),
                zone,
            },
            restored,
            words,
            speaker,
        })
    }

    /// The history, to ask it.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Ends it; gives whether the file was closed in time.
    pub(super) fn close(&mut self, patience: Duration) -> bool {
        self.outbox.close(patience);
        self.history.close(patience)
    }

    /// Takes over a changed configuration.
    pub(super) fn configure(&mut self, keeping: Keeping) {
        self.history.keep(keeping.keep);
        if !self.everybody {
            self.outbox.plan(keeping.plan.clone());
            self.plan = keeping.plan;
        }
    }

    /// The sites that are watched from now on.
    pub(super) fn sites(&self, monitor: &Monitor, now: Now) {
        let sites = monitor
            .sites()
            .map(|state| (state.id(), Arc::clone(state.site())));
        self.history.sites(Arc::new(sites.collect()), now.wall);
    }

    /// Keeps what became of a check.
    pub(super) fn outcome(&self, outcome: &Outcome, now: Now) {
        match outcome {
            Outcome::Missed(job) => self.history.missed(job.site, now.wall),
            // The monitor's own clock: another machine's may be wrong.
            Outcome::Checked(result) => self.history.look(LookRow {
                site: result.job.site,
                at: now.wall,
                reason: result.reason,
                status: result.status,
                latency: result.latency,
                late: result.late,
            }),
        }
    }

    /// Keeps what changed because of one outcome, and the letters about it with it.
    pub(super) fn notices(&self, notices: &[Notice], monitor: &Monitor, now: Now) {
        let mut occasion = None;
        for notice in notices {
            match *notice {
                Notice::Down { .. } => occasion = Some(Occasion::Down),
                Notice::Recovered { lasted, .. } => {
                    occasion = Some(Occasion::Recovered { lasted });
                }
                Notice::Stands { site } => self.stands(site, occasion.take(), monitor, now),
                Notice::LookAgain { .. } | Notice::Degraded { .. } => {}
            }
        }
    }

    /// Keeps what stands against a site.
    pub(super) fn stands(
        &self,
        site: SiteId,
        occasion: Option<Occasion>,
        monitor: &Monitor,
        now: Now,
    ) {
        let Some(state) = monitor.site(site) else {
            return;
        };
        let recovered = matches!(occasion, Some(Occasion::Recovered { .. }));
        let outage = if recovered {
            state.last_outage()
        } else {
            state.outage()
        };
        let mut letters = Vec::new();
        if let (Some(occasion), Some(outage)) = (occasion, outage) {
            let story = Story {
                site: state.site(),
                occasion,
                at: now.wall,
                since: outage.since().wall,
                causes: outage.causes(),
                last_good: outage.last_good(),
                acknowledged: outage.acknowledged.as_ref(),
                last: state.last_failure().map(|last| &**last),
                zone: &self.zone,
            };
            letters = story.letters(&self.plan.settings, self.owners(state));
        }
        let ended = outage.filter(|_| recovered).map(|outage| Ended {
            since: outage.since().wall,
            causes: outage.causes().to_vec(),
        });
        self.history.change(Change {
            site,
            at: now.wall,
            standing: state.standing(),
            ended,
            letters,
        });
    }

    /// Tells every owner of a site, once, that nothing could be seen for a while.
    pub(super) fn sighted(&self, sight: &Sight, monitor: &Monitor, now: Now) {
        let Sight::Regained { since, lasted, why } = sight else {
            return;
        };
        let told: BTreeSet<&str> = monitor
            .sites()
            .flat_map(|state| self.owners(state))
            .map(|owner| &*owner.name)
            .collect();
        let owners = self.plan.owners.iter();
        let owners = owners.filter(|owner| told.contains(&*owner.name));
        let spell = BlindSpell {
            since: since.wall,
            until: now.wall,
            lasted: *lasted,
            why,
            zone: &self.zone,
        };
        let letters = spell.letters(&self.plan.settings, owners);
        if !letters.is_empty() {
            self.history.letters(letters);
        }
    }

    fn owners<'a>(&'a self, state: &'a SiteState) -> impl Iterator<Item = &'a Owner> {
        let named = &state.site().owners;
        self.plan
            .owners
            .iter()
            .filter(|owner| self.everybody || named.contains(&owner.name))
    }
}

/// The name of a site in the history.
#[must_use]
pub fn key(state: &SiteState) -> SiteKey {
    SiteKey::from(&**state.site())
}

/// What of a configuration concerns what is kept and told; secrets are read anew.
pub(super) fn keeping(config: &Config) -> Keeping {
    Keeping {
        keep: keep(config),
        plan: plan(config),
    }
}

fn keep(config: &Config) -> Keep {
    Keep {
        raw: config.history.raw,
        rollup: config.history.rollup,
    }
}

/// Who can be told and how, secrets read.
#[must_use]
pub fn plan(config: &Config) -> Plan {
    Plan {
        owners: config.owners.clone(),
        settings: settings(&config.notify, config.monitor.ca_file.clone()),
    }
}

fn settings(settings: &NotifySettings, ca_file: Option<PathBuf>) -> notify::Settings {
    let credential = |secret: &Secret| notify::Credential(secret.read());
    notify::Settings {
        email: settings.email.as_ref().map(|email| notify::Email {
            host: email.smtp.host.clone(),
            port: email.smtp.port,
            tls: email.smtp.security == SmtpSecurity::Tls,
            plain_allowed: email.allow_unencrypted,
            login: email
                .smtp
                .user
                .clone()
                .zip(email.password.as_ref().map(credential)),
            from: email.from.clone(),
        }),
        sms: settings.sms.as_ref().map(|sms| notify::Sms {
            url: sms.url.clone(),
            account: sms.account.clone(),
            token: credential(&sms.token),
            from: sms.from.clone(),
        }),
        push: notify::Push {
            url: settings.push.url.clone(),
            token: settings.push.token.as_ref().map(credential),
        },
        webhook: notify::Webhook {
            secret: settings.webhook.secret.as_ref().map(credential),
        },
        digest: settings.digest,
        ca_file,
    }
}
