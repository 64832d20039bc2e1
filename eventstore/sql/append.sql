-- Append events to one or several streams, all or nothing.
--
-- Raises ES001 (wrong expected version) and ES003 (another stream holds a claim), with
-- details as JSON in DETAIL. Appending the same events again (by event_id) at a numeric
-- version returns the positions of the first append, so a caller whose COMMIT was lost can
-- repeat it.
CREATE OR REPLACE FUNCTION public.append(
    stream_ids text[],          -- each once; some are only checked
    expected integer[],         -- a stream's version; -1 it exists, -2 any
    event_streams integer[],    -- for each event: which of stream_ids, from 1
    types text[],
    event_datas jsonb[],
    metadatas jsonb[],
    occurred_ats timestamptz[], -- NULL: now, by this database's clock
    claims jsonb DEFAULT NULL,  -- what is claimed and released, as `claim` takes it
    new_keys jsonb DEFAULT NULL,    -- of subjects, see `keep_keys`
    forgotten text[] DEFAULT '{}',  -- subjects whose keys are destroyed
    OUT positions bigint[],         -- of each event, in their order
    OUT versions integer[],
    OUT recorded_at timestamptz,    -- NULL if it returns a first append
    OUT head_position bigint        -- of the event before them in the first stream
)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
-- Every statement here finds its rows by key, whatever the arguments. Planning again for
-- each call, which the planner prefers for arrays, took a third of the time.
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    recorded_at_json jsonb;
    head_versions integer[];
    head_times timestamptz[];
    head_version integer;
    head_time timestamptz;
    to_lock record;
    stale_stream integer;
