//! The Outages screen in a terminal: who was told, and who knows.

use super::sites::{BROKEN, WELL, home, home_of};
use crate::monitor::sites::script;
use crate::support::{
    Answer, Fleet, Frame, MailServer, Mood, PostServer, Privacy, Terminal, until,
};

const SIZE: (u16, u16) = (120, 36);
const KEPT: [&str; 2] = ["--history", "history.db"];

/// Two sites on one address: one note for both, given where they are seen first.
#[test]
fn outages_of_one_cause_are_acknowledged_from_the_sites_with_one_note() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let owner = format!("webhook = \"{}\"", hook.url());
    let squirrel = home_of(&fleet, &[("shop", &site), ("blog", &site)], &owner, "");
    let mut terminal = Terminal::start_in(&squirrel, SIZE, &[("USER", "ana")], KEPT);
    terminal.wait("both down", |frame| {
        frame.is("shop", "DOWN") && frame.is("blog", "DOWN")
    });
    terminal.press("a");
    terminal.press("the rack is off");
    terminal.wait("one of them", |frame| {
        frame.has("note on shop: the rack is off") || frame.has("note on blog: the rack is off")
    });
    terminal.press("\t");
    terminal.wait_text("note on 2 outages, all on 127.0.0.1: the rack is off");
    terminal.press("Enter");
    terminal.wait_text("2 outages are acknowledged: ");
    terminal.wait("who and when, in both rows", |frame| {
        let said = frame
            .rows()
            .filter(|row| row.contains(" a ") && row.contains(" ana:"));
        said.count() == 2
    });
    terminal.press("Enter");
    let frame = terminal.wait_text("Acknowledged");
    let line = frame.line("Acknowledged").unwrap();
    assert!(line.ends_with(" ana: the rack is off"), "{line}");
    // One is taken back, and by u both are as they were.
    terminal.press("a");
    terminal.wait_text(" is acknowledged no more");
    terminal.press("u");
    terminal.wait("it is again", |frame| frame.has("Acknowledged "));
    site.play(script(WELL));
    until("the end is told with the note", || {
        let posted = hook.posted();
        let told = posted
            .iter()
            .filter(|one| one.body.contains("the rack is off"));
        told.count() == 2
    });
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn an_outage_is_told_shown_as_delivered_acknowledged_and_so_after_a_restart() {
    let mut fleet = Fleet::new();
    let (site, post) = (
        fleet.serve(script(BROKEN)),
        MailServer::start(&fleet, Privacy::Tls),
    );
    let owner = "email = \"ops@example.org\"";
    let squirrel = home(&fleet, &site, owner, &post.settings());
    let mut terminal = Terminal::start(&squirrel, SIZE, KEPT);
    terminal.wait("the outage", |frame| frame.is("shop", "DOWN"));
    terminal.press("F5");
    let told = terminal.wait("the message as delivered", |frame| {
        frame.has("✗ OPEN") && frame.has("● ops email") && frame.has("● 1 sent")
    });
    assert!(told.has("status 503"), "{}", told.text());
    assert_eq!(post.mails().len(), 1);
    terminal.press("a");
    terminal.press("looking at it");
    terminal.wait_text("note on shop: looking at it");
    terminal.press("Enter");
    let known = terminal.wait("the note in its row", |frame| {
        frame
            .text()
            .lines()
            .any(|line| line.contains("✗ OPEN") && line.contains("looking at it"))
    });
    assert!(known.has("acknowledged"), "{}", known.text());
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);

    let mut terminal = Terminal::start(&squirrel, SIZE, KEPT);
    terminal.wait("the outage still open", |frame| frame.is("shop", "DOWN"));
    terminal.press("F5");
    terminal.wait("outage, message and note", |frame| {
        frame.has("✗ OPEN") && frame.has("● ops email") && frame.has("looking at it")
    });
    // Again takes it back.
    terminal.press("a");
    terminal.wait("the note gone", |frame| {
        frame.has("✗ OPEN") && !frame.has("looking at it")
    });
    site.play(script(WELL));
    terminal.wait("the end", |frame| {
        frame.has("● over") && frame.has("● 2 sent")
    });
    // The page of its past shows it as well.
    terminal.press("d");
    terminal.wait("the past", |frame| {
        frame.has("History of shop") && frame.has("this run") && frame.has("OUTAGES: 1")
    });
    // So does the list of its checks, with the reason of each.
    terminal.press("c");
    let checks = terminal.wait("its checks", |frame| {
        frame.has("Checks of shop, the last 24 h") && frame.has("● good")
    });
    assert!(checks.has("✗ status"), "{}", checks.text());
    terminal.press("q");
    terminal.press("q");
    // From the outage itself: what stands between its two ends, and the two mails.
    terminal.press("c");
    let checks = terminal.wait("those of the outage", |frame| {
        frame.has("Checks of shop in its outage") && frame.has("checks since")
    });
    let of = |frame: &Frame, text: &str| {
        frame
            .lines
            .iter()
            .filter(|line| line.contains(text))
            .count()
    };
    let (good, bad) = (of(&checks, "● good"), of(&checks, "✗ status"));
    assert!(good == 1 && bad >= 2, "{}", checks.text());
    terminal.press("q");
    terminal.press("m");
    let messages = terminal.wait_text("Messages about the outage of shop");
    assert!(
        messages.has("UP again: shop") && messages.has("DOWN: shop"),
        "{}",
        messages.text()
    );
    terminal.press("q");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    assert_eq!(post.mails().len(), 2);
}

