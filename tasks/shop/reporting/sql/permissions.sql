-- Who may do what: each user who is let in, by each role of the user.
CREATE VIEW reporting.permissions AS
SELECT u.name AS user_name, r.role, r.permission, r.command_type
FROM access.users AS u
JOIN access.user_roles AS ur ON ur.user_name = u.name
JOIN reporting.roles AS r ON r.role = ur.role
WHERE u.disabled_at IS NULL;

COMMENT ON VIEW reporting.permissions IS
    'Who may do what. Disabled users may nothing and are left out; so are processes of the shop, and programs of the same computer as long as there are no users.';
COMMENT ON COLUMN reporting.permissions.user_name IS 'Who may';
COMMENT ON COLUMN reporting.permissions.role IS 'The role of the user that allows it';
COMMENT ON COLUMN reporting.permissions.permission IS 'The permission that the role has';
COMMENT ON COLUMN reporting.permissions.command_type IS
    'A type of command that the permission allows; NULL: it is a permission to read';
