-- Take a stream: lock it, and return its due commands in order and its history.
--
-- Returns nothing if the command is finished or unknown, or another runner has the stream
-- (that runner looks again when it releases). Otherwise: a 'failed' row for each command
-- that this call has failed, one 'stream' row, then 'command' rows, then what `load`
-- returns. If nothing is due, nothing follows the 'stream' row. The caller must `release`.
-- The lock belongs to the session: call it on a connection in autocommit, and send a
-- statement each second (see `journal/lease.py`).
--
-- The first command is marked as started. A mark that is found means that its runner died,
-- because we hold the lock and a runner that gives up clears its mark. From then on the
-- stream is run one command at a time, so that the one that kills its runner is counted;
-- after *max_deaths* deaths it is failed, and the commands behind it go on.
CREATE OR REPLACE FUNCTION public.take(
    command uuid,
    runner text,
    max_commands integer,
    max_bytes integer,
    max_deaths integer,
    fingerprints text[] DEFAULT NULL    -- of the snapshots that the caller can read
)
RETURNS TABLE (
    kind text,
    -- What `load` returns, of a snapshot or an event; a stream's *version*, a command's
    -- *type*, *data* and *metadata*.
    id bigint,
    stream_id varchar,
    type varchar,
    version integer,
    data jsonb,
    metadata jsonb,
    occurred_at timestamptz,
    checksum varchar,
    refused text,
    -- Of a stream: how many commands are run at once; 1 after a death, 0 if none is due.
    lease_limit integer,
    -- Of a command.
    command_id uuid,
    expected_version integer,
    attempts integer,
    conflicts integer,
    keys text       -- JSON: its own key, and the own key of its subject
)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
-- As in `load`: ten thousand events must not go by the disk.
SET work_mem = '32MB'
-- An array of one command looks cheaper than arrays are in general, so what reads by it
-- would be planned again at each call, which takes longer than to do it. Everything here
-- is reached by key, whatever the figures say.
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
    stream varchar;
    due_commands uuid[];
    first_command public.commands;
    deaths integer;
    some_are_due boolean;
    has_given_turns boolean := false;
    saved record;
    beginning integer := 0;
