-- Release and write claims, or refuse all of them. Called by `append`.
--
-- Claims are locked in the order of their keys, so two appends that claim the same values
-- cannot deadlock. Claims of one key are applied in the order given. Raises ES003 with all
-- conflicts as JSON in DETAIL, so the caller can reject all of these commands at once.
CREATE OR REPLACE FUNCTION public.claim(claims jsonb)
RETURNS void LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    change record;
    clashes jsonb := '[]';
BEGIN
    FOR change IN
        SELECT
            c.value ->> 'scope' AS scope,
            decode(c.value ->> 'hash', 'hex') AS keyed_hash,
            c.value ->> 'stream_id' AS stream_id,
            (c.value ->> 'is_released')::boolean AS is_released,
            c.value - 'is_released' AS clash
        FROM jsonb_array_elements(claims) WITH ORDINALITY AS c (value, ordinal)
        ORDER BY (c.value ->> 'scope') COLLATE "C", (c.value ->> 'hash') COLLATE "C",
            c.ordinal
    LOOP
        IF change.is_released THEN
            DELETE FROM public.unique_claims AS u
            WHERE u.scope = change.scope
                AND u.keyed_hash = change.keyed_hash
                AND u.stream_id = change.stream_id;
            CONTINUE;
        END IF;
        -- This waits for a transaction that is writing or deleting the same claim.
        INSERT INTO public.unique_claims (scope, keyed_hash, stream_id)
        VALUES (change.scope, change.keyed_hash, change.stream_id)
        ON CONFLICT ON CONSTRAINT unique_claims_pkey DO NOTHING;
        CONTINUE WHEN FOUND;
        PERFORM FROM public.unique_claims AS u
        WHERE u.scope = change.scope
            AND u.keyed_hash = change.keyed_hash
            AND u.stream_id = change.stream_id;
        IF NOT FOUND THEN
            clashes := clashes || change.clash;
        END IF;
    END LOOP;
    IF clashes <> '[]' THEN
        RAISE EXCEPTION '% of the claims are of other streams', jsonb_array_length(clashes)
            USING ERRCODE = 'ES003', DETAIL = clashes;
    END IF;
END
$$;
