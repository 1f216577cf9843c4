//! Who is told of what: the kinds of events that an owner wants, the owners of sites that name
//! none, and those who are told of the monitor itself.

use rustix::process::Signal;

use super::sites::{BROKEN, history, is};
use crate::monitor::sites::script;
use crate::support::{Answer, Fleet, PostServer, Squirrel};

/// Owner and kind of every message that was written, each pair once, in order.
fn told(squirrel: &Squirrel) -> Vec<String> {
    history(squirrel)
        .prepare("SELECT DISTINCT owner || ': ' || event || ' ' || site FROM outbox ORDER BY 1")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[test]
fn an_owner_is_told_of_the_kinds_of_events_that_it_wants() {
    let mut fleet = Fleet::new();
    let broken = fleet.serve(script(BROKEN));
    let slow = fleet.serve(script(
        r"'*' = [{ wait = '250ms' }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let squirrel = Squirrel::new();
    let owner =
        |name: &str, tell: &str| format!("[owners.{name}]\nwebhook = '{}'\n{tell}\n", hook.url());
    let mut text = "[monitor]\ninterval = '1s'\nconfirm = 1\nslow = '100ms'\nslow_after = '1s'\n\
                    owners = ['ops', 'speed']\n[notify]\ndigest = '0s'\n"
        .to_owned();
    text += &owner("ops", "");
    text += &owner("speed", "tell = ['slow']");
    for (name, server, more) in [
        ("broken", &broken, ""),
        ("slow", &slow, ""),
        ("patient", &slow, "slow_after = '1h'"),
    ] {
        text += &format!(
            "[[sites]]\nname = '{name}'\nurl = 'http://{}/{name}'\n{more}\n",
            server.authority
        );
    }
    squirrel.write("sites.toml", text);
    let mut running = squirrel.start(["watch", "--history", "history.db"]);
    for owner in ["ops", "speed"] {
        let to = |line: &serde_json::Value| is("notified")(line) && line["owner"] == owner;
        running.wait_for(owner, to);
    }
    running.signal(Signal::TERM);
    running.finish();
    assert_eq!(told(&squirrel), ["ops: down broken", "speed: slow slow"]);
}

#[test]
fn sites_that_name_no_owner_and_those_of_lists_have_the_owners_of_the_monitor() {
    let mut fleet = Fleet::new();
    let broken = fleet.serve(script(BROKEN));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let squirrel = Squirrel::new();
    let site = |name: &str, more: &str| {
        let url = format!("http://{}/{name}", broken.authority);
        format!("[[sites]]\nname = '{name}'\nurl = '{url}'\n{more}\n")
    };
    let text = format!(
        "[monitor]\ninterval = '1s'\nconfirm = 1\nowners = ['ops']\ninclude = ['list.txt']\n\
         [notify]\ndigest = '0s'\n[owners.ops]\nwebhook = '{0}'\n[owners.dev]\nwebhook = '{0}'\n",
        hook.url()
    );
    let text = text
        + &site("silent", "owners = []")
        + &site("plain", "")
        + &site("own", "owners = ['dev']");
    squirrel.write("sites.toml", text);
    squirrel.write(
        "list.txt",
        format!("http://{}/list listed\n", broken.authority),
    );
    let mut running = squirrel.start(["watch", "--history", "history.db"]);
    let down = |name: &'static str| {
        move |line: &serde_json::Value| is("down")(line) && line["site"] == name
    };
    let silent = running.wait_for("the site of nobody", down("silent"));
    assert_eq!(silent["owners"], serde_json::json!([]));
    for name in ["plain", "own", "listed"] {
        let of = |line: &serde_json::Value| is("notified")(line) && line["site"] == name;
        running.wait_for(name, of);
    }
    running.signal(Signal::TERM);
    running.finish();
    let expected = ["dev: down own", "ops: down listed", "ops: down plain"];
    assert_eq!(told(&squirrel), expected);
}

/// One worker, which a site keeps busy for longer than the others can wait.
#[test]
fn owners_of_the_monitor_are_told_when_sites_are_not_checked_any_more() {
    let mut fleet = Fleet::new();
    let stuck = fleet.serve(script("'*' = [{ hang = true }]"));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let squirrel = Squirrel::new();
    let mut text = format!(
        "[monitor]\ninterval = '1s'\ntimeout = '5m'\nparadigm = 'serial'\nowners = ['last']\n\
         [notify]\ndigest = '0s'\n\
         [owners.last]\nwebhook = '{0}'\n[owners.ops]\nwebhook = '{0}'\n",
        hook.url()
    );
    for number in 0..3 {
        text += &format!(
            "[[sites]]\nurl = 'http://{}/{number}'\nowners = ['ops']\n",
            stuck.authority
        );
    }
    squirrel.write("sites.toml", text);
    let mut running = squirrel.start(["watch", "--history", "history.db"]);
    running.wait_for("that it is seen", is("unwatched"));
    let notified = running.wait_for("that it is told", is("notified"));
    assert_eq!(notified["owner"], "last");
    running.signal(Signal::TERM);
    running.finish();
    assert_eq!(told(&squirrel), ["last: unwatched "]);
}
