//! Owners who take turns: whoever is on call is told, and is told the end of what they were told.

use super::sites::{BROKEN, WELL};
use crate::monitor::sites::script;
use crate::support::{Answer, Fleet, PostServer, Server, Squirrel, Terminal, until};

/// An owner whose rotation has these members, in whose second turn it is now.
fn configure(squirrel: &Squirrel, site: &Server, hooks: [&PostServer; 3], members: [&str; 2]) {
    let [ops, first, second] = hooks.map(PostServer::url);
    let yesterday = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let yesterday = yesterday.date().yesterday().unwrap();
    let [one, other] = members;
    squirrel.replace(
        "sites.toml",
        format!(
            "[monitor]\ninterval = \"1s\"\nconfirm = 1\nrecover = 1\ncanaries = []\n\
             [notify]\ndigest = \"0s\"\n\
             [owners.ops]\nwebhook = \"{ops}\"\n\
             rotation = {{ owners = [\"{one}\", \"{other}\"], every = \"day\", \
             starts = \"{yesterday} 00:00\", zone = \"UTC\" }}\n\
             [owners.first]\nwebhook = \"{first}\"\n[owners.second]\nwebhook = \"{second}\"\n\
             [[sites]]\nname = \"shop\"\nurl = \"http://{}/\"\nowners = [\"ops\"]\n",
            site.authority
        ),
    );
}

#[test]
fn whoever_is_on_call_is_told_and_the_end_as_well_after_the_handover() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let hook = || PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let (ops, first, second) = (hook(), hook(), hook());
    let squirrel = Squirrel::new();
    configure(
        &squirrel,
        &site,
        [&ops, &first, &second],
        ["first", "second"],
    );
    let mut terminal = Terminal::start(&squirrel, (120, 36), ["--history", "history.db"]);
    let events = |hook: &PostServer| {
        let posted = hook.posted();
        let event = |one: &crate::support::Posted| one.json()["event"].as_str().unwrap().to_owned();
        posted.iter().map(event).collect::<Vec<_>>().join(" ")
    };
    until("both to be told", || {
        !ops.posted().is_empty() && !second.posted().is_empty()
    });
    terminal.press("F5");
    terminal.wait_text("on call: second (ops)");
    // Another one is on call when it ends, in another run.
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    configure(
        &squirrel,
        &site,
        [&ops, &first, &second],
        ["second", "first"],
    );
    let mut terminal = Terminal::start(&squirrel, (120, 36), ["--history", "history.db"]);
    terminal.press("F5");
    terminal.wait_text("on call: first (ops)");
    site.play(script(WELL));
    until("the end to be told", || events(&second) == "down recovered");
    until("the end to be told", || events(&ops) == "down recovered");
    assert_eq!(events(&first), "");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn a_rotation_of_nobody_or_of_strangers_is_a_mistake() {
    for (rotation, expected) in [
        (
            "owners = [\"boss\"], starts = \"2026-11-30 09:00\"",
            "rotation.owners[0]: expected the name of another owner, got \"boss\"",
        ),
        (
            "owners = [\"ops\"], starts = \"2026-11-30 09:00\"",
            "rotation.owners[0]: expected the name of another owner, got \"ops\"",
        ),
        (
            "owners = [], starts = \"2026-11-30 09:00\"",
            "rotation.owners: expected the names of other owners",
        ),
        ("owners = [\"two\"]", "rotation.starts: this key is missing"),
        (
            "owners = [\"two\"], starts = \"monday\"",
            "rotation.starts: expected a date and a time such as \"2026-11-30 09:00\"",
        ),
        (
            "owners = [\"two\"], starts = \"2026-11-30 09:00\", every = \"month\"",
            "rotation.every: expected one of \"day\", \"week\"",
        ),
        (
            "owners = [\"two\"], starts = \"2026-11-30 09:00\", zone = \"Moon\"",
            "rotation.zone: expected a time zone",
        ),
    ] {
        let squirrel = Squirrel::new();
        squirrel.write(
            "sites.toml",
            format!(
                "[owners.ops]\nwebhook = \"https://h.example\"\nrotation = {{ {rotation} }}\n\
                 [owners.two]\nwebhook = \"https://h.example\"\n[[sites]]\nurl = \"https://a.example\"\n"
            ),
        );
        let finished = squirrel.run(["config", "check", "--config", "sites.toml"]);
        assert_eq!(finished.code(), 2, "{rotation}");
        assert!(
            finished.stderr.contains(expected),
            "{rotation}: {}",
            finished.stderr
        );
    }
}
