-- report:  sending-domains
-- section: senders 11
-- title:   Top {sending domain} by {each}
-- help:    Sending domains of hosts.
-- layout:  league
-- domains: received_host
-- by:      domain
-- each:    message count, volume
-- column:  messages   count  Messages
-- column:  bytes      bytes  Bytes
-- column:  average    bytes  Average
-- column:  domain     text   Sending domain
WITH t AS (
    SELECT key1, sum(count) AS messages, sum(bytes) AS bytes
      FROM tally
     WHERE measure = 'received_host'
     GROUP BY key1),
d AS (
    SELECT coalesce(s.domain, t.key1) AS domain,
           sum(t.messages) AS messages, sum(t.bytes) AS bytes
      FROM t
      LEFT JOIN string s ON s.id = t.key1
     GROUP BY 1)
SELECT d.messages             AS messages,
       d.bytes                AS bytes,
       (d.bytes + d.messages / 2) / d.messages AS average,
       coalesce(s.text, 'local') AS domain
  FROM d
  LEFT JOIN string s ON s.id = d.domain
 WHERE d.messages > 0
 ORDER BY iif(:each = 'volume', bytes, messages) DESC,
          iif(:each = 'volume', messages, bytes) DESC, domain
 LIMIT coalesce(:top, 50);