BEGIN
    -- Most appends are of one stream. They have branches of their own without a loop or
    -- a join: most of what an append costs is its number of statements.
    IF cardinality(stream_ids) = 1 THEN
        IF cardinality(types) > 0 THEN
            PERFORM pg_advisory_xact_lock(
                public.lock_key(1, hashtextextended(stream_ids[1], 0))
            );
        ELSE
            PERFORM pg_advisory_xact_lock_shared(
                public.lock_key(1, hashtextextended(stream_ids[1], 0))
            );
        END IF;
        SELECT e.version, e.id, e.occurred_at
        INTO head_version, head_position, head_time
        FROM public.events AS e
        WHERE e.stream_id = stream_ids[1]
        ORDER BY e.version DESC
        LIMIT 1;
        head_versions := ARRAY[coalesce(head_version, 0)];
        stale_stream := CASE
            WHEN expected[1] = -2 OR expected[1] = head_versions[1] THEN NULL
            WHEN expected[1] = -1 AND head_versions[1] > 0 THEN NULL
            ELSE 1
        END;
    ELSE
        -- Streams in the order of their keys, each key once: two appends that need the
        -- same two streams cannot wait for each other. A stream that is only checked is
        -- locked too, shared: of two decisions that each read the other's stream, one
        -- holds.
        FOR to_lock IN
            SELECT
                public.lock_key(1, hashtextextended(s.stream_id, 0)) AS key,
                bool_or(w.stream IS NOT NULL) AS is_written
            FROM unnest(stream_ids) WITH ORDINALITY AS s (stream_id, ordinal)
            LEFT JOIN (SELECT DISTINCT unnest(event_streams) AS stream) AS w
                ON w.stream = s.ordinal
            GROUP BY 1
            ORDER BY 1
        LOOP
            IF to_lock.is_written THEN
                PERFORM pg_advisory_xact_lock(to_lock.key);
            ELSE
                PERFORM pg_advisory_xact_lock_shared(to_lock.key);
            END IF;
        END LOOP;

        SELECT
            array_agg(coalesce(head.version, 0) ORDER BY s.ordinal),
            (array_agg(head.id ORDER BY s.ordinal))[1],
            array_agg(head.occurred_at ORDER BY s.ordinal)
        INTO head_versions, head_position, head_times
        FROM unnest(stream_ids) WITH ORDINALITY AS s (stream_id, ordinal)
        LEFT JOIN LATERAL (
            SELECT e.version, e.id, e.occurred_at
            FROM public.events AS e
            WHERE e.stream_id = s.stream_id
            ORDER BY e.version DESC
            LIMIT 1
        ) AS head ON true;

        SELECT min(s.ordinal)
        INTO stale_stream
        FROM unnest(expected, head_versions)
            WITH ORDINALITY AS s (expected, head, ordinal)
        WHERE CASE s.expected
            WHEN -2 THEN false
            WHEN -1 THEN s.head = 0
            ELSE s.head <> s.expected
        END;
    END IF;

    IF stale_stream IS NOT NULL AND cardinality(types) > 0 THEN
        SELECT f.positions, f.versions INTO positions, versions
        FROM public.find_appended(stream_ids, expected, event_streams, metadatas) AS f;
        IF positions IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    IF stale_stream IS NOT NULL THEN
        RAISE EXCEPTION 'stream % is at version %',
            stream_ids[stale_stream], head_versions[stale_stream]
            USING ERRCODE = 'ES001', DETAIL = jsonb_build_object(
                'stream_id', stream_ids[stale_stream],
                'expected', expected[stale_stream],
                'actual', head_versions[stale_stream]
            );
    END IF;

    IF claims IS NOT NULL THEN
        PERFORM public.claim(claims);
    END IF;
    IF new_keys IS NOT NULL THEN
        PERFORM public.keep_keys(new_keys);
    END IF;
    IF forgotten <> '{}' THEN
        PERFORM public.destroy_keys(forgotten);
    END IF;

    recorded_at := clock_timestamp();
    recorded_at_json := jsonb_build_object(
        'recorded_at',
        to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    );
    -- A clock that was set back must not bend the order of a stream: nothing happens
    -- before the event that it follows.
    IF cardinality(types) = 1 AND cardinality(stream_ids) = 1 THEN
        INSERT INTO public.events
            (stream_id, type, version, data, metadata, occurred_at)
        VALUES (
            stream_ids[1],
            types[1],
            head_versions[1] + 1,
            event_datas[1],
            metadatas[1] || recorded_at_json,
            coalesce(occurred_ats[1], greatest(recorded_at, head_time))
        )
        RETURNING ARRAY[id], ARRAY[version] INTO positions, versions;
    ELSIF cardinality(types) > 0 THEN
        IF cardinality(stream_ids) > 1 THEN
            -- Apart from the INSERT: what is sorted here has no data in it.
            SELECT array_agg(n.version ORDER BY n.ordinal)
            INTO versions
            FROM (
                SELECT
                    a.ordinal,
                    head_versions[a.stream] + row_number() OVER (
                        PARTITION BY a.stream ORDER BY a.ordinal
                    ) AS version
                FROM unnest(event_streams) WITH ORDINALITY AS a (stream, ordinal)
            ) AS n;
        END IF;
        -- One INSERT: each would take a floor of its own, and fill the lock table.
        WITH appended AS (
            INSERT INTO public.events
                (stream_id, type, version, data, metadata, occurred_at)
            SELECT
                stream_ids[a.stream],
                a.type,
                coalesce(a.version, head_versions[1] + a.ordinal),
                a.data,
                a.metadata || recorded_at_json,
                coalesce(
                    a.occurred_at,
                    greatest(recorded_at, head_time, head_times[a.stream])
                )
            FROM unnest(
                event_streams, types, versions, event_datas, metadatas, occurred_ats
            )
                WITH ORDINALITY
                AS a (stream, type, version, data, metadata, occurred_at, ordinal)
            ORDER BY a.ordinal
            RETURNING id, version
        )
        SELECT
            array_agg(appended.id ORDER BY appended.id),
            array_agg(appended.version ORDER BY appended.id)
        INTO positions, versions
        FROM appended;
    ELSE
        positions := '{}';
        versions := '{}';
    END IF;
END
$$;
