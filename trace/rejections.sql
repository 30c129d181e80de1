-- Clients refused in one second.
SELECT at, time, server, 'refused' AS what, stage, temporary, host, helo, ip, sender, recipient, NULL AS user,
       NULL AS service, reason_class, detail, exim_id, ambiguous
  FROM rejections
 WHERE at = :at
