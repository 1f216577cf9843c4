//! SMS, push messages and webhooks, by servers that speak as the documentation of the real
//! ones says.

use ring::hmac;
use rustix::process::Signal;

use super::sites::{BROKEN, WELL, count, home, is, on, watch};
use crate::monitor::sites::script;
use crate::support::{Answer, Fleet, PostServer};

const TWILIO_TOOK: Answer = Answer::Says(
    "201 Created",
    "Content-Type: application/json\r\n",
    r#"{"account_sid":"AC1","body":"…","direction":"outbound-api","error_code":null,"from":"+15550009999","num_segments":"1","sid":"SM0123456789abcdef0123456789abcdef","status":"queued","to":"+15550100"}"#,
);
const NTFY_TOOK: Answer = Answer::Says(
    "200 OK",
    "Content-Type: application/json\r\n",
    r#"{"id":"hwQ2YpKdmg","time":1700000000,"expires":1700043200,"event":"message","topic":"ops","title":"…","message":"…"}"#,
);

fn twilio(server: &PostServer) -> String {
    format!(
        "[notify.sms]\nurl = \"{}\"\naccount = \"AC1\"\ntoken = {{ file = \"password\" }}\nfrom = \"+15550009999\"\n",
        server.url()
    )
}

fn ntfy(server: &PostServer) -> String {
    format!(
        "[notify.push]\nurl = \"{}\"\ntoken = {{ file = \"password\" }}\n",
        server.url()
    )
}

#[test]
fn an_sms_goes_as_twilio_wants_it() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let server = PostServer::start(&fleet, [TWILIO_TOOK]);
    let squirrel = home(&fleet, &site, "sms = \"+15550100\"", &twilio(&server));
    let mut running = watch(&squirrel);
    let told = running.wait_for("the message", on("notified", "sms"));
    assert_eq!(
        told["answer"],
        "201: queued SM0123456789abcdef0123456789abcdef"
    );
    let posted = &server.posted()[0];
    assert_eq!(posted.path, "/2010-04-01/Accounts/AC1/Messages.json");
    // "AC1:secret" in Base64.
    assert_eq!(
        posted.header("Authorization"),
        Some("Basic QUMxOnNlY3JldA==")
    );
    let fields: std::collections::BTreeMap<String, String> =
        url::form_urlencoded::parse(posted.body.as_bytes())
            .into_owned()
            .collect();
    assert_eq!(
        (&*fields["To"], &*fields["From"]),
        ("+15550100", "+15550009999")
    );
    assert!(
        fields["Body"].starts_with("shop is DOWN since ") && fields["Body"].contains("503"),
        "{fields:?}"
    );
    assert!(fields["Body"].chars().count() <= 320);
}

#[test]
fn a_push_message_goes_as_ntfy_wants_it() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let server = PostServer::start(&fleet, [NTFY_TOOK]);
    let squirrel = home(&fleet, &site, "push = \"ops\"", &ntfy(&server));
    let mut running = watch(&squirrel);
    let told = running.wait_for("the message", on("notified", "push"));
    assert_eq!(told["answer"], "200: published as hwQ2YpKdmg");
    let posted = &server.posted()[0];
    assert_eq!(posted.path, "/");
    assert_eq!(posted.header("Authorization"), Some("Bearer secret"));
    let json = posted.json();
    assert_eq!(
        (&json["topic"], &json["priority"]),
        (&"ops".into(), &5.into())
    );
    assert!(
        json["title"]
            .as_str()
            .unwrap()
            .starts_with("DOWN: shop (status 503")
    );
    assert_eq!(json["click"], format!("http://{}/", site.authority));
}

