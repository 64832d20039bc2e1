-- Open a session for the user of whom *hashed* is the password's hash, and forgive the
-- login that `begin_login` has counted. Returns false if it is not, or the user is shut out.
--
-- The web never reads a hash: it brings the one of what was typed.
CREATE OR REPLACE FUNCTION public.open_session(
    of_user text,
    hashed text,
    hash_of_secret bytea,
    counted bytea[],
    pauses interval[]
)
RETURNS boolean
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    -- Who changes the password, or shuts the user out, meanwhile, waits, and ends it then.
    PERFORM FROM access.users AS u
    WHERE u.name = of_user AND u.disabled_at IS NULL
        AND sha256(convert_to(u.password, 'UTF8')) = sha256(convert_to(hashed, 'UTF8'))
    FOR SHARE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- In the order in which `begin_login` locks them.
    FOR i IN 1 .. cardinality(counted) LOOP
        UPDATE access.failed_logins AS f
        SET forgiven_at = f.forgiven_at - pauses[i]
        WHERE f.of_what = counted[i];
    END LOOP;
    DELETE FROM access.sessions AS s
    WHERE s.created_at < clock_timestamp() - interval '7 days'
        OR s.seen_at < clock_timestamp() - interval '12 hours';
    INSERT INTO access.sessions (hash, user_name) VALUES (hash_of_secret, of_user);
    RETURN true;
END
$$;
