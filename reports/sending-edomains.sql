-- report:  sending-edomains
-- section: senders 13
-- title:   Top {sending edomain} by {each}
-- help:    Sending domains of envelope senders; <> is the null sender, local what has no domain.
-- layout:  league
-- domains: received_email
-- by:      edomain
-- each:    message count, volume
-- column:  messages   count  Messages
-- column:  bytes      bytes  Bytes
-- column:  average    bytes  Average
-- column:  edomain    text   Sending edomain
WITH t AS (
    SELECT key1, sum(count) AS messages, sum(bytes) AS bytes
      FROM tally
     WHERE measure = 'received_email'
     GROUP BY key1),
d AS (
    SELECT coalesce(s.domain, iif(s.text = '', s.id, 0)) AS domain,
           sum(t.messages) AS messages, sum(t.bytes) AS bytes
      FROM t
      LEFT JOIN string s ON s.id = t.key1
     GROUP BY 1)
SELECT d.messages             AS messages,
       d.bytes                AS bytes,
       (d.bytes + d.messages / 2) / d.messages AS average,
       iif(s.text = '', '<>', coalesce(s.text, 'local')) AS edomain
  FROM d
  LEFT JOIN string s ON s.id = d.domain
 WHERE d.messages > 0
 ORDER BY iif(:each = 'volume', bytes, messages) DESC,
          iif(:each = 'volume', messages, bytes) DESC, edomain
 LIMIT coalesce(:top, 50);
