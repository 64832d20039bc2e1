-- Move a number sequence to at least *highest*, never back.
--
-- Nobody can draw until the caller has committed, and a rollback undoes it: until then the
-- sequence is another file.
CREATE OR REPLACE FUNCTION public.move_numbers(numbered_by text, highest bigint)
RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    last_number bigint;
BEGIN
    IF numbered_by !~ '^[a-z_]+_numbers$' THEN
        RAISE EXCEPTION '% is no sequence of numbers', numbered_by
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- It changes nothing but whose the sequence is for the moment.
    EXECUTE format('ALTER SEQUENCE public.%I INCREMENT BY 1', numbered_by);
    EXECUTE format(
        'SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM public.%I',
        numbered_by
    ) INTO last_number;
    IF highest > last_number THEN
        PERFORM setval(format('public.%I', numbered_by)::regclass, highest);
    END IF;
END
$$;
