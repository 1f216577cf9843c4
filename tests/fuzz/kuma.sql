CREATE TABLE monitor (id INTEGER PRIMARY KEY, name VARCHAR(150), active BOOLEAN DEFAULT 1,
    interval INTEGER DEFAULT 20, url TEXT, type VARCHAR(20), hostname VARCHAR(255),
    keyword VARCHAR(255), maxretries INTEGER DEFAULT 0, upside_down BOOLEAN DEFAULT 0,
    accepted_statuscodes_json TEXT DEFAULT '["200-299"]', retry_interval INTEGER DEFAULT 0,
    basic_auth_user TEXT, basic_auth_pass TEXT, description TEXT, parent INTEGER,
    timeout DOUBLE DEFAULT 0, conditions TEXT DEFAULT '[]');
CREATE TABLE heartbeat (id INTEGER PRIMARY KEY, monitor_id INTEGER NOT NULL, status SMALLINT,
    msg TEXT, time DATETIME, ping INTEGER);
CREATE TABLE tag (id INTEGER PRIMARY KEY, name VARCHAR(255));
CREATE TABLE monitor_tag (id INTEGER PRIMARY KEY, monitor_id INTEGER, tag_id INTEGER, value TEXT);
CREATE TABLE notification (id INTEGER PRIMARY KEY, name VARCHAR(255), config TEXT);
CREATE TABLE monitor_notification (id INTEGER PRIMARY KEY, monitor_id INTEGER,
    notification_id INTEGER);
INSERT INTO monitor (id, name, type) VALUES (1, 'Group', 'group');
INSERT INTO monitor (id, name, type, url, keyword, interval, retry_interval, maxretries, timeout,
    parent) VALUES (2, 'Shop', 'keyword', 'https://shop.example', 'basket', 60, 30, 1, 48, 1);
INSERT INTO heartbeat VALUES (1, 2, 1, '200 - OK', '2025-11-22 13:51:35.527', 120),
    (2, 2, 0, 'timeout of 48000ms exceeded', '2025-11-22 13:52:35.527', NULL);
INSERT INTO tag VALUES (7, 'team');
INSERT INTO monitor_tag VALUES (1, 2, 7, 'web');
INSERT INTO notification VALUES (4, 'Mail', '{"smtpPassword":"hush"}');
INSERT INTO monitor_notification VALUES (1, 2, 4);
