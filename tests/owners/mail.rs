//! Mail, through a real server with TLS and every fault that one may have.

use rustix::process::Signal;

use super::sites::{BROKEN, WELL, count, history, home, is, on, watch};
use crate::monitor::sites::script;
use crate::support::{
    Answer, CertKind, Fleet, MailServer, Mood, PostServer, Privacy, Squirrel, Terminal,
};

const TO_OPS: &str = "email = \"ops@example.org\"";

#[test]
fn an_outage_and_its_end_reach_the_mailbox_once_over_tls_and_over_starttls() {
    for privacy in [Privacy::Tls, Privacy::StartTls] {
        let mut fleet = Fleet::new();
        let (site, post) = (
            fleet.serve(script(WELL)),
            MailServer::start(&fleet, privacy),
        );
        let squirrel = home(&fleet, &site, TO_OPS, &post.settings());
        let mut running = watch(&squirrel);
        running.wait_for("the start", is("started"));
        crate::support::until("a good check", || {
            count(&squirrel, "SELECT count(*) FROM results") > 0
        });
        site.play(script(BROKEN));
        running.wait_for("the outage told", on("notified", "email"));
        site.play(script(WELL));
        running.wait_for("the end told", |line| {
            line["event"] == "notified"
                && line["subject"]
                    .as_str()
                    .is_some_and(|text| text.starts_with("UP again"))
        });
        running.signal(Signal::TERM);
        assert_eq!(running.finish().code(), 0);
        let mails = post.mails();
        assert_eq!(mails.len(), 2, "{privacy:?}");
        assert!(
            mails
                .iter()
                .all(|mail| mail.private && mail.logged_in && mail.to == "ops@example.org")
        );
        assert_eq!(
            mails[0].header("Subject").unwrap(),
            "DOWN: shop (status 503: answered 503 Service Unavailable; 400 and more counts as down)"
        );
        assert!(
            mails[0].data.contains("Last good check: "),
            "{}",
            mails[0].data
        );
        assert!(mails[0].data.contains("Rule: 1 failed check (confirm"));
        assert!(
            mails[1]
                .header("Subject")
                .unwrap()
                .starts_with("UP again: shop after ")
        );
        assert_ne!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
        assert_eq!(
            count(
                &squirrel,
                "SELECT count(*) FROM outbox WHERE state = 1 AND answer LIKE '250 %4711'"
            ),
            2
        );
        assert_eq!(
            count(
                &squirrel,
                "SELECT count(*) FROM outages WHERE ended > since"
            ),
            1
        );
    }
}

#[test]
fn without_tls_no_mail_goes_unless_that_is_allowed() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let post = MailServer::start(&fleet, Privacy::None);
    let squirrel = home(&fleet, &site, TO_OPS, &post.settings());
    let mut running = watch(&squirrel);
    let failed = running.wait_for("the refusal", on("notify_failed", "email"));
    assert_eq!(failed["given_up"], false);
    assert_eq!(post.mails().len(), 0);
    assert!(post.attempts() > 0);
    // The reader of the file allows it, and what was pending goes.
    let allowed = format!("{}allow_unencrypted = true\n", post.settings());
    let text = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    squirrel.replace("sites.toml", text.replace(&post.settings(), &allowed));
    running.wait_for("the mail", on("notified", "email"));
    assert!(!post.mails()[0].private);
}

#[test]
fn a_server_that_refuses_drops_or_is_busy_gets_the_mail_later_and_once() {
    for mood in [Mood::Refuses, Mood::DropsInData, Mood::Busy] {
        let mut fleet = Fleet::new();
        let site = fleet.serve(script(BROKEN));
        let post = MailServer::start(&fleet, Privacy::Tls);
        post.set(mood);
        let squirrel = home(&fleet, &site, TO_OPS, &post.settings());
        let mut running = watch(&squirrel);
        let failed = running.wait_for("a failure", is("notify_failed"));
        assert_eq!(failed["given_up"], false, "{mood:?}: {failed}");
        if mood == Mood::Busy {
            assert!(
                failed["error"].as_str().unwrap().contains("451"),
                "{failed}"
            );
        }
        post.set(Mood::Well);
        running.wait_for("the mail", is("notified"));
        running.signal(Signal::TERM);
        running.finish();
        assert_eq!(post.mails().len(), 1, "{mood:?}");
    }
}

