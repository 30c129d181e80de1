-- What was logged of a recipient and of no message in one second.
SELECT at, time, server, 'noted' AS what, kind AS stage, 0 AS temporary, host, NULL AS helo, ip, sender, recipient,
       NULL AS user, NULL AS service, NULL AS reason_class, NULL AS reason, text AS detail, NULL AS exim_id, ambiguous, NULL AS headers
  FROM events
 WHERE at = :at AND exim_id IS NULL AND recipient IS NOT NULL
