-- Write a command to the journal, unless one was accepted under the same id.
--
-- *is_new*: it was written just now. *is_same*: what stands under this id has the same
-- content.
--
-- A command without a stream gets the next number of the sequence *numbered_by*, but only
-- if it is new: otherwise every double submit would use up a number. Principals that begin
-- with `process:` are reserved for our own process managers: a client that could use them
-- could take the ids of their future commands.
CREATE OR REPLACE FUNCTION public.accept(
    command_id uuid,
    stream text,
    category text,
    numbered_by text,
    command_type text,
    command_data jsonb,
    command_metadata jsonb,
    sent_by text,
    content bytea,
    expected integer,
    not_due_before timestamptz,
    new_key jsonb DEFAULT NULL      -- that its personal fields are closed with
)
RETURNS TABLE (is_new boolean, is_same boolean)
LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    stored_content bytea;
    written_stream text;
BEGIN
    IF starts_with(sent_by, 'process:') AND NOT (
        -- We act as the owner. Where there are no roles, everything is one login.
        SELECT pg_has_role(session_user, current_user, 'MEMBER')
            OR coalesce(bool_or(pg_has_role(session_user, r.oid, 'MEMBER')), true)
        FROM pg_roles AS r
        WHERE r.rolname IN ('recount_worker', 'recount_relay', 'recount_operator')
    ) THEN
        RAISE EXCEPTION 'principals that begin with process: are reserved'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- The runner checks the rights of the actor: only a process may act for another.
    IF NOT starts_with(sent_by, 'process:') AND command_metadata ->> 'actor' <> sent_by
    THEN
        RAISE EXCEPTION 'the actor of a command is its principal'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- As the owner we could draw from any sequence, the log's own too.
    IF numbered_by !~ '^[a-z_]+_numbers$' THEN
        RAISE EXCEPTION '% is no sequence of numbers', numbered_by
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- A subject's own key would be the one that its events are closed with.
    IF jsonb_path_exists(
        new_key, '$[*] ? (!(@.command_id == $own))',
        jsonb_build_object('own', command_id)
    ) THEN
        RAISE EXCEPTION 'a key that comes with a command is that command''s'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF stream IS NULL THEN
        -- Of two that come at once under one key, the second waits: it needs no number.
        PERFORM pg_advisory_xact_lock(
            public.lock_key(3, hashtextextended(command_id::text, 0))
        );
    END IF;
    SELECT c.fingerprint INTO stored_content FROM public.commands AS c
    WHERE c.id = command_id;
    IF NOT FOUND THEN
        INSERT INTO public.commands (
            id, stream_id, type, data, metadata, principal, fingerprint,
            expected_version, not_before
        ) VALUES (
            command_id,
            coalesce(stream, category || '-' || nextval(numbered_by::regclass)),
            command_type, command_data, command_metadata, sent_by, content,
            expected,
            -- A time in the past is stored as none: the command has its turn now. A clock
            -- that is ahead would leave it scheduled once it is set right.
            CASE WHEN not_due_before > clock_timestamp() THEN not_due_before END
        )
        -- A concurrent call has written the same id: that one is the first.
        ON CONFLICT ON CONSTRAINT commands_pkey DO NOTHING
        RETURNING stream_id INTO written_stream;
        IF FOUND THEN
            IF new_key IS NOT NULL THEN
                PERFORM public.keep_keys(new_key, written_stream);
            END IF;
            RETURN QUERY SELECT true, true;
            RETURN;
        END IF;
        SELECT c.fingerprint INTO stored_content FROM public.commands AS c
        WHERE c.id = command_id;
    END IF;
    RETURN QUERY SELECT false, stored_content = content;
END
$$;
