-- report:  spam-verdicts
-- section: spam 10
-- title:   Spam scanner's verdicts
-- help:    What spamd said of the messages shown to it.
-- layout:  list
-- once:    scans
-- empty:   hide
-- column:  verdict  text     Verdict
-- column:  bytes    bytes    Volume
-- column:  scans    count    Messages
-- column:  percent  percent  Share
-- column:  score    score    Score
SELECT CASE is_spam WHEN 0 THEN 'ham' WHEN 1 THEN 'spam' ELSE 'unknown' END AS verdict,
       coalesce(sum(size), 0)                       AS bytes,
       count(*)                                     AS scans,
       100.0 * count(*) / sum(count(*)) OVER ()     AS percent,
       avg(score)                                   AS score
  FROM scans
 WHERE at >= coalesce(:since, -9e18)
   AND at <  coalesce(:until, 9e18)
   AND (:server IS NULL OR server = :server)
 GROUP BY 1
 ORDER BY 1;
