-- report:  message-states
-- section: reading 40
-- title:   Messages by state
-- help:    How messages stand: completed, still queued, frozen, taken back, or their arrival never seen.
-- layout:  table
-- column:  messages  count  Messages
-- column:  state     text   State
-- column:  server    text   Server
SELECT count(*) AS messages,
       CASE WHEN m.flags & 4                      THEN 'retracted'
            WHEN m.received IS NULL               THEN 'arrival never seen'
            WHEN m.completed IS NOT NULL          THEN 'completed'
            WHEN m.frozen > coalesce(m.thawed, 0) THEN 'frozen'
            ELSE 'queued' END AS state,
       v.name AS server
  FROM message m
  JOIN server v ON v.id = m.server
 WHERE (:server IS NULL OR v.name = :server)
 GROUP BY state, v.name
 ORDER BY messages DESC, state, server;
