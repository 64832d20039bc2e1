-- What a role may. It stands in the code, `tasks/shop/permissions.py`, which writes the rows.
CREATE VIEW reporting.roles AS
SELECT r.role, r.permission, r.command_type
FROM (VALUES
    {role_rows}
) AS r (role, permission, command_type);

COMMENT ON VIEW reporting.roles IS
    'What each role may, in the version of the code that migrated last';
COMMENT ON COLUMN reporting.roles.role IS 'The name of the role';
COMMENT ON COLUMN reporting.roles.permission IS 'A permission that the role has';
COMMENT ON COLUMN reporting.roles.command_type IS
    'A type of command that the permission allows; NULL: it is a permission to read';
