-- report:  grand-total
-- section: traffic 10
-- title:   Grand total summary
-- help:    What was received, delivered, rejected and scanned, and from how many.
-- layout:  total
-- once:    scans
-- details: Ham and Spam
-- sums:    received, delivered, delayed, failed, rejected, deferred_client
-- names:   received_host, received_email, delivered_host, delivered_email
-- counts:  rejected_host, deferred_client_host
-- column:  name             text     TOTAL
-- column:  bytes            bytes    Volume
-- column:  messages         count    Messages
-- column:  addresses        count    Addresses
-- column:  hosts            count    Hosts
-- column:  domains          count    Domains
-- column:  emails           count    Emails
-- column:  edomains         count    Edomains
-- column:  delayed          count    Delayed
-- column:  delayed_percent  percent  Delayed of received
-- column:  failed           count    Failed
-- column:  failed_percent   percent  Failed of received
WITH one AS (
    SELECT measure, sum(count) AS messages, sum(addresses) AS addresses, sum(bytes) AS bytes
      FROM tally
     WHERE measure IN ('received', 'delivered', 'rejected', 'deferred_client', 'delayed', 'failed')
     GROUP BY measure),
scanned AS (
    SELECT is_spam, count(*) AS scans
      FROM scans
     WHERE is_spam IS NOT NULL
       AND at >= coalesce(:since, -9e18)
       AND at <  coalesce(:until, 9e18)
       AND (:server IS NULL OR server = :server)
     GROUP BY is_spam),
line (n, name, bytes, messages, addresses, hosts, emails) AS (
    VALUES (1, 'Received', 'received', 'received', NULL, 'received_host', 'received_email'),
           (2, 'Delivered', 'delivered', 'delivered', 'delivered', 'delivered_host', 'delivered_email'),
           (3, 'Rejects', NULL, 'rejected', NULL, 'rejected_host', NULL),
           (4, 'Temp Rejects', NULL, 'deferred_client', NULL, 'deferred_client_host', NULL)),
counted AS (
    SELECT n, name,
           iif(line.bytes IS NULL, NULL,
               coalesce((SELECT bytes FROM one WHERE measure = line.bytes), 0)) AS bytes,
           coalesce((SELECT messages FROM one WHERE measure = line.messages), 0) AS messages,
           iif(line.addresses IS NULL, NULL,
               coalesce((SELECT addresses FROM one WHERE measure = line.addresses), 0)) AS addresses,
           coalesce((SELECT names FROM tally_names WHERE measure = hosts), 0) AS hosts,
           iif(emails IS NULL, NULL,
               coalesce((SELECT domains FROM tally_names WHERE measure = hosts), 0)) AS domains,
           iif(emails IS NULL, NULL,
               coalesce((SELECT names FROM tally_names WHERE measure = emails), 0)) AS emails,
           iif(emails IS NULL, NULL,
               coalesce((SELECT edomains FROM tally_names WHERE measure = emails), 0)) AS edomains,
           iif(n = 1, coalesce((SELECT messages FROM one WHERE measure = 'delayed'), 0), NULL) AS delayed,
           iif(n = 1, coalesce((SELECT messages FROM one WHERE measure = 'failed'), 0), NULL) AS failed
      FROM line
    UNION ALL
    SELECT iif(is_spam, 6, 5), iif(is_spam, 'Spam', 'Ham'), NULL, scans, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL
      FROM scanned)
SELECT name, bytes, messages, addresses, hosts, domains, emails, edomains,
       delayed, iif(messages > 0, 100.0 * delayed / messages, 0.0) AS delayed_percent,
       failed, iif(messages > 0, 100.0 * failed / messages, 0.0) AS failed_percent
  FROM counted
 WHERE n <= 2 OR messages > 0
 ORDER BY n;
