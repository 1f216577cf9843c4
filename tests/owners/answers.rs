//! Answers of channels that do not end, and reasons for which there is none: told in plain words.

use std::net::TcpListener;

use rustix::process::Signal;

use super::sites::{BROKEN, WELL, home, is, watch};
use crate::monitor::sites::script;
use crate::support::{Answer, Fleet, MailServer, Mood, PostServer, Privacy, Squirrel};

#[test]
fn an_answer_whose_body_never_ends_counts_once() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let hook = PostServer::start(&fleet, [Answer::NeverEnds("200 OK", "")]);
    let sms = PostServer::start(&fleet, [Answer::NeverEnds("201 Created", "{\"sid\": ")]);
    let push = PostServer::start(&fleet, [Answer::NeverEnds("200 OK", "{\"id\": \"")]);
    let owner = format!(
        "webhook = \"{}\"\nsms = \"+15550100\"\npush = \"ops\"",
        hook.url()
    );
    let settings = format!(
        "[notify.sms]\nurl = \"{}\"\naccount = \"AC1\"\ntoken = {{ file = \"password\" }}\n\
         from = \"+15550009999\"\n[notify.push]\nurl = \"{}\"\n",
        sms.url(),
        push.url()
    );
    let squirrel = home(&fleet, &site, &owner, &settings);
    let mut running = watch(&squirrel);
    // The end of the outage is told next, so the beginning was taken by each.
    let mut told = |event: &str| {
        for channel in ["webhook", "sms", "push"] {
            running.wait_for(channel, |line| {
                let subject = line["subject"].as_str().unwrap_or_default();
                is("notified")(line) && line["channel"] == channel && subject.starts_with(event)
            });
        }
    };
    told("DOWN");
    site.play(script(WELL));
    told("UP");
    running.signal(Signal::TERM);
    let finished = running.finish();
    assert!(!finished.objects().iter().any(is("notify_failed")));
    for server in [hook, sms, push] {
        assert_eq!(server.posted().len(), 2);
    }
}

#[test]
fn a_body_that_is_no_beginning_of_what_the_service_says_is_no_success() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let portal = PostServer::start(&fleet, [Answer::NeverEnds("200 OK", "<html>Welcome")]);
    let settings = format!("[notify.push]\nurl = \"{}\"\n", portal.url());
    let squirrel = home(&fleet, &site, "push = \"ops\"", &settings);
    let finished = squirrel.run(["notify", "test", "ops"]);
    assert_eq!(finished.code(), 1);
    let said = String::from_utf8(finished.stdout).unwrap();
    assert!(said.contains("but this is no response of ntfy"), "{said}");
}

#[test]
fn a_mail_server_that_does_not_answer_the_end_has_taken_the_mail_once() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let post = MailServer::start(&fleet, Privacy::Tls);
    post.set(Mood::Stays);
    let owner = "email = \"ops@example.org\"";
    let squirrel = home(&fleet, &site, owner, &post.settings());
    let mut running = watch(&squirrel);
    running.wait_for("the mail", is("notified"));
    assert_eq!(post.mails().len(), 1);
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
}

/// What `notify test` prints of a channel that fails, behind "FAILED: ".
fn failure(squirrel: &Squirrel) -> String {
    let finished = squirrel.run(["notify", "test", "ops"]);
    assert_eq!(finished.code(), 1, "{}", finished.stderr);
    let said = String::from_utf8(finished.stdout).unwrap();
    let (_, why) = said.trim_end().split_once("FAILED: ").unwrap();
    why.to_owned()
}

#[test]
fn why_a_channel_fails_is_told_without_numbers_and_names_of_libraries() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = nobody.local_addr().unwrap();
    drop(nobody);
    let plain = PostServer::start(&fleet, [Answer::Nothing]);
    let garbage = PostServer::start(&fleet, [Answer::Raw("SSH-2.0-OpenSSH\r\n")]);
    let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                <center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";
    let page = Answer::Says("502 Bad Gateway", "content-type: text/html\r\n", page);
    let page = PostServer::start(&fleet, [page]);
    let mail = MailServer::start(&fleet, Privacy::Tls);
    let no_tls = MailServer::start(&fleet, Privacy::None);
    mail.set(Mood::Refuses);
    let hook = |url: String| (format!("webhook = \"{url}\""), String::new());
    let post = |settings: String| ("email = \"ops@example.org\"".to_owned(), settings);
    let at = |scheme: &str, address| {
        format!("[notify.email]\nsmtp = \"{scheme}://{address}\"\nfrom = \"s@example.org\"\n")
    };
    let closed = "the connection was closed before an answer came";
    let none = "the connection was refused: nothing listens on that port";
    let unknown = "the name of the server cannot be resolved";
    let no_tls_there = "the server does not speak TLS on this port";
    for ((owner, settings), why) in [
        (hook(format!("http://{refused}/")), none),
        (hook("http://no-such-host.invalid/".to_owned()), unknown),
        (hook(plain.url()), closed),
        (hook(page.url()), "502 Bad Gateway"),
        (hook(garbage.url()), "its answer is not HTTP"),
        (hook(format!("https://{}/", no_tls.address)), no_tls_there),
        (hook(format!("https://{}/", mail.address)), closed),
        (post(at("smtps", refused.to_string())), none),
        (post(at("smtp", refused.to_string())), none),
        (
            post(at("smtps", "no-such-host.invalid".to_owned())),
            unknown,
        ),
        (post(at("smtps", no_tls.address.to_string())), no_tls_there),
        (post(at("smtp", mail.address.to_string())), closed),
    ] {
        let squirrel = home(&fleet, &site, &owner, &settings);
        assert_eq!(failure(&squirrel), why, "{owner}\n{settings}");
    }
    mail.set(Mood::Well);
    for server in [
        format!("{}", mail.address),
        format!("localhost:{}", mail.address.port()),
    ] {
        let (owner, settings) = post(at("smtps", server));
        let squirrel = home(&fleet, &site, &owner, &settings);
        let text = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
        squirrel.write("sites.toml", text.replace("ca_file = \"ca.pem\"\n", ""));
        let why = "its certificate comes from an unknown issuer";
        assert_eq!(failure(&squirrel), why, "{settings}");
    }
    // A file of certificates that went away.
    let (owner, settings) = hook(plain.url());
    let squirrel = home(&fleet, &site, &owner, &settings);
    let text = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    squirrel.write("sites.toml", text.replace("\"ca.pem\"", "\"missing.pem\""));
    let finished = squirrel.run(["notify", "test", "ops"]);
    let said = [finished.stdout, finished.stderr.into_bytes()].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(
        said.contains("missing.pem") && !said.contains("os error"),
        "{said}"
    );
}
