//! Uptime Kuma's database as the backup that version 2 does not write any more.
//! The columns: <https://github.com/louislam/uptime-kuma/tree/master/db>

use serde_json::{Map, Value, json};

/// The tables that are read, in the order in which [`kuma_backup`] takes them.
pub const KUMA_TABLES: [&str; 5] = [
    "monitor",
    "tag",
    "monitor_tag",
    "monitor_notification",
    "notification",
];

/// Columns, and what the backup calls them.
const RENAMED: [(&str, &str); 11] = [
    ("retry_interval", "retryInterval"),
    ("resend_interval", "resendInterval"),
    ("invert_keyword", "invertKeyword"),
    ("ignore_tls", "ignoreTls"),
    ("upside_down", "upsideDown"),
    ("proxy_id", "proxyId"),
    ("auth_method", "authMethod"),
    ("json_path", "jsonPath"),
    ("expected_value", "expectedValue"),
    ("cache_bust", "cacheBust"),
    ("accepted_statuscodes_json", "accepted_statuscodes"),
];

/// Columns that hold JSON.
const NESTED: [&str; 2] = ["accepted_statuscodes_json", "conditions"];

type Row = Map<String, Value>;

/// The backup that these tables stand for, as a text.
#[must_use]
pub fn kuma_backup(tables: [&[Row]; KUMA_TABLES.len()]) -> String {
    let [monitors, tags, monitor_tags, told, notifications] = tables;
    let monitors: Vec<Value> = monitors
        .iter()
        .map(|row| {
            let mut monitor: Row = row.iter().map(renamed).collect();
            let id = row.get("id");
            let own = |other: &&Row| id.is_some() && other.get("monitor_id") == id;
            let tags: Vec<Value> = monitor_tags
                .iter()
                .filter(own)
                .filter_map(|link| {
                    let tag = tags
                        .iter()
                        .find(|tag| tag.get("id") == link.get("tag_id"))?;
                    Some(json!({ "name": tag.get("name"), "value": link.get("value") }))
                })
                .collect();
            let told: Row = told
                .iter()
                .filter(own)
                .filter_map(|link| Some((link.get("notification_id")?.to_string(), true.into())))
                .collect();
            monitor.insert("tags".to_owned(), tags.into());
            monitor.insert("notificationIDList".to_owned(), told.into());
            monitor.into()
        })
        .collect();
    let notifications: Vec<Value> = notifications
        .iter()
        .map(|row| json!({ "name": row.get("name") }))
        .collect();
    json!({ "monitorList": monitors, "notificationList": notifications }).to_string()
}

fn renamed((column, value): (&String, &Value)) -> (String, Value) {
    let name = RENAMED.iter().find(|(known, _)| known == column);
    let name = name.map_or(column.as_str(), |(_, name)| name);
    let nested = value.as_str().filter(|_| NESTED.contains(&&**column));
    let value = match nested {
        Some(text) => serde_json::from_str(text).unwrap_or_default(),
        None => value.clone(),
    };
    (name.to_owned(), value)
}
