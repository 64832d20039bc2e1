-- Take the imprint of a stretch of the log: what a seal keeps of each of its events.
--
-- Its five small columns, and of its two documents the SHA-256: whatever is changed, put
-- in or missing later can be named. Of more than *most* events only the first are taken.
-- docs/seals.md has this form byte by byte, and others check seals by that page: to write
-- another one takes another name in seal_hash.sql.
-- Binary, since no setting of a session changes it: neither time zone nor encoding.
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