#[test]
fn a_message_that_waits_is_sent_at_once_by_a_key() {
    let mut fleet = Fleet::new();
    let (site, post) = (
        fleet.serve(script(BROKEN)),
        MailServer::start(&fleet, Privacy::Tls),
    );
    post.set(Mood::Busy);
    let owner = "email = \"ops@example.org\"";
    let squirrel = home(&fleet, &site, owner, &post.settings());
    let mut terminal = Terminal::start(&squirrel, SIZE, KEPT);
    terminal.wait("the outage", |frame| frame.is("shop", "DOWN"));
    terminal.press("F5");
    terminal.wait("what the server said", |frame| {
        frame.has("! retrying") && frame.has("451")
    });
    post.set(Mood::Well);
    terminal.press("r");
    terminal.wait_text("press r to send the selected message again");
    terminal.press("r");
    terminal.wait_text("● ops email");
    assert_eq!(post.mails().len(), 1);
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn a_message_that_waits_for_the_end_of_quiet_hours_is_shown_so_and_not_sent_by_a_key() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let clock = |hours: i64| {
        let at = now.checked_add(jiff::SignedDuration::from_hours(hours));
        at.unwrap().strftime("%H:%M").to_string()
    };
    let (from, to) = (clock(-1), clock(1));
    let owner = format!(
        "webhook = \"{}\"\nquiet = \"{from}-{to}\"\nzone = \"UTC\"",
        hook.url()
    );
    let squirrel = home(&fleet, &site, &owner, "");
    let mut terminal = Terminal::start(&squirrel, SIZE, KEPT);
    terminal.wait("the outage", |frame| frame.is("shop", "DOWN"));
    terminal.press("F5");
    terminal.wait("the message, and until when it waits", |frame| {
        let waits = |line: &str| line.contains("· waiting") && line.contains(&to);
        frame.text().lines().any(waits) && frame.has("· 1 waiting") && frame.has("✗ 0 GAVE UP")
    });
    terminal.press("r");
    terminal.wait_text("press r to send the selected message again");
    terminal.press("r");
    terminal.wait_text(&format!(
        "The hours of its owner: this message is not sent before {to}"
    ));
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    assert!(hook.posted().is_empty());
}

#[test]
fn a_message_that_was_given_up_is_shown_as_failed_and_can_be_sent_again() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let hook = PostServer::start(
        &fleet,
        [
            Answer::Says("400 Bad Request", "", ""),
            Answer::Says("200 OK", "", ""),
        ],
    );
    let owner = format!("webhook = \"{}\"", hook.url());
    let squirrel = home(&fleet, &site, &owner, "");
    let mut terminal = Terminal::start(&squirrel, SIZE, KEPT);
    terminal.wait("the outage", |frame| frame.is("shop", "DOWN"));
    terminal.press("F5");
    terminal.wait("the failure", |frame| {
        frame.has("✗ 1 GAVE UP") && frame.has("400")
    });
    terminal.press("r");
    terminal.wait_text("press r to send the selected message again");
    terminal.press("r");
    terminal.wait("the message as delivered", |frame| {
        frame.has("● ops webhook") && frame.has("● 1 sent")
    });
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn a_key_begins_maintenance_in_which_no_owner_is_told_and_ends_it() {
    let mut fleet = Fleet::new();
    let (site, post) = (
        fleet.serve(script(WELL)),
        MailServer::start(&fleet, Privacy::Tls),
    );
    let owner = "email = \"ops@example.org\"";
    let squirrel = home(&fleet, &site, owner, &post.settings());
    let mut terminal = Terminal::start(&squirrel, SIZE, KEPT);
    terminal.wait("the site", |frame| frame.is("shop", "UP"));
    terminal.press("w");
    terminal.wait_text("shop: maintenance until ");
    site.play(script(BROKEN));
    terminal.wait("the outage", |frame| frame.is("shop", "DOWN"));
    terminal.press("Enter");
    terminal.wait("why nobody is told", |frame| {
        frame.has("Silence") && frame.has("nobody is told")
    });
    terminal.press("q");
    assert_eq!(post.mails().len(), 0);
    terminal.press("w");
    terminal.wait_text("shop: maintenance is over");
    terminal.press("F5");
    terminal.wait("the message", |frame| frame.has("● 1 sent"));
    assert_eq!(post.mails().len(), 1);
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

/// The rule and the reasons on the page of an open outage count the same failures.
#[test]
fn the_page_of_an_open_outage_counts_its_failures_once() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let squirrel = home(&fleet, &site, "", "");
    let mut terminal = Terminal::start(&squirrel, SIZE, KEPT);
    terminal.wait("the outage", |frame| frame.is("shop", "DOWN"));
    terminal.press("F5");
    terminal.wait("its row", |frame| frame.has("✗ OPEN"));
    terminal.press("Enter");
    let number = |frame: &Frame, before: &str, after: &str| -> Option<u32> {
        let (_, rest) = frame.line(before)?.split_once(before)?;
        rest.split_once(after)?.0.trim().parse().ok()
    };
    // The file counts at powers of two alone.
    terminal.wait("two equal numbers", |frame| {
        let failures = number(frame, " Rule ", " failures in a row");
        let checks = number(frame, " status 503 ", " checks");
        failures == checks && failures.is_some_and(|number| !number.is_power_of_two())
    });
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}
