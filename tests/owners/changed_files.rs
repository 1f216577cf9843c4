//! Files that the configuration names and that change while the monitor runs: certificates and
//! secrets, as a service that renews them does it.

use rustix::process::Signal;
use serde_json::Value;

use super::sites::{BROKEN, WELL, home, is, on, watch};
use crate::monitor::sites::script;
use crate::support::{Fleet, MailServer, Privacy};

const TO_OPS: &str = "email = \"ops@example.org\"";

fn failed_with(words: &'static str) -> impl Fn(&Value) -> bool {
    move |line| {
        let error = line["error"].as_str().unwrap_or_default();
        on("notify_failed", "email")(line) && error.contains(words)
    }
}

#[test]
fn certificates_that_change_are_trusted_by_checks_and_channels_without_a_restart() {
    let (mut fleet, other) = (Fleet::new(), Fleet::new());
    let site = fleet.serve(script(&format!("tls = 'good'\n{WELL}")));
    let post = MailServer::start(&fleet, Privacy::Tls);
    let squirrel = home(&fleet, &site, TO_OPS, &post.settings());
    let text = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    squirrel.write("sites.toml", text.replace("http://", "https://"));
    squirrel.write("ca.pem", other.certificates().ca_pem());
    let mut running = watch(&squirrel);
    let down = running.wait_for("a certificate that is not trusted", is("down"));
    assert_eq!(down["reason"], "tls");
    running.wait_for(
        "the channel that does not trust it",
        on("notify_failed", "email"),
    );
    assert_eq!(post.mails().len(), 0);
    squirrel.replace("ca.pem", fleet.certificates().ca_pem());
    running.wait_for("the change", is("reloaded"));
    running.wait_for("the end of the outage", is("recovered"));
    running.wait_for("the message", on("notified", "email"));
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
}

#[test]
fn a_secret_that_changes_is_used_and_one_that_is_gone_changes_nothing_until_it_is_back() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let post = MailServer::start(&fleet, Privacy::Tls);
    let squirrel = home(&fleet, &site, TO_OPS, &post.settings());
    squirrel.write("password", "wrong\n");
    let mut running = watch(&squirrel);
    running.wait_for("the refusal", failed_with("535"));
    std::fs::remove_file(squirrel.dir().join("password")).unwrap();
    let refused = running.wait_for("that it is gone", is("reload_failed"));
    let error = refused["error"].as_str().unwrap();
    assert!(
        error.contains("notify.email.password.file: the file cannot be read"),
        "{error}"
    );
    squirrel.replace("password", "secret\n");
    running.wait_for("that it is back", is("reloaded"));
    site.play(script(WELL));
    running.wait_for("the message", on("notified", "email"));
    assert!(post.mails()[0].logged_in);
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
}

#[test]
fn a_file_that_a_refused_configuration_names_is_waited_for() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let squirrel = home(&fleet, &site, "push = 'ops'", "");
    let mut running = watch(&squirrel);
    running.wait_for("the start", is("started"));
    let text = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    let named = format!("{text}[notify.push]\ntoken = {{ file = 'token' }}\n");
    squirrel.replace("sites.toml", named);
    running.wait_for("the refusal", is("reload_failed"));
    squirrel.write("token", "secret\n");
    running.wait_for("the file", is("reloaded"));
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
}
