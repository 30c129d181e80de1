-- report:  received-per-hour
-- section: traffic 30
-- title:   Messages received per hour
-- help:    Messages received in each local hour of the day, all days together.
-- layout:  histogram message
-- column:  hour      text   Hour
-- column:  messages  count  Messages
WITH RECURSIVE hour (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM hour WHERE n < 23),
t AS (
    SELECT slot, sum(count) AS messages
      FROM tally
     WHERE measure = 'received'
     GROUP BY slot)
SELECT printf('%02d-%02d', hour.n, hour.n + 1) AS hour,
       coalesce(t.messages, 0)                 AS messages
  FROM hour
  LEFT JOIN t ON t.slot = hour.n
 ORDER BY hour.n;
