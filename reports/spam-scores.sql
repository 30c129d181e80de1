-- report:  spam-scores
-- section: spam 20
-- title:   Spam scores
-- help:    How many messages scored how much, by whole points: 3 is 3.0 to 3.9.
-- layout:  histogram message
-- once:    scans
-- empty:   hide
-- column:  score     text   Score
-- column:  messages  count  Messages
WITH t AS (
    SELECT max(-1, min(20, CAST(score AS INTEGER) - (score < CAST(score AS INTEGER)))) AS points,
           count(*) AS messages
      FROM scans
     WHERE score IS NOT NULL
       AND at >= coalesce(:since, -9e18)
       AND at <  coalesce(:until, 9e18)
       AND (:server IS NULL OR server = :server)
     GROUP BY 1)
SELECT CASE points WHEN -1 THEN 'below 0' WHEN 20 THEN '20 and above' ELSE CAST(points AS TEXT) END AS score,
       messages AS messages
  FROM t
 ORDER BY points;