#[test]
fn a_webhook_is_signed_and_tells_all_of_it() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let server = PostServer::start(&fleet, [Answer::Says("204 No Content", "", "")]);
    let owner = format!("webhook = \"{}/hook?key=k3y\"", server.url());
    let settings = "[notify.webhook]\nsecret = { file = \"password\" }\n";
    let squirrel = home(&fleet, &site, &owner, settings);
    let mut running = watch(&squirrel);
    let told = running.wait_for("the message", on("notified", "webhook"));
    assert!(
        !told.to_string().contains("k3y"),
        "the address is a secret: {told}"
    );
    site.play(script(WELL));
    running.wait_for("the end", |line| {
        line["event"] == "notified"
            && line["subject"]
                .as_str()
                .is_some_and(|text| text.starts_with("UP"))
    });
    let posted = server.posted();
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
    for posted in &posted {
        let signature = posted.header("X-Squirrel-Signature-256").unwrap();
        let hex = signature.strip_prefix("sha256=").unwrap();
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect();
        hmac::verify(&key, posted.body.as_bytes(), &bytes).unwrap();
        assert_eq!(
            posted.header("Idempotency-Key").unwrap(),
            posted.json()["id"].as_str().unwrap()
        );
    }
    let (down, up) = (posted[0].json(), posted[1].json());
    assert_eq!(
        (&down["event"], &down["reason"], &down["status"]),
        (&"down".into(), &"status".into(), &503.into())
    );
    assert_eq!(
        (&up["event"], &up["since"]),
        (&"recovered".into(), &down["since"])
    );
    assert!(up["duration_s"].as_f64().unwrap() > 0.0);
    assert_ne!(down["id"], up["id"]);
}

#[test]
fn retry_after_is_obeyed_and_the_message_arrives_once() {
    for (owner, busy, took) in [
        (
            "sms = \"+15550100\"",
            Answer::Says(
                "429 Too Many Requests",
                "Retry-After: 7\r\n",
                r#"{"code":20429,"message":"Too Many Requests","more_info":"https://www.twilio.com/docs/errors/20429","status":429}"#,
            ),
            TWILIO_TOOK,
        ),
        (
            "push = \"ops\"",
            Answer::Says(
                "429 Too Many Requests",
                "Retry-After: 7\r\n",
                r#"{"code":42901,"http":429,"error":"limit reached: too many requests","link":"https://ntfy.sh/docs/publish/#limitations"}"#,
            ),
            NTFY_TOOK,
        ),
    ] {
        let mut fleet = Fleet::new();
        let site = fleet.serve(script(BROKEN));
        let server = PostServer::start(&fleet, [busy, took]);
        let squirrel = home(
            &fleet,
            &site,
            owner,
            &format!("{}{}", twilio(&server), ntfy(&server)),
        );
        let mut running = watch(&squirrel);
        let failed = running.wait_for("the refusal", is("notify_failed"));
        assert!(
            failed["error"].as_str().unwrap().starts_with("429: "),
            "{failed}"
        );
        let told = running.wait_for("the message", is("notified"));
        let at = |line: &serde_json::Value| -> jiff::Timestamp {
            line["at"].as_str().unwrap().parse().unwrap()
        };
        let waited = at(&told).duration_since(at(&failed)).as_secs_f64();
        // Without the wish it would have been five seconds at most.
        assert!((6.9..12.0).contains(&waited), "{waited} s");
        running.signal(Signal::TERM);
        running.finish();
        assert_eq!(server.posted().len(), 2);
        assert_eq!(
            count(
                &squirrel,
                "SELECT count(*) FROM outbox WHERE state = 1 AND attempts = 2"
            ),
            1
        );
    }
}

#[test]
fn every_other_answer_is_a_failure_that_is_said_in_its_own_words() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let garbage = Answer::Says(
        "200 OK",
        "",
        "<html>Welcome to the hotel's \u{1b}[31mnetwork</html>",
    );
    let cases = [
        (
            Answer::Says("500 Internal Server Error", "", ""),
            "500 Internal Server Error, without a text",
        ),
        (garbage, "200, but this is no response of"),
        (
            Answer::Nothing,
            "the connection was closed before an answer came",
        ),
        (Answer::EndlessHead, "the head of its answer is too large"),
        (
            Answer::Says(
                "400 Bad Request",
                "",
                r#"{"code":21211,"message":"Invalid 'To' Phone Number","error":"invalid topic"}"#,
            ),
            "400: ",
        ),
        (
            Answer::Says("302 Found", "Location: http://127.0.0.1:9/\r\n", ""),
            "302",
        ),
    ];
    for (answer, said) in cases {
        let server = PostServer::start(&fleet, [answer.clone()]);
        let settings = format!("{}{}", twilio(&server), ntfy(&server));
        let squirrel = home(
            &fleet,
            &site,
            "sms = \"+15550100\"\npush = \"ops\"",
            &settings,
        );
        let finished = squirrel.run(["notify", "test", "ops"]);
        assert_eq!(finished.code(), 1);
        let text = String::from_utf8(finished.stdout).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        for line in text.lines() {
            assert!(
                line.contains("FAILED: ") && line.contains(said),
                "{answer:?}: {line}"
            );
            assert!(!line.contains('\u{1b}'));
        }
    }
}
