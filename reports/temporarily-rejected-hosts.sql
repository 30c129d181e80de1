-- report:  temporarily-rejected-hosts
-- section: rejections 40
-- title:   Top {temporarily rejected host} by message count
-- help:    Hosts whose mail was refused for now: verified name, else IP.
-- layout:  league
-- top:     deferred_client_host
-- empty:   hide
-- column:  messages  count  Messages
-- column:  host      text   Temporarily rejected host
WITH t AS (
    SELECT key1, sum(count) AS messages
      FROM tally
     WHERE measure = 'deferred_client_host'
     GROUP BY key1)
SELECT t.messages               AS messages,
       coalesce(s.text, 'local') AS host
  FROM t
  LEFT JOIN string s ON s.id = t.key1
 WHERE t.messages > 0
 ORDER BY t.messages DESC, 2
 LIMIT coalesce(:top, 50);
