-- The client that `forge auth login` is. It is a program on people's machines, which keeps no secret: its tokens are bound to keys.
INSERT INTO oauth_clients (client_id, name, homepage, is_public, is_builtin, redirect_uris, allows_device, created_at)
VALUES ('forge-cli', 'Forge on the command line', NULL, TRUE, TRUE, '[]', TRUE, 0);
