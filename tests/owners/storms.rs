//! Outages that open together are one message, which says what they share.

use super::sites::{BROKEN, WELL, count, home_of, is, watch};
use crate::monitor::sites::script;
use crate::support::{Answer, Fleet, PostServer, Squirrel, Terminal};

const SITES: usize = 14;

#[test]
fn fourteen_sites_of_one_address_are_one_message_and_so_is_their_return() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let squirrel = Squirrel::new();
    squirrel.write("ca.pem", fleet.certificates().ca_pem());
    let mut text = format!(
        "[monitor]\ninterval = \"1s\"\nconfirm = 1\nrecover = 1\nca_file = \"ca.pem\"\n\
         [owners.ops]\nwebhook = \"{}\"\n[notify]\ndigest = \"20s\"\n",
        hook.url()
    );
    for number in 0..SITES {
        text.push_str(&format!(
            "[[sites]]\nname = 'shop {number}'\nurl = 'http://{}/{number}'\nowners = ['ops']\n",
            site.authority
        ));
    }
    squirrel.write("sites.toml", text);
    let mut running = squirrel.start(["watch", "--history", "history.db"]);
    running.wait_for("the start", is("started"));
    let told = |line: &serde_json::Value, word: &str| {
        line["event"] == "notified"
            && line["subject"]
                .as_str()
                .is_some_and(|s| s.starts_with(word))
    };
    site.play(script(BROKEN));
    let down = running.wait_for("the message", |line| told(line, "DOWN"));
    site.play(script(WELL));
    let up = running.wait_for("the other message", |line| told(line, "UP again"));
    running.signal(rustix::process::Signal::TERM);
    let finished = running.finish();
    let events = |event| {
        finished
            .objects()
            .iter()
            .filter(|line| is(event)(line))
            .count()
    };
    assert_eq!((events("down"), events("recovered")), (SITES, SITES));
    assert_eq!(events("notified"), 2, "{:?}", finished.objects());
    assert_eq!(
        down["subject"],
        "DOWN: 14 sites, all on 127.0.0.1: status 503"
    );
    assert_eq!(
        up["subject"],
        "UP again: 14 sites, all on 127.0.0.1: status 503"
    );
    let posted = hook.posted();
    assert_eq!(posted.len(), 2);
    let first = posted[0].json();
    assert_eq!(
        (&first["event"], &first["count"]),
        (&"digest_down".into(), &14.into())
    );
    assert_eq!(first["groups"][0]["common"], "on 127.0.0.1");
    assert_eq!(first["outages"].as_array().unwrap().len(), SITES);
    // Each outage knows that its owner was told.
    let told =
        "SELECT count(*) FROM outages o JOIN outbox l ON l.outage = o.id AND l.event = 'down'
                JOIN outbox d ON d.id = l.digest WHERE d.state = 1";
    assert_eq!(count(&squirrel, told), SITES as i64);
}

#[test]
fn the_screen_names_what_open_outages_share() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let squirrel = Squirrel::new();
    squirrel.write("ca.pem", fleet.certificates().ca_pem());
    let mut text = "[monitor]\ninterval = \"1s\"\nconfirm = 1\nca_file = \"ca.pem\"\n".to_owned();
    for number in 0..3 {
        text.push_str(&format!(
            "[[sites]]\nname = 'shop {number}'\nurl = 'http://{}/{number}'\n",
            site.authority
        ));
    }
    squirrel.write("sites.toml", text);
    let mut terminal = Terminal::start(&squirrel, (80, 24), ["--history", "history.db"]);
    terminal.press("F5");
    terminal.wait_text("Suspected common cause: 3 of 3 open, all on 127.0.0.1: status 503");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn a_storm_across_a_restart_is_one_message_at_the_time_of_one() {
    let mut fleet = Fleet::new();
    let (first, second) = (fleet.serve(script(BROKEN)), fleet.serve(script(WELL)));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let owner = format!("webhook = \"{}\"", hook.url());
    let squirrel = home_of(&fleet, &[("a", &first), ("b", &second)], &owner, "");
    let text = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    // A tenth of it is waited for the next outage.
    let text = text.replace("digest = \"0s\"", "digest = \"100s\"");
    squirrel.write("sites.toml", text);
    let mut running = watch(&squirrel);
    running.wait_for("the first outage", is("down"));
    running.signal(rustix::process::Signal::TERM);
    running.finish();
    second.play(script(BROKEN));
    let mut running = watch(&squirrel);
    let down = running.wait_for("the second outage", is("down"));
    assert_eq!(down["site"], "b");
    let told = running.wait_for("the message", is("notified"));
    assert_eq!(
        told["subject"],
        "DOWN: 2 sites, all on 127.0.0.1: status 503"
    );
    let at = |line: &serde_json::Value| -> jiff::Timestamp {
        line["at"].as_str().unwrap().parse().unwrap()
    };
    let waited = at(&told).duration_since(at(&down)).as_secs_f64();
    assert!((9.0..15.0).contains(&waited), "{waited} s");
    assert_eq!(hook.posted().len(), 1);
}
