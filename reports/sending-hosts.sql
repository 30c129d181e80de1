-- report:  sending-hosts
-- section: senders 10
-- title:   Top {sending host} by {each}
-- help:    Sending hosts: verified name, else IP.
-- layout:  league
-- top:     received_host
-- by:      host
-- each:    message count, volume
-- column:  messages   count  Messages
-- column:  bytes      bytes  Bytes
-- column:  average    bytes  Average
-- column:  host       text   Sending host
WITH t AS (
    SELECT key1, sum(count) AS messages, sum(bytes) AS bytes
      FROM tally
     WHERE measure = 'received_host'
     GROUP BY key1)
SELECT t.messages             AS messages,
       t.bytes                AS bytes,
       (t.bytes + t.messages / 2) / t.messages AS average,
       coalesce(s.text, 'local') AS host
  FROM t
  LEFT JOIN string s ON s.id = t.key1
 WHERE t.messages > 0
 ORDER BY iif(:each = 'volume', bytes, messages) DESC,
          iif(:each = 'volume', messages, bytes) DESC, host
 LIMIT coalesce(:top, 50);
