-- report:  destination-edomains
-- section: destinations 13
-- title:   Top {edomain destination} by {each}
-- help:    Destinations: domains of recipients after routing; local what has no domain.
-- layout:  league
-- domains: delivered_email
-- by:      edomain
-- each:    message count, volume
-- column:  messages   count  Messages
-- column:  addresses  count  Addresses
-- column:  bytes      bytes  Bytes
-- column:  average    bytes  Average
-- column:  edomain    text   Edomain destination
WITH t AS (
    SELECT key1, sum(count) AS messages, sum(addresses) AS addresses, sum(bytes) AS bytes
      FROM tally
     WHERE measure = 'delivered_email'
     GROUP BY key1),
d AS (
    SELECT coalesce(s.domain, iif(s.text = '', s.id, 0)) AS domain,
           sum(t.messages) AS messages, sum(t.addresses) AS addresses, sum(t.bytes) AS bytes
      FROM t
      LEFT JOIN string s ON s.id = t.key1
     GROUP BY 1)
SELECT d.messages             AS messages,
       d.addresses AS addresses,
       d.bytes                AS bytes,
       (d.bytes + d.messages / 2) / d.messages AS average,
       coalesce(s.text, 'local') AS edomain
  FROM d
  LEFT JOIN string s ON s.id = d.domain
 WHERE d.messages > 0
 ORDER BY iif(:each = 'volume', bytes, messages) DESC,
          iif(:each = 'volume', messages, bytes) DESC, edomain
 LIMIT coalesce(:top, 50);
