-- What tokens there are, and until when. Nothing of a token itself is in it.
CREATE VIEW reporting.tokens AS
SELECT
    t.user_name,
    ARRAY(
        SELECT s.scope::text FROM access.token_scopes AS s
        WHERE s.prefix = t.prefix ORDER BY 1
    ) AS scopes,
    CASE
        WHEN t.revoked_at IS NOT NULL THEN 'revoked'
        WHEN u.disabled_at IS NOT NULL THEN 'user disabled'
        WHEN t.expires_at <= clock_timestamp() THEN 'expired'
        ELSE 'valid'
    END AS standing,
    t.created_at,
    t.expires_at,
    t.revoked_at
FROM access.tokens AS t
JOIN access.users AS u ON u.name = t.user_name;

COMMENT ON VIEW reporting.tokens IS
    'Tokens by user, one row each. Neither a token nor its hash nor its prefix is here.';
COMMENT ON COLUMN reporting.tokens.user_name IS 'Whose token it is';
COMMENT ON COLUMN reporting.tokens.scopes IS
    'What the token is for: all, read, or single permissions; never more than its user may';
COMMENT ON COLUMN reporting.tokens.standing IS
    'valid, or why it is not: revoked, expired, user disabled';
COMMENT ON COLUMN reporting.tokens.created_at IS 'When the token was made';
COMMENT ON COLUMN reporting.tokens.expires_at IS 'From when on the token is refused';
COMMENT ON COLUMN reporting.tokens.revoked_at IS
    'When the token was taken back; NULL: it was not';
