//! Several brokers that stand in for each other, named in a list or by Sentinels.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use uptime_squirrel::domain::{Clock, MaskedUrl};
use uptime_squirrel::paradigm::QueueOptions;

use super::sender::{Sender, Worker, spec};
use super::stock::Stock;
use crate::support::{Fleet, Redis, Script, Server, until};

fn serve(fleet: &mut Fleet) -> Server {
    let script: Script =
        toml::from_str(r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']").unwrap();
    fleet.serve(script)
}

fn sender(url: &str) -> Sender {
    let queue = QueueOptions {
        broker: Some(MaskedUrl::new(url)),
        visibility_timeout: Some(Duration::from_secs(3)),
        ..QueueOptions::default()
    };
    Sender::start(queue, 100).unwrap()
}

/// Offers the checks of sites `from..until`, all of which come to be up.
fn sweep(sender: &mut Sender, server: &Server, from: usize, until: usize) {
    let due = sender.clock.moment();
    for site in from..until {
        let url = format!("http://{}/{site}", server.authority);
        sender.offer_one(site, due, &spec(&url, Duration::from_secs(5)));
    }
    sender.assert_all_up_once(until);
}

#[test]
fn the_next_broker_of_a_list_takes_over_from_one_that_dies_or_takes_no_writes() {
    let mut fleet = Fleet::new();
    let server = serve(&mut fleet);
    let [mut first, second, third] = [Redis::new(), Redis::new(), Redis::new()];
    let urls = [&first, &second, &third].map(|redis| redis.url().expose().to_owned());
    let list = format!("redis://127.0.0.1:1/0;{}", urls.join(";"));
    let worker = Worker::at(&list, "ours", &[]);
    let mut sender = sender(&list);
    sweep(&mut sender, &server, 0, 10);
    first.kill();
    sweep(&mut sender, &server, 10, 20);
    second.ask::<()>(&["REPLICAOF", "127.0.0.1", "1"]);
    sweep(&mut sender, &server, 20, 30);
    sender.until_figures("all is well", |figures| figures.complaint().is_none());
    // A stock worker takes the one that is then in use.
    drop(worker);
    let _stock = Stock::start_in(&third, 1, &[("SQUIRREL_BROKER", &list)]);
    sweep(&mut sender, &server, 30, 40);
    assert_eq!(&*sender.answers[&39].ran_on.host, "stock");
}

/// A server on a port of loopback.
fn on_port(port: &str) -> Vec<&str> {
    vec!["--port", port, "--bind", "127.0.0.1"]
}

#[test]
fn sentinels_name_the_broker_and_the_one_that_follows_it() {
    let mut fleet = Fleet::new();
    let server = serve(&mut fleet);
    let listeners = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let ports = listeners.map(|listener| listener.local_addr().unwrap().port().to_string());
    let [first, second, third] = &ports;
    let mut primary = Redis::with(&on_port(first));
    let follows = vec!["--replicaof", "127.0.0.1", first];
    let _replica = Redis::with(&[on_port(second), follows].concat());
    until("the replica follows", || {
        let state: String = primary.ask(&["INFO", "replication"]);
        state.contains("state=online")
    });
    let port = format!("port {third}");
    let monitor = format!("sentinel monitor squirrel 127.0.0.1 {first} 1");
    let sentinel = Redis::sentinel(&[
        &port,
        "bind 127.0.0.1",
        &monitor,
        "sentinel down-after-milliseconds squirrel 500",
        "sentinel failover-timeout squirrel 3000",
    ]);
    until("it knows the replica", || {
        sentinel
            .ask::<String>(&["INFO", "sentinel"])
            .contains("slaves=1")
    });
    let url = format!("sentinel://127.0.0.1:1;sentinel://127.0.0.1:{third}/0?master_name=squirrel");
    let worker = Worker::at(&url, "ours", &[]);
    let mut sender = sender(&url);
    sweep(&mut sender, &server, 0, 10);
    // Its client tries long to reach a Sentinel that is not there.
    let (_, there) = url.split_once(';').unwrap();
    let _stock = Stock::start_in(&primary, 1, &[("SQUIRREL_BROKER", there)]);
    sender.until_figures("a stock worker is there as well", |figures| {
        figures.workers.len() == 2
    });
    primary.kill();
    sweep(&mut sender, &server, 10, 20);
    sender.until_figures("all is well", |figures| figures.complaint().is_none());
    drop(worker);
    sweep(&mut sender, &server, 20, 30);
    assert_eq!(&*sender.answers[&29].ran_on.host, "stock");
}
