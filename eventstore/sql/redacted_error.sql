-- Return an error without its message, which may quote what was sent. Its class stays.
CREATE OR REPLACE FUNCTION public.redacted_error(error jsonb)
RETURNS jsonb LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT error - 'traceback' || '{"message": "(forgotten)"}'
$$;
