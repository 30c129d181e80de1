-- report:  queue-time-all
-- section: queue 10
-- title:   Time spent on the queue: all messages
-- help:    How long completed messages were on the queue.
-- layout:  duration
-- column:  side        text      Side
-- column:  bound       duration  Bound
-- column:  messages    count     Messages
-- column:  percent     percent   Share
-- column:  cumulative  percent   Together
WITH bin (slot, side, bound) AS (
    VALUES (0, 'Under', 60), (1, 'Under', 300), (2, 'Under', 900), (3, 'Under', 1800),
           (4, 'Under', 3600), (5, 'Under', 10800), (6, 'Under', 21600), (7, 'Under', 43200),
           (8, 'Under', 86400), (9, 'Over', 86400)),
t AS (
    SELECT slot, sum(count) AS messages
      FROM tally
     WHERE measure = 'queue_all'
     GROUP BY slot)
SELECT bin.side                                     AS side,
       bin.bound                                    AS bound,
       t.messages                                   AS messages,
       100.0 * t.messages / sum(t.messages) OVER () AS percent,
       100.0 * sum(t.messages) OVER (ORDER BY bin.slot) / sum(t.messages) OVER () AS cumulative
  FROM t
  JOIN bin ON bin.slot = t.slot
 WHERE t.messages > 0
 ORDER BY bin.slot;
