-- report:  local-senders
-- section: senders 20
-- title:   Top {local sender} by {each}
-- help:    Local users who submitted mail on the server itself.
-- layout:  league
-- top:     received_user
-- empty:   hide
-- each:    message count, volume
-- column:  messages   count  Messages
-- column:  bytes      bytes  Bytes
-- column:  average    bytes  Average
-- column:  user       text   Local sender
WITH t AS (
    SELECT key1, sum(count) AS messages, sum(bytes) AS bytes
      FROM tally
     WHERE measure = 'received_user'
     GROUP BY key1)
SELECT t.messages             AS messages,
       t.bytes                AS bytes,
       (t.bytes + t.messages / 2) / t.messages AS average,
       coalesce(s.text, 'unknown') AS user
  FROM t
  LEFT JOIN string s ON s.id = t.key1
 WHERE t.messages > 0
 ORDER BY iif(:each = 'volume', bytes, messages) DESC,
          iif(:each = 'volume', messages, bytes) DESC, user
 LIMIT coalesce(:top, 50);
