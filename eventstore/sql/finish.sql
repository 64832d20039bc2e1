-- Append to *stream_ids*, commit, release the held *streams*, signal: one round trip.
--
-- A procedure, because the append must be committed before the release: a lock that is
-- released earlier lets the next runner see a command that still waits. A refused append
-- ends the procedure with the streams still held. *next_due* has for each of *streams*
-- the command that is due in it now, or NULL; *is_raised* tells that the readers' flag
-- was down.
-- A procedure that commits cannot set its search_path, so every name has its schema.
CREATE OR REPLACE PROCEDURE public.finish(
    streams text[],
    stream_ids text[],
    expected integer[],
    event_streams integer[],
    types text[],
    event_datas jsonb[],
    metadatas jsonb[],
    occurred_ats timestamptz[],
    command_ids uuid[],
    outcomes text[],
    errors jsonb[],
    signal text,
    claims jsonb DEFAULT NULL,
    new_keys jsonb DEFAULT NULL,
    forgotten text[] DEFAULT '{}',
    INOUT next_due uuid[] DEFAULT '{}',
    INOUT is_raised boolean DEFAULT NULL
)
LANGUAGE plpgsql AS $$
DECLARE
    stream text;
BEGIN
    PERFORM public.append_and_complete(
        stream_ids, expected, event_streams, types, event_datas, metadatas,
        occurred_ats, claims, new_keys, forgotten, command_ids, outcomes, errors
    );
    COMMIT;
    FOREACH stream IN ARRAY streams LOOP
        next_due := pg_catalog.array_append(next_due, public.release(stream));
    END LOOP;
    is_raised := public.raise_signal(signal);
END
$$;
