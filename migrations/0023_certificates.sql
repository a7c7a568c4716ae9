-- The SHA-256 of the client certificate a credential is bound to (RFC 8705): it is good on a connection with that alone.
ALTER TABLE credentials ADD COLUMN cnf_x5t TEXT;
