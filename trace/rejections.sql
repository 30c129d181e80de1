-- Clients refused in one second; with a message refused, the headers of it that the reject log has.
SELECT at, time, server, 'refused' AS what, stage, temporary, host, helo, ip, sender, recipient, NULL AS user,
       NULL AS service, reason_class, reason, detail, exim_id, ambiguous,
       (SELECT group_concat(e.text, char(10)) FROM events e
         WHERE e.at = r.at AND e.server = r.server AND e.exim_id = r.exim_id AND e.kind = 'rejected_header') AS headers
  FROM rejections r
 WHERE at = :at
