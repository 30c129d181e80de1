-- report:  sources
-- section: reading 5
-- title:   Sources
-- help:    Every source: its number, how far it was read, how well it was understood, what its lines take up, none: they are not kept; lines that were pruned, and the day before which facts were.
-- layout:  table
-- column:  id          count     Number
-- column:  lines       count     Lines
-- column:  understood  count     Understood
-- column:  copies      count     Copies
-- column:  foreign     count     Foreign
-- column:  blank       count     Blank
-- column:  unparsed    count     Not understood
-- column:  bytes       bytes     Bytes
-- column:  archived    bytes     Archive
-- column:  pruned      count     Lines pruned
-- column:  begin       text      From
-- column:  end         text      To
-- column:  silence     duration  Longest silence
-- column:  facts       text      Facts since
-- column:  years       text      Years
-- column:  server      text      Server
-- column:  path        path      Source
-- column:  damage      text      Damage
SELECT s.id                               AS id,
       s.lines                            AS lines,
       CAST(s.understood AS INTEGER)      AS understood,
       CAST(s.copies AS INTEGER)          AS copies,
       CAST(s.foreign_lines AS INTEGER)   AS "foreign",
       CAST(s.blank AS INTEGER)           AS blank,
       CAST(s.unparsed AS INTEGER)        AS unparsed,
       s.bytes                            AS bytes,
       CASE WHEN s.archived THEN (SELECT coalesce(sum(length(b.text)), 0) FROM line_block b
                                   WHERE b.source = s.id) END AS archived,
       s.pruned_lines                     AS pruned,
       datetime(s.first_at + coalesce((SELECT z.utc_offset FROM zone_offset z
                                         JOIN server v ON v.id = z.server
                                        WHERE v.name = s.server AND z.since <= s.first_at
                                        ORDER BY z.since DESC LIMIT 1), 0), 'unixepoch') AS begin,
       s.time                             AS "end",
       s.longest_gap                      AS silence,
       coalesce(date(s.pruned_before + coalesce((SELECT z.utc_offset FROM zone_offset z
                                                   JOIN server v ON v.id = z.server
                                                  WHERE v.name = s.server AND z.since <= s.pruned_before
                                                  ORDER BY z.since DESC LIMIT 1), 0), 'unixepoch'), '') AS facts,
       coalesce(s.years, '')              AS years,
       s.server                           AS server,
       s.path                             AS path,
       coalesce(s.damage, '')             AS damage
  FROM sources s
 WHERE (:server IS NULL OR s.server = :server)
 ORDER BY s.id;
