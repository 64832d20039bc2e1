-- Return the imprint of a stretch of the log: what a seal hashes of each event.
--
-- It has the five small columns and the SHA-256 of the two documents, so every change,
-- insertion or deletion can be named. At most *most* events. docs/seals.md describes the
-- format byte by byte, and others verify seals by it: another format needs another name in
-- seal_hash.sql. Binary, because no setting of a session changes it.
CREATE OR REPLACE FUNCTION public.imprint(
    after bigint,
    up_to bigint,
    most integer,
    OUT count integer,
    OUT last_id bigint,
    OUT imprint bytea
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, public, pg_temp
-- A stretch is reached by its ids, also where there are no figures yet.
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
    SELECT
        count(*)::integer,
        max(e.id),
        coalesce(
            string_agg(
                int8send(e.id)
                || int4send(octet_length(convert_to(e.stream_id, 'UTF8')))
                || convert_to(e.stream_id, 'UTF8')
                || int4send(octet_length(convert_to(e.type, 'UTF8')))
                || convert_to(e.type, 'UTF8')
                || int4send(e.version)
                || sha256(convert_to(e.data::text, 'UTF8'))
                || sha256(convert_to(e.metadata::text, 'UTF8'))
                || timestamptz_send(e.occurred_at),
                ''::bytea ORDER BY e.id
            ),
            ''::bytea
        )
    FROM (
        SELECT *
        FROM public.events AS sealed
        WHERE sealed.id > imprint.after AND sealed.id <= imprint.up_to
        ORDER BY sealed.id
        LIMIT imprint.most
    ) AS e
$$;
