-- Append events and complete the commands that decided them, all or nothing.
--
-- Raises ES002 if a command was finished meanwhile, with details as JSON in DETAIL, and
-- what `append` raises. The same again returns the positions of the first time: then the
-- commands are finished already.
CREATE OR REPLACE FUNCTION public.append_and_complete(
    stream_ids text[],          -- as for `append`, the commands' own first
    expected integer[],
    event_streams integer[],
    types text[],
    event_datas jsonb[],
    metadatas jsonb[],
    occurred_ats timestamptz[],
    claims jsonb,
    new_keys jsonb,
    forgotten text[],
    command_ids uuid[],         -- in the order in which they were decided
    outcomes text[],
    errors jsonb[],
    OUT positions bigint[],     -- of each event
    OUT versions integer[]
)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
-- The journal has millions of finished rows and few waiting ones, so the planner's
-- figures for it are always wrong. Every row is found by its primary key.
SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    locked record;
    runner varchar;
    appended record;
    last_position bigint;
BEGIN
    FOR locked IN
        SELECT c.id, c.status, c.ran_by
        FROM public.commands AS c
        WHERE c.id = ANY (command_ids)
        ORDER BY c.seq
        FOR UPDATE
    LOOP
        -- `take` marked the first command with its runner, who runs the rest too.
        IF locked.id = command_ids[1] THEN
            runner := locked.ran_by;
        END IF;
        IF locked.status <> 'accepted' THEN
            SELECT f.positions, f.versions INTO positions, versions
            FROM public.find_appended(
                stream_ids, expected, event_streams, metadatas
            ) AS f;
            IF positions IS NOT NULL THEN
                RETURN;
            END IF;
            RAISE EXCEPTION 'command % was finished meanwhile', locked.id
                USING ERRCODE = 'ES002', DETAIL = jsonb_build_object(
                    'command_id', locked.id, 'status', locked.status
                );
        END IF;
    END LOOP;

    appended := public.append(
        stream_ids, expected, event_streams, types, event_datas, metadatas,
        occurred_ats, claims, new_keys, forgotten
    );
    positions := appended.positions;
    versions := appended.versions;
    last_position := appended.head_position;

    -- One by one, and with no condition on the status: with one the planner may walk
    -- through all waiting commands to find a row that it could find by key.
    FOR i IN 1 .. cardinality(command_ids) LOOP
        -- A command without events has the position of the last event before it.
        last_position := coalesce(
            (
                SELECT max(a.position)
                FROM unnest(positions, metadatas) AS a (position, metadata)
                WHERE a.metadata ->> 'command_id' = command_ids[i]::text
            ),
            last_position
        );
        IF outcomes[i] = 'failed' THEN
            errors[i] := public.storable_error(command_ids[i], errors[i]);
        END IF;
        UPDATE public.commands AS c
        SET status = outcomes[i],
            error = errors[i] - 'traceback',
            finished_at = coalesce(appended.recorded_at, clock_timestamp()),
            ran_by = coalesce(runner, c.ran_by),
            position = last_position
        WHERE c.id = command_ids[i];
        IF outcomes[i] = 'failed' THEN
            INSERT INTO public.command_incidents (command_id, kind, detail)
            VALUES (command_ids[i], 'error', errors[i]);
        END IF;
    END LOOP;
END
$$;
