-- How long commands took from when they were due to their end, by day and type.
CREATE VIEW reporting.command_seconds_by_day AS
SELECT
    t.day,
    t.command_type,
    count(*) AS commands,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY t.seconds) AS p50_seconds,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY t.seconds) AS p95_seconds,
    percentile_cont(0.99) WITHIN GROUP (ORDER BY t.seconds) AS p99_seconds,
    max(t.seconds) AS max_seconds
FROM (
    SELECT
        c.accepted_at::date AS day,
        c.type::text AS command_type,
        extract(epoch FROM c.finished_at - greatest(c.accepted_at, c.not_before))
            ::double precision AS seconds
    FROM public.commands AS c
    -- The others were ended by a person.
    WHERE c.status IN ('succeeded', 'rejected', 'failed')
) AS t
GROUP BY t.day, t.command_type;

COMMENT ON VIEW reporting.command_seconds_by_day IS
    'Seconds from acceptance to the end of commands that succeeded, were rejected or failed. A scheduled command counts from the time for which it was scheduled.';
COMMENT ON COLUMN reporting.command_seconds_by_day.day IS
    'The day on which they were accepted, in the time zone of the session (SET TimeZone)';
COMMENT ON COLUMN reporting.command_seconds_by_day.command_type IS
    'What was asked for, such as PlaceOrder';
COMMENT ON COLUMN reporting.command_seconds_by_day.commands IS
    'How many commands have ended';
COMMENT ON COLUMN reporting.command_seconds_by_day.p50_seconds IS
    'Half of them took at most so many seconds';
COMMENT ON COLUMN reporting.command_seconds_by_day.p95_seconds IS
    '95 % of them took at most so many seconds';
COMMENT ON COLUMN reporting.command_seconds_by_day.p99_seconds IS
    '99 % of them took at most so many seconds';
COMMENT ON COLUMN reporting.command_seconds_by_day.max_seconds IS
    'The slowest took so many seconds';
