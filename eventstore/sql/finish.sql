-- Append to *streams*, then let go of them, then tell the log's readers: one round trip.
--
-- A procedure, since the append must be committed before the rest: a lock that is let go
-- earlier shows the next runner a command that still waits. An append that is refused
-- ends it at once, with the streams still held. Returns the commands that are due now.
-- It cannot fix its search_path, and names all that it calls with the schema.
CREATE OR REPLACE PROCEDURE public.finish(
    streams text[],
    stream_ids text[],
    expected integer[],
    event_streams integer[],
    types text[],
    datas jsonb[],
    metadatas jsonb[],
    happened timestamptz[],
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
    PERFORM public.append(
        stream_ids, expected, event_streams, types, datas, metadatas, happened,
        command_ids, outcomes, errors, claims, new_keys, forgotten
    );
    COMMIT;
    FOREACH stream IN ARRAY streams LOOP
        next_due := pg_catalog.array_append(next_due, public.release(stream));
    END LOOP;
    is_raised := public.raise_signal(signal);
END
$$;
