-- report:  unparsed-lines
-- section: reading 30
-- title:   Lines not understood, the latest {top}
-- help:    Lines that no parser understands, or that broke off; kept, counted, and worth a bug report.
-- layout:  table
-- empty:   hide
-- column:  time     text  Time
-- column:  dialect  text  Dialect
-- column:  fault    text  Fault
-- column:  place    text  Place
-- column:  text     text  Line
SELECT time                                         AS time,
       iif(dialect = '', '?', dialect)              AS dialect,
       coalesce('damaged at byte ' || fault_at, 'unknown wording') AS fault,
       path || ':' || line                          AS place,
       iif(length(text) > 160, substr(text, 1, 157) || '...', text) AS text
  FROM unparsed
 WHERE at >= coalesce(:since, -9e18)
   AND at <  coalesce(:until, 9e18)
   AND (:server IS NULL OR server = :server)
 ORDER BY at DESC, path, line
 LIMIT coalesce(:top, 50);
