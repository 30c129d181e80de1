-- report:  sending-emails
-- section: senders 12
-- title:   Top {sending email} by {each}
-- help:    Sending envelope senders; <> is the null sender of bounces.
-- layout:  league
-- top:     received_email
-- by:      email
-- each:    message count, volume
-- column:  messages   count  Messages
-- column:  bytes      bytes  Bytes
-- column:  average    bytes  Average
-- column:  sender     text   Sending email
WITH t AS (
    SELECT key1, sum(count) AS messages, sum(bytes) AS bytes
      FROM tally
     WHERE measure = 'received_email'
     GROUP BY key1)
SELECT t.messages             AS messages,
       t.bytes                AS bytes,
       (t.bytes + t.messages / 2) / t.messages AS average,
       iif(s.text = '', '<>', coalesce(s.text, 'local')) AS sender
  FROM t
  LEFT JOIN string s ON s.id = t.key1
 WHERE t.messages > 0
 ORDER BY iif(:each = 'volume', bytes, messages) DESC,
          iif(:each = 'volume', messages, bytes) DESC, sender
 LIMIT coalesce(:top, 50);
