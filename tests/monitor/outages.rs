//! Outages as they happen.

use super::sites::{BROKEN, EVERY_SECOND, SIZE, WELL, at, home, script};
use crate::support::{Fleet, Squirrel, Terminal, until};

#[test]
fn an_outage_is_suspected_confirmed_told_once_and_its_end_as_well() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let squirrel = home(EVERY_SECOND, [at(&server, "shop"), at(&server, "blog")]);
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    terminal.wait("both up", |frame| {
        frame.is("shop", "UP") && frame.is("blog", "UP") && frame.title == "squirrel: none down"
    });
    let well = WELL.replace("'*'", "'* /blog'");
    server.play(script(&format!("{well}\n{BROKEN}")));
    let suspect = terminal.wait("the first failure", |frame| frame.is("shop", "SUSPECT"));
    assert_eq!(suspect.title, "squirrel: none down");
    let down = terminal.wait("the second failure", |frame| {
        frame.is("shop", "DOWN") && frame.title == "squirrel: 1 DOWN"
    });
    assert!(down.has("DOWN: shop (status)"), "{}", down.text());
    assert!(down.row("shop").is_some_and(|row| row.contains("503")));
    assert!(down.rows().next().is_some_and(|row| row.contains("shop")));
    server.play(script(WELL));
    let up = terminal.wait("the second good check", |frame| {
        frame.is("shop", "UP") && frame.title == "squirrel: none down"
    });
    assert!(up.has("UP again: shop (after "), "{}", up.text());
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    // The site changed twice; nothing else rang or was told, and the other site never changed.
    terminal.heard(|heard| {
        assert_eq!(
            (heard.bells, heard.notes.len()),
            (2, 2),
            "{:?}",
            heard.notes
        );
        assert!(
            heard.notes[0].contains("DOWN: shop (status)"),
            "{:?}",
            heard.notes
        );
        assert!(
            heard.notes[1].contains("UP again: shop"),
            "{:?}",
            heard.notes
        );
    });
    let tape = terminal.tape();
    let never = |frame: &crate::support::Frame| {
        frame
            .state("blog")
            .is_none_or(|is| is == "UP" || is == "NEW")
    };
    assert!(tape.frames.iter().all(never));
}

#[test]
fn in_the_demo_a_site_is_broken_and_mended_by_a_key() {
    let mut terminal = Terminal::start(&Squirrel::new(), SIZE, ["demo"]);
    terminal.wait("the first row", |frame| frame.rows().count() > 10);
    terminal.press("/");
    terminal.press("shop");
    terminal.press("Enter");
    terminal.wait("the shop alone", |frame| {
        frame.is("shop", "UP") && frame.rows().count() == 1
    });
    terminal.press("b");
    terminal.wait_text("shop broken");
    // Its regular checks would show it as well, only later.
    terminal.press("r");
    terminal.wait("a failure", |frame| frame.is("shop", "SUSPECT"));
    terminal.press("r");
    let down = terminal.wait("the outage", |frame| frame.is("shop", "DOWN"));
    assert!(down.has("DOWN: shop ("), "{}", down.text());
    terminal.press("m");
    terminal.wait_text("shop mended");
    // One good check does not end the outage; the second follows by itself.
    terminal.press("r");
    terminal.wait("the end of the outage", |frame| frame.is("shop", "UP"));
    terminal.wait_text("UP again: shop");
}

#[test]
fn a_screen_that_takes_nothing_has_one_bell_when_it_does_again() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let rules = format!("{EVERY_SECOND}\nconfirm = 1\nrecover = 1");
    let others: Vec<String> = (0..60).map(|number| format!("site-{number}")).collect();
    let sites = others.iter().map(|name| at(&server, name));
    let squirrel = home(&rules, sites.chain([at(&server, "shop")]));
    let mut terminal = Terminal::start(&squirrel, (200, 60), []);
    terminal.wait("it up", |frame| frame.has("61 UP"));
    terminal.stall(true);
    let asked = |times: usize| {
        let before = server.count.path("/shop").requests;
        until("it to be asked", || {
            server.count.path("/shop").requests >= before + times
        });
    };
    // What the system keeps is full after some whole frames.
    for _ in 0..8 {
        terminal.press("Ctrl-L");
        asked(1);
    }
    let broken = format!("{WELL}\n{}", BROKEN.replace("'*'", "'* /shop'"));
    for _ in 0..3 {
        server.play(script(&broken));
        asked(3);
        server.play(script(WELL));
        asked(3);
    }
    server.play(script(&broken));
    asked(3);
    terminal.stall(false);
    terminal.wait("the newest", |frame| frame.is("shop", "DOWN"));
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    terminal.heard(|heard| {
        // One, and at most two that were on the way when nothing was taken any more.
        assert!((1..=3).contains(&heard.bells), "{:?}", heard.notes);
        assert_eq!(heard.bells, heard.notes.len());
        assert!(heard.notes.last().unwrap().contains("DOWN: shop"));
    });
}
