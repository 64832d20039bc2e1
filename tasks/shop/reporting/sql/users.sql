-- Who is let in: each user with the roles, and how many tokens can be used now.
CREATE VIEW reporting.users AS
SELECT
    u.name AS user_name,
    ARRAY(
        SELECT r.role::text FROM access.user_roles AS r
        WHERE r.user_name = u.name ORDER BY 1
    ) AS roles,
    (
        SELECT count(*) FROM access.tokens AS t
        WHERE t.user_name = u.name AND u.disabled_at IS NULL
            AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp()
    ) AS usable_tokens,
    u.created_at,
    u.disabled_at
FROM access.users AS u;

COMMENT ON VIEW reporting.users IS
    'Users, with their roles. A user is never deleted; one who leaves is disabled.';
COMMENT ON COLUMN reporting.users.user_name IS
    'The name by which commands and events name the user';
COMMENT ON COLUMN reporting.users.roles IS
    'The roles of the user, by name; reporting.roles tells what each may';
COMMENT ON COLUMN reporting.users.usable_tokens IS
    'How many tokens of the user are neither expired nor revoked; 0 for a disabled user';
COMMENT ON COLUMN reporting.users.created_at IS 'When the user was added';
COMMENT ON COLUMN reporting.users.disabled_at IS
    'Since when the user is shut out; NULL: the user is let in';