#[test]
fn a_server_that_hangs_delays_no_check_and_no_other_channel() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let post = MailServer::start(&fleet, Privacy::Tls);
    post.set(Mood::Hangs);
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let owner = format!("{TO_OPS}\nwebhook = \"{}/hook\"", hook.url());
    let squirrel = home(&fleet, &site, &owner, &post.settings());
    let mut running = squirrel.start(["watch", "--history", "history.db", "--results"]);
    running.wait_for("the webhook", on("notified", "webhook"));
    for _ in 0..4 {
        // A line a check, a check a second: nothing waits for the mail server.
        assert!(running.wait_for_line());
    }
    let late = running
        .lines_so_far()
        .iter()
        .filter_map(|line| line["late_ms"].as_f64())
        .fold(0.0, f64::max);
    assert!(late < 500.0, "a check was {late} ms late");
    assert_eq!((post.attempts(), post.mails().len()), (1, 0));
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
    // It waits for the next run.
    assert_eq!(
        count(
            &squirrel,
            "SELECT count(*) FROM outbox WHERE channel = 'email' AND state = 0"
        ),
        1
    );
    post.set(Mood::Well);
    let mut running = watch(&squirrel);
    running.wait_for("the mail", on("notified", "email"));
    assert!(!running.lines_so_far().iter().any(is("down")), "told again");
}

#[test]
fn an_orderly_end_waits_for_the_answer_so_that_no_owner_is_told_twice() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let post = MailServer::start(&fleet, Privacy::Tls);
    post.set(Mood::Slow);
    let squirrel = home(&fleet, &site, TO_OPS, &post.settings());
    let mut running = watch(&squirrel);
    running.wait_for("the start", is("started"));
    crate::support::until("the mail, not yet answered", || post.mails().len() == 1);
    running.signal(Signal::TERM);
    let finished = running.finish();
    assert_eq!(finished.code(), 0);
    assert!(finished.objects().iter().any(on("notified", "email")));
    assert_eq!(
        count(&squirrel, "SELECT count(*) FROM outbox WHERE state = 1"),
        1
    );
    let mut running = squirrel.start(["watch", "--history", "history.db", "--results"]);
    for _ in 0..4 {
        assert!(running.wait_for_line());
    }
    assert_eq!(post.mails().len(), 1);
}

#[test]
fn mail_that_is_refused_for_good_is_given_up_and_reported_by_the_other_channels() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let post = MailServer::start(&fleet, Privacy::Tls);
    post.set(Mood::KnowsNobody);
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let owner = format!("{TO_OPS}\nwebhook = \"{}/hook\"", hook.url());
    let squirrel = home(&fleet, &site, &owner, &post.settings());
    let mut running = watch(&squirrel);
    let failed = running.wait_for("the refusal", on("notify_failed", "email"));
    assert_eq!(failed["given_up"], true);
    running.wait_for("the report", |line| {
        line["event"] == "notified" && line["subject"] == "squirrel cannot reach ops by email"
    });
    running.signal(Signal::TERM);
    running.finish();
    let events: Vec<_> = hook
        .posted()
        .iter()
        .map(|posted| posted.json()["event"].clone())
        .collect();
    assert_eq!(events, ["down", "channel_failed"]);
    assert!(hook.posted()[1].body.contains("No such user here"));
    let answer: String = history(&squirrel)
        .query_row("SELECT answer FROM outbox WHERE state = 2", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert!(answer.contains("550"), "{answer}");
}

#[test]
fn no_name_of_a_site_gets_into_a_header_of_its_own() {
    let mut fleet = Fleet::new();
    let (site, post) = (
        fleet.serve(script(BROKEN)),
        MailServer::start(&fleet, Privacy::Tls),
    );
    let name = "=?utf-8?q?Bcc:_x@y?= Überwachung \u{1F43F}";
    let squirrel = super::sites::home_of(&fleet, &[(name, &site)], TO_OPS, &post.settings());
    let mut running = watch(&squirrel);
    running.wait_for("the mail", is("notified"));
    let mail = &post.mails()[0];
    let mut names = mail.header_names();
    names.sort();
    assert_eq!(
        names,
        [
            "Auto-Submitted",
            "Content-Transfer-Encoding",
            "Content-Type",
            "Date",
            "From",
            "Message-ID",
            "Subject",
            "To"
        ]
    );
    // Nothing of the site is decoded as an encoded word.
    let subject = mail.header("Subject").unwrap();
    assert!(!subject.contains("=?utf-8?q?Bcc"), "{subject}");
}

