-- report:  destination-domains
-- section: destinations 11
-- title:   Top {domain destination} by {each}
-- help:    Destinations: domains of hosts delivered to.
-- layout:  league
-- domains: delivered_host
-- by:      domain
-- each:    message count, volume
-- column:  messages   count  Messages
-- column:  addresses  count  Addresses
-- column:  bytes      bytes  Bytes
-- column:  average    bytes  Average
-- column:  domain     text   Domain destination
WITH t AS (
    SELECT key1, sum(count) AS messages, sum(addresses) AS addresses, sum(bytes) AS bytes
      FROM tally
     WHERE measure = 'delivered_host'
     GROUP BY key1),
d AS (
    SELECT coalesce(s.domain, t.key1) AS domain,
           sum(t.messages) AS messages, sum(t.addresses) AS addresses, sum(t.bytes) AS bytes
      FROM t
      LEFT JOIN string s ON s.id = t.key1
     GROUP BY 1)
SELECT d.messages             AS messages,
       d.addresses AS addresses,
       d.bytes                AS bytes,
       (d.bytes + d.messages / 2) / d.messages AS average,
       coalesce(s.text, 'local') AS domain
  FROM d
  LEFT JOIN string s ON s.id = d.domain
 WHERE d.messages > 0
 ORDER BY iif(:each = 'volume', bytes, messages) DESC,
          iif(:each = 'volume', messages, bytes) DESC, domain
 LIMIT coalesce(:top, 50);
