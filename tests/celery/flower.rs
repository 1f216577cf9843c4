//! Flower's pages, for a worker of ours beside a stock one.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::sender::{Sender, Worker};
use super::stock::{Stock, tool};
use crate::support::{Fleet, Redis, Script, until};

/// A running Flower; ended when this is dropped.
struct Flower {
    child: Child,
    port: u16,
}

impl Flower {
    fn start(redis: &Redis) -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let child = tool("celery", redis)
            .args(["--app", "squirrel_tasks", "flower", "--address=127.0.0.1"])
            .arg(format!("--port={port}"))
            .env("FLOWER_UNAUTHENTICATED_API", "true")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, port }
    }

    /// The status and the body of what it answers to a GET; `None` while it does not listen.
    fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    }

    fn json(&self, path: &str) -> Option<Value> {
        serde_json::from_str(&self.get(path)?.1).ok()
    }
}

impl Drop for Flower {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn every_page_of_flower_shows_our_worker_like_a_stock_one() {
    let redis = Redis::new();
    let mut fleet = Fleet::new();
    let script: Script =
        toml::from_str(r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']").unwrap();
    let server = fleet.serve(script);
    let _ours = Worker::start(&redis, "ours", &["--heartbeat-interval", "500ms"]);
    let _stock = Stock::start(&redis, 1);
    let flower = Flower::start(&redis);
    const OURS: &str = "celery@ours";
    const STOCK: &str = "py@stock";
    until("Flower knows both workers", || {
        flower
            .json("/api/workers?refresh=1")
            .is_some_and(|workers| {
                let registered = |node: &str| workers[node]["registered"].clone();
                registered(OURS) == json!(["squirrel.check"]) && registered(STOCK).is_array()
            })
    });
    let mut sender = Sender::to(&redis, 1_000);
    let mut task = String::new();
    until("Flower has seen a task of ours to its end", || {
        sender.offer_after_the_last(&server.authority);
        let Some(Value::Object(tasks)) = flower.json("/api/tasks") else {
            return false;
        };
        let ended = tasks.into_iter().find(|(_, task)| {
            task["name"] == "squirrel.check" && task["state"] == "SUCCESS" && task["worker"] == OURS
        });
        ended.is_some_and(|(id, _)| {
            task = id;
            true
        })
    });
    let workers = flower.json("/api/workers?refresh=1").unwrap();
    // A page of a stock worker has something that ours has not, or would fail on it.
    let keys = |node: &str, part: &str| -> Vec<String> {
        let part = match &workers[node][part] {
            Value::Array(list) => list[0].clone(),
            other => other.clone(),
        };
        part.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(keys(OURS, "active_queues"), keys(STOCK, "active_queues"));
    let missing: Vec<_> = keys(STOCK, "stats")
        .into_iter()
        .filter(|key| !keys(OURS, "stats").contains(key))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
    for path in [
        "/".to_owned(),
        "/workers".to_owned(),
        "/workers?json=1".to_owned(),
        "/tasks".to_owned(),
        "/broker".to_owned(),
        "/metrics".to_owned(),
        "/healthcheck".to_owned(),
        "/api/queues/length".to_owned(),
        "/api/task/types".to_owned(),
        format!("/worker/{OURS}"),
        format!("/worker/{STOCK}"),
        format!("/task/{task}"),
        format!("/api/task/info/{task}"),
        format!("/api/task/result/{task}"),
    ] {
        let (status, body) = flower.get(&path).unwrap();
        assert_eq!(status, 200, "{path}: {body}");
    }
    // What fills the page of the tasks.
    let rows = "/tasks/datatable?draw=1&start=0&length=10&search[value]=&order[0][column]=0\
                &order[0][dir]=asc&columns[0][data]=name";
    let rows = flower.json(rows).unwrap();
    let shown = rows["data"].as_array().unwrap();
    assert!(shown.iter().any(|row| row["worker"] == OURS), "{rows}");
    let (_, page) = flower.get(&format!("/worker/{OURS}")).unwrap();
    for shown in ["squirrel.check", "celery", "redis"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}