#[test]
fn a_test_message_says_exactly_what_the_other_side_answered() {
    let mut fleet = Fleet::new();
    let (site, post) = (
        fleet.serve(script(WELL)),
        MailServer::start(&fleet, Privacy::StartTls),
    );
    let squirrel = home(&fleet, &site, TO_OPS, &post.settings());
    let finished = squirrel.run(["notify", "test", "ops"]);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let said = String::from_utf8(finished.stdout).unwrap();
    assert_eq!(
        said,
        "email    ops@example.org  sent: 250 2.0.0 Ok: queued as 4711\n"
    );
    assert!(
        post.mails()[0]
            .header("Subject")
            .unwrap()
            .starts_with("Test: ")
    );
    squirrel.write("password", "wrong");
    let finished = squirrel.run(["notify", "test", "ops"]);
    assert_eq!(finished.code(), 1);
    let said = String::from_utf8(finished.stdout).unwrap();
    assert!(said.contains("FAILED") && said.contains("535"), "{said}");
    std::fs::remove_file(squirrel.dir().join("password")).unwrap();
    let said = String::from_utf8(squirrel.run(["notify", "test", "ops"]).stdout).unwrap();
    assert!(said.contains("cannot be read"), "{said}");
    let finished = squirrel.run(["notify", "test", "nobody"]);
    assert_eq!(finished.code(), 2);
    assert!(
        finished.stderr.contains("[owners.nobody]"),
        "{}",
        finished.stderr
    );
}

#[test]
fn an_outage_of_the_demonstration_reaches_a_mailbox() {
    let fleet = Fleet::new();
    let post = MailServer::start(&fleet, Privacy::Tls);
    let squirrel = Squirrel::new();
    squirrel.write("ca.pem", fleet.certificates().ca_pem());
    squirrel.write("password", "secret");
    squirrel.write(
        "mine.toml",
        format!(
            "[monitor]\nca_file = \"ca.pem\"\n[owners.ops]\n{TO_OPS}\n{}\n\
             [[sites]]\nurl = \"http://127.0.0.1:9/\"\n",
            post.settings()
        ),
    );
    let mut terminal = Terminal::start(&squirrel, (120, 36), ["demo", "--notify", "mine.toml"]);
    terminal.wait("the first row", |frame| frame.rows().count() > 10);
    terminal.press("/");
    terminal.press("shop");
    terminal.press("Enter");
    terminal.wait("the shop alone", |frame| frame.is("shop", "UP"));
    terminal.press("b");
    terminal.wait_text("shop broken");
    for _ in 0..2 {
        terminal.press("r");
        crate::support::until("a check", || {
            terminal.frame().state("shop").is_some_and(|is| is != "UP")
        });
    }
    terminal.wait_text("ops told by email: DOWN: ");
    crate::support::until("the mail", || {
        post.mails().iter().any(|mail| {
            mail.header("Subject")
                .is_some_and(|subject| subject.starts_with("DOWN: "))
        })
    });
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

/// A certificate that stands in `ca_file` is trusted as it is, though it says that it is an
/// authority's; its name and dates are judged. Nothing is sent to a server that shows another.
#[test]
fn the_certificates_of_ca_file_are_trusted_byte_for_byte_by_mail_and_webhook() {
    for (kind, trusted) in [
        (CertKind::Pinned, None),
        (CertKind::PinnedWrongHost, Some("for another host")),
        (CertKind::PinnedExpired, Some("has expired")),
        (CertKind::PinnedNotYetValid, Some("not yet valid")),
        (CertKind::SelfSigned, Some("certificate")),
        (CertKind::UnknownIssuer, Some("unknown issuer")),
        (CertKind::Good, None),
    ] {
        for privacy in [Privacy::Tls, Privacy::StartTls] {
            let mut fleet = Fleet::new();
            let (site, post) = (
                fleet.serve(script(WELL)),
                MailServer::with_certificate(&fleet, privacy, kind),
            );
            let word = serde_json::to_value(kind).unwrap();
            let hook = fleet.serve(script(&format!(
                r"tls = {word}
                POST = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
            )));
            let to = format!("{TO_OPS}\nwebhook = \"https://{}/\"", hook.authority);
            let squirrel = home(&fleet, &site, &to, &post.settings());
            let finished = squirrel.run(["notify", "test", "ops"]);
            let said = String::from_utf8(finished.stdout).unwrap();
            let lines: Vec<_> = said.lines().collect();
            assert_eq!(lines.len(), 2, "{said}");
            for line in lines {
                match trusted {
                    None => assert!(line.contains("sent: "), "{kind:?} {privacy:?}: {line}"),
                    Some(why) => {
                        assert!(line.contains("FAILED"), "{kind:?} {privacy:?}: {line}");
                        assert!(line.contains(why), "{kind:?} {privacy:?}: {line}");
                    }
                }
            }
            let taken = usize::from(trusted.is_none());
            assert_eq!(post.mails().len(), taken, "{kind:?} {privacy:?}");
            assert_eq!(hook.count.requests(), taken, "{kind:?} {privacy:?}");
        }
    }
}
