-- report:  coverage
-- section: reading 10
-- title:   What was read
-- help:    Sources that reach into the span: their lines, and the longest silence in each.
-- layout:  table
-- empty:   hide
-- column:  begin       text      From
-- column:  end         text      To
-- column:  lines       count     Lines
-- column:  understood  count     Understood
-- column:  copies      count     Copies
-- column:  foreign     count     Foreign
-- column:  blank       count     Blank
-- column:  unparsed    count     Not understood
-- column:  silence     duration  Longest silence
-- column:  server      text      Server
-- column:  path        path      Source
-- column:  damage      text      Damage
SELECT datetime(s.first_at + coalesce((SELECT z.utc_offset FROM zone_offset z
                                         JOIN server v ON v.id = z.server
                                        WHERE v.name = s.server AND z.since <= s.first_at
                                        ORDER BY z.since DESC LIMIT 1), 0), 'unixepoch') AS begin,
       s.time                             AS "end",
       s.lines                            AS lines,
       CAST(s.understood AS INTEGER)      AS understood,
       CAST(s.copies AS INTEGER)          AS copies,
       CAST(s.foreign_lines AS INTEGER)   AS "foreign",
       CAST(s.blank AS INTEGER)           AS blank,
       CAST(s.unparsed AS INTEGER)        AS unparsed,
       s.longest_gap                      AS silence,
       s.server                           AS server,
       s.path                             AS path,
       coalesce(s.damage, '')             AS damage
  FROM sources s
 WHERE (:since IS NULL OR s.last_at >= :since)
   AND (:until IS NULL OR s.first_at < :until)
   AND (:server IS NULL OR s.server = :server)
 ORDER BY s.first_at, s.path, s.id;
