-- report:  spam-rules
-- section: spam 30
-- title:   Top {spam rule} by hits
-- help:    Which of the scanner's rules hit, and how often the message was spam then.
-- layout:  league
-- once:    scans
-- empty:   hide
-- column:  hits     count    Hits
-- column:  spam     count    Spam
-- column:  percent  percent  Spam share
-- column:  rule     text     Rule
WITH RECURSIVE combination AS (
    SELECT rules, count(*) AS hits, coalesce(sum(is_spam), 0) AS spam
      FROM scans
     WHERE rules <> ''
       AND at >= coalesce(:since, -9e18)
       AND at <  coalesce(:until, 9e18)
       AND (:server IS NULL OR server = :server)
     GROUP BY rules),
split (rule, rest, hits, spam) AS (
    SELECT NULL, rules || ',', hits, spam FROM combination
    UNION ALL
    SELECT substr(rest, 1, instr(rest, ',') - 1), substr(rest, instr(rest, ',') + 1), hits, spam
      FROM split
     WHERE rest <> '')
SELECT sum(hits)                     AS hits,
       sum(spam)                     AS spam,
       100.0 * sum(spam) / sum(hits) AS percent,
       rule                          AS rule
  FROM split
 WHERE rule <> ''
 GROUP BY rule
 ORDER BY hits DESC, rule
 LIMIT coalesce(:top, 50);
