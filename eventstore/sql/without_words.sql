-- Return an error without its words, which may quote what somebody sent; its class stays.
CREATE OR REPLACE FUNCTION public.without_words(error jsonb)
RETURNS jsonb LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT error - 'traceback' || '{"message": "(forgotten)"}'
$$;
