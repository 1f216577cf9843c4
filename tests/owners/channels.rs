//! Each service of chat and on-call against a server that answers as its documentation says:
//! what it gets, and what every answer means. No answer shows a secret.

use serde_json::Value;

use super::hooks::test;
use super::sites::{BROKEN, WELL, home, is, on, watch};
use crate::monitor::sites::script;
use crate::support::{Answer, Fleet, MailServer, PostServer, Posted, Privacy, Server, Squirrel};

/// A service as its documentation has it.
struct Service {
    name: &'static str,
    /// The owner's key, with `URL` for the server's.
    owner: &'static str,
    /// Its answer to a message that it takes: status and body.
    takes: (&'static str, &'static str),
    /// What is said of that.
    said: &'static str,
    /// Its answer to what it refuses, and the words of it.
    refuses: (&'static str, &'static str),
    /// Whether a request is one that it takes.
    wants: fn(&Posted, &Value),
}

/// A token as each has it somewhere in the address.
const TOKEN: &str = "SECRET0123456789token";

fn texts(json: &Value, most: usize) {
    let text = json["text"].as_str().unwrap();
    assert!(
        text.contains("shop") && text.chars().count() <= most,
        "{text}"
    );
    assert!(!text.contains("<!channel>"), "{text}");
}

fn services() -> Vec<Service> {
    vec![
        Service {
            name: "slack",
            owner: "slack = \"URL/services/T000/B000/SECRET0123456789token\"",
            takes: ("200 OK", "ok"),
            said: "200: ok",
            refuses: ("invalid_payload", "invalid_payload"),
            wants: |_, json| texts(json, 40_000),
        },
        Service {
            name: "mattermost",
            owner: "mattermost = { file = \"hook\" }",
            takes: ("200 OK", "ok"),
            said: "200: ok",
            refuses: (
                r#"{"id":"web.incoming_webhook.invalid.app_error","message":"Invalid webhook","status_code":400}"#,
                "Invalid webhook",
            ),
            wants: |_, json| texts(json, 16_383),
        },
        Service {
            name: "rocketchat",
            owner: "rocketchat = \"URL/hooks/abc/SECRET0123456789token\"",
            takes: ("200 OK", r#"{"success":true}"#),
            said: "200: taken",
            refuses: (
                r#"{"success":false,"error":"Invalid integration"}"#,
                "Invalid integration",
            ),
            wants: |_, json| texts(json, 5_000),
        },
        Service {
            name: "googlechat",
            owner: "googlechat = \"URL/v1/spaces/AAA/messages?key=k&token=SECRET0123456789token\"",
            takes: (
                "200 OK",
                r#"{"name":"spaces/AAA/messages/BBB.BBB","text":"x"}"#,
            ),
            said: "200: message BBB.BBB",
            refuses: (
                r#"{"error":{"code":400,"message":"Message cannot be empty.","status":"INVALID_ARGUMENT"}}"#,
                "Message cannot be empty.",
            ),
            wants: |_, json| texts(json, 4_096),
        },
        Service {
            name: "discord",
            owner: "discord = \"URL/api/webhooks/123/SECRET0123456789token\"",
            takes: ("200 OK", r#"{"id":"1184","type":0}"#),
            said: "200: message 1184",
            refuses: (
                r#"{"message":"Unknown Webhook","code":10015}"#,
                "Unknown Webhook (error 10015)",
            ),
            wants: |posted, json| {
                assert!(posted.path.ends_with("?wait=true"), "{}", posted.path);
                assert_eq!(json["allowed_mentions"]["parse"], serde_json::json!([]));
                let embed = &json["embeds"][0];
                assert!(embed["title"].as_str().unwrap().chars().count() <= 256);
                assert!(embed["description"].as_str().unwrap().chars().count() <= 4_096);
                assert!(embed["color"].is_u64());
            },
        },
        Service {
            name: "teams",
            owner: "teams = \"URL/workflows/abc/triggers/manual/paths/invoke?sig=SECRET0123456789token\"",
            takes: ("202 Accepted", ""),
            said: "202: taken by the workflow",
            refuses: (
                r#"{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"Could not execute workflow"}}"#,
                "Could not execute workflow",
            ),
            wants: |posted, json| {
                assert!(posted.body.len() <= 28 * 1_024);
                assert_eq!(json["type"], "message");
                let card = &json["attachments"][0];
                assert_eq!(
                    card["contentType"],
                    "application/vnd.microsoft.card.adaptive"
                );
                assert_eq!(card["content"]["type"], "AdaptiveCard");
                assert_eq!(card["content"]["body"].as_array().unwrap().len(), 2);
            },
        },
        Service {
            name: "telegram",
            owner: "telegram = { token = { file = \"token\" }, chat = \"-100123\", url = \"URL\" }",
            takes: ("200 OK", r#"{"ok":true,"result":{"message_id":77}}"#),
            said: "200: message 77",
            refuses: (
                r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#,
                "Bad Request: chat not found",
            ),
            wants: |posted, json| {
                assert_eq!(posted.path, format!("/bot{TOKEN}/sendMessage"));
                assert_eq!(json["chat_id"], "-100123");
                texts(json, 4_096);
            },
        },
        Service {
            name: "matrix",
            owner: "matrix = { server = \"URL\", token = \"SECRET0123456789token\", room = \"!r:example.org\" }",
            takes: ("200 OK", r#"{"event_id":"$abc"}"#),
            said: "200: event $abc",
            refuses: (
                r#"{"errcode":"M_FORBIDDEN","error":"not in the room"}"#,
                "M_FORBIDDEN: not in the room",
            ),
            wants: |posted, json| {
                let path = "PUT /_matrix/client/v3/rooms/%21r%3Aexample%2Eorg/send/m.room.message/";
                assert!(posted.head.starts_with(path), "{}", posted.head);
                assert_eq!(
                    posted.header("Authorization"),
                    Some("Bearer SECRET0123456789token")
                );
                assert_eq!(json["msgtype"], "m.text");
                assert!(posted.body.len() <= 65_536 && json["body"].is_string());
            },
        },
        Service {
            name: "pagerduty",
            owner: "pagerduty = { key = { file = \"token\" }, url = \"URL\" }",
            takes: (
                "202 Accepted",
                r#"{"status":"success","message":"Event processed","dedup_key":"x"}"#,
            ),
            said: "202: Event processed",
            refuses: (
                r#"{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect"]}"#,
                "Event object is invalid Length of 'routing_key' is incorrect",
            ),
            wants: |posted, json| {
                assert_eq!(posted.path, "/v2/enqueue");
                assert_eq!(json["routing_key"], TOKEN);
                assert_eq!(json["event_action"], "trigger");
                assert_eq!(json["dedup_key"].as_str().unwrap().len(), 32);
                let payload = &json["payload"];
                assert_eq!(payload["severity"], "critical");
                assert!(payload["summary"].as_str().unwrap().chars().count() <= 1_024);
                assert!(payload["source"].as_str().unwrap().starts_with("http"));
            },
        },
        Service {
            name: "alertmanager",
            owner: "alertmanager = { file = \"user\" }",
            takes: ("200 OK", ""),
            said: "200: 1 alert taken",
            refuses: ("\"bad matcher format\"", "bad matcher format"),
            wants: |posted, json| {
                assert_eq!(posted.path, "/api/v2/alerts");
                assert!(
                    posted
                        .header("Authorization")
                        .unwrap()
                        .starts_with("Basic ")
                );
                let alert = &json[0];
                assert_eq!(alert["labels"]["alertname"], "SiteDown");
                assert_eq!(alert["labels"]["site"], "shop");
                let time = |name: &str| alert[name].as_str().unwrap().to_owned();
                assert!(time("startsAt") < time("endsAt"));
            },
        },
        Service {
            name: "pushover",
            owner: "pushover = { token = { file = \"token\" }, user = \"USER0123456789\", url = \"URL\" }",
            takes: ("200 OK", r#"{"status":1,"request":"647d2300"}"#),
            said: "200: request 647d2300",
            refuses: (
                r#"{"user":"invalid","errors":["user identifier is invalid"],"status":0,"request":"5042"}"#,
                "user identifier is invalid",
            ),
            wants: |posted, json| {
                assert_eq!(posted.path, "/1/messages.json");
                assert_eq!(
                    (&json["token"], &json["priority"]),
                    (&TOKEN.into(), &1.into())
                );
                assert!(json["message"].as_str().unwrap().chars().count() <= 1_024);
                assert!(json["title"].as_str().unwrap().chars().count() <= 250);
            },
        },
        Service {
            name: "gotify",
            owner: "gotify = { url = \"URL\", token = { file = \"token\" } }",
            takes: ("200 OK", r#"{"id":25,"appid":5,"message":"x"}"#),
            said: "200: message 25",
            refuses: (
                r#"{"error":"Unauthorized","errorCode":401,"errorDescription":"you need to provide a valid access token"}"#,
                "you need to provide a valid access token",
            ),
            wants: |posted, json| {
                assert_eq!(posted.path, "/message");
                assert_eq!(posted.header("X-Gotify-Key"), Some(TOKEN));
                assert!(json["title"].is_string() && json["message"].is_string());
            },
        },
    ]
}

impl Service {
    /// A home whose owner has this channel, at this base URL.
    fn home(&self, fleet: &Fleet, site: &Server, url: &str) -> Squirrel {
        let squirrel = home(fleet, site, &self.owner.replace("URL", url), "");
        squirrel.write("token", format!("{TOKEN}\n"));
        squirrel.write("hook", format!("{url}/hooks/{TOKEN}\n"));
        squirrel.write(
            "user",
            format!("{}\n", url.replacen("://", &format!("://ann:{TOKEN}@"), 1)),
        );
        squirrel
    }
}

#[test]
fn each_service_gets_what_it_documents() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    for service in services() {
        let (status, body) = service.takes;
        let server = PostServer::start(&fleet, [Answer::Says(status, "", body)]);
        let squirrel = service.home(&fleet, &site, &server.url());
        let (code, said) = test(&squirrel, Some("down"));
        assert_eq!(code, 0, "{said}");
        let expected = format!("sent: {}\n", service.said);
        assert!(
            said.starts_with(service.name) && said.ends_with(&expected),
            "{said}"
        );
        assert!(!said.contains("SECRET"), "{said}");
        let posted = server.posted();
        assert_eq!(posted.len(), 1, "{}", service.name);
        (service.wants)(&posted[0], &posted[0].json());
        // Every other event is one that it takes as well.
        for event in [
            "digest_down",
            "recovered",
            "certificate",
            "blind",
            "sighted",
            "test",
        ] {
            assert_eq!(
                test(&squirrel, Some(event)).0,
                0,
                "{} {event}",
                service.name
            );
        }
    }
}

#[test]
fn what_a_service_refuses_is_told_in_its_words_and_without_secrets() {
    const STATUSES: [&str; 9] = [
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "410 Gone",
        "413 Content Too Large",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "503 Service Unavailable",
    ];
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    for service in services() {
        let (body, words) = service.refuses;
        let server = PostServer::start(
            &fleet,
            STATUSES.map(|status| Answer::Says(status, "", body)),
        );
        let squirrel = service.home(&fleet, &site, &server.url());
        for status in STATUSES {
            let (code, said) = test(&squirrel, None);
            assert_eq!(code, 1, "{} {status}: {said}", service.name);
            let expected = format!("FAILED: {}: {words}\n", &status[..3]);
            assert!(
                said.ends_with(&expected),
                "{} {status}: {said}",
                service.name
            );
        }
        // Another server's page, a redirect, no answer, and a certificate that nobody vouches for.
        let elsewhere = PostServer::start(&fleet, [Answer::Says("200 OK", "", "ok")]);
        let location: &'static str =
            Box::leak(format!("Location: {}/elsewhere\r\n", elsewhere.url()).into_boxed_str());
        let page = "<!doctype html><html><title>Welcome</title></html>";
        let answers = [
            (
                Answer::Says("200 OK", "", page),
                "but this is no response of",
            ),
            (
                Answer::Says("307 Temporary Redirect", location, ""),
                "FAILED: 307",
            ),
            (
                Answer::Nothing,
                "the connection was closed before an answer came",
            ),
            (Answer::EndlessHead, "the head of its answer is too large"),
        ];
        let server = PostServer::start(&fleet, answers.clone().map(|(answer, _)| answer));
        let squirrel = service.home(&fleet, &site, &server.url());
        for (answer, words) in answers {
            let (code, said) = test(&squirrel, None);
            assert_eq!(code, 1, "{} {answer:?}: {said}", service.name);
            assert!(said.contains(words), "{} {answer:?}: {said}", service.name);
            assert!(!said.contains("SECRET"), "{said}");
        }
        assert!(elsewhere.posted().is_empty(), "{}", service.name);
        let untrusted = MailServer::start(&fleet, Privacy::Tls);
        let squirrel = service.home(&fleet, &site, &format!("https://{}", untrusted.address));
        let text = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
        squirrel.write("sites.toml", text.replace("ca_file = \"ca.pem\"\n", ""));
        let (code, said) = test(&squirrel, None);
        assert_eq!(code, 1, "{said}");
        assert!(
            said.contains("its certificate comes from an unknown issuer"),
            "{said}"
        );
    }
}

#[test]
fn silence_is_no_answer_and_a_body_without_an_end_is_taken_once() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    // It takes connections, and nobody answers there.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let services = services();
    let homes: Vec<_> = services
        .iter()
        .map(|service| {
            let (status, body) = service.takes;
            let server = PostServer::start(&fleet, [Answer::NeverEnds(status, body)]);
            let endless = service.home(&fleet, &site, &server.url());
            (server, endless, service.home(&fleet, &site, &silent))
        })
        .collect();
    std::thread::scope(|scope| {
        for (service, (server, endless, silent)) in services.iter().zip(&homes) {
            scope.spawn(move || {
                let (code, said) = test(endless, Some("down"));
                assert_eq!(code, 0, "{said}");
                assert_eq!(server.posted().len(), 1, "{}", service.name);
            });
            scope.spawn(move || {
                let (code, said) = test(silent, None);
                assert_eq!(code, 1, "{said}");
                assert!(said.contains("FAILED: no answer within 30 s"), "{said}");
            });
        }
    });
}

#[test]
fn a_hook_that_was_removed_is_told_by_another_channel_and_not_tried_again() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let removed = PostServer::start(
        &fleet,
        [Answer::Says("410 Gone", "", "channel_is_archived")],
    );
    let other = PostServer::start(&fleet, [Answer::Says("200 OK", "", "ok")]);
    let owner = format!(
        "slack = \"{}/services/{TOKEN}\"\nmattermost = \"{}/hooks/{TOKEN}\"",
        removed.url(),
        other.url()
    );
    let squirrel = home(&fleet, &site, &owner, "");
    let mut running = watch(&squirrel);
    let failed = running.wait_for("the failure", on("notify_failed", "slack"));
    assert!(!failed.to_string().contains(TOKEN), "{failed}");
    running.wait_for("the word of it", |line| {
        let subject = line["subject"].as_str().unwrap_or_default();
        on("notified", "mattermost")(line) && subject.contains("cannot reach ops by slack")
    });
    site.play(script(WELL));
    running.wait_for("the end", |line| {
        let subject = line["subject"].as_str().unwrap_or_default();
        on("notified", "mattermost")(line) && subject.starts_with("UP again")
    });
    running.signal(rustix::process::Signal::TERM);
    running.finish().assert_no_panic();
    let texts: Vec<String> = removed
        .posted()
        .iter()
        .map(|posted| posted.body.clone())
        .collect();
    let down = texts.iter().filter(|text| text.contains("is DOWN since"));
    assert_eq!(down.count(), 1, "{texts:?}");
}

#[test]
fn the_beginning_and_the_end_of_an_outage_bear_one_key() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let taken = r#"{"status":"success","message":"Event processed","dedup_key":"x"}"#;
    let pager = PostServer::start(&fleet, [Answer::Says("202 Accepted", "", taken)]);
    let alerts = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let owner = format!(
        "pagerduty = {{ key = \"{TOKEN}\", url = \"{}\" }}\nalertmanager = \"{}\"",
        pager.url(),
        alerts.url()
    );
    let squirrel = home(&fleet, &site, &owner, "");
    let mut running = watch(&squirrel);
    for channel in ["pagerduty", "alertmanager"] {
        running.wait_for("the beginning", on("notified", channel));
    }
    site.play(script(WELL));
    for channel in ["pagerduty", "alertmanager"] {
        running.wait_for("the end", |line| {
            let subject = line["subject"].as_str().unwrap_or_default();
            is("notified")(line) && line["channel"] == channel && subject.starts_with("UP again")
        });
    }
    let events: Vec<Value> = pager.posted().iter().map(|posted| posted.json()).collect();
    let actions: Vec<&Value> = events.iter().map(|event| &event["event_action"]).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    assert_eq!(events[0]["dedup_key"], events[1]["dedup_key"]);
    let alerts: Vec<Value> = alerts.posted().iter().map(|posted| posted.json()).collect();
    assert_eq!(alerts[0][0]["labels"], alerts[1][0]["labels"]);
    assert_eq!(alerts[0][0]["startsAt"], alerts[1][0]["startsAt"]);
    let ends = |at: usize| alerts[at][0]["endsAt"].as_str().unwrap();
    assert!(ends(1) < ends(0), "{} {}", ends(1), ends(0));
}

/// The most that each service takes of a body, in bytes; that of PagerDuty is of an event.
const MOST: [(&str, usize); 12] = [
    ("slack", 40_000),
    ("mattermost", 16_383),
    ("rocketchat", 5_000 + 100),
    ("googlechat", 32_000),
    ("discord", 6_000),
    ("teams", 28 * 1_024),
    ("telegram", 4_096 + 200),
    ("matrix", 65_536),
    ("pagerduty", 512_000),
    ("alertmanager", 1 << 20),
    ("pushover", 1_024 + 600),
    ("gotify", 65_536),
];

#[test]
fn a_storm_of_many_sites_with_long_names_fits_into_each_service() {
    const SITES: usize = 120;
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let servers: Vec<(Service, PostServer)> = services()
        .into_iter()
        .map(|service| {
            let (status, body) = service.takes;
            let server = PostServer::start(&fleet, [Answer::Says(status, "", body)]);
            (service, server)
        })
        .collect();
    // One owner for each, since files of secrets have one name.
    let squirrel = Squirrel::new();
    let mut text =
        "[monitor]\ninterval = \"60s\"\nconfirm = 1\n[notify]\ndigest = \"3s\"\n".to_owned();
    let mut names = Vec::new();
    for (service, server) in &servers {
        let (name, url) = (service.name, server.url());
        let owner = service.owner.replace("URL", &url);
        let owner = owner.replace("\"hook\"", "\"hook-file\"");
        squirrel.write("token", format!("{TOKEN}\n"));
        if name == "mattermost" {
            squirrel.write("hook-file", format!("{url}/hooks/{TOKEN}\n"));
        }
        if name == "alertmanager" {
            squirrel.write(
                "user",
                format!("{}\n", url.replacen("://", "://ann:pw@", 1)),
            );
        }
        text.push_str(&format!("[owners.{name}]\n{owner}\n"));
        names.push(format!("\"{name}\""));
    }
    let owners = names.join(", ");
    for number in 0..SITES {
        let long = "a very long name of a site <b> & \\u00e9*_";
        text.push_str(&format!(
            "[[sites]]\nname = \"{number:03} {long}\"\nurl = \"http://{}/{number}\"\nowners = [{owners}]\n",
            site.authority
        ));
    }
    squirrel.write("sites.toml", text);
    let mut running = watch(&squirrel);
    for (service, _) in &servers {
        running.wait_for(service.name, |line| {
            is("notified")(line) && line["channel"] == service.name
        });
    }
    running.signal(rustix::process::Signal::TERM);
    let finished = running.finish();
    assert!(!finished.objects().iter().any(is("notify_failed")));
    for (service, server) in &servers {
        let posted = server.posted();
        let (_, most) = MOST.iter().find(|(name, _)| *name == service.name).unwrap();
        for one in &posted {
            assert!(
                one.body.len() <= *most,
                "{}: {}",
                service.name,
                one.body.len()
            );
        }
        let all = posted
            .iter()
            .map(|one| one.body.as_str())
            .collect::<String>();
        match service.name {
            "pagerduty" => assert!(posted.len() >= SITES, "{}", posted.len()),
            "alertmanager" => assert!(all.matches("SiteDown").count() >= SITES),
            _ => assert!(all.contains(" more"), "{}: {all}", service.name),
        }
    }
}
