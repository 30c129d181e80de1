-- report:  line-kinds
-- section: reading 20
-- title:   Lines read, by dialect and kind
-- help:    All lines of the sources that reach into the span; copies were known from another source.
-- layout:  table
-- empty:   hide
-- column:  dialect  text   Dialect
-- column:  kind     text   Kind
-- column:  program  text   Program
-- column:  lines    count  Lines
-- column:  copies   count  Copies
SELECT t.dialect      AS dialect,
       t.kind         AS kind,
       t.program      AS program,
       sum(t.lines)   AS lines,
       sum(t.copies)  AS copies
  FROM line_tally t
  JOIN source s ON s.id = t.source
  JOIN server v ON v.id = s.server
 WHERE (:since IS NULL OR s.last_at >= :since)
   AND (:until IS NULL OR s.first_at < :until)
   AND (:server IS NULL OR v.name = :server)
 GROUP BY t.dialect, t.kind, t.program
 ORDER BY t.dialect, t.kind, t.program;
