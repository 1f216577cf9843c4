CREATE TABLE endpoints (endpoint_id INTEGER PRIMARY KEY, endpoint_key TEXT, endpoint_name TEXT,
    endpoint_group TEXT);
CREATE TABLE endpoint_results (endpoint_result_id INTEGER PRIMARY KEY, endpoint_id INTEGER,
    success INTEGER, errors TEXT, status INTEGER, hostname TEXT, duration INTEGER,
    timestamp TIMESTAMP);
INSERT INTO endpoints VALUES (1, 'core_shop', 'shop', 'core'), (2, 'core_blog', 'blog', 'core');
INSERT INTO endpoint_results VALUES
    (1, 1, 1, '', 200, 'shop.example', 123456789, '2025-11-22 13:51:35.123456789 +0000 UTC'),
    (2, 2, 0, 'dial tcp: refused', 0, '', 5, '2025-11-22 13:52:35.123456789 +0000 UTC');
