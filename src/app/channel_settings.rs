//! How owners are reached, as a configuration says; secrets are read here.

use std::path::PathBuf;

use crate::config::{Config, NotifySettings, Secret, SmtpSecurity};
use crate::notify::{self, NotifyPlan};

/// Who can be told and how, secrets read.
#[must_use]
pub fn plan(config: &Config) -> NotifyPlan {
    NotifyPlan {
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
