//! Workers whose clocks or zones are not this machine's.

use serde_json::Value;

use super::stock::{Stock, tool};
use crate::support::{Redis, Squirrel};

/// Events of a worker as Celery's receiver hands them on, which adds the difference of the zones to
/// their time.
const RECEIVER: &str = "
import json, sys
from squirrel_tasks import app
with app.connection_for_read() as connection:
    seen = {}
    def beat(event):
        seen[event['hostname']] = event['timestamp'] - event['local_received'], event['utcoffset']
        if 'celery@ours' in seen and 'py@stock' in seen:
            raise SystemExit(print(json.dumps(seen)))
    receiver = app.events.Receiver(connection, handlers={'worker-heartbeat': beat})
    receiver.capture(limit=None, timeout=60, wakeup=True)
";

#[test]
fn the_events_of_our_worker_are_of_the_time_that_those_of_a_stock_one_are() {
    // West of Greenwich, east by half an hour, and with daylight saving all the year.
    for zone in ["XST5", "XST-5:30", "XST3XDT,J1/0,J365/25"] {
        let redis = Redis::new();
        let variable = format!("TZ={zone}");
        let squirrel = Squirrel::new().through(["/usr/bin/env", &variable]);
        let url = redis.url();
        let words = ["worker", "--broker", url.expose(), "--hostname", "ours"];
        let _ours = squirrel.start(words);
        let _stock = Stock::start_in(&redis, 1, &[("TZ", zone)]);
        let output = tool("python", &redis)
            .env("TZ", zone)
            .args(["-c", RECEIVER])
            .output()
            .unwrap();
        let seen: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{zone}: {error}: {output:?}"));
        assert_eq!(seen["celery@ours"][1], seen["py@stock"][1], "{zone}");
        for node in ["celery@ours", "py@stock"] {
            let late = seen[node][0].as_f64().unwrap();
            // Far less than the half hour by which zones differ at least.
            assert!(late.abs() < 600.0, "{zone}: {node}: {late}");
        }
    }
}
