-- report:  spam-scan-times
-- section: spam 40
-- title:   Time spent scanning for spam
-- help:    How long spamd took over a message.
-- layout:  duration
-- once:    scans
-- empty:   hide
-- column:  side        text      Side
-- column:  bound       duration  Bound
-- column:  messages    count     Messages
-- column:  percent     percent   Share
-- column:  cumulative  percent   Together
WITH bin (side, low, bound) AS (
    VALUES ('Under', -1, 1), ('Under', 1, 2), ('Under', 2, 5), ('Under', 5, 10), ('Under', 10, 30),
           ('Under', 30, 60), ('Under', 60, 120), ('Under', 120, 300), ('Over', 300, 300)),
t AS (
    SELECT (SELECT max(bin.low) FROM bin WHERE bin.low <= scans.seconds) AS low, count(*) AS messages
      FROM scans
     WHERE seconds IS NOT NULL
       AND at >= coalesce(:since, -9e18)
       AND at <  coalesce(:until, 9e18)
       AND (:server IS NULL OR server = :server)
     GROUP BY 1)
SELECT bin.side                                     AS side,
       bin.bound                                    AS bound,
       t.messages                                   AS messages,
       100.0 * t.messages / sum(t.messages) OVER () AS percent,
       100.0 * sum(t.messages) OVER (ORDER BY t.low) / sum(t.messages) OVER () AS cumulative
  FROM t
  JOIN bin ON bin.low = t.low
 ORDER BY t.low;