BEGIN
    SELECT c.* INTO first_command FROM public.commands AS c WHERE c.id = command;
    IF NOT FOUND OR first_command.status <> 'accepted' THEN
        RETURN;
    END IF;
    stream := first_command.stream_id;
    IF NOT pg_try_advisory_lock(public.lock_key(2, hashtextextended(stream, 0))) THEN
        RETURN;
    END IF;
    -- The lock is a lease: a session that holds one and is silent for so long is ended
    -- by the server, and the lock goes with it. `release` takes this back with the last.
    IF coalesce(nullif(current_setting('eventstore.held', true), ''), '0') = '0' THEN
        PERFORM set_config(
            'eventstore.idle_before', current_setting('idle_session_timeout'), false
        );
        PERFORM set_config('idle_session_timeout', '3s', false);
    END IF;
    PERFORM set_config('eventstore.held', (
        coalesce(nullif(current_setting('eventstore.held', true), ''), '0')::integer + 1
    )::text, false);
    -- Each statement from here on sees what was committed before we got the lock.
    LOOP
        -- The due commands are read once: the one that is marked is the first that is
        -- run, also if another gets its turn in the meantime.
        SELECT
            array_agg(w.id ORDER BY w.place),
            EXISTS (
                SELECT FROM public.commands AS c
                WHERE c.stream_id = stream
                    AND c.status = 'accepted'
                    AND c.not_before IS NOT NULL
                    AND c.turn IS NULL
                    AND c.not_before <= clock_timestamp()
            )
        INTO due_commands, some_are_due
        FROM (
            SELECT
                c.id,
                row_number() OVER waiting AS place,
                sum(pg_column_size(c.data)) OVER waiting AS bytes
            FROM public.commands AS c
            WHERE c.stream_id = stream
                AND c.status = 'accepted'
                AND (c.not_before IS NULL OR c.turn IS NOT NULL)
            WINDOW waiting AS (
                ORDER BY coalesce(c.turn, c.seq)
                ROWS UNBOUNDED PRECEDING
            )
            ORDER BY coalesce(c.turn, c.seq)
            LIMIT max_commands
        ) AS w
        WHERE w.bytes <= max_bytes OR w.place = 1;
        -- A due scheduled command gets its turn now, behind those that have one.
        IF some_are_due AND NOT has_given_turns THEN
            has_given_turns := true;
            CONTINUE WHEN public.give_turns(stream, true) > 0;
        END IF;
        -- Locked: an append outside of a drain may be completing it.
        SELECT c.* INTO first_command FROM public.commands AS c
        WHERE c.id = due_commands[1]
        FOR UPDATE;
        CONTINUE WHEN first_command.status <> 'accepted';
        IF NOT FOUND
            OR first_command.next_try_at IS NOT NULL
            AND public.rests(
                first_command.next_try_at, first_command.attempts, clock_timestamp()
            )
        THEN
            kind := 'stream';
            stream_id := stream;
            lease_limit := 0;
            RETURN NEXT;
            RETURN;
        END IF;
        -- A crash of PostgreSQL ends every runner and is no command's fault. The start time
        -- of the server only identifies it: its clock may have been set back.
        EXIT WHEN first_command.started_at IS NULL
            OR first_command.marked_under IS DISTINCT FROM pg_postmaster_start_time();
        INSERT INTO public.command_incidents (command_id, kind, detail)
        VALUES (first_command.id, 'runner_died', jsonb_build_object(
            'ran_by', first_command.ran_by, 'started_at', first_command.started_at
        ));
        SELECT count(*) INTO deaths
        FROM public.command_incidents AS i
        WHERE i.command_id = first_command.id
            AND i.kind = 'runner_died'
            -- After an operator's retry the count starts again.
            AND i.id > coalesce(
                (
                    SELECT max(r.id) FROM public.command_incidents AS r
                    WHERE r.command_id = first_command.id AND r.kind = 'retried'
                ),
                0
            );
        max_commands := 1;
        due_commands := due_commands[1:1];
        EXIT WHEN deaths < max_deaths;
        UPDATE public.commands AS c
        SET status = 'failed',
            finished_at = clock_timestamp(),
            error = jsonb_build_object('error', 'RunnerDied', 'message',
                format('its runner died %s times', deaths))
        WHERE c.id = first_command.id;
        -- The runner reports it, as it does every final command.
        RETURN QUERY SELECT
            'failed', NULL::bigint, stream, first_command.type,
            coalesce(
                (SELECT max(e.version) FROM public.events AS e WHERE e.stream_id = stream),
                0
            ),
            NULL::jsonb, first_command.metadata, NULL::timestamptz, NULL::varchar,
            NULL::text, NULL::integer, first_command.id, NULL::integer,
            first_command.attempts, first_command.conflicts, NULL::text;
    END LOOP;

    -- Losing the first mark in a crash costs nothing; after that, every one counts.
    IF first_command.attempts = 0 AND deaths IS NULL THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;
    UPDATE public.commands AS c
    SET started_at = clock_timestamp(),
        marked_under = pg_postmaster_start_time(),
        attempts = c.attempts + 1,
        ran_by = runner
    WHERE c.id = first_command.id;

    kind := 'stream';
    stream_id := stream;
    lease_limit := max_commands;
    RETURN NEXT;
    -- OFFSET 0 keeps the planner at one look by key for each. The last pruning before the
    -- command, by number, is part of its event ids: a command that is sent again under the
    -- key of a pruned one gets other ids.
    RETURN QUERY
        SELECT
            'command', NULL::bigint, w.stream_id, w.type, NULL::integer, w.data,
            w.metadata || coalesce(
                (
                    SELECT jsonb_build_object('pruning', p.id)
                    FROM public.prunings AS p
                    WHERE p.after_seq < w.seq
                    ORDER BY p.id DESC
                    LIMIT 1
                ),
                '{}'
            ),
            NULL::timestamptz, NULL::varchar, NULL::text, NULL::integer,
            w.id, w.expected_version, w.attempts, w.conflicts,
            -- The runner need not ask for these keys. Here they cost two looks by key; in
            -- a statement of its own, for each of many streams, they cost more than a
            -- round trip for all of them.
            CASE WHEN w.data ? '$personal' THEN (
                SELECT jsonb_build_array(
                    k.subject, k.id, k.master, encode(k.wrapped, 'hex'),
                    own.id, own.master, encode(own.wrapped, 'hex')
                )::text
                FROM vault.keys AS k
                LEFT JOIN vault.keys AS own
                    ON own.subject = k.subject AND own.command_id IS NULL
                WHERE k.command_id = w.id
                LIMIT 1
            ) END
        FROM unnest(due_commands) WITH ORDINALITY AS d (id, place)
        CROSS JOIN LATERAL (
            SELECT c.* FROM public.commands AS c WHERE c.id = d.id OFFSET 0
        ) AS w
        ORDER BY d.place;
    -- As in `load`, which would copy each row once more.
    IF fingerprints IS NOT NULL THEN
        SELECT s.*, public.why_refused(
            s.stream_id, s.version, s.event_id, s.fingerprint, fingerprints
        ) AS refused
        INTO saved
        FROM public.snapshots AS s
        WHERE s.stream_id = stream;
        IF FOUND THEN
            RETURN QUERY SELECT
                'snapshot', NULL::bigint, saved.stream_id, saved.fingerprint,
                saved.version, saved.state, NULL::jsonb, NULL::timestamptz,
                saved.checksum, saved.refused, NULL::integer, NULL::uuid, NULL::integer,
                NULL::integer, NULL::integer, NULL::text;
            IF saved.refused IS NULL THEN
                beginning := saved.version;
            END IF;
        END IF;
    END IF;
    RETURN QUERY
        SELECT
            'event', e.id, e.stream_id, e.type, e.version, e.data, e.metadata,
            e.occurred_at, NULL::varchar, NULL::text, NULL::integer, NULL::uuid,
            NULL::integer, NULL::integer, NULL::integer, NULL::text
        FROM public.events AS e
        WHERE e.stream_id = stream AND e.version > beginning
        ORDER BY e.version;
END
$$;
