-- Count a login before its password is looked at: one more of each of *counted*, which it
-- is the web's to choose (an address, a name, a browser), widest first.
--
-- Of each, *allowed* logins may fail at once, and one more every *pauses* seconds.
-- Returns how long to wait, if it is one too many; else how the user's password was
-- hashed, without the hash itself: NULL if there is no such user, no password, or no entry.
-- What is counted is a digest, so that nobody reads here who tried what.
CREATE OR REPLACE FUNCTION public.begin_login(
    of_user text,
    counted bytea[],
    allowed integer[],
    pauses interval[]
)
RETURNS TABLE (seconds_to_wait double precision, method text)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    right_now constant timestamptz := clock_timestamp();
    until timestamptz;
BEGIN
    DELETE FROM access.failed_logins AS f WHERE f.forgiven_at < right_now;
    FOR i IN 1 .. cardinality(counted) LOOP
        INSERT INTO access.failed_logins AS f (of_what, forgiven_at)
        VALUES (counted[i], right_now + pauses[i])
        ON CONFLICT ON CONSTRAINT failed_logins_pkey DO UPDATE
            SET forgiven_at = greatest(f.forgiven_at, right_now) + pauses[i]
            WHERE f.forgiven_at <= right_now + pauses[i] * (allowed[i] - 1);
        IF NOT FOUND THEN
            SELECT f.forgiven_at - pauses[i] * (allowed[i] - 1) INTO until
            FROM access.failed_logins AS f WHERE f.of_what = counted[i];
            RETURN QUERY SELECT
                greatest(extract(epoch FROM until - right_now), 1)::double precision,
                NULL::text;
            RETURN;
        END IF;
    END LOOP;
    RETURN QUERY
        SELECT NULL::double precision, (
            SELECT regexp_replace(u.password, '[^$]*$', '')
            FROM access.users AS u
            WHERE u.name = of_user AND u.disabled_at IS NULL
        );
END
$$;
