-- One message, by its number.
SELECT m.at, m.time, m.server, m.exim_id, m.received, m.sender, m.host, m.helo, m.ip, m.protocol, m.auth, m.auth_id,
       m.local_user, m.tls, m.size, m.subject, m.message_id, m.recipients, m.recipient_list, m.completed,
       datetime(m.completed + (SELECT z.utc_offset FROM zone_offset z
                                WHERE z.server = f.server AND z.since <= m.completed
                                ORDER BY z.since DESC LIMIT 1), 'unixepoch') AS completed_time,
       m.queue_seconds, m.state, m.parent_exim_id, m.copy_of, m.ambiguous, m.fakereject
  FROM message f
  JOIN server v ON v.id = f.server
  JOIN messages m ON m.exim_id = f.exim_id AND m.server = v.name
 WHERE f.id = :message
