//! What a webhook gets: the same variables in every event, bodies by a template, and no secret
//! in what is said of it.

use serde_json::Value;
use uptime_squirrel::notify::{SampleEvent, VARIABLES};

use super::sites::{BROKEN, WELL, home, is, watch};
use crate::monitor::sites::script;
use crate::support::{Answer, Fleet, PostServer, Squirrel};

/// Sends a test, of an event where one is given: what is printed.
pub(crate) fn test(squirrel: &Squirrel, event: Option<&str>) -> (i32, String) {
    let mut args = vec!["notify", "test", "ops"];
    args.extend(event.into_iter().flat_map(|event| ["--event", event]));
    let finished = squirrel.run(args);
    finished.assert_no_panic();
    let said = String::from_utf8(finished.stdout.clone()).unwrap();
    (finished.code(), format!("{said}{}", finished.stderr))
}

fn keys(event: &Value) -> Vec<&String> {
    event.as_object().unwrap().keys().collect()
}

#[test]
fn every_event_has_the_same_variables_and_a_test_is_what_an_outage_sends() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "ok")]);
    let owner = format!("webhook = \"{}/T0/secret-token-of-ops\"", hook.url());
    let squirrel = home(&fleet, &site, &owner, "");
    let events: Vec<String> = SampleEvent::all().map(|event| event.to_string()).collect();
    for event in &events {
        let (code, said) = test(&squirrel, Some(event));
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("sent: 200: ok"), "{said}");
        assert!(!said.contains("secret-token"), "{said}");
    }
    let sent: Vec<Value> = hook.posted().iter().map(|posted| posted.json()).collect();
    assert_eq!(sent.len(), events.len());
    for (event, json) in events.iter().zip(&sent) {
        assert_eq!(json["event"], **event);
        for (name, _) in VARIABLES {
            assert!(json.get(name).is_some(), "{event} has no {name}: {json}");
        }
        let text = json["text"].as_str().unwrap();
        assert!(!text.is_empty() && !text.contains('\n'), "{event}: {text}");
        let named = json["sites"].as_array().unwrap().len();
        assert_eq!(json["count"], named, "{event}");
        assert_eq!(json["site"].is_string(), named == 1, "{event}");
    }
    let of = |word: &str| &sent[events.iter().position(|event| event == word).unwrap()];
    assert_eq!(of("digest_down")["sites"].as_array().unwrap().len(), 3);
    assert_eq!(of("recovered")["duration_s"], 252.0);
    for ended in ["recovered", "sighted", "watched", "certificate"] {
        assert!(of(ended)["until"].is_string(), "{ended}");
    }
    // The outage itself has the same form.
    let mut running = watch(&squirrel);
    running.wait_for("the outage", is("notified"));
    site.play(script(WELL));
    running.wait_for("its end", |line| {
        is("notified")(line) && line["subject"].as_str().unwrap().starts_with("UP")
    });
    let real = &hook.posted()[sent.len()..];
    for (posted, word) in real.iter().zip(["down", "recovered"]) {
        let real = posted.json();
        assert_eq!(real["event"], word);
        assert_eq!(keys(&real), keys(of(word)), "{word}");
        assert_eq!(
            (&real["site"], &real["status"]),
            (&"shop".into(), &503.into())
        );
    }
}

#[test]
fn a_template_makes_the_body_and_headers_hold_secrets() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let hook = PostServer::start(&fleet, [Answer::Says("201 Created", "", "")]);
    let owner = "[owners.ops.webhook]\nurl = { file = \"hook\" }\nmethod = \"PUT\"\n\
         headers = { X-Key = { file = \"password\" }, X-Plain = \"plain\" }\n\
         content_type = \"application/vnd.example+json; charset=utf-8\"\n\
         body = '''\n{\"text\": {{ text|tojson }}, \"what\": {{ event }}, \"of\": {{ sites }},\n\
         \"line\": \"{% for it in sites %}{{ loop.index }}{% endfor %}\"}'''";
    let squirrel = home(&fleet, &site, owner, "");
    squirrel.write("hook", format!("{}/put/here\n", hook.url()));
    for event in ["down", "digest_down", "test"] {
        let (code, said) = test(&squirrel, Some(event));
        assert_eq!(code, 0, "{said}");
    }
    let posted = hook.posted();
    assert!(
        posted
            .iter()
            .all(|it| it.head.starts_with("PUT /put/here "))
    );
    for (name, value) in [
        ("X-Key", "secret"),
        ("X-Plain", "plain"),
        (
            "Content-Type",
            "application/vnd.example+json; charset=utf-8",
        ),
    ] {
        assert_eq!(posted[0].header(name), Some(value));
    }
    let bodies: Vec<Value> = posted.iter().map(|posted| posted.json()).collect();
    assert_eq!(
        (&bodies[0]["what"], &bodies[0]["line"]),
        (&"down".into(), &"1".into())
    );
    assert_eq!(
        (&bodies[1]["what"], &bodies[1]["line"]),
        (&"digest_down".into(), &"123".into())
    );
    assert!(
        bodies[2]["text"]
            .as_str()
            .unwrap()
            .starts_with("This is a test")
    );
    assert_eq!(squirrel.run(["config", "check"]).code(), 0);
}

#[test]
fn a_body_that_is_no_json_is_written_as_it_is() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let owner = format!(
        "webhook = {{ url = \"{}\", content_type = \"text/plain\", body = \"{{{{ event }}}} <{{{{ site }}}}>\" }}",
        hook.url()
    );
    let squirrel = home(&fleet, &site, &owner, "");
    assert_eq!(test(&squirrel, Some("down")).0, 0);
    assert_eq!(hook.posted()[0].body, "down <shop>");
}

#[test]
fn a_secret_that_the_other_side_repeats_is_not_shown() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let says =
        "Cannot POST /services/T000/B000/XXXXsecretXXXX?key=hunter2hunter2 (Bearer hunter3hunter3)";
    let hook = PostServer::start(&fleet, [Answer::Says("404 Not Found", "", says)]);
    let owner = format!(
        "webhook = {{ url = \"{}/services/T000/B000/XXXXsecretXXXX?key=hunter2hunter2\", \
         headers = {{ Authorization = \"Bearer hunter3hunter3\" }} }}",
        hook.url()
    );
    let squirrel = home(&fleet, &site, &owner, "");
    let (code, said) = test(&squirrel, None);
    assert_eq!(code, 1);
    assert!(said.contains("404: Cannot POST ***"), "{said}");
    assert!(!said.contains("hunter") && !said.contains("XXXX"), "{said}");
}
