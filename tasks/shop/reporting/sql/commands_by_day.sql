-- How many commands of which type were accepted on which day, and how they ended.
CREATE VIEW reporting.commands_by_day AS
SELECT
    c.accepted_at::date AS day,
    c.type::text AS command_type,
    CASE
        WHEN c.status = 'accepted' AND c.not_before > clock_timestamp() AND c.turn IS NULL
            THEN 'scheduled'
        ELSE c.status::text
    END AS status,
    coalesce(c.error ->> 'rule', c.error ->> 'error') AS reason,
    count(*) AS commands
FROM public.commands AS c
GROUP BY 1, 2, 3, 4;

COMMENT ON VIEW reporting.commands_by_day IS
    'Commands of the journal by day, type and end. What was pruned from the journal is not counted.';
COMMENT ON COLUMN reporting.commands_by_day.day IS
    'The day on which they were accepted, in the time zone of the session (SET TimeZone)';
COMMENT ON COLUMN reporting.commands_by_day.command_type IS
    'What was asked for, such as PlaceOrder';
COMMENT ON COLUMN reporting.commands_by_day.status IS
    'Their end: succeeded, rejected, failed, abandoned or cancelled; or accepted or scheduled: they have not ended';
COMMENT ON COLUMN reporting.commands_by_day.reason IS
    'The rule that rejected them, or the class of the error by which they failed; else NULL';
COMMENT ON COLUMN reporting.commands_by_day.commands IS 'How many there are';
