INSERT INTO sites (id, name, url) VALUES (1, 'shop', 'https://shop.example/'),
    (2, 'pay', 'http://pay.example/');
INSERT INTO results VALUES (1763819500000000, 1, 0, 200, 120000, 3, 300000, 0),
    (1763819500000001, 2, 1, 503, 90000, 0, 60000, 60000), (1763700000000000, 1, 0, 204, 1, 0, 0, 0),
    (1763200000000000, 1, 3, NULL, 10000000, 9, NULL, NULL);
INSERT INTO missed VALUES (1763819400000000, 1, 0, 0), (1763200000000001, 2, NULL, NULL);
INSERT INTO rollup_5m VALUES
    (1763700000, 1, 2, 1, 1, 0, 5, 12, 7, x'050101', 300000, 0, 90000),
    (1763200200, 2, 1, 1, 0, 0, 9, 9, 9, NULL, NULL, NULL, NULL);
INSERT INTO rollup_hour VALUES
    (1763697600, 1, 9, 8, 0, 1, 1, 99, 40, x'0a02', 3600000, 600000, 90000),
    (1763197200, 2, 1, 1, 0, 0, 9, 9, 9, NULL, NULL, NULL, NULL);
INSERT INTO rollup_day VALUES
    (1763596800, 1, 288, 280, 3, 1, 1, 9999, 4000, x'0a030104', 86400000, 0, 90000),
    (1763164800, 2, 1, 1, 0, 0, 9, 9, 9, NULL, NULL, NULL, NULL);
INSERT INTO packed_5m VALUES (1763164800, 1, x'0014020405010301000100'), (1763078400, 2, x'0002');
INSERT INTO due_rollups VALUES (0, 1763700000), (1, 1763697600), (2, 1763596800);
INSERT OR REPLACE INTO marks VALUES ('rolled', 1763819100);
INSERT INTO outages (id, site, since, confirmed, ended, causes, last_good, acknowledged, note)
    VALUES (1, 1, 1763700000000000, 1763700010000000, 1763700300000000,
            '[{"reason":"status","status":503,"error":"answered 503"}]', 1763699700000000, NULL, NULL),
    (2, 2, 1763819000000000, 1763819010000000, NULL,
            '[{"reason":"timeout","status":null,"error":"no answer"}]', NULL, 1763819100000000, 'ann');
INSERT INTO streaks (site, failures, good, since, causes, last_good, good_since, written)
    VALUES (2, 3, 0, 1763819000000000,
            '[{"reason":"timeout","status":null,"error":"no answer"}]', NULL, NULL, 1763819500000000);
INSERT INTO outbox (id, outage, owner, channel, site, at, subject, body, facts, state, attempts, next, event)
    VALUES ('a', 2, 'ops', 'email', 'pay', 1763819010000000, 'DOWN: pay', 'pay is down', '{}', 0, 1,
            1763819900000000, 'down'),
    ('b', 2, 'ops', 'push', 'pay', 1763819010000000, 'DOWN: pay', 'pay is down', '{}', 3, 0,
            1763819900000000, 'down'),
    ('c', 1, 'ops', 'email', 'shop', 1763700010000000, 'DOWN: shop', 'shop is down', '{}', 1, 1,
            1763700010000000, 'down');
INSERT INTO maintenance VALUES (1, 1763900000000000, 1763896400000000);
INSERT INTO alerts VALUES (2, '{}');
INSERT INTO monitor_alerts VALUES ('monitor', '{}');
